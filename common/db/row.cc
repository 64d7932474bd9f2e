#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/db/session.h"

namespace yuezhan::db {

const Row::Cell& Row::At(int column) const {
  if (column < 0 || column >= static_cast<int>(cells_.size())) {
    throw Error(0, absl::StrCat("column ", column, " of a row of ", cells_.size()));
  }
  return cells_[static_cast<size_t>(column)];
}

bool Row::IsNull(int column) const { return At(column).index() == 0; }

int64_t Row::Int(int column) const {
  const Cell& cell = At(column);
  if (const auto* number = std::get_if<int64_t>(&cell)) return *number;
  int64_t value = 0;
  // SUM of integers comes as DECIMAL, which the driver gives as text.
  const auto* text = std::get_if<std::string>(&cell);
  if (text == nullptr || !absl::SimpleAtoi(*text, &value)) {
    throw Error(0,
                absl::StrCat("column ", column, text == nullptr ? " is NULL" : " is no integer"));
  }
  return value;
}

const std::string& Row::Text(int column) const {
  const auto* text = std::get_if<std::string>(&At(column));
  if (text == nullptr)
    throw Error(0, absl::StrCat("column ", column, IsNull(column) ? " is NULL" : " is a number"));
  return *text;
}

std::optional<int64_t> Row::OptionalInt(int column) const {
  return IsNull(column) ? std::nullopt : std::optional(Int(column));
}
std::optional<std::string> Row::OptionalText(int column) const {
  return IsNull(column) ? std::nullopt : std::optional(Text(column));
}
std::optional<absl::Time> Row::OptionalTime(int column) const {
  return IsNull(column) ? std::nullopt : std::optional(Time(column));
}

}  // namespace yuezhan::db
