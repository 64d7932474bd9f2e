// A campaign: payments through a bank that misbehaves in every way, while payment, bank and
// database are killed at random moments, and once restored from an older backup. At the end every
// order is in a true state, the bank's books and ours agree to the fen, no station was paid twice
// and none was forgotten; a separate program says so, and it finds what is planted.
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/payment_campaign.h"

namespace yuezhan::tests {
namespace {

constexpr int64_t kAmount = 5'000'000;

int64_t Fen(const google::type::Money& money) { return FenOf(money).value(); }

uint64_t Seed() {
  const char* given = std::getenv("YUEZHAN_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::printf("YUEZHAN_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  return seed | 1;
}

std::string Told(const std::vector<auditor::Fault>& faults) {
  std::string text;
  for (const auto& fault : faults) text += fault.check + " " + fault.what + "\n";
  return text;
}

bank::v1::SetBehaviorRequest ByChance(uint64_t seed) {
  bank::v1::SetBehaviorRequest how;
  how.set_seed(seed);
  return how;
}

// Kills one of the three at a random moment, again and again, until told to stop.
class Killer {
 public:
  Killer(PaymentWorld& world, uint64_t seed)
      : thread_([this, &world, random = std::mt19937_64(seed)]() mutable {
          // Answers between two kills: where a start takes longer than the time to the next kill
          // nothing would ever get done.
          constexpr int64_t kLeastAnswers = 20;
          while (!stop_) {
            const int64_t answered = world.answered();
            // The random moment itself: nothing is waited for.
            absl::SleepFor(absl::Milliseconds(500 + random() % 1500));
            while (!stop_ && world.answered() < answered + kLeastAnswers)
              absl::SleepFor(absl::Milliseconds(20));
            absl::MutexLock lock(&mutex_);
            if (stop_) return;
            switch (random() % 3) {
              case 0:
                world.Kill("payment");
                break;
              case 1:
                world.Kill("bank");
                break;
              default:
                world.database().KillAndStart();
            }
            ++kills_;
          }
        }) {}
  ~Killer() { Stop(); }
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  // No kill while it is held.
  absl::Mutex& mutex() { return mutex_; }
  int kills() const { return kills_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int> kills_ = 0;
  absl::Mutex mutex_;
  std::thread thread_;
};

TEST(Campaign, EveryOrderEndsInATrueStateWhateverIsKilled) {
  const char* given = std::getenv("YUEZHAN_PAYMENTS");
  const int payments = given != nullptr ? std::atoi(given) : 200;
  const uint64_t seed = Seed();
  PaymentWorld world;
  Officers officers(world);
  // Money for four fifths of them: the rest wait until more is allocated.
  const int64_t start = int64_t{payments} * kAmount + 7;
  const int64_t first = int64_t{payments} * 4 / 5 * kAmount;
  const std::string fund = officers.Fund(first);
  // The bank says of some that they failed, and settles them after all: incidents, which the
  // statements lift.
  const int contradicted = std::max(2, payments / 100);
  bank::v1::SetBehaviorRequest contradict;
  contradict.set_behavior(bank::v1::BEHAVIOR_SETTLE_AFTER_FAIL);
  contradict.set_transfers(contradicted);
  world.Misbehave(contradict);
  world.Clear(contradicted);
  const absl::Time begun = absl::Now();
  const absl::Time end = begun + absl::Seconds(60 + payments * 2);
  const auto until = [&](int settled) {
    while (absl::Now() < end && officers.Round() < settled) absl::SleepFor(absl::Milliseconds(50));
    ASSERT_LT(absl::Now(), end);
  };
  until(contradicted);
  EXPECT_GT(officers.incidents(), 0);
  world.Misbehave(ByChance(seed));
  world.Clear(payments - contradicted);
  Killer killer(world, seed);
  until(payments / 4);
  {
    absl::MutexLock lock(&killer.mutex());
    world.Backup();
  }
  officers.Allocate(fund, start - first);
  until(payments / 2);
  {
    absl::MutexLock lock(&killer.mutex());
    world.Restore();
  }
  officers.Allocate(fund, start - first);  // as far as the restored books know, it was not
  officers.EndHold(end);
  until(payments);
  killer.Stop();
  // From now on the bank does as it should; what it did before comes out one by one.
  world.Misbehave(bank::v1::SetBehaviorRequest());
  while (!officers.AgreesWithTheBank(payments) && absl::Now() < end) officers.Round();
  ASSERT_TRUE(officers.AgreesWithTheBank(payments));
  std::printf("%d payments, %d kills, %d sent again, %d incidents lifted, %.0f s\n", payments,
              killer.kills(), officers.resent(), officers.incidents(),
              absl::ToDoubleSeconds(absl::Now() - begun));

  EXPECT_EQ(Told(world.Audit()), "");
  int code = 0;
  EXPECT_THAT(world.AuditByProgram(&code), testing::HasSubstr("0 faults"));
  EXPECT_EQ(code, 0);
  const payment::v1::Fund books = officers.GetFund(fund);
  EXPECT_EQ(Fen(books.allocated()), start);
  EXPECT_EQ(Fen(books.paid()), int64_t{payments} * kAmount);
  EXPECT_EQ(Fen(books.paid()) + Fen(books.reserved()) + Fen(books.free()), start);
  EXPECT_EQ(Fen(books.in_transit()) + Fen(books.returned()), 0);
}

// A fault that somebody plants in the database or the bank's books, and the check that finds it.
struct Planted {
  const char* check;
  std::vector<std::string> faults;  // statements; {p} and {r}: the schemas
};

TEST(Auditor, FindsEachFaultThatIsPlanted) {
  PaymentWorld world;
  Officers officers(world);
  const std::string fund = officers.Fund(10 * kAmount);
  world.Clear(4);
  for (int i = 0; i < 400 && officers.Round() < 4; ++i) absl::SleepFor(absl::Milliseconds(50));
  ASSERT_TRUE(officers.AgreesWithTheBank(4));
  ASSERT_EQ(Told(world.Audit()), "");
  const Planted kPlanted[] = {
      // An amount changed: on one side, on both, in the order, in the fund.
      {"posting.twin", {"UPDATE {p}.postings SET amount = amount + 1 WHERE side = 2 LIMIT 1"}},
      {"payment.ledger",
       {"UPDATE {p}.postings SET amount = amount - 1 WHERE movement = 6 AND side = 1 LIMIT 1",
        "UPDATE {p}.postings SET amount = amount + 1 WHERE side = 2 AND id = (SELECT id FROM "
        "(SELECT id FROM {p}.postings GROUP BY id HAVING SUM(amount) <> 0) x)"}},
      {"payment.award", {"UPDATE {p}.payments SET amount = amount + 1 LIMIT 1"}},
      {"fund.balance", {"UPDATE {p}.funds SET free = free + 1, allocated = allocated + 1"}},
      // A posting without its twin, and one that no journal entry knows.
      {"posting.twin", {"DELETE FROM {p}.postings WHERE side = 1 LIMIT 1"}},
      {"posting.journal", {"UPDATE {p}.postings SET entry = REPEAT('x', 32) LIMIT 2"}},
      // Paid without resolution, with an open objection, before the notice ended.
      {"decision.resolution", {"UPDATE {r}.cases SET line_digest = NULL LIMIT 1"}},
      {"decision.resolution", {"UPDATE {r}.cases SET amount_fen = amount_fen - 1 LIMIT 1"}},
      {"decision.awarded", {"DELETE FROM {r}.journal"}},
      {"decision.objection",
       {"INSERT INTO {r}.objections (id, notice, case_id, number, state, holds, version, sealed, "
        "wrapped_key) SELECT id, notice, id, 1, 2, 1, 1, '', '' FROM {r}.cases LIMIT 1"}},
      {"decision.notice", {"UPDATE {r}.notices SET last_day = last_day + 7"}},
      // To an account that nobody decided; by one officer; of another line; not authorized at all.
      {"transfer.account", {"UPDATE {p}.transfers SET account = REPEAT('x', 32) LIMIT 1"}},
      {"payment.account", {"UPDATE {p}.payments SET payee = REPEAT('x', 32) LIMIT 1"}},
      {"transfer.two-officers", {"UPDATE {p}.transfers SET authorized_by = 'preparer' LIMIT 1"}},
      {"transfer.payment", {"UPDATE {p}.transfers SET line_digest = REPEAT('x', 32) LIMIT 1"}},
      {"payment.transfer", {"DELETE FROM {p}.transfers LIMIT 1"}},
      {"posting.transfer", {"DELETE FROM {p}.transfers LIMIT 1"}},
      // The bank moved what we do not know of, or did not move what we take for paid.
      {"bank.unknown-transfer", {"DELETE FROM {p}.transfers LIMIT 1"}},
      {"bank.payment", {"UPDATE {p}.payments SET state = 8 LIMIT 1"}},
      {"award.order", {"UPDATE {p}.awards SET state = 3 WHERE state = 5 LIMIT 1"}},
  };
  for (const Planted& planted : kPlanted) {
    SCOPED_TRACE(planted.faults[0]);
    db::Session sql = world.Administrator();
    sql.ExecuteText("SET SESSION sql_mode = ''");
    // Undone afterwards: the audit looks from within the same transaction.
    sql.ExecuteText("START TRANSACTION");
    std::vector<auditor::BankMove> moves =
        auditor::ReadBankStatement(world.Statement()).value();
    const auditor::Evidence evidence{sql, world.Schema("payment"), world.Schema("review"), &moves};
    for (const std::string& fault : planted.faults)
      ASSERT_GT(sql.ExecuteText(auditor::WithSchemas(evidence, fault)), 0);
    EXPECT_THAT(Told(auditor::Audit(evidence)), testing::HasSubstr(planted.check));
    sql.ExecuteText("ROLLBACK");
  }
  // In the bank's books: paid twice, another amount, another account.
  db::Session sql = world.Administrator();
  const auto books = auditor::ReadBankStatement(world.Statement()).value();
  const auto audit = [&](std::vector<auditor::BankMove> moves) {
    return Told(auditor::Audit({sql, world.Schema("payment"), world.Schema("review"), &moves,
                                world.AccountKey()}));
  };
  EXPECT_EQ(audit(books), "");
  auto moves = books;
  moves.push_back(moves[0]);
  EXPECT_EQ(audit(moves), "");  // the same one, told twice
  moves.back().reference = "SIM99999999";
  EXPECT_THAT(audit(moves), testing::HasSubstr("bank.station-paid-twice"));
  moves = books;
  moves[0].fen += 1;
  EXPECT_THAT(audit(moves), testing::HasSubstr("bank.amount"));
  moves = books;
  moves[0].account += "1";
  EXPECT_THAT(audit(moves), testing::HasSubstr("bank.account"));
  moves = books;
  moves.pop_back();
  EXPECT_THAT(audit(moves), testing::HasSubstr("bank.payment"));
}

}  // namespace
}  // namespace yuezhan::tests
