#include "common/host/wait.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "common/base/clocks.h"

namespace yuezhan {
namespace {

// Between two looks: half of what was waited for so far, within these, so that who waits long looks
// seldom.
constexpr absl::Duration kFirstPause = absl::Milliseconds(10);
constexpr absl::Duration kLongestPause = absl::Milliseconds(40);
// Left of the caller's time for the answer's way back.
constexpr absl::Duration kWayBack = absl::Milliseconds(100);

}  // namespace

absl::Status LookUntil(const Context& context, int wait_ms,
                       absl::FunctionRef<absl::StatusOr<bool>()> look) {
  const absl::Duration begin = MonotonicNow();
  const absl::Duration end =
      begin + std::min(absl::Milliseconds(wait_ms), context.deadline - WallNow() - kWayBack);
  for (;;) {
    const absl::StatusOr<bool> there = look();
    if (!there.ok()) return there.status();
    const absl::Duration now = MonotonicNow();
    if (*there || now + kFirstPause > end) return absl::OkStatus();
    absl::SleepFor(std::min(std::clamp((now - begin) / 2, kFirstPause, kLongestPause), end - now));
  }
}

}  // namespace yuezhan
