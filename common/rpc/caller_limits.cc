#include "common/rpc/caller_limits.h"

#include <algorithm>

#include "common/errors/errors.h"

namespace yuezhan::rpc {
namespace {

// Callers remembered a shard; beyond it those are forgotten whose calls are paid for. Memory stays
// bounded whoever calls.
constexpr size_t kMaxPerShard = 1024;
// When one whose calls all run may come back: about the time that one takes.
constexpr absl::Duration kCallTakes = absl::Milliseconds(100);

absl::Duration Between(double rate) {
  return rate <= 0 ? absl::ZeroDuration() : absl::Seconds(1) / rate;
}

int OrShare(int given, int handlers, int share) {
  return given > 0 ? given : std::max(1, handlers / share);
}

}  // namespace

CallerLimits::CallerLimits(const CallerLimitOptions& options, int handlers)
    : burst_(options.burst),
      person_{Between(options.rate), OrShare(options.calls, handlers, 2), false},
      public_{Between(options.public_rate), OrShare(options.public_calls, handlers, 4), true},
      service_{Between(options.service_rate), OrShare(options.service_calls, handlers, 1), false} {}

const CallerLimits::Class& CallerLimits::ClassOf(RoleSet roles) const {
  if (roles.Has(Role::kService)) return service_;
  return (roles.bits & ~RoleSet{Role::kPublic}.bits) == 0 ? public_ : person_;
}

absl::StatusOr<CallerLimits::Ticket> CallerLimits::Admit(const Caller& caller, absl::Duration now) {
  const Class& limits = ClassOf(caller.roles);
  Shard& shard = shards_[std::hash<std::string>()(caller.subject) % shards_.size()];
  absl::MutexLock lock(&shard.mutex);
  if (shard.callers.size() >= kMaxPerShard) ForgetIdle(shard, now);
  const auto found = shard.callers.find(caller.subject);
  if (found == shard.callers.end() && shard.callers.size() >= kMaxPerShard) {
    return errors::RateLimited(absl::Seconds(1));
  }
  auto& slot = found == shard.callers.end() ? shard.callers[caller.subject] : found->second;
  if (slot == nullptr) slot = std::make_unique<State>();
  State& state = *slot;

  const absl::Duration paid = std::max(state.paid_until, now) + limits.between;
  const absl::Duration ahead = paid - now - std::max(burst_, limits.between);
  if (ahead > absl::ZeroDuration()) return errors::RateLimited(ahead);
  std::atomic<int>& running = limits.together ? public_running_ : state.running;
  if (running.fetch_add(1) >= limits.calls) {
    running.fetch_sub(1);
    return errors::RateLimited(kCallTakes);
  }
  state.paid_until = paid;
  return Ticket(&running);
}

void CallerLimits::ForgetIdle(Shard& shard, absl::Duration now) {
  absl::erase_if(shard.callers, [now](const auto& entry) {
    return entry.second->running == 0 && entry.second->paid_until <= now;
  });
}

}  // namespace yuezhan::rpc
