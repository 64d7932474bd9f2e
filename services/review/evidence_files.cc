#include <algorithm>
#include <set>

#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/ownership.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"
#include "yuezhan/review/v1/events.pb.h"

// Evidence of a case or an objection, as files (common/files).
namespace yuezhan::review {
namespace {

constexpr std::string_view kFinish = "FinishUpload";
constexpr absl::Duration kBetweenRemovals = absl::Minutes(10);
constexpr std::string_view kCaseCodes[] = {"inspection", "assessment", "opinion", "department"};
constexpr std::string_view kObjectionCodes[] = {"objection", "examination"};
constexpr RoleSet kWriters{Role::kReviewer, Role::kSecretary};

bool IsCase(std::string_view name) { return name.starts_with("cases/"); }

// A file's name, taken apart.
struct FileName {
  std::string parent;
  std::string owner;  // id of the case or the objection
  std::string id;
};
absl::StatusOr<FileName> Parse(std::string_view name) {
  YZ_ASSIGN_OR_RETURN(
      const auto ids,
      IdsOf(IsCase(name) ? "cases/*/files/*" : "notices/*/objections/*/files/*", name));
  const size_t end = name.rfind("/files/");
  return FileName{std::string(name.substr(0, end)), ids[ids.size() - 2], ids.back()};
}
absl::StatusOr<std::string> OwnerOf(std::string_view parent) {
  return IdOf(IsCase(parent) ? "cases/*" : "notices/*/objections/*", parent);
}

absl::Status CheckCode(std::string_view parent, std::string_view code) {
  const auto has = [&](const auto& codes) {
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
  };
  if (IsCase(parent) ? has(kCaseCodes) : has(kObjectionCodes)) return absl::OkStatus();
  return errors::InvalidField("code", "案件材料：inspection、assessment、opinion、department；"
                                      "异议材料：objection、examination",
                              "must be inspection, assessment, opinion or department of a case, "
                              "objection or examination of an objection");
}

// What the policy takes as a material it takes as evidence.
files::Limits LimitsOf(const policy::v1::Policy& policy) {
  files::Limits limits;
  std::set<std::string> types;
  for (const auto& material : policy.application().materials()) {
    types.insert(material.media_types().begin(), material.media_types().end());
    limits.max_bytes = std::max(limits.max_bytes, material.max_bytes());
  }
  limits.media_types.assign(types.begin(), types.end());
  limits.max_files = limits.max_owner_files = policy.application().max_materials();
  return limits;
}

v1::EvidenceFile MessageOf(std::string_view parent, const files::Upload& upload) {
  v1::EvidenceFile file;
  file.set_name(Concat({parent, "/files/", upload.id}));
  file.set_code(upload.code);
  file.set_file_name(upload.file_name);
  file.set_size_bytes(upload.size_bytes);
  file.set_offset_bytes(upload.offset_bytes);
  return file;
}

v1::EvidenceFile MessageOf(std::string_view parent, const files::File& finished) {
  v1::EvidenceFile file;
  file.set_name(Concat({parent, "/files/", finished.id}));
  file.set_code(finished.code);
  file.set_file_name(finished.file_name);
  file.set_size_bytes(finished.size_bytes);
  file.set_offset_bytes(finished.size_bytes);
  file.set_media_type(finished.media_type);
  file.set_sha256(finished.sha256);
  *file.mutable_create_time() = ToProto(finished.create_time);
  return file;
}

}  // namespace

absl::Status Handlers::CheckParent(db::Session& sql, const Caller& caller, std::string_view parent,
                                   bool write) const {
  if (IsCase(parent)) {
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", parent));
    YZ_ASSIGN_OR_RETURN(const auto review_case, store_.Case(sql, id, write));
    const bool may = write ? caller.roles.Intersects(kWriters) : SeesAllHosts(caller);
    if (!review_case || !may) return errors::NotFound(parent);
    if (!write) return absl::OkStatus();
    return CaseTransitions().Check(parent, review_case->state(), kFinish);
  }
  // An objection's evidence tells who objects: officers who deal with it see it, and its filer adds
  // to it without seeing more than that.
  auto found = store_.Objection(sql, parent, write);
  if (!found.ok()) return found.status();
  const v1::Objection objection = std::move(*found).value_or(v1::Objection());
  const bool filer = write && objection.filed_by() == caller.subject;
  if (objection.name().empty() || !(filer || caller.roles.Intersects(kWriters)))
    return errors::NotFound(parent);
  if (!write) return absl::OkStatus();
  return ObjectionTransitions().Check(parent, objection.state(), kFinish);
}

absl::StatusOr<files::Upload> Handlers::UploadOf(db::Session& sql, const Caller& caller,
                                                 std::string_view name, bool lock) const {
  YZ_ASSIGN_OR_RETURN(const FileName file, Parse(name));
  YZ_RETURN_IF_ERROR(CheckParent(sql, caller, file.parent, true));
  auto upload = files_.FindUpload(sql, file.id, journal_.clocks().business->Now(), lock);
  if (!upload || upload->owner != file.owner) return errors::NotFound(name);
  return *std::move(upload);
}

absl::Status Handlers::StartUpload(Context& context, const v1::StartUploadRequest& request,
                                   v1::EvidenceFile* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    if (!SeesAllHosts(context.caller)) unit.HideActor();
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_RETURN_IF_ERROR(CheckParent(unit.sql(), context.caller, request.parent(), true));
    YZ_RETURN_IF_ERROR(CheckCode(request.parent(), request.code()));
    files::Upload upload;
    upload.id = NewUuid();
    YZ_ASSIGN_OR_RETURN(upload.owner, OwnerOf(request.parent()));
    upload.code = request.code();
    upload.file_name = request.file_name();
    upload.size_bytes = request.size_bytes();
    upload.expire_time = unit.Now() + absl::Hours(rules.policy.application().upload_expiry_hours());
    YZ_RETURN_IF_ERROR(files_.Start(unit.sql(), upload, LimitsOf(rules.policy), unit.Now()));
    *answer = MessageOf(request.parent(), upload);
    return absl::OkStatus();
  });
}

absl::Status Handlers::WriteChunk(Context& context, const v1::WriteChunkRequest& request,
                                  v1::EvidenceFile* answer) {
  YZ_ASSIGN_OR_RETURN(const FileName file, Parse(request.name()));
  // Not journaled, and repeated where the commit's outcome is unknown: a chunk cannot take effect
  // twice.
  return db::Transact(
      journal_.pool(), context.deadline,
      [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(auto upload, UploadOf(sql, context.caller, request.name(), true));
        YZ_RETURN_IF_ERROR(files_.Append(sql, &upload, request.offset_bytes(), request.data()));
        *answer = MessageOf(file.parent, upload);
        return absl::OkStatus();
      },
      db::OnUnknown::kReplay);
}

absl::Status Handlers::FinishUpload(Context& context, const v1::FinishUploadRequest& request,
                                    v1::EvidenceFile* answer) {
  YZ_ASSIGN_OR_RETURN(const FileName file, Parse(request.name()));
  // The bytes are read before the transaction; what is wrong with them is said inside, where a
  // repeated request finds its answer first.
  absl::StatusOr<files::Upload> upload = errors::NotFound(request.name());
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        const auto found =
            files_.FindUpload(sql, file.id, journal_.clocks().business->Now(), false);
        if (found) upload = *found;
        return absl::OkStatus();
      }));
  absl::StatusOr<files::Content> content = errors::NotFound(request.name());
  if (upload.ok()) content = files_.Inspect(journal_.pool(), context.deadline, *upload);
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    if (!SeesAllHosts(context.caller)) unit.HideActor();
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(const auto locked,
                        UploadOf(unit.sql(), context.caller, request.name(), true));
    YZ_RETURN_IF_ERROR(content.status());
    YZ_ASSIGN_OR_RETURN(const auto finished,
                        files_.Finish(unit.sql(), locked, *content, request.sha256(),
                                      LimitsOf(rules.policy), unit.Now()));
    files_.Keep(unit.sql(), file.owner);  // evidence is never removed
    *answer = MessageOf(file.parent, finished);
    std::string case_name = file.parent;
    if (!IsCase(file.parent)) {
      YZ_ASSIGN_OR_RETURN(const v1::Objection objection, LockObjection(unit.sql(), file.parent));
      case_name = objection.case_name();
    }
    store_.AddToTrail(unit.sql(), case_name, unit.entry_key());
    v1::EvidenceAdded event;
    event.set_file(answer->name());
    event.set_code(answer->code());
    event.set_sha256(answer->sha256());
    unit.Emit(event);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ReadChunk(Context& context, const v1::ReadChunkRequest& request,
                                 v1::ReadChunkResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const FileName file, Parse(request.name()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_RETURN_IF_ERROR(CheckParent(sql, context.caller, file.parent, false));
    const auto found = files_.Find(sql, file.id);
    if (!found || found->owner != file.owner) return errors::NotFound(request.name());
    YZ_ASSIGN_OR_RETURN(*answer->mutable_data(),
                        files_.Read(sql, file.id, request.offset_bytes()));
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListFiles(Context& context, const v1::ListFilesRequest& request,
                                 v1::ListFilesResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string owner, OwnerOf(request.parent()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_RETURN_IF_ERROR(CheckParent(sql, context.caller, request.parent(), false));
    for (const files::File& file : files_.Current(sql, owner))
      *answer->add_files() = MessageOf(request.parent(), file);
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

}  // namespace yuezhan::review
