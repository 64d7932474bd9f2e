#ifndef YUEZHAN_COMMON_BASE_CLOCKS_H_
#define YUEZHAN_COMMON_BASE_CLOCKS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace yuezhan {

// The wall clock: tokens, certificates, ids, callers' deadlines. Never simulated in a running
// system.
absl::Time WallNow();

// Time since an unknown start, never moved by anybody: waiting, backoff, measuring.
absl::Duration MonotonicNow();

// The clock of every date that the regulation counts (Beijing days are made of it by
// common/base/dates.h).
class BusinessClock {
 public:
  virtual ~BusinessClock() = default;
  virtual absl::Time Now() const = 0;
};

// The business clock of a real installation: the wall clock.
class RealBusinessClock : public BusinessClock {
 public:
  absl::Time Now() const override { return WallNow(); }
};

// A business clock that stands still until it is moved, in a file that all processes of a test or
// demonstration share (eight bytes: unix milliseconds, little endian). Thread-safe; never moves
// backward.
class SimulatedClock : public BusinessClock {
 public:
  // Maps `path`; a missing file is made and starts at the wall clock. Errors: UNAVAILABLE (cannot
  // be opened or made), DATA_LOSS (not such a file).
  static absl::StatusOr<std::shared_ptr<SimulatedClock>> Open(const std::string& path);
  ~SimulatedClock() override;
  SimulatedClock(const SimulatedClock&) = delete;
  SimulatedClock& operator=(const SimulatedClock&) = delete;

  absl::Time Now() const override;
  // Moves forward by `step`; a negative step is INVALID_ARGUMENT.
  absl::Status Advance(absl::Duration step);
  // Moves to `time`; FAILED_PRECONDITION when the clock is past it already.
  absl::Status SetTo(absl::Time time);

 private:
  explicit SimulatedClock(std::atomic<int64_t>* unix_ms) : unix_ms_(unix_ms) {}
  std::atomic<int64_t>* unix_ms_;  // in the mapped file
};

// The three clocks, handed to whoever needs one. Tests put in their own.
struct Clocks {
  std::shared_ptr<const BusinessClock> business = std::make_shared<RealBusinessClock>();
  absl::Time (*wall)() = &WallNow;
  absl::Duration (*monotonic)() = &MonotonicNow;
};

// Real clocks, or with a simulated business clock where `simulated_clock_file` is not empty.
absl::StatusOr<Clocks> OpenClocks(const std::string& simulated_clock_file);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_CLOCKS_H_
