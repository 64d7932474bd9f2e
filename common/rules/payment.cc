#include "common/rules/payment.h"

#include <algorithm>

#include "common/rules/contact_details.h"
#include "common/rules/internal.h"
#include "common/rules/notice.h"
#include "common/rules/standing.h"

namespace yuezhan::rules {
namespace {

using Payment = Question<v1::PaymentFacts>;
using Use = Question<v1::UseOfMoneyFacts>;

// Article 5: assessed and recognized as qualified.
void Qualified(const Payment& q, Verdict& v) {
  if (q.facts.qualified()) return v.Satisfied("经考核认定合格。", "Assessed as qualified.");
  v.Violated("未经考核认定合格，不能拨付。请先完成考核认定。",
             "Not assessed as qualified, so it cannot be paid.");
}

// Article 5.2: approved by the directors' meeting.
void Resolved(const Payment& q, Verdict& v) {
  v.Fact("resolution", v1::Resolution_Name(q.facts.resolution()));
  if (q.facts.resolution() == v1::RESOLUTION_AWARD)
    return v.Satisfied("经主任会议审定给予资助。", "Awarded by the directors' meeting.");
  v.Violated("未经主任会议审定给予资助，不能拨付。请先提请主任会议审定。",
             "There is no resolution of the directors' meeting that awards it.");
}

// Article 5.3: what was published is what was resolved, and no more than the policy gives.
void PublishedAmount(const Payment& q, Verdict& v) {
  const policy::v1::Level* level =
      policy::FindLevel(q.policy, q.facts.standing().station().level());
  const int64_t most = level == nullptr ? 0 : level->subsidy_fen();
  v.Fact("resolved", FormatYuan(q.facts.resolved_amount_fen()))
      .Fact("published", FormatYuan(q.facts.published_amount_fen()));
  const int64_t fen = q.facts.published_amount_fen();
  if (fen > 0 && fen == q.facts.resolved_amount_fen() && fen <= most) {
    return v.Satisfied("公示金额与审定金额一致。", "The published amount is the one resolved.");
  }
  v.Violated(
      "公示金额与审定金额不一致或超过资助标准，不能拨付。请核对后重新公示。",
      "The published amount is not the one resolved, or above the policy's. Please publish anew.");
}

// Article 5.4: 期满无异议.
void NoOpenObjection(const Payment& q, Verdict& v) {
  if (q.facts.open_objections().empty())
    return v.Satisfied("没有未办结的异议。", "No objection is open.");
  v.Fact("objection", q.facts.open_objections(0));
  v.Violated(Concat({"尚有异议未办结（", std::to_string(q.facts.open_objections_size()),
                     "件），须待核查并经主任会议决定后办理。"}),
             "An objection is open; it must be examined and resolved by the meeting first.");
}

// An award whose objection the meeting did not follow is paid: our reading of 期满无异议.
void MaintainedAward(const Payment& q, Verdict& v) {
  if (q.facts.maintained_objections().empty())
    return v.NotApplicable("没有提出过异议。", "No objection was dismissed.");
  v.Fact("objection", q.facts.maintained_objections(0));
  if (q.policy.notice().maintained_award_is_paid()) {
    return v.Satisfied("异议经主任会议研究不予采纳，维持原审定。",
                       "The meeting maintained the award against the objection.");
  }
  v.Violated("公示期内提出过异议，按现行办法不予拨付。",
             "An objection was raised, and the policy pays no award that drew one.");
}

// The statement of the notice's result, by an officer of each office.
void Statement(const Payment& q, Verdict& v) {
  if (!q.policy.notice().statement_required()) {
    return v.NotApplicable("现行办法不要求公示结果说明。", "The policy asks for no statement.");
  }
  const v1::StatementFacts& statement = q.facts.statement();
  const std::optional<Day> made = DayFromProto(statement.made_on());
  const std::optional<NoticePeriod> period = NoticePeriodOf(q.policy, q.calendar, q.facts.period());
  v.Fact("made_on", made);
  if (!made || statement.association_officer().empty() ||
      statement.talent_office_officer().empty()) {
    return v.Violated(
        Concat({"公示结果说明尚未由", Association(q.policy), "和", TalentOffice(q.policy),
                "双方签署，请签署后再拨付。"}),
        "The statement of the notice's result is not signed by an officer of each office yet.");
  }
  if (statement.association_officer() == statement.talent_office_officer()) {
    return v.Violated("公示结果说明应由两个部门的不同工作人员分别签署。",
                      "The statement must be signed by two different officers.");
  }
  if (*made > q.today || (period && *made <= period->last_day)) {
    return v.Violated("公示结果说明的日期早于公示期满，请在期满后重新签署。",
                      "The statement was made before the period ran out. Please sign it anew.");
  }
  v.Satisfied("公示结果说明已由双方签署。",
              "The statement of the notice's result is signed by both offices.");
}

// Article 5.4: the amount of the order is the published one, to the fen and to the line.
void OrderAmount(const Payment& q, Verdict& v) {
  v.Fact("order", FormatYuan(q.facts.order_amount_fen()))
      .Fact("published", FormatYuan(q.facts.published_amount_fen()));
  if (q.facts.order_amount_fen() == q.facts.published_amount_fen())
    return v.Satisfied("拨付金额与公示金额一致。", "The order's amount is the published one.");
  v.Violated(Concat({"拨付金额应为公示金额", YuanZh(q.facts.published_amount_fen()), "，请改正。"}),
             Concat({"The order's amount must be the published one, ",
                     YuanEn(q.facts.published_amount_fen()), "."}));
}
void OrderLine(const Payment& q, Verdict& v) {
  if (!q.facts.order_line_digest().empty() &&
      q.facts.order_line_digest() == q.facts.published_line_digest()) {
    return v.Satisfied("拨付内容与公示内容一致。", "The order is of the line that was published.");
  }
  v.Violated("拨付内容与公示名单的对应行不一致，不能拨付。请核对审定、公示和拨付的内容。",
             "The order is not of the line that was published. Please compare resolution, notice "
             "and order.");
}

// Article 5.4: out of the special fund, where the amount is reserved.
void FundReserved(const Payment& q, Verdict& v) {
  v.Fact("reserved", FormatYuan(q.facts.reserved_amount_fen()));
  if (q.facts.reserved_amount_fen() >= q.facts.order_amount_fen())
    return v.Satisfied("资金已预留。", "The amount is reserved.");
  v.Violated(Concat({q.policy.offices().fund_zh(), "中未足额预留本项资金，请先落实资金。"}),
             Concat({"The amount is not reserved in the ", q.policy.offices().fund_en(), "."}));
}

bool SameAccount(const v1::AccountFacts& a, const v1::AccountFacts& b) {
  return SameName(a.holder(), b.holder()) && SameName(a.bank(), b.bank()) &&
         SameName(a.number(), b.number());
}

// Article 5.4: to the host unit's account: that of the submission and of the registry, or one
// decided on.
void Payee(const Payment& q, Verdict& v) {
  const v1::AccountFacts& order = q.facts.order_account();
  const v1::HostFacts& host = q.facts.standing().host();
  v.Fact("holder", order.holder()).Fact("number", Masked(order.number()));
  if (!SameAccount(order, q.facts.submitted_account()) || !SameAccount(order, host.account())) {
    if (!Confirmed(q.facts.account_decision())) {
      return v.Violated(
          "收款账户与申报时或登记的账户不一致。请由工作人员核实并作出账户变更决定后再拨付。",
          "The account differs from the submission's or the registered one. A named officer must "
          "decide on it.");
    }
  }
  if (SameName(order.holder(), host.display_name()))
    return v.Satisfied("收款人为建站单位。", "The payee is the host unit.");
  if (q.policy.application().other_payee_by_decision() && Confirmed(order.other_holder()) &&
      order.other_holder_evidence_size() > 0) {
    return v.Remark(Concat({"收款户名为“", order.holder(), "”，已由",
                            order.other_holder().officer(), "批准。"}),
                    Concat({"The payee is ", order.holder(), ", allowed by ",
                            order.other_holder().officer(), "."}));
  }
  v.Violated(Concat({"收款户名“", order.holder(),
                     "”不是建站单位，且没有经批准的决定，不能拨付。请改用建站单位账户，或先办理收款"
                     "账户的决定。"}),
             "The payee is not the host unit, and no decision allows another.");
}

// Public money: one officer prepares the order, another authorizes it.
void TwoOfficers(const Payment& q, Verdict& v) {
  v.Fact("prepared_by", q.facts.prepared_by()).Fact("authorized_by", q.facts.authorized_by());
  if (!q.policy.payment().by_two_officers())
    return v.NotApplicable("现行办法不要求双人办理。", "The policy does not ask for two officers.");
  if (q.facts.prepared_by().empty() || q.facts.authorized_by().empty()) {
    return v.Violated("拨付须经一人经办、另一人审批，请完成审批。",
                      "An order is prepared by one officer and authorized by another.");
  }
  if (q.facts.prepared_by() == q.facts.authorized_by()) {
    return v.Violated("经办人与审批人不能是同一人，请由另一名人员审批。",
                      "Who prepared the order may not authorize it.");
  }
  v.Satisfied("拨付由两人分别经办和审批。", "Prepared and authorized by two officers.");
}

constexpr Rule<v1::PaymentFacts> kClearance[] = {
    {{"payment.qualified", "5", "", "CheckPayment"}, Qualified},
    {{"payment.resolved", "5.2", "", "CheckPayment"}, Resolved},
    {{"payment.published-amount", "5.3", "levels.subsidy_fen", "CheckPayment"}, PublishedAmount},
    {{"payment.no-open-objection", "5.4", "", "CheckPayment"}, NoOpenObjection},
    {{"payment.maintained-award", "interpretation", "notice.maintained_award_is_paid",
      "CheckPayment"},
     MaintainedAward},
    {{"payment.statement", "5.4", "notice.statement_required", "CheckPayment"}, Statement},
};

constexpr Rule<v1::PaymentFacts> kOrder[] = {
    {{"payment.amount", "5.4", "", "CheckPayment"}, OrderAmount},
    {{"payment.line", "5.4", "", "CheckPayment"}, OrderLine},
    {{"payment.fund-reserved", "5.4", "offices.fund_zh", "CheckPayment"}, FundReserved},
    {{"payment.payee", "5.4", "application.other_payee_by_decision", "CheckPayment"}, Payee},
    {{"payment.two-officers", "interpretation", "payment.by_two_officers", "CheckPayment"},
     TwoOfficers},
};

// Article 5: the use of the money is reported.
void UseReported(const Use& q, Verdict& v) {
  const std::optional<Day> paid = DayFromProto(q.facts.paid_on());
  const std::optional<Day> reported = DayFromProto(q.facts.reported_on());
  if (!paid) return v.NotApplicable("资助尚未拨付。", "Nothing was paid yet.");
  const Day due = UseReportDueOn(q.policy, *paid);
  v.Fact("paid_on", *paid).Fact("due_on", due).Fact("reported_on", reported);
  if (reported && *reported <= due)
    return v.Satisfied("经费使用情况已按期报告。", "The use of the money was reported in time.");
  if (reported)
    return v.Remark("经费使用情况已报告，但逾期。", "The use of the money was reported late.");
  if (q.today <= due) {
    v.ChangesOn(due + 1);
    return v.NotApplicable(Concat({"经费使用情况报告应于", FormatDayZh(due), "（含）前提交。"}),
                           Concat({"The report is due on ", FormatDay(due), "."}));
  }
  v.Violated(Concat({"经费使用情况报告已于", FormatDayZh(due), "到期，请建站单位尽快提交。"}),
             Concat({"The report on the use of the money was due on ", FormatDay(due),
                     ". Please hand it in."}));
}

// Article 5: 主要用于学会服务站开展各项工作.
void UsedForStation(const Use& q, Verdict& v) {
  if (!q.facts.has_reported_on())
    return v.NotApplicable("尚未报告经费使用情况。", "Not reported yet.");
  const int64_t spent = q.facts.spent_fen();
  const int64_t on_station = q.facts.spent_on_station_fen();
  v.Fact("spent", FormatYuan(spent)).Fact("on_station", FormatYuan(on_station));
  if (spent < 0 || on_station < 0 || on_station > spent || spent > q.facts.paid_fen()) {
    return v.Violated("报告的支出金额不合理（分项超过合计或合计超过资助额），请核对。",
                      "The reported amounts contradict one another. Please check them.");
  }
  if (spent == 0) return v.Remark("资助经费尚未使用。", "Nothing was spent yet.");
  // Amounts are at most 10^14 fen, so a hundred times them fits.
  if (on_station * 100 > spent * q.policy.payment().use_mainly_percent()) {
    return v.Satisfied("经费主要用于学会服务站开展工作。",
                       "The money was mainly used for the station's work.");
  }
  v.Violated("经费未主要用于学会服务站开展工作。请建站单位说明或整改，必要时追回。",
             "The money was not mainly used for the station's work. The host must explain; it may "
             "be recovered.");
}

constexpr Rule<v1::UseOfMoneyFacts> kUse[] = {
    {{"use.reported", "5", "payment.use_report_due_months", "CheckUseOfMoney"}, UseReported},
    {{"use.mainly-station", "5", "payment.use_mainly_percent", "CheckUseOfMoney"}, UsedForStation},
};

}  // namespace

Findings CheckPayment(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                      const v1::PaymentFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(kMostFindings);
  JudgeStanding({policy, calendar, facts.standing(), today}, &findings);
  const Payment question{policy, calendar, facts, today};
  for (Finding& finding : NoticeHasRunOut(policy, calendar, facts.period(), today)) {
    findings.push_back(std::move(finding));
  }
  Judge(kClearance, question, &findings);
  if (facts.ordered()) Judge(kOrder, question, &findings);
  return findings;
}

absl::CivilDay UseReportDueOn(const policy::v1::Policy& policy, absl::CivilDay paid_on) {
  return AddMonths(paid_on, policy.payment().use_report_due_months());
}

absl::CivilDay ReceiptDueOn(const policy::v1::Policy& policy, absl::CivilDay paid_on) {
  return paid_on + policy.payment().receipt_due_days();
}

Findings CheckUseOfMoney(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                         const v1::UseOfMoneyFacts& facts, absl::CivilDay today) {
  Findings findings;
  Judge(kUse, Use{policy, calendar, facts, today}, &findings);
  return findings;
}

void AppendPaymentRules(std::vector<RuleInfo>* out) {
  AppendInfo(kClearance, out);
  AppendInfo(kOrder, out);
  AppendInfo(kUse, out);
}

}  // namespace yuezhan::rules
