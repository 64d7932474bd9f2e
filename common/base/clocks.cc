#include "common/base/clocks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace yuezhan {
namespace {

absl::Status FileError(const std::string& path, const char* what) {
  return absl::UnavailableError(
      absl::StrCat("simulated clock ", path, ": ", what, ": ", strerror(errno)));
}

// A new file gets its first time under another name and appears by link(), so that no process ever
// maps an empty one.
absl::Status MakeFile(const std::string& path) {
  std::string draft = path + ".XXXXXX";
  int fd = mkstemp(draft.data());
  if (fd < 0) return FileError(path, "cannot be made");
  const int64_t now_ms = absl::ToUnixMillis(WallNow());
  const bool written = write(fd, &now_ms, sizeof now_ms) == sizeof now_ms && fchmod(fd, 0660) == 0;
  close(fd);
  const bool linked = written && (link(draft.c_str(), path.c_str()) == 0 || errno == EEXIST);
  absl::Status status = linked ? absl::OkStatus() : FileError(path, "cannot be made");
  unlink(draft.c_str());
  return status;
}

}  // namespace

absl::Time WallNow() { return absl::Now(); }

absl::Duration MonotonicNow() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

absl::StatusOr<std::shared_ptr<SimulatedClock>> SimulatedClock::Open(const std::string& path) {
  int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    if (absl::Status made = MakeFile(path); !made.ok()) return made;
    fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
  }
  if (fd < 0) return FileError(path, "cannot be opened");
  struct stat info {};
  if (fstat(fd, &info) != 0 || info.st_size != sizeof(int64_t)) {
    close(fd);
    return absl::DataLossError(absl::StrCat("simulated clock ", path, ": not a file of 8 bytes"));
  }
  void* mapped = mmap(nullptr, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapped == MAP_FAILED) return FileError(path, "cannot be mapped");
  static_assert(std::atomic<int64_t>::is_always_lock_free, "shared between processes");
  return std::shared_ptr<SimulatedClock>(
      new SimulatedClock(static_cast<std::atomic<int64_t>*>(mapped)));
}

SimulatedClock::~SimulatedClock() { munmap(unix_ms_, sizeof(int64_t)); }

absl::Time SimulatedClock::Now() const { return absl::FromUnixMillis(unix_ms_->load()); }

absl::Status SimulatedClock::Advance(absl::Duration step) {
  if (step < absl::ZeroDuration())
    return absl::InvalidArgumentError("the simulated clock moves forward only");
  unix_ms_->fetch_add(absl::ToInt64Milliseconds(step));
  return absl::OkStatus();
}

absl::Status SimulatedClock::SetTo(absl::Time time) {
  const int64_t target = absl::ToUnixMillis(time);
  int64_t seen = unix_ms_->load();
  do {
    if (seen > target) {
      return absl::FailedPreconditionError(
          absl::StrCat("the simulated clock is at ",
                       absl::FormatTime(absl::FromUnixMillis(seen), absl::UTCTimeZone()),
                       " already and moves forward only"));
    }
  } while (!unix_ms_->compare_exchange_weak(seen, target));
  return absl::OkStatus();
}

absl::StatusOr<Clocks> OpenClocks(const std::string& simulated_clock_file) {
  Clocks clocks;
  if (simulated_clock_file.empty()) return clocks;
  auto simulated = SimulatedClock::Open(simulated_clock_file);
  if (!simulated.ok()) return simulated.status();
  clocks.business = *std::move(simulated);
  return clocks;
}

}  // namespace yuezhan
