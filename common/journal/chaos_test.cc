#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/loop.h"
#include "common/db/cutting_proxy.h"
#include "common/journal/test_journal.h"
#include "common/journal/verify.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

using db::CuttingProxy;

constexpr db::Migration kCounters = {
    2, "counters",
    "CREATE TABLE counters (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL) ENGINE = InnoDB;\n"
    "INSERT INTO counters (id, n) VALUES (0, 0), (1, 0), (2, 0);\n"
    "GRANT UPDATE ON {schema}.counters TO {serve};\n"};

// Writers and sequencers of two replicas, all through a proxy that cuts connections at random
// commands, before the server gets one, after it ran it, or so that it runs late. Callers repeat
// what was not answered.
TEST(Chaos, EveryRequestHasOneEffectAndOnePlaceInTheChain) {
  const char* given = std::getenv("YUEZHAN_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device()();
  const char* seconds = std::getenv("YUEZHAN_CHAOS_SECONDS");
  const absl::Duration length = absl::Seconds(seconds != nullptr ? std::atoi(seconds) : 4);
  std::printf("YUEZHAN_SEED=%u\n", seed);
  SCOPED_TRACE(seed);
  SetLogLevel(LogLevel::kError);

  TestJournal test("registry", {kCounters});
  CuttingProxy proxy(test.database.serve().host, test.database.serve().port);
  std::atomic<bool> going{true};
  std::atomic<int64_t> requests{0}, cuts{0};
  {
    auto replica_a = test.database.NewPool(8, proxy.port()),
         replica_b = test.database.NewPool(8, proxy.port());
    db::Pool* pools[] = {replica_a.get(), replica_b.get()};
    std::vector<std::unique_ptr<Sequencer>> sequencers;
    std::vector<std::unique_ptr<BackgroundLoop>> loops;
    for (int i = 0; i < 2; ++i) {
      sequencers.push_back(
          std::make_unique<Sequencer>(*pools[i], test.signer, test.service, absl::StrCat("s", i)));
      loops.push_back(std::make_unique<BackgroundLoop>(
          "sequencer", [s = sequencers.back().get()] { return s->Step(); }));
    }
    std::vector<std::thread> writers;
    for (int w = 0; w < 6; ++w) {
      writers.emplace_back([&, w] {
        Journal journal(*pools[w % 2], test.vault, test.clocks, test.service);
        for (int i = 0; going; ++i) {
          v1::SkipEntryRequest request;
          v1::SkipEntryResponse answer;
          request.set_request_id(absl::StrCat("writer-", w, "-", i));
          const Context context = TestJournal::Caller("officer-a", "Test/Count");
          const auto work = [&](Unit& unit) {
            unit.sql().Execute("UPDATE counters SET n = n + 1 WHERE id = ?", (w + i) % 3);
            return absl::OkStatus();
          };
          while (true) {
            const absl::Status status = journal.Write(context, request, &answer, work);
            if (status.ok()) break;
            ASSERT_TRUE(absl::IsUnavailable(status) || absl::IsAborted(status)) << status;
          }
          ++requests;
        }
      });
    }
    std::mt19937 random(seed);
    const absl::Duration end = MonotonicNow() + length;
    while (MonotonicNow() < end) {
      const auto when = static_cast<CuttingProxy::When>(random() % 3);
      proxy.CutAt(static_cast<int>(random() % 60) + 1, when, absl::Milliseconds(random() % 300));
      while (!proxy.cut() && MonotonicNow() < end) std::this_thread::yield();
      ++cuts;
    }
    proxy.CutAt(0, CuttingProxy::When::kBefore);
    going = false;
    for (std::thread& writer : writers) writer.join();
    const absl::Duration give_up = MonotonicNow() + absl::Seconds(30);
    while (test.Number("SELECT seq FROM journal_head") < requests && MonotonicNow() < give_up)
      std::this_thread::yield();
  }
  SetLogLevel(LogLevel::kInfo);
  EXPECT_GT(cuts, 5);
  EXPECT_EQ(test.Number("SELECT SUM(n) FROM counters"), requests);
  EXPECT_EQ(test.Number("SELECT COUNT(*) FROM journal"), requests);
  v1::VerifyJournalRequest verify;
  verify.set_max_rows(100'000);
  const auto verified = VerifyJournal(test.database.pool(), test.service, test.Keys(), &test.vault,
                                      verify, absl::InfiniteFuture());
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->fault(), v1::FAULT_UNSPECIFIED) << verified->explanation();
  EXPECT_EQ(verified->last_verified(), requests);
  std::printf("%ld requests, %ld cuts\n", static_cast<long>(requests), static_cast<long>(cuts));
}

}  // namespace
}  // namespace yuezhan::journal
