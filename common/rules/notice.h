// Articles 5.3 and 5.4: public notice, its period, objections.
#ifndef YUEZHAN_COMMON_RULES_NOTICE_H_
#define YUEZHAN_COMMON_RULES_NOTICE_H_

#include "common/rules/rules.h"

namespace yuezhan::rules {

// May this list be published.
Findings CheckPublication(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                          const v1::NoticeFacts& facts, absl::CivilDay today);

// The period of a notice, as the notice prints it.
struct NoticePeriod {
  absl::CivilDay published_on;  // the last of the sites went live (or all were back) on this day
  absl::CivilDay first_counted_day;  // first working day counted
  absl::CivilDay last_day;           // ends at 24:00 Beijing time of this day
  bool provisional =
      false;  // crosses a year without a notice of the State Council: not to be closed on
  std::string calendar_digest;  // the calendar that made it
};

// The period if the notice is live on every site on `published_on`: to print before it is posted.
NoticePeriod PlannedNoticePeriod(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                                 absl::CivilDay published_on);
// The period of these postings; nothing while a site is missing, a posting is down, or when
// withdrawn.
std::optional<NoticePeriod> NoticePeriodOf(const policy::v1::Policy& policy,
                                           const policy::Calendar& calendar,
                                           const v1::NoticePeriodFacts& facts);
// Has the notice run out: `today` is after its last day and nothing is missing, unknown or altered.
// What it allows closes the period, save for the clocks' tolerance, which is the service's.
Findings NoticeHasRunOut(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                         const v1::NoticePeriodFacts& facts, absl::CivilDay today);

// May this objection be accepted, so that it holds its award. Late, anonymous or unsealed:
// violated.
Findings CheckObjection(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                        const v1::ObjectionFacts& facts, absl::CivilDay today);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_NOTICE_H_
