#include "services/bank_simulator/books.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/protobuf/util/json_util.h"

namespace yuezhan::bank {
namespace {

// behavior TAB looks TAB taken_ms TAB order as JSON TAB transfer as JSON. JSON escapes tabs and
// line ends.
std::string LineOf(const Entry& entry) {
  std::string order;
  std::string transfer;
  (void)google::protobuf::util::MessageToJsonString(entry.order, &order);
  (void)google::protobuf::util::MessageToJsonString(entry.transfer, &transfer);
  return absl::StrCat(static_cast<int>(entry.behavior), "\t", entry.looks, "\t",
                      entry.taken_ms, "\t", order, "\t",
                      transfer, "\n");
}

bool ReadLine(absl::string_view line, Entry* entry) {
  const std::vector<std::string> parts = absl::StrSplit(line, '\t');
  int behavior = 0;
  if (parts.size() != 5 || !absl::SimpleAtoi(parts[0], &behavior) ||
      !absl::SimpleAtoi(parts[1], &entry->looks) ||
      !absl::SimpleAtoi(parts[2], &entry->taken_ms) || !v1::Behavior_IsValid(behavior)) {
    return false;
  }
  entry->behavior = static_cast<v1::Behavior>(behavior);
  return google::protobuf::util::JsonStringToMessage(parts[3], &entry->order).ok() &&
         google::protobuf::util::JsonStringToMessage(parts[4], &entry->transfer).ok();
}

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Books>> Books::Open(const std::string& path) {
  std::unique_ptr<Books> books(new Books);
  books->file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (books->file_ < 0) return SystemError(path);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (absl::Status status = books->Load(content.str()); !status.ok()) {
    return absl::DataLossError(absl::StrCat(path, ": ", status.message()));
  }
  if (ftruncate(books->file_, books->end_) != 0) return SystemError(path);
  return books;
}

Books::~Books() {
  if (file_ >= 0) close(file_);
}

absl::Status Books::Load(const std::string& content) {
  int number = 0;
  for (size_t at = 0, end; (end = content.find('\n', at)) != std::string::npos; at = end + 1) {
    ++number;
    Entry entry;
    if (!ReadLine(absl::string_view(content).substr(at, end - at), &entry)) {
      return absl::DataLossError(absl::StrCat("line ", number, " is not one of these books"));
    }
    Keep(std::move(entry));
    end_ = static_cast<off_t>(end + 1);
  }
  return absl::OkStatus();
}

const Entry* Books::Find(const std::string& transfer_id) const {
  const auto it = by_id_.find(transfer_id);
  return it == by_id_.end() ? nullptr : it->second;
}

absl::Status Books::Write(const Entry& entry) {
  const std::string line = LineOf(entry);
  const ssize_t written = pwrite(file_, line.data(), line.size(), end_);
  if (written != static_cast<ssize_t>(line.size())) {
    return SystemError("the books cannot be written");
  }
  Keep(entry);
  end_ += written;
  return absl::OkStatus();
}

absl::Status Books::Flush() {
  const off_t mine = end_;
  const absl::MutexLock lock(&flushing_);
  if (flushed_ >= mine) return absl::OkStatus();
  const off_t all = end_;
  if (failed_.ok() && fdatasync(file_) != 0) failed_ = SystemError("the books cannot be written");
  if (failed_.ok()) flushed_ = all;
  return failed_;
}

void Books::Keep(Entry entry) {
  const std::string id = entry.order.transfer_id();
  const auto it = by_id_.find(id);
  if (it != by_id_.end() && it->second->taken_ms == entry.taken_ms) {
    *it->second = std::move(entry);
    return;
  }
  entries_.push_back(std::make_unique<Entry>(std::move(entry)));
  by_id_[id] = entries_.back().get();
}

}  // namespace yuezhan::bank
