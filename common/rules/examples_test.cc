// The two example policies, marked hypothetical: the rules hold nothing of one city.
#include <cstdlib>

#include "common/rules/application.h"
#include "common/rules/evaluation.h"
#include "common/rules/filing.h"
#include "common/rules/notice.h"
#include "common/rules/standing.h"
#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using policy::Policies;
using policy::v1::Policy;

Policies Example(const char* name) {
  return *Policies::LoadFile(std::string(std::getenv("YUEZHAN_SOURCE")) +
                             "/common/policy/examples/" + name);
}

const policy::Calendar& Days() { return policy::Calendar::Builtin(); }

// A case is judged by the version of its date: a chain of 2021's list fails in 2026, and the round
// is closed.
TEST(NineChains, TheVersionOfTheDateJudges) {
  const Policies policies = Example("yueyang_nine_chains.textproto");
  v1::FilingFacts filing = GoodFiling();
  filing.set_industry_chains(0, "textiles");
  const auto outcome = [&](const char* day) {
    return Find(CheckFiling(**policies.InForceOn(D(day)), Days(), filing, D(day)),
                "filing.industry-chain")
        ->outcome();
  };
  EXPECT_EQ(outcome("2025-12-31"), kSatisfied);
  EXPECT_EQ(outcome("2026-01-01"), kViolated);
  filing.set_industry_chains(0, "equipment-manufacturing");
  EXPECT_EQ(outcome("2025-12-31"), kViolated);
  EXPECT_EQ(outcome("2026-01-01"), kSatisfied);
  int counted = 0;
  const Policy& later = **policies.InForceOn(D("2026-01-01"));
  for (const auto& chain : later.industry().chains()) counted += chain.counts_for_article_1();
  EXPECT_EQ(counted, 9);

  v1::ApplicationFacts application = GoodApplication();
  application.mutable_form()->set_subsidy_year(2026);
  EXPECT_TRUE(Allows(CheckApplication(later, Days(), application, D("2026-03-01"))));
  const Findings closed = CheckApplication(later, Days(), application, D("2026-10-01"));
  EXPECT_EQ(Violations(closed).size(), 1u);
  EXPECT_EQ(Find(closed, "application.round")->outcome(), kViolated);
}

TEST(ExampleCity, OtherAmountsPeriodsAndSwitches) {
  const Policies policies = Example("example_city.textproto");
  const Policy& city = **policies.InForceOn(D("2026-06-01"));
  EXPECT_TRUE(city.hypothetical());
  // Three years, and the anniversary counts: established 2023-05-10.
  const v1::StationFacts station = GoodStanding().station();
  EXPECT_EQ(MayApplyFrom(city, station, D("2026-01-01")), D("2026-05-10"));
  v1::ApplicationFacts application = GoodApplication();
  application.mutable_form()->set_subsidy_year(2026);
  EXPECT_EQ(Find(CheckApplication(city, Days(), application, D("2026-05-10")), "application.amount")
                ->outcome(),
            kViolated);
  application.mutable_form()->set_requested_amount_fen(8'000'000);
  application.mutable_form()->set_requested_amount_words("捌万");
  EXPECT_TRUE(Allows(CheckApplication(city, Days(), application, D("2026-05-10"))));
  EXPECT_FALSE(Allows(CheckApplication(city, Days(), application, D("2026-05-09"))));
  // A municipal station gets something here.
  application.mutable_standing()->mutable_station()->set_level(common::v1::STATION_LEVEL_MUNICIPAL);
  EXPECT_EQ(Find(CheckEligibility(city, Days(), application, D("2026-05-10")),
                 "application.level-subsidized")
                ->outcome(),
            kSatisfied);
  // Seven working days on one site, the first one counted: 2026-06-01 (Monday) to 06-09.
  EXPECT_EQ(PlannedNoticePeriod(city, Days(), D("2026-06-01")).last_day, D("2026-06-09"));
  // Two grades, and three years.
  v1::EvaluationFacts evaluation = GoodEvaluation();
  for (auto& score : *evaluation.mutable_scores()) score.set_score_hundredths(6'999);
  *evaluation.mutable_told_on() = Date("2026-03-02");
  const EvaluationResult result = GradeEvaluation(city, Days(), evaluation, D("2026-06-01"));
  EXPECT_EQ(result.grade, "fail");
  EXPECT_EQ(result.debarred_from, D("2026-03-17"));
  EXPECT_EQ(result.debarred_until, D("2029-03-16"));
}

}  // namespace
}  // namespace yuezhan::rules
