// How the five working days are counted (article 5.3; Civil Code, art. 201 to 203).
#include <algorithm>

#include "common/rules/internal.h"
#include "common/rules/notice.h"

namespace yuezhan::rules {
namespace {

// Days on which a posting was down, the day it went and the day it was back included.
struct Down {
  Day from;
  std::optional<Day> back;
};

std::vector<Down> Downs(const v1::NoticePeriodFacts& facts) {
  std::vector<Down> downs;
  for (const v1::PostingFacts& posting : facts.postings()) {
    for (const v1::DownFacts& down : posting.down()) {
      if (const std::optional<Day> from = DayFromProto(down.down_on())) {
        downs.push_back({*from, DayFromProto(down.back_on())});
      }
    }
  }
  std::sort(downs.begin(), downs.end(),
            [](const Down& a, const Down& b) { return a.from < b.from; });
  return downs;
}

// The day on which the last of the policy's sites went live; nothing while one is missing.
std::optional<Day> LiveOnAll(const policy::v1::Policy& policy, const v1::NoticePeriodFacts& facts) {
  std::optional<Day> last;
  for (const policy::v1::NoticeSite& site : policy.notice().sites()) {
    std::optional<Day> live;
    for (const v1::PostingFacts& posting : facts.postings()) {
      const std::optional<Day> day = DayFromProto(posting.live_on());
      if (posting.site() == site.code() && day && (!live || *day < *live)) live = day;
    }
    if (!live) return std::nullopt;
    if (!last || *live > *last) last = live;
  }
  return last;
}

// Counts from `published_on`, days in `downs` not counted; nothing when a posting is down with an
// open end before the period is full.
std::optional<NoticePeriod> Count(const policy::v1::Notice& notice,
                                  const policy::Calendar& calendar, Day published_on,
                                  const std::vector<Down>& downs) {
  NoticePeriod period;
  period.published_on = published_on;
  period.calendar_digest = calendar.digest();
  int counted = 0;
  for (Day day = notice.count_first_day() ? published_on : published_on + 1;; ++day) {
    bool down = false;
    for (const Down& one : downs) {
      if (day < one.from || (one.back && day > *one.back)) continue;
      if (!one.back) return std::nullopt;
      down = true;
    }
    period.provisional = period.provisional || !calendar.KnowsDay(day);
    if (down || !calendar.IsWorkingDay(day)) continue;
    if (++counted == 1) period.first_counted_day = day;
    if (counted == notice.working_days()) {
      period.last_day = day;
      return period;
    }
  }
}

}  // namespace

NoticePeriod PlannedNoticePeriod(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                                 absl::CivilDay published_on) {
  return *Count(policy.notice(), calendar, published_on, {});
}

std::optional<NoticePeriod> NoticePeriodOf(const policy::v1::Policy& policy,
                                           const policy::Calendar& calendar,
                                           const v1::NoticePeriodFacts& facts) {
  std::optional<Day> published_on = LiveOnAll(policy, facts);
  if (facts.withdrawn() || !published_on) return std::nullopt;
  const std::vector<Down> downs = Downs(facts);
  // Live on all sites means on all at once: a site that was down when the last one came counts from
  // its return.
  for (const Down& down : downs) {
    if (down.from > *published_on) continue;
    if (!down.back) return std::nullopt;
    published_on = std::max(*published_on, *down.back);
  }
  if (policy.notice().interruption() == policy::v1::INTERRUPTION_HANDLING_RESUME) {
    return Count(policy.notice(), calendar, *published_on, downs);
  }
  // Restart: whatever went down before the period was full starts it anew. Later ones touch
  // nothing.
  NoticePeriod period = *Count(policy.notice(), calendar, *published_on, {});
  for (const Down& down : downs) {
    if (down.from <= period.published_on || down.from > period.last_day) continue;
    if (!down.back) return std::nullopt;
    period = *Count(policy.notice(), calendar, std::max(*down.back, period.published_on), {});
  }
  return period;
}

}  // namespace yuezhan::rules
