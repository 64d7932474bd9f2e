#ifndef YUEZHAN_COMMON_HOST_SAMPLES_H_
#define YUEZHAN_COMMON_HOST_SAMPLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace google::protobuf {
class EnumDescriptor;
}
namespace yuezhan::db {
class Pool;
class Session;
}  // namespace yuezhan::db
namespace yuezhan::metrics {
class Metrics;
}
namespace yuezhan::rpc {
struct ServerLoad;
}

namespace yuezhan {

// A measure that is read from the service's schema. `sql` selects values, or label and value where
// there is a label: short over an index, for every replica asks it again and again. A ? in it is
// the wall clock in unix milliseconds.
struct DatabaseMeasure {
  std::string name;
  std::string help;
  std::string sql;
  std::string label = {};
  // Names of the label's values, where it is a state of the contract; else they are texts. All are
  // shown, those that nothing is in too.
  const google::protobuf::EnumDescriptor* states = nullptr;
};

// `column` counted by state: what most measures are. {"yuezhan_cases", "cases", …}
DatabaseMeasure CountByState(const std::string& name, const std::string& table,
                             const google::protobuf::EnumDescriptor* states);

// Puts what a process measures of itself, its journal and its schema into its metrics.
class Samples {
 public:
  Samples(db::Pool& pool, metrics::Metrics& metrics, std::string certificate,
          std::vector<DatabaseMeasure> measures);

  // Once; run it every some seconds. UNAVAILABLE when the database cannot be asked: what it says
  // stays as it was, the rest is new.
  absl::Status Take();
  void SetServing(bool serving);
  void TakeLoad(const rpc::ServerLoad& load);

 private:
  void TakePool();
  void TakeCertificate();
  absl::Status TakeJournal(db::Session& session);
  void TakeFollowers(db::Session& session);
  void TakeMeasure(db::Session& session, const DatabaseMeasure& measure);

  db::Pool& pool_;
  metrics::Metrics& metrics_;
  const std::string certificate_;  // file; "": none
  const std::vector<DatabaseMeasure> measures_;
  int64_t head_ = -1;            // of the chain when last seen
  absl::Duration head_moved_{};  // monotonic
};

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_SAMPLES_H_
