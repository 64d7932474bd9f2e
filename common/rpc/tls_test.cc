#include <thread>

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
