#ifndef YUEZHAN_TESTS_BENCH_COMPARE_H_
#define YUEZHAN_TESTS_BENCH_COMPARE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/yz/process.h"
#include "tests/bench/methods.h"

namespace yuezhan::bench {

// How long and how often to measure.
struct Effort {
  int rounds = 5;
  std::vector<std::string> methods;  // these alone; empty: all
  int stations = 1000;  // seeded
  // In flight → calls a round; reads and RecordActivity, and the writes that use something up.
  std::map<int, int64_t> calls = {{1, 1000}, {4, 2500}, {16, 5000}, {64, 5000}};
  std::map<int, int64_t> dear_calls = {{1, 40}, {4, 80}, {16, 160}, {64, 160}};
  int64_t warm_up = 200;
  int64_t dear_warm_up = 40;
  int64_t latency_calls = 6000;                    // open loop at 70% of the peak
  int flows = 50;  // of each list: two scans each, and a call takes a hundred
  absl::Duration overload_time = absl::Seconds(4);
  int connections = 1000;  // with TLS, for memory

  bool plain = true;                               // without TLS as well

  static Effort Smoke();
  void Hasten();  // what changes while one works: 16 in flight, with TLS
  bool Chooses(const std::string& method) const;
  // Of drafts and of orders, for the TLS run and the one without.
  int64_t DearCalls() const;
  int64_t DearCallsPlain() const;
};

// Calls per second in rounds that took turns: echo and SQL alone, and both in the call.
struct Comparison {
  std::string method;
  bool tls = true;
  bool writes = false;
  int in_flight = 0;
  int64_t rpcs = 1;
  std::vector<double> echo, sql, sequenced_sql, call;  // per round
  // CPU of the processes that serve, microseconds per call; of the connector for SQL.
  std::vector<double> echo_cpu_us, connector_cpu_us, call_cpu_us;

  // Of each round 1/(rpcs/echo + 1/sql), and the call's share of it.
  std::vector<double> Composite(bool sequenced) const;
  std::vector<double> Ratio(bool sequenced) const;
};

// At 70% of the peak, open loop.
struct Latency {
  std::string method;
  bool tls = true;
  double rate = 0;
  // Per round. The spread is p99 over p50; the echo's is that of the bare echo at 70% of its peak.
  std::vector<double> p50_us = {}, p90_us = {}, p99_us = {}, spread = {}, echo_spread = {};
};

// What one call sends.
struct Cost {
  std::string method;
  int64_t rpcs = 1;
  int round_trips = 0;  // to the database
  int prepared = 0;     // of these, prepared statements
  int commits = 0;
  size_t request_bytes = 0;
  size_t answer_bytes = 0;
  Statements statements;  // of one call
};

struct MethodResults {
  std::vector<Cost> costs;
  std::vector<Comparison> comparisons;
  std::vector<Latency> latencies;
};

double Median(std::vector<double> values);

// Measures all methods over the stack as it is open now. `begin`: first seed that is left for
// writes that use something up; moved on.
absl::Status CompareMethods(World& world, const std::vector<Method>& methods, const Effort& effort,
                            int64_t* begin, MethodResults* results);

// CPU that a process has used since its start.
absl::Duration CpuOf(pid_t pid);

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_COMPARE_H_
