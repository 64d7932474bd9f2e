#include "common/rpc/identity.h"

#include <algorithm>
#include <limits>

#include "absl/random/random.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/auth/peers.h"
#include "common/auth/tokens.h"
#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/errors/errors.h"

namespace yuezhan::rpc {
namespace {

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

absl::StatusOr<Caller> Identify(const Credentials& credentials, auth::TokenVerifier* verifier,
                                bool plaintext, absl::Time now) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view authorization = credentials.authorization;
  if (!authorization.empty()) {
    if (!absl::StartsWithIgnoreCase(Abs(authorization), Abs(kScheme))) {
      return errors::Unauthenticated(errors::AuthFault::kMalformed);
    }
    const auto verified = verifier->Verify(authorization.substr(kScheme.size()), now);
    if (!verified.ok()) return verified.status();
    Caller caller = **verified;
    if (!plaintext) caller.roles.bits &= ~RoleSet{Role::kService}.bits;
    return caller;
  }
  if (credentials.certificate_names.empty()) {
    return errors::Unauthenticated(errors::AuthFault::kMissing);
  }
  for (const std::string& name : credentials.certificate_names) {
    if (auth::PeerFromName(name)) {
      return Caller{Concat({"service:", name}), name, {Role::kService}, ""};
    }
  }
  return errors::Unauthenticated(errors::AuthFault::kCertificate);
}

std::string TraceIdOf(std::string_view traceparent) {
  // version "-" trace id "-" parent id "-" flags
  constexpr size_t kIdStart = 3, kIdLength = 32;
  if (traceparent.size() >= 55 && traceparent[2] == '-' && traceparent[35] == '-') {
    const std::string_view id = traceparent.substr(kIdStart, kIdLength);
    if (IsLowerHex(id) && id.find_first_not_of('0') != std::string_view::npos) {
      return std::string(id);
    }
  }
  // Told apart from others, and no secret: the generator of secrets costs twenty times as much.
  thread_local absl::BitGen random;
  return absl::StrCat(absl::Hex(absl::Uniform<uint64_t>(random), absl::kZeroPad16),
                      absl::Hex(absl::Uniform<uint64_t>(absl::IntervalClosed, random, 1,
                                                        std::numeric_limits<uint64_t>::max()),
                                absl::kZeroPad16));
}

std::string TraceParent(std::string_view trace_id) {
  std::string span = NewUuid();
  std::erase(span, '-');
  return Concat({"00-", trace_id, "-", span.substr(16), "-01"});
}

}  // namespace yuezhan::rpc
