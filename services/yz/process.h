#ifndef YUEZHAN_SERVICES_YZ_PROCESS_H_
#define YUEZHAN_SERVICES_YZ_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace yuezhan::yz {

// A child process. It never outlives this one, however that ends, and a Ctrl-C at the terminal does
// not reach it. Thread-safe.
class Process {
 public:
  // Starts `binary`; what it writes is appended to the file `log`. NOT_FOUND when there is no such
  // program.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const std::string& binary,
                                                        const std::vector<std::string>& arguments,
                                                        const std::string& log);
  ~Process();  // kills it
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool Running();
  // Does nothing once it ended: a pid that was waited for may be someone else's.
  void Signal(int signal);
  // Its exit code, or minus the signal that ended it; nothing when it still runs after `timeout`.
  std::optional<int> Wait(absl::Duration timeout);

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  bool Reap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const pid_t pid_;
  absl::Mutex mutex_;
  std::optional<int> result_ ABSL_GUARDED_BY(mutex_);
};

// A port of 127.0.0.1 that nobody else gets while this lives: it is bound here without listening,
// and the service that is told it can bind and listen, again and again.
class ReservedPort {
 public:
  static absl::StatusOr<std::unique_ptr<ReservedPort>> Take();
  ~ReservedPort();
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  int number() const { return number_; }

 private:
  ReservedPort(int socket, int number) : socket_(socket), number_(number) {}
  const int socket_;
  const int number_;
};

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_PROCESS_H_
