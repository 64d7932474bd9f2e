#include "common/journal/signer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"

namespace yuezhan::journal {
namespace {

constexpr size_t kPublicKeyBytes = 32, kSignatureBytes = 64;
// An encrypted key is refused; without this OpenSSL would ask on the terminal.
char kNoPassphrase[] = "";

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* Raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* Raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// What is signed: the words keep a signature from being taken for one of anything else.
std::string SignedText(std::string_view service, int64_t seq, std::string_view hash) {
  return Digest({"yuezhan journal head", service, absl::StrCat(seq), hash});
}

std::string IdOfKey(std::string_view public_key) { return ToHex(Sha256(public_key)).substr(0, 16); }

}  // namespace

absl::StatusOr<std::string> VerifyingKeys::Add(std::string_view public_key) {
  if (public_key.size() != kPublicKeyBytes)
    return absl::InvalidArgumentError("an Ed25519 public key has 32 bytes");
  std::string id = IdOfKey(public_key);
  keys_[id] = std::string(public_key);
  return id;
}

bool VerifyingKeys::Verify(std::string_view key_id, std::string_view service, int64_t seq,
                           std::string_view hash, std::string_view signature) const {
  const auto known = keys_.find(key_id);
  if (known == keys_.end() || signature.size() != kSignatureBytes) return false;
  const Key key(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Raw(known->second), kPublicKeyBytes),
      &EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const std::string message = SignedText(service, seq, hash);
  return key != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Raw(signature), signature.size(), Raw(message),
                          message.size()) == 1;
}

absl::StatusOr<std::shared_ptr<const Signer>> Signer::FromPem(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, kNoPassphrase);
  std::shared_ptr<Signer> signer(new Signer);
  signer->key_ =
      std::shared_ptr<void>(key, [](void* k) { EVP_PKEY_free(static_cast<EVP_PKEY*>(k)); });
  signer->public_key_.resize(kPublicKeyBytes);
  size_t size = kPublicKeyBytes;
  if (key == nullptr || EVP_PKEY_id(key) != EVP_PKEY_ED25519 ||
      EVP_PKEY_get_raw_public_key(key, Raw(signer->public_key_), &size) != 1) {
    return absl::InvalidArgumentError(
        "not an Ed25519 private key in PEM (openssl genpkey -algorithm ed25519)");
  }
  signer->key_id_ = IdOfKey(signer->public_key_);
  return std::shared_ptr<const Signer>(signer);
}

std::string Signer::NewPem() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  if (key == nullptr ||
      PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    std::abort();  // no randomness or no memory
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string Signer::Sign(std::string_view service, int64_t seq, std::string_view hash) const {
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const std::string message = SignedText(service, seq, hash);
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr,
                         static_cast<EVP_PKEY*>(key_.get())) != 1 ||
      EVP_DigestSign(context.get(), Raw(signature), &size, Raw(message), message.size()) != 1) {
    std::abort();  // an entry is never chained without its signature
  }
  return signature;
}

}  // namespace yuezhan::journal
