#include "common/base/csv.h"

#include <iconv.h>

#include <cerrno>
#include <cstdio>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/status_macros.h"

namespace yuezhan {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// Looked at to tell the encoding.
constexpr size_t kProbeBytes = 64 << 10;
constexpr size_t kMaxCellBytes = 64 << 10;

}  // namespace

// A conversion from one character set to another.
class Charset {
 public:
  Charset(const char* to, const char* from) : converter_(iconv_open(to, from)) {}
  ~Charset() {
    if (IsOpen()) iconv_close(converter_);
  }
  Charset(const Charset&) = delete;
  Charset& operator=(const Charset&) = delete;

  // `cut`: the text may end in the middle of a character.
  absl::StatusOr<std::string> Convert(std::string_view text, bool cut = false) const {
    if (!IsOpen()) return absl::InternalError("iconv");
    iconv(converter_, nullptr, nullptr, nullptr, nullptr);  // as if it were new
    std::string out(text.size() * 4 + 16, '\0');
    char* in_at = const_cast<char*>(text.data());
    size_t in_left = text.size();
    char* out_at = out.data();
    size_t out_left = out.size();
    const size_t result = iconv(converter_, &in_at, &in_left, &out_at, &out_left);
    if (result == static_cast<size_t>(-1) && !(cut && errno == EINVAL))
      return absl::InvalidArgumentError("the text is not of its character set");
    out.resize(out.size() - out_left);
    return out;
  }

 private:
  bool IsOpen() const { return converter_ != reinterpret_cast<iconv_t>(-1); }
  const iconv_t converter_;
};

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    const bool formula =
        !cell.empty() && std::string_view("=+-@\t\r").find(cell[0]) != std::string_view::npos;
    const std::string text = formula ? absl::StrCat("'", cell) : cell;
    if (&cell != &cells.front()) line += ',';
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
      line += text;
    } else {
      absl::StrAppend(&line, "\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
    }
  }
  return line + "\r\n";
}

CsvReader::CsvReader(std::istream& in) : in_(in), ahead_(kProbeBytes, '\0') {
  in_.read(ahead_.data(), static_cast<std::streamsize>(ahead_.size()));
  ahead_.resize(static_cast<size_t>(in_.gcount()));
  if (ahead_.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0)
    ahead_at_ = kByteOrderMark.size();
  charset_ = std::make_unique<Charset>("UTF-8", encoding_);
  if (charset_->Convert(ahead_, ahead_.size() == kProbeBytes).ok()) return;
  encoding_ = "GB18030";
  charset_ = std::make_unique<Charset>("UTF-8", encoding_);
}

CsvReader::~CsvReader() = default;

int CsvReader::Get() {
  const int c = ahead_at_ < ahead_.size() ? static_cast<unsigned char>(ahead_[ahead_at_++])
                                          : in_.get();
  if (c == EOF) return EOF;
  ++read_;
  if (c == '\n') ++line_;
  return c;
}

absl::StatusOr<std::string> CsvReader::Decode(std::string cell) const {
  auto text = charset_->Convert(cell);
  if (text.ok()) return text;
  return absl::InvalidArgumentError(
      absl::StrCat("line ", row_line_, ": is no text in ", encoding_, "; save the file as UTF-8"));
}

absl::StatusOr<bool> CsvReader::Next(std::vector<std::string>* cells) {
  for (;;) {
    cells->clear();
    row_line_ = line_;
    std::string cell;
    bool quoted = false, any = false;
    int c = Get();
    if (c == EOF) return false;
    for (;; c = Get()) {
      if (cell.size() > kMaxCellBytes)
        return absl::InvalidArgumentError(absl::StrCat("line ", row_line_, ": a cell is too long"));
      if (quoted) {
        if (c == EOF) {
          return absl::InvalidArgumentError(
              absl::StrCat("line ", row_line_, ": a quotation mark does not end"));
        }
        if (c == '"') {
          c = Get();
          if (c != '"') quoted = false;
        }
        if (quoted) {
          if (c != '\r') cell += static_cast<char>(c);
          continue;
        }
      }
      if (c == '"' && cell.empty()) {
        quoted = any = true;
      } else if (c == ',' || c == '\n' || c == EOF) {
        if (!cell.empty() && cell.back() == '\r' && c != ',') cell.pop_back();
        any = any || !cell.empty();
        YZ_ASSIGN_OR_RETURN(std::string text, Decode(std::move(cell)));
        cells->push_back(std::move(text));
        cell.clear();
        if (c != ',') break;
      } else {
        cell += static_cast<char>(c);
      }
    }
    if (any) return true;
  }
}

absl::StatusOr<std::vector<std::vector<std::string>>> ParseCsv(std::string_view content) {
  std::istringstream in{std::string(content)};
  CsvReader reader(in);
  std::vector<std::vector<std::string>> rows;
  for (std::vector<std::string> cells;;) {
    YZ_ASSIGN_OR_RETURN(const bool more, reader.Next(&cells));
    if (!more) return rows;
    rows.push_back(cells);
  }
}

absl::StatusOr<std::string> Utf8ToGb18030(std::string_view text) {
  return Charset("GB18030", "UTF-8").Convert(text);
}

}  // namespace yuezhan
