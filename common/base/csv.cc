#include "common/base/csv.h"

#include <iconv.h>

#include <cerrno>

namespace yuezhan {
namespace {

absl::StatusOr<std::string> Convert(const char* to, const char* from, std::string_view text) {
  const iconv_t converter = iconv_open(to, from);
  if (converter == reinterpret_cast<iconv_t>(-1)) return absl::InternalError("iconv");
  std::string out(text.size() * 4 + 16, '\0');
  char* in_at = const_cast<char*>(text.data());
  size_t in_left = text.size();
  char* out_at = out.data();
  size_t out_left = out.size();
  const size_t result = iconv(converter, &in_at, &in_left, &out_at, &out_left);
  iconv_close(converter);
  if (result == static_cast<size_t>(-1) || in_left > 0)
    return absl::InvalidArgumentError("the text is not of its character set");
  out.resize(out.size() - out_left);
  return out;
}

}  // namespace

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (!line.empty() || &cell != cells.data()) line += ',';
    const bool formula = !cell.empty() && std::string_view("=+-@\t").find(cell[0]) != std::string::npos;
    if (!formula && cell.find_first_of(",\"\r\n") == std::string::npos) {
      line += cell;
      continue;
    }
    line += '"';
    if (formula) line += '\'';
    for (const char c : cell) {
      if (c == '"') line += '"';
      line += c;
    }
    line += '"';
  }
  return line + "\r\n";
}

absl::StatusOr<std::vector<std::vector<std::string>>> ParseCsv(std::string_view text) {
  std::vector<std::vector<std::string>> lines;
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        cells.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cells.back() += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"' && cells.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      cells.emplace_back();
    } else if (c == '\n') {
      lines.push_back(std::move(cells));
      cells.assign(1, "");
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  if (quoted) return absl::InvalidArgumentError("a quote does not end");
  if (cells.size() > 1 || !cells[0].empty()) lines.push_back(std::move(cells));
  return lines;
}

absl::StatusOr<std::string> Utf8ToGb18030(std::string_view text) {
  return Convert("GB18030", "UTF-8", text);
}

absl::StatusOr<std::string> Gb18030ToUtf8(std::string_view text) {
  return Convert("UTF-8", "GB18030", text);
}

absl::StatusOr<std::string> TextToUtf8(std::string_view bytes) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (bytes.substr(0, kMark.size()) == kMark) bytes.remove_prefix(kMark.size());
  if (auto utf8 = Convert("UTF-8", "UTF-8", bytes); utf8.ok()) return utf8;
  return Gb18030ToUtf8(bytes);
}

}  // namespace yuezhan
