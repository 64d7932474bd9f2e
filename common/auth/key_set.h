#ifndef YUEZHAN_COMMON_AUTH_KEY_SET_H_
#define YUEZHAN_COMMON_AUTH_KEY_SET_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace yuezhan::auth {

// The public keys of a directory, PEM by kid, and what tells that the directory changed.
struct KeySet {
  std::map<std::string, std::string, std::less<>> pem_by_kid;
  std::string fingerprint;  // names, sizes and times of the files
};

// Reads "<kid>.pem", each one P-256 public key. Fails, naming the file, when one is not, and when
// there is none: a service that trusts nobody serves nobody.
absl::StatusOr<KeySet> ReadKeySet(const std::string& directory);
// The fingerprint alone.
std::string KeySetFingerprint(const std::string& directory);

}  // namespace yuezhan::auth

#endif  // YUEZHAN_COMMON_AUTH_KEY_SET_H_
