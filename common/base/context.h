#ifndef YUEZHAN_COMMON_BASE_CONTEXT_H_
#define YUEZHAN_COMMON_BASE_CONTEXT_H_

#include <string>

#include "absl/time/time.h"
#include "common/base/caller.h"

namespace yuezhan {

// What one call carries through handler, transaction and journal. Knows nothing of gRPC, so tests make it by hand.
struct Context {
  Caller caller;
  // "yuezhan.registry.v1.RegistryService/AcceptFiling"; a timer's or follower's own name for work of the service itself.
  std::string method;
  // Who called it, in one word for logs and the trail: W3C trace id, 32 hex digits, or empty.
  std::string trace_id;
  // When the caller stops waiting (wall clock). Work that outlives it is of no use to anyone.
  absl::Time deadline = absl::InfiniteFuture();
  // When the call was admitted (wall clock): what is counted by its receipt does not wait for a free thread. Infinite:
  // it is no call.
  absl::Time arrived = absl::InfiniteFuture();
};

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_CONTEXT_H_
