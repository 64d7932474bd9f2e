// How the two full years are counted, and whether a station operates (article 5).
#include "common/rules/standing.h"

#include "common/rules/application.h"
#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using policy::v1::Policy;
using v1::ApplicationFacts;

// One suspension: first day without operation, first day with it again ("": still suspended).
struct Suspended {
  const char* from;
  const char* resumed;
};

v1::StationFacts Station(const char* established, const std::vector<Suspended>& suspensions) {
  v1::StationFacts station;
  *station.mutable_established_on() = Date(established);
  for (const Suspended& one : suspensions) {
    v1::SuspensionFacts* facts = station.add_suspensions();
    *facts->mutable_from() = Date(one.from);
    if (*one.resumed != '\0') *facts->mutable_resumed_on() = Date(one.resumed);
  }
  return station;
}

// Article 5: the first day on which one may apply; "" where there is none yet.
TEST(TwoFullYears, FirstDay) {
  const struct {
    const char* what;
    const char* established;
    std::vector<Suspended> suspensions;
    const char* deducted;
    const char* restarted;
    const char* anniversary_deducted;
  } cases[] = {
      {"plain", "2019-03-22", {}, "2021-03-23", "2021-03-23", "2021-03-22"},
      {"from 29 February", "2020-02-29", {}, "2022-03-01", "2022-03-01", "2022-02-28"},
      {"to a leap year", "2022-02-28", {}, "2024-02-29", "2024-02-29", "2024-02-28"},
      {"1 March to a leap year", "2022-03-01", {}, "2024-03-02", "2024-03-02", "2024-03-01"},
      {"year end", "2019-12-31", {}, "2022-01-01", "2022-01-01", "2021-12-31"},
      {"thirty days inside",
       "2019-03-22",
       {{"2020-01-01", "2020-01-31"}},
       "2021-04-22",
       "2022-02-01",
       "2021-04-21"},
      {"one day",
       "2019-03-22",
       {{"2020-01-01", "2020-01-02"}},
       "2021-03-24",
       "2022-01-03",
       "2021-03-23"},
      {"the first day",
       "2019-03-22",
       {{"2019-03-22", "2019-03-23"}},
       "2021-03-24",
       "2021-03-24",
       "2021-03-23"},
      {"the last day",
       "2019-03-22",
       {{"2021-03-22", "2021-03-23"}},
       "2021-03-24",
       "2023-03-24",
       "2021-03-22"},
      {"after the last day",
       "2019-03-22",
       {{"2021-03-23", "2021-04-23"}},
       "2021-03-23",
       "2021-03-23",
       "2021-03-22"},
      {"two, of which the first moves the end over the second",
       "2019-03-22",
       {{"2020-01-01", "2020-01-11"}, {"2021-03-30", "2021-04-09"}},
       "2021-04-12",
       "2023-04-10",
       "2021-04-11"},
      {"still suspended", "2019-03-22", {{"2020-01-01", ""}}, "", "", ""},
      {"suspended after the years were full",
       "2019-03-22",
       {{"2021-05-01", ""}},
       "2021-03-23",
       "2021-03-23",
       "2021-03-22"},
  };
  for (const auto& c : cases) {
    const v1::StationFacts station = Station(c.established, c.suspensions);
    const auto first = [&](policy::v1::SuspensionHandling handling, bool anniversary) {
      Policy policy = Yueyang();
      policy.mutable_application()->set_suspensions(handling);
      policy.mutable_application()->set_anniversary_counts(anniversary);
      const auto day = MayApplyFrom(policy, station, D("2021-06-01"));
      return day ? FormatDay(*day) : std::string();
    };
    EXPECT_EQ(first(policy::v1::SUSPENSION_HANDLING_DEDUCT, false), c.deducted) << c.what;
    EXPECT_EQ(first(policy::v1::SUSPENSION_HANDLING_RESTART, false), c.restarted) << c.what;
    EXPECT_EQ(first(policy::v1::SUSPENSION_HANDLING_DEDUCT, true), c.anniversary_deducted)
        << c.what;
  }
}

TEST(TwoFullYears, TheDayBeforeTheDayAndTheDayAfter) {
  ApplicationFacts facts = GoodApplication();  // Established 2023-05-10.
  const auto outcome = [&](const char* today, const Policy& policy) {
    const Findings findings =
        CheckEligibility(policy, policy::Calendar::Builtin(), facts, D(today));
    return Find(findings, "application.two-full-years")->outcome();
  };
  Policy anniversary = Yueyang();
  anniversary.mutable_application()->set_anniversary_counts(true);
  EXPECT_EQ(outcome("2025-05-09", Yueyang()), kViolated);
  EXPECT_EQ(outcome("2025-05-10", Yueyang()), kViolated);
  EXPECT_EQ(outcome("2025-05-11", Yueyang()), kSatisfied);
  EXPECT_EQ(outcome("2025-05-09", anniversary), kViolated);
  EXPECT_EQ(outcome("2025-05-10", anniversary), kSatisfied);
  // A refusal says the day, in the finding and in the sentence.
  const Findings findings =
      CheckEligibility(Yueyang(), policy::Calendar::Builtin(), facts, D("2025-04-20"));
  const Finding& finding = *Find(findings, "application.two-full-years");
  EXPECT_EQ(*DayFromProto(finding.changes_on()), D("2025-05-11"));
  EXPECT_EQ(finding.text_zh(),
            "建站时间2023年5月10日，正常运转尚未满2年。请于2025年5月11日（含）以后申报。");
  EXPECT_EQ(AllowedFrom(findings), D("2025-05-11"));
}

TEST(TwoFullYears, TheDocumentThatDecides) {
  ApplicationFacts facts = GoodApplication();
  *facts.mutable_standing()->mutable_station()->mutable_established_on() = Date("2023-01-01");
  EXPECT_EQ(EstablishedOn(Yueyang(), facts.standing().station()), D("2023-05-10"));
  Policy by_form = Yueyang();
  by_form.mutable_filing()->set_establishment_decided_by(policy::v1::DECIDING_DOCUMENT_FILING_FORM);
  EXPECT_EQ(EstablishedOn(by_form, facts.standing().station()), D("2023-01-01"));
  facts.mutable_standing()->mutable_station()->clear_approval_reply();
  EXPECT_EQ(EstablishedOn(Yueyang(), facts.standing().station()), D("2023-01-01"));
}

TEST(Operation, OnAnyPastDay) {
  v1::StationFacts station =
      Station("2020-01-01", {{"2021-02-01", "2021-02-11"}, {"2022-01-01", ""}});
  *station.mutable_closed_on() = Date("2022-06-01");
  EXPECT_EQ(OperationOn(station, D("2021-01-31")), Operation::kOperating);
  EXPECT_EQ(OperationOn(station, D("2021-02-01")), Operation::kSuspended);
  EXPECT_EQ(OperationOn(station, D("2021-02-10")), Operation::kSuspended);
  EXPECT_EQ(OperationOn(station, D("2021-02-11")), Operation::kOperating);
  EXPECT_EQ(OperationOn(station, D("2022-05-31")), Operation::kSuspended);
  EXPECT_EQ(OperationOn(station, D("2022-06-01")), Operation::kClosed);
}

}  // namespace
}  // namespace yuezhan::rules
