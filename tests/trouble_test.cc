// What keeps a service from serving: wrong passwords, lost secrets, a database that does not answer
// or has no room, an expired certificate, a schema from a newer program. Each ends in a line that
// says what to do, and in a service that serves by itself once the cause is gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/ids.h"
#include "common/db/options.h"
#include "common/db/session.h"
#include "common/rpc/test_support.h"
#include "services/yz/certificates.h"
#include "services/yz/files.h"
#include "services/yz/journal_check.h"
#include "services/yz/process.h"
#include "tests/callers.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::tests {
namespace {

using testing::HasSubstr;

// A service that must not start: it ends with a line that has these words, and serves again when
// the cause is gone.
class Trouble : public testing::Test {
 protected:
  void ExpectRefusesToStart(const std::string& service, const std::string& words) {
    stack_.stack().Kill(service);
    std::filesystem::remove(stack_.stack().LogFile(service));
    const absl::Status started = stack_.stack().Start(service, kPatience);
    EXPECT_EQ(started.code(), absl::StatusCode::kAborted) << started;
    // The last line of its log, which is what an operator looks at.
    const std::vector<std::string> lines =
        absl::StrSplit(Content(stack_.stack().LogFile(service)), '\n', absl::SkipEmpty());
    ASSERT_FALSE(lines.empty());
    bool found = false;
    for (const std::string& line : lines) found |= testing::Value(line, HasSubstr(words));
    EXPECT_TRUE(found) << Content(stack_.stack().LogFile(service));
    EXPECT_LE(lines.size(), 3u) << Content(stack_.stack().LogFile(service));
  }
  void ExpectServes(const std::string& service) {
    const absl::Status started = stack_.stack().Start(service, kPatience);
    EXPECT_TRUE(started.ok()) << started;
  }
  void Replace(const std::string& name, const std::string& content) {
    kept_[name] = Content(stack_.Path(name));
    ASSERT_TRUE(yz::WriteFile(stack_.Path(name), content).ok());
  }
  void PutBack(const std::string& name) {
    ASSERT_TRUE(yz::WriteFile(stack_.Path(name), kept_.at(name)).ok());
  }
  db::Options Url(const std::string& name) {
    return db::ParseUrl(Content(stack_.Path(name))).value();
  }

  TestStack stack_{{}};
  std::map<std::string, std::string> kept_;
};

TEST_F(Trouble, AtTheStart) {
  for (const char* account : {"serve", "migrate"}) {
    const std::string file = absl::StrCat("keys/registry.", account, ".url");
    db::Options wrong = Url(file);
    wrong.password = "wrong";
    Replace(file, wrong.Url());
    ExpectRefusesToStart("registry", "the password in the address is not the account's");
    db::Options nowhere = Url(file);
    nowhere.port = 1;
    ASSERT_TRUE(yz::WriteFile(stack_.Path(file), nowhere.Url()).ok());
    ExpectRefusesToStart("registry", "the database does not answer there");
    PutBack(file);
    ExpectServes("registry");
  }
  for (const char* secret : {"journal.key", "vault", "serve.url"}) {
    const std::string file = stack_.Path(absl::StrCat("keys/registry.", secret));
    std::filesystem::rename(file, file + ".away");
    ExpectRefusesToStart("registry", absl::StrCat("cannot read ", file));
    std::filesystem::rename(file + ".away", file);
    ExpectServes("registry");
  }
}

TEST_F(Trouble, ASchemaOfANewerProgram) {
  db::Session schema(stack_.stack().Database("registry"));
  schema.ExecuteText(
      "INSERT INTO schema_migrations (version, step, name, checksum, done, changed_at_ms) VALUES "
      "(99, 1, 'newer', REPEAT('x', 32), TRUE, 0)");
  // The older version that runs goes on beside the newer one; it does not start again.
  EXPECT_TRUE(ListStations(stack_.client()).ok());
  ExpectRefusesToStart("registry",
                       "migration 99 step 1 is newer than this program; start the program that "
                       "made it, or restore");
  schema.ExecuteText("DELETE FROM schema_migrations WHERE version = 99");
  ExpectServes("registry");
}

TEST_F(Trouble, ADatabaseThatLetsNobodyInWhileItServes) {
  const auto healthy = [&] {
    return stack_.client().Healthy("registry", absl::Now() + absl::Seconds(3)).value_or(false);
  };
  const db::Options serve = Url("keys/registry.serve.url");
  db::Session administrator(stack_.stack().Database("registry"));
  const auto set_password = [&](const std::string& password) {
    administrator.ExecuteText(
        absl::StrCat("ALTER USER '", serve.user, "'@'%' IDENTIFIED BY '", password, "'"));
  };
  set_password("other");
  // Not by information_schema: there MySQL refuses while anyone sends bytes that are no text.
  for (const db::Row& row : administrator.QueryText("SHOW PROCESSLIST")) {
    if (row.Text(1) == serve.user) administrator.ExecuteText(absl::StrCat("KILL ", row.Int(0)));
  }
  EXPECT_TRUE(Await([&] { return !healthy(); }));
  EXPECT_EQ(ListStations(stack_.client()).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Content(stack_.stack().LogFile("registry")),
              HasSubstr("the password in the address is not the account's"));
  set_password(serve.password);
  EXPECT_TRUE(Await(healthy)) << "by itself";
  EXPECT_TRUE(ListStations(stack_.client()).ok());
}

TEST_F(Trouble, AnExpiredCertificate) {
  const yz::Certificate authority{Content(stack_.Path("tls/ca.pem")), Content(stack_.Path("tls/ca.key"))};
  const auto ended = yz::MakeCertificate(authority, "registry", {}, -absl::Hours(1));
  ASSERT_TRUE(ended.ok()) << ended.status();
  // A client of its own each time: a connection that stands is not asked again.
  const auto call = [&] {
    yz::Client client(stack_.client().profile());
    return ListStations(client);
  };
  Replace("tls/registry.key", ended->key);
  Replace("tls/registry.pem", ended->certificate);
  const std::string log = stack_.stack().LogFile("registry");
  EXPECT_TRUE(Await([&] { return absl::StrContains(Content(log), "certificate expired"); }));
  absl::Status status;
  EXPECT_TRUE(Await([&] { return !(status = call()).ok(); }));
  EXPECT_THAT(std::string(status.message()), HasSubstr("its certificate is expired"));
  PutBack("tls/registry.key");
  PutBack("tls/registry.pem");
  EXPECT_TRUE(Await([&] { return call().ok(); })) << "by itself";
  EXPECT_TRUE(Await([&] { return absl::StrContains(Content(log), "certificate in date"); }));
}

// A database whose data lie on a small disk of their own, a file system in memory that ends with
// the process that holds it.
class SmallDisk {
 public:
  SmallDisk() {
    std::filesystem::create_directories(Disk());
    std::vector<std::string> words = {"--mount", "--pid", "--fork", "--kill-child"};
    if (getuid() != 0) words.insert(words.begin(), "--map-root-user");
    for (const std::string& word : std::vector<std::string>{
             "sh", "-c",
             "mount -t tmpfs -o size=384m tmpfs $0/disk && read -r pid rest </proc/self/stat &&"
             " \"$1\"/deploy/private-mariadb start $0/disk >$0/url &&"
             " echo $pid >$0/pid && exec sleep infinity",
             folder_, std::getenv("YUEZHAN_SOURCE")}) {
      words.push_back(word);
    }
    holder_ = yz::Process::Start("/usr/bin/unshare", words, folder_ + "/log").value();
    while (holder_->Running() && !absl::EndsWith(Content(folder_ + "/pid"), "\n")) {
      absl::SleepFor(absl::Milliseconds(20));
    }
  }
  ~SmallDisk() {
    holder_.reset();
    std::filesystem::remove_all(folder_);
  }

  // Why it could not be made; "": it is there.
  std::string Trouble() { return holder_->Running() ? "" : Content(folder_ + "/log"); }
  std::string Url() {
    return std::string(absl::StripAsciiWhitespace(Content(folder_ + "/url")));
  }
  void Fill() {
    std::ofstream ballast(Ballast(), std::ios::binary);
    const std::string block(4096, 'x');
    while (ballast.write(block.data(), block.size()).flush()) {
    }
  }
  void MakeRoom() { std::filesystem::remove(Ballast()); }

 private:
  std::string Disk() const { return folder_ + "/disk"; }
  // As its holder sees it.
  std::string Ballast() {
    return absl::StrCat("/proc/", absl::StripAsciiWhitespace(Content(folder_ + "/pid")), "/root",
                        Disk(), "/ballast");
  }

  const std::string folder_ = absl::StrCat(
      std::filesystem::temp_directory_path().string(), "/yuezhan-disk-", NewUuid());
  std::unique_ptr<yz::Process> holder_;
};

TEST(FullDisk, RefusesInOneLineAndGoesOnWhenThereIsRoom) {
  SmallDisk disk;
  if (!disk.Trouble().empty()) GTEST_SKIP() << "no disk may be mounted here: " << disk.Trouble();
  TestStack stack({.tls = false, .mysql = disk.Url()});
  const std::string token = "Bearer " + stack.client().Token(Payer()).value();
  const auto create = [&](const payment::v1::CreateFundRequest& request) {
    return rpc::CallRaw(stack.TargetOf("payment"), absl::StrCat("/", kCreateFund),
                        request.SerializeAsString(), {{"authorization", token}});
  };
  disk.Fill();
  int made = 0;
  payment::v1::CreateFundRequest refused;
  rpc::RawAnswer answer;
  EXPECT_TRUE(Await([&] {
    refused = FundRequest(made);
    answer = create(refused);
    return answer.code != 0 || ++made < 0;
  })) << made << " went in";
  EXPECT_EQ(answer.code, static_cast<int>(absl::StatusCode::kUnavailable)) << answer.message;
  EXPECT_THAT(answer.details, HasSubstr("UNAVAILABLE"));
  EXPECT_THAT(Content(stack.stack().LogFile("payment")),
              HasSubstr("the database's disk is full: make room there, and it goes on by itself"));
  // What needs no room is served.
  EXPECT_TRUE(ListStations(stack.client()).ok());
  EXPECT_EQ(stack.Count("payment", "funds", "year = 2030"), made) << "nothing is half done";

  disk.MakeRoom();
  EXPECT_TRUE(Await([&] { return create(refused).code == 0; })) << "by itself";
  EXPECT_EQ(create(refused).code, 0) << "again";
  EXPECT_EQ(stack.Count("payment", "funds", "year = 2030"), made + 1) << "once";
  EXPECT_TRUE(Await([&] {
    return stack.Count("payment", "journal") == stack.Count("payment", "journal_chain");
  })) << "the journal goes on";
  const auto verified = yz::VerifyWhole(stack.client(), Auditor(), "payment");
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->fault(), journal::v1::FAULT_UNSPECIFIED) << verified->explanation();
}

}  // namespace
}  // namespace yuezhan::tests
