#ifndef YUEZHAN_COMMON_HOST_RULEBOOK_H_
#define YUEZHAN_COMMON_HOST_RULEBOOK_H_

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/dates.h"
#include "common/policy/calendar.h"
#include "common/policy/policy.h"

namespace yuezhan {

// The policy of a case's day and the calendar of the moment: what every judgement needs.
struct Rules {
  const policy::v1::Policy& policy;
  std::shared_ptr<const policy::Calendar> calendar;
  Day today;  // in Beijing
  const common::v1::PolicyReference& reference;
};

// Policies, and the calendar that can be reloaded while serving. Thread-safe.
class Rulebook {
 public:
  Rulebook(policy::Policies policies, policy::Calendar calendar)
      : policies_(std::move(policies)),
        calendar_(std::make_shared<const policy::Calendar>(std::move(calendar))) {}

  // What is judged by at `now` where no case is at hand; FAILED_PRECONDITION when no policy is in
  // force that day.
  absl::StatusOr<Rules> At(absl::Time now) const { return Of(BeijingDay(now), now); }
  // What a case of `case_day`, the day of its submission, is judged by at `now`: the version in
  // force on that day, whatever took its place since; calendar and day are those of now.
  absl::StatusOr<Rules> Of(Day case_day, absl::Time now) const {
    auto policy = policies_.InForceOn(case_day);
    if (!policy.ok()) return policy.status();
    return Rules{**policy, calendar(), BeijingDay(now), policies_.ReferenceTo(**policy)};
  }

  const policy::Policies& policies() const { return policies_; }
  std::shared_ptr<const policy::Calendar> calendar() const {
    absl::MutexLock lock(&mutex_);
    return calendar_;
  }
  void Replace(policy::Calendar calendar) {
    auto next = std::make_shared<const policy::Calendar>(std::move(calendar));
    absl::MutexLock lock(&mutex_);
    calendar_ = std::move(next);
  }
  // Reads the calendar's file again if it changed since the last look; true when another one took
  // its place. One that is wrong is told once and leaves things as they are. One thread at a time.
  absl::StatusOr<bool> ReloadCalendar(const std::string& path) {
    std::error_code ignored;
    const auto changed = std::filesystem::last_write_time(path, ignored);
    if (changed == calendar_time_) return false;
    calendar_time_ = changed;
    auto read = policy::Calendar::LoadFile(path);
    if (!read.ok()) return read.status();
    if (read->digest() == calendar()->digest()) return false;
    Replace(*std::move(read));
    return true;
  }

 private:
  const policy::Policies policies_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const policy::Calendar> calendar_ ABSL_GUARDED_BY(mutex_);
  std::filesystem::file_time_type calendar_time_;
};

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_RULEBOOK_H_
