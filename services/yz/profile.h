#ifndef YUEZHAN_SERVICES_YZ_PROFILE_H_
#define YUEZHAN_SERVICES_YZ_PROFILE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace yuezhan::yz {

// What a client of an installation on this machine needs to know. `yz up` writes it, the other
// commands read it.
struct Profile {
  std::map<std::string, std::string> targets;  // service ("registry", "bank") → host:port
  std::string tls_ca;                          // PEM file; "": without TLS
  std::string token_key;                       // PEM file of the key that signs persons' tokens
  std::string token_key_id;
  std::string token_issuer;
  std::string simulated_clock;  // file; "": the installation runs on the real clock
};

// NOT_FOUND when there is no such file, INVALID_ARGUMENT when it is not a profile.
absl::StatusOr<Profile> ReadProfile(const std::string& path);
absl::Status WriteProfile(const Profile& profile, const std::string& path);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_PROFILE_H_
