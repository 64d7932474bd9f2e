#ifndef YUEZHAN_TESTS_BENCH_WORLD_H_
#define YUEZHAN_TESTS_BENCH_WORLD_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/yz/demo/scenario.h"
#include "services/yz/stack.h"
#include "tests/bench/in_process.h"

namespace yuezhan::bench {

struct WorldOptions {
  std::string binaries;
  std::string mysql;  // an administrator's URL
  int connections = 16;  // to the database, of each service: as it has by default
  std::map<std::string, std::vector<std::string>> settings = {};
};

// The whole product on this machine for one benchmark, with copies of its schemas to record calls
// and to run bare SQL on. Gone with this.
class World {
 public:
  static absl::StatusOr<std::unique_ptr<World>> Make(WorldOptions options);
  ~World();

  // The stack, with TLS or without, over the same data; the processes of the one before end.
  // Starts nothing.
  absl::Status Open(bool tls);
  yz::Stack& stack() { return *stack_; }
  bool tls() const { return tls_; }
  std::string TargetOf(const std::string& service);
  std::string File(const std::string& name) const { return directory_ + "/" + name; }
  const WorldOptions& options() const { return options_; }

  // Copies of the schemas of registry, application and payment as they are now.
  absl::Status Copy(const std::string& suffix);
  // Where `service` keeps its data: "" the stack's own, else a copy's.
  ServiceData DataOf(const std::string& service, const std::string& suffix = "") const;
  std::unique_ptr<InProcess> NewInProcess(const std::string& suffix = "");
  int64_t Count(const std::string& service, const std::string& table, const std::string& suffix);

 private:
  explicit World(WorldOptions options);
  const WorldOptions options_;
  const std::string directory_;
  const std::string prefix_;
  bool tls_ = true;
  std::vector<std::string> copies_;
  std::unique_ptr<yz::Stack> stack_;
};

// While it lives, the server does not wait for its disk: for set-up, never for what is measured.
class Hurry {
 public:
  explicit Hurry(World& world);
  ~Hurry();

 private:
  db::Options server_;
  std::optional<int64_t> before_;  // how the server flushes
};

inline constexpr const char* kBenchServices[] = {"registry", "application", "payment"};

// What the calls are about.
struct Seeds {
  yz::Scenario scenario;
  Caller host;                        // acts for the one host unit
  std::vector<std::string> stations;  // accepted, and with nothing else
  std::vector<std::string> drafts;    // complete applications, not submitted
  std::vector<std::string> orders;    // payments that wait for the second officer
};

// Files stations, fills in applications and prepares payments through `in`, by `threads` at once.
absl::StatusOr<Seeds> Seed(InProcess& in, int stations, int drafts, int orders, int threads);

// Runs `work` for 0 to count - 1, by `threads` at once; the first error.
absl::Status InParallel(int count, int threads, const std::function<absl::Status(int)>& work);

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_WORLD_H_
