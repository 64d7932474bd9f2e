// Working days by the State Council's yearly notices.
#ifndef YUEZHAN_COMMON_POLICY_CALENDAR_H_
#define YUEZHAN_COMMON_POLICY_CALENDAR_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

namespace yuezhan::policy {

// A day counted to, and whether a year without a notice was crossed on the way: then the day is
// what a plain Monday-to-Friday week would give, to plan with, and nothing may be decided on it.
struct CountedDay {
  absl::CivilDay day;
  bool provisional = false;
};

// Immutable. A service that reloads keeps a std::shared_ptr<const Calendar> and swaps it.
class Calendar {
 public:
  // `csv`: the header "date,kind,holiday,notice_year", then one row a day that departs from the
  // plain week, kind "off" or "work"; '#' starts a comment. A year is known when it has a row of
  // its own notice. InvalidArgument with "name:line: what" for each wrong row.
  static absl::StatusOr<Calendar> Parse(std::string_view csv, std::string_view name);
  static absl::StatusOr<Calendar> LoadFile(const std::string& path);
  static const Calendar& Builtin();
  // LoadFile(path), or Builtin() when `path` is empty.
  static absl::StatusOr<Calendar> LoadFileOrBuiltin(const std::string& path);

  // Whether a notice of that year is known.
  bool Knows(int year) const;
  // Whether that day is decided: its year is known, and for the last week of December the next year
  // too, whose notice may decide it.
  bool KnowsDay(absl::CivilDay day) const;
  // Whether it is a working day; of an unknown year: whether it is Monday to Friday.
  bool IsWorkingDay(absl::CivilDay day) const;
  // The n-th working day after `day`, which itself does not count. n >= 1.
  CountedDay AddWorkingDays(absl::CivilDay day, int n) const;
  // `day` if it is a working day, else the next one.
  CountedDay FirstWorkingDayFrom(absl::CivilDay day) const;
  // Working days in (after, until]; 0 when until <= after.
  int WorkingDaysBetween(absl::CivilDay after, absl::CivilDay until) const;

  // SHA-256 of the data, lower-case hex: every stored end date says which calendar made it.
  const std::string& digest() const { return digest_; }
  // The data, for evidence.
  const std::string& text() const { return text_; }
  int first_known_year() const { return known_years_.front(); }
  int last_known_year() const { return known_years_.back(); }

 private:
  absl::flat_hash_map<int, bool>
      works_;                     // Days since 1970 that depart from the week → working day.
  std::vector<int> known_years_;  // Ascending.
  std::string digest_;
  std::string text_;
};

}  // namespace yuezhan::policy

#endif  // YUEZHAN_COMMON_POLICY_CALENDAR_H_
