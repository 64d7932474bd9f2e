// What an operator does to a serving installation, and what happens to one: restarts under load,
// wrong passwords, lost secrets, a database that does not answer, an expired certificate, a schema
// from a newer program, a database that is gone and comes back from its backup.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/base/clocks.h"
#include "common/base/ids.h"
#include "common/db/options.h"
#include "common/db/session.h"
#include "common/rpc/test_support.h"
#include "services/yz/certificates.h"
#include "services/yz/demo/demo.h"
#include "services/yz/files.h"
#include "services/yz/journal_check.h"
#include "tests/sample_request.h"
#include "tests/test_stack.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/bank/v1/bank.pb.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::tests {
namespace {

using testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(30);
const Caller kAuditor{"auditor", "审计", {Role::kAuditor}, ""};
const Caller kPayer{"payer", "经办", {Role::kPaymentOfficer}, ""};

bool Await(const std::function<bool()>& what) {
  for (const absl::Time end = absl::Now() + kPatience; absl::Now() < end;
       absl::SleepFor(absl::Milliseconds(20))) {
    if (what()) return true;
  }
  return false;
}

std::string Read(const std::string& file) { return yz::ReadFile(file).value_or(""); }

absl::Status ListStations(yz::Client& client) {
  registry::v1::ListStationsRequest request;
  registry::v1::ListStationsResponse answer;
  return client.Call(kAuditor, "yuezhan.registry.v1.RegistryService/ListStations", request,
                     &answer);
}

absl::Status CreateFund(yz::Client& client, int number, payment::v1::Fund* fund) {
  payment::v1::CreateFundRequest request;
  request.set_request_id(NewUuid());
  request.mutable_fund()->set_year(2030);
  request.mutable_fund()->set_source(absl::StrCat("专项资金", number));
  return client.Call(kPayer, "yuezhan.payment.v1.PaymentService/CreateFund", request, fund);
}

absl::Status RunDemo(TestStack& stack, const std::function<bool(const std::string&)>& until) {
  std::ostringstream told;
  auto demo = yz::Demo::Create(stack.client(), told);
  if (!demo.ok()) return demo.status();
  for (const auto& step : (*demo)->steps()) {
    if (until(step.name)) return absl::OkStatus();
    if (const absl::Status status = (*demo)->Run(step); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Callers at work until it ends: writes with a request_id and reads, repeated by the rules alone.
class Load {
 public:
  explicit Load(yz::Client& client) {
    for (int caller = 0; caller < 4; ++caller) {
      threads_.emplace_back([this, &client, caller] {
        for (int i = 0; !stop_; ++i) {
          payment::v1::Fund fund;
          Count(CreateFund(client, caller * 1'000'000 + i, &fund), &written_);
          Count(ListStations(client), &read_);
        }
      });
    }
  }
  ~Load() { Stop(); }
  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  int written() const { return written_; }
  int read() const { return read_; }

 private:
  static void Count(const absl::Status& status, std::atomic<int>* counter) {
    EXPECT_TRUE(status.ok()) << status;
    if (status.ok()) ++*counter;
  }
  std::atomic<bool> stop_ = false;
  std::atomic<int> written_ = 0, read_ = 0;
  std::vector<std::thread> threads_;
};

TEST(Operation, ARollingRestartUnderLoadLosesNoCall) {
  TestStack stack({});
  Load load(stack.client());
  std::atomic<bool> told = false;
  absl::Status flow;
  std::thread demonstration([&] {
    flow = RunDemo(stack, [](const std::string&) { return false; });
    told = true;
  });
  int restarts = 0;
  for (int round = 0; round < 2 || !told; ++round) {
    for (std::string_view each : yz::kServices) {
      const std::string service(each);
      // Stop wants exit code 0: SIGTERM ends what runs, and then the process.
      const absl::Status stopped = stack.stack().Stop(service);
      EXPECT_TRUE(stopped.ok()) << stopped;
      const absl::Status started = stack.stack().Start(service);
      ASSERT_TRUE(started.ok()) << started;
      ++restarts;
    }
  }
  demonstration.join();
  load.Stop();
  EXPECT_TRUE(flow.ok()) << flow;
  std::cout << restarts << " restarts, " << load.written() << " writes, " << load.read()
            << " reads\n";
  // Each write that was answered is there once, and no other is.
  EXPECT_EQ(stack.Count("payment", "funds", "year = 2030"), load.written());
  EXPECT_GT(load.written(), restarts);
}

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
        absl::StrSplit(Read(stack_.stack().LogFile(service)), '\n', absl::SkipEmpty());
    ASSERT_FALSE(lines.empty());
    bool found = false;
    for (const std::string& line : lines) found |= testing::Value(line, HasSubstr(words));
    EXPECT_TRUE(found) << Read(stack_.stack().LogFile(service));
    EXPECT_LE(lines.size(), 3u) << Read(stack_.stack().LogFile(service));
  }
  void ExpectServes(const std::string& service) {
    const absl::Status started = stack_.stack().Start(service, kPatience);
    EXPECT_TRUE(started.ok()) << started;
  }
  void Replace(const std::string& name, const std::string& content) {
    kept_[name] = Read(stack_.Path(name));
    ASSERT_TRUE(yz::WriteFile(stack_.Path(name), content).ok());
  }
  void PutBack(const std::string& name) {
    ASSERT_TRUE(yz::WriteFile(stack_.Path(name), kept_.at(name)).ok());
  }
  db::Options Url(const std::string& name) {
    return db::ParseUrl(Read(stack_.Path(name))).value();
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
  for (const db::Row& row : administrator.Query(
           "SELECT id FROM information_schema.processlist WHERE user = ?", serve.user)) {
    administrator.ExecuteText(absl::StrCat("KILL ", row.Int(0)));
  }
  EXPECT_TRUE(Await([&] { return !healthy(); }));
  EXPECT_EQ(ListStations(stack_.client()).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Read(stack_.stack().LogFile("registry")),
              HasSubstr("the password in the address is not the account's"));
  set_password(serve.password);
  EXPECT_TRUE(Await(healthy)) << "by itself";
  EXPECT_TRUE(ListStations(stack_.client()).ok());
}

TEST_F(Trouble, AnExpiredCertificate) {
  const yz::Certificate authority{Read(stack_.Path("tls/ca.pem")), Read(stack_.Path("tls/ca.key"))};
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
  EXPECT_TRUE(Await([&] { return absl::StrContains(Read(log), "certificate expired"); }));
  absl::Status status;
  EXPECT_TRUE(Await([&] { return !(status = call()).ok(); }));
  EXPECT_THAT(std::string(status.message()), HasSubstr("its certificate is expired"));
  PutBack("tls/registry.key");
  PutBack("tls/registry.pem");
  EXPECT_TRUE(Await([&] { return call().ok(); })) << "by itself";
  EXPECT_TRUE(Await([&] { return absl::StrContains(Read(log), "certificate in date"); }));
}

TEST(Operation, TheTraceIdStandsOnTheLogLinesOfAllWhoServeTheCall) {
  TestStack stack({.tls = false});
  constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
  const Caller host{"host", "建站单位", {Role::kHostUnit}, "hostUnits/" + NewUuid()};
  application::v1::CreateApplicationRequest request;
  FillSample(&request);
  const auto answer = rpc::CallRaw(
      stack.TargetOf("application"), "/yuezhan.application.v1.ApplicationService/CreateApplication",
      request.SerializeAsString(),
      {{"authorization", "Bearer " + stack.client().Token(host).value()},
       {"traceparent", absl::StrCat("00-", kTrace, "-00f067aa0ba902b7-01")}});
  // Application asks registry about the station, which is not there.
  for (const char* service : {"application", "registry"}) {
    const std::string log = stack.stack().LogFile(service);
    EXPECT_TRUE(Await([&] {
      return absl::StrContains(Read(log), absl::StrCat("\"trace\":\"", kTrace));
    })) << service
        << " " << answer.code << " " << answer.message;
  }
}

TEST(Operation, TheLogLevelChangesWhileItServes) {
  const std::string level =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/yuezhan-level-", NewUuid());
  const auto set = [&](const std::string& word) { std::ofstream(level) << word << "\n"; };
  set("error");
  TestStack stack({.settings = {{"registry", {"--log_level=@" + level}}}});
  const std::string log = stack.stack().LogFile("registry");
  EXPECT_TRUE(ListStations(stack.client()).ok());
  EXPECT_THAT(Read(log), testing::Not(HasSubstr("ListStations")));
  set("debug");
  EXPECT_TRUE(Await([&] {
    EXPECT_TRUE(ListStations(stack.client()).ok());
    return absl::StrContains(Read(log), "grpc.health.v1.Health/Check") ||
           absl::StrContains(Read(log), "ListStations");
  }));
  set("nonsense");  // stays as it is
  std::filesystem::remove(level);
  EXPECT_TRUE(ListStations(stack.client()).ok());
}

// The drill: a backup while callers are at work, money moves after it, the database is lost.
class Drill : public testing::Test {
 protected:
  void SetUp() override {
    // Both come with the database's package: without them the drill would prove nothing.
    ASSERT_EQ(std::system("command -v mariadb-dump >/dev/null && command -v mariadb >/dev/null"), 0);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Connection() {
    const db::Options it = stack_.stack().Database("registry");
    return absl::StrCat("MYSQL_PWD='", it.password, "' ", "mariadb%s --no-defaults -h ", it.host,
                        " -P ", it.port, " -u ", it.user, " ");
  }
  bool Run(const std::string& suffix, const std::string& rest) {
    const std::string connection = Connection();
    const size_t at = connection.find("%s");
    return std::system(
               absl::StrCat(connection.substr(0, at), suffix, connection.substr(at + 2), rest)
                   .c_str()) == 0;
  }
  // As deploy/backup does: all schemas in one transaction, and the rights of the accounts.
  void BackUp() {
    std::string schemas;
    for (std::string_view service : yz::kServices) {
      const db::Options schema = stack_.stack().Database(std::string(service));
      absl::StrAppend(&schemas, " ", schema.schema);
      db::Session session(schema);
      for (const char* account : {"_m", "_s"}) {
        for (const db::Row& row : session.QueryText(
                 absl::StrCat("SHOW GRANTS FOR '", schema.schema, account, "'@'%'"))) {
          grants_.push_back(row.Text(0));
        }
      }
    }
    ASSERT_TRUE(Run("-dump", absl::StrCat("--single-transaction --quick --hex-blob --databases",
                                          schemas, " >", folder_, "/data.sql")));
  }
  void Restore() {
    ASSERT_TRUE(Run("", absl::StrCat("<", folder_, "/data.sql")));
    db::Session session(stack_.stack().Database("registry"));
    for (const std::string& grant : grants_) session.ExecuteText(grant);
  }
  int Transfers() {
    bank::v1::ListTransfersRequest request;
    request.set_page_size(1000);
    bank::v1::ListTransfersResponse books;
    const absl::Status listed = stack_.client().CallAt(
        "bank", kAuditor, "yuezhan.bank.v1.BankService/ListTransfers", request, &books);
    EXPECT_TRUE(listed.ok()) << listed;
    return books.transfers_size();
  }
  int Yz(const std::string& words) {
    const char* binaries = std::getenv("YUEZHAN_BIN");
    const std::string profile = folder_ + "/yz.json";
    EXPECT_TRUE(yz::WriteProfile(stack_.client().profile(), profile).ok());
    return WEXITSTATUS(std::system(
        absl::StrCat(binaries, "/yz ", words, " --profile=", profile, " >/dev/null").c_str()));
  }

  const std::string folder_ = [] {
    const std::string folder = absl::StrCat(std::filesystem::temp_directory_path().string(),
                                            "/yuezhan-drill-", NewUuid());
    std::filesystem::create_directories(folder);
    return folder;
  }();
  const std::string hold_ = folder_ + "/hold";
  TestStack stack_{{.settings = {{"payment", {"--hold=" + hold_}}}}};
  std::vector<std::string> grants_;
};

TEST_F(Drill, ABackupOfOneMomentComesBackAndPaymentHolds) {
  ASSERT_TRUE(RunDemo(stack_, [](const std::string& step) {
                return step.starts_with("InstructPayment") || step.starts_with("RequestFinance");
              }).ok());
  {
    Load load(stack_.client());
    ASSERT_TRUE(Await([&] { return load.written() > 5; }));
    BackUp();
  }
  const int64_t funds = stack_.Count("payment", "funds", "year = 2030");
  ASSERT_TRUE(RunDemo(stack_, [](const std::string&) { return false; }).ok());
  const int transfers = Transfers();
  ASSERT_GT(transfers, 0) << "money moved after the backup";
  EXPECT_EQ(Yz("reconcile"), 0);

  stack_.LoseDatabase();
  std::ofstream(hold_) << "restored\n";
  Restore();
  ASSERT_TRUE(stack_.stack().StartAll(kPatience).ok());

  for (std::string_view service : yz::kServices) {
    const auto verified = yz::VerifyWhole(stack_.client(), kAuditor, std::string(service));
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_EQ(verified->fault(), journal::v1::FAULT_UNSPECIFIED) << verified->DebugString();
    EXPECT_GT(verified->last_verified(), 0);
  }
  const int64_t restored = stack_.Count("payment", "funds", "year = 2030");
  EXPECT_GT(restored, 5);
  EXPECT_LE(restored, funds);
  payment::v1::TrialBalance balance;
  EXPECT_TRUE(stack_.client()
                  .Call(kAuditor, "yuezhan.payment.v1.PaymentService/GetTrialBalance",
                        payment::v1::GetTrialBalanceRequest(), &balance)
                  .ok());
  EXPECT_TRUE(balance.balanced());
  // The bank's books tell what was forgotten; nothing goes there meanwhile.
  EXPECT_NE(Yz("reconcile"), 0);
  EXPECT_EQ(Transfers(), transfers);
}

}  // namespace
}  // namespace yuezhan::tests
