#include "common/rules/review.h"

#include <algorithm>

#include "common/rules/internal.h"
#include "common/rules/standing.h"

namespace yuezhan::rules {
namespace {

using Case = Question<v1::CaseFacts>;

template <class List>
bool Holds(const List& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// Article 5.2: the association's preliminary opinion says something, and why.
void Recommendation(const Case& q, Verdict& v) {
  const v1::OpinionFacts& opinion = q.facts.opinion();
  v.Fact("recommendation", v1::Recommendation_Name(opinion.recommendation()));
  switch (opinion.recommendation()) {
    case v1::RECOMMENDATION_AWARD:
      return v.Satisfied("初审意见：建议给予资助。",
                         "The preliminary opinion recommends an award.");
    case v1::RECOMMENDATION_RETURN:
      if (opinion.points_size() > 0)
        return v.Satisfied("初审意见：退回补正。", "To be returned for correction.");
      return v.Violated("退回补正须一次性列明全部补正事项，请填写。",
                        "A return must list all points for correction at once.");
    case v1::RECOMMENDATION_REFUSE:
      if (!opinion.reason().empty()) return v.Satisfied("初审意见：不予资助。", "To be refused.");
      return v.Violated("不予资助的，请写明理由。", "A refusal must say why.");
    default:
      return v.Violated("尚无初审意见，请先完成初审。", "There is no preliminary opinion yet.");
  }
}

// The opinion is the institution's: prepared by one officer, approved by another.
void OpinionByTwo(const Case& q, Verdict& v) {
  const v1::OpinionFacts& opinion = q.facts.opinion();
  v.Fact("prepared_by", opinion.prepared_by()).Fact("approved_by", opinion.approved_by());
  if (opinion.prepared_by().empty())
    return v.Violated("初审意见尚未由经办人提出。", "Nobody has prepared the opinion.");
  if (opinion.approved_by().empty())
    return v.Violated("初审意见尚未经审核人批准，请另一名工作人员审核。",
                      "The opinion awaits approval by another officer.");
  if (q.policy.review().opinion_by_two_officers() &&
      opinion.prepared_by() == opinion.approved_by()) {
    return v.Violated(
        "初审意见的经办人与审核人不能是同一人，请由另一名工作人员审核。",
        "Who prepared the opinion may not approve it. Please have another officer approve it.");
  }
  v.Satisfied("初审意见由两名工作人员分别提出和审核。",
              "The opinion was prepared and approved by two officers.");
}

// Points for correction are told all at once.
void PointsAtOnce(const Case& q, Verdict& v) {
  const v1::OpinionFacts& opinion = q.facts.opinion();
  if (opinion.recommendation() != v1::RECOMMENDATION_RETURN || opinion.earlier_points().empty()) {
    return v.NotApplicable("不是再次退回。", "This is no second return.");
  }
  for (const std::string& point : opinion.points()) {
    if (Holds(opinion.earlier_points(), point)) continue;
    v.Fact("new_point", point);
    return v.Remark("再次退回时提出了新的补正事项；补正事项应一次性告知，请确认确有必要。",
                    "A second return raises a new point; points should be told all at once.");
  }
  v.Satisfied("未提出新的补正事项。", "No new point is raised.");
}

// Article 7: other departments take part; an opinion asked for should be there.
void DepartmentOpinions(const Case& q, Verdict& v) {
  const auto& opinions = q.facts.opinion().department_opinions();
  if (opinions.empty())
    return v.NotApplicable("未征求其他部门意见。", "No other department was asked.");
  for (const v1::DepartmentOpinionFacts& opinion : opinions) {
    if (opinion.has_received_on()) continue;
    v.Fact("department", opinion.department());
    return v.Remark(
        Concat({"已征求", opinion.department(), "意见，尚未收到，请催办或说明。"}),
        Concat({"The opinion of ", opinion.department(), " was asked for and has not come yet."}));
  }
  v.Satisfied("所征求的部门意见均已收到。", "Every department that was asked has answered.");
}

// Article 5.2: experts may inspect on site; an inspection called for is done, by experts without
// interest.
void Inspection(const Case& q, Verdict& v) {
  const v1::InspectionFacts& inspection = q.facts.inspection();
  if (!inspection.called() && !q.policy.review().inspection_required()) {
    return v.NotApplicable("未安排现场考察。", "No inspection was called for.");
  }
  const std::optional<Day> done = DayFromProto(inspection.done_on());
  v.Fact("done_on", done);
  if (!done || *done > q.today)
    return v.Violated("现场考察尚未完成，请完成考察并登记记录。",
                      "The site inspection is not done yet.");
  if (inspection.conclusion().empty())
    return v.Violated("现场考察没有结论，请补充。", "The site inspection has no conclusion.");
  if (!inspection.experts_with_interest().empty()) {
    v.Fact("expert", inspection.experts_with_interest(0));
    return v.Violated("有利害关系或未作声明的专家参加了考察。请更换专家后重新考察。",
                      "An expert with an interest, or without a declaration, took part. Please "
                      "inspect anew without.");
  }
  v.Satisfied("现场考察已完成。", "The site inspection is done.");
}

// A withdrawn application is not decided.
void NotWithdrawn(const Case& q, Verdict& v) {
  if (!q.facts.withdrawn()) return v.Satisfied("申请未撤回。", "The application is not withdrawn.");
  v.Violated("申请人已要求撤回，本案终止办理。", "The applicant withdrew; the case is over.");
}

// Article 5.2: what goes to the meeting is recommended.
void Recommended(const Case& q, Verdict& v) {
  const v1::OpinionFacts& opinion = q.facts.opinion();
  v.Fact("recommendation", v1::Recommendation_Name(opinion.recommendation()));
  if (opinion.recommendation() == v1::RECOMMENDATION_AWARD && !opinion.approved_by().empty()) {
    return v.Satisfied("初审意见建议给予资助。", "The preliminary opinion recommends an award.");
  }
  v.Violated(
      "初审意见未建议给予资助，不能提请主任会议审定。请先完成初审。",
      "The preliminary opinion does not recommend an award, so the case cannot go to the meeting.");
}

bool NoMeeting(const Case& q, Verdict& v) {
  if (q.facts.has_meeting()) return false;
  v.NotApplicable("会议尚未召开。", "The meeting is not held yet.");
  return true;
}

// Article 5.2: the directors' meeting of the talent office, with enough members present.
void Quorum(const Case& q, Verdict& v) {
  if (NoMeeting(q, v)) return;
  const v1::MeetingFacts& meeting = q.facts.meeting();
  int present = 0;
  for (const std::string& member : meeting.present()) present += !Holds(q.facts.recused(), member);
  const std::string least = std::to_string(q.policy.review().meeting_quorum());
  v.Fact("present", std::to_string(present)).Fact("quorum", least);
  if (present >= q.policy.review().meeting_quorum())
    return v.Satisfied("到会人数符合要求。", "Enough members are present.");
  v.Violated(Concat({"除回避人员外，到会成员应不少于", least, "人。请补足人数或改期审定。"}),
             Concat({"At least ", least, " members must be present, those recused not counted."}));
}

// The meeting has a day, a chair who is present, a recorder and a signer.
void MeetingRecord(const Case& q, Verdict& v) {
  if (NoMeeting(q, v)) return;
  const v1::MeetingFacts& meeting = q.facts.meeting();
  const std::optional<Day> held = DayFromProto(meeting.held_on());
  v.Fact("held_on", held);
  if (!held || *held > q.today)
    return v.Violated("会议日期缺失或尚未到来，请核对。",
                      "The meeting has no day, or one in the future.");
  if (meeting.chair().empty() || !Holds(meeting.present(), meeting.chair())) {
    return v.Violated("请登记会议主持人，主持人应到会。",
                      "The meeting needs a chair who is present.");
  }
  if (meeting.recorder().empty() || meeting.signer().empty()) {
    return v.Violated("请登记会议记录人和纪要签发人。",
                      "The meeting needs a recorder and a signer of the minutes.");
  }
  v.Satisfied("会议记录要素齐全。", "The meeting's record is complete.");
}

// Article 7: the association leads, so it attends and reports.
void AssociationAttends(const Case& q, Verdict& v) {
  if (NoMeeting(q, v)) return;
  if (!q.policy.review().association_attends()) {
    return v.NotApplicable("现行办法不要求列席汇报。",
                           "The policy does not ask the association to attend.");
  }
  if (q.facts.meeting().association_attends())
    return v.Satisfied("牵头部门已列席汇报初审情况。", "The association attends and reports.");
  v.Violated(Concat({Association(q.policy), "应列席会议并汇报初审情况，请登记列席人员。"}),
             "The association must attend the meeting and report its review.");
}

// An interest excludes everything: who has one is recused and did not decide.
void Recusals(const Case& q, Verdict& v) {
  if (NoMeeting(q, v)) return;
  for (const std::string& person : q.facts.interested()) {
    if (!Holds(q.facts.meeting().present(), person) || Holds(q.facts.recused(), person)) continue;
    v.Fact("person", person);
    return v.Violated("有到会成员与本案有利害关系而未回避，请其回避后再审定。",
                      "A member present has an interest in the case and is not recused.");
  }
  if (!q.facts.meeting().chair().empty() && Holds(q.facts.recused(), q.facts.meeting().chair())) {
    return v.Remark("主持人在本案中回避，请另行指定本项的主持人。",
                    "The chair is recused in this item; another must preside over it.");
  }
  v.Satisfied("无应回避而未回避的成员。", "Nobody who must be recused decides.");
}

// By consensus as a rule; a vote, where the policy allows one, is counted.
void Votes(const Case& q, Verdict& v) {
  if (NoMeeting(q, v)) return;
  const int votes = q.facts.votes_for() + q.facts.votes_against() + q.facts.abstentions();
  if (votes == 0) return v.Satisfied("经会议一致同意。", "Resolved by consensus.");
  v.Fact("for", std::to_string(q.facts.votes_for()))
      .Fact("against", std::to_string(q.facts.votes_against()));
  v.Fact("abstained", std::to_string(q.facts.abstentions()));
  if (!q.policy.review().votes_allowed()) {
    return v.Violated("现行办法要求会议一致同意，不采用表决。意见不一致的，请缓议。",
                      "The policy asks for consensus; please defer the case.");
  }
  int may_vote = 0;
  for (const std::string& member : q.facts.meeting().present())
    may_vote += !Holds(q.facts.recused(), member);
  if (votes > may_vote || q.facts.votes_for() < 0 || q.facts.votes_against() < 0 ||
      q.facts.abstentions() < 0) {
    return v.Violated("票数多于到会有表决权的人数，请核对。",
                      "There are more votes than members who may vote.");
  }
  if (q.facts.resolution() == v1::RESOLUTION_AWARD && 2 * q.facts.votes_for() <= may_vote) {
    return v.Violated("同意票未过到会有表决权成员的半数，不能作出资助的决定。",
                      "An award needs the votes of more than half of the members present.");
  }
  v.Satisfied("经表决通过。", "Resolved by vote.");
}

// Article 5: the amount resolved is the policy's.
void ResolvedAmount(const Case& q, Verdict& v) {
  if (q.facts.resolution() != v1::RESOLUTION_AWARD)
    return v.NotApplicable("本案没有资助金额。", "No amount is resolved.");
  const policy::v1::Level* level =
      policy::FindLevel(q.policy, q.facts.standing().station().level());
  const int64_t fen = level == nullptr ? 0 : level->subsidy_fen();
  v.Fact("amount", FormatYuan(q.facts.resolved_amount_fen())).Fact("subsidy", FormatYuan(fen));
  if (fen > 0 && q.facts.resolved_amount_fen() == fen)
    return v.Satisfied("审定金额与资助标准一致。", "The amount is the policy's.");
  if (q.facts.on_objection() && q.facts.resolved_amount_fen() > 0 &&
      q.facts.resolved_amount_fen() < fen) {
    return v.Remark(
        "会议因异议调整了金额，名单须按调整后的金额重新公示。",
        "The meeting changed the amount on an objection; the list must be published anew.");
  }
  v.Violated(Concat({"审定金额应为", YuanZh(fen), "，请改正。"}),
             Concat({"The amount must be ", YuanEn(fen), "."}));
}

constexpr Rule<v1::CaseFacts> kOpinion[] = {
    {{"opinion.recommendation", "5.2", "", "CheckOpinion"}, Recommendation},
    {{"opinion.two-officers", "5.2", "review.opinion_by_two_officers", "CheckOpinion"},
     OpinionByTwo},
    {{"opinion.points-at-once", "interpretation", "", "CheckOpinion"}, PointsAtOnce},
    {{"opinion.department-opinions", "7", "", "CheckOpinion"}, DepartmentOpinions},
};

constexpr Rule<v1::CaseFacts> kBoth[] = {
    {{"review.inspection", "5.2", "review.inspection_required", "CheckOpinion CheckMeetingItem"},
     Inspection},
    {{"review.not-withdrawn", "interpretation", "", "CheckOpinion CheckMeetingItem"}, NotWithdrawn},
};

constexpr Rule<v1::CaseFacts> kMeeting[] = {
    {{"meeting.recommended", "5.2", "", "CheckMeetingItem"}, Recommended},
    {{"meeting.quorum", "5.2", "review.meeting_quorum", "CheckMeetingItem"}, Quorum},
    {{"meeting.record", "5.2", "", "CheckMeetingItem"}, MeetingRecord},
    {{"meeting.association-attends", "7", "review.association_attends", "CheckMeetingItem"},
     AssociationAttends},
    {{"meeting.recusals", "interpretation", "separation.incompatible", "CheckMeetingItem"},
     Recusals},
    {{"meeting.votes", "interpretation", "review.votes_allowed", "CheckMeetingItem"}, Votes},
    {{"meeting.amount", "5", "levels.subsidy_fen", "CheckMeetingItem"}, ResolvedAmount},
};

// What an award needs of station, host, assessment and inspection. It stands against an award only:
// a case may be refused, deferred or returned although, or because, it does not hold.
void AwardConditions(const Case& question, bool award, Findings* findings) {
  const size_t before = findings->size();
  JudgeStanding({question.policy, question.calendar, question.facts.standing(), question.today},
                findings);
  JudgeAssessment(
      {question.policy, question.calendar, question.facts.assessment(), question.today}, findings);
  Judge(kBoth, question, findings);
  if (award) return;
  for (size_t i = before; i < findings->size(); ++i) {
    Finding& finding = (*findings)[i];
    if (finding.outcome() == Outcome::OUTCOME_VIOLATED &&
        finding.rule_id() != "review.not-withdrawn") {
      finding.set_outcome(Outcome::OUTCOME_REMARK);
    }
  }
}

}  // namespace

Findings CheckOpinion(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                      const v1::CaseFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(kMostFindings);
  const Case question{policy, calendar, facts, today};
  const auto recommendation = facts.opinion().recommendation();
  AwardConditions(
      question,
      recommendation != v1::RECOMMENDATION_REFUSE && recommendation != v1::RECOMMENDATION_RETURN,
      &findings);
  Judge(kOpinion, question, &findings);
  return findings;
}

Findings CheckMeetingItem(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                          const v1::CaseFacts& facts, absl::CivilDay today) {
  Findings findings;
  findings.reserve(kMostFindings);
  const Case question{policy, calendar, facts, today};
  AwardConditions(question,
                  facts.resolution() == v1::RESOLUTION_AWARD ||
                      facts.resolution() == v1::RESOLUTION_UNSPECIFIED,
                  &findings);
  Judge(kMeeting, question, &findings);
  return findings;
}

void AppendReviewRules(std::vector<RuleInfo>* out) {
  AppendInfo(kOpinion, out);
  AppendInfo(kBoth, out);
  AppendInfo(kMeeting, out);
}

}  // namespace yuezhan::rules
