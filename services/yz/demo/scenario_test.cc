#include "services/yz/demo/scenario.h"

#include <gtest/gtest.h>

#include <set>

#include "common/base/dates.h"
#include "common/base/money.h"
#include "common/policy/calendar.h"
#include "common/policy/policy.h"
#include "common/rules/amount_words.h"
#include "common/rules/contact_details.h"
#include "services/yz/demo/pdf.h"

namespace yuezhan::yz {
namespace {

Scenario BuiltIn() {
  absl::StatusOr<Scenario> scenario = BuiltInScenario();
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

TEST(Scenario, HasAStationOfEachStory) {
  std::set<Story> stories;
  const Scenario scenario = BuiltIn();
  EXPECT_GE(scenario.stations.size(), 7u);
  for (const DemoStation& station : scenario.stations) stories.insert(station.story);
  EXPECT_EQ(stories.size(), 6u);
}

TEST(Scenario, NothingRealIsMisled) {
  std::set<std::string> codes;
  for (const DemoStation& station : BuiltIn().stations) {
    SCOPED_TRACE(station.key);
    EXPECT_NE(station.form.display_name().find("（演示）"), std::string::npos);
    EXPECT_NE(station.host.display_name().find("（演示）"), std::string::npos);
    if (station.story != Story::kAward) {
      EXPECT_NE(station.form.society().name().find("（演示）"), std::string::npos);
    }
    EXPECT_TRUE(rules::IsCreditCode(station.host.credit_code()));
    EXPECT_TRUE(codes.insert(station.host.credit_code()).second);
    EXPECT_TRUE(rules::IsAccountNumber(station.host.account().number()));
    EXPECT_EQ(station.form.principal().mobile(), "0730-0000000");
    EXPECT_EQ(station.form.postcode(), "414000");
    EXPECT_EQ(rules::FenOfWords(station.application.requested_amount_words()),
              FenOf(station.application.requested_amount()).value_or(0));
  }
}

TEST(Scenario, ThreeWeeksAreMissingToTheEarlyOne) {
  const Scenario scenario = BuiltIn();
  for (const DemoStation& station : scenario.stations) {
    if (station.story != Story::kTooEarly) continue;
    const Day established = *DayFromProto(station.form.established_on());
    const Day may_apply(established.year() + 2, established.month(), established.day() + 1);
    EXPECT_EQ(may_apply - BeijingDay(scenario.days.at("after-notice")), 21);
  }
}

TEST(Scenario, DaysFollowEachOther) {
  const Scenario scenario = BuiltIn();
  absl::Time last = absl::InfinitePast();
  for (const char* day :
       {"start", "apply", "assess", "opinion", "meeting", "notice", "objection", "admission",
        "examination", "second-meeting", "after-notice", "payment", "receipt"}) {
    EXPECT_LT(last, scenario.days.at(day)) << day;
    last = scenario.days.at(day);
  }
}

TEST(Scenario, MistakesAreNamed) {
  EXPECT_FALSE(ParseScenario("", "").ok());
  const absl::Status missing = ParseScenario("{}", "{}").status();
  EXPECT_NE(missing.message().find("days is missing"), absl::string_view::npos) << missing;
}

TEST(SmallPdf, PointsToItsTable) {
  const std::string pdf = SmallPdf("one line");
  EXPECT_EQ(pdf.substr(0, 5), "%PDF-");
  const size_t at = std::stoul(pdf.substr(pdf.rfind("startxref\n") + 10));
  EXPECT_EQ(pdf.substr(at, 4), "xref");
  const size_t third = std::stoul(pdf.substr(pdf.find("f \n", at) + 3 + 20 * 2, 10));
  EXPECT_EQ(pdf.substr(third, 7), "3 0 obj");
}

}  // namespace
}  // namespace yuezhan::yz
