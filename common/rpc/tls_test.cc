#include <openssl/hmac.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/errors/errors.h"
#include "common/rpc/test_support.h"
#include "gtest/gtest.h"

namespace yuezhan::rpc {
namespace {

using absl::StatusCode;

class Tls : public ::testing::Test, protected ServerTest {
 protected:
  void SetUp() override {
    MakeCertificates(directory);
    options.tls_cert = directory.File("server.pem");
    options.tls_key = directory.File("server.key");
    options.tls_ca = directory.File("ca.pem");
    handler = [this](Context& context, const auto&, auto*) {
      seen_ = context.caller;
      return absl::OkStatus();
    };
    Start();
  }

  ChannelOptions As(const std::string& certificate) {
    ChannelOptions channel;
    channel.tls_ca = directory.File("ca.pem");
    channel.max_attempts = 1;
    channel.timeout = absl::Seconds(5);
    if (!certificate.empty()) {
      channel.tls_cert = directory.File(certificate + ".pem");
      channel.tls_key = directory.File(certificate + ".key");
    }
    return channel;
  }

  Caller seen_;
};

TEST_F(Tls, PersonComesWithATokenAndNoCertificate) {
  EXPECT_EQ(Read(*Client(As("")), Token({Role::kAuditor})), absl::OkStatus());
  EXPECT_EQ(seen_.subject, "tester");
  EXPECT_EQ(errors::Metadata(Read(*Client(As("")), ""), "cause"), "MISSING");
}

TEST_F(Tls, ServiceComesWithItsCertificate) {
  EXPECT_EQ(Read(*Client(As("review")), ""), absl::OkStatus());
  EXPECT_EQ(seen_.subject, "service:review");
  EXPECT_EQ(seen_.roles.bits, RoleSet{Role::kService}.bits);
  // A token beside it speaks for itself, also when it is bad.
  EXPECT_EQ(Read(*Client(As("review")), Token({Role::kAuditor})), absl::OkStatus());
  EXPECT_EQ(seen_.subject, "tester");
  EXPECT_EQ(Read(*Client(As("review")), "bad").code(), StatusCode::kUnauthenticated);
}

TEST_F(Tls, OtherCertificatesAreRefused) {
  EXPECT_EQ(errors::Metadata(Read(*Client(As("stranger")), ""), "cause"), "CERTIFICATE");
  // These fail the handshake, even with a good token.
  for (const char* certificate : {"foreign", "expired"}) {
    EXPECT_EQ(Read(*Client(As(certificate)), Token({Role::kAuditor})).code(),
              StatusCode::kUnavailable)
        << certificate;
  }
}

TEST_F(Tls, ClientTrustsOnlyItsAuthorityAndTheName) {
  ChannelOptions wrong_authority = As("");
  wrong_authority.tls_ca = directory.File("foreign-ca.pem");
  EXPECT_EQ(Read(*Client(wrong_authority), Token({Role::kAuditor})).code(),
            StatusCode::kUnavailable);
  ChannelOptions wrong_name = As("");
  wrong_name.tls_name = "payment";
  EXPECT_EQ(Read(*Client(wrong_name), Token({Role::kAuditor})).code(), StatusCode::kUnavailable);
  ChannelOptions right_name = As("");
  right_name.tls_name = "registry";
  EXPECT_EQ(Read(*Client(right_name), Token({Role::kAuditor})), absl::OkStatus());
  ChannelOptions plaintext = As("");
  plaintext.plaintext = true;
  EXPECT_EQ(Read(*Client(plaintext), Token({Role::kAuditor})).code(), StatusCode::kUnavailable);
}

TEST_F(Tls, CertificatesAreTakenUpWithoutARestart) {
  const auto serial = [&] {
    const std::string command =
        "openssl s_client -connect 127.0.0.1:" + std::to_string(server->port()) +
        " </dev/null 2>/dev/null | openssl x509 -noout -serial";
    FILE* pipe = popen(command.c_str(), "r");
    char line[64] = "";
    (void)!fgets(line, sizeof(line), pipe);
    pclose(pipe);
    return std::string(line);
  };
  const auto channel = Client(As("review"));  // an open connection stays good
  EXPECT_EQ(Read(*channel, ""), absl::OkStatus());
  RenewServerCertificate(directory, 4711);
  const absl::Time limit = absl::Now() + absl::Seconds(15);
  std::string now;
  while ((now = serial()) != "serial=1267\n" && absl::Now() < limit) {
    EXPECT_EQ(Read(*Client(As("review")), ""), absl::OkStatus());  // new ones, all the while
  }
  EXPECT_EQ(now, "serial=1267\n");
  EXPECT_EQ(Read(*channel, ""), absl::OkStatus());
}

std::string Base64(const std::string& bytes) {
  std::string out;
  absl::WebSafeBase64Escape(bytes, &out);
  while (out.ends_with('=')) out.pop_back();
  return out;
}

// A token with the claims of `good`, another header, and an HMAC under `secret` ("": no signature).
std::string Forge(const std::string& good, const std::string& algorithm,
                  const std::string& secret) {
  const std::vector<std::string> parts = absl::StrSplit(good, '.');
  const std::string text = absl::StrCat(
      Base64(absl::StrCat(R"({"alg":")", algorithm, R"(","typ":"JWT","kid":"city"})")), ".",
      parts[1]);
  if (secret.empty()) return text + ".";
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return text + "." + Base64(std::string(reinterpret_cast<const char*>(mac), size));
}

TEST_F(Tls, TokensAreRefusedForEachFault) {
  const auto channel = Client(As(""));
  const auto issue = [&](const auth::IssuerOptions& by, absl::Time from, absl::Duration life) {
    return *auth::IssueToken(by, {"tester", "测试员", {Role::kAuditor}, ""}, from, life);
  };
  const absl::Time now = absl::Now();
  const std::string good = issue(issuer, now, absl::Hours(1));
  auth::IssuerOptions audience = issuer, another = issuer, unknown = issuer, forged = issuer;
  audience.audience = "another-system";
  another.issuer = "another-city";
  unknown.key_id = "city-2";
  forged.private_key_pem = auth::MakeKeyPair()->private_pem;
  std::stringstream public_key;
  public_key << std::ifstream(directory.File("keys/city.pem")).rdbuf();
  const std::pair<std::string, std::string> kCases[] = {
      {"", "MISSING"},
      {"nonsense", "MALFORMED"},
      {issue(issuer, now - absl::Hours(2), absl::Hours(1)), "EXPIRED"},
      {issue(issuer, now + absl::Minutes(5), absl::Hours(1)), "NOT_YET_VALID"},
      {issue(audience, now, absl::Hours(1)), "AUDIENCE"},
      {issue(another, now, absl::Hours(1)), "ISSUER"},
      {issue(unknown, now, absl::Hours(1)), "UNKNOWN_KEY"},
      {issue(forged, now, absl::Hours(1)), "SIGNATURE"},
      {Forge(good, "none", "x"), "ALGORITHM"},
      {Forge(good, "none", ""), "MALFORMED"},
      {Forge(good, "HS256", public_key.str()), "ALGORITHM"},
      {Forge(good, "ES256", public_key.str()), "SIGNATURE"},
  };
  EXPECT_EQ(Read(*channel, good), absl::OkStatus());
  for (const auto& [token, cause] : kCases) {
    const absl::Status status = Read(*channel, token);
    EXPECT_EQ(status.code(), StatusCode::kUnauthenticated) << cause;
    EXPECT_EQ(errors::Metadata(status, "cause"), cause) << status;
  }
  // A revoked key: a token that was good a moment ago, and is in the cache.
  std::ofstream(directory.File("keys/next.pem")) << auth::MakeKeyPair()->public_pem;
  std::filesystem::remove(directory.File("keys/city.pem"));
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  absl::Status status;
  while ((status = Read(*channel, good)).ok() && absl::Now() < limit) std::this_thread::yield();
  EXPECT_EQ(errors::Metadata(status, "cause"), "UNKNOWN_KEY");
}

TEST_F(Tls, AServiceCallsWhatNamesItAndByItsCertificateAlone) {
  journal::v1::SkipEntryRequest skip;
  skip.set_request_id("r1");
  skip.set_source("review");
  skip.set_seq(1);
  skip.set_reason("测试");
  journal::v1::SkipEntryResponse skipped;
  EXPECT_EQ(errors::Reason(Client(As("review"))->Call(kSkipEntry, skip, &skipped)),
            "PERMISSION_DENIED");
  // A token that says it is a service is a person's without a role.
  const std::string token = *auth::IssueToken(
      issuer, {"service:review", "review", {Role::kService}, ""}, absl::Now(), absl::Hours(1));
  EXPECT_EQ(errors::Reason(Read(*Client(As("")), token)), "PERMISSION_DENIED");
}

// Certificates of both sides and the key of tokens change while eight callers call; no call fails.
TEST_F(Tls, KeysAndCertificatesChangeUnderLoad) {
  options.probe_interval = absl::Milliseconds(20);
  server->Stop();
  Start();
  absl::Mutex mutex;
  auth::IssuerOptions present = issuer;  // guarded by mutex
  const auto token = [&] {
    absl::MutexLock lock(&mutex);
    return *auth::IssueToken(present, {"tester", "测试员", {Role::kAuditor}, ""}, absl::Now(),
                             absl::Hours(1));
  };
  std::atomic<bool> end = false;
  std::atomic<int> calls = 0, failed = 0;
  const auto note = [&](const absl::Status& status) {
    ++calls;
    if (!status.ok()) {
      ++failed;
      ADD_FAILURE() << status;
    }
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&, i] {  // one connection each, that stays
      ChannelOptions channel = As(i % 2 == 0 ? "" : "review");
      channel.timeout = absl::Seconds(20);
      const auto kept = Client(channel);
      while (!end) note(Read(*kept, i % 2 == 0 ? token() : ""));
    });
    callers.emplace_back([&, i] {  // a new connection for each call
      while (!end) {
        ChannelOptions channel = As(i % 2 == 0 ? "" : "review");
        channel.timeout = absl::Seconds(20);
        // One that begins between a new key and its certificate has no old pair to keep: it looks
        // again after a second.
        channel.max_attempts = 20;
        note(Read(*Client(channel), i % 2 == 0 ? token() : ""));
      }
    });
  }
  for (int round = 0; round < 3; ++round) {
    RenewServerCertificate(directory, 5000 + round);
    RenewClientCertificate(directory, "review");
    // The new key first; when it is known, the issuer changes; then the old one goes.
    const auth::KeyPair keys = *auth::MakeKeyPair();
    const std::string kid = absl::StrCat("city-", round);
    std::ofstream(directory.File("keys/" + kid + ".part")) << keys.public_pem;
    std::filesystem::rename(directory.File("keys/" + kid + ".part"),
                            directory.File("keys/" + kid + ".pem"));
    auth::IssuerOptions next = issuer;
    next.private_key_pem = keys.private_pem;
    next.key_id = kid;
    const std::string probe = *auth::IssueToken(
        next, {"tester", "测试员", {Role::kAuditor}, ""}, absl::Now(), absl::Hours(1));
    const auto channel = Client(As(""));
    const absl::Time limit = absl::Now() + absl::Seconds(20);
    while (!Read(*channel, probe).ok() && absl::Now() < limit) std::this_thread::yield();
    std::string old;
    {
      absl::MutexLock lock(&mutex);
      old = present.key_id;
      present = next;
    }
    // Until the tokens under way have arrived: every caller has made two more calls.
    const int so_far = calls;
    while (calls < so_far + 40 && absl::Now() < limit) std::this_thread::yield();
    std::filesystem::remove(directory.File("keys/" + old + ".pem"));
    const int removed_at = calls;
    while (calls < removed_at + 40 && absl::Now() < limit) std::this_thread::yield();
  }
  end = true;
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(calls, 240);
  RecordProperty("calls", calls);
}

TEST(TlsFiles, MissingOnesStopTheStart) {
  ServerTest test;
  test.options.tls_cert = test.directory.File("none.pem");
  test.options.tls_key = test.directory.File("none.key");
  Server server(test.options, test.verifier.get());
  const absl::Status status = server.Start();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(status.ToString().find("none.pem"), std::string::npos);
  Server nothing(ServerOptions{}, test.verifier.get());
  EXPECT_EQ(nothing.Start().code(), StatusCode::kInvalidArgument);  // plaintext must be asked for
}

}  // namespace
}  // namespace yuezhan::rpc
