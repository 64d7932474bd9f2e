#ifndef YUEZHAN_TESTS_BENCH_STATEMENTS_H_
#define YUEZHAN_TESTS_BENCH_STATEMENTS_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/options.h"
#include "common/db/session.h"

namespace yuezhan::bench {

// One statement as a session sent it, with its arguments.
struct Statement {
  db::Statement::Kind kind;
  std::string schema;  // of the service that sent it: "registry"
  std::string sql;
  std::vector<std::variant<std::monostate, int64_t, std::string>> values;
  std::vector<db::Param> args;  // point into `values`
};
// What one call sent, the statements of services that it asked among them.
using Statements = std::vector<Statement>;

// Which service's statements the calling thread records from here on; the one before, to set it
// back.
std::string RecordAs(std::string service);

// Runs `call` and keeps what the calling thread sends meanwhile.
Statements Record(std::string_view service, const std::function<void()>& call);

struct ReplayResult {
  int64_t calls = 0;
  int64_t errors = 0;  // calls with a statement that failed
  absl::Duration elapsed;
  double per_second() const { return static_cast<double>(calls) / absl::ToDoubleSeconds(elapsed); }
};

// Bare SQL: sends the statements of many calls again by the same connector, with a session per
// schema and thread. The sessions stay open between runs.
class Replay {
 public:
  // `schemas`: service → where its statements go.
  Replay(std::map<std::string, db::Options> schemas, int connections);
  ~Replay();

  // Sends calls[begin, end), each whole by one of `threads` threads.
  absl::StatusOr<ReplayResult> Run(const std::vector<Statements>& calls, size_t begin, size_t end,
                                   int threads);

 private:
  using Sessions = std::map<std::string, std::unique_ptr<db::Session>>;
  const std::map<std::string, db::Options> schemas_;
  std::vector<Sessions> sessions_;
};

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_STATEMENTS_H_
