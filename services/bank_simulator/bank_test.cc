#include "services/bank_simulator/bank.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/csv.h"

namespace yuezhan::bank {
namespace {

absl::Time g_wall;
absl::Time TestWall() { return g_wall; }

class BankTest : public testing::Test {
 protected:
  void SetUp() override {
    g_wall = absl::FromUnixSeconds(1'800'000'000);
    std::filesystem::remove(path_);
    Restart();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // As after a kill: what is not in the file is gone.
  void Restart() {
    Clocks clocks;
    clocks.wall = &TestWall;
    bank_ = std::make_unique<Bank>(*Books::Open(path_), clocks);
  }
  void Tell(v1::Behavior behavior, int transfers = 0, uint64_t seed = 0) {
    v1::SetBehaviorRequest request;
    request.set_behavior(behavior);
    request.set_transfers(transfers);
    request.set_seed(seed);
    v1::SetBehaviorResponse answer;
    ASSERT_TRUE(bank_->SetBehavior(context_, request, &answer).ok());
  }
  v1::ExecuteTransferRequest Order(const std::string& id, int64_t yuan = 100000) {
    v1::ExecuteTransferRequest order;
    order.set_transfer_id(id);
    order.mutable_amount()->set_currency_code("CNY");
    order.mutable_amount()->set_units(yuan);
    order.set_payee_holder("云溪区科协（演示）");
    order.set_payee_bank("示范银行");
    order.set_payee_account("6222000000000001234");
    order.mutable_not_after()->set_seconds(absl::ToUnixSeconds(g_wall) + 60);
    return order;
  }
  // The state answered, or the code of the error, negative.
  int Execute(const v1::ExecuteTransferRequest& order) {
    v1::Transfer answer;
    context_.deadline = absl::Now() + absl::Milliseconds(20);
    const absl::Status status = bank_->ExecuteTransfer(context_, order, &answer);
    return status.ok() ? answer.state() : -static_cast<int>(status.code());
  }
  int Get(const std::string& id) {
    v1::GetTransferRequest request;
    request.set_transfer_id(id);
    v1::Transfer answer;
    const absl::Status status = bank_->GetTransfer(context_, request, &answer);
    return status.ok() ? answer.state() : -static_cast<int>(status.code());
  }

  static constexpr int kNotFound = -static_cast<int>(absl::StatusCode::kNotFound);
  static constexpr int kUnavailable = -static_cast<int>(absl::StatusCode::kUnavailable);
  static constexpr int kInvalid = -static_cast<int>(absl::StatusCode::kInvalidArgument);
  static constexpr int kDeadline = -static_cast<int>(absl::StatusCode::kDeadlineExceeded);
  Context context_;
  std::unique_ptr<Bank> bank_;
  const std::string path_ = testing::TempDir() + "/bank_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name() +
                            std::to_string(getpid());
};

TEST_F(BankTest, TheSameIdIsTheSameTransferAlsoAfterARestart) {
  EXPECT_EQ(Execute(Order("a")), v1::TRANSFER_STATE_SETTLED);
  Restart();
  EXPECT_EQ(Execute(Order("a")), v1::TRANSFER_STATE_SETTLED);
  EXPECT_EQ(Execute(Order("a", 50000)), kInvalid);
  EXPECT_EQ(Get("a"), v1::TRANSFER_STATE_SETTLED);
  v1::ListTransfersResponse books;
  ASSERT_TRUE(bank_->ListTransfers(context_, {}, &books).ok());
  EXPECT_EQ(books.transfers_size(), 1);
}

TEST_F(BankTest, BehavesAsTold) {
  struct {
    v1::Behavior behavior;
    int executed;
    int first_look;
    int second_look;
  } const rows[] = {
      {v1::BEHAVIOR_UNSPECIFIED, v1::TRANSFER_STATE_SETTLED, v1::TRANSFER_STATE_SETTLED,
       v1::TRANSFER_STATE_SETTLED},
      {v1::BEHAVIOR_SILENT, kDeadline, v1::TRANSFER_STATE_SETTLED, v1::TRANSFER_STATE_SETTLED},
      {v1::BEHAVIOR_SETTLE_AFTER_ERROR, kUnavailable, kNotFound, v1::TRANSFER_STATE_SETTLED},
      {v1::BEHAVIOR_FAIL, v1::TRANSFER_STATE_FAILED, v1::TRANSFER_STATE_FAILED,
       v1::TRANSFER_STATE_FAILED},
      {v1::BEHAVIOR_RETURN_LATER, v1::TRANSFER_STATE_SETTLED, v1::TRANSFER_STATE_RETURNED,
       v1::TRANSFER_STATE_RETURNED},
      {v1::BEHAVIOR_DOWN, kUnavailable, kNotFound, kNotFound},
      {v1::BEHAVIOR_SLOW, v1::TRANSFER_STATE_SETTLED, v1::TRANSFER_STATE_SETTLED,
       v1::TRANSFER_STATE_SETTLED},
      {v1::BEHAVIOR_ANSWER_TWICE, v1::TRANSFER_STATE_SETTLED, v1::TRANSFER_STATE_SETTLED,
       v1::TRANSFER_STATE_SETTLED},
      {v1::BEHAVIOR_SETTLE_AFTER_FAIL, v1::TRANSFER_STATE_FAILED, v1::TRANSFER_STATE_SETTLED,
       v1::TRANSFER_STATE_SETTLED},
      {v1::BEHAVIOR_DECIDE_LATER, v1::TRANSFER_STATE_ACCEPTED, v1::TRANSFER_STATE_SETTLED,
       v1::TRANSFER_STATE_SETTLED},
  };
  ASSERT_EQ(std::size(rows), static_cast<size_t>(v1::Behavior_ARRAYSIZE));
  for (const auto& row : rows) {
    const std::string id = v1::Behavior_Name(row.behavior);
    SCOPED_TRACE(id);
    Tell(row.behavior, 1);
    EXPECT_EQ(Execute(Order(id)), row.executed);
    Restart();  // what it was told is forgotten, what it took is not
    EXPECT_EQ(Get(id), row.first_look);
    EXPECT_EQ(Get(id), row.second_look);
  }
}

TEST_F(BankTest, MisbehavesForAsManyTransfersAsTold) {
  Tell(v1::BEHAVIOR_FAIL, 2);
  EXPECT_EQ(Execute(Order("a")), v1::TRANSFER_STATE_FAILED);
  EXPECT_EQ(Execute(Order("b")), v1::TRANSFER_STATE_FAILED);
  EXPECT_EQ(Execute(Order("c")), v1::TRANSFER_STATE_SETTLED);
  EXPECT_EQ(Execute(Order("d")), v1::TRANSFER_STATE_SETTLED);
}

TEST_F(BankTest, IsDownUntilToldOtherwise) {
  EXPECT_EQ(Execute(Order("a")), v1::TRANSFER_STATE_SETTLED);
  Tell(v1::BEHAVIOR_DOWN);
  EXPECT_EQ(Get("a"), kUnavailable);
  EXPECT_EQ(Execute(Order("a")), kUnavailable);
  EXPECT_EQ(Execute(Order("b")), kUnavailable);
  Tell(v1::BEHAVIOR_UNSPECIFIED);
  EXPECT_EQ(Get("a"), v1::TRANSFER_STATE_SETTLED);
  EXPECT_EQ(Get("b"), kNotFound);
}

TEST_F(BankTest, ExecutesNothingAfterNotAfter) {
  Tell(v1::BEHAVIOR_SETTLE_AFTER_ERROR, 1);
  EXPECT_EQ(Execute(Order("hidden")), kUnavailable);
  Tell(v1::BEHAVIOR_DECIDE_LATER, 1);
  EXPECT_EQ(Execute(Order("later")), v1::TRANSFER_STATE_ACCEPTED);
  const auto late = Order("late");
  g_wall += absl::Seconds(61);
  EXPECT_EQ(Get("hidden"), kNotFound);
  EXPECT_EQ(Get("hidden"), kNotFound);
  EXPECT_EQ(Get("hidden"), kNotFound);
  EXPECT_EQ(Get("later"), v1::TRANSFER_STATE_FAILED);
  EXPECT_EQ(Execute(late), v1::TRANSFER_STATE_FAILED);
}

TEST_F(BankTest, ASeedChoosesTheSameAgain) {
  std::vector<int> first;
  for (int round = 0; round < 2; ++round) {
    Tell(v1::BEHAVIOR_UNSPECIFIED, 0, 7);
    std::vector<int> states;
    for (int i = 0; i < 12; ++i) {
      states.push_back(Execute(Order(absl::StrCat("s", round, "-", i))));
    }
    if (round == 0) first = states;
    EXPECT_EQ(states, first);
  }
  EXPECT_GT(std::set<int>(first.begin(), first.end()).size(), 2u);
}

TEST_F(BankTest, ForgetsThatItKnowsAnIdAfterADay) {
  auto order = Order("a");
  EXPECT_EQ(Execute(order), v1::TRANSFER_STATE_SETTLED);
  g_wall += absl::Hours(23);
  order.mutable_not_after()->set_seconds(absl::ToUnixSeconds(g_wall) + 7200);
  EXPECT_EQ(Execute(order), kInvalid);  // known still, and other content
  g_wall += absl::Hours(2);
  order.mutable_not_after()->set_seconds(absl::ToUnixSeconds(g_wall) + 60);
  EXPECT_EQ(Execute(order), v1::TRANSFER_STATE_SETTLED);
  Restart();
  v1::ListTransfersResponse books;
  ASSERT_TRUE(bank_->ListTransfers(context_, {}, &books).ok());
  EXPECT_EQ(books.transfers_size(), 2) << "the money went out twice";
}

TEST_F(BankTest, StatementShowsWhatMoved) {
  Tell(v1::BEHAVIOR_FAIL, 1);
  Execute(Order("failed"));
  Tell(v1::BEHAVIOR_RETURN_LATER, 1);
  Execute(Order("returned"));
  Get("returned");
  Tell(v1::BEHAVIOR_ANSWER_TWICE, 1);
  Execute(Order("twice"));
  const auto statement = [&](v1::GetStatementRequest request) {
    v1::GetStatementResponse answer;
    EXPECT_TRUE(bank_->GetStatement(context_, request, &answer).ok());
    return ParseCsv(answer.content()).value();
  };
  v1::GetStatementRequest request;
  const auto lines = statement(request);
  ASSERT_EQ(lines.size(), 6u);  // title, headers, out and back, and one that is told twice
  EXPECT_EQ(lines[2][2], "returned");
  EXPECT_EQ(lines[2][3], "100,000.00");
  EXPECT_EQ(lines[3][2], "returned");
  EXPECT_EQ(lines[3][4], "100,000.00");
  EXPECT_EQ(lines[4], lines[5]);
  request.set_encoding(v1::STATEMENT_ENCODING_GB18030);
  EXPECT_EQ(statement(request), lines);
  request.set_without_ids(true);
  EXPECT_EQ(statement(request)[2][2], "");
  request.mutable_from()->set_year(2100);
  request.mutable_from()->set_month(1);
  request.mutable_from()->set_day(1);
  EXPECT_EQ(statement(request).size(), 2u);
}

TEST_F(BankTest, RefusesAmountsThatAreNone) {
  for (const int64_t yuan : {int64_t{0}, int64_t{-1}}) {
    EXPECT_EQ(Execute(Order("x", yuan)), kInvalid);
  }
  auto dollars = Order("x");
  dollars.mutable_amount()->set_currency_code("USD");
  EXPECT_EQ(Execute(dollars), kInvalid);
  EXPECT_EQ(Get("x"), kNotFound);
}

TEST_F(BankTest, ListsInPages) {
  for (int i = 0; i < 5; ++i) Execute(Order(absl::StrCat("t", i)));
  v1::ListTransfersRequest request;
  request.set_page_size(2);
  std::string seen;
  int pages = 0;
  do {
    v1::ListTransfersResponse page;
    ASSERT_TRUE(bank_->ListTransfers(context_, request, &page).ok());
    for (const v1::Transfer& transfer : page.transfers()) seen += transfer.transfer_id();
    request.set_page_token(page.next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(seen, "t0t1t2t3t4");
  EXPECT_EQ(pages, 3);
}

TEST_F(BankTest, SilenceEndsWhenTheBankStops) {
  Tell(v1::BEHAVIOR_SILENT);
  v1::Transfer answer;
  context_.deadline = absl::InfiniteFuture();
  std::thread call(
      [&] { EXPECT_FALSE(bank_->ExecuteTransfer(context_, Order("a"), &answer).ok()); });
  bank_->StopWaiting();
  call.join();
}

}  // namespace
}  // namespace yuezhan::bank
