#ifndef YUEZHAN_COMMON_JOURNAL_VAULT_H_
#define YUEZHAN_COMMON_JOURNAL_VAULT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace yuezhan::journal {

// A sealed value, in two columns: hashes (the journal's leaf) are over `bytes` alone, so that a
// change of the master key wraps `wrapped_key` anew and touches no hashed byte.
struct Sealed {
  std::string bytes;        // nonce, ciphertext, tag (AES-256-GCM, by a key of this row alone)
  std::string wrapped_key;  // master key id, nonce, that key encrypted by the master key, tag:
                            // VARBINARY(128)
};

// Encrypts personal values. Several master keys may be loaded: one seals, all open. Thread-safe;
// copies share their keys.
class Vault {
 public:
  // Where the keys stand, in the form of Parse.
  using Source = std::function<absl::StatusOr<std::string>()>;
  // Keys that can be read again while the vault is in use.
  static absl::StatusOr<Vault> Load(Source source);
  // Reads them again. On failure the old ones stay. A value under a key that is not loaded makes
  // the vault look by itself: a new key reaches one replica a moment before the other.
  absl::Status Reload() const;

  // `keys`: lines "id:hex of 32 bytes" ([a-z0-9-]{1,16}); the first seals. Also: lines that begin
  // with # and empty ones. INVALID_ARGUMENT with the number of the wrong line, never its content.
  static absl::StatusOr<Vault> Parse(std::string_view keys);
  // One line of a new master key, for Parse.
  static std::string NewKeyLine(std::string_view id);

  // `aad` binds the value to its place: table, column and row ("applications.payee|" + id). Open
  // with another fails.
  Sealed Seal(std::string_view aad, std::string_view plaintext) const;
  // DATA_LOSS when the value, its key or its place is not what was sealed; FAILED_PRECONDITION when
  // the master key is not loaded.
  absl::StatusOr<std::string> Open(std::string_view aad, const Sealed& sealed) const;
  // The key of one row alone, and what it opens without any master key: evidence that is checked
  // elsewhere, row by row.
  absl::StatusOr<std::string> DataKey(std::string_view wrapped_key) const {
    return UnwrapKey(wrapped_key);
  }
  static absl::StatusOr<std::string> OpenWith(std::string_view data_key, std::string_view aad,
                                              std::string_view bytes);
  // The same data key under the present master key; the value's bytes stay. Returns its argument
  // when it is already.
  absl::StatusOr<std::string> Rewrap(std::string_view wrapped_key) const;

  // HMAC-SHA-256 for finding an encrypted value: equal values of one `purpose` have equal results
  // (32 bytes). Its key derives from the oldest master key (the last line), which therefore stays
  // loaded.
  std::string SearchKey(std::string_view purpose, std::string_view value) const;

 private:
  struct Keys;
  struct State;
  static absl::StatusOr<Keys> ParseKeys(std::string_view text);
  explicit Vault(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<const Keys> Loaded() const;
  absl::StatusOr<std::string> UnwrapKey(std::string_view wrapped_key) const;

  std::shared_ptr<State> state_;
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_VAULT_H_
