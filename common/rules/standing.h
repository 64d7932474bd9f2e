// Articles 5 and 6: what must be true of station and host when they apply, and still at every later
// step.
#ifndef YUEZHAN_COMMON_RULES_STANDING_H_
#define YUEZHAN_COMMON_RULES_STANDING_H_

#include "common/rules/rules.h"

namespace yuezhan::rules {

// The day the station was established: by the approval reply or the filing form, as the policy
// decides.
std::optional<absl::CivilDay> EstablishedOn(const policy::v1::Policy& policy,
                                            const v1::StationFacts& station);

// Operating, suspended or closed on that day. Any past day can be asked.
enum class Operation { kOperating, kSuspended, kClosed };
Operation OperationOn(const v1::StationFacts& station, absl::CivilDay day);

// The first day on which one may apply: two full years are over, suspended days deducted or the
// period restarted (policy). Nothing while it is suspended now with an open end, closed, or without
// a date.
std::optional<absl::CivilDay> MayApplyFrom(const policy::v1::Policy& policy,
                                           const v1::StationFacts& station, absl::CivilDay today);

// Whether a debarment holds on that day.
bool DebarredOn(const v1::HostFacts& host, absl::CivilDay day);

// Operates, host not debarred, lineage not subsidized: asked again at opinion, meeting, publication
// and order, where the longer questions below include it.
Findings CheckStanding(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                       const v1::StandingFacts& facts, absl::CivilDay today);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_STANDING_H_
