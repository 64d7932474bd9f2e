#include "common/rules/filing.h"

#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using common::v1::ContractParty;
using common::v1::HostUnitKind;
using common::v1::SocietyRank;
using common::v1::StationLevel;
using policy::v1::Policy;
using v1::FilingFacts;

void National(FilingFacts& f) {
  f.set_level(StationLevel::STATION_LEVEL_NATIONAL);
  f.mutable_host()->set_kind(HostUnitKind::HOST_UNIT_KIND_COUNTY_ASSOCIATION);
  f.mutable_society()->set_rank(SocietyRank::SOCIETY_RANK_NATIONAL);
  f.set_contract_party(ContractParty::CONTRACT_PARTY_MUNICIPAL_ASSOCIATION);
  *f.mutable_industry_tie() = Confirmation("与石化园区紧密相连");
}

void Except(FilingFacts& f, const char* rule) {
  common::v1::RuleException* exception = f.add_exceptions();
  exception->set_rule_id(rule);
  exception->set_reason("产业集中于该镇");
  exception->set_officer("officer-a");
}

TEST(Filing, ArticlesOneToThree) {
  RunCases<FilingFacts>(
      GoodFiling(), "2023-05-20", CheckFiling,
      {
          {"a chain that counts", [](auto&, auto&) {}, "filing.industry-chain", kSatisfied},
          {"only a field of service",
           [](auto& f, auto&) { f.set_industry_chains(0, "rural-revitalization"); },
           "filing.industry-chain", kViolated},
          {"a field of service beside a chain",
           [](auto& f, auto&) { f.add_industry_chains("rural-revitalization"); },
           "filing.industry-chain", kSatisfied},
          {"no chain", [](auto& f, auto&) { f.clear_industry_chains(); }, "filing.industry-chain",
           kViolated},
          {"an unknown chain", [](auto& f, auto&) { f.add_industry_chains("shipbuilding"); },
           "filing.industry-chain", kViolated},
          {"the switch of the field of service",
           [](auto& f, Policy& p) {
             f.set_industry_chains(0, "rural-revitalization");
             for (auto& chain : *p.mutable_industry()->mutable_chains())
               chain.set_counts_for_article_1(true);
           },
           "filing.industry-chain", kSatisfied},
          {"fit not confirmed", [](auto& f, auto&) { f.clear_demand_fit(); }, "filing.demand-fit",
           kViolated},
          {"fit without a reason", [](auto& f, auto&) { f.mutable_demand_fit()->clear_reason(); },
           "filing.demand-fit", kViolated},
          {"fit not asked for",
           [](auto& f, Policy& p) {
             f.clear_demand_fit();
             p.mutable_filing()->set_demand_fit_required(false);
           },
           "filing.demand-fit", kNotApplicable},
          {"no level", [](auto& f, auto&) { f.set_level(StationLevel::STATION_LEVEL_UNSPECIFIED); },
           "filing.level", kViolated},
          {"a level", [](auto&, auto&) {}, "filing.level", kSatisfied},
          {"national, signed by the association", [](auto& f, auto&) { National(f); },
           "filing.contract-party", kSatisfied},
          {"national, signed by the host",
           [](auto& f, auto&) {
             National(f);
             f.set_contract_party(ContractParty::CONTRACT_PARTY_HOST_UNIT);
           },
           "filing.contract-party", kViolated},
          {"national, signed by the host, excepted",
           [](auto& f, auto&) {
             National(f);
             f.set_contract_party(ContractParty::CONTRACT_PARTY_HOST_UNIT);
             Except(f, "filing.contract-party");
           },
           "filing.contract-party", kExcepted},
          {"provincial, signed by anyone",
           [](auto& f, auto&) { f.set_contract_party(ContractParty::CONTRACT_PARTY_OTHER); },
           "filing.contract-party", kNotApplicable},
          {"national, tied to the industry", [](auto& f, auto&) { National(f); },
           "filing.industry-tie", kSatisfied},
          {"national, tie not confirmed",
           [](auto& f, auto&) {
             National(f);
             f.clear_industry_tie();
           },
           "filing.industry-tie", kViolated},
          {"provincial needs no tie", [](auto&, auto&) {}, "filing.industry-tie", kNotApplicable},
          {"provincial, where a tie is asked for and not confirmed",
           [](auto& f, Policy& p) {
             f.clear_industry_tie();
             for (auto& level : *p.mutable_levels()) level.set_industry_tie_required(true);
           },
           "filing.industry-tie", kViolated},
          {"national, where no tie is asked for",
           [](auto& f, Policy& p) {
             National(f);
             f.clear_industry_tie();
             for (auto& level : *p.mutable_levels()) level.set_industry_tie_required(false);
           },
           "filing.industry-tie", kNotApplicable},
          {"rank fits", [](auto&, auto&) {}, "filing.society-rank", kSatisfied},
          {"rank does not fit",
           [](auto& f, auto&) {
             f.mutable_society()->set_rank(SocietyRank::SOCIETY_RANK_NATIONAL);
           },
           "filing.society-rank", kRemark},
          {"rank does not fit, and that refuses",
           [](auto& f, Policy& p) {
             f.mutable_society()->set_rank(SocietyRank::SOCIETY_RANK_NATIONAL);
             p.mutable_filing()->set_society_rank_mismatch_refuses(true);
           },
           "filing.society-rank", kViolated},
          {"conditions not declared",
           [](auto& f, auto&) { f.mutable_working_conditions()->set_declared(false); },
           "filing.working-conditions", kViolated},
          {"conditions without evidence",
           [](auto& f, auto&) { f.mutable_working_conditions()->clear_evidence(); },
           "filing.working-conditions", kViolated},
          {"conditions not asked for",
           [](auto& f, Policy& p) {
             f.clear_working_conditions();
             p.mutable_filing()->set_working_conditions_required(false);
           },
           "filing.working-conditions", kRemark},
          {"no funding guarantee", [](auto& f, auto&) { f.clear_funding_guarantee(); },
           "filing.funding-guarantee", kViolated},
          {"funding guarantee not asked for",
           [](auto& f, Policy& p) {
             f.clear_funding_guarantee();
             p.mutable_filing()->set_funding_guarantee_required(false);
           },
           "filing.funding-guarantee", kRemark},
          {"no management rules", [](auto& f, auto&) { f.clear_management_rules(); },
           "filing.management-rules", kViolated},
          {"management rules not asked for",
           [](auto& f, Policy& p) {
             f.clear_management_rules();
             p.mutable_filing()->set_management_rules_required(false);
           },
           "filing.management-rules", kRemark},
      });
}

// Every level with every kind of host, against article 2.
TEST(Filing, HostKindFitsLevelAsArticleTwoSays) {
  struct Row {
    HostUnitKind kind;
    bool national, provincial, municipal;
  };
  const Row rows[] = {
      {HostUnitKind::HOST_UNIT_KIND_UNSPECIFIED, false, false, false},
      {HostUnitKind::HOST_UNIT_KIND_MUNICIPAL_SOCIETY, true, true, false},
      {HostUnitKind::HOST_UNIT_KIND_COUNTY_ASSOCIATION, true, true, true},
      {HostUnitKind::HOST_UNIT_KIND_TOWNSHIP_ASSOCIATION, false, false, true},
      {HostUnitKind::HOST_UNIT_KIND_UNIVERSITY_ASSOCIATION, false, true, false},
      {HostUnitKind::HOST_UNIT_KIND_PARK_ASSOCIATION, false, true, false},
      {HostUnitKind::HOST_UNIT_KIND_ENTERPRISE_ASSOCIATION, false, true, false},
      {HostUnitKind::HOST_UNIT_KIND_DEVELOPMENT_ZONE_ASSOCIATION, true, true, true},
  };
  for (const Row& row : rows) {
    const std::pair<StationLevel, bool> levels[] = {
        {StationLevel::STATION_LEVEL_NATIONAL, row.national},
        {StationLevel::STATION_LEVEL_PROVINCIAL, row.provincial},
        {StationLevel::STATION_LEVEL_MUNICIPAL, row.municipal}};
    for (const auto& [level, fits] : levels) {
      FilingFacts facts = GoodFiling();
      facts.set_level(level);
      facts.mutable_host()->set_kind(row.kind);
      const auto judge = [&] {
        return CheckFiling(Yueyang(), policy::Calendar::Builtin(), facts, D("2023-05-20"));
      };
      EXPECT_EQ(Find(judge(), "filing.host-kind")->outcome(), fits ? kSatisfied : kViolated)
          << level << row.kind;
      Except(facts, "filing.host-kind");
      EXPECT_EQ(Find(judge(), "filing.host-kind")->outcome(), fits ? kSatisfied : kExcepted)
          << level << row.kind;
    }
  }
}

TEST(Filing, OnlyTheseRulesAreExcepted) {
  FilingFacts facts = GoodFiling();
  facts.mutable_host()->set_kind(HostUnitKind::HOST_UNIT_KIND_TOWNSHIP_ASSOCIATION);
  facts.clear_demand_fit();
  Except(facts, "filing.demand-fit");
  Except(facts, "filing.host-kind");
  const auto judge = [&](const Policy& policy) {
    return CheckFiling(policy, policy::Calendar::Builtin(), facts, D("2023-05-20"));
  };
  EXPECT_EQ(Find(judge(Yueyang()), "filing.demand-fit")->outcome(), kViolated);
  EXPECT_EQ(Find(judge(Yueyang()), "filing.host-kind")->outcome(), kExcepted);
  Policy strict = Yueyang();
  strict.mutable_filing()->clear_exceptable_rules();
  EXPECT_EQ(Find(judge(strict), "filing.host-kind")->outcome(), kViolated);
  // Without a reason, or without a named officer, nothing is excepted.
  facts.mutable_exceptions(1)->clear_reason();
  EXPECT_EQ(Find(judge(Yueyang()), "filing.host-kind")->outcome(), kViolated);
  facts.mutable_exceptions(1)->set_reason("r");
  facts.mutable_exceptions(1)->clear_officer();
  EXPECT_EQ(Find(judge(Yueyang()), "filing.host-kind")->outcome(), kViolated);
  const Policy policy = Yueyang();
  for (const std::string& id : policy.filing().exceptable_rules()) {
    EXPECT_NE(Find(judge(Yueyang()), id), nullptr) << id << " is no rule of filing";
  }
}

TEST(Filing, TheForm) {
  RunCases<FilingFacts>(
      GoodFiling(), "2023-05-20", CheckFiling,
      {
          {"filled", [](auto&, auto&) {}, "filing.form-complete", kSatisfied},
          {"no purpose", [](auto& f, auto&) { f.clear_purpose(); }, "filing.form-complete",
           kViolated},
          {"no mobile", [](auto& f, auto&) { f.mutable_contact()->clear_mobile(); },
           "filing.form-complete", kViolated},
          {"no society", [](auto& f, auto&) { f.clear_society(); }, "filing.form-complete",
           kViolated},
          {"well formed", [](auto&, auto&) {}, "filing.contact-details", kSatisfied},
          {"a mobile number too short",
           [](auto& f, auto&) { f.mutable_principal()->set_mobile("1380000000"); },
           "filing.contact-details", kViolated},
          {"a postcode of letters", [](auto& f, auto&) { f.set_postcode("41400O"); },
           "filing.contact-details", kViolated},
          {"an e-mail without domain", [](auto& f, auto&) { f.set_email("a@b"); },
           "filing.contact-details", kViolated},
          {"a right code", [](auto&, auto&) {}, "filing.credit-code", kSatisfied},
          {"a failing code",
           [](auto& f, auto&) { f.mutable_host()->set_credit_code("91330110MA27XX1X0Q"); },
           "filing.credit-code", kViolated},
          {"a failing legacy code, accepted by name",
           [](auto& f, auto&) {
             f.mutable_host()->set_credit_code("91330110MA27XX1X0Q");
             *f.mutable_host()->mutable_credit_code_accepted() = Confirmation("证书即为此号");
           },
           "filing.credit-code", kRemark},
          {"no code at all cannot be accepted",
           [](auto& f, auto&) {
             f.mutable_host()->set_credit_code("430600");
             *f.mutable_host()->mutable_credit_code_accepted() = Confirmation("证书即为此号");
           },
           "filing.credit-code", kViolated},
          {"form and reply agree", [](auto&, auto&) {}, "filing.establishment-date", kSatisfied},
          {"form and reply differ",
           [](auto& f, auto&) { *f.mutable_established_on() = Date("2023-05-09"); },
           "filing.establishment-date", kRemark},
          {"no date", [](auto& f, auto&) { f.clear_established_on(); }, "filing.establishment-date",
           kViolated},
          {"29 February of a plain year",
           [](auto& f, auto&) {
             f.mutable_established_on()->set_month(2);
             f.mutable_established_on()->set_day(29);
           },
           "filing.establishment-date", kViolated},
          {"established tomorrow",
           [](auto& f, auto&) { *f.mutable_established_on() = Date("2023-05-21"); },
           "filing.establishment-date", kViolated, "2023-05-21"},
          {"established today",
           [](auto& f, auto&) {
             *f.mutable_established_on() = Date("2023-05-20");
             f.clear_approval_reply();
           },
           "filing.establishment-date", kSatisfied},
          {"no reply", [](auto& f, auto&) { f.clear_approval_reply(); }, "filing.approval-reply",
           kRemark},
          {"a reply without number",
           [](auto& f, auto&) { f.mutable_approval_reply()->clear_number(); },
           "filing.approval-reply", kRemark},
          {"no reply, and that refuses",
           [](auto& f, Policy& p) {
             f.clear_approval_reply();
             p.mutable_filing()->set_approval_reply_required(true);
           },
           "filing.approval-reply", kViolated},
          {"a reply", [](auto&, auto&) {}, "filing.approval-reply", kSatisfied},
          {"on the last day in time",
           [](auto& f, auto&) { *f.mutable_established_on() = Date("2023-04-20"); }, "filing.late",
           kSatisfied},
          {"a day late", [](auto& f, auto&) { *f.mutable_established_on() = Date("2023-04-19"); },
           "filing.late", kRemark},
          {"lateness switched off",
           [](auto& f, Policy& p) {
             *f.mutable_established_on() = Date("2021-04-19");
             p.mutable_filing()->set_late_after_days(0);
           },
           "filing.late", kNotApplicable},
      });
}

TEST(Filing, FindingsShowNoPersonalNumber) {
  FilingFacts facts = GoodFiling();
  facts.mutable_principal()->set_mobile("138123412345");
  for (const Finding& finding :
       CheckFiling(Yueyang(), policy::Calendar::Builtin(), facts, D("2023-05-20"))) {
    EXPECT_EQ(finding.DebugString().find("138123412345"), std::string::npos) << finding.rule_id();
  }
}

TEST(Activity, ArticleFour) {
  v1::ActivityFacts good;
  good.set_kind(common::v1::WORK_KIND_TECHNICAL_PROBLEM_SOLVING);
  *good.mutable_date() = Date("2024-03-15");
  *good.mutable_station() = GoodStanding().station();
  const auto suspend = [](v1::ActivityFacts& f, const char* from, const char* resumed) {
    v1::SuspensionFacts* suspension = f.mutable_station()->add_suspensions();
    *suspension->mutable_from() = Date(from);
    *suspension->mutable_resumed_on() = Date(resumed);
  };
  RunCases<v1::ActivityFacts>(
      good, "2024-03-15", CheckActivity,
      {
          {"one of the four", [](auto&, auto&) {}, "activity.kind", kSatisfied},
          {"none", [](auto& f, auto&) { f.clear_kind(); }, "activity.kind", kViolated},
          {"today", [](auto&, auto&) {}, "activity.date", kSatisfied},
          {"tomorrow", [](auto& f, auto&) { *f.mutable_date() = Date("2024-03-16"); },
           "activity.date", kViolated, "2024-03-16"},
          {"no day", [](auto& f, auto&) { f.clear_date(); }, "activity.date", kViolated},
          {"the day of establishment",
           [](auto& f, auto&) { *f.mutable_date() = Date("2023-05-10"); }, "activity.date",
           kSatisfied},
          {"the day before", [](auto& f, auto&) { *f.mutable_date() = Date("2023-05-09"); },
           "activity.date", kViolated},
          {"the last suspended day",
           [&](auto& f, auto&) { suspend(f, "2024-03-01", "2024-03-16"); }, "activity.date",
           kRemark},
          {"the day it was resumed",
           [&](auto& f, auto&) { suspend(f, "2024-03-01", "2024-03-15"); }, "activity.date",
           kSatisfied},
          {"closed",
           [](auto& f, auto&) { *f.mutable_station()->mutable_closed_on() = Date("2024-03-15"); },
           "activity.date", kViolated},
      });
}

}  // namespace
}  // namespace yuezhan::rules
