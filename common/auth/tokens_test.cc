#include "common/auth/tokens.h"

#include <openssl/hmac.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "gtest/gtest.h"

namespace yuezhan::auth {
namespace {

namespace fs = std::filesystem;

std::string Base64(std::string_view bytes) {
  std::string out;
  absl::WebSafeBase64Escape(std::string(bytes), &out);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

std::string Part(std::string_view token, int index) {
  size_t start = 0;
  for (int i = 0; i < index; ++i) start = token.find('.', start) + 1;
  return std::string(token.substr(start, token.find('.', start) - start));
}

class Tokens : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = fs::path(::testing::TempDir()) /
                 ("keys-" + std::to_string(::getpid()) + "-" +
                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(directory_);
    pair_ = *MakeKeyPair();
    Publish("city-1", pair_.public_pem);
    verifier_ = Open();
  }
  void TearDown() override { fs::remove_all(directory_); }

  void Publish(const std::string& kid, const std::string& pem) {
    std::ofstream(directory_ / (kid + ".pem")) << pem;
  }

  std::unique_ptr<TokenVerifier> Open() {
    auto verifier = TokenVerifier::Create({.key_directory = directory_, .issuer = "test-city"});
    EXPECT_TRUE(verifier.ok()) << verifier.status();
    return *std::move(verifier);
  }

  IssuerOptions Issuer() const {
    return {.private_key_pem = pair_.private_pem, .key_id = "city-1", .issuer = "test-city"};
  }

  std::string Issue(const IssuerOptions& issuer, absl::Duration life = absl::Hours(1)) {
    auto token = IssueToken(issuer, officer_, now_, life);
    EXPECT_TRUE(token.ok()) << token.status();
    return *std::move(token);
  }

  // The fault for which a token is refused, "" when it is accepted.
  std::string Fault(std::string_view token, absl::Duration later = absl::ZeroDuration()) {
    const auto caller = verifier_->Verify(token, now_ + later);
    if (caller.ok()) return "";
    EXPECT_EQ(caller.status().code(), absl::StatusCode::kUnauthenticated);
    EXPECT_EQ(errors::Reason(caller.status()), "UNAUTHENTICATED");
    return errors::Metadata(caller.status(), "cause");
  }

  // A token of our header and claims, signed by HMAC under `secret`.
  static std::string ForgeHmac(std::string_view header, std::string_view claims,
                               const std::string& secret) {
    const std::string text = Base64(header) + "." + Base64(claims);
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return text + "." + Base64({reinterpret_cast<const char*>(mac), size});
  }

  const absl::Time now_ = absl::FromUnixSeconds(1'780'000'000);
  const Caller officer_ = {"officer-zhang", "审核员甲", {Role::kReviewer, Role::kAuditor}, ""};
  fs::path directory_;
  KeyPair pair_;
  std::unique_ptr<TokenVerifier> verifier_;
};

TEST_F(Tokens, CarryTheCaller) {
  const auto caller = verifier_->Verify(Issue(Issuer()), now_);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ((*caller)->subject, "officer-zhang");
  EXPECT_EQ((*caller)->name, "审核员甲");
  EXPECT_EQ((*caller)->roles.bits, officer_.roles.bits);

  const Caller host = {"host-1", "申报员", {Role::kHostUnit}, "hostUnits/1"};
  const auto token = IssueToken(Issuer(), host, now_, absl::Hours(1));
  EXPECT_EQ((*verifier_->Verify(*token, now_))->host_unit, "hostUnits/1");
}

TEST_F(Tokens, AreRefusedForEachFault) {
  const std::string good = Issue(Issuer());
  EXPECT_EQ(Fault(good), "");
  EXPECT_EQ(Fault(""), "MISSING");
  for (const char* garbage : {"a", "a.b", "a.b.c", "..", "a..b", "a.b.c.d", "\xff.\xfe.\xfd",
                              "e30.e30.e30", "W10.e30.e30", "bnVsbA.e30.e30"}) {
    EXPECT_NE(Fault(garbage), "") << garbage;
  }
  EXPECT_EQ(Fault(std::string(5000, 'a')), "MALFORMED");

  // Time: the last second counts, the next does not. The second look comes from the cache.
  EXPECT_EQ(Fault(good, absl::Seconds(3599)), "");
  EXPECT_EQ(Fault(good, absl::Seconds(3600)), "EXPIRED");
  EXPECT_EQ(Open()->Verify(good, now_ + absl::Seconds(3600)).ok(), false);
  EXPECT_EQ(Fault(good, -absl::Seconds(5)), "");
  EXPECT_EQ(Fault(good, -absl::Seconds(6)), "NOT_YET_VALID");
  EXPECT_EQ(Fault(Issue(Issuer(), absl::Hours(24 * 40))), "CLAIMS");

  IssuerOptions other = Issuer();
  other.issuer = "another-city";
  EXPECT_EQ(Fault(Issue(other)), "ISSUER");
  other = Issuer();
  other.audience = "another-system";
  EXPECT_EQ(Fault(Issue(other)), "AUDIENCE");
  other = Issuer();
  other.key_id = "city-2";
  EXPECT_EQ(Fault(Issue(other)), "UNKNOWN_KEY");
  other.key_id = "../keys/city-1";
  EXPECT_EQ(Fault(Issue(other)), "UNKNOWN_KEY");
  other = Issuer();
  other.private_key_pem = MakeKeyPair()->private_pem;
  EXPECT_EQ(Fault(Issue(other)), "SIGNATURE");
}

TEST_F(Tokens, AlgorithmIsOursAlone) {
  const std::string good = Issue(Issuer());
  std::string claims;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(Part(good, 1), &claims));
  const std::string none = Base64(R"({"alg":"none","typ":"JWT","kid":"city-1"})");
  EXPECT_NE(Fault(none + "." + Part(good, 1) + "."), "");
  EXPECT_EQ(Fault(none + "." + Part(good, 1) + "." + Part(good, 2)), "ALGORITHM");
  for (const char* algorithm : {"HS256", "RS256", "ES384", "es256", "None", "NONE"}) {
    const std::string header =
        Concat({R"({"alg":")", algorithm, R"(","typ":"JWT","kid":"city-1"})"});
    EXPECT_EQ(Fault(ForgeHmac(header, claims, pair_.public_pem)), "ALGORITHM") << algorithm;
  }
  const std::string es256 = R"({"alg":"ES256","typ":"JWT","kid":"city-1"})";
  EXPECT_EQ(Fault(ForgeHmac(es256, claims, pair_.public_pem)), "SIGNATURE");
  EXPECT_NE(Fault(ForgeHmac(R"({"alg":256,"kid":"city-1"})", claims, "x")), "");
  EXPECT_NE(Fault(ForgeHmac(R"({"kid":"city-1"})", claims, "x")), "");
}

TEST_F(Tokens, EveryBytePartIsSigned) {
  const std::string good = Issue(Issuer());
  for (size_t i = 0; i + 1 < good.size(); ++i) {  // the last character holds unused bits
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_NE(Fault(changed), "") << "byte " << i;
  }
}

TEST_F(Tokens, KeysAreRevokedByReload) {
  const KeyPair second = *MakeKeyPair();
  const std::string old_token = Issue(Issuer());
  EXPECT_EQ(Fault(old_token), "");

  Publish("city-2", second.public_pem);
  ASSERT_TRUE(verifier_->ReloadIfChanged().ok());
  IssuerOptions issuer = Issuer();
  issuer.key_id = "city-2";
  issuer.private_key_pem = second.private_pem;
  EXPECT_EQ(Fault(Issue(issuer)), "");
  EXPECT_EQ(Fault(old_token), "");  // both keys are good while one follows the other

  fs::remove(directory_ / "city-1.pem");
  EXPECT_EQ(Fault(old_token), "");  // known until the reload
  ASSERT_TRUE(verifier_->ReloadIfChanged().ok());
  EXPECT_EQ(Fault(old_token), "UNKNOWN_KEY");

  Publish("broken", "no key at all");
  EXPECT_FALSE(verifier_->ReloadIfChanged().ok());
  EXPECT_EQ(Fault(Issue(issuer)), "");  // the old set stays
}

TEST_F(Tokens, KeySetTakesP256Alone) {
  EXPECT_EQ(Open()->Reload(), absl::OkStatus());
  Publish("private", pair_.private_pem);
  EXPECT_FALSE(TokenVerifier::Create({.key_directory = directory_, .issuer = "x"}).ok());
  fs::remove(directory_ / "private.pem");
  // P-384
  Publish("p384",
          "-----BEGIN PUBLIC KEY-----\n"
          "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEqkP3\n-----END PUBLIC KEY-----\n");
  EXPECT_FALSE(verifier_->Reload().ok());
  fs::remove(directory_ / "p384.pem");
  fs::remove(directory_ / "city-1.pem");
  EXPECT_FALSE(TokenVerifier::Create({.key_directory = directory_, .issuer = "x"}).ok());
  EXPECT_FALSE(
      TokenVerifier::Create({.key_directory = directory_ / "missing", .issuer = "x"}).ok());
}

TEST_F(Tokens, ServiceTokenIsAServices) {
  auto token = ServiceToken::Create(Issuer(), "review");
  ASSERT_TRUE(token.ok()) << token.status();
  const auto caller = verifier_->Verify((*token)->Get(), absl::Now());
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ((*caller)->subject, "service:review");
  EXPECT_TRUE((*caller)->roles.Has(Role::kService));
  EXPECT_EQ((*token)->Get(), (*token)->Get());
  IssuerOptions broken = Issuer();
  broken.private_key_pem = "no key";
  EXPECT_FALSE(ServiceToken::Create(broken, "review").ok());
}

TEST_F(Tokens, KnownTokensCostMicroseconds) {
  const std::string token = Issue(Issuer());
  ASSERT_EQ(Fault(token), "");
  constexpr int kLooks = 20'000;
  const absl::Time start = absl::Now();
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kLooks; ++i) ASSERT_TRUE(verifier_->Verify(token, now_).ok());
    });
  }
  for (auto& thread : threads) thread.join();
  const double micros = absl::ToDoubleMicroseconds(absl::Now() - start) / kLooks / 2;
  RecordProperty("micros_per_look", std::to_string(micros));
  EXPECT_LT(micros, 20) << "a signature check takes about 100";
}

}  // namespace
}  // namespace yuezhan::auth
