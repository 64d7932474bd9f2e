#include "common/policy/policy.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/strings/str_replace.h"
#include "common/base/dates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace yuezhan::policy {
namespace {

using common::v1::HostUnitKind;
using common::v1::StationLevel;
using testing::HasSubstr;

Day D(const char* text) { return *ParseDay(text); }

std::string Example(const char* name) {
  return std::string(std::getenv("YUEZHAN_SOURCE")) + "/common/policy/examples/" + name;
}

TEST(Policy, BuiltinSaysWhatTheRegulationSays) {
  const auto policy = Policies::Builtin().InForceOn(D("2021-03-22"));
  ASSERT_TRUE(policy.ok());
  const v1::Policy& p = **policy;
  EXPECT_EQ(p.document().number(), "岳人才办发〔2021〕8号");
  EXPECT_EQ(FindLevel(p, StationLevel::STATION_LEVEL_NATIONAL)->subsidy_fen(), 10'000'000);
  EXPECT_EQ(FindLevel(p, StationLevel::STATION_LEVEL_PROVINCIAL)->subsidy_fen(), 5'000'000);
  EXPECT_EQ(FindLevel(p, StationLevel::STATION_LEVEL_MUNICIPAL)->subsidy_fen(), 0);
  EXPECT_EQ(p.notice().working_days(), 5);
  EXPECT_EQ(p.notice().sites_size(), 3);
  EXPECT_EQ(p.evaluation().dimensions_size(), 6);
  int chains = 0;
  for (const auto& chain : p.industry().chains()) chains += chain.counts_for_article_1();
  EXPECT_EQ(chains, 13);
  EXPECT_EQ(p.industry().chains_size(), 14);
  EXPECT_FALSE(FindChain(p, "rural-revitalization")->counts_for_article_1());
  EXPECT_EQ(TakenFor(p, HostUnitKind::HOST_UNIT_KIND_DEVELOPMENT_ZONE_ASSOCIATION),
            HostUnitKind::HOST_UNIT_KIND_COUNTY_ASSOCIATION);
  EXPECT_FALSE(Policies::Builtin().InForceOn(D("2021-03-21")).ok());
}

TEST(Policy, VersionsFollowOneAnother) {
  const auto policies = Policies::LoadFile(Example("yueyang_nine_chains.textproto"));
  ASSERT_TRUE(policies.ok()) << policies.status();
  EXPECT_EQ((*policies->InForceOn(D("2025-12-31")))->version(), "yueyang-2021");
  const v1::Policy& later = **policies->InForceOn(D("2026-01-01"));
  EXPECT_EQ(later.version(), "yueyang-nine-chains");
  EXPECT_TRUE(later.hypothetical());
  EXPECT_EQ(policies->ReferenceTo(later).version(), later.version());
  EXPECT_EQ(policies->ReferenceTo(later).digest(), PolicyDigest(later));
  EXPECT_EQ(PolicyDigest(later).size(), 64u);
  EXPECT_NE(PolicyDigest(later), PolicyDigest(**policies->ByVersion("yueyang-2021")));
  EXPECT_FALSE(policies->ByVersion("other").ok());
  EXPECT_TRUE(Policies::LoadFile(Example("example_city.textproto")).ok());
  EXPECT_FALSE(Policies::LoadFile("no/such/file").ok());
}

// Also the rule "policy.interpretations-named" (article 8): a value without its basis stops the
// start.
TEST(Policy, AMistakeStopsTheStartAndNamesItsPlace) {
  const struct {
    const char* what;
    const char* from;
    const char* to;
    const char* says;
  } cases[] = {
      {"unknown field", "    full_years: 2", "    full_yeers: 2", "full_yeers"},
      {"unknown value", "SUSPENSION_HANDLING_DEDUCT", "SUSPENSION_HANDLING_FORGET",
       "SUSPENSION_HANDLING_FORGET"},
      {"missing value", "    anniversary_counts: false\n", "",
       "application.anniversary_counts: missing"},
      {"missing section", "  retention {", "  review {", "review"},
      {"twice", "    full_years: 2", "    full_years: 2 full_years: 3", "full_years"},
      {"no basis", "of: \"full_years\"", "of: \"rounds\"", "no basis names its article"},
      {"interpretation without why", "article: \"2\" }\n    exceptable_rules",
       "article: \"interpretation\" }\n    exceptable_rules", "must say why"},
      {"wrong date", "effective_from: \"2021-03-22\"", "effective_from: \"2021-02-29\"",
       "document.effective_from: not a date"},
      {"range", "working_days: 5\n", "working_days: 0\n",
       "notice.working_days: 0 is not in 1 to 250"},
      {"twice a code", "code: \"textiles\"", "code: \"modern-logistics\"",
       "twice: modern-logistics"},
      {"bad code", "code: \"textiles\"", "code: \"Textiles\"", "lower-case"},
      {"grades", "min_score: 80", "min_score: 95", "grades go from the best down"},
      {"last grade", "min_score: 0 ", "min_score: 10 ", "the last grade must start at 0"},
      {"contradiction", "failure_debars: true\n    basis { of: \"debarment_years",
       "failure_debars: false\n    basis { of: \"debarment_years", "contradicts failure_debars"},
      {"pair twice", "first: ACT_PREPARE second: ACT_APPROVE", "first: ACT_PAY second: ACT_PREPARE",
       "twice"},
      {"unknown rule", "\"filing.host-kind\"", "\"filing.no-such-rule\"",
       "no rule that can be excepted"},
      {"media type", "media_types: \"application/ofd\"", "media_types: \"text/html\"",
       "unknown media type: text/html"},
      {"two levels", "level: STATION_LEVEL_MUNICIPAL", "level: STATION_LEVEL_NATIONAL",
       "the level stands here twice"},
      {"a changed amount unpublished", "changed_list_published_anew: true",
       "changed_list_published_anew: false", "has amounts published"},
      {"end before start", "    effective_from:",
       "    effective_to: \"2020-01-01\"\n    basis { of: \"effective_to\" article: \"5\" }\n    "
       "effective_from:",
       "before effective_from"},
  };
  for (const auto& c : cases) {
    const std::string text = absl::StrReplaceAll(Policies::Builtin().text(), {{c.from, c.to}});
    ASSERT_NE(text, Policies::Builtin().text()) << c.what << " changes nothing";
    const auto parsed = Policies::Parse(text, "city.textproto");
    ASSERT_FALSE(parsed.ok()) << c.what;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(c.says)) << c.what;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("city.textproto:")) << c.what;
  }
  EXPECT_FALSE(Policies::Parse("", "empty").ok());
}

TEST(Policy, TheLineOfAMistakeIsItsOwn) {
  const std::string& good = Policies::Builtin().text();
  const size_t at = good.find("    working_days: 5");
  ASSERT_NE(at, std::string::npos);
  const auto line = 1 + std::count(good.begin(), good.begin() + at, '\n');
  const auto parsed = Policies::Parse(
      absl::StrReplaceAll(good, {{"    working_days: 5\n", "    working_days: 500\n"}}), "f");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(
      parsed.status().message(),
      "f:" + std::to_string(line) + ":5: versions[0].notice.working_days: 500 is not in 1 to 250");
}

TEST(Policy, VersionsMustNotOverlap) {
  std::ifstream file(Example("yueyang_nine_chains.textproto"));
  std::stringstream text;
  text << file.rdbuf();
  const auto parsed = Policies::Parse(
      absl::StrReplaceAll(text.str(),
                          {{"effective_to: \"2025-12-31\"", "effective_to: \"2026-01-01\""}}),
      "f");
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("must be after effective_to"));
}

}  // namespace
}  // namespace yuezhan::policy
