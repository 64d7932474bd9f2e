#ifndef YUEZHAN_SERVICES_YZ_STACK_H_
#define YUEZHAN_SERVICES_YZ_STACK_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clocks.h"
#include "common/db/options.h"
#include "services/yz/client.h"
#include "services/yz/process.h"

namespace yuezhan::yz {

struct StackOptions {
  std::string directory;      // keys, logs, the clock and the bank's books; made when missing
  std::string binaries;       // where yuezhan-registry and its like are
  std::string mysql;          // an administrator's URL, mysql://user:password@host:port
  std::string schema_prefix;  // schemas are yuezhan_<prefix><service>: [a-z0-9_]{0,10}
  bool tls = true;            // by a private authority; else without, on 127.0.0.1 alone
  absl::Time clock_start;     // where the simulated business clock begins, at the first use
  // More settings of a service: {"payment", {"--connections=4"}}.
  std::map<std::string, std::vector<std::string>> settings;
};

// The whole product on this machine: keys and certificates, schemas and accounts, the simulated
// bank and the four services as processes of ours, each on a port of its own that stays the same.
// An instance is "registry", "application", "review", "payment" or "bank"; "review-2" is another
// replica of review. Thread-safe.
class Stack {
 public:
  // Makes what is missing, starts nothing. FAILED_PRECONDITION when another stack uses the folder.
  static absl::StatusOr<std::unique_ptr<Stack>> Open(StackOptions options);
  ~Stack();  // StopAll
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  // Starts what is not running, all at once, and waits until each says SERVING. DEADLINE_EXCEEDED
  // or ABORTED (it ended) with the end of its log.
  absl::Status StartAll(absl::Duration timeout = absl::Seconds(30));
  absl::Status Start(const std::string& instance, absl::Duration timeout = absl::Seconds(30));
  // SIGKILL, and waits until it is gone.
  void Kill(const std::string& instance);
  // SIGTERM, and waits; an error when it had to be killed or ended with a code other than 0.
  absl::Status Stop(const std::string& instance);
  absl::Status StopAll();
  bool Running(const std::string& instance);
  // Process id, 0 when it does not run.
  pid_t Pid(const std::string& instance);

  // Calls go to "review" or to "review-2".
  Client& client() { return *client_; }
  SimulatedClock& clock() { return *clock_; }
  std::string LogFile(const std::string& instance) const;
  // A service's schema, by its administrator: to look, or to tamper, where no account of ours may.
  db::Options Database(const std::string& service) const;

  // Drops the schemas and accounts: for tests.
  absl::Status DropSchemas();

 private:
  explicit Stack(StackOptions options) : options_(std::move(options)) {}
  absl::Status Prepare();
  absl::Status MakeKeys();
  absl::Status MakeCertificates();
  absl::Status MakeSchemas();
  absl::Status OpenClock();
  std::string Path(const std::string& name) const;
  std::vector<std::string> Arguments(const std::string& instance);
  absl::Status Spawn(const std::string& instance);
  absl::Status AwaitServing(const std::string& instance, absl::Time end);
  std::string EndOfLog(const std::string& instance) const;
  // The port of an instance, reserved at its first use.
  absl::StatusOr<std::string> TargetOf(const std::string& instance);

  const StackOptions options_;
  int lock_file_ = -1;
  db::Options administrator_;
  std::shared_ptr<SimulatedClock> clock_;
  std::unique_ptr<Client> client_;
  absl::Mutex mutex_;
  std::map<std::string, std::unique_ptr<ReservedPort>> ports_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::shared_ptr<Process>> processes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_STACK_H_
