#include "services/yz/certificates.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace yuezhan::yz {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

constexpr long kDaySeconds = 24 * 3600;

std::string Pem(const std::function<void(BIO*)>& write) {
  const Bio bio(BIO_new(BIO_s_mem()), &BIO_free);
  write(bio.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

Bio Reader(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value), &X509_EXTENSION_free);
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// A certificate of `key` for `common_name`, signed by `issuer` with its key; by itself when null.
X509Ptr Issue(const std::string& common_name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
              absl::Duration life, const std::vector<std::pair<int, const char*>>& extensions) {
  X509Ptr certificate(X509_new(), &X509_free);
  X509* const cert = certificate.get();
  uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  bool ok = X509_set_version(cert, 2) == 1 &&
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1 | 1) == 1 &&
            X509_gmtime_adj(X509_getm_notBefore(cert), -kDaySeconds) != nullptr &&
            X509_gmtime_adj(X509_getm_notAfter(cert), absl::ToInt64Seconds(life)) != nullptr &&
            X509_set_pubkey(cert, key) == 1;
  X509_NAME* const name = X509_get_subject_name(cert);
  ok = ok && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                        reinterpret_cast<const unsigned char*>(common_name.c_str()),
                                        -1, -1, 0) == 1;
  X509* const signer = issuer != nullptr ? issuer : cert;
  ok = ok && X509_set_issuer_name(cert, X509_get_subject_name(signer)) == 1;
  for (const auto& [nid, value] : extensions) {
    ok = ok && AddExtension(cert, signer, nid, value);
  }
  ok = ok && X509_sign(cert, issuer_key, EVP_sha256()) > 0;
  if (!ok) certificate.reset();
  return certificate;
}

// How the certificate's list of names calls it; null: neither name nor address.
const char* HostKind(const std::string& host) {
  in6_addr address;
  if (inet_pton(AF_INET, host.c_str(), &address) == 1 ||
      inet_pton(AF_INET6, host.c_str(), &address) == 1) {
    return "IP:";
  }
  const bool name = !host.empty() && host.size() < 254 &&
                    std::all_of(host.begin(), host.end(), [](unsigned char c) {
                      return std::isalnum(c) || c == '-' || c == '.';
                    });
  return name ? "DNS:" : nullptr;
}

absl::StatusOr<Certificate> Packed(const X509Ptr& certificate, const Key& key) {
  if (certificate == nullptr || key == nullptr) {
    return absl::InternalError("the certificate could not be made");
  }
  return Certificate{
      Pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate.get()); }), Pem([&](BIO* bio) {
        PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
      })};
}

}  // namespace

absl::StatusOr<Certificate> MakeAuthority(const std::string& common_name) {
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  return Packed(Issue(common_name, key.get(), nullptr, key.get(), kCertificateLife,
                      {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                       {NID_key_usage, "critical,keyCertSign,cRLSign"},
                       {NID_subject_key_identifier, "hash"}}),
                key);
}

absl::StatusOr<Certificate> MakeCertificate(const Certificate& authority,
                                            const std::string& common_name,
                                            const std::vector<std::string>& hosts,
                                            absl::Duration life) {
  std::string names = "DNS:localhost,IP:127.0.0.1";
  for (const std::string& host : hosts) {
    const char* kind = HostKind(host);
    if (kind == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", host, "\" is neither a host name nor an address"));
    }
    absl::StrAppend(&names, ",", kind, host);
  }
  const X509Ptr issuer(
      PEM_read_bio_X509(Reader(authority.certificate).get(), nullptr, nullptr, nullptr),
      &X509_free);
  const Key issuer_key(
      PEM_read_bio_PrivateKey(Reader(authority.key).get(), nullptr, nullptr, nullptr),
      &EVP_PKEY_free);
  if (issuer == nullptr || issuer_key == nullptr) {
    return absl::InvalidArgumentError("the authority's certificate or key cannot be read");
  }
  const Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  return Packed(Issue(common_name, key.get(), issuer.get(), issuer_key.get(), life,
                      {{NID_basic_constraints, "critical,CA:FALSE"},
                       {NID_key_usage, "critical,digitalSignature"},
                       {NID_ext_key_usage, "serverAuth,clientAuth"},
                       {NID_subject_alt_name, names.c_str()},
                       {NID_authority_key_identifier, "keyid"}}),
                key);
}

}  // namespace yuezhan::yz
