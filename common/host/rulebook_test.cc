// By which version, on which day, and by which calendar is judged.
#include "common/host/rulebook.h"

#include <cstdlib>
#include <ctime>
#include <fstream>

#include "common/base/ids.h"
#include "gtest/gtest.h"

namespace yuezhan {
namespace {

constexpr char kHeader[] = "date,kind,holiday,notice_year\n";

Rulebook NineChains() {
  const std::string source = std::getenv("YUEZHAN_SOURCE");
  return Rulebook(policy::Policies::LoadFile(
                      source + "/common/policy/examples/yueyang_nine_chains.textproto")
                      .value(),
                  policy::Calendar::Builtin());
}

absl::Time Utc(int year, int month, int day, int hour, int minute, int second) {
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, second),
                         absl::UTCTimeZone());
}

// The day, and with it the version in force, turns at 16:00:00 UTC, in whatever zone the machine
// stands.
TEST(Rulebook, TheDayTurnsInBeijing) {
  const Rulebook rulebook = NineChains();
  for (const char* zone : {"UTC", "America/Los_Angeles", "Asia/Shanghai", "Pacific/Kiritimati"}) {
    setenv("TZ", zone, 1);
    tzset();
    const auto before = rulebook.At(Utc(2025, 12, 31, 15, 59, 59));
    ASSERT_TRUE(before.ok());
    EXPECT_EQ(before->today, Day(2025, 12, 31)) << zone;
    EXPECT_EQ(before->reference.version(), "yueyang-2021") << zone;
    const auto after = rulebook.At(Utc(2025, 12, 31, 16, 0, 0));
    ASSERT_TRUE(after.ok());
    EXPECT_EQ(after->today, Day(2026, 1, 1)) << zone;
    EXPECT_EQ(after->reference.version(), "yueyang-nine-chains") << zone;
  }
  unsetenv("TZ");
}

TEST(Rulebook, BeforeTheFirstVersionNothingIsJudged) {
  const Rulebook rulebook = NineChains();
  EXPECT_EQ(rulebook.At(Utc(2021, 3, 21, 15, 59, 59)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(rulebook.At(Utc(2021, 3, 21, 16, 0, 0)).ok());
}

TEST(Rulebook, ACalendarIsReadAgainWhenItsFileChanges) {
  const std::string path = testing::TempDir() + "calendar-" + NewUuid() + ".csv";
  int writes = 0;
  const auto write = [&](const std::string& rows) {
    std::ofstream(path) << kHeader << rows;
    // Later than the write before, whatever the file system's clock counts in.
    const auto base = std::filesystem::file_time_type::clock::now();
    std::filesystem::last_write_time(path, base + std::chrono::seconds(++writes));
  };
  write("2020-01-01,off,元旦,2020\n");
  Rulebook rulebook(policy::Policies::Builtin(), policy::Calendar::LoadFile(path).value());
  const absl::Time now = BeijingMidnight(Day(2022, 1, 1));
  EXPECT_FALSE(rulebook.ReloadCalendar(path).value()) << "the one that is loaded";
  const auto held = rulebook.At(now)->calendar;
  EXPECT_EQ(held->AddWorkingDays(Day(2020, 1, 30), 1).day, Day(2020, 1, 31));

  write("2020-01-01,off,元旦,2020\n2020-01-31,off,春节,2020\n");
  EXPECT_TRUE(rulebook.ReloadCalendar(path).value());
  EXPECT_FALSE(rulebook.ReloadCalendar(path).value());
  EXPECT_EQ(rulebook.At(now)->calendar->AddWorkingDays(Day(2020, 1, 30), 1).day, Day(2020, 2, 3));
  EXPECT_EQ(held->AddWorkingDays(Day(2020, 1, 30), 1).day, Day(2020, 1, 31))
      << "who is judging goes on with what it began with";

  const std::string good = rulebook.calendar()->digest();
  write("2020-01-32,off,x,2020\n");
  EXPECT_EQ(rulebook.ReloadCalendar(path).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(rulebook.calendar()->digest(), good);
  EXPECT_FALSE(rulebook.ReloadCalendar(path).value()) << "told once";
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace yuezhan
