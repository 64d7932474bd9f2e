#ifndef YUEZHAN_COMMON_JOURNAL_SIGNER_H_
#define YUEZHAN_COMMON_JOURNAL_SIGNER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace yuezhan::journal {

// Public keys of a chain's signatures, by key id (first 16 hex digits of SHA-256 of the key).
class VerifyingKeys {
 public:
  // `public_key`: 32 bytes. Returns its id; INVALID_ARGUMENT for another length.
  absl::StatusOr<std::string> Add(std::string_view public_key);
  // Whether `signature` is by a known key and over exactly this.
  bool Verify(std::string_view key_id, std::string_view service, int64_t seq, std::string_view hash,
              std::string_view signature) const;
  const std::map<std::string, std::string, std::less<>>& keys() const { return keys_; }

 private:
  std::map<std::string, std::string, std::less<>> keys_;
};

// Signs the ends of batches (Ed25519). The database never sees its key: who can write there cannot
// sign. Thread-safe.
class Signer {
 public:
  // A PEM private key (openssl genpkey -algorithm ed25519). INVALID_ARGUMENT for anything else.
  static absl::StatusOr<std::shared_ptr<const Signer>> FromPem(std::string_view pem);
  // A new key, and its PEM.
  static std::string NewPem();

  std::string Sign(std::string_view service, int64_t seq, std::string_view hash) const;
  const std::string& key_id() const { return key_id_; }
  const std::string& public_key() const { return public_key_; }

 private:
  Signer() = default;
  std::shared_ptr<void> key_;
  std::string key_id_;
  std::string public_key_;
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_SIGNER_H_
