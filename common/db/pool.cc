#include "common/db/pool.h"

#include <utility>

#include "common/base/clocks.h"
#include "common/base/log.h"
#include "common/errors/errors.h"

namespace yuezhan::db {
namespace {

// The server ends a session after 30 s without a statement (wait_timeout): do not lend one that is
// near it.
constexpr absl::Duration kMaxIdle = absl::Seconds(20);

}  // namespace

Pool::Pool(Options options, int size) : options_(std::move(options)), size_(size) {
  stats_.size = size;
}

Pool::~Pool() = default;

Pool::Lease::~Lease() {
  if (session_ != nullptr) pool_->GiveBack(std::move(session_));
}

absl::StatusOr<Pool::Lease> Pool::Acquire(absl::Time deadline) {
  std::vector<Idle> stale;  // closed after the lock is let go
  {
    absl::MutexLock lock(&mutex_);
    if (stats_.in_use >= size_) {
      ++stats_.saturated;
      ++stats_.waiting;
      const auto free = [this]()
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stats_.in_use < size_; };
      const bool got = mutex_.AwaitWithDeadline(absl::Condition(&free), deadline);
      --stats_.waiting;
      if (!got) {
        ++stats_.timed_out;
        return errors::Overloaded(absl::Seconds(1));
      }
    }
    ++stats_.in_use;
    if (!idle_.empty() && MonotonicNow() - idle_.back().since > kMaxIdle) stale.swap(idle_);
    if (!idle_.empty()) {
      auto session = std::move(idle_.back().session);
      idle_.pop_back();
      return Lease(this, std::move(session));
    }
    ++stats_.opened;
  }
  stale.clear();
  try {
    return Lease(this, std::make_unique<Session>(options_));
  } catch (const Error& e) {
    absl::MutexLock lock(&mutex_);
    --stats_.in_use;
    ++stats_.dropped;
    Log(LogLevel::kWarning, "database cannot be reached",
        {{"database", options_.Describe()}, {"code", e.code()}, {"error", e.Line()}});
    return errors::Unavailable("database");
  }
}

void Pool::GiveBack(std::unique_ptr<Session> session) {
  std::vector<Idle> dropped;
  absl::MutexLock lock(&mutex_);
  --stats_.in_use;
  if (!session->broken()) {
    idle_.push_back({std::move(session), MonotonicNow()});
    return;
  }
  // What broke one (a restart, a failover) has likely broken those that lay idle: find out now, not
  // one by one.
  ++stats_.dropped;
  dropped.swap(idle_);
  dropped.push_back({std::move(session), {}});
}

absl::Status Pool::Probe() {
  absl::StatusOr<Lease> lease = Acquire(WallNow() + absl::Seconds(2));
  // All connections at work is load, not sickness.
  if (absl::IsResourceExhausted(lease.status())) return absl::OkStatus();
  if (!lease.ok()) return lease.status();
  try {
    (*lease)->QueryText("SELECT 1");
    return absl::OkStatus();
  } catch (const Error& e) {
    return ToStatus(e);
  }
}

void Pool::CountReplay() {
  absl::MutexLock lock(&mutex_);
  ++stats_.replayed;
}

PoolStats Pool::stats() const {
  absl::MutexLock lock(&mutex_);
  PoolStats stats = stats_;
  stats.idle = static_cast<int>(idle_.size());
  return stats;
}

}  // namespace yuezhan::db
