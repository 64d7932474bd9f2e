#ifndef YUEZHAN_COMMON_RPC_IDENTITY_H_
#define YUEZHAN_COMMON_RPC_IDENTITY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/caller.h"

namespace yuezhan::auth {
class TokenVerifier;
}

namespace yuezhan::rpc {

// What a call brings to prove who makes it.
struct Credentials {
  std::string authorization;                   // the header's value, "Bearer …", or ""
  std::vector<std::string> certificate_names;  // of a client certificate that TLS verified
};

// The caller: a token speaks for itself; a certificate for the service that it names, when that is
// one of ours (common/auth/peers.h). A token that is not accepted is refused even beside a good
// certificate. Where there is TLS a certificate alone tells who a service is: a token's role
// "service" counts only with `plaintext`.
absl::StatusOr<Caller> Identify(const Credentials& credentials, auth::TokenVerifier* verifier,
                                bool plaintext, absl::Time now);

// The trace id of a W3C traceparent header, or a new one: 32 hex digits.
std::string TraceIdOf(std::string_view traceparent);
// A traceparent header for a call made within `trace_id`.
std::string TraceParent(std::string_view trace_id);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_IDENTITY_H_
