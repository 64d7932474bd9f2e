#include "common/policy/calendar.h"

#include <random>

#include "common/base/dates.h"
#include "gtest/gtest.h"

namespace yuezhan::policy {
namespace {

constexpr char kHeader[] = "date,kind,holiday,notice_year\n";

Day OnDay(const char* text) { return *ParseDay(text); }

TEST(Dates, BeijingDayTurnsAt16HoursUtc) {
  const absl::Time before =
      absl::FromCivil(absl::CivilSecond(2021, 12, 31, 15, 59, 59), absl::UTCTimeZone());
  EXPECT_EQ(BeijingDay(before), OnDay("2021-12-31"));
  EXPECT_EQ(BeijingDay(before + absl::Seconds(1)), OnDay("2022-01-01"));
  EXPECT_EQ(BeijingMidnight(OnDay("2022-01-01")), before + absl::Seconds(1));
}

TEST(Dates, TextBothWays) {
  for (const char* good : {"2020-02-29", "0001-01-01", "9999-12-31"})
    EXPECT_EQ(FormatDay(OnDay(good)), good);
  for (const char* bad : {"", "2021-02-29", "2021-2-3", "2021-13-01", "2021-00-10", "0000-01-01",
                          "2021-01-32", "2021/01/01", "2021-01-01 ", "２０２１-01-01"}) {
    EXPECT_FALSE(ParseDay(bad)) << bad;
  }
  EXPECT_EQ(FormatDayZh(OnDay("2021-03-05")), "2021年3月5日");
}

// Five working days, the day of publication not counted, across the long holidays and their make-up
// days.
TEST(Calendar, FiveWorkingDays) {
  const struct {
    const char* from;
    const char* last;
  } cases[] = {
      {"2021-09-15", "2021-09-23"}, {"2022-01-26", "2022-02-07"}, {"2024-02-06", "2024-02-19"},
      {"2025-04-25", "2025-05-06"}, {"2026-09-18", "2026-09-24"}, {"2007-09-28", "2007-10-10"},
      {"2020-01-22", "2020-02-06"}, {"2021-12-30", "2022-01-07"}, {"2019-04-30", "2019-05-09"},
      {"2015-09-02", "2015-09-10"},
  };
  for (const auto& c : cases) {
    const CountedDay last = Calendar::Builtin().AddWorkingDays(OnDay(c.from), 5);
    EXPECT_EQ(FormatDay(last.day), c.last) << c.from;
    EXPECT_FALSE(last.provisional) << c.from;
  }
}

// Days off in a row around `day`; 0 when it is a working day.
int RestAround(Day day) {
  const Calendar& calendar = Calendar::Builtin();
  int days = 0;
  for (Day d = day; !calendar.IsWorkingDay(d); ++d) ++days;
  for (Day d = day - 1; days > 0 && !calendar.IsWorkingDay(d); --d) ++days;
  return days;
}

// National Day and Spring Festival are a week long, and weekends make up for them, in every year.
TEST(Calendar, LongHolidaysOfEveryYear) {
  const Calendar& calendar = Calendar::Builtin();
  EXPECT_EQ(calendar.first_known_year(), 2007);
  EXPECT_EQ(calendar.last_known_year(), 2026);
  for (int year = 2007; year <= 2026; ++year) {
    EXPECT_TRUE(calendar.Knows(year)) << year;
    EXPECT_FALSE(calendar.IsWorkingDay(Day(year, 1, 1))) << year;
    EXPECT_GE(RestAround(Day(year, 10, 1)), 7) << year;
    int spring_festival = 0;
    for (Day day(year, 1, 20); day <= Day(year, 2, 25); ++day) {
      spring_festival = std::max(spring_festival, RestAround(day));
    }
    EXPECT_GE(spring_festival, 7) << year;
    int make_up = 0;
    for (Day day(year, 1, 1); day.year() == year; ++day) {
      const absl::Weekday weekday = absl::GetWeekday(day);
      const bool weekend = weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
      make_up += weekend && calendar.IsWorkingDay(day);
    }
    EXPECT_GE(make_up, 4) << year;
  }
  EXPECT_TRUE(calendar.IsWorkingDay(OnDay("2021-09-18")));   // make-up Saturday
  EXPECT_FALSE(calendar.IsWorkingDay(OnDay("2021-09-20")));  // Monday off
  EXPECT_TRUE(calendar.IsWorkingDay(OnDay("2006-12-30")));   // decided by the notice of 2007
}

TEST(Calendar, UnpublishedYearsAreProvisional) {
  const Calendar& calendar = Calendar::Builtin();
  EXPECT_FALSE(calendar.AddWorkingDays(OnDay("2026-12-17"), 5).provisional);
  EXPECT_EQ(calendar.AddWorkingDays(OnDay("2026-12-17"), 5).day, OnDay("2026-12-24"));
  // The last week of December may be decided by the next year's notice, as in 2018 and 2022.
  EXPECT_TRUE(calendar.AddWorkingDays(OnDay("2026-12-18"), 5).provisional);
  EXPECT_TRUE(calendar.AddWorkingDays(OnDay("2026-12-30"), 5).provisional);
  EXPECT_TRUE(calendar.AddWorkingDays(OnDay("2006-11-01"), 1).provisional);
  EXPECT_TRUE(calendar.KnowsDay(OnDay("2025-12-31")));
  EXPECT_FALSE(calendar.KnowsDay(OnDay("2026-12-31")));
  EXPECT_FALSE(calendar.KnowsDay(OnDay("2027-01-01")));
}

TEST(Calendar, AReloadedNoticeMovesTheDay) {
  const auto before = Calendar::Parse(std::string(kHeader) + "2020-01-01,off,元旦,2020\n", "a.csv");
  const auto after = Calendar::Parse(
      std::string(kHeader) + "2020-01-01,off,元旦,2020\n2020-01-31,off,春节,2020\n", "b.csv");
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->AddWorkingDays(OnDay("2020-01-30"), 1).day, OnDay("2020-01-31"));
  EXPECT_EQ(after->AddWorkingDays(OnDay("2020-01-30"), 1).day, OnDay("2020-02-03"));
  EXPECT_NE(before->digest(), after->digest());
}

TEST(Calendar, WrongRowsAreNamed) {
  const auto parsed = Calendar::Parse(std::string(kHeader) +
                                          "2020-01-01,off,元旦,2020\n"
                                          "2020-02-30,off,x,2020\n"
                                          "2020-01-02,free,x,2020\n"
                                          "2020-01-03,off,x,2022\n"
                                          "2020-01-01,work,x,2020\n"
                                          "2020-01-04,off\n",
                                      "c.csv");
  ASSERT_FALSE(parsed.ok());
  for (const char* line : {"c.csv:3: not a date", "c.csv:4: kind", "c.csv:5: notice_year",
                           "c.csv:6: the day stands here twice", "c.csv:7: four cells"}) {
    EXPECT_NE(std::string(parsed.status().message()).find(line), std::string::npos) << line;
  }
  EXPECT_FALSE(Calendar::Parse("", "d.csv").ok());
  EXPECT_FALSE(Calendar::Parse("day,kind\n", "d.csv").ok());
  EXPECT_FALSE(Calendar::LoadFile("no/such/file").ok());
}

TEST(CalendarProperty, CountingForwardAndCheckingBackwardAgree) {
  const Calendar& calendar = Calendar::Builtin();
  std::mt19937 random(20210322);
  const Day first = OnDay("2007-01-01");
  for (int i = 0; i < 100'000; ++i) {
    const Day from = first + static_cast<int>(random() % 7'000);
    const int n = 1 + static_cast<int>(random() % 30);
    const Day last = calendar.AddWorkingDays(from, n).day;
    ASSERT_TRUE(calendar.IsWorkingDay(last)) << FormatDay(from) << " + " << n;
    ASSERT_EQ(calendar.WorkingDaysBetween(from, last), n) << FormatDay(from);
    ASSERT_EQ(calendar.WorkingDaysBetween(from, last - 1), n - 1) << FormatDay(from);
  }
}

}  // namespace
}  // namespace yuezhan::policy
