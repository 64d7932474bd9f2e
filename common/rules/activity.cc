#include "common/rules/filing.h"
#include "common/rules/internal.h"
#include "common/rules/standing.h"

namespace yuezhan::rules {
namespace {

using Activity = Question<v1::ActivityFacts>;

// Article 4: one of the four kinds of work.
void ActivityKind(const Activity& q, Verdict& v) {
  v.Fact("kind", common::v1::WorkKind_Name(q.facts.kind()));
  for (const policy::v1::WorkKindName& kind : q.policy.work().kinds()) {
    if (kind.kind() != q.facts.kind()) continue;
    return v.Satisfied(Concat({"活动类别：", kind.name_zh(), "。"}),
                       Concat({"Kind of work: ", kind.name_en(), "."}));
  }
  v.Violated("请在办法规定的工作类别中选择一类。",
             "Please choose one of the kinds of work of the regulation.");
}

// Article 4: the activity took place while the station operated.
void ActivityDate(const Activity& q, Verdict& v) {
  const std::optional<Day> date = DayFromProto(q.facts.date());
  const std::optional<Day> established = EstablishedOn(q.policy, q.facts.station());
  v.Fact("date", date).Fact("established_on", established);
  if (!date) return v.Violated("请填写活动日期。", "Please give the day of the activity.");
  if (*date > q.today) {
    v.ChangesOn(*date);
    return v.Violated("活动日期尚未到来，请在活动结束后登记。",
                      "The activity is in the future. Please record it afterwards.");
  }
  if (established && *date < *established) {
    return v.Violated("活动日期早于建站时间，请核对。",
                      "The activity is before the establishment. Please check the day.");
  }
  switch (OperationOn(q.facts.station(), *date)) {
    case Operation::kClosed:
      return v.Violated("该日服务站已撤销，不能登记活动。请核对日期。",
                        "The station was closed on that day.");
    case Operation::kSuspended:
      return v.Remark("该日服务站处于停运期间，请核对日期。",
                      "The station was suspended on that day. Please check.");
    case Operation::kOperating:
      return v.Satisfied("活动日期在运转期间内。", "The station was operating on that day.");
  }
}

constexpr Rule<v1::ActivityFacts> kActivity[] = {
    {{"activity.kind", "4", "work.kinds", "CheckActivity"}, ActivityKind},
    {{"activity.date", "4", "filing.establishment_decided_by", "CheckActivity"}, ActivityDate},
};
}  // namespace

Findings CheckActivity(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                       const v1::ActivityFacts& facts, absl::CivilDay today) {
  Findings findings;
  Judge(kActivity, Activity{policy, calendar, facts, today}, &findings);
  return findings;
}

void AppendActivityRules(std::vector<RuleInfo>* out) { AppendInfo(kActivity, out); }

}  // namespace yuezhan::rules
