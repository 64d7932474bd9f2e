#ifndef YUEZHAN_COMMON_METRICS_METRICS_H_
#define YUEZHAN_COMMON_METRICS_METRICS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace yuezhan::metrics {

// One value of a family; the label is left out where its name is empty.
struct Sample {
  double value = 0;
  std::string label = {};
  std::string label_value = {};
};

// A measure with its values of the moment. Names as Prometheus wants them: yuezhan_ first, the unit
// in the name, _total at the end of what only grows.
struct Family {
  std::string name;
  std::string help;
  bool counter = false;  // only grows while the process lives; else a gauge
  std::vector<Sample> samples = {};
};

// What one process tells Prometheus: calls as they end, and families that are put anew from time to
// time. Each value carries the label service. Never a name of a person, a resource or a key: labels
// are few and known beforehand. Thread-safe.
class Metrics {
 public:
  // Serves /metrics on `listen` (host:port; port 0 takes a free one) until destroyed; empty: serves
  // nothing. UNAVAILABLE when the port is taken.
  static absl::StatusOr<std::unique_ptr<Metrics>> Open(const std::string& listen,
                                                       const std::string& service);
  virtual ~Metrics() = default;

  // A call that ended: counted by method and code, timed by method.
  virtual void CountCall(const std::string& method, const std::string& code, absl::Duration elapsed,
                         absl::Duration queued) = 0;
  // Replaces the family of that name.
  virtual void Put(Family family) = 0;

  virtual int port() const = 0;
  // What a scrape gets.
  virtual std::string Text() const = 0;
};

// When the certificate (PEM file) expires; NOT_FOUND or INVALID_ARGUMENT when it cannot be read.
absl::StatusOr<absl::Time> CertificateExpiry(const std::string& path);

}  // namespace yuezhan::metrics

#endif  // YUEZHAN_COMMON_METRICS_METRICS_H_
