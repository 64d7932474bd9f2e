#ifndef YUEZHAN_COMMON_RPC_RETRY_H_
#define YUEZHAN_COMMON_RPC_RETRY_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace google::protobuf {
class Message;
}

namespace yuezhan::rpc {

// Whether sending the request twice has one effect: the contract declares the method free of side
// effects or idempotent, or the request carries a request_id.
bool IsSafeToRepeat(std::string_view method, const google::protobuf::Message& request);

// Whether trying again may help: the server is not there, is full, or lost a race. What asks the
// caller to decide again (a stale etag) does not.
bool IsTransient(const absl::Status& status);

// How long to wait before attempt `attempt` (1: the first repetition): first, doubled each time, up
// to 2 s, of which `jitter` (0 to 1) takes between half and all; never less than the server asked.
absl::Duration Backoff(int attempt, absl::Duration first, double jitter,
                       const absl::Status& status);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_RETRY_H_
