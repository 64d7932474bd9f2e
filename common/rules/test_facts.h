// Facts that satisfy every rule, for tests to break one at a time.
#ifndef YUEZHAN_COMMON_RULES_TEST_FACTS_H_
#define YUEZHAN_COMMON_RULES_TEST_FACTS_H_

#include <functional>
#include <string>
#include <vector>

#include "common/base/dates.h"
#include "common/rules/rules.h"
#include "gtest/gtest.h"

namespace yuezhan::rules::testing {

using common::v1::Outcome;
inline constexpr Outcome kSatisfied = Outcome::OUTCOME_SATISFIED;
inline constexpr Outcome kViolated = Outcome::OUTCOME_VIOLATED;
inline constexpr Outcome kExcepted = Outcome::OUTCOME_EXCEPTED;
inline constexpr Outcome kNotApplicable = Outcome::OUTCOME_NOT_APPLICABLE;
inline constexpr Outcome kRemark = Outcome::OUTCOME_REMARK;

inline Day D(std::string_view text) { return *ParseDay(text); }
google::type::Date Date(std::string_view text);

// The policy of 2021, to turn a switch in.
policy::v1::Policy Yueyang();

// A provincial station at a university association, established 2023-05-10, filed, paid nothing
// yet.
v1::FilingFacts GoodFiling();
v1::StandingFacts GoodStanding();
v1::ApplicationFacts GoodApplication();
v1::CaseFacts GoodCase();
v1::NoticeFacts GoodNotice();
// Live on all three sites on 2025-09-24: counted on 09-25, 26, 28 (a make-up Sunday), 29 and 30, so
// that it ends before National Day.
v1::NoticePeriodFacts GoodPeriod();
v1::PaymentFacts GoodPayment();
v1::EvaluationFacts GoodEvaluation();

common::v1::Confirmation Confirmation(const char* reason);

// One change to good facts and policy, and how a rule comes out then.
template <class Facts>
struct Case {
  const char* what;
  std::function<void(Facts&, policy::v1::Policy&)> change;
  const char* rule;
  Outcome outcome;
  const char* changes_on = "";  // "": no day
};

// Facts and policy as good as they come allow everything; each change brings out its rule.
template <class Facts, class Check>
void RunCases(const Facts& good, const char* today, Check check,
              const std::vector<Case<Facts>>& cases) {
  const policy::Calendar& calendar = policy::Calendar::Builtin();
  const Findings all = check(Yueyang(), calendar, good, D(today));
  for (const Finding& finding : all) {
    EXPECT_NE(finding.outcome(), kViolated) << finding.rule_id() << ": " << finding.text_zh();
    EXPECT_NE(finding.outcome(), Outcome::OUTCOME_UNSPECIFIED) << finding.rule_id();
  }
  for (const Case<Facts>& c : cases) {
    Facts facts = good;
    policy::v1::Policy policy = Yueyang();
    c.change(facts, policy);
    const Findings findings = check(policy, calendar, facts, D(today));
    const Finding* finding = Find(findings, c.rule);
    ASSERT_NE(finding, nullptr) << c.what << ": " << c.rule << " is not judged";
    EXPECT_EQ(finding->outcome(), c.outcome) << c.what << ": " << finding->ShortDebugString();
    EXPECT_EQ(Allows(findings), Violations(findings).empty()) << c.what;
    EXPECT_TRUE(c.outcome != kViolated || !Allows(findings)) << c.what;
    EXPECT_FALSE(finding->text_zh().empty() || finding->text_en().empty()) << c.what;
    const std::optional<Day> changes = DayFromProto(finding->changes_on());
    EXPECT_EQ(changes ? FormatDay(*changes) : "", c.changes_on) << c.what;
  }
}

}  // namespace yuezhan::rules::testing

#endif  // YUEZHAN_COMMON_RULES_TEST_FACTS_H_
