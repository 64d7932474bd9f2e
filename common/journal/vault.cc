#include "common/journal/vault.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "common/base/digest.h"
#include "common/base/text.h"

namespace yuezhan::journal {
namespace {

constexpr size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16, kMaxIdBytes = 16;

const unsigned char* Raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* Raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// Encryption that fails is memory or randomness that failed: nothing may go on as if a value were
// protected.
void Must(bool ok) {
  if (!ok) std::abort();
}

std::string Random(size_t size) {
  std::string bytes(size, '\0');
  Must(RAND_bytes(Raw(bytes), static_cast<int>(size)) == 1);
  return bytes;
}

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)>;

// nonce, ciphertext, tag.
std::string Encrypt(std::string_view key, std::string_view aad, std::string_view plaintext) {
  Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  const std::string nonce = Random(kNonceBytes);
  std::string text(plaintext.size(), '\0'), tag(kTagBytes, '\0');
  int size = 0;
  Must(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Raw(key), Raw(nonce)) == 1);
  Must(EVP_EncryptUpdate(cipher.get(), nullptr, &size, Raw(aad), static_cast<int>(aad.size())) ==
       1);
  Must(EVP_EncryptUpdate(cipher.get(), Raw(text), &size, Raw(plaintext),
                         static_cast<int>(plaintext.size())) == 1);
  Must(EVP_EncryptFinal_ex(cipher.get(), Raw(text) + size, &size) == 1);
  Must(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1);
  return Concat({nonce, text, tag});
}

absl::StatusOr<std::string> Decrypt(std::string_view key, std::string_view aad,
                                    std::string_view sealed) {
  const absl::Status wrong =
      absl::DataLossError("an encrypted value, its key or its place is not what was sealed");
  if (key.size() != kKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return wrong;
  const std::string_view nonce = sealed.substr(0, kNonceBytes);
  const std::string_view text = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes)), plain(text.size(), '\0');
  Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  int size = 0;
  Must(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, Raw(key), Raw(nonce)) == 1);
  Must(EVP_DecryptUpdate(cipher.get(), nullptr, &size, Raw(aad), static_cast<int>(aad.size())) ==
       1);
  Must(EVP_DecryptUpdate(cipher.get(), Raw(plain), &size, Raw(text),
                         static_cast<int>(text.size())) == 1);
  Must(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), Raw(plain) + size, &size) != 1) return wrong;
  return plain;
}

std::string Hmac(std::string_view key, std::string_view data) {
  std::string mac(kDigestBytes, '\0');
  unsigned size = 0;
  Must(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), Raw(data), data.size(),
            Raw(mac), &size) != nullptr);
  return mac;
}

bool IsId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// "id:" before the encrypted data key; the id is bound to it as well.
std::string Wrap(std::string_view id, std::string_view master, std::string_view data_key) {
  return Concat({id, ":", Encrypt(master, id, data_key)});
}

}  // namespace

struct Vault::Keys {
  std::map<std::string, std::string, std::less<>> by_id;
  std::string current;
  std::string search;
};

struct Vault::State {
  Source source;  // null: the keys stay
  absl::Mutex mutex;
  std::string text ABSL_GUARDED_BY(mutex);
  std::shared_ptr<const Keys> keys ABSL_GUARDED_BY(mutex);
};

absl::StatusOr<Vault::Keys> Vault::ParseKeys(std::string_view text) {
  Keys keys;
  int number = 0;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(Abs(text), '\n'))) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const size_t colon = line.find(':');
    const std::string id = line.substr(0, colon);
    const absl::StatusOr<std::string> key = colon == std::string::npos
                                                ? absl::InvalidArgumentError("")
                                                : FromHex(std::string_view(line).substr(colon + 1));
    if (!IsId(id) || !key.ok() || key->size() != kKeyBytes ||
        !keys.by_id.emplace(id, *key).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("master keys, line ", number,
                       ": must be \"id:\" ([a-z0-9-], 1 to 16, each once) and 64 hex digits"));
    }
    if (keys.current.empty()) keys.current = id;
    keys.search = Hmac(*key, "yuezhan search key");
  }
  if (keys.by_id.empty()) return absl::InvalidArgumentError("master keys: there is none");
  return keys;
}

absl::StatusOr<Vault> Vault::Parse(std::string_view keys) {
  return Load([text = std::string(keys)] { return text; });
}

absl::StatusOr<Vault> Vault::Load(Source source) {
  auto state = std::make_shared<State>();
  state->source = std::move(source);
  Vault vault(std::move(state));
  if (const absl::Status status = vault.Reload(); !status.ok()) return status;
  return vault;
}

absl::Status Vault::Reload() const {
  const absl::StatusOr<std::string> text = state_->source();
  if (!text.ok()) return text.status();
  absl::MutexLock lock(&state_->mutex);
  if (state_->keys != nullptr && state_->text == *text) return absl::OkStatus();
  absl::StatusOr<Keys> keys = ParseKeys(*text);
  if (!keys.ok()) return keys.status();
  state_->text = *text;
  state_->keys = std::make_shared<const Keys>(*std::move(keys));
  return absl::OkStatus();
}

std::shared_ptr<const Vault::Keys> Vault::Loaded() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->keys;
}

std::string Vault::NewKeyLine(std::string_view id) {
  return Concat({id, ":", ToHex(Random(kKeyBytes)), "\n"});
}

Sealed Vault::Seal(std::string_view aad, std::string_view plaintext) const {
  const std::string data_key = Random(kKeyBytes);
  const auto keys = Loaded();
  return {Encrypt(data_key, aad, plaintext),
          Wrap(keys->current, keys->by_id.find(keys->current)->second, data_key)};
}

absl::StatusOr<std::string> Vault::UnwrapKey(std::string_view wrapped_key) const {
  const size_t colon = wrapped_key.find(':');
  if (colon == std::string_view::npos || !IsId(wrapped_key.substr(0, colon)))
    return absl::DataLossError("a wrapped key without the id of its master key");
  const std::string_view id = wrapped_key.substr(0, colon);
  auto keys = Loaded();
  auto master = keys->by_id.find(id);
  if (master == keys->by_id.end() && Reload().ok()) {
    keys = Loaded();
    master = keys->by_id.find(id);
  }
  if (master == keys->by_id.end()) {
    return absl::FailedPreconditionError(Concat({"master key ", id, " is not loaded"}));
  }
  return Decrypt(master->second, id, wrapped_key.substr(colon + 1));
}

absl::StatusOr<std::string> Vault::Open(std::string_view aad, const Sealed& sealed) const {
  const absl::StatusOr<std::string> data_key = UnwrapKey(sealed.wrapped_key);
  if (!data_key.ok()) return data_key.status();
  return Decrypt(*data_key, aad, sealed.bytes);
}

absl::StatusOr<std::string> Vault::OpenWith(std::string_view data_key, std::string_view aad,
                                            std::string_view bytes) {
  return Decrypt(data_key, aad, bytes);
}

absl::StatusOr<std::string> Vault::Rewrap(std::string_view wrapped_key) const {
  const absl::StatusOr<std::string> data_key = UnwrapKey(wrapped_key);
  if (!data_key.ok()) return data_key.status();
  const auto keys = Loaded();
  if (wrapped_key.substr(0, wrapped_key.find(':')) == keys->current) {
    return std::string(wrapped_key);
  }
  return Wrap(keys->current, keys->by_id.find(keys->current)->second, *data_key);
}

std::string Vault::SearchKey(std::string_view purpose, std::string_view value) const {
  return Hmac(Loaded()->search, Digest({purpose, value}));
}

}  // namespace yuezhan::journal
