#include <algorithm>

#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "services/application/handlers.h"
#include "services/application/transitions.h"
#include "yuezhan/application/v1/events.pb.h"

namespace yuezhan::application {
namespace {

constexpr std::string_view kUploads = "applications/*/uploads/*";
constexpr std::string_view kMaterials = "applications/*/materials/*";
// How often expired uploads are looked for, once there are no more.
constexpr absl::Duration kBetweenRemovals = absl::Seconds(10);

// Application and upload or material that a name tells.
struct Ids {
  std::string application;
  std::string file;
  std::string parent;  // "applications/{id}"
};

absl::StatusOr<Ids> Parse(std::string_view pattern, std::string_view name) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf(pattern, name));
  return Ids{ids[0], ids[1], Name("applications", ids[0])};
}

absl::StatusOr<files::Limits> LimitsOf(const policy::v1::Policy& policy, std::string_view code) {
  const policy::v1::Material* material = policy::FindMaterial(policy, code);
  if (material == nullptr) {
    return errors::InvalidField("code", "不是办法所列的材料", "must be a material of the policy");
  }
  return files::Limits{{material->media_types().begin(), material->media_types().end()},
                       material->max_bytes(),
                       material->max_files(),
                       policy.application().max_materials()};
}

v1::Upload MessageOf(const files::Upload& upload) {
  v1::Upload proto;
  proto.set_name(Name("applications", upload.owner, "uploads", upload.id));
  proto.set_offset_bytes(upload.offset_bytes);
  *proto.mutable_expire_time() = ToProto(upload.expire_time);
  return proto;
}

v1::Material MessageOf(const files::File& file) {
  v1::Material proto;
  proto.set_name(Name("applications", file.owner, "materials", file.id));
  proto.set_code(file.code);
  proto.set_file_name(file.file_name);
  proto.set_media_type(file.media_type);
  proto.set_size_bytes(file.size_bytes);
  proto.set_sha256(file.sha256);
  *proto.mutable_create_time() = ToProto(file.create_time);
  return proto;
}

}  // namespace

std::vector<v1::Material> Handlers::Materials(db::Session& sql, std::string_view id) const {
  return MaterialsOf(sql, {std::string(id)})[std::string(id)];
}

std::map<std::string, std::vector<v1::Material>> Handlers::MaterialsOf(
    db::Session& sql, const std::vector<std::string>& ids) const {
  const auto scans = store_.Scans(sql, ids);
  std::map<std::string, std::vector<v1::Material>> materials;
  for (const files::File& file : files_.CurrentOf(sql, ids)) {
    v1::Material& material = materials[file.owner].emplace_back(MessageOf(file));
    const auto scan = scans.find(file.id);
    if (scan != scans.end()) material.MergeFrom(scan->second);
  }
  return materials;
}

absl::StatusOr<files::File> Handlers::FileOf(db::Session& sql, std::string_view id,
                                             std::string_view file, std::string_view name) const {
  auto found = files_.Find(sql, file);
  if (!found || found->owner != id) return errors::NotFound(name);
  return *std::move(found);
}

absl::StatusOr<files::Upload> Handlers::UploadOf(db::Session& sql, std::string_view id,
                                                 std::string_view upload, std::string_view name,
                                                 bool lock) const {
  auto found = files_.FindUpload(sql, upload, journal_.clocks().business->Now(), lock);
  if (!found || found->owner != id) return errors::NotFound(name);
  return *std::move(found);
}

absl::Status Handlers::StartUpload(Context& context, const v1::StartUploadRequest& request,
                                   v1::Upload* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", request.parent()));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(const auto application,
                        Visible(unit.sql(), context.caller, request.parent(), true));
    YZ_RETURN_IF_ERROR(
        ApplicationTransitions().Check(request.parent(), application.state(), "StartUpload"));
    YZ_ASSIGN_OR_RETURN(const auto limits, LimitsOf(rules.policy, request.code()));
    files::Upload upload;
    upload.id = NewUuid();
    upload.owner = id;
    upload.code = request.code();
    upload.file_name = request.file_name();
    upload.size_bytes = request.size_bytes();
    upload.expire_time = unit.Now() + absl::Hours(rules.policy.application().upload_expiry_hours());
    YZ_RETURN_IF_ERROR(files_.Start(unit.sql(), upload, limits, unit.Now()));
    *answer = MessageOf(upload);
    return absl::OkStatus();
  });
}

absl::Status Handlers::WriteChunk(Context& context, const v1::WriteChunkRequest& request,
                                  v1::Upload* answer) {
  YZ_ASSIGN_OR_RETURN(const Ids ids, Parse(kUploads, request.upload()));
  // Not journaled: an upload is invisible until it is finished. A chunk cannot take effect twice,
  // so a commit whose outcome is unknown is repeated.
  return db::Transact(
      journal_.pool(), context.deadline,
      [&](db::Session& sql) -> absl::Status {
        YZ_RETURN_IF_ERROR(Visible(sql, context.caller, ids.parent, false).status());
        YZ_ASSIGN_OR_RETURN(auto upload,
                            UploadOf(sql, ids.application, ids.file, request.upload(), true));
        YZ_RETURN_IF_ERROR(files_.Append(sql, &upload, request.offset_bytes(), request.data()));
        *answer = MessageOf(upload);
        return absl::OkStatus();
      },
      db::OnUnknown::kReplay);
}

absl::Status Handlers::GetUpload(Context& context, const v1::GetUploadRequest& request,
                                 v1::Upload* answer) {
  YZ_ASSIGN_OR_RETURN(const Ids ids, Parse(kUploads, request.name()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_RETURN_IF_ERROR(Visible(sql, context.caller, ids.parent, false).status());
    YZ_ASSIGN_OR_RETURN(const auto upload,
                        UploadOf(sql, ids.application, ids.file, request.name(), false));
    *answer = MessageOf(upload);
    return absl::OkStatus();
  });
}

absl::Status Handlers::FinishUpload(Context& context, const v1::FinishUploadRequest& request,
                                    v1::Material* answer) {
  YZ_ASSIGN_OR_RETURN(const Ids ids, Parse(kUploads, request.name()));
  // The bytes are read before the transaction; what is wrong with them is said inside, where a
  // repeated request finds its answer first.
  absl::StatusOr<files::Upload> upload = errors::NotFound(request.name());
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_RETURN_IF_ERROR(Visible(sql, context.caller, ids.parent, false).status());
        upload = UploadOf(sql, ids.application, ids.file, request.name(), false);
        return absl::OkStatus();
      }));
  absl::StatusOr<files::Content> content = errors::NotFound(request.name());
  common::v1::PrintedDocument filing_form;
  if (upload.ok()) {
    if (upload->code == kFilingFormCode && !request.form_digest().empty()) {
      YZ_ASSIGN_OR_RETURN(filing_form, PrintedFilingForm(context, ids.parent));
    }
    content = files_.Inspect(journal_.pool(), context.deadline, *upload);
  }
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(const auto application,
                        Visible(unit.sql(), context.caller, ids.parent, true));
    YZ_RETURN_IF_ERROR(
        ApplicationTransitions().Check(ids.parent, application.state(), "FinishUpload"));
    YZ_ASSIGN_OR_RETURN(const auto locked,
                        UploadOf(unit.sql(), ids.application, ids.file, request.name(), true));
    YZ_RETURN_IF_ERROR(content.status());
    YZ_ASSIGN_OR_RETURN(const auto limits, LimitsOf(rules.policy, locked.code));
    YZ_ASSIGN_OR_RETURN(const auto file, files_.Finish(unit.sql(), locked, *content,
                                                       request.sha256(), limits, unit.Now()));
    return TakeIn(unit, rules, application, file, {request.form_number(), request.form_digest()},
                  filing_form, answer);
  });
}

absl::Status Handlers::TakeIn(journal::Unit& unit, const Rules& rules,
                              const v1::Application& application, const files::File& file,
                              const SealOnScan& seal,
                              const common::v1::PrintedDocument& filing_form,
                              v1::Material* answer) {
  *answer = MessageOf(file);
  if (!seal.form_digest.empty() || !seal.form_number.empty()) {
    YZ_RETURN_IF_ERROR(CheckScan(
        seal.form_number, seal.form_digest, file.code,
        file.code == kApplicationFormCode ? PrintedForm(rules.policy, application) : filing_form));
    answer->set_form_number(seal.form_number);
    answer->set_form_digest(seal.form_digest);
    store_.PutScan(unit.sql(), file.owner, file.id, *answer);
  }
  v1::MaterialAdded event;
  event.set_material(answer->name());
  event.set_code(answer->code());
  event.set_sha256(answer->sha256());
  unit.Emit(event);
  return absl::OkStatus();
}

absl::Status Handlers::UploadMaterial(
    const rpc::AskedList<v1::UploadMaterialRequest, v1::Material>& asked) {
  // As of FinishUpload: what is wrong with the bytes is said in the transaction.
  struct Whole {
    std::string application;
    absl::StatusOr<files::Content> content;
    common::v1::PrintedDocument filing_form;
    v1::UploadMaterialRequest kept;  // the journal has the digest, not the bytes
  };
  std::vector<Whole> wholes;
  std::vector<journal::Writing> writings;
  std::vector<std::string> names, owners;
  wholes.reserve(asked.size());
  for (const auto& each : asked) {
    const v1::UploadMaterialRequest& request = each.request;
    Whole& whole = wholes.emplace_back();
    YZ_ASSIGN_OR_RETURN(whole.application, IdOf("applications/*", request.parent()));
    // What fails for one of several is no outage of all: each is asked alone then.
    if (request.code() == kFilingFormCode && !request.form_digest().empty()) {
      auto form = PrintedFilingForm(each.context, request.parent());
      if (!form.ok()) return asked.size() > 1 ? errors::Conflict() : form.status();
      whole.filing_form = *std::move(form);
    }
    whole.content = files_.Inspect(request.data(), each.context.deadline);
    if (asked.size() > 1 && !whole.content.ok()) return errors::Conflict();
    whole.kept = request;
    whole.kept.clear_data();
    writings.emplace_back(each.context, whole.kept, each.answer);
    names.push_back(request.parent());
    owners.push_back(whole.application);
  }
  return journal_.WriteAll(writings, [&](const auto& units) -> absl::Status {
    store_.PrefetchApplications(units.front()->sql(), names);
    files_.FetchAhead(units.front()->sql(), owners);
    for (size_t i = 0; i < asked.size(); ++i) {
      journal::Unit& unit = *units[i];
      const v1::UploadMaterialRequest& request = asked[i].request;
      YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
      YZ_ASSIGN_OR_RETURN(const auto application,
                          Visible(unit.sql(), asked[i].context.caller, request.parent(), true));
      YZ_RETURN_IF_ERROR(
          ApplicationTransitions().Check(request.parent(), application.state(), "UploadMaterial"));
      YZ_ASSIGN_OR_RETURN(const auto limits, LimitsOf(rules.policy, request.code()));
      YZ_RETURN_IF_ERROR(wholes[i].content.status());
      files::Upload upload;
      upload.id = NewUuid();
      upload.owner = wholes[i].application;
      upload.code = request.code();
      upload.file_name = request.file_name();
      YZ_ASSIGN_OR_RETURN(const auto file,
                          files_.Add(unit.sql(), upload, request.data(), *wholes[i].content,
                                     request.sha256(), limits, unit.Now()));
      YZ_RETURN_IF_ERROR(TakeIn(unit, rules, application, file,
                                {request.form_number(), request.form_digest()},
                                wholes[i].filing_form, asked[i].answer));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::ReadChunk(Context& context, const v1::ReadChunkRequest& request,
                                 v1::ReadChunkResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const Ids ids, Parse(kMaterials, request.name()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_RETURN_IF_ERROR(Visible(sql, context.caller, ids.parent, false).status());
    YZ_RETURN_IF_ERROR(FileOf(sql, ids.application, ids.file, request.name()).status());
    YZ_ASSIGN_OR_RETURN(*answer->mutable_data(),
                        files_.Read(sql, ids.file, request.offset_bytes()));
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListMaterials(Context& context, const v1::ListMaterialsRequest& request,
                                     v1::ListMaterialsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", request.parent()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_RETURN_IF_ERROR(Visible(sql, context.caller, request.parent(), false).status());
    const auto materials = Materials(sql, id);
    answer->mutable_materials()->Assign(materials.begin(), materials.end());
    return absl::OkStatus();
  });
}

absl::StatusOr<absl::Duration> Handlers::RemoveExpiredUploads() {
  YZ_ASSIGN_OR_RETURN(
      const int removed,
      files_.RemoveExpired(journal_.pool(), journal_.clocks().wall() + absl::Seconds(30),
                           journal_.clocks().business->Now()));
  return removed > 0 ? absl::ZeroDuration() : kBetweenRemovals;
}

}  // namespace yuezhan::application
