#include <atomic>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/db/cutting_proxy.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/payment/test_payment.h"
#include "services/payment/transfers.h"

namespace yuezhan::payment {
namespace {

// A process killed after each step of the sender; another goes on.
TEST(Kill, BetweenTheStepsOfTheSenderSendsOnce) {
  TestPayment payment;
  int year = 2026;
  for (const Manner manner : {Manner::kSettle, Manner::kSilent, Manner::kLost, Manner::kFail,
                              Manner::kSettleAfterError, Manner::kDecideLater}) {
    for (int steps = 0; steps <= 3; ++steps) {
      SCOPED_TRACE(absl::StrCat(static_cast<int>(manner), " killed after ", steps));
      TestCase c;
      c.year = year++;
      const std::string fund = payment.Fund(5'000'000, c.year);
      const std::string name = payment.Instructed(c).name();
      payment.bank().Next({manner});
      {
        const auto killed = payment.NewTransfers();
        if (steps > 0) {
          const auto open = PageOf(*killed, name);
          ASSERT_EQ(open.size(), 1u);
          if (steps > 1) {
            const auto word = killed->Ask(open[0]);
            ASSERT_TRUE(word.ok());
            if (steps > 2) {
              ASSERT_TRUE(killed->Record(open[0], *word).ok());
            }
          }
        }
      }
      payment.Send(*payment.NewTransfers());
      const bool paid = manner != Manner::kFail;
      EXPECT_EQ(payment.GetPayment(name).state(),
                paid ? v1::PAYMENT_STATE_SETTLED : v1::PAYMENT_STATE_FAILED);
      EXPECT_EQ(payment.bank().Received()[c.account.number()], paid ? 5'000'000 : 0);
      EXPECT_EQ(payment.GetPayment(name).attempts(), 1);
      EXPECT_EQ(payment.bank().fault(), "");
      EXPECT_EQ(Fen(payment.GetFund(fund).paid()), paid ? 5'000'000 : 0);
      EXPECT_TRUE(payment.TrialBalance().balanced());
    }
  }
}

TEST(Replicas, RecordOneWordOnceAndNoWordOfThePast) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  auto replica = payment.NewReplica();
  const auto a = payment.NewTransfers();
  const auto b = payment.NewTransfers(replica.host.journal.get());
  const auto open = PageOf(*a, name);
  ASSERT_EQ(open.size(), 1u);
  payment.bank().Next({Manner::kSettle});
  const auto settled = a->Ask(open[0]);
  const auto same = b->Ask(open[0]);
  ASSERT_TRUE(settled.ok() && same.ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const absl::Status status = (i % 2 == 0 ? *a : *b).Record(open[0], *settled);
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(payment.host().Count("postings WHERE movement = 6"), 2);
  const int64_t rows = payment.host().Count("journal");
  // Replica B's call had timed out meanwhile.
  Transfers::Word late;
  late.state = v1::PAYMENT_STATE_UNKNOWN;
  EXPECT_TRUE(b->Record(open[0], late).ok());
  late.state = v1::PAYMENT_STATE_FAILED;
  EXPECT_TRUE(b->Record(open[0], late).ok());
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(payment.host().Count("journal"), rows);
  EXPECT_EQ(Fen(payment.GetFund(fund).paid()), 5'000'000);
}

TEST(Replicas, AWordOfTheTransferBeforeDoesNotTouchTheNext) {
  TestPayment payment;
  payment.Fund(5'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  const auto transfers = payment.NewTransfers();
  const auto open = PageOf(*transfers, name);
  payment.bank().Next({Manner::kFail});
  const auto failed = transfers->Ask(open[0]);
  ASSERT_TRUE(transfers->Record(open[0], *failed).ok());
  ASSERT_TRUE(payment.Resend(name).ok());
  // A replica that slept through all of it.
  ASSERT_TRUE(payment.NewTransfers()->Record(open[0], *failed).ok());
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_INSTRUCTED);
  EXPECT_EQ(payment.NewTransfers()->Ask(open[0])->state, v1::PAYMENT_STATE_UNSPECIFIED);
}

TEST(Cuts, RecordHasOneEffect) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000'000);
  int64_t paid = 0;
  for (const auto when : {db::CuttingProxy::When::kBefore, db::CuttingProxy::When::kAfter}) {
    for (int n = 1; n <= 60; ++n) {
      const std::string name = payment.Instructed(TestCase()).name();
      db::CuttingProxy proxy("127.0.0.1", payment.host().database().serve().port);
      auto replica = payment.NewReplica(proxy.port());
      const auto transfers = payment.NewTransfers(replica.host.journal.get());
      const auto open = PageOf(*transfers, name);
      ASSERT_EQ(open.size(), 1u);
      const auto word = transfers->Ask(open[0]);
      ASSERT_TRUE(word.ok());
      proxy.CutAt(n, when);
      absl::Status status = transfers->Record(open[0], *word);
      const bool cut = proxy.cut();
      if (!status.ok()) status = transfers->Record(open[0], *word);
      ASSERT_TRUE(status.ok()) << n << ": " << status;
      ++paid;
      EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_SETTLED);
      EXPECT_EQ(Fen(payment.GetFund(fund).paid()), paid * 5'000'000) << n;
      if (!cut) break;  // the write has fewer statements than n
    }
  }
  EXPECT_GT(paid, 20);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

// Two replicas and a bank that misbehaves by chance, senders that die at any step, and officers who
// send again what failed or came back: every station has its money, once.
TEST(Campaign, EveryStationGetsItsMoneyOnce) {
  constexpr int kPayments = 60;
  const char* given = std::getenv("YUEZHAN_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : absl::ToUnixMicros(absl::Now());
  std::printf("YUEZHAN_SEED=%llu\n", static_cast<unsigned long long>(seed));
  TestPayment payment;
  const std::string fund = payment.Fund(kPayments * 5'000'000);
  std::vector<TestCase> cases(kPayments);
  std::vector<std::string> names;
  for (const TestCase& c : cases) names.push_back(payment.Instructed(c).name());
  payment.bank().ByChance(seed);

  auto replica = payment.NewReplica();
  std::atomic<bool> stop = false;
  std::vector<std::thread> senders;
  for (int i = 0; i < 3; ++i) {
    senders.emplace_back([&, i] {
      std::mt19937_64 random(seed + i);
      journal::Journal* journal = i == 0 ? nullptr : replica.host.journal.get();
      auto transfers = payment.NewTransfers(journal);
      while (!stop) {
        const auto page = transfers->Next();
        EXPECT_TRUE(page.ok()) << page.status();
        for (const OpenTransfer& open : *page) {
          if (random() % 4 == 0) transfers = payment.NewTransfers(journal);  // killed before asking
          const auto word = transfers->Ask(open);
          EXPECT_TRUE(word.ok()) << word.status();
          if (random() % 4 == 0) break;  // killed before recording
          const absl::Status status = transfers->Record(open, *word);
          EXPECT_TRUE(status.ok()) << status;
        }
        absl::SleepFor(absl::Milliseconds(5));  // leaves the officers a turn
      }
    });
  }
  std::vector<std::string> open = names;
  for (int round = 0; round < 600 && !open.empty(); ++round) {
    absl::SleepFor(absl::Milliseconds(20));
    TestPayment::Pass(absl::Seconds(2));
    std::erase_if(open, [&](const std::string& name) {
      const v1::Payment now = payment.GetPayment(name);
      EXPECT_EQ(now.incident(), "");
      if (now.state() == v1::PAYMENT_STATE_FAILED ||
          now.state() == v1::PAYMENT_STATE_BANK_RETURNED) {
        payment.Resend(name).IgnoreError();
      }
      return now.state() == v1::PAYMENT_STATE_SETTLED &&
             payment.bank().StateOf(now.transfer_id()) == bank::v1::TRANSFER_STATE_SETTLED &&
             round > 50;  // one that is sent back later was seen by then
    });
  }
  stop = true;
  for (auto& sender : senders) sender.join();
  // From now on it does as it should; what it did before comes out one by one.
  payment.bank().Behave();
  for (bool more = true; more;) {
    payment.Send(*payment.NewTransfers(), 6);
    more = false;
    for (const std::string& name : names) {
      const auto state = payment.GetPayment(name).state();
      if (state == v1::PAYMENT_STATE_SETTLED) continue;
      more = true;
      const bool back =
          state == v1::PAYMENT_STATE_FAILED || state == v1::PAYMENT_STATE_BANK_RETURNED;
      if (back) {
        const auto again = payment.Resend(name);
        EXPECT_TRUE(again.ok()) << again.status();
      }
    }
  }
  int64_t attempts = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const v1::Payment now = payment.GetPayment(names[i]);
    EXPECT_EQ(now.state(), v1::PAYMENT_STATE_SETTLED) << names[i];
    EXPECT_EQ(payment.bank().Received()[cases[i].account.number()], 5'000'000) << names[i];
    attempts += now.attempts();
  }
  EXPECT_EQ(payment.bank().fault(), "");
  const v1::Fund end = payment.GetFund(fund);
  EXPECT_EQ(Fen(end.paid()), kPayments * 5'000'000);
  EXPECT_EQ(Fen(end.free()) + Fen(end.reserved()) + Fen(end.in_transit()), 0);
  EXPECT_TRUE(payment.TrialBalance().balanced());
  EXPECT_EQ(payment.host().Count("transfers"), attempts);
  std::printf("%d payments, %lld transfers, %lld executed, %lld asked\n", kPayments,
              static_cast<long long>(attempts), static_cast<long long>(payment.bank().executed()),
              static_cast<long long>(payment.bank().asked()));
}

}  // namespace
}  // namespace yuezhan::payment
