// Article 6: performance evaluation, grade, debarment.
#ifndef YUEZHAN_COMMON_RULES_EVALUATION_H_
#define YUEZHAN_COMMON_RULES_EVALUATION_H_

#include "common/rules/rules.h"

namespace yuezhan::rules {

// What an evaluation comes to.
struct EvaluationResult {
  Findings findings;  // violated: the evaluation is incomplete or wrong, and nothing below is set
  int score_hundredths = 0;  // weighted mean, rounded down
  std::string grade;         // code of the grade in the policy
  bool passed = false;
  bool final = false;  // a failure is final when no review is open any more; a pass at once
  std::optional<absl::CivilDay> review_until;  // last day on which a failed host may ask for review
  bool review_until_provisional = false;       // the calendar does not know that year yet
  bool debars = false;                         // a final failure that debars the host
  std::optional<absl::CivilDay> debarred_from;
  std::optional<absl::CivilDay> debarred_until;  // last day; nothing: for good
};
EvaluationResult GradeEvaluation(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                                 const v1::EvaluationFacts& facts, absl::CivilDay today);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_EVALUATION_H_
