#include "common/rules/evaluation.h"

#include "common/rules/internal.h"
#include "common/rules/scores.h"

namespace yuezhan::rules {
namespace {

// The facts and what has been worked out of them so far.
struct Working {
  const v1::EvaluationFacts& facts;
  EvaluationResult& result;
};
using Evaluation = Question<Working>;

const policy::v1::Grade* GradeOf(const policy::v1::Policy& policy, int score_hundredths) {
  for (const policy::v1::Grade& grade : policy.evaluation().grades()) {
    if (score_hundredths >= grade.min_score() * 100) return &grade;
  }
  return nullptr;
}

// Article 6: mainly in the six dimensions.
void Dimensions(const Evaluation& q, Verdict& v) {
  const auto& dimensions = q.policy.evaluation().dimensions();
  if (const auto wrong = WrongScores(dimensions, q.facts.facts.scores()))
    return v.Violated(wrong->first, wrong->second);
  v.Satisfied("绩效评估各项均已评分。", "Every dimension is scored.");
}

// Article 6: the grade; the last is 不合格.
void Grade(const Evaluation& q, Verdict& v) {
  const auto& dimensions = q.policy.evaluation().dimensions();
  if (WrongScores(dimensions, q.facts.facts.scores()))
    return v.NotApplicable("评分不完整，暂不定级。", "No grade without scores.");
  const int score = WeightedScore(dimensions, q.facts.facts.scores());
  const policy::v1::Grade& grade = *GradeOf(q.policy, score);
  q.facts.result.score_hundredths = score;
  q.facts.result.grade = grade.code();
  q.facts.result.passed = grade.passes();
  v.Fact("score", FormatScore(score)).Fact("grade", grade.code());
  const std::string zh =
      Concat({"绩效评估得分", FormatScore(score), "分，等次为", grade.name_zh(), "。"});
  const std::string en = Concat({"Score ", FormatScore(score), ", grade: ", grade.name_en(), "."});
  if (grade.passes()) return v.Satisfied(zh, en);
  v.Remark(Concat({zh, "请书面告知建站单位结果及申请复核的期限。"}),
           Concat({en, " Please tell the host, and until when it may ask for review."}));
}

// Before a failure is final the host is told, and may ask another officer for review.
void Review(const Evaluation& q, Verdict& v) {
  EvaluationResult& result = q.facts.result;
  const v1::EvaluationFacts& facts = q.facts.facts;
  if (result.grade.empty()) return v.NotApplicable("尚未定级。", "Not graded yet.");
  const std::optional<Day> told = DayFromProto(facts.told_on());
  const std::optional<Day> requested = DayFromProto(facts.review_requested_on());
  const std::optional<Day> decided = DayFromProto(facts.review_decided_on());
  if (told) {
    const policy::CountedDay until =
        q.calendar.AddWorkingDays(*told, q.policy.evaluation().review_working_days());
    result.review_until = until.day;
    result.review_until_provisional = until.provisional;
  }
  v.Fact("told_on", told)
      .Fact("review_until", result.review_until)
      .Fact("review_requested_on", requested);
  const bool in_time = requested && result.review_until &&
                       (*requested <= *result.review_until || result.review_until_provisional);
  if (in_time && decided) {
    if (!facts.evaluated_by().empty() && facts.evaluated_by() == facts.review_decided_by()) {
      return v.Violated("复核应由评估人以外的工作人员决定，请更换复核人。",
                        "The review must be decided by another officer than the evaluator.");
    }
    result.final = true;
    return v.Satisfied("复核已决定，结果为最终结果。",
                       "The review is decided; the result is final.");
  }
  if (result.passed) {
    result.final = !in_time;
    return v.NotApplicable("评估合格，不需复核。", "The evaluation passed; no review is needed.");
  }
  if (!told)
    return v.Remark("结果尚未告知建站单位，暂不生效。",
                    "The host is not told yet, so the result is not final.");
  if (in_time)
    return v.Remark("建站单位已申请复核，请另一名工作人员复核决定。",
                    "The host asked for review; another officer must decide.");
  if (q.today > *result.review_until && !result.review_until_provisional) {
    result.final = true;
    return v.Satisfied(requested ? "复核申请逾期，结果为最终结果。"
                                 : "建站单位未在期限内申请复核，结果为最终结果。",
                       requested ? "The request for review came late; the result is final."
                                 : "No review was asked for in time; the result is final.");
  }
  v.ChangesOn(*result.review_until + 1);
  v.Remark(Concat({"建站单位可在", FormatDayZh(*result.review_until),
                   "（含）前申请复核，在此之前结果不生效。"}),
           Concat({"The host may ask for review until ", FormatDay(*result.review_until),
                   "; the result is not final before."}));
}

// Article 6: 今后不得申请同类资助.
void Debarment(const Evaluation& q, Verdict& v) {
  EvaluationResult& result = q.facts.result;
  const policy::v1::Evaluation& rules = q.policy.evaluation();
  const bool municipal = q.facts.facts.level() == common::v1::STATION_LEVEL_MUNICIPAL;
  if (result.grade.empty() || result.passed || !result.final) {
    return v.NotApplicable("没有生效的不合格结果。", "There is no final failure.");
  }
  if (!rules.failure_debars() || (municipal && !rules.municipal_failure_debars())) {
    return v.NotApplicable("按现行办法，本结果不限制建站单位申请。",
                           "By the policy this failure does not debar the host.");
  }
  const std::optional<Day> decided = DayFromProto(q.facts.facts.review_decided_on());
  const std::optional<Day> requested = DayFromProto(q.facts.facts.review_requested_on());
  const bool by_review =
      decided && requested && result.review_until && *requested <= *result.review_until;
  result.debars = true;
  result.debarred_from = by_review ? *decided : *result.review_until + 1;
  v.Fact("debarred_from", *result.debarred_from);
  if (rules.debarment_years() > 0) {
    result.debarred_until = AddMonths(*result.debarred_from, 12 * rules.debarment_years()) - 1;
    v.Fact("debarred_until", *result.debarred_until);
  }
  v.Remark(Concat({"绩效评估不合格，建站单位自", FormatDayZh(*result.debarred_from), "起",
                   result.debarred_until ? Concat({"至", FormatDayZh(*result.debarred_until)}) : "",
                   "不得申请同类资助。"}),
           Concat({"The host is debarred from ", FormatDay(*result.debarred_from),
                   result.debarred_until ? Concat({" to ", FormatDay(*result.debarred_until)})
                                         : " for good",
                   "."}));
}

constexpr Rule<Working> kEvaluation[] = {
    {{"evaluation.dimensions", "6", "evaluation.dimensions", "GradeEvaluation"}, Dimensions},
    {{"evaluation.grade", "6", "evaluation.grades", "GradeEvaluation"}, Grade},
    {{"evaluation.review", "interpretation", "evaluation.review_working_days", "GradeEvaluation"},
     Review},
    {{"evaluation.debarment", "6",
      "evaluation.failure_debars evaluation.debarment_years evaluation.municipal_failure_debars",
      "GradeEvaluation"},
     Debarment},
};

}  // namespace

EvaluationResult GradeEvaluation(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                                 const v1::EvaluationFacts& facts, absl::CivilDay today) {
  EvaluationResult result;
  // The rules fill the rest of the result while their findings are gathered.
  Findings findings;
  findings.reserve(std::size(kEvaluation));
  Judge(kEvaluation, Evaluation{policy, calendar, Working{facts, result}, today}, &findings);
  result.findings = std::move(findings);
  return result;
}

void AppendEvaluationRules(std::vector<RuleInfo>* out) { AppendInfo(kEvaluation, out); }

}  // namespace yuezhan::rules
