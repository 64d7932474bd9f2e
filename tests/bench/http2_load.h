#ifndef YUEZHAN_TESTS_BENCH_HTTP2_LOAD_H_
#define YUEZHAN_TESTS_BENCH_HTTP2_LOAD_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace yuezhan::bench {

// One unary call, ready to be sent.
struct Call {
  std::string path;   // "/yuezhan.registry.v1.RegistryService/GetStation"
  std::string token;  // "" for none
  std::string body;   // the request, serialized
};

struct LoadOptions {
  std::string target = {};  // host:port
  bool tls = false;    // any certificate is taken: what is measured is our own machine
  int connections = 4;
  int in_flight = 16;
  // Calls per second, each sent at its time whether or not others are answered; 0: the next call
  // goes when one is answered.
  double rate = 0;
  // Ends then although calls are left; 0: when all are answered.
  absl::Duration time = absl::ZeroDuration();
};

struct LoadResult {
  int64_t answered = 0;
  absl::Duration elapsed;
  std::map<int, int64_t> codes;  // grpc-status → calls; -1: the stream broke
  // Of calls that were answered OK: from the time at which each should have gone, so that waiting
  // for a slow server counts. Sorted.
  std::vector<absl::Duration> latencies;
  std::vector<absl::Duration> refused_latencies;  // the same of RESOURCE_EXHAUSTED
  int64_t refused_with_time = 0;                  // of these, with details: when to come back

  int64_t ok() const;
  double per_second() const;  // answered OK
  absl::Duration Quantile(double q) const;
  double Spread() const;  // p99 over p50
};

// The quantile of sorted values; zero of none.
absl::Duration QuantileOf(const std::vector<absl::Duration>& sorted, double q);

// Sends `calls(0)`, `calls(1)`, … up to `count` over HTTP/2 and waits for the answers. One thread
// and no gRPC: it takes a few microseconds a call from the machine that is measured.
absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, int64_t count,
                                   const std::function<const Call&(int64_t)>& calls);

// Opens `connections` to `target`, each with one call answered, and keeps them open while `then`
// runs.
absl::Status WithConnections(const LoadOptions& options, const Call& call,
                             const std::function<void()>& then);

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_HTTP2_LOAD_H_
