// Tables as comma-separated text, as offices and banks exchange them, in UTF-8 or GB18030.
#ifndef YUEZHAN_COMMON_BASE_CSV_H_
#define YUEZHAN_COMMON_BASE_CSV_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace yuezhan {

// One line with its line end: cells in quotes where they need it. A text that a spreadsheet would
// take for a formula gets an apostrophe before it.
std::string CsvLine(const std::vector<std::string>& cells);

// The cells of each line (RFC 4180; line ends of either kind). INVALID_ARGUMENT for a quote that
// does not end.
absl::StatusOr<std::vector<std::vector<std::string>>> ParseCsv(std::string_view text);

// INVALID_ARGUMENT for what is not of the character set.
absl::StatusOr<std::string> Utf8ToGb18030(std::string_view text);
absl::StatusOr<std::string> Gb18030ToUtf8(std::string_view text);
// A file of either character set as UTF-8, without byte order mark: what is valid UTF-8 is taken
// for it.
absl::StatusOr<std::string> TextToUtf8(std::string_view bytes);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_CSV_H_
