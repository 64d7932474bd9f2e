#ifndef YUEZHAN_COMMON_BASE_LOOP_H_
#define YUEZHAN_COMMON_BASE_LOOP_H_

#include <functional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace yuezhan {

// One thread that runs a step again and again: sequencer, followers, timers, probes.
class BackgroundLoop {
 public:
  // Returns how long to wait before the next run (zero: at once), or an error, which is logged and
  // waited on: 100 ms, doubled with every error in a row up to 10 s.
  using Step = std::function<absl::StatusOr<absl::Duration>()>;

  // Starts at once. `name` stands in the log. The first `rest` of a wait no Wake ends: a step that
  // takes what came in the meantime together need not be told of each.
  BackgroundLoop(std::string name, Step step, absl::Duration rest = absl::ZeroDuration());
  // Stops.
  ~BackgroundLoop();
  BackgroundLoop(const BackgroundLoop&) = delete;
  BackgroundLoop& operator=(const BackgroundLoop&) = delete;

  // Ends a wait, so that the step runs now, or the next wait while steps run. Cheap and
  // thread-safe; does not cut a backoff short.
  void Wake();
  // Waits for the running step to end; no step runs after. May be called twice.
  void Stop();

 private:
  void Run();

  const std::string name_;
  const Step step_;
  const absl::Duration rest_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_LOOP_H_
