// A database that is lost and comes back from its backup.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/db/options.h"
#include "common/db/session.h"
#include "services/yz/journal_check.h"
#include "tests/callers.h"
#include "yuezhan/bank/v1/bank.pb.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::tests {
namespace {

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
        "bank", Auditor(), "yuezhan.bank.v1.BankService/ListTransfers", request, &books);
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
  ASSERT_TRUE(RunDemo(stack_).ok());
  const int transfers = Transfers();
  ASSERT_GT(transfers, 0) << "money moved after the backup";
  EXPECT_EQ(Yz("reconcile"), 0);

  stack_.LoseDatabase();
  std::ofstream(hold_) << "restored\n";
  Restore();
  ASSERT_TRUE(stack_.stack().StartAll(kPatience).ok());

  for (std::string_view service : yz::kServices) {
    const auto verified = yz::VerifyWhole(stack_.client(), Auditor(), std::string(service));
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_EQ(verified->fault(), journal::v1::FAULT_UNSPECIFIED) << verified->DebugString();
    EXPECT_GT(verified->last_verified(), 0);
  }
  const int64_t restored = stack_.Count("payment", "funds", "year = 2030");
  EXPECT_GT(restored, 5);
  EXPECT_LE(restored, funds);
  payment::v1::TrialBalance balance;
  EXPECT_TRUE(stack_.client()
                  .Call(Auditor(), "yuezhan.payment.v1.PaymentService/GetTrialBalance",
                        payment::v1::GetTrialBalanceRequest(), &balance)
                  .ok());
  EXPECT_TRUE(balance.balanced());
  // The bank's books tell what was forgotten; nothing goes there meanwhile.
  EXPECT_NE(Yz("reconcile"), 0);
  EXPECT_EQ(Transfers(), transfers);
}

}  // namespace
}  // namespace yuezhan::tests
