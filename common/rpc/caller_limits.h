#ifndef YUEZHAN_COMMON_RPC_CALLER_LIMITS_H_
#define YUEZHAN_COMMON_RPC_CALLER_LIMITS_H_

#include <array>
#include <atomic>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/caller.h"
#include "common/rpc/server.h"

namespace yuezhan::rpc {

// Rates and calls at once by caller, on this replica alone: replicas do not ask one another, so a
// caller who reaches all of n replicas has n times the rate. A caller is a subject; whoever shares a
// token shares its limits. The public's calls at once are counted together, because tokens of low
// trust are easy to get. Any thread; a look costs well under a microsecond.
class CallerLimits {
 public:
  CallerLimits(const CallerLimitOptions& options, int handlers);

  // One running call; counted until it goes.
  class Ticket {
   public:
    explicit Ticket(std::atomic<int>* running) : running_(running) {}
    Ticket(Ticket&& other) noexcept : running_(std::exchange(other.running_, nullptr)) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (running_ != nullptr) running_->fetch_sub(1);
    }

   private:
    std::atomic<int>* running_;  // null: moved from
  };

  // errors::RateLimited, with when to come back, or the call's ticket. `now` is monotonic.
  absl::StatusOr<Ticket> Admit(const Caller& caller, absl::Duration now);

 private:
  struct Class {
    absl::Duration between;  // two calls at the rate; zero: no rate
    int calls;
    bool together;           // its calls at once are counted for all its callers
  };
  struct State {
    absl::Duration paid_until;  // when what was called is paid for at the rate
    std::atomic<int> running = 0;
  };
  struct Shard {
    absl::Mutex mutex;
    absl::flat_hash_map<std::string, std::unique_ptr<State>> callers ABSL_GUARDED_BY(mutex);
  };

  const Class& ClassOf(RoleSet roles) const;
  static void ForgetIdle(Shard& shard, absl::Duration now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  const absl::Duration burst_;
  const Class person_, public_, service_;
  std::atomic<int> public_running_ = 0;
  std::array<Shard, 16> shards_;
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_CALLER_LIMITS_H_
