#include "services/yz/spreadsheet.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/status_macros.h"

namespace yuezhan::yz {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// Looked at to tell the encoding.
constexpr size_t kProbeBytes = 64 << 10;
constexpr size_t kMaxCellBytes = 64 << 10;

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const int more = lead < 0x80        ? 0
                     : lead >> 5 == 6  ? 1
                     : lead >> 4 == 14 ? 2
                     : lead >> 3 == 30 ? 3
                                       : -1;
    if (more < 0) return false;
    const size_t last = i + static_cast<size_t>(more);
    if (last >= text.size()) return true;  // cut in the middle of its last character
    for (size_t k = i + 1; k <= last; ++k) {
      if ((static_cast<unsigned char>(text[k]) & 0xC0) != 0x80) return false;
    }
    i = last + 1;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CsvReader>> CsvReader::Open(const std::string& path) {
  std::unique_ptr<CsvReader> reader(new CsvReader());
  reader->file_.reset(std::fopen(path.c_str(), "rb"));
  if (!reader->file_) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  std::FILE* file = reader->file_.get();
  std::fseek(file, 0, SEEK_END);
  reader->size_ = std::ftell(file);
  std::rewind(file);
  std::string probe(kProbeBytes, '\0');
  probe.resize(std::fread(probe.data(), 1, probe.size(), file));
  std::rewind(file);
  if (!IsUtf8(probe)) reader->encoding_ = "GB18030";
  if (std::string_view(probe).substr(0, 3) == kByteOrderMark) std::fseek(file, 3, SEEK_SET);
  return reader;
}

int CsvReader::Get() {
  const int c = std::fgetc(file_.get());
  if (c == EOF) return EOF;
  ++read_;
  if (c == '\n') ++line_;
  return c;
}

absl::StatusOr<std::string> CsvReader::Decode(std::string cell) const {
  if (encoding_ == "GB18030") {
    auto text = Gb18030ToUtf8(cell);
    if (text.ok()) return text;
  } else if (IsUtf8(cell)) {
    return cell;
  }
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

}  // namespace yuezhan::yz
