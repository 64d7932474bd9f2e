#ifndef YUEZHAN_COMMON_RPC_CHAIN_H_
#define YUEZHAN_COMMON_RPC_CHAIN_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/base/context.h"
#include "common/rpc/caller_limits.h"
#include "common/rpc/identity.h"
#include "common/rpc/methods.h"
#include "common/rpc/server.h"

namespace google::protobuf {
class Message;
}
namespace google::protobuf::io {
class ZeroCopyInputStream;
}

namespace yuezhan::rpc {

// One call as it came, without gRPC's types.
struct Incoming {
  std::string method;                  // as the client named it, without the leading slash
  const BoundMethod* bound = nullptr;  // null: no such method
  Credentials credentials;
  std::string trace_id;
  absl::Time arrived;
  absl::Time deadline;  // as the client set it; infinite when it did not
};

// A call on its way through the chain.
struct Passing {
  Incoming incoming;
  google::protobuf::io::ZeroCopyInputStream* bytes;  // the request
  CallRecord* record;                                // filled but for times and sizes
  // What the chain makes of it; `answer` is set when the status is OK.
  Context context = {};
  std::optional<CallerLimits::Ticket> ticket = {};
  std::unique_ptr<google::protobuf::Message> request = {}, answer = {};
  absl::Status status = {};
};

// The one path of every call behind admission: deadline → identity → the caller's limits →
// permission → validation → handler → masks → status with details. Knows nothing of gRPC; any thread.
class Chain {
 public:
  Chain(const ServerOptions& options, auth::TokenVerifier* verifier)
      : options_(options),
        verifier_(verifier),
        limits_(std::make_unique<CallerLimits>(options.callers, options.handler_threads)) {}

  // Runs a call, or several of one method that are answered together. Never throws.
  void Run(absl::Span<Passing> calls) const;

 private:
  absl::Status Begin(Passing* call) const;
  absl::Status Mask(Passing* call) const;

  const ServerOptions& options_;
  auth::TokenVerifier* const verifier_;
  const std::unique_ptr<CallerLimits> limits_;
};

// A status fit for the wire: one without details gets those of its code, and what says too much of
// the inside (any code that a handler has no factory for) becomes INTERNAL with an incident, told
// in full to `record` alone.
absl::Status WithDetails(absl::Status status, CallRecord* record);

// The default of ServerOptions::on_call: one line a call.
void LogCall(const CallRecord& record);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_CHAIN_H_
