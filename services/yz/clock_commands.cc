#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/clocks.h"
#include "common/base/dates.h"
#include "common/base/status_macros.h"
#include "services/yz/commands.h"
#include "services/yz/settings.h"

namespace yuezhan::yz {
namespace {

absl::StatusOr<std::shared_ptr<SimulatedClock>> OpenClock() {
  YZ_ASSIGN_OR_RETURN(const Profile profile, ProfileFromFlags());
  if (profile.simulated_clock.empty()) {
    return absl::FailedPreconditionError("the installation runs on the real clock");
  }
  return SimulatedClock::Open(profile.simulated_clock);
}

absl::StatusOr<absl::Time> ParseWhen(const std::string& text) {
  for (const char* format : {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"}) {
    absl::Time time;
    if (absl::ParseTime(format, text, Beijing(), &time, nullptr)) return time;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no time: 2026-10-12 or 2026-10-12T09:30"));
}

absl::StatusOr<absl::Duration> ParseStep(const std::string& text) {
  double days = 0;
  if (absl::EndsWith(text, "d") && absl::SimpleAtod(text.substr(0, text.size() - 1), &days)) {
    return absl::Hours(24) * days;
  }
  absl::Duration step;
  if (absl::ParseDuration(text, &step)) return step;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is no duration: 90m, 36h, 5d"));
}

absl::Status Print(const SimulatedClock& clock) {
  std::printf("%s\n",
              absl::FormatTime("%Y-%m-%d %H:%M:%S 北京时间 %a", clock.Now(), Beijing()).c_str());
  return absl::OkStatus();
}

}  // namespace

absl::Status ClockShow(const Words&) {
  YZ_ASSIGN_OR_RETURN(const auto clock, OpenClock());
  return Print(*clock);
}

absl::Status ClockSet(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const absl::Time when, ParseWhen(words[0]));
  YZ_ASSIGN_OR_RETURN(const auto clock, OpenClock());
  YZ_RETURN_IF_ERROR(clock->SetTo(when));
  return Print(*clock);
}

absl::Status ClockAdvance(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const absl::Duration step, ParseStep(words[0]));
  YZ_ASSIGN_OR_RETURN(const auto clock, OpenClock());
  YZ_RETURN_IF_ERROR(clock->Advance(step));
  return Print(*clock);
}

}  // namespace yuezhan::yz
