#ifndef YUEZHAN_COMMON_RPC_RUN_CALLS_H_
#define YUEZHAN_COMMON_RPC_RUN_CALLS_H_

#include <exception>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/rpc/handlers.h"

namespace yuezhan::rpc {

// No exception leaves a handler, or what is done around it.
template <typename Step>
absl::Status Guarded(Step step) {
  try {
    return step();
  } catch (const std::exception& fault) {
    return absl::InternalError(fault.what());
  } catch (...) {
    return absl::InternalError("an exception of unknown type");
  }
}

// Whether the service itself could not: whoever asks now is told the same.
bool IsOutage(const absl::Status& status);

// Answers calls of one method: together, and where that fails each by itself. A status for each.
// A failure of the service itself is every one's. Never throws.
std::vector<absl::Status> RunCalls(const Service::Method& method,
                                   absl::Span<const Service::Called> calls);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_RUN_CALLS_H_
