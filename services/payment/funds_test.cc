#include <atomic>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/auditor/audit.h"
#include "services/payment/test_payment.h"

namespace yuezhan::payment {
namespace {

std::vector<int64_t> Balances(const v1::Fund& fund) {
  return {Fen(fund.allocated()), Fen(fund.free()), Fen(fund.reserved()), Fen(fund.in_transit()),
          Fen(fund.paid())};
}

int64_t Number(TestPayment& payment, const std::string& sql) {
  auto session = payment.host().database().pool().Acquire(WallNow() + absl::Seconds(10)).value();
  return session->QueryText(sql)[0].Int(0);
}

// What an audit from outside finds. These awards were decided by no review, nor seen by a bank.
std::vector<std::string> FaultsOf(TestPayment& payment) {
  db::Options administrator = payment.host().database().administrator();
  administrator.read_timeout = absl::Hours(1);  // millions of rows
  db::Session session(administrator);
  std::vector<std::string> found;
  for (const auto& fault : auditor::Audit({session, administrator.schema, ""})) {
    found.push_back(fault.check + " " + fault.what);
  }
  return found;
}

TEST(Fund, IsOneForAYearAndSource) {
  TestPayment payment;
  v1::CreateFundRequest request;
  request.set_request_id(NewUuid());
  request.mutable_fund()->set_year(2026);
  request.mutable_fund()->set_source("市人才发展专项资金");
  v1::Fund fund;
  ASSERT_TRUE(
      payment.Call(payment.handlers(), &Handlers::CreateFund, "CreateFund", "a", request, &fund)
          .ok());
  EXPECT_EQ(Balances(fund), std::vector<int64_t>({0, 0, 0, 0, 0}));
  request.set_request_id(NewUuid());
  v1::Fund second;
  const absl::Status again =
      payment.Call(payment.handlers(), &Handlers::CreateFund, "CreateFund", "a", request, &second);
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(payment.host().Count("funds"), 1);
}

TEST(Fund, IsAllocatedAndTakenBackDownToWhatIsFree) {
  TestPayment payment;
  const std::string fund = payment.Fund(10'000'000);
  const TestCase c;
  ASSERT_TRUE(payment.Apply(payment.Event(c, review::v1::CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(Balances(payment.GetFund(fund)),
            std::vector<int64_t>({10'000'000, 5'000'000, 5'000'000, 0, 0}));
  const auto too_much = payment.Allocate(fund, -5'000'001);
  EXPECT_EQ(too_much.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(payment.Allocate(fund, 0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(payment.host().Count("postings"), 4);  // the refused ones left nothing
  const auto taken = payment.Allocate(fund, -5'000'000);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(Balances(*taken), std::vector<int64_t>({5'000'000, 0, 5'000'000, 0, 0}));
  EXPECT_EQ(payment.Allocate(Name("funds", NewUuid()), 1).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Fund, TheSameAllocationHasOneEffect) {
  TestPayment payment;
  const std::string fund = payment.Fund(0);
  v1::AllocateFundRequest request;
  request.set_request_id(NewUuid());
  request.set_name(fund);
  *request.mutable_amount() = MoneyOf(700);
  request.set_reason("市财政下达");
  std::vector<std::thread> threads;
  std::vector<v1::Fund> answers(32);
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      const absl::Status status = payment.Call(payment.handlers(), &Handlers::AllocateFund,
                                               "AllocateFund", "bookkeeper", request, &answer);
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers)
    EXPECT_EQ(answer.SerializeAsString(), answers[0].SerializeAsString());
  EXPECT_EQ(Fen(payment.GetFund(fund).allocated()), 700);
}

TEST(Ledger, CannotBeChangedByTheServingAccount) {
  TestPayment payment;
  payment.Fund(700);
  auto session = payment.host().database().pool().Acquire(WallNow() + absl::Seconds(10)).value();
  for (const char* sql : {"UPDATE postings SET amount = 1", "DELETE FROM postings",
                          "UPDATE transfers SET not_after = 1", "DELETE FROM transfers",
                          "TRUNCATE TABLE postings", "DELETE FROM payments"}) {
    EXPECT_THROW(session->ExecuteText(sql), db::Error) << sql;
  }
}

TEST(Ledger, EveryPostingIsTiedToItsJournalRow) {
  TestPayment payment;
  payment.Fund(10'000'000);
  ASSERT_TRUE(payment.Apply(payment.Event(TestCase(), review::v1::CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(payment.host().Count("postings p JOIN journal j ON j.request_key = p.entry"), 4);
}

TEST(TrialBalance, FindsWhatWasPlanted) {
  for (const char* fault : {"UPDATE postings SET amount = amount + 1 WHERE side = 2 LIMIT 1",
                            "DELETE FROM postings WHERE side = 1 LIMIT 1",
                            "UPDATE funds SET free = free + 1", "UPDATE funds SET paid = paid + 1",
                            "UPDATE postings SET amount = amount + 1 ORDER BY account LIMIT 2"}) {
    TestPayment payment;
    payment.Fund(10'000'000);
    ASSERT_TRUE(payment.Apply(payment.Event(TestCase(), review::v1::CASE_STATE_AWARDED)).ok());
    EXPECT_TRUE(payment.TrialBalance().balanced());
    db::Session administrator(payment.host().database().administrator());
    administrator.ExecuteText(fault);
    EXPECT_FALSE(payment.TrialBalance().balanced()) << fault;
  }
}

TEST(TrialBalance, CanBeAskedForAPastDay) {
  TestPayment payment;
  const std::string fund = payment.Fund(700);
  ASSERT_TRUE(payment.host().clock().Advance(absl::Hours(24)).ok());
  ASSERT_TRUE(payment.Allocate(fund, 100).ok());
  v1::GetTrialBalanceRequest request;
  *request.mutable_as_of() = DayToProto(payment.host().today() - 1);
  v1::TrialBalance yesterday;
  ASSERT_TRUE(payment
                  .Call(payment.handlers(), &Handlers::GetTrialBalance, "GetTrialBalance", "a",
                        request, &yesterday)
                  .ok());
  EXPECT_TRUE(yesterday.balanced());
  EXPECT_EQ(yesterday.postings(), 2);
  EXPECT_EQ(Fen(yesterday.balances(0).balance()), -700);
  EXPECT_EQ(yesterday.balances(0).account(), "allocated");
  EXPECT_EQ(payment.TrialBalance().postings(), 4);
}

// The hot row: 64 callers, and money for half of what they want.
TEST(Ledger, IsNeverOverspent) {
  constexpr int kThreads = 64;
  // 20,000 commits and more in all; YUEZHAN_RESERVATIONS: another number of awards.
  const char* given = std::getenv("YUEZHAN_RESERVATIONS");
  const int kEach = (given != nullptr ? std::atoi(given) : 20'032) / kThreads;
  constexpr int64_t kAmount = 1'000'003;  // no round number: a wrong amount shows
  TestPayment payment;
  const int64_t kRoom = int64_t{kThreads} * kEach / 2 * kAmount + kAmount - 1;
  const std::string fund = payment.Fund(kRoom);
  const absl::Time start = absl::Now();
  constexpr int kSaidEvery = 50'000;
  std::atomic<int> done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < kEach; ++k) {
        TestCase c;
        c.amount_fen = kAmount;
        const auto event = payment.Event(c, review::v1::CASE_STATE_AWARDED);
        absl::Status status;
        // Another was faster, or the machine is slow: the follower tries again too.
        do {
          status = payment.Apply(event);
        } while (absl::IsAborted(status) || absl::IsDeadlineExceeded(status) ||
                 absl::IsUnavailable(status));
        EXPECT_TRUE(status.ok()) << status;
        if (const int n = ++done; n % kSaidEvery == 0) {
          std::printf("%d awards after %.0f s\n", n, absl::ToDoubleSeconds(absl::Now() - start));
          std::fflush(stdout);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::printf("%d awards by %d threads in %.1f s\n", kThreads * kEach, kThreads,
              absl::ToDoubleSeconds(absl::Now() - start));

  const int64_t reserved = int64_t{kThreads} * kEach / 2;
  EXPECT_EQ(payment.host().Count("awards WHERE state = 2 AND fund IS NOT NULL"), reserved);
  EXPECT_EQ(payment.host().Count("awards WHERE state = 1 AND fund IS NULL"), reserved);
  EXPECT_EQ(Number(payment, "SELECT CAST(SUM(amount) AS SIGNED) FROM awards WHERE state = 2"),
            reserved * kAmount);
  EXPECT_EQ(Balances(payment.GetFund(fund)),
            std::vector<int64_t>({kRoom, kAmount - 1, reserved * kAmount, 0, 0}));
  const v1::TrialBalance trial = payment.TrialBalance();
  EXPECT_TRUE(trial.balanced());
  EXPECT_EQ(trial.postings(), 2 + 2 * reserved);
  EXPECT_THAT(FaultsOf(payment), testing::IsEmpty());

  // Money for all of them: the allocation reserves for the first, the timer for the rest.
  ASSERT_TRUE(payment.Allocate(fund, reserved * kAmount - (kAmount - 1)).ok());
  for (;;) {
    const auto wait = payment.handlers().ReserveStep();
    ASSERT_TRUE(wait.ok()) << wait.status();
    if (*wait > absl::ZeroDuration()) break;
  }
  EXPECT_EQ(payment.host().Count("awards WHERE state = 2"), 2 * reserved);
  EXPECT_EQ(Fen(payment.GetFund(fund).free()), 0);
  EXPECT_TRUE(payment.TrialBalance().balanced());
  EXPECT_THAT(FaultsOf(payment), testing::IsEmpty());
}

}  // namespace
}  // namespace yuezhan::payment
