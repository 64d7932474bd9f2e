#include "common/policy/calendar.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/dates.h"
#include "common/base/digest.h"
#include "common/base/text.h"

namespace yuezhan::embedded {
extern const char kCnWorkingDays[];
}

namespace yuezhan::policy {
namespace {

// From this day of December on a day may be decided by the next year's notice, as 2007-12-29 and
// 2011-12-31 were: it is known only with that notice.
constexpr int kLateDecember = 25;

int Number(absl::CivilDay day) { return static_cast<int>(day - absl::CivilDay(1970, 1, 1)); }

bool IsWeekday(absl::CivilDay day) {
  const absl::Weekday weekday = absl::GetWeekday(day);
  return weekday != absl::Weekday::saturday && weekday != absl::Weekday::sunday;
}

}  // namespace

absl::StatusOr<Calendar> Calendar::Parse(std::string_view csv, std::string_view name) {
  Calendar calendar;
  std::vector<std::string> errors;
  int line_number = 0;
  bool header_seen = false;
  for (absl::string_view line : absl::StrSplit(Abs(csv), '\n')) {
    ++line_number;
    line = absl::StripSuffix(line, "\r");
    if (line_number == 1) line = absl::StripPrefix(line, "\xEF\xBB\xBF");
    if (line.empty() || line[0] == '#') continue;
    if (!header_seen) {
      header_seen = true;
      if (line == "date,kind,holiday,notice_year") continue;
      return absl::InvalidArgumentError(absl::StrCat(
          Abs(name), ":", line_number, ": the header must be date,kind,holiday,notice_year"));
    }
    const std::vector<absl::string_view> cells = absl::StrSplit(line, ',');
    const std::optional<Day> day = ParseDay(Std(cells[0]));
    int year = 0;
    const char* wrong = nullptr;
    if (cells.size() != 4) {
      wrong = "four cells expected";
    } else if (!day) {
      wrong = "not a date";
    } else if (cells[1] != "off" && cells[1] != "work") {
      wrong = "kind must be off or work";
    } else if (!absl::SimpleAtoi(cells[3], &year) || year < day->year() || year > day->year() + 1) {
      wrong = "notice_year must be the day's year or the next";
    } else if (!calendar.works_.emplace(Number(*day), cells[1] == "work").second) {
      wrong = "the day stands here twice";
    }
    if (wrong != nullptr) {
      errors.push_back(absl::StrCat(Abs(name), ":", line_number, ": ", wrong));
    } else {
      calendar.known_years_.push_back(year);
    }
  }
  if (calendar.known_years_.empty() && errors.empty()) {
    errors.push_back(absl::StrCat(Abs(name), ":", line_number, ": no day at all"));
  }
  if (!errors.empty()) return absl::InvalidArgumentError(absl::StrJoin(errors, "\n"));
  auto& years = calendar.known_years_;
  std::sort(years.begin(), years.end());
  years.erase(std::unique(years.begin(), years.end()), years.end());
  calendar.digest_ = ToHex(Sha256(csv));
  calendar.text_ = std::string(csv);
  return calendar;
}

absl::StatusOr<Calendar> Calendar::LoadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::NotFoundError(absl::StrCat("cannot read the calendar ", path));
  }
  return Parse(text.str(), path);
}

const Calendar& Calendar::Builtin() {
  static const Calendar* const calendar =
      new Calendar(Parse(embedded::kCnWorkingDays, "built-in calendar").value());
  return *calendar;
}

absl::StatusOr<Calendar> Calendar::LoadFileOrBuiltin(const std::string& path) {
  if (path.empty()) return Builtin();
  return LoadFile(path);
}

bool Calendar::Knows(int year) const {
  return std::binary_search(known_years_.begin(), known_years_.end(), year);
}

bool Calendar::KnowsDay(absl::CivilDay day) const {
  const int year = static_cast<int>(day.year());
  if (!Knows(year)) return false;
  return day.month() != 12 || day.day() < kLateDecember || Knows(year + 1);
}

bool Calendar::IsWorkingDay(absl::CivilDay day) const {
  const auto departs = works_.find(Number(day));
  return departs != works_.end() ? departs->second : IsWeekday(day);
}

CountedDay Calendar::AddWorkingDays(absl::CivilDay day, int n) const {
  CountedDay counted{day};
  while (n > 0) {
    ++counted.day;
    if (!KnowsDay(counted.day)) counted.provisional = true;
    if (IsWorkingDay(counted.day)) --n;
  }
  return counted;
}

CountedDay Calendar::FirstWorkingDayFrom(absl::CivilDay day) const {
  return AddWorkingDays(day - 1, 1);
}

int Calendar::WorkingDaysBetween(absl::CivilDay after, absl::CivilDay until) const {
  int n = 0;
  for (absl::CivilDay day = after + 1; day <= until; ++day) n += IsWorkingDay(day);
  return n;
}

}  // namespace yuezhan::policy
