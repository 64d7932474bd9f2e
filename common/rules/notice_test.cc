#include "common/rules/notice.h"

#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using policy::v1::Policy;
using v1::NoticeFacts;
using v1::NoticePeriodFacts;
using v1::ObjectionFacts;

TEST(Publication, ArticleFiveThree) {
  RunCases<NoticeFacts>(
      GoodNotice(), "2025-09-24", CheckPublication,
      {
          {"a list", [](auto&, auto&) {}, "publication.lines", kSatisfied},
          {"an empty list",
           [](auto& f, auto&) {
             f.clear_lines();
             f.clear_total_fen();
           },
           "publication.lines", kViolated},
          {"a station twice", [](auto& f, auto&) { *f.add_lines() = f.lines(0); },
           "publication.lines", kViolated},
          {"resolved", [](auto&, auto&) {}, "publication.resolved", kSatisfied},
          {"deferred",
           [](auto& f, auto&) { f.mutable_lines(0)->set_resolution(v1::RESOLUTION_DEFER); },
           "publication.resolved", kViolated},
          {"withdrawn", [](auto& f, auto&) { f.mutable_lines(0)->set_withdrawn(true); },
           "publication.resolved", kViolated},
          {"right amounts", [](auto&, auto&) {}, "publication.amounts", kSatisfied},
          {"a fen more",
           [](auto& f, auto&) { f.mutable_lines(0)->set_listed_amount_fen(5'000'001); },
           "publication.amounts", kViolated},
          {"a wrong total", [](auto& f, auto&) { f.set_total_fen(4'999'999); },
           "publication.amounts", kViolated},
          {"reserved", [](auto&, auto&) {}, "publication.reserved", kSatisfied},
          {"not reserved", [](auto& f, auto&) { f.mutable_lines(0)->set_reserved_amount_fen(0); },
           "publication.reserved", kViolated},
          {"the line resolved", [](auto&, auto&) {}, "publication.line-digests", kSatisfied},
          {"another line", [](auto& f, auto&) { f.mutable_lines(0)->set_listed_line_digest("ac"); },
           "publication.line-digests", kViolated},
          {"no digest",
           [](auto& f, auto&) {
             f.mutable_lines(0)->clear_listed_line_digest();
             f.mutable_lines(0)->clear_resolved_line_digest();
           },
           "publication.line-digests", kViolated},
          {"standing", [](auto&, auto&) {}, "publication.standing", kSatisfied},
          {"closed since",
           [](auto& f, auto&) {
             *f.mutable_lines(0)->mutable_standing()->mutable_station()->mutable_closed_on() =
                 Date("2025-09-24");
           },
           "publication.standing", kViolated},
          {"a channel for objections", [](auto&, auto&) {}, "publication.objection-channel",
           kSatisfied},
          {"no telephone", [](auto& f, auto&) { f.clear_objection_phone(); },
           "publication.objection-channel", kViolated},
          {"no private data", [](auto&, auto&) {}, "publication.no-private-data", kSatisfied},
          {"a mobile number", [](auto& f, auto&) { f.set_text("联系人甲13812341234。"); },
           "publication.no-private-data", kViolated},
          {"an account number", [](auto& f, auto&) { f.set_text("账号1907 0101 0920 0012 345"); },
           "publication.no-private-data", kViolated},
      });
}

struct Period {
  const char* first;
  const char* last;
  bool provisional;
};

void ExpectPeriod(const std::optional<NoticePeriod>& period, const Period& expected,
                  const char* what) {
  ASSERT_TRUE(period) << what;
  EXPECT_EQ(FormatDay(period->first_counted_day), expected.first) << what;
  EXPECT_EQ(FormatDay(period->last_day), expected.last) << what;
  EXPECT_EQ(period->provisional, expected.provisional) << what;
  EXPECT_EQ(period->calendar_digest, policy::Calendar::Builtin().digest()) << what;
}

TEST(NoticePeriod, PlannedOverHolidaysAndYearEnds) {
  const struct {
    const char* published_on;
    Period later;      // the day of publication not counted
    Period first_day;  // counted
  } cases[] = {
      {"2021-09-15", {"2021-09-16", "2021-09-23", false}, {"2021-09-15", "2021-09-22", false}},
      {"2022-01-26", {"2022-01-27", "2022-02-07", false}, {"2022-01-26", "2022-01-30", false}},
      {"2024-02-06", {"2024-02-07", "2024-02-19", false}, {"2024-02-06", "2024-02-18", false}},
      {"2025-04-25", {"2025-04-27", "2025-05-06", false}, {"2025-04-25", "2025-04-30", false}},
      {"2026-09-18", {"2026-09-20", "2026-09-24", false}, {"2026-09-18", "2026-09-23", false}},
      // Published on a Sunday: the first working day is counted either way.
      {"2025-06-08", {"2025-06-09", "2025-06-13", false}, {"2025-06-09", "2025-06-13", false}},
      {"2021-12-29", {"2021-12-30", "2022-01-06", false}, {"2021-12-29", "2022-01-05", false}},
      {"2026-12-30", {"2026-12-31", "2027-01-06", true}, {"2026-12-30", "2027-01-05", true}},
  };
  Policy count_first_day = Yueyang();
  count_first_day.mutable_notice()->set_count_first_day(true);
  const policy::Calendar& calendar = policy::Calendar::Builtin();
  for (const auto& c : cases) {
    ExpectPeriod(PlannedNoticePeriod(Yueyang(), calendar, D(c.published_on)), c.later,
                 c.published_on);
    ExpectPeriod(PlannedNoticePeriod(count_first_day, calendar, D(c.published_on)), c.first_day,
                 c.published_on);
  }
}

void Down(NoticePeriodFacts& f, int posting, const char* from, const char* back) {
  v1::DownFacts* down = f.mutable_postings(posting)->add_down();
  *down->mutable_down_on() = Date(from);
  if (*back != '\0') *down->mutable_back_on() = Date(back);
}

// Live on 2025-06-09 (Monday), so counted from 06-10 to 06-16.
TEST(NoticePeriod, OfPostings) {
  const auto with = [](const std::function<void(NoticePeriodFacts&)>& change) {
    NoticePeriodFacts facts = GoodPeriod();
    for (auto& posting : *facts.mutable_postings()) *posting.mutable_live_on() = Date("2025-06-09");
    change(facts);
    return facts;
  };
  const struct {
    const char* what;
    std::function<void(NoticePeriodFacts&)> change;
    const char* resumed;    // last day, days down not counted; "": not running
    const char* restarted;  // last day, period begun anew
  } cases[] = {
      {"all at once", [](auto&) {}, "2025-06-16", "2025-06-16"},
      {"the last site a day later",
       [](auto& f) { *f.mutable_postings(1)->mutable_live_on() = Date("2025-06-10"); },
       "2025-06-17", "2025-06-17"},
      {"a site missing", [](auto& f) { f.mutable_postings()->RemoveLast(); }, "", ""},
      {"a site not live", [](auto& f) { f.mutable_postings(2)->clear_live_on(); }, "", ""},
      {"withdrawn", [](auto& f) { f.set_withdrawn(true); }, "", ""},
      {"down for an hour", [](auto& f) { Down(f, 0, "2025-06-11", "2025-06-11"); }, "2025-06-17",
       "2025-06-18"},
      {"down over two days", [](auto& f) { Down(f, 0, "2025-06-11", "2025-06-12"); }, "2025-06-18",
       "2025-06-19"},
      {"down over a weekend only", [](auto& f) { Down(f, 0, "2025-06-14", "2025-06-15"); },
       "2025-06-16", "2025-06-20"},
      {"two sites down on the same day",
       [](auto& f) {
         Down(f, 0, "2025-06-11", "2025-06-11");
         Down(f, 1, "2025-06-11", "2025-06-11");
       },
       "2025-06-17", "2025-06-18"},
      {"down on the last day", [](auto& f) { Down(f, 0, "2025-06-16", "2025-06-16"); },
       "2025-06-17", "2025-06-23"},
      {"down after the last day", [](auto& f) { Down(f, 0, "2025-06-17", "2025-06-18"); },
       "2025-06-16", "2025-06-16"},
      {"down after the last day, and still", [](auto& f) { Down(f, 0, "2025-06-17", ""); },
       "2025-06-16", "2025-06-16"},
      {"still down", [](auto& f) { Down(f, 0, "2025-06-12", ""); }, "", ""},
      {"down when the last site came",
       [](auto& f) {
         *f.mutable_postings(1)->mutable_live_on() = Date("2025-06-11");
         Down(f, 0, "2025-06-10", "2025-06-12");
       },
       "2025-06-19", "2025-06-19"},
      {"down before the last site came",
       [](auto& f) {
         *f.mutable_postings(1)->mutable_live_on() = Date("2025-06-12");
         Down(f, 0, "2025-06-10", "2025-06-11");
       },
       "2025-06-19", "2025-06-19"},
  };
  Policy restart = Yueyang();
  restart.mutable_notice()->set_interruption(policy::v1::INTERRUPTION_HANDLING_RESTART);
  for (const auto& c : cases) {
    const NoticePeriodFacts facts = with(c.change);
    const auto last = [&](const Policy& policy) {
      const auto period = NoticePeriodOf(policy, policy::Calendar::Builtin(), facts);
      return period ? FormatDay(period->last_day) : std::string();
    };
    EXPECT_EQ(last(Yueyang()), c.resumed) << c.what;
    EXPECT_EQ(last(restart), c.restarted) << c.what;
  }
}

// Over National Day of 2025 with its make-up Sunday 09-28: counted 09-25, 26, 28, 29, 30.
TEST(Notice, HasRunOutOnlyAfterTheLastDay) {
  const struct {
    const char* today;
    Outcome outcome;
    const char* changes_on;
  } cases[] = {{"2025-09-29", kViolated, "2025-10-01"},
               {"2025-09-30", kViolated, "2025-10-01"},
               {"2025-10-01", kSatisfied, ""},
               {"2025-10-10", kSatisfied, ""}};
  for (const auto& c : cases) {
    const Findings findings =
        NoticeHasRunOut(Yueyang(), policy::Calendar::Builtin(), GoodPeriod(), D(c.today));
    const Finding& finding = *Find(findings, "notice.period");
    EXPECT_EQ(finding.outcome(), c.outcome) << c.today;
    EXPECT_EQ(Allows(findings), c.outcome == kSatisfied) << c.today;
    const auto changes = DayFromProto(finding.changes_on());
    EXPECT_EQ(changes ? FormatDay(*changes) : "", c.changes_on) << c.today;
  }
}

void LiveOn(NoticePeriodFacts& f, const char* day) {
  for (auto& posting : *f.mutable_postings()) *posting.mutable_live_on() = Date(day);
}

TEST(Notice, WhatElseHoldsThePeriodOpen) {
  RunCases<NoticePeriodFacts>(
      GoodPeriod(), "2025-10-10", NoticeHasRunOut,
      {
          {"standing", [](auto&, auto&) {}, "notice.not-withdrawn", kSatisfied},
          {"withdrawn", [](auto& f, auto&) { f.set_withdrawn(true); }, "notice.not-withdrawn",
           kViolated},
          {"all sites", [](auto&, auto&) {}, "notice.sites", kSatisfied},
          {"a site missing", [](auto& f, auto&) { f.mutable_postings()->RemoveLast(); },
           "notice.sites", kViolated},
          {"live only tomorrow",
           [](auto& f, auto&) { *f.mutable_postings(0)->mutable_live_on() = Date("2025-10-11"); },
           "notice.sites", kViolated},
          {"a city with other sites",
           [](auto& f, Policy& p) {
             f.mutable_postings()->RemoveLast();
             p.mutable_notice()->mutable_sites()->RemoveLast();
           },
           "notice.sites", kSatisfied},
          {"the right list", [](auto&, auto&) {}, "notice.content", kSatisfied},
          {"another list on one site",
           [](auto& f, auto&) { f.mutable_postings(1)->set_list_digest("other"); },
           "notice.content", kViolated},
          {"down", [](auto& f, auto&) { Down(f, 0, "2025-09-26", ""); }, "notice.period",
           kViolated},
          {"a longer period", [](auto&, Policy& p) { p.mutable_notice()->set_working_days(7); },
           "notice.period", kViolated, "2025-10-11"},
          {"a period that just ended",
           [](auto&, Policy& p) { p.mutable_notice()->set_working_days(6); }, "notice.period",
           kSatisfied},
          {"decided days", [](auto&, auto&) {}, "notice.calendar", kSatisfied},
          {"not running", [](auto& f, auto&) { f.mutable_postings()->RemoveLast(); },
           "notice.calendar", kNotApplicable},
      });
  // Into a year without a notice of the State Council nothing runs out, however late it is asked.
  NoticePeriodFacts facts = GoodPeriod();
  LiveOn(facts, "2026-12-30");
  const Findings findings =
      NoticeHasRunOut(Yueyang(), policy::Calendar::Builtin(), facts, D("2027-03-01"));
  EXPECT_EQ(Find(findings, "notice.calendar")->outcome(), kViolated);
  EXPECT_EQ(Find(findings, "notice.period")->outcome(), kSatisfied);
  EXPECT_FALSE(Allows(findings));
}

TEST(Objection, ArticleFiveFour) {
  ObjectionFacts good;
  good.set_kind(v1::OBJECTOR_KIND_PERSON);
  good.set_named(true);
  good.set_contact_given(true);
  good.set_written(true);
  *good.mutable_received_on() = Date("2025-09-30");
  *good.mutable_period() = GoodPeriod();
  RunCases<ObjectionFacts>(
      good, "2025-10-20", CheckObjection,
      {
          {"on the last day", [](auto&, auto&) {}, "objection.in-time", kSatisfied},
          {"a day late", [](auto& f, auto&) { *f.mutable_received_on() = Date("2025-10-01"); },
           "objection.in-time", kViolated},
          {"before the period begins",
           [](auto& f, auto&) { *f.mutable_received_on() = Date("2025-09-24"); },
           "objection.in-time", kSatisfied},
          {"while a posting is down",
           [](auto& f, auto&) {
             Down(*f.mutable_period(), 0, "2025-09-26", "");
             *f.mutable_received_on() = Date("2025-10-15");
           },
           "objection.in-time", kSatisfied},
          {"no day of receipt", [](auto& f, auto&) { f.clear_received_on(); }, "objection.in-time",
           kViolated},
          {"after a last day that is provisional",
           [](auto& f, auto&) {
             LiveOn(*f.mutable_period(), "2006-12-01");
             *f.mutable_received_on() = Date("2006-12-20");
           },
           "objection.in-time", kSatisfied},
          {"written", [](auto&, auto&) {}, "objection.written", kSatisfied},
          {"by word of mouth", [](auto& f, auto&) { f.set_written(false); }, "objection.written",
           kViolated},
          {"under the real name", [](auto&, auto&) {}, "objection.objector-known", kSatisfied},
          {"without contact", [](auto& f, auto&) { f.set_contact_given(false); },
           "objection.objector-known", kViolated},
          {"a unit under its seal",
           [](auto& f, auto&) {
             f.set_kind(v1::OBJECTOR_KIND_UNIT);
             f.set_sealed(true);
           },
           "objection.objector-known", kSatisfied},
          {"a unit without seal", [](auto& f, auto&) { f.set_kind(v1::OBJECTOR_KIND_UNIT); },
           "objection.objector-known", kViolated},
          {"anonymous", [](auto& f, auto&) { f.set_kind(v1::OBJECTOR_KIND_ANONYMOUS); },
           "objection.objector-known", kViolated},
          {"anonymous, where it holds",
           [](auto& f, Policy& p) {
             f.set_kind(v1::OBJECTOR_KIND_ANONYMOUS);
             p.mutable_notice()->set_anonymous_objection_holds(true);
           },
           "objection.objector-known", kRemark},
      });
}

}  // namespace
}  // namespace yuezhan::rules
