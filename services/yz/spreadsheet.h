#ifndef YUEZHAN_SERVICES_YZ_SPREADSHEET_H_
#define YUEZHAN_SERVICES_YZ_SPREADSHEET_H_

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace yuezhan::yz {

// A spreadsheet as text (common/base/csv.h), read row by row in little memory however large it is:
// UTF-8 with or without a byte order mark, else GB18030.
class CsvReader {
 public:
  // NOT_FOUND; INVALID_ARGUMENT when it is neither UTF-8 nor GB18030.
  static absl::StatusOr<std::unique_ptr<CsvReader>> Open(const std::string& path);

  // The next row that is not empty; false at the end. INVALID_ARGUMENT with the line where a quote
  // does not end or the text is in neither encoding.
  absl::StatusOr<bool> Next(std::vector<std::string>* cells);
  // Line on which the last row began, from 1.
  int line() const { return row_line_; }
  // Bytes of the file, and those read so far.
  int64_t size_bytes() const { return size_; }
  int64_t read_bytes() const { return read_; }
  const std::string& encoding() const { return encoding_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  CsvReader() = default;
  int Get();
  absl::StatusOr<std::string> Decode(std::string cell) const;

  std::unique_ptr<std::FILE, Close> file_;
  std::string encoding_ = "UTF-8";
  int line_ = 1, row_line_ = 1;
  int64_t size_ = 0, read_ = 0;
};

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_SPREADSHEET_H_
