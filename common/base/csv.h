// Tables as comma-separated text, as offices and banks exchange them, in UTF-8 or GB18030.
#ifndef YUEZHAN_COMMON_BASE_CSV_H_
#define YUEZHAN_COMMON_BASE_CSV_H_

#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace yuezhan {

// One line with its line end: cells in quotes where they need it. A text that a spreadsheet would
// take for a formula gets an apostrophe before it.
std::string CsvLine(const std::vector<std::string>& cells);

class Charset;

// Reads rows (RFC 4180; line ends of either kind) one by one, in little memory however many there
// are, as UTF-8: what begins as UTF-8, with or without byte order mark, is taken for it, else it is
// GB18030.
class CsvReader {
 public:
  // `in` outlives the reader.
  explicit CsvReader(std::istream& in);
  ~CsvReader();

  // The next row in which a cell is filled; false at the end. INVALID_ARGUMENT naming the line of
  // a quotation mark that does not end, a cell that is too long, or text in neither encoding.
  absl::StatusOr<bool> Next(std::vector<std::string>* cells);
  // Line on which the last row began, from 1.
  int line() const { return row_line_; }
  // Bytes read so far.
  int64_t read_bytes() const { return read_; }

 private:
  int Get();
  absl::StatusOr<std::string> Decode(std::string cell) const;

  std::istream& in_;
  std::string ahead_;  // read to tell the encoding
  size_t ahead_at_ = 0;
  const char* encoding_ = "UTF-8";
  std::unique_ptr<Charset> charset_;
  int line_ = 1, row_line_ = 1;
  int64_t read_ = 0;
};

// All rows of a text.
absl::StatusOr<std::vector<std::vector<std::string>>> ParseCsv(std::string_view content);

// INVALID_ARGUMENT for what GB18030 has no character for.
absl::StatusOr<std::string> Utf8ToGb18030(std::string_view text);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_CSV_H_
