// Articles 5, 5.2 and 7: assessment, preliminary opinion, directors' meeting.
#ifndef YUEZHAN_COMMON_RULES_REVIEW_H_
#define YUEZHAN_COMMON_RULES_REVIEW_H_

#include "common/rules/rules.h"

namespace yuezhan::rules {

// Is the application assessed, and as qualified (考核认定).
Findings CheckAssessment(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                         const v1::AssessmentFacts& facts, absl::CivilDay today);
// Weighted mean of the scores in hundredths of a point, rounded down; nothing unless every item is
// scored once, 0 to 10000.
std::optional<int> AssessmentScore(const policy::v1::Policy& policy,
                                   const v1::AssessmentFacts& facts);

// May this preliminary opinion be approved: station, host, assessment and opinion of the facts.
Findings CheckOpinion(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                      const v1::CaseFacts& facts, absl::CivilDay today);

// May this case go to the meeting (no meeting in the facts: put on the agenda), and may the meeting
// resolve this (meeting and resolution given).
Findings CheckMeetingItem(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                          const v1::CaseFacts& facts, absl::CivilDay today);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_REVIEW_H_
