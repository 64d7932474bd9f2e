#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "services/registry/handlers.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {
namespace {

// Bounds of the system, not of the regulation: a scan of some hundred pages, and what a station
// gathers in twenty years.
constexpr int64_t kMaxBytes = 20 << 20;
constexpr int kMaxFiles = 2000;
constexpr std::string_view kCode = "evidence";
// How often expired uploads are looked for, once there are no more.
constexpr absl::Duration kBetweenRemovals = absl::Seconds(10);

files::Limits TheLimits() {
  return {{"application/pdf", "application/ofd", "image/jpeg", "image/png"},
          kMaxBytes,
          kMaxFiles,
          kMaxFiles};
}

// "stations/{id}/uploads/{id}": whose, and which.
struct Ids {
  std::string collection;  // "stations" or "hostUnits"
  std::string owner;
  std::string file;
  std::string owner_name() const { return Name(collection, owner); }
};

absl::StatusOr<Ids> Parse(std::string_view name, std::string_view kind) {
  const std::string collection = absl::StartsWith(Abs(name), "stations/") ? "stations" : "hostUnits";
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf(Concat({collection, "/*/", kind, "/*"}), name));
  return Ids{collection, ids[0], ids[1]};
}

v1::EvidenceUpload MessageOf(const Ids& ids, const files::Upload& upload) {
  v1::EvidenceUpload proto;
  proto.set_name(Name(ids.collection, ids.owner, "uploads", upload.id));
  proto.set_offset_bytes(upload.offset_bytes);
  *proto.mutable_expire_time() = ToProto(upload.expire_time);
  return proto;
}

v1::Evidence MessageOf(std::string_view collection, const files::File& file) {
  v1::Evidence proto;
  proto.set_name(Name(collection, file.owner, "evidence", file.id));
  proto.set_file_name(file.file_name);
  proto.set_media_type(file.media_type);
  proto.set_size_bytes(file.size_bytes);
  proto.set_sha256(file.sha256);
  *proto.mutable_create_time() = ToProto(file.create_time);
  return proto;
}

}  // namespace

absl::Status Handlers::SeeOwner(db::Session& sql, const Caller& caller, std::string_view owner,
                                bool lock) const {
  return absl::StartsWith(Abs(owner), "stations/")
             ? SeenStation(sql, caller, owner, lock).status()
             : SeenHostUnit(sql, caller, owner, lock).status();
}

absl::Status Handlers::CheckEvidence(
    db::Session& sql, std::string_view station, std::string_view path,
    const google::protobuf::RepeatedPtrField<std::string>& names) const {
  for (int i = 0; i < names.size(); ++i) {
    const auto ids = Parse(names[i], "evidence");
    if (ids.ok() && ids->owner_name() == station) {
      const auto file = files_.Find(sql, ids->file);
      if (file && file->owner == ids->owner) continue;
    }
    return errors::InvalidField(absl::StrCat(Abs(path), "[", i, "]"), "应为本站已上传的证明材料",
                                "must be evidence of this station, uploaded before");
  }
  return absl::OkStatus();
}

absl::Status Handlers::StartEvidence(Context& context, const v1::StartEvidenceRequest& request,
                                     v1::EvidenceUpload* answer) {
  const bool station = absl::StartsWith(request.parent(), "stations/");
  Ids ids{station ? "stations" : "hostUnits", "", ""};
  YZ_ASSIGN_OR_RETURN(ids.owner, IdOf(Concat({ids.collection, "/*"}), request.parent()));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_RETURN_IF_ERROR(SeeOwner(unit.sql(), context.caller, request.parent(), true));
    files::Upload upload;
    upload.id = NewUuid();
    upload.owner = ids.owner;
    upload.code = std::string(kCode);
    upload.file_name = request.file_name();
    upload.size_bytes = request.size_bytes();
    upload.expire_time = unit.Now() + absl::Hours(rules.policy.application().upload_expiry_hours());
    YZ_RETURN_IF_ERROR(files_.Start(unit.sql(), upload, TheLimits(), unit.Now()));
    *answer = MessageOf(ids, upload);
    return absl::OkStatus();
  });
}

absl::Status Handlers::WriteEvidence(Context& context, const v1::WriteEvidenceRequest& request,
                                     v1::EvidenceUpload* answer) {
  YZ_ASSIGN_OR_RETURN(const Ids ids, Parse(request.upload(), "uploads"));
  // Not journaled: an upload is invisible until it is finished. A chunk cannot take effect twice,
  // so a commit whose outcome is unknown is repeated.
  return db::Transact(
      journal_.pool(), context.deadline,
      [&](db::Session& sql) -> absl::Status {
        YZ_RETURN_IF_ERROR(SeeOwner(sql, context.caller, ids.owner_name(), false));
        auto upload =
            files_.FindUpload(sql, ids.file, journal_.clocks().business->Now(), true);
        if (!upload || upload->owner != ids.owner) return errors::NotFound(request.upload());
        YZ_RETURN_IF_ERROR(files_.Append(sql, &*upload, request.offset_bytes(), request.data()));
        *answer = MessageOf(ids, *upload);
        return absl::OkStatus();
      },
      db::OnUnknown::kReplay);
}

absl::Status Handlers::GetEvidenceUpload(Context& context,
                                         const v1::GetEvidenceUploadRequest& request,
                                         v1::EvidenceUpload* answer) {
  YZ_ASSIGN_OR_RETURN(const Ids ids, Parse(request.name(), "uploads"));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_RETURN_IF_ERROR(SeeOwner(sql, context.caller, ids.owner_name(), false));
    const auto upload =
        files_.FindUpload(sql, ids.file, journal_.clocks().business->Now(), false);
    if (!upload || upload->owner != ids.owner) return errors::NotFound(request.name());
    *answer = MessageOf(ids, *upload);
    return absl::OkStatus();
  });
}

absl::Status Handlers::FinishEvidence(Context& context, const v1::FinishEvidenceRequest& request,
                                      v1::Evidence* answer) {
  YZ_ASSIGN_OR_RETURN(const Ids ids, Parse(request.name(), "uploads"));
  // The bytes are read before the transaction; what is wrong with them is said inside, where a
  // repeated request finds its answer first.
  std::optional<files::Upload> upload;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) {
    upload = files_.FindUpload(sql, ids.file, journal_.clocks().business->Now(), false);
    return absl::OkStatus();
  }));
  absl::StatusOr<files::Content> content = errors::NotFound(request.name());
  if (upload && upload->owner == ids.owner)
    content = files_.Inspect(journal_.pool(), context.deadline, *upload);
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_RETURN_IF_ERROR(SeeOwner(unit.sql(), context.caller, ids.owner_name(), true));
    const auto locked = files_.FindUpload(unit.sql(), ids.file, unit.Now(), true);
    if (!locked || locked->owner != ids.owner) return errors::NotFound(request.name());
    YZ_RETURN_IF_ERROR(content.status());
    YZ_ASSIGN_OR_RETURN(const auto file, files_.Finish(unit.sql(), *locked, *content,
                                                       request.sha256(), TheLimits(), unit.Now()));
    // Evidence is never removed: another file of its name takes its place in the list alone.
    files_.Keep(unit.sql(), ids.owner);
    *answer = MessageOf(ids.collection, file);
    v1::EvidenceAdded event;
    event.set_evidence(answer->name());
    event.set_sha256(answer->sha256());
    unit.Emit(event);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ReadEvidence(Context& context, const v1::ReadEvidenceRequest& request,
                                    v1::ReadEvidenceResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const Ids ids, Parse(request.name(), "evidence"));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    const bool seen = SeeOwner(sql, context.caller, ids.owner_name(), false).ok();
    const auto file = files_.Find(sql, ids.file);
    if (!seen || !file || file->owner != ids.owner) return errors::NotFound(request.name());
    YZ_ASSIGN_OR_RETURN(*answer->mutable_data(),
                        files_.Read(sql, ids.file, request.offset_bytes()));
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListEvidence(Context& context, const v1::ListEvidenceRequest& request,
                                    v1::ListEvidenceResponse* answer) {
  const std::string collection =
      absl::StartsWith(request.parent(), "stations/") ? "stations" : "hostUnits";
  YZ_ASSIGN_OR_RETURN(const std::string owner, IdOf(Concat({collection, "/*"}), request.parent()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_RETURN_IF_ERROR(SeeOwner(sql, context.caller, request.parent(), false));
    for (const files::File& file : files_.Current(sql, owner))
      *answer->add_evidence() = MessageOf(collection, file);
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

}  // namespace yuezhan::registry
