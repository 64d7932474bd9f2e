#include "common/files/content.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/errors/errors.h"

namespace yuezhan::files {
namespace {

constexpr std::string_view kPdf = "application/pdf";
constexpr std::string_view kOfd = "application/ofd";
constexpr std::string_view kJpeg = "image/jpeg";
constexpr std::string_view kPng = "image/png";

constexpr struct {
  std::string_view begins;
  std::string_view media_type;
} kSignatures[] = {
    {"%PDF-", kPdf},
    {"\xFF\xD8\xFF", kJpeg},
    {"\x89PNG\r\n\x1A\n", kPng},
    {"PK\x03\x04", kOfd},  // if the zip's directory says so
};

constexpr struct {
  std::string_view ending;
  std::string_view media_type;
} kEndings[] = {
    {".pdf", kPdf}, {".ofd", kOfd}, {".jpg", kJpeg}, {".jpeg", kJpeg}, {".png", kPng},
};

// Limits of a zip: a document of a hundred scanned pages keeps well within.
constexpr int kMaxEntries = 10'000;
constexpr int64_t kMaxDirectoryBytes = 1 << 20;
constexpr int64_t kMaxUnpackedTimes = 100;              // of the packed size,
constexpr int64_t kAlwaysUnpacked = int64_t{16} << 20;  // but so much is always allowed

constexpr std::string_view kArchiveEndings[] = {".zip", ".rar", ".7z",  ".gz",  ".tgz",
                                                ".bz2", ".xz",  ".tar", ".zst", ".jar"};

// Sizes of the fixed parts of a zip's records (APPNOTE 4.3.12, 4.3.16).
constexpr int64_t kEndRecordBytes = 22;
constexpr int64_t kMaxCommentBytes = 65'535;
constexpr int64_t kEntryBytes = 46;

uint32_t Little(std::string_view bytes, size_t at, int count) {
  uint32_t value = 0;
  for (int i = count - 1; i >= 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<size_t>(i)]);
  }
  return value;
}

absl::StatusOr<std::string> ReadRange(ReadAt read, int64_t offset, int64_t length) {
  std::string bytes;
  while (static_cast<int64_t>(bytes.size()) < length) {
    YZ_ASSIGN_OR_RETURN(const std::string part, read(offset + static_cast<int64_t>(bytes.size())));
    if (part.empty()) break;
    bytes.append(part, 0, static_cast<size_t>(length) - bytes.size());
  }
  return bytes;
}

absl::Status Harmful(std::string_view zh, std::string_view en) {
  return errors::InvalidField("name", zh, en);
}

absl::Status CheckEntryName(std::string_view name) {
  const std::string lower = absl::AsciiStrToLower(Abs(name));
  const auto wrong = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == ':' || c == 0x7F;
  };
  bool leads_out =
      name.empty() || name.front() == '/' || std::any_of(name.begin(), name.end(), wrong);
  for (const auto segment : absl::StrSplit(Abs(name), '/')) leads_out |= segment == "..";
  if (leads_out) {
    return Harmful("OFD 文件内含越出自身目录的文件名，不予接收",
                   "the OFD holds a file name that leads out of its folder");
  }
  for (const std::string_view ending : kArchiveEndings) {
    if (absl::EndsWith(lower, Abs(ending))) {
      return Harmful("OFD 文件内含压缩包，不予接收", "the OFD holds an archive");
    }
  }
  return absl::OkStatus();
}

struct Directory {
  int64_t offset = 0;
  int64_t size = 0;
  int entries = 0;
};

// The end record, looked for from the end; nothing when there is none or it needs Zip64.
absl::StatusOr<std::string_view> FindEnd(std::string_view tail) {
  for (size_t at = tail.size() - kEndRecordBytes + 1; at-- > 0;) {
    if (tail.substr(at, 4) == "PK\x05\x06" &&
        at + kEndRecordBytes + Little(tail, at + 20, 2) == tail.size()) {
      return tail.substr(at);
    }
  }
  return Harmful("文件已损坏：找不到 OFD 目录",
                 "the file is damaged: the OFD's directory is missing");
}

absl::StatusOr<Directory> FindDirectory(int64_t size_bytes, ReadAt read) {
  const int64_t tail_bytes = std::min(size_bytes, kEndRecordBytes + kMaxCommentBytes);
  YZ_ASSIGN_OR_RETURN(const std::string tail, ReadRange(read, size_bytes - tail_bytes, tail_bytes));
  if (static_cast<int64_t>(tail.size()) < kEndRecordBytes) {
    return Harmful("文件已损坏", "the file is damaged");
  }
  YZ_ASSIGN_OR_RETURN(const std::string_view end, FindEnd(tail));
  const Directory found{Little(end, 16, 4), Little(end, 12, 4),
                        static_cast<int>(Little(end, 10, 2))};
  const int64_t end_at = size_bytes - static_cast<int64_t>(end.size());
  if (found.entries > kMaxEntries || found.size > kMaxDirectoryBytes ||
      found.offset + found.size > end_at) {
    return Harmful("OFD 目录过大或已损坏，不予接收", "the OFD's directory is too large or damaged");
  }
  return found;
}

// Whether the zip is an OFD: OFD.xml stands at its root, and nothing in it is harmful.
absl::StatusOr<bool> IsOfd(int64_t size_bytes, ReadAt read) {
  YZ_ASSIGN_OR_RETURN(const Directory directory, FindDirectory(size_bytes, read));
  YZ_ASSIGN_OR_RETURN(const std::string bytes, ReadRange(read, directory.offset, directory.size));
  bool has_root = false;
  int64_t unpacked = 0;
  std::string_view rest = bytes;
  for (int i = 0; i < directory.entries; ++i) {
    if (static_cast<int64_t>(rest.size()) < kEntryBytes || rest.substr(0, 4) != "PK\x01\x02") {
      return Harmful("OFD 目录已损坏", "the OFD's directory is damaged");
    }
    const size_t name_bytes = Little(rest, 28, 2);
    const size_t whole = kEntryBytes + name_bytes + Little(rest, 30, 2) + Little(rest, 32, 2);
    if (rest.size() < whole) return Harmful("OFD 目录已损坏", "the OFD's directory is damaged");
    const std::string_view name = rest.substr(kEntryBytes, name_bytes);
    YZ_RETURN_IF_ERROR(CheckEntryName(name));
    unpacked += Little(rest, 24, 4);
    has_root |= absl::EqualsIgnoreCase(Abs(name), "OFD.xml");
    rest.remove_prefix(whole);
  }
  if (unpacked > std::max(kAlwaysUnpacked, kMaxUnpackedTimes * size_bytes)) {
    return Harmful("OFD 文件解压后过大，疑为压缩炸弹，不予接收",
                   "the OFD unpacks to far more than a document has");
  }
  return has_root;
}

}  // namespace

absl::StatusOr<std::string> MediaTypeByContent(int64_t size_bytes, ReadAt read) {
  YZ_ASSIGN_OR_RETURN(const std::string head, ReadRange(read, 0, 16));
  for (const auto& signature : kSignatures) {
    if (std::string_view(head).substr(0, signature.begins.size()) != signature.begins) continue;
    if (signature.media_type != kOfd) return std::string(signature.media_type);
    YZ_ASSIGN_OR_RETURN(const bool ofd, IsOfd(size_bytes, read));
    return std::string(ofd ? kOfd : "");
  }
  return std::string();
}

std::string_view MediaTypeByName(std::string_view file_name) {
  for (const auto& row : kEndings) {
    if (absl::EndsWithIgnoreCase(Abs(file_name), Abs(row.ending))) return row.media_type;
  }
  return "";
}

}  // namespace yuezhan::files
