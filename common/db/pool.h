#ifndef YUEZHAN_COMMON_DB_POOL_H_
#define YUEZHAN_COMMON_DB_POOL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/db/options.h"
#include "common/db/session.h"

namespace yuezhan::db {

// What the pool is doing, for metrics.
struct PoolStats {
  int size = 0;           // most connections
  int in_use = 0;         // leased now
  int idle = 0;           // open, not leased
  int waiting = 0;        // threads that wait for one
  int64_t opened = 0;     // connections made since the start
  int64_t dropped = 0;    // of these, dropped for trouble
  int64_t saturated = 0;  // Acquire calls that had to wait
  int64_t timed_out = 0;  // of these, in vain
  int64_t replayed = 0;   // attempts at transactions beyond the first
};

// Up to `size` sessions, opened when needed. Thread-safe. Outlives its leases.
class Pool {
 public:
  Pool(Options options, int size);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A session lent to one thread; goes back when it is destroyed (or is dropped, where it is
  // broken).
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Session> session)
        : pool_(pool), session_(std::move(session)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Session> session_;
  };

  // Waits for a free session until `deadline` (wall clock, as Context carries it).
  // RESOURCE_EXHAUSTED when none came free, UNAVAILABLE when the database cannot be reached.
  absl::StatusOr<Lease> Acquire(absl::Time deadline);

  // OK when the database answers within two seconds. The health of the service follows it.
  absl::Status Probe();

  PoolStats stats() const;
  void CountReplay();
  const Options& options() const { return options_; }

 private:
  struct Idle {
    std::unique_ptr<Session> session;
    absl::Duration since;  // monotonic
  };
  void GiveBack(std::unique_ptr<Session> session);

  const Options options_;
  const int size_;
  mutable absl::Mutex mutex_;
  std::vector<Idle> idle_ ABSL_GUARDED_BY(mutex_);  // the last one used is at the end
  PoolStats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_POOL_H_
