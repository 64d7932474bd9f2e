#include "common/rules/standing.h"

#include <algorithm>

#include "common/rules/internal.h"

namespace yuezhan::rules {
namespace {

using Standing = Question<v1::StandingFacts>;

// The suspension that covers `day`; nullptr: none.
const v1::SuspensionFacts* SuspensionOn(const v1::StationFacts& station, Day day) {
  for (const v1::SuspensionFacts& suspension : station.suspensions()) {
    const std::optional<Day> from = DayFromProto(suspension.from());
    const std::optional<Day> resumed = DayFromProto(suspension.resumed_on());
    if (from && *from <= day && (!resumed || day < *resumed)) return &suspension;
  }
  return nullptr;
}

bool Holds(const v1::DebarmentFacts& debarment, Day day) {
  const std::optional<Day> from = DayFromProto(debarment.from());
  const std::optional<Day> until = DayFromProto(debarment.until());
  const std::optional<Day> lifted = DayFromProto(debarment.lifted_on());
  return from && *from <= day && (!until || day <= *until) && (!lifted || day < *lifted);
}

// Article 5: the station operates normally: when its host applies, at the meeting, and when it is
// paid.
void Operating(const Standing& q, Verdict& v) {
  const v1::StationFacts& station = q.facts.station();
  switch (OperationOn(station, q.today)) {
    case Operation::kOperating:
      return v.Satisfied("学会服务站正常运转。", "The station operates.");
    case Operation::kClosed:
      v.Fact("closed_on", DayFromProto(station.closed_on()));
      return v.Violated("学会服务站已撤销，不能申报或领取资助。",
                        "The station is closed and can neither apply nor be paid.");
    case Operation::kSuspended:
      break;
  }
  const v1::SuspensionFacts& suspension = *SuspensionOn(station, q.today);
  const std::optional<Day> resumed = DayFromProto(suspension.resumed_on());
  v.Fact("suspended_from", DayFromProto(suspension.from())).Fact("resumed_on", resumed);
  if (resumed) v.ChangesOn(*resumed);
  v.Violated("学会服务站处于停运状态。请先恢复运转并登记恢复日期，再办理本事项。",
             "The station is suspended. Please resume operation and have it registered first.");
}

// Article 5: once, to the station and all of its lineage.
void Once(const Standing& q, Verdict& v) {
  const v1::StationFacts& station = q.facts.station();
  for (const v1::SubsidyFacts& subsidy : station.subsidies()) {
    if (!q.facts.own_source().empty() && subsidy.source() == q.facts.own_source()) continue;
    // Levels are numbered from the highest down.
    const bool upgraded = subsidy.level() > station.level();
    if (upgraded && q.policy.application().upgraded_may_claim_again()) continue;
    const std::optional<Day> paid_on = DayFromProto(subsidy.paid_on());
    v.Fact("subsidized", subsidy.station())
        .Fact("source", subsidy.source())
        .Fact("paid_on", paid_on);
    return v.Violated(Concat({"资助为一次性，本站",
                              paid_on ? Concat({"已于", FormatDayZh(*paid_on), "领取"}) : "已列入",
                              LevelZh(q.policy, subsidy.level()),
                              "资助（含更名、撤销重建、升级前的同一站点），不能再次申报。"}),
                      Concat({"The subsidy is given once; this station, or one it continues, ",
                              paid_on ? Concat({"was paid on ", FormatDay(*paid_on)})
                                      : "has been awarded it already",
                              "."}));
  }
  v.Satisfied("本站此前未获同类资助。", "The station has not been subsidized before.");
}

// Article 6: a host that failed an evaluation gets no subsidy of the same kind. What was submitted
// before it was debarred is judged as the policy says.
void HostNotDebarred(const Standing& q, Verdict& v) {
  const std::optional<Day> submitted = DayFromProto(q.facts.submitted_on());
  for (const v1::DebarmentFacts& debarment : q.facts.host().debarments()) {
    if (!Holds(debarment, q.today)) continue;
    const std::optional<Day> from = DayFromProto(debarment.from());
    const std::optional<Day> until = DayFromProto(debarment.until());
    v.Fact("evaluation", debarment.evaluation())
        .Fact("debarred_from", from)
        .Fact("debarred_until", until);
    if (submitted && *submitted < *from && !q.policy.evaluation().debarment_stops_submitted()) {
      return v.Remark("建站单位在本申请提交之后绩效评估不合格；本申请不受影响，今后不得再申请。",
                      "The host was debarred after this application was submitted; this "
                      "application is not touched.");
    }
    if (until) v.ChangesOn(*until + 1);
    return v.Violated(
        Concat({"建站单位因绩效评估不合格，",
                until ? Concat({"至", FormatDayZh(*until), "止"}) : "今后",
                "不得申请同类资助。对评估结果有异议的，请向", Association(q.policy), "提出。"}),
        Concat({"The host failed an evaluation and may not apply for this kind of subsidy ",
                until ? Concat({"up to and including ", FormatDay(*until)}) : "any more",
                ". Please turn to the association if you dispute the evaluation."}));
  }
  v.Satisfied("建站单位不在限制申请之列。", "The host is not debarred.");
}

constexpr Rule<v1::StandingFacts> kStanding[] = {
    {{"standing.operating", "5", "",
      "CheckEligibility CheckApplication CheckOpinion CheckMeetingItem CheckPublication "
      "CheckPayment CheckStanding"},
     Operating},
    {{"standing.once", "5", "application.upgraded_may_claim_again",
      "CheckEligibility CheckApplication CheckOpinion CheckMeetingItem CheckPublication "
      "CheckPayment CheckStanding"},
     Once},
    {{"standing.host-not-debarred", "6",
      "evaluation.debarment_stops_submitted evaluation.debarment_years",
      "CheckEligibility CheckApplication CheckOpinion CheckMeetingItem CheckPublication "
      "CheckPayment CheckStanding"},
     HostNotDebarred},
};

}  // namespace

std::optional<absl::CivilDay> EstablishedOn(const policy::v1::Policy& policy,
                                            const v1::StationFacts& station) {
  const std::optional<Day> form = DayFromProto(station.established_on());
  const std::optional<Day> reply = DayFromProto(station.approval_reply().date());
  if (policy.filing().establishment_decided_by() == policy::v1::DECIDING_DOCUMENT_APPROVAL_REPLY) {
    return reply ? reply : form;
  }
  return form ? form : reply;
}

Operation OperationOn(const v1::StationFacts& station, absl::CivilDay day) {
  const std::optional<Day> closed = DayFromProto(station.closed_on());
  if (closed && *closed <= day) return Operation::kClosed;
  return SuspensionOn(station, day) == nullptr ? Operation::kOperating : Operation::kSuspended;
}

std::optional<absl::CivilDay> MayApplyFrom(const policy::v1::Policy& policy,
                                           const v1::StationFacts& station, absl::CivilDay today) {
  const std::optional<Day> established = EstablishedOn(policy, station);
  if (!established || OperationOn(station, today) == Operation::kClosed) return std::nullopt;
  const policy::v1::Application& rules = policy.application();
  const int months = 12 * rules.full_years();
  // The corresponding day is the last of the period (Civil Code, art. 201 to 203); one may apply
  // from the next.
  const int next = rules.anniversary_counts() ? 0 : 1;
  Day from = AddMonths(*established, months) + next;
  Day counted_until = *established;  // Suspended days before it were dealt with.
  for (const v1::SuspensionFacts& suspension : station.suspensions()) {
    const std::optional<Day> first = DayFromProto(suspension.from());
    const std::optional<Day> resumed = DayFromProto(suspension.resumed_on());
    if (!first || *first >= from) continue;  // The years were full before it.
    if (!resumed) return std::nullopt;
    const Day start = std::max(*first, counted_until);
    if (*resumed <= start) continue;
    counted_until = *resumed;
    if (rules.suspensions() == policy::v1::SUSPENSION_HANDLING_RESTART) {
      from = AddMonths(*resumed, months) + next;
    } else {
      from += *resumed - start;
    }
  }
  return from;
}

bool DebarredOn(const v1::HostFacts& host, absl::CivilDay day) {
  return std::any_of(host.debarments().begin(), host.debarments().end(),
                     [day](const v1::DebarmentFacts& debarment) { return Holds(debarment, day); });
}

Findings CheckStanding(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                       const v1::StandingFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(std::size(kStanding));
  JudgeStanding(Standing{policy, calendar, facts, today}, &findings);
  return findings;
}

void JudgeStanding(const Question<v1::StandingFacts>& question, Findings* findings) {
  Judge(kStanding, question, findings);
}

void AppendStandingRules(std::vector<RuleInfo>* out) { AppendInfo(kStanding, out); }

}  // namespace yuezhan::rules
