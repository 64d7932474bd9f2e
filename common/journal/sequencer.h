#ifndef YUEZHAN_COMMON_JOURNAL_SEQUENCER_H_
#define YUEZHAN_COMMON_JOURNAL_SEQUENCER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clocks.h"
#include "common/db/pool.h"
#include "common/journal/signer.h"

namespace yuezhan::journal {

// Between batches, so that rows that come one by one share a batch's commit.
inline constexpr absl::Duration kBatchInterval = absl::Milliseconds(20);

// Appends committed journal rows to the chain, in an order in which no row stands before one that
// its writer had seen. Any number of replicas may run one each; a lease lets one of them work, the
// head's row lock and the chain's unique keys make it right without the lease. Run Step from a
// BackgroundLoop that rests for kBatchInterval; wake that from Journal's on_written.
class Sequencer {
 public:
  // `holder` names this process in the lease, for example NewUuid().
  Sequencer(db::Pool& pool, std::shared_ptr<const Signer> signer, std::string service,
            std::string holder, absl::Duration (*monotonic)() = &MonotonicNow);

  // Chains what is there, at most one batch. Returns how long to wait: zero when there is more.
  absl::StatusOr<absl::Duration> Step();
  // Gives the lease back, so that another replica need not wait for its end. Call after the loop
  // stopped.
  void Release();

  // Ids that are looked at again: a transaction that is open still, or was undone.
  size_t gaps() const { return gaps_.size(); }

 private:
  struct Row {
    int64_t id;
    std::string leaf;
  };
  absl::Status RenewLease();
  absl::StatusOr<bool> AnythingNew();
  absl::Status ChainBatch(size_t* chained);
  absl::Status ChainRows(db::Session& session, const std::vector<Row>& rows, int64_t seq,
                         std::string hash);
  absl::Status LookForStragglers();
  void LoadPosition(db::Session& session, int64_t seq);
  std::vector<Row> SelectNext(db::Session& session, int limit) const;
  void Note(const std::vector<Row>& rows);
  void NoteGap(int64_t begin, int64_t end);

  db::Pool& pool_;
  const std::shared_ptr<const Signer> signer_;
  const std::string service_;
  const std::string holder_;
  absl::Duration (*const monotonic_)();
  bool leading_ = false;
  absl::Duration lease_renew_at_;
  int64_t seq_ = -1;    // of the head when the position below was read; -1: not read
  int64_t max_id_ = 0;  // largest chained journal id
  std::map<int64_t, absl::Duration> gaps_;  // id below max_id_ that is not chained → since when
  absl::Duration last_batch_at_ = -absl::InfiniteDuration();
  bool behind_ = false;  // the last batch was full: no rest before the next
  absl::Duration stragglers_at_;  // when the next window is looked at
  int64_t stragglers_from_ = 0;   // its first id
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_SEQUENCER_H_
