// Articles 1 to 4: which station may be filed, and which activity is recorded.
#ifndef YUEZHAN_COMMON_RULES_FILING_H_
#define YUEZHAN_COMMON_RULES_FILING_H_

#include "common/rules/rules.h"

namespace yuezhan::rules {

// May this station be filed today. Exceptions in the facts (原则上) turn what they name into
// "excepted", where the policy lets that rule be excepted.
Findings CheckFiling(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                     const v1::FilingFacts& facts, absl::CivilDay today);

// May this activity be recorded today (article 4).
Findings CheckActivity(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                       const v1::ActivityFacts& facts, absl::CivilDay today);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_FILING_H_
