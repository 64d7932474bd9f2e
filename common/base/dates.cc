#include "common/base/dates.h"

#include "absl/strings/str_cat.h"
#include "google/type/date.pb.h"

namespace yuezhan {
namespace {

std::optional<Day> Valid(int64_t year, int month, int day) {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31)
    return std::nullopt;
  Day civil(year, month, day);
  if (civil.day() != day) return std::nullopt;  // 30 February was normalized into March.
  return civil;
}

}  // namespace

absl::TimeZone Beijing() { return absl::FixedTimeZone(8 * 60 * 60); }

Day BeijingDay(absl::Time time) { return absl::ToCivilDay(time, Beijing()); }

absl::Time BeijingMidnight(Day day) { return absl::FromCivil(day, Beijing()); }

std::optional<Day> DayFromProto(const google::type::Date& date) {
  return Valid(date.year(), date.month(), date.day());
}

google::type::Date DayToProto(Day day) {
  google::type::Date date;
  date.set_year(static_cast<int>(day.year()));
  date.set_month(day.month());
  date.set_day(day.day());
  return date;
}

std::optional<Day> ParseDay(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  int parts[3] = {0, 0, 0};
  int part = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == 4 || i == 7) {
      ++part;
    } else if (text[i] < '0' || text[i] > '9') {
      return std::nullopt;
    } else {
      parts[part] = parts[part] * 10 + (text[i] - '0');
    }
  }
  return Valid(parts[0], parts[1], parts[2]);
}

std::string FormatDay(Day day) {
  std::string text = "0000-00-00";
  int year = static_cast<int>(day.year());
  for (int at = 3; at >= 0; --at, year /= 10) text[at] = static_cast<char>('0' + year % 10);
  text[5] = static_cast<char>('0' + day.month() / 10);
  text[6] = static_cast<char>('0' + day.month() % 10);
  text[8] = static_cast<char>('0' + day.day() / 10);
  text[9] = static_cast<char>('0' + day.day() % 10);
  return text;
}

std::string FormatDayZh(Day day) {
  return absl::StrCat(day.year(), "年", day.month(), "月", day.day(), "日");
}

}  // namespace yuezhan
