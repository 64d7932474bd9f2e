#include "common/host/wait.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "common/base/clocks.h"

namespace yuezhan {
namespace {

constexpr absl::Duration kBetweenLooks = absl::Milliseconds(10);
// Left of the caller's time for the answer's way back.
constexpr absl::Duration kWayBack = absl::Milliseconds(100);

}  // namespace

absl::Status LookUntil(const Context& context, int wait_ms,
                       absl::FunctionRef<absl::StatusOr<bool>()> look) {
  const absl::Duration end = MonotonicNow() + std::min(absl::Milliseconds(wait_ms),
                                                       context.deadline - WallNow() - kWayBack);
  for (;;) {
    const absl::StatusOr<bool> there = look();
    if (!there.ok()) return there.status();
    if (*there || MonotonicNow() + kBetweenLooks > end) return absl::OkStatus();
    absl::SleepFor(kBetweenLooks);
  }
}

}  // namespace yuezhan
