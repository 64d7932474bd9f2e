#ifndef YUEZHAN_COMMON_HOST_WAIT_H_
#define YUEZHAN_COMMON_HOST_WAIT_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/context.h"

namespace yuezhan {

// The bounded wait of Get methods (wait_ms): runs `look`, a short read that answers whether what is
// waited for is there, at once and then every ten to forty milliseconds, until it is, or `wait_ms`
// or the caller's deadline is near. OK either way; the caller gets what the last look read. No
// database connection is held between two looks.
absl::Status LookUntil(const Context& context, int wait_ms,
                       absl::FunctionRef<absl::StatusOr<bool>()> look);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_WAIT_H_
