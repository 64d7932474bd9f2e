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

// AES-256-GCM of one thread: OpenSSL looks an algorithm up by its name, and makes its state, as
// long as it takes to encrypt a kilobyte, so both are kept.
EVP_CIPHER_CTX* Cipher(std::string_view key, std::string_view nonce, bool encrypt) {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  using Context = std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)>;
  thread_local const Context context = [] {
    Context fresh(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
    Must(EVP_CipherInit_ex2(fresh.get(), cipher, nullptr, nullptr, 1, nullptr) == 1);
    return fresh;
  }();
  Must(EVP_CipherInit_ex2(context.get(), nullptr, Raw(key), Raw(nonce), encrypt, nullptr) == 1);
  return context.get();
}

// nonce, ciphertext, tag.
std::string Encrypt(std::string_view key, std::string_view nonce, std::string_view aad,
                    std::string_view plaintext) {
  EVP_CIPHER_CTX* const cipher = Cipher(key, nonce, true);
  std::string sealed(nonce);
  sealed.resize(kNonceBytes + plaintext.size() + kTagBytes);
  unsigned char* const text = Raw(sealed) + kNonceBytes;
  unsigned char* const tag = text + plaintext.size();
  int size = 0;
  Must(EVP_EncryptUpdate(cipher, nullptr, &size, Raw(aad), static_cast<int>(aad.size())) == 1);
  Must(EVP_EncryptUpdate(cipher, text, &size, Raw(plaintext), static_cast<int>(plaintext.size())) ==
       1);
  Must(EVP_EncryptFinal_ex(cipher, tag, &size) == 1);
  Must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, kTagBytes, tag) == 1);
  return sealed;
}

absl::StatusOr<std::string> Decrypt(std::string_view key, std::string_view aad,
                                    std::string_view sealed) {
  const auto wrong = [] {
    return absl::DataLossError("an encrypted value, its key or its place is not what was sealed");
  };
  if (key.size() != kKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return wrong();
  const std::string_view text = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes)), plain(text.size(), '\0');
  EVP_CIPHER_CTX* const cipher = Cipher(key, sealed.substr(0, kNonceBytes), false);
  int size = 0;
  Must(EVP_DecryptUpdate(cipher, nullptr, &size, Raw(aad), static_cast<int>(aad.size())) == 1);
  Must(EVP_DecryptUpdate(cipher, Raw(plain), &size, Raw(text), static_cast<int>(text.size())) == 1);
  Must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher, Raw(plain) + size, &size) != 1) return wrong();
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
std::string Wrap(std::string_view id, std::string_view master, std::string_view nonce,
                 std::string_view data_key) {
  return Concat({id, ":", Encrypt(master, nonce, id, data_key)});
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
  // The data key and two nonces at once: each asking for randomness costs microseconds.
  const std::string random = Random(kKeyBytes + 2 * kNonceBytes);
  const std::string_view data_key = std::string_view(random).substr(0, kKeyBytes);
  const std::string_view nonces = std::string_view(random).substr(kKeyBytes);
  const auto keys = Loaded();
  return {Encrypt(data_key, nonces.substr(0, kNonceBytes), aad, plaintext),
          Wrap(keys->current, keys->by_id.find(keys->current)->second, nonces.substr(kNonceBytes),
               data_key)};
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
  return Wrap(keys->current, keys->by_id.find(keys->current)->second, Random(kNonceBytes),
              *data_key);
}

std::string Vault::SearchKey(std::string_view purpose, std::string_view value) const {
  return Hmac(Loaded()->search, Digest({purpose, value}));
}

}  // namespace yuezhan::journal
