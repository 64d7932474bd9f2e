#include "common/rules/evaluation.h"

#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using policy::v1::Policy;
using v1::EvaluationFacts;

EvaluationFacts Scored(int hundredths) {
  EvaluationFacts facts = GoodEvaluation();
  for (auto& score : *facts.mutable_scores()) score.set_score_hundredths(hundredths);
  return facts;
}

EvaluationResult Grade(const EvaluationFacts& facts, const char* today = "2025-12-01",
                       const Policy& policy = Yueyang()) {
  return GradeEvaluation(policy, policy::Calendar::Builtin(), facts, D(today));
}

// The rules "evaluation.dimensions", "evaluation.grade", "evaluation.review" and
// "evaluation.debarment".
TEST(Evaluation, GradesAtTheirBoundaries) {
  const struct {
    int score;
    const char* grade;
    bool passed;
  } cases[] = {{10'000, "excellent", true}, {9'000, "excellent", true}, {8'999, "good", true},
               {8'000, "good", true},       {7'999, "pass", true},      {6'000, "pass", true},
               {5'999, "fail", false},      {0, "fail", false}};
  for (const auto& c : cases) {
    const EvaluationResult result = Grade(Scored(c.score));
    EXPECT_EQ(result.grade, c.grade) << c.score;
    EXPECT_EQ(result.passed, c.passed) << c.score;
    EXPECT_EQ(result.score_hundredths, c.score);
    EXPECT_EQ(result.final, c.passed) << c.score;
    EXPECT_EQ(Find(result.findings, "evaluation.grade")->outcome(),
              c.passed ? kSatisfied : kRemark);
  }
}

TEST(Evaluation, WeightsOfThePolicy) {
  Policy policy = Yueyang();
  policy.mutable_evaluation()->mutable_dimensions(0)->set_weight(5);
  EvaluationFacts facts = Scored(6'000);
  facts.mutable_scores(0)->set_score_hundredths(10'000);
  EXPECT_EQ(Grade(facts).score_hundredths, 6'666);
  EXPECT_EQ(Grade(facts, "2025-12-01", policy).score_hundredths, 8'000);
}

TEST(Evaluation, IncompleteScoresGiveNoGrade) {
  EvaluationFacts facts = GoodEvaluation();
  facts.mutable_scores()->RemoveLast();
  const EvaluationResult result = Grade(facts);
  EXPECT_EQ(Find(result.findings, "evaluation.dimensions")->outcome(), kViolated);
  EXPECT_EQ(Find(result.findings, "evaluation.grade")->outcome(), kNotApplicable);
  EXPECT_EQ(result.grade, "");
  EXPECT_FALSE(result.final || result.debars || Allows(result.findings));
  EXPECT_EQ(Find(Grade(GoodEvaluation()).findings, "evaluation.dimensions")->outcome(), kSatisfied);
}

TEST(Evaluation, AFailureIsFinalAfterTenWorkingDays) {
  EvaluationFacts facts = Scored(5'000);
  EXPECT_FALSE(Grade(facts).final);  // not told yet
  EXPECT_EQ(Find(Grade(facts).findings, "evaluation.review")->outcome(), kRemark);
  *facts.mutable_told_on() =
      Date("2025-09-24");  // 25 26 28 29 30, then National Day, 9 10 11 13 14
  EXPECT_EQ(Grade(facts, "2025-10-14").review_until, D("2025-10-14"));
  EXPECT_FALSE(Grade(facts, "2025-10-14").final);
  EXPECT_EQ(
      *DayFromProto(Find(Grade(facts, "2025-10-14").findings, "evaluation.review")->changes_on()),
      D("2025-10-15"));
  const EvaluationResult result = Grade(facts, "2025-10-15");
  EXPECT_TRUE(result.final && result.debars);
  EXPECT_EQ(result.debarred_from, D("2025-10-15"));
  EXPECT_EQ(result.debarred_until, std::nullopt);
  EXPECT_EQ(Find(result.findings, "evaluation.debarment")->outcome(), kRemark);
}

TEST(Evaluation, AReviewAskedForInTimeKeepsItOpen) {
  EvaluationFacts facts = Scored(5'000);
  *facts.mutable_told_on() = Date("2025-09-24");
  *facts.mutable_review_requested_on() = Date("2025-10-14");
  EXPECT_FALSE(Grade(facts).final);
  *facts.mutable_review_decided_on() = Date("2025-11-03");
  facts.set_review_decided_by("officer-b");
  EXPECT_TRUE(Grade(facts).final);
  EXPECT_EQ(Grade(facts).debarred_from, D("2025-11-03"));
  facts.set_review_decided_by("officer-a");  // who evaluated
  EXPECT_EQ(Find(Grade(facts).findings, "evaluation.review")->outcome(), kViolated);
  EXPECT_FALSE(Grade(facts).debars);
  // A day late it keeps nothing open.
  facts.clear_review_decided_on();
  *facts.mutable_review_requested_on() = Date("2025-10-15");
  EXPECT_TRUE(Grade(facts).final);
  EXPECT_EQ(Grade(facts).debarred_from, D("2025-10-15"));
  // Reviewed to a pass: final, and nothing follows.
  EvaluationFacts passed = Scored(6'000);
  *passed.mutable_told_on() = Date("2025-09-24");
  *passed.mutable_review_requested_on() = Date("2025-10-14");
  *passed.mutable_review_decided_on() = Date("2025-11-03");
  passed.set_review_decided_by("officer-b");
  EXPECT_TRUE(Grade(passed).final);
  EXPECT_FALSE(Grade(passed).debars);
}

TEST(Evaluation, AnUnpublishedYearKeepsItOpen) {
  EvaluationFacts facts = Scored(5'000);
  *facts.mutable_told_on() = Date("2026-12-21");
  const EvaluationResult result = Grade(facts, "2027-03-01");
  EXPECT_TRUE(result.review_until_provisional);
  EXPECT_FALSE(result.final || result.debars);
}

TEST(Evaluation, DebarmentSwitches) {
  EvaluationFacts facts = Scored(5'000);
  *facts.mutable_told_on() = Date("2025-09-24");
  Policy three_years = Yueyang();
  three_years.mutable_evaluation()->set_debarment_years(3);
  EXPECT_EQ(Grade(facts, "2025-12-01", three_years).debarred_until, D("2028-10-14"));
  Policy never = Yueyang();
  never.mutable_evaluation()->set_failure_debars(false);
  EXPECT_FALSE(Grade(facts, "2025-12-01", never).debars);
  EXPECT_EQ(Find(Grade(facts, "2025-12-01", never).findings, "evaluation.debarment")->outcome(),
            kNotApplicable);
  facts.set_level(common::v1::STATION_LEVEL_MUNICIPAL);
  EXPECT_TRUE(Grade(facts).debars);
  Policy not_municipal = Yueyang();
  not_municipal.mutable_evaluation()->set_municipal_failure_debars(false);
  EXPECT_FALSE(Grade(facts, "2025-12-01", not_municipal).debars);
}

}  // namespace
}  // namespace yuezhan::rules
