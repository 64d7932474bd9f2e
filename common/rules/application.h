// Articles 5 and 5.1: who may apply, and whether the application is complete and consistent.
#ifndef YUEZHAN_COMMON_RULES_APPLICATION_H_
#define YUEZHAN_COMMON_RULES_APPLICATION_H_

#include "common/rules/rules.h"

namespace yuezhan::rules {

// May this host unit apply for this station today (CheckEligibility): without form and materials.
Findings CheckEligibility(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                          const v1::ApplicationFacts& facts, absl::CivilDay today);

// The same, and whether form and materials are complete and consistent (Submit).
Findings CheckApplication(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                          const v1::ApplicationFacts& facts, absl::CivilDay today);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_APPLICATION_H_
