// Separation of duties, by person (interpretation; the matrix is policy).
#ifndef YUEZHAN_COMMON_RULES_SEPARATION_H_
#define YUEZHAN_COMMON_RULES_SEPARATION_H_

#include "common/rules/rules.h"

namespace yuezhan::rules {

// May this person do this act in this case, after the acts done in it.
Findings CheckSeparation(const policy::v1::Policy& policy, const v1::SeparationFacts& facts);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_SEPARATION_H_
