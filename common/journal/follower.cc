#include "common/journal/follower.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/journal/lease.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

constexpr int kReadBatch = 100;
constexpr absl::Duration kApplyTimeout =
    absl::Seconds(40);  // beyond wait_timeout, which frees a cut session's locks
constexpr absl::Duration kActiveLook = absl::Milliseconds(50);
constexpr absl::Duration kIdleLook = absl::Milliseconds(200);
constexpr absl::Duration kActiveTime =
    absl::Seconds(2);  // after an entry came, look at kActiveLook for so long
constexpr absl::Duration kAwayInterval = absl::Milliseconds(300);  // the source does not answer
constexpr absl::Duration kStandbyInterval = absl::Seconds(1);      // another replica follows
constexpr absl::Duration kStoppedInterval = absl::Seconds(2);      // until an operator acts
constexpr size_t kMaxReasonBytes = 1000;

bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return true;
    default:
      return false;
  }
}

absl::Time Soon() { return WallNow() + absl::Seconds(10); }

// At most `size` bytes, cut between characters.
std::string Cut(std::string text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

Follower::Follower(Journal& journal, FeedSource& feed, std::string source,
                   const EventHandlers& handlers, std::string holder)
    : journal_(journal),
      feed_(feed),
      source_(std::move(source)),
      handlers_(handlers),
      holder_(std::move(holder)),
      lease_renew_at_(journal.clocks().monotonic()) {}

absl::StatusOr<absl::Duration> Follower::Step() {
  const bool known = cursor_.has_value();
  if (!known) {
    YZ_ASSIGN_OR_RETURN(cursor_, LoadCursor());
  }
  const Cursor cursor = *cursor_;
  cursor_.reset();  // kept only where nothing came of the look
  if (cursor.service_stopped || cursor.state != v1::FOLLOWER_STATE_FOLLOWING)
    return kStoppedInterval;
  YZ_ASSIGN_OR_RETURN(const bool held, HoldLease());
  if (!held) return kStandbyInterval;

  absl::StatusOr<v1::ReadEntriesResponse> batch = feed_.Read(cursor.seq, kReadBatch);
  if (absl::IsUnavailable(batch.status())) return kAwayInterval;  // its restart is no error of ours
  if (!batch.ok()) return batch.status();
  const std::string wrong = Contradiction(cursor, *batch);
  const absl::Duration now = journal_.clocks().monotonic();
  if (wrong.empty() && batch->entries().empty()) {
    cursor_ = cursor;
    return now - last_entry_at_ < kActiveTime ? kActiveLook : kIdleLook;
  }
  if (known) {  // another may have moved or stopped it since
    YZ_ASSIGN_OR_RETURN(const Cursor fresh, LoadCursor());
    if (!(fresh == cursor)) return absl::ZeroDuration();
  }
  if (!wrong.empty()) {
    YZ_RETURN_IF_ERROR(Stop(cursor, v1::FOLLOWER_STATE_CONTRADICTED, 0, GenesisHash(), wrong));
    if (on_contradiction) on_contradiction(wrong);
    return kStoppedInterval;
  }
  last_entry_at_ = now;

  int at = 0;
  absl::Status status = Apply(cursor, *batch, batch->entries_size(), &at);
  // What comes while it rests comes as one batch, with one commit.
  if (status.ok()) {
    return batch->entries_size() == kReadBatch ? absl::ZeroDuration() : kActiveLook;
  }
  if (MayPass(status)) return status;
  // Those before the one that cannot be applied go in without it; then it stands first. A row that
  // was held fails later than its entry did: then the first one alone tells.
  for (const int count : {std::min(at, batch->entries_size() - 1), 1}) {
    if (count <= 0 || count >= batch->entries_size()) continue;
    status = Apply(cursor, *batch, count, &at);
    if (status.ok()) return absl::ZeroDuration();
    if (MayPass(status)) return status;
  }
  const v1::Entry& entry = batch->entries(0);
  const std::string reason = status.ToString();
  YZ_RETURN_IF_ERROR(Stop(cursor, v1::FOLLOWER_STATE_STOPPED, entry.seq(), entry.hash(), reason));
  if (on_stopped) on_stopped(entry.seq(), reason);
  return kStoppedInterval;
}

absl::StatusOr<Follower::Cursor> Follower::LoadCursor() {
  Cursor cursor;
  bool found = false;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), Soon(), [&](db::Session& session) {
    cursor = Cursor();
    for (const db::Row& row :
         session.Query("SELECT source, seq, hash, state FROM journal_cursor")) {
      if (row.Int(3) == v1::FOLLOWER_STATE_CONTRADICTED) cursor.service_stopped = true;
      if (row.Text(0) != source_) continue;
      found = true;
      cursor.seq = row.Int(1);
      cursor.hash = row.Bytes(2);
      cursor.state = static_cast<int>(row.Int(3));
    }
    return absl::OkStatus();
  }));
  if (found) return cursor;
  YZ_RETURN_IF_ERROR(InsertCursor());
  return LoadCursor();
}

absl::Status Follower::InsertCursor() {
  const absl::Status status = db::Transact(journal_.pool(), Soon(), [&](db::Session& session) {
    session.Execute(
        "INSERT INTO journal_cursor (source, seq, hash, state, stopped_seq, stopped_hash, reason, "
        "lease_holder, "
        "lease_until_ms, updated_at_ms) VALUES (?, 0, ?, ?, 0, ?, '', '', 0, ?)",
        source_, db::Bytes(GenesisHash()), v1::FOLLOWER_STATE_FOLLOWING, db::Bytes(GenesisHash()),
        WallNow());
    return absl::OkStatus();
  });
  return absl::IsAlreadyExists(status) ? absl::OkStatus() : status;  // another replica was first
}

absl::StatusOr<bool> Follower::HoldLease() {
  const absl::Duration now = journal_.clocks().monotonic();
  if (now < lease_renew_at_) return leading_;
  YZ_RETURN_IF_ERROR(db::Transact(journal_.pool(), Soon(), [&](db::Session& session) {
    leading_ =
        session.Execute(absl::StrCat("UPDATE journal_cursor", kLeaseTake, "source = ?", kLeaseFree),
                        holder_, kLeaseLifeMs, source_, holder_) == 1;
    return absl::OkStatus();
  }));
  lease_renew_at_ = now + (leading_ ? kLeaseLife / 3 : kStandbyInterval);
  return leading_;
}

void Follower::Release() {
  if (!leading_) return;
  leading_ = false;
  // In vain when the database is gone: then the lease ends by itself.
  (void)db::Transact(journal_.pool(), WallNow() + absl::Seconds(1), [&](db::Session& session) {
    session.Execute(
        "UPDATE journal_cursor SET lease_until_ms = 0 WHERE source = ? AND lease_holder = ?",
        source_, holder_);
    return absl::OkStatus();
  });
}

// What the source says now against what it said before. Empty: they go together.
std::string Follower::Contradiction(const Cursor& cursor,
                                    const v1::ReadEntriesResponse& batch) const {
  const v1::Head& head = batch.head();
  const std::string service = source_.substr(0, source_.find('/'));
  if (head.service() != service)
    return absl::StrCat("asked for ", service, ", answered by ", head.service());
  if (head.seq() < cursor.seq) {
    return absl::StrCat(service, "'s journal ends at ", head.seq(), ", but was read up to ",
                        cursor.seq);
  }
  if (head.seq() == cursor.seq && head.hash() != cursor.hash) {
    return absl::StrCat(service, "'s journal has another hash at ", cursor.seq,
                        " than when it was read");
  }
  if (head.seq() > cursor.seq && batch.entries().empty()) {
    return absl::StrCat(service, "'s journal lacks entry ", cursor.seq + 1);
  }
  int64_t seq = cursor.seq;
  std::string hash = cursor.hash;
  for (const v1::Entry& entry : batch.entries()) {
    if (entry.seq() != ++seq) return absl::StrCat(service, "'s journal lacks entry ", seq);
    hash = ExpectedHash(hash, entry);
    if (entry.hash() != hash) {
      return absl::StrCat(service, "'s journal: the hash of entry ", seq,
                          " does not follow from what was read before");
    }
  }
  return "";
}

absl::Status Follower::Apply(const Cursor& cursor, const v1::ReadEntriesResponse& batch, int count,
                             int* at) {
  const v1::Entry& last = batch.entries(count - 1);
  // The cursor's conditional move lets this batch in once; the key only has to be this batch's own.
  const std::string key = NewUuid();
  return journal_.WriteIfChanged(
      Concat({"follow/", source_}), key, WallNow() + kApplyTimeout,
      [&](Unit& unit, bool* changed) -> absl::Status {
        *at = 0;
        db::Session& sql = unit.sql();
        if (sql.Execute("UPDATE journal_cursor SET seq = ?, hash = ?, updated_at_ms = ? WHERE "
                        "source = ? AND seq = ? "
                        "AND state = ?",
                        last.seq(), db::Bytes(last.hash()), WallNow(), source_, cursor.seq,
                        v1::FOLLOWER_STATE_FOLLOWING) != 1) {
          return errors::Conflict();  // another replica was faster
        }
        std::vector<v1::PublicPart> parts(static_cast<size_t>(count));
        for (int i = 0; i < count; ++i) {
          *at = i;
          if (!parts[static_cast<size_t>(i)].ParseFromString(batch.entries(i).public_part()))
            return absl::DataLossError("the entry does not parse");
        }
        *at = 0;
        Prepare(parts, sql);
        const int64_t before = sql.rows_written();
        for (; *at < count; ++*at) {
          YZ_RETURN_IF_ERROR(ApplyEntry(batch.entries(*at), parts[static_cast<size_t>(*at)], unit));
        }
        *changed = sql.rows_written() != before;
        return absl::OkStatus();
      });
}

namespace {

// "yuezhan.review.v1.CaseAdvanced"
std::string_view KindOf(const google::protobuf::Any& event) {
  const std::string_view url = event.type_url();
  return url.substr(url.rfind('/') + 1);
}

}  // namespace

void Follower::Prepare(const std::vector<v1::PublicPart>& entries, db::Session& sql) const {
  std::map<std::string_view, std::vector<std::string_view>> by_kind;
  for (const v1::PublicPart& entry : entries) {
    for (const google::protobuf::Any& event : entry.events()) {
      by_kind[KindOf(event)].push_back(event.value());
    }
  }
  for (const auto& [kind, events] : by_kind) {
    const auto ahead = handlers_.ahead_.find(kind);
    if (ahead != handlers_.ahead_.end()) ahead->second(events, sql);
  }
}

absl::Status Follower::ApplyEntry(const v1::Entry& entry, const v1::PublicPart& part, Unit& unit) {
  const EventOrigin origin{
      entry.seq(), part.method(), part.subject(),
      absl::FromUnixMillis(google::protobuf::util::TimeUtil::TimestampToMilliseconds(part.time()))};
  for (const google::protobuf::Any& event : part.events()) {
    const auto handler = handlers_.handlers_.find(KindOf(event));
    if (handler == handlers_.handlers_.end()) continue;
    YZ_RETURN_IF_ERROR(handler->second(event.value(), origin, unit));
  }
  return absl::OkStatus();
}

absl::Status Follower::Stop(const Cursor& cursor, int state, int64_t seq, const std::string& hash,
                            const std::string& reason) {
  Log(LogLevel::kError,
      state == v1::FOLLOWER_STATE_STOPPED ? "follower stopped" : "journal contradicted",
      {{"source", source_}, {"seq", seq}, {"reason", reason}});
  return db::Transact(journal_.pool(), Soon(), [&](db::Session& session) {
    session.Execute(
        "UPDATE journal_cursor SET state = ?, stopped_seq = ?, stopped_hash = ?, reason = ?, "
        "updated_at_ms = ? "
        "WHERE source = ? AND seq = ? AND state = ?",
        state, seq, db::Bytes(hash), Cut(reason, kMaxReasonBytes), WallNow(), source_, cursor.seq,
        v1::FOLLOWER_STATE_FOLLOWING);
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::journal
