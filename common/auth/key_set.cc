#include "common/auth/key_set.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "common/auth/tokens.h"

namespace yuezhan::auth {
namespace {

namespace fs = std::filesystem;

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

std::vector<fs::path> PemFiles(const std::string& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".pem") files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// ES256 is this curve and no other; the JWT library would take any.
bool IsP256PublicKey(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all);
  const KeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  if (key == nullptr || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC) return false;
  char group[64] = "";
  EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                 nullptr);
  return std::string_view(group) == "prime256v1";
}

std::string Drain(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

}  // namespace

std::string KeySetFingerprint(const std::string& directory) {
  std::ostringstream out;
  for (const fs::path& file : PemFiles(directory)) {
    std::error_code error;
    out << file.filename().string() << ' ' << fs::file_size(file, error) << ' '
        << fs::last_write_time(file, error).time_since_epoch().count() << '\n';
  }
  return out.str();
}

absl::StatusOr<KeySet> ReadKeySet(const std::string& directory) {
  KeySet keys;
  keys.fingerprint = KeySetFingerprint(directory);
  for (const fs::path& path : PemFiles(directory)) {
    std::ifstream file(path);
    std::stringstream pem;
    pem << file.rdbuf();
    if (!IsP256PublicKey(pem.str())) {
      return absl::InvalidArgumentError(path.string() + " is no P-256 public key in PEM");
    }
    keys.pem_by_kid[path.stem().string()] = pem.str();
  }
  if (keys.pem_by_kid.empty()) {
    return absl::NotFoundError("no public keys (KID.pem) in " + directory);
  }
  return keys;
}

absl::StatusOr<KeyPair> MakeKeyPair() {
  const KeyPtr key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const BioPtr secret(BIO_new(BIO_s_mem()), &BIO_free_all);
  const BioPtr open(BIO_new(BIO_s_mem()), &BIO_free_all);
  if (key == nullptr || secret == nullptr || open == nullptr ||
      PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_PUBKEY(open.get(), key.get()) != 1) {
    return absl::InternalError("cannot make a key pair");
  }
  return KeyPair{Drain(secret.get()), Drain(open.get())};
}

}  // namespace yuezhan::auth
