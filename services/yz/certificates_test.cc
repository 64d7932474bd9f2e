#include "services/yz/certificates.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

namespace yuezhan::yz {
namespace {

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;

X509Ptr Parse(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
}

bool Verifies(const std::string& certificate, const std::string& authority) {
  const X509Ptr leaf = Parse(certificate);
  const X509Ptr root = Parse(authority);
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(),
                                                                      &X509_STORE_free);
  X509_STORE_add_cert(store.get(), root.get());
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
      X509_STORE_CTX_new(), &X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr);
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_SERVER);
  return X509_verify_cert(context.get()) == 1;
}

TEST(Certificates, AreOfTheirAuthorityAndForThisMachine) {
  const auto authority = MakeAuthority("one");
  const auto other = MakeAuthority("other");
  ASSERT_TRUE(authority.ok() && other.ok());
  const auto made = MakeCertificate(*authority, "registry");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(Verifies(made->certificate, authority->certificate));
  EXPECT_FALSE(Verifies(made->certificate, other->certificate));
  EXPECT_NE(made->key.find("BEGIN PRIVATE KEY"), std::string::npos);

  const X509Ptr leaf = Parse(made->certificate);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(leaf.get(), "10.0.0.1", 0), 0);
  const X509Ptr reached =
      Parse(MakeCertificate(*authority, "registry", {"yz.example.cn", "10.0.0.1"})->certificate);
  EXPECT_EQ(X509_check_ip_asc(reached.get(), "10.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_host(reached.get(), "yz.example.cn", 0, 0, nullptr), 1);
  EXPECT_EQ(MakeCertificate(*authority, "registry", {"a,DNS:other"}).status().code(),
            absl::StatusCode::kInvalidArgument);
  char name[100] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(leaf.get()), NID_commonName, name, sizeof name);
  EXPECT_STREQ(name, "registry");
}

TEST(Certificates, NeedAnAuthority) {
  EXPECT_EQ(MakeCertificate({"nothing", "nothing"}, "registry").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace yuezhan::yz
