#include "services/yz/profile.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "services/yz/client.h"
#include "services/yz/files.h"

namespace yuezhan::yz {
namespace {

TEST(Profile, IsReadAsItWasWritten) {
  const std::string path = testing::TempDir() + "/profile_" + std::to_string(getpid());
  Profile profile;
  profile.targets = {{"registry", "127.0.0.1:1"}, {"bank", "127.0.0.1:2"}};
  profile.tls_ca = "/a \"b\"/ca.pem";
  profile.token_key = "key";
  profile.token_key_id = "local";
  profile.token_issuer = "yuezhan";
  profile.simulated_clock = "clock";
  ASSERT_TRUE(WriteProfile(profile, path).ok());
  const auto read = ReadProfile(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->targets, profile.targets);
  EXPECT_EQ(read->tls_ca, profile.tls_ca);
  EXPECT_EQ(read->token_key, profile.token_key);
  EXPECT_EQ(read->token_key_id, profile.token_key_id);
  EXPECT_EQ(read->token_issuer, profile.token_issuer);
  EXPECT_EQ(read->simulated_clock, profile.simulated_clock);
  for (const char* wrong : {"", "[]", "{}", "{\"targets\": 1}"}) {
    ASSERT_TRUE(WriteFile(path, wrong).ok());
    EXPECT_FALSE(ReadProfile(path).ok()) << wrong;
  }
  unlink(path.c_str());
  EXPECT_EQ(ReadProfile(path).status().code(), absl::StatusCode::kNotFound);
}

TEST(Client, KnowsTheServiceOfAMethod) {
  EXPECT_EQ(ServiceOf("yuezhan.review.v1.ReviewService/GetCase"), "review");
  EXPECT_EQ(ServiceOf("yuezhan.bank.v1.BankService/GetTransfer"), "bank");
  EXPECT_EQ(ServiceOf("yuezhan.journal.v1.JournalService/GetHead"), "");
  EXPECT_EQ(ServiceOf("grpc.health.v1.Health/Check"), "");
}

}  // namespace
}  // namespace yuezhan::yz
