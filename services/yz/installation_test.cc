#include "services/yz/installation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/db/options.h"
#include "services/yz/files.h"
#include "services/yz/profile.h"

namespace yuezhan::yz {
namespace {

namespace fs = std::filesystem;

class InstallationTest : public testing::Test {
 protected:
  ~InstallationTest() override { fs::remove_all(options_.directory); }

  std::string Read(const std::string& file) {
    return ReadFile(absl::StrCat(options_.directory, "/", file)).value_or("");
  }

  InstallationOptions options_{
      .directory = (fs::temp_directory_path() / absl::StrCat("yz-installation-", NewUuid())),
      .hosts = {"yz.example.cn"},
      .database = "mysql:3306"};
};

TEST_F(InstallationTest, GivesEachServiceItsOwn) {
  ASSERT_EQ(MakeInstallation(options_), absl::OkStatus());
  const auto registry = db::ParseUrl(Read("registry/serve.url"));
  const auto review = db::ParseUrl(Read("review/serve.url"));
  ASSERT_TRUE(registry.ok() && review.ok());
  EXPECT_EQ(registry->user, "yuezhan_registry_s");
  EXPECT_EQ(registry->schema, "yuezhan_registry");
  EXPECT_EQ(registry->tls_ca, "/run/yuezhan/ca.pem");
  EXPECT_NE(registry->password, review->password);
  EXPECT_NE(registry->password, db::ParseUrl(Read("registry/migrate.url"))->password);
  EXPECT_NE(Read("registry/vault.keys"), Read("review/vault.keys"));
  EXPECT_NE(Read("registry/journal.key"), Read("review/journal.key"));
  const auto profile = ReadProfile(options_.directory + "/operator/yz.json");
  EXPECT_EQ(profile->targets.at("review"), "review:7443");
  EXPECT_EQ(profile->simulated_clock, "");
}

TEST_F(InstallationTest, KeepsOthersOutOfItsFiles) {
  ASSERT_EQ(MakeInstallation(options_), absl::OkStatus());
  for (const auto& entry : fs::recursive_directory_iterator(options_.directory)) {
    // The database's own user must read its folder; the one above is the operator's alone.
    if (!entry.is_regular_file() || entry.path().parent_path().filename() == "mysql") continue;
    EXPECT_EQ(entry.status().permissions() & fs::perms(0077), fs::perms::none) << entry.path();
  }
}

TEST_F(InstallationTest, ChangesNothingTheSecondTime) {
  ASSERT_EQ(MakeInstallation(options_), absl::OkStatus());
  const std::string before = Read("registry/serve.url") + Read("registry/tls.pem") +
                             Read("registry/journal.key") + Read("mysql/root.password");
  ASSERT_EQ(MakeInstallation(options_), absl::OkStatus());
  EXPECT_EQ(Read("registry/serve.url") + Read("registry/tls.pem") + Read("registry/journal.key") +
                Read("mysql/root.password"),
            before);
}

TEST_F(InstallationTest, MakesALostCertificateAndNoLostKey) {
  ASSERT_EQ(MakeInstallation(options_), absl::OkStatus());
  fs::remove(options_.directory + "/review/tls.pem");
  EXPECT_EQ(MakeInstallation(options_), absl::OkStatus());
  EXPECT_NE(Read("review/tls.pem"), "");
  for (const char* file : {"vault.keys", "journal.key", "serve.url", "migrate.url"}) {
    const std::string path = absl::StrCat(options_.directory, "/review/", file);
    const std::string kept = ReadFile(path).value();
    fs::remove(path);
    const absl::Status refused = MakeInstallation(options_);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << file;
    EXPECT_THAT(std::string(refused.message()), testing::HasSubstr(path));
    EXPECT_FALSE(fs::exists(path)) << file;
    ASSERT_EQ(WriteFile(path, kept), absl::OkStatus());
  }
}

TEST_F(InstallationTest, WaitsForADatabaseThatNobodyKnowsYet) {
  options_.database = "nowhere.invalid:3306";
  ASSERT_EQ(MakeInstallation(options_), absl::OkStatus());
  const std::string address = options_.directory + "/authority/administrator.url";
  testing::internal::CaptureStderr();
  int waited = 0;
  const auto wait = [&](absl::Duration) {
    // What came after the wait counts: here an address that is none, which nobody waits for.
    if (++waited == 3) {
      ASSERT_EQ(WriteFile(address, "no address"), absl::OkStatus());
    }
  };
  EXPECT_EQ(MakeInstalledSchemas(options_.directory, absl::Hours(1), wait).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(waited, 3);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_THAT(said, testing::MatchesRegex("waiting for the database, 1h at most: [^\n]*\n"));
}

TEST_F(InstallationTest, GivesUpADatabaseThatDoesNotCome) {
  options_.database = "nowhere.invalid:3306";
  ASSERT_EQ(MakeInstallation(options_), absl::OkStatus());
  const absl::Status never = MakeInstalledSchemas(
      options_.directory, absl::ZeroDuration(), [](absl::Duration) { FAIL() << "waits"; });
  EXPECT_EQ(never.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(never.message()),
              testing::HasSubstr("start it, or correct the address"));
}

TEST_F(InstallationTest, OfADemonstrationHasAClock) {
  options_.clock_start = absl::FromUnixSeconds(1'700'000'000);
  ASSERT_EQ(MakeInstallation(options_), absl::OkStatus());
  EXPECT_EQ(Read("clock/clock").size(), 8u);
  EXPECT_EQ(ReadProfile(options_.directory + "/operator/yz.json")->simulated_clock, "/clock/clock");
}

}  // namespace
}  // namespace yuezhan::yz
