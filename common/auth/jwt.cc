#include "common/auth/jwt.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <jwt/jwt.hpp>
#pragma GCC diagnostic pop

namespace yuezhan::auth {
namespace {

using Json = nlohmann::json;
using errors::AuthFault;

// The library's base64 indexes a table with signed characters and skips what it does not know: only
// the alphabet of the URL-safe encoding reaches it.
bool LooksLikeToken(std::string_view token) {
  int dots = 0;
  char previous = '.';
  for (char c : token) {
    const bool known = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (!known) return false;
    if (c == '.' && previous == '.') return false;  // an empty part
    if (c == '.') ++dots;
    previous = c;
  }
  return dots == 2 && previous != '.';
}

Json HeaderOf(std::string_view token) {
  const std::string_view part = token.substr(0, token.find('.'));
  return Json::parse(jwt::base64_uri_decode(part.data(), part.size()));
}

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? "" : found->get<std::string>();
}

// Whole, not negative, and small enough for the calendar: the library would read -1 as the far
// future.
int64_t Seconds(const Json& object, const char* name) {
  const Json& value = object.at(name);
  if (!value.is_number_integer()) throw std::range_error(name);
  const int64_t seconds = value.get<int64_t>();
  constexpr int64_t kYear9999 = 253'402'300'799;
  if (seconds < 0 || seconds > kYear9999) throw std::range_error(name);
  return seconds;
}

std::vector<std::string> Words(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return {};
  if (found->is_string()) return {found->get<std::string>()};
  return found->get<std::vector<std::string>>();
}

Claims ClaimsOf(const Json& payload) {
  Claims claims;
  claims.sub = Text(payload, "sub");
  claims.name = Text(payload, "name");
  claims.host_unit = Text(payload, "host_unit");
  claims.roles = Words(payload, "roles");
  claims.iss = Text(payload, "iss");
  claims.aud = Words(payload, "aud");
  claims.exp = Seconds(payload, "exp");
  if (payload.contains("nbf")) claims.nbf = Seconds(payload, "nbf");
  return claims;
}

Decoded Decode(std::string_view token,
               const std::function<const std::string*(const std::string&)>& key) {
  const Json header = HeaderOf(token);
  if (!header.is_object()) return {AuthFault::kMalformed, {}};
  if (Text(header, "alg") != "ES256") return {AuthFault::kAlgorithm, {}};
  const std::string* pem = key(Text(header, "kid"));
  if (pem == nullptr) return {AuthFault::kUnknownKey, {}};

  // The signature first, so that no other answer can be had without a key. verify() also checks
  // claims against its own clock; ours are checked by the caller of this file, so it gets only the
  // signature to do.
  const jwt::string_view whole(token.data(), token.size());
  const auto parts = jwt::jwt_object::three_parts(whole);
  jwt::jwt_header jwt_header;
  jwt_header.decode(parts[0]);
  jwt::jwt_signature signature{jwt::string_view(*pem)};
  const auto signed_part = whole.substr(0, parts[0].length() + 1 + parts[1].length());
  const auto result = signature.verify(jwt_header, signed_part, parts[2]);
  if (result.second || !result.first) return {AuthFault::kSignature, {}};

  jwt::jwt_payload payload;
  payload.decode(parts[1]);
  try {
    return {std::nullopt, ClaimsOf(payload.create_json_obj())};
  } catch (const std::exception&) {
    return {AuthFault::kClaims, {}};
  }
}

}  // namespace

Decoded DecodeJwt(std::string_view token,
                  const std::function<const std::string*(const std::string&)>& key) {
  if (!LooksLikeToken(token)) return {AuthFault::kMalformed, {}};
  try {
    return Decode(token, key);
  } catch (const std::exception&) {  // the library throws on bytes that it cannot read
    return {AuthFault::kMalformed, {}};
  }
}

absl::StatusOr<std::string> EncodeJwt(const Claims& claims, const std::string& kid,
                                      const std::string& private_key_pem) {
  try {
    jwt::jwt_object token{jwt::params::algorithm("ES256"), jwt::params::secret(private_key_pem)};
    token.header().add_header("kid", kid);
    token.add_claim("sub", claims.sub)
        .add_claim("name", claims.name)
        .add_claim("roles", claims.roles)
        .add_claim("iss", claims.iss)
        .add_claim("exp", claims.exp)
        .add_claim("nbf", claims.nbf);
    if (claims.aud.size() == 1) {
      token.add_claim("aud", claims.aud[0]);
    } else {
      token.add_claim("aud", claims.aud);
    }
    if (!claims.host_unit.empty()) token.add_claim("host_unit", claims.host_unit);
    std::error_code error;
    std::string text = token.signature(error);
    if (error) return absl::InvalidArgumentError("cannot sign with this key: " + error.message());
    return text;
  } catch (const std::exception& fault) {
    return absl::InvalidArgumentError(std::string("cannot sign: ") + fault.what());
  }
}

}  // namespace yuezhan::auth
