#include "common/base/loop.h"

#include <algorithm>

#include "common/base/log.h"

namespace yuezhan {

BackgroundLoop::BackgroundLoop(std::string name, Step step, absl::Duration rest)
    : name_(std::move(name)),
      step_(std::move(step)),
      rest_(rest),
      thread_([this] { Run(); }) {}

BackgroundLoop::~BackgroundLoop() { Stop(); }

void BackgroundLoop::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
}

void BackgroundLoop::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void BackgroundLoop::Run() {
  constexpr absl::Duration kFirstBackoff = absl::Milliseconds(100);
  constexpr absl::Duration kLastBackoff = absl::Seconds(10);
  absl::Duration backoff = kFirstBackoff;
  absl::Duration pause = backoff;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      // A Wake during the step is seen by the wait after it, or where that is none because the step
      // was not through, by the next one: what the step has passed by is looked for again.
      if (pause > absl::ZeroDuration()) woken_ = false;
    }
    absl::StatusOr<absl::Duration> wait = step_();
    const bool failed = !wait.ok();
    if (failed) {
      Log(LogLevel::kWarning, "background step failed",
          {{"loop", name_},
           {"error", wait.status().ToString()},
           {"wait_ms", absl::ToInt64Milliseconds(backoff)}});
      pause = backoff;
      backoff = std::min(backoff * 2, kLastBackoff);
    } else {
      pause = *wait;
      backoff = kFirstBackoff;
    }
    const absl::Duration rest = std::min(rest_, pause);
    absl::MutexLock lock(&mutex_);
    failing_ = failed;
    if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), rest)) return;
    const auto done = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stopping_ || (woken_ && !failing_);
    };
    mutex_.AwaitWithTimeout(absl::Condition(&done), pause - rest);
  }
}

}  // namespace yuezhan
