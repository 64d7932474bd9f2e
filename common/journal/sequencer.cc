#include "common/journal/sequencer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/journal/feed.h"
#include "common/journal/lease.h"

namespace yuezhan::journal {
namespace {

constexpr int kChainBatch = 500;
constexpr absl::Duration kIdleInterval = absl::Milliseconds(100);
// What this replica writes wakes it. What others write is looked for: at kActiveInterval for so
// long after a row came.
constexpr absl::Duration kActive = absl::Seconds(2);
constexpr absl::Duration kActiveInterval = absl::Milliseconds(50);
constexpr absl::Duration kFollowInterval = absl::Milliseconds(500);  // while another replica leads
// A gap is an open transaction (ended after 30 s at the latest) or one that was undone: looked at
// for so long.
constexpr absl::Duration kGapLife = absl::Minutes(10);
// Gaps looked at: each is a number in every look. Older ones are left to the search for stragglers.
constexpr int64_t kMaxGaps = 20'000;
constexpr absl::Duration kStragglersEvery = absl::Hours(1);
constexpr int64_t kStragglersWindow = 100'000;  // ids a second, so that no look holds up the chain

}  // namespace

Sequencer::Sequencer(db::Pool& pool, std::shared_ptr<const Signer> signer, std::string service,
                     std::string holder, absl::Duration (*monotonic)())
    : pool_(pool),
      signer_(std::move(signer)),
      service_(std::move(service)),
      holder_(std::move(holder)),
      monotonic_(monotonic),
      lease_renew_at_(monotonic()),
      stragglers_at_(monotonic() + kGapLife) {}

absl::StatusOr<absl::Duration> Sequencer::Step() {
  if (monotonic_() >= lease_renew_at_) {
    YZ_RETURN_IF_ERROR(RenewLease());
  }
  if (!leading_) return kFollowInterval;
  const absl::Duration since = monotonic_() - last_batch_at_;
  if (since < kBatchInterval && !behind_) return kBatchInterval - since;  // woken early
  if (monotonic_() >= stragglers_at_) {
    YZ_RETURN_IF_ERROR(LookForStragglers());
  }
  YZ_ASSIGN_OR_RETURN(const bool anything, AnythingNew());
  if (!anything) {
    behind_ = false;
    return since < kActive ? kActiveInterval : kIdleInterval;
  }
  size_t chained = 0;
  absl::Status status = ChainBatch(&chained);
  if (!status.ok()) {
    // Whatever happened, read the position anew, and ask whether the lease is still ours.
    seq_ = -1;
    lease_renew_at_ = monotonic_();
    return status;
  }
  last_batch_at_ = monotonic_();
  behind_ = chained == kChainBatch;
  return behind_ ? absl::ZeroDuration() : kBatchInterval;
}

absl::Status Sequencer::RenewLease() {
  bool held = false;
  YZ_RETURN_IF_ERROR(db::Transact(pool_, WallNow() + kLeaseLife, [&](db::Session& session) {
    held = session.Execute(absl::StrCat("UPDATE journal_head", kLeaseTake, "id = 1", kLeaseFree),
                           holder_, kLeaseLifeMs, holder_) == 1;
    return absl::OkStatus();
  }));
  if (held != leading_) {
    Log(LogLevel::kInfo, held ? "sequencing" : "not sequencing",
        {{"service", service_}, {"holder", holder_}});
  }
  leading_ = held;
  lease_renew_at_ = monotonic_() + (held ? kLeaseLife / 3 : kFollowInterval);
  return absl::OkStatus();
}

void Sequencer::Release() {
  if (!leading_) return;
  leading_ = false;
  // In vain when the database is gone: then the lease ends by itself.
  (void)db::Transact(pool_, WallNow() + absl::Seconds(1), [&](db::Session& session) {
    session.Execute("UPDATE journal_head SET lease_until_ms = 0 WHERE id = 1 AND lease_holder = ?",
                    holder_);
    return absl::OkStatus();
  });
}

// A look without a lock and without a transaction: most find nothing.
absl::StatusOr<bool> Sequencer::AnythingNew() {
  if (seq_ < 0) return true;
  bool anything = false;
  YZ_RETURN_IF_ERROR(db::Read(pool_, WallNow() + absl::Seconds(5), [&](db::Session& session) {
    anything = !SelectNext(session, 1).empty();
    return absl::OkStatus();
  }));
  return anything;
}

absl::Status Sequencer::ChainBatch(size_t* chained) {
  std::vector<Row> rows;
  int64_t seq = 0;
  YZ_RETURN_IF_ERROR(
      db::Transact(pool_, WallNow() + absl::Seconds(20), [&](db::Session& session) -> absl::Status {
        const db::Row head =
            session
                .Query("SELECT seq, hash, lease_holder FROM journal_head WHERE id = 1 FOR UPDATE")
                .at(0);
        seq = head.Int(0);
        // The lease ended and another replica is at work: leave it to that one.
        if (head.Text(2) != holder_) return errors::Conflict();
        if (seq != seq_) LoadPosition(session, seq);
        rows = SelectNext(session, kChainBatch);
        return rows.empty() ? absl::OkStatus() : ChainRows(session, rows, seq, head.Bytes(1));
      }));
  Note(rows);
  seq_ = seq + static_cast<int64_t>(rows.size());
  *chained = rows.size();
  return absl::OkStatus();
}

// One statement of numbers and hex for the whole batch; the head moves only if it is where it was.
absl::Status Sequencer::ChainRows(db::Session& session, const std::vector<Row>& rows, int64_t seq,
                                  std::string hash) {
  const std::string previous = hash;
  const int64_t last = seq + static_cast<int64_t>(rows.size());
  std::string signature;
  std::string insert =
      "INSERT INTO journal_chain (seq, journal_id, hash, signature, key_id) VALUES ";
  int64_t at = seq;
  for (const Row& row : rows) {
    hash = ChainHash(hash, row.leaf);
    absl::StrAppend(&insert, at == seq ? "" : ",", "(", at + 1, ",", row.id, ",x'", ToHex(hash),
                    "',");
    if (++at < last) {
      insert += "NULL,NULL)";
    } else {
      signature = signer_->Sign(service_, last, hash);
      absl::StrAppend(&insert, "x'", ToHex(signature), "','", signer_->key_id(), "')");
    }
  }
  session.ExecuteText(insert);
  const int64_t moved = session.Execute(
      "UPDATE journal_head SET seq = ?, hash = ?, signature = ?, key_id = ? WHERE id = 1 AND seq = "
      "? AND hash = ?",
      last, db::Bytes(hash), db::Bytes(signature), signer_->key_id(), seq, db::Bytes(previous));
  return moved == 1 ? absl::OkStatus() : errors::Conflict();
}

std::vector<Sequencer::Row> Sequencer::SelectNext(db::Session& session, int limit) const {
  // One statement, so that one snapshot: a row never comes without those that its writer had seen.
  std::string select = absl::StrCat("SELECT id, leaf FROM journal WHERE id > ", max_id_);
  if (!gaps_.empty()) {
    const auto id_of = [](std::string* out, const auto& gap) { absl::StrAppend(out, gap.first); };
    absl::StrAppend(&select, " OR id IN (", absl::StrJoin(gaps_, ",", id_of), ")");
  }
  absl::StrAppend(&select, " ORDER BY id LIMIT ", limit);
  std::vector<Row> rows;
  for (const db::Row& row : session.QueryText(select)) rows.push_back({row.Int(0), row.Bytes(1)});
  return rows;
}

// After a start, or when another replica chained in between.
void Sequencer::LoadPosition(db::Session& session, int64_t seq) {
  max_id_ = session.Query("SELECT COALESCE(MAX(journal_id), 0) FROM journal_chain").at(0).Int(0);
  gaps_.clear();
  int64_t next = std::max<int64_t>(1, max_id_ - kMaxGaps);
  for (const db::Row& row : session.Query(
           "SELECT journal_id FROM journal_chain WHERE journal_id >= ? ORDER BY journal_id",
           next)) {
    NoteGap(next, row.Int(0));
    next = row.Int(0) + 1;
  }
  seq_ = seq;
}

void Sequencer::Note(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    gaps_.erase(row.id);
    if (row.id <= max_id_) continue;
    NoteGap(max_id_ + 1, row.id);
    max_id_ = row.id;
  }
  const absl::Duration now = monotonic_();
  std::erase_if(gaps_, [now](const auto& gap) { return now - gap.second > kGapLife; });
}

// Ids in [begin, end).
void Sequencer::NoteGap(int64_t begin, int64_t end) {
  for (int64_t id = std::max(begin, end - kMaxGaps); id < end; ++id)
    gaps_.emplace(id, monotonic_());
  while (static_cast<int64_t>(gaps_.size()) > kMaxGaps) gaps_.erase(gaps_.begin());
}

// Rows that were committed after their gap was given up. They get their place now, behind later
// ones.
absl::Status Sequencer::LookForStragglers() {
  const int64_t end = stragglers_from_ + kStragglersWindow;
  YZ_RETURN_IF_ERROR(db::Read(pool_, WallNow() + absl::Seconds(10), [&](db::Session& session) {
    for (const db::Row& row : session.Query(
             "SELECT j.id FROM journal j LEFT JOIN journal_chain c ON c.journal_id = j.id "
             "WHERE j.id >= ? AND j.id < ? AND j.id <= ? AND c.journal_id IS NULL ORDER BY j.id "
             "LIMIT 1000",
             stragglers_from_, end, max_id_)) {
      if (gaps_.emplace(row.Int(0), monotonic_()).second) {
        Log(LogLevel::kWarning, "straggler in the journal",
            {{"service", service_}, {"journal_id", row.Int(0)}});
      }
    }
    return absl::OkStatus();
  }));
  const bool more = end <= max_id_;
  stragglers_from_ = more ? end : 0;
  stragglers_at_ = monotonic_() + (more ? absl::Seconds(1) : kStragglersEvery);
  return absl::OkStatus();
}

}  // namespace yuezhan::journal
