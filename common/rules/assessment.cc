// Assessment and recognition, 考核认定 (article 5).
#include <algorithm>

#include "common/rules/internal.h"
#include "common/rules/review.h"
#include "common/rules/scores.h"

namespace yuezhan::rules {
namespace {

using Assessment = Question<v1::AssessmentFacts>;

// Article 5: assessed, on every item, by enough assessors, after the submission.
void AssessmentComplete(const Assessment& q, Verdict& v) {
  const std::optional<Day> assessed = DayFromProto(q.facts.assessed_on());
  const std::optional<Day> submitted = DayFromProto(q.facts.submitted_on());
  if (!assessed)
    return v.Violated("尚未进行考核认定。请先组织考核认定并登记结论。",
                      "The application is not assessed yet.");
  v.Fact("assessed_on", *assessed);
  if (*assessed > q.today) {
    v.ChangesOn(*assessed);
    return v.Violated("考核日期尚未到来，请核对。",
                      "The day of the assessment is in the future. Please check it.");
  }
  if (submitted && *assessed < *submitted) {
    v.Fact("submitted_on", *submitted);
    return v.Violated("考核日期早于申请提交日期，请核对或重新考核。",
                      "The assessment is before the submission. Please check, or assess again.");
  }
  if (const auto wrong = WrongScores(q.policy.assessment().items(), q.facts.scores())) {
    return v.Violated(wrong->first, wrong->second);
  }
  std::vector<std::string> assessors(q.facts.assessors().begin(), q.facts.assessors().end());
  std::sort(assessors.begin(), assessors.end());
  const auto persons = std::unique(assessors.begin(), assessors.end()) - assessors.begin();
  const int least = q.policy.assessment().min_assessors();
  v.Fact("assessors", std::to_string(persons));
  if (persons < least) {
    const std::string needed = std::to_string(least);
    return v.Violated(Concat({"考核认定应由至少", needed, "人进行，请补充考核人员。"}),
                      Concat({"An assessment needs at least ", needed, " assessors."}));
  }
  v.Satisfied("考核认定的项目、人员和日期完整。", "The assessment is complete.");
}

// Article 5: 经考核认定合格.
void AssessedAsQualified(const Assessment& q, Verdict& v) {
  const std::optional<int> score = AssessmentScore(q.policy, q.facts);
  if (!score)
    return v.Violated("没有完整的考核评分，不能认定合格。请先补齐评分。",
                      "Without complete scores nothing is qualified.");
  const int pass = q.policy.assessment().pass_score();
  v.Fact("score", FormatScore(*score))
      .Fact("pass_score", std::to_string(pass))
      .Fact("qualified", q.facts.qualified() ? "yes" : "no");
  if (!q.facts.qualified()) {
    return v.Violated(
        "考核认定结论为不合格，本申请不能提请审定。请建站单位按考核意见改进，符合条件后重新申报。",
        "The assessment's conclusion is: not qualified. The host may improve and apply anew.");
  }
  if (*score < pass * 100) {
    return v.Violated(
        Concat({"考核得分", FormatScore(*score), "分，低于合格线", std::to_string(pass),
                "分，与“合格”的结论矛盾。请核对评分或更正结论。"}),
        Concat({"A score of ", FormatScore(*score), " is below the mark of ", std::to_string(pass),
                " and contradicts the conclusion. Please correct one of them."}));
  }
  v.Satisfied(Concat({"经考核认定合格，得分", FormatScore(*score), "分。"}),
              Concat({"Assessed as qualified, score ", FormatScore(*score), "."}));
}

constexpr Rule<v1::AssessmentFacts> kAssessment[] = {
    {{"assessment.complete", "5", "assessment.items assessment.min_assessors",
      "CheckAssessment CheckOpinion CheckMeetingItem"},
     AssessmentComplete},
    {{"assessment.qualified", "5", "assessment.items assessment.pass_score",
      "CheckAssessment CheckOpinion CheckMeetingItem"},
     AssessedAsQualified},
};

}  // namespace

Findings CheckAssessment(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                         const v1::AssessmentFacts& facts, absl::CivilDay today) {
  Findings findings;
  JudgeAssessment({policy, calendar, facts, today}, &findings);
  return findings;
}

std::optional<int> AssessmentScore(const policy::v1::Policy& policy,
                                   const v1::AssessmentFacts& facts) {
  if (WrongScores(policy.assessment().items(), facts.scores())) return std::nullopt;
  return WeightedScore(policy.assessment().items(), facts.scores());
}

void JudgeAssessment(const Question<v1::AssessmentFacts>& question, Findings* findings) {
  Judge(kAssessment, question, findings);
}

void AppendAssessmentRules(std::vector<RuleInfo>* out) { AppendInfo(kAssessment, out); }

}  // namespace yuezhan::rules
