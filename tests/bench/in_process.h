#ifndef YUEZHAN_TESTS_BENCH_IN_PROCESS_H_
#define YUEZHAN_TESTS_BENCH_IN_PROCESS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/base/caller.h"
#include "common/base/clocks.h"
#include "common/db/options.h"
#include "common/host/rulebook.h"
#include "common/journal/journal.h"
#include "common/rpc/client.h"
#include "common/rpc/handlers.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::bench {

// Where a service of a stack keeps its data, and the key that opens it.
struct ServiceData {
  db::Options database;
  std::string vault_keys;
};

// The handlers of registry, application and payment without a server, over schemas of a stack: they
// ask each other directly. To fill tables quickly, and to see which statements a call sends.
class InProcess {
 public:
  InProcess(const std::map<std::string, ServiceData>& data, std::shared_ptr<BusinessClock> clock,
            int connections);
  ~InProcess();

  // Calls a handler as the chain would, with its permission taken for granted; a nested call counts
  // as the other service's. Thread-safe.
  absl::Status Call(const Caller& caller, std::string_view method,
                    const google::protobuf::Message& request, google::protobuf::Message* answer);
  // Applies an event of review to payment as its follower does.
  absl::Status Apply(const review::v1::CaseAdvanced& event, int64_t seq);
  // Calls between services since the start, by the calling thread.
  static int64_t NestedCalls();

  const rpc::Service::Method& MethodOf(std::string_view method) const;
  const Rulebook& rulebook() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_IN_PROCESS_H_
