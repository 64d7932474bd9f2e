#include "common/base/digest.h"

#include <openssl/evp.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "absl/status/status.h"

namespace yuezhan {
namespace {

// One at a time in a thread: algorithm and state are kept, OpenSSL takes as long to find and make
// them as to digest a kilobyte.
class Hasher {
 public:
  Hasher() {
    if (EVP_DigestInit_ex2(State(), Algorithm(), nullptr) != 1) std::abort();  // out of memory
  }
  void Add(std::string_view data) { EVP_DigestUpdate(State(), data.data(), data.size()); }
  std::string Finish() {
    std::string digest(kDigestBytes, '\0');
    unsigned size = 0;
    EVP_DigestFinal_ex(State(), reinterpret_cast<unsigned char*>(digest.data()), &size);
    return digest;
  }

 private:
  static const EVP_MD* Algorithm() {
    static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return sha256;
  }
  static EVP_MD_CTX* State() {
    using Context = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>;
    thread_local const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    return context.get();
  }
};

int Nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string Digest(std::initializer_list<std::string_view> parts) {
  Hasher hasher;
  for (std::string_view part : parts) {
    char length[8];
    for (int i = 0; i < 8; ++i)
      length[i] = static_cast<char>(uint64_t{part.size()} >> (56 - 8 * i));
    hasher.Add({length, sizeof length});
    hasher.Add(part);
  }
  return hasher.Finish();
}

std::string Sha256(std::string_view data) {
  Hasher hasher;
  hasher.Add(data);
  return hasher.Finish();
}

std::string ToHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (unsigned char b : bytes) {
    hex += kDigits[b >> 4];
    hex += kDigits[b & 15];
  }
  return hex;
}

absl::StatusOr<std::string> FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = Nibble(hex[i]), low = Nibble(hex[i + 1]);
    if (high < 0 || low < 0) return absl::InvalidArgumentError("not lower-case hex");
    bytes += static_cast<char>(high << 4 | low);
  }
  if (hex.size() % 2 != 0) return absl::InvalidArgumentError("not lower-case hex");
  return bytes;
}

}  // namespace yuezhan
