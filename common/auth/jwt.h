#ifndef YUEZHAN_COMMON_AUTH_JWT_H_
#define YUEZHAN_COMMON_AUTH_JWT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/errors/errors.h"

// The one place that includes the JWT library, behind plain types: its headers are slow to compile.
namespace yuezhan::auth {

// The claims of a token as they stand, types checked, meaning not.
struct Claims {
  std::string sub;
  std::string name;
  std::string host_unit;
  std::vector<std::string> roles;
  std::string iss;
  std::vector<std::string> aud;
  int64_t exp = 0;  // unix seconds
  int64_t nbf = 0;
};

// The claims of a token whose ES256 signature verifies under the key that `key` finds for its kid
// (PEM, or null), or the fault. Looks at no claim's meaning.
struct Decoded {
  std::optional<errors::AuthFault> fault;
  Claims claims;
};
Decoded DecodeJwt(std::string_view token,
                  const std::function<const std::string*(const std::string& kid)>& key);

// A signed token; INVALID_ARGUMENT when the key is no P-256 private key.
absl::StatusOr<std::string> EncodeJwt(const Claims& claims, const std::string& kid,
                                      const std::string& private_key_pem);

}  // namespace yuezhan::auth

#endif  // YUEZHAN_COMMON_AUTH_JWT_H_
