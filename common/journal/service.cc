#include "common/journal/service.h"

#include <google/protobuf/util/time_util.h>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/journal/verify.h"

namespace yuezhan::journal {
namespace {

constexpr int kDefaultPage = 100;

constexpr char kSelectCursors[] =
    "SELECT source, seq, hash, state, stopped_seq, reason, updated_at_ms FROM journal_cursor";

v1::Follower FollowerOf(const db::Row& row) {
  v1::Follower follower;
  follower.set_source(row.Text(0));
  follower.set_seq(row.Int(1));
  follower.set_hash(row.Bytes(2));
  follower.set_state(static_cast<v1::FollowerState>(row.Int(3)));
  follower.set_stopped_seq(row.Int(4));
  follower.set_reason(row.Text(5));
  *follower.mutable_update_time() =
      google::protobuf::util::TimeUtil::MillisecondsToTimestamp(row.Int(6));
  return follower;
}

// The cursor's row, locked until the transaction ends.
absl::StatusOr<v1::Follower> Lock(db::Session& sql, const std::string& source) {
  const db::Rows rows =
      sql.Query(absl::StrCat(kSelectCursors, " WHERE source = ? FOR UPDATE"), source);
  if (rows.empty()) return errors::NotFound(absl::StrCat("followers/", source));
  return FollowerOf(rows[0]);
}

absl::Status StateForbids(const v1::Follower& follower,
                          std::initializer_list<std::string_view> states) {
  return errors::StateForbids(absl::StrCat("followers/", follower.source()),
                              v1::FollowerState_Name(follower.state()), states, "");
}

constexpr char kGoOn[] =
    "UPDATE journal_cursor SET state = ?, stopped_seq = 0, reason = '', updated_at_ms = ? WHERE "
    "source = ?";

}  // namespace

JournalService::JournalService(Journal& journal, const Vault& vault, VerifyingKeys keys,
                               std::string current_key)
    : journal_(journal),
      vault_(vault),
      keys_(std::move(keys)),
      current_key_(std::move(current_key)),
      feed_(journal.pool(), journal.service()) {}

absl::Status JournalService::ReadEntries(Context& context, const v1::ReadEntriesRequest& request,
                                         v1::ReadEntriesResponse* response) {
  const int limit = request.page_size() == 0 ? kDefaultPage : request.page_size();
  YZ_ASSIGN_OR_RETURN(*response, feed_.Read(request.after_seq(), limit, context.deadline));
  return absl::OkStatus();
}

absl::Status JournalService::GetHead(Context& context, const v1::GetHeadRequest&,
                                     v1::GetHeadResponse* response) {
  YZ_ASSIGN_OR_RETURN(*response->mutable_head(), feed_.ReadHead(context.deadline));
  const auto add = [&](const std::string& id, const std::string& key) {
    v1::VerifyingKey& out = *response->add_keys();
    out.set_key_id(id);
    out.set_public_key(key);
  };
  for (const auto& [id, key] : keys_.keys()) {
    if (id == current_key_) add(id, key);
  }
  for (const auto& [id, key] : keys_.keys()) {
    if (id != current_key_) add(id, key);
  }
  return absl::OkStatus();
}

absl::Status JournalService::VerifyJournal(Context& context,
                                           const v1::VerifyJournalRequest& request,
                                           v1::VerifyJournalResponse* response) {
  YZ_ASSIGN_OR_RETURN(*response, journal::VerifyJournal(journal_.pool(), journal_.service(), keys_,
                                                        &vault_, request, context.deadline));
  return absl::OkStatus();
}

absl::Status JournalService::ListFollowers(Context& context, const v1::ListFollowersRequest&,
                                           v1::ListFollowersResponse* response) {
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& session) {
    response->Clear();
    for (const db::Row& row : session.Query(absl::StrCat(kSelectCursors, " ORDER BY source"))) {
      *response->add_followers() = FollowerOf(row);
    }
    return absl::OkStatus();
  });
}

absl::Status JournalService::SkipEntry(Context& context, const v1::SkipEntryRequest& request,
                                       v1::SkipEntryResponse* response) {
  return journal_.Write(context, request, response, [&](Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(v1::Follower follower, Lock(unit.sql(), request.source()));
    if (follower.state() != v1::FOLLOWER_STATE_STOPPED || follower.stopped_seq() != request.seq()) {
      return StateForbids(follower, {"FOLLOWER_STATE_STOPPED"});
    }
    unit.sql().Execute(
        "UPDATE journal_cursor SET seq = stopped_seq, hash = stopped_hash WHERE source = ?",
        request.source());
    unit.sql().Execute(kGoOn, v1::FOLLOWER_STATE_FOLLOWING, WallNow(), request.source());
    v1::EntrySkipped event;
    event.set_source(request.source());
    event.set_seq(request.seq());
    event.set_reason(request.reason());
    unit.Emit(event);
    YZ_ASSIGN_OR_RETURN(*response->mutable_follower(), Lock(unit.sql(), request.source()));
    return absl::OkStatus();
  });
}

absl::Status JournalService::ResumeFollower(Context& context,
                                            const v1::ResumeFollowerRequest& request,
                                            v1::ResumeFollowerResponse* response) {
  return journal_.Write(context, request, response, [&](Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(v1::Follower follower, Lock(unit.sql(), request.source()));
    if (follower.state() == v1::FOLLOWER_STATE_FOLLOWING) {
      return StateForbids(follower, {"FOLLOWER_STATE_STOPPED", "FOLLOWER_STATE_CONTRADICTED"});
    }
    unit.sql().Execute(kGoOn, v1::FOLLOWER_STATE_FOLLOWING, WallNow(), request.source());
    v1::FollowerResumed event;
    event.set_source(request.source());
    event.set_reason(request.reason());
    unit.Emit(event);
    YZ_ASSIGN_OR_RETURN(*response->mutable_follower(), Lock(unit.sql(), request.source()));
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::journal
