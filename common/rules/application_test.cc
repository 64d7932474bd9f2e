#include "common/rules/application.h"

#include "common/rules/standing.h"
#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using common::v1::StationLevel;
using policy::v1::Policy;
using v1::ApplicationFacts;

void Subsidize(ApplicationFacts& f, StationLevel level, const char* source) {
  v1::SubsidyFacts* subsidy = f.mutable_standing()->mutable_station()->add_subsidies();
  subsidy->set_station("stations/0");
  subsidy->set_level(level);
  subsidy->set_source(source);
  *subsidy->mutable_paid_on() = Date("2024-01-05");
}

v1::DebarmentFacts& Debar(v1::StandingFacts& standing, const char* from, const char* until) {
  v1::DebarmentFacts* debarment = standing.mutable_host()->add_debarments();
  *debarment->mutable_from() = Date(from);
  if (*until != '\0') *debarment->mutable_until() = Date(until);
  return *debarment;
}

TEST(Eligibility, ArticlesFiveAndSix) {
  using L = StationLevel;
  RunCases<ApplicationFacts>(
      GoodApplication(), "2025-06-03", CheckEligibility,
      {
          {"filed", [](auto&, auto&) {}, "application.station-filed", kSatisfied},
          {"not filed",
           [](auto& f, auto&) { f.mutable_standing()->mutable_station()->set_filed(false); },
           "application.station-filed", kViolated},
          {"provincial", [](auto&, auto&) {}, "application.level-subsidized", kSatisfied},
          {"municipal",
           [](auto& f, auto&) {
             f.mutable_standing()->mutable_station()->set_level(L::STATION_LEVEL_MUNICIPAL);
           },
           "application.level-subsidized", kViolated},
          {"no day of newly built", [](auto&, auto&) {}, "application.newly-built", kNotApplicable},
          {"newly built on the day",
           [](auto&, Policy& p) { p.mutable_application()->set_newly_built_from("2023-05-10"); },
           "application.newly-built", kSatisfied},
          {"built a day before",
           [](auto&, Policy& p) { p.mutable_application()->set_newly_built_from("2023-05-11"); },
           "application.newly-built", kViolated},
          {"without a day of establishment",
           [](auto& f, auto&) {
             f.mutable_standing()->mutable_station()->clear_established_on();
             f.mutable_standing()->mutable_station()->clear_approval_reply();
           },
           "application.two-full-years", kViolated},
          {"the host applies", [](auto&, auto&) {}, "application.applicant-is-host", kSatisfied},
          {"another applies",
           [](auto& f, auto&) { f.mutable_form()->set_host_unit("hostUnits/2"); },
           "application.applicant-is-host", kViolated},
          {"facts of another host",
           [](auto& f, auto&) {
             f.mutable_standing()->mutable_host()->set_host_unit("hostUnits/2");
           },
           "application.applicant-is-host", kViolated},
          {"no other application", [](auto&, auto&) {}, "application.one-at-a-time", kSatisfied},
          {"another application",
           [](auto& f, auto&) { f.add_other_applications("applications/7"); },
           "application.one-at-a-time", kViolated},
          {"without a round", [](auto&, auto&) {}, "application.round", kSatisfied, "2026-01-01"},
          {"next year", [](auto& f, auto&) { f.mutable_form()->set_subsidy_year(2026); },
           "application.round", kViolated, "2026-01-01"},
          {"last year", [](auto& f, auto&) { f.mutable_form()->set_subsidy_year(2024); },
           "application.round", kViolated},
          {"no year yet", [](auto& f, auto&) { f.mutable_form()->clear_subsidy_year(); },
           "application.round", kNotApplicable},
          {"the station operates", [](auto&, auto&) {}, "standing.operating", kSatisfied},
          {"closed",
           [](auto& f, auto&) {
             *f.mutable_standing()->mutable_station()->mutable_closed_on() = Date("2025-06-03");
           },
           "standing.operating", kViolated},
          {"closed from tomorrow",
           [](auto& f, auto&) {
             *f.mutable_standing()->mutable_station()->mutable_closed_on() = Date("2025-06-04");
           },
           "standing.operating", kSatisfied},
          {"suspended",
           [](auto& f, auto&) {
             *f.mutable_standing()->mutable_station()->add_suspensions()->mutable_from() =
                 Date("2025-06-03");
           },
           "standing.operating", kViolated},
          {"suspended until next week",
           [](auto& f, auto&) {
             auto* suspension = f.mutable_standing()->mutable_station()->add_suspensions();
             *suspension->mutable_from() = Date("2025-06-01");
             *suspension->mutable_resumed_on() = Date("2025-06-10");
           },
           "standing.operating", kViolated, "2025-06-10"},
          {"never subsidized", [](auto&, auto&) {}, "standing.once", kSatisfied},
          {"subsidized before",
           [](auto& f, auto&) { Subsidize(f, L::STATION_LEVEL_PROVINCIAL, "cases/0"); },
           "standing.once", kViolated},
          {"its own award does not stand against it",
           [](auto& f, auto&) {
             Subsidize(f, L::STATION_LEVEL_PROVINCIAL, "cases/1");
             f.mutable_standing()->set_own_source("cases/1");
           },
           "standing.once", kSatisfied},
          {"upgraded to national after the provincial subsidy",
           [](auto& f, auto&) {
             Subsidize(f, L::STATION_LEVEL_PROVINCIAL, "cases/0");
             f.mutable_standing()->mutable_station()->set_level(L::STATION_LEVEL_NATIONAL);
           },
           "standing.once", kViolated},
          {"upgraded, where the policy lets it claim again",
           [](auto& f, Policy& p) {
             Subsidize(f, L::STATION_LEVEL_PROVINCIAL, "cases/0");
             f.mutable_standing()->mutable_station()->set_level(L::STATION_LEVEL_NATIONAL);
             p.mutable_application()->set_upgraded_may_claim_again(true);
           },
           "standing.once", kSatisfied},
          {"not debarred", [](auto&, auto&) {}, "standing.host-not-debarred", kSatisfied},
          {"debarred for good",
           [](auto& f, auto&) { Debar(*f.mutable_standing(), "2025-06-03", ""); },
           "standing.host-not-debarred", kViolated},
          {"debarred from tomorrow",
           [](auto& f, auto&) { Debar(*f.mutable_standing(), "2025-06-04", ""); },
           "standing.host-not-debarred", kSatisfied},
          {"debarred until today",
           [](auto& f, auto&) { Debar(*f.mutable_standing(), "2022-06-04", "2025-06-03"); },
           "standing.host-not-debarred", kViolated, "2025-06-04"},
          {"debarred until yesterday",
           [](auto& f, auto&) { Debar(*f.mutable_standing(), "2022-06-04", "2025-06-02"); },
           "standing.host-not-debarred", kSatisfied},
          {"debarment lifted today",
           [](auto& f, auto&) {
             *Debar(*f.mutable_standing(), "2022-06-04", "").mutable_lifted_on() =
                 Date("2025-06-03");
           },
           "standing.host-not-debarred", kSatisfied},
      });
}

TEST(Eligibility, ADebarmentDoesNotTouchWhatWasSubmittedBefore) {
  v1::StandingFacts facts = GoodStanding();
  Debar(facts, "2025-06-10", "");
  const auto outcome = [&](const Policy& policy) {
    return Find(CheckStanding(policy, policy::Calendar::Builtin(), facts, D("2025-07-01")),
                "standing.host-not-debarred")
        ->outcome();
  };
  EXPECT_EQ(outcome(Yueyang()), kViolated);
  *facts.mutable_submitted_on() = Date("2025-06-09");
  EXPECT_EQ(outcome(Yueyang()), kRemark);
  Policy strict = Yueyang();
  strict.mutable_evaluation()->set_debarment_stops_submitted(true);
  EXPECT_EQ(outcome(strict), kViolated);
  *facts.mutable_submitted_on() = Date("2025-06-10");
  EXPECT_EQ(outcome(Yueyang()), kViolated);
}

TEST(Eligibility, Rounds) {
  Policy policy = Yueyang();
  policy::v1::Round* round = policy.mutable_application()->add_rounds();
  round->set_subsidy_year(2025);
  round->set_opens_on("2025-06-01");
  round->set_closes_on("2025-06-30");
  const struct {
    const char* today;
    Outcome outcome;
    const char* changes_on;
  } cases[] = {{"2025-05-31", kViolated, "2025-06-01"},
               {"2025-06-01", kSatisfied, "2025-07-01"},
               {"2025-06-30", kSatisfied, "2025-07-01"},
               {"2025-07-01", kViolated, ""}};
  for (const auto& c : cases) {
    const Findings findings =
        CheckEligibility(policy, policy::Calendar::Builtin(), GoodApplication(), D(c.today));
    const Finding& finding = *Find(findings, "application.round");
    EXPECT_EQ(finding.outcome(), c.outcome) << c.today;
    const auto changes = DayFromProto(finding.changes_on());
    EXPECT_EQ(changes ? FormatDay(*changes) : "", c.changes_on) << c.today;
  }
}

void HolderIsTheUniversity(ApplicationFacts& f) {
  f.mutable_form()->mutable_account()->set_holder("湖南理工学院");
  f.mutable_standing()->mutable_host()->mutable_account()->set_holder("湖南理工学院");
}

TEST(Application, FormAndMaterials) {
  RunCases<ApplicationFacts>(
      GoodApplication(), "2025-06-03", CheckApplication,
      {
          {"filled", [](auto&, auto&) {}, "application.form-complete", kSatisfied},
          {"no main content", [](auto& f, auto&) { f.mutable_form()->clear_main_content(); },
           "application.form-complete", kViolated},
          {"main content on a separate sheet",
           [](auto& f, auto&) {
             f.mutable_form()->clear_main_content();
             f.add_materials()->set_code("main-content");
           },
           "application.form-complete", kSatisfied},
          {"another name", [](auto& f, auto&) { f.mutable_form()->set_station_name("别的服务站"); },
           "application.form-complete", kViolated},
          {"the same name in full-width brackets and blanks",
           [](auto& f, auto&) {
             f.mutable_form()->set_station_name("湖南省石油化工学会 岳阳服务站(演示)");
           },
           "application.form-complete", kSatisfied},
          {"the station's level", [](auto&, auto&) {}, "application.category", kSatisfied},
          {"another level",
           [](auto& f, auto&) {
             f.mutable_form()->set_category(StationLevel::STATION_LEVEL_NATIONAL);
           },
           "application.category", kViolated},
          {"of a level without a subsidy there is none to choose",
           [](auto& f, auto&) {
             f.mutable_standing()->mutable_station()->set_level(
                 StationLevel::STATION_LEVEL_MUNICIPAL);
           },
           "application.category", kNotApplicable},
          {"the policy's amount", [](auto&, auto&) {}, "application.amount", kSatisfied},
          {"a fen more",
           [](auto& f, auto&) { f.mutable_form()->set_requested_amount_fen(5'000'001); },
           "application.amount", kViolated},
          {"a fen less",
           [](auto& f, auto&) { f.mutable_form()->set_requested_amount_fen(4'999'999); },
           "application.amount", kViolated},
          {"words as Annex 1 prints them", [](auto&, auto&) {}, "application.amount-in-words",
           kSatisfied},
          {"words in full",
           [](auto& f, auto&) { f.mutable_form()->set_requested_amount_words("人民币伍万元整"); },
           "application.amount-in-words", kSatisfied},
          {"words of another amount",
           [](auto& f, auto&) { f.mutable_form()->set_requested_amount_words("壹拾万"); },
           "application.amount-in-words", kViolated},
          {"words spelled wrong",
           [](auto& f, auto&) { f.mutable_form()->set_requested_amount_words("五万元整"); },
           "application.amount-in-words", kViolated},
          {"the host's account", [](auto&, auto&) {}, "application.account", kSatisfied},
          {"a number that is none",
           [](auto& f, auto&) { f.mutable_form()->mutable_account()->set_number("12345"); },
           "application.account", kViolated},
          {"another number than registered",
           [](auto& f, auto&) {
             f.mutable_form()->mutable_account()->set_number("1907010109200012346");
           },
           "application.account", kViolated},
          {"the supporting legal entity's account",
           [](auto& f, auto&) { HolderIsTheUniversity(f); }, "application.account", kViolated},
          {"the same by a decision with evidence",
           [](auto& f, auto&) {
             HolderIsTheUniversity(f);
             auto* account = f.mutable_standing()->mutable_host()->mutable_account();
             *account->mutable_other_holder() = Confirmation("科协非独立法人");
             account->add_other_holder_evidence("files/9");
           },
           "application.account", kRemark},
          {"the same where the policy forbids it",
           [](auto& f, Policy& p) {
             HolderIsTheUniversity(f);
             auto* account = f.mutable_standing()->mutable_host()->mutable_account();
             *account->mutable_other_holder() = Confirmation("科协非独立法人");
             account->add_other_holder_evidence("files/9");
             p.mutable_application()->set_other_payee_by_decision(false);
           },
           "application.account", kViolated},
          {"all required materials", [](auto&, auto&) {}, "application.materials-present",
           kSatisfied},
          {"no approval reply", [](auto& f, auto&) { f.mutable_materials()->RemoveLast(); },
           "application.materials-present", kViolated},
          {"right files", [](auto&, auto&) {}, "application.material-files", kSatisfied},
          {"a format that is not taken",
           [](auto& f, auto&) { f.mutable_materials(0)->set_media_type("text/html"); },
           "application.material-files", kViolated},
          {"an empty file", [](auto& f, auto&) { f.mutable_materials(0)->set_size_bytes(0); },
           "application.material-files", kViolated},
          {"the greatest file",
           [](auto& f, auto&) { f.mutable_materials(0)->set_size_bytes(20 << 20); },
           "application.material-files", kSatisfied},
          {"a byte too large",
           [](auto& f, auto&) { f.mutable_materials(0)->set_size_bytes((20 << 20) + 1); },
           "application.material-files", kViolated},
          {"two forms", [](auto& f, auto&) { *f.add_materials() = f.materials(0); },
           "application.material-files", kViolated},
          {"an unknown material", [](auto& f, auto&) { f.mutable_materials(0)->set_code("photo"); },
           "application.material-files", kViolated},
          {"too many files",
           [](auto&, Policy& p) { p.mutable_application()->set_max_materials(2); },
           "application.material-files", kViolated},
          {"scans agree", [](auto&, auto&) {}, "application.scans-agree", kSatisfied},
          {"scans not looked at",
           [](auto& f, auto&) { f.mutable_materials(0)->clear_scan_agrees(); },
           "application.scans-agree", kRemark},
          {"a scan that differs",
           [](auto& f, auto&) {
             f.mutable_materials(1)->mutable_scan_agrees()->set_confirmed(false);
           },
           "application.scans-agree", kViolated},
      });
}

// A refusal says what the words should read.
TEST(Application, WordsThatShouldBeWritten) {
  ApplicationFacts facts = GoodApplication();
  facts.mutable_form()->set_requested_amount_words("五万元整");
  const Findings findings =
      CheckApplication(Yueyang(), policy::Calendar::Builtin(), facts, D("2025-06-03"));
  EXPECT_EQ(Find(findings, "application.amount-in-words")->text_zh(),
            "大写金额书写不正确，应写作“伍万”（表中已印“元”字），完整写法为“伍万元整”。");
}

}  // namespace
}  // namespace yuezhan::rules
