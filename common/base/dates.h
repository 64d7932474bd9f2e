// Civil days and the one place where they are made from, and turned into, anything else.
#ifndef YUEZHAN_COMMON_BASE_DATES_H_
#define YUEZHAN_COMMON_BASE_DATES_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace google::type {
class Date;
}

namespace yuezhan {

using Day = absl::CivilDay;

// The zone of every date in this system: fixed +08:00, never the machine's. China has had no
// daylight saving since 1991.
absl::TimeZone Beijing();

// The day on which `time` falls in Beijing.
Day BeijingDay(absl::Time time);

// 00:00 of `day` in Beijing; the end of a day is the start of the next.
absl::Time BeijingMidnight(Day day);

// A date that names one day of the calendar (years 1 to 9999); anything else, an unset date too, is
// nothing.
std::optional<Day> DayFromProto(const google::type::Date& date);
google::type::Date DayToProto(Day day);

// "2021-03-22", strictly.
std::optional<Day> ParseDay(std::string_view text);
std::string FormatDay(Day day);

// "2021年3月22日", as sentences and documents print it.
std::string FormatDayZh(Day day);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_DATES_H_
