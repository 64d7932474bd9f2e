#include "common/journal/sequencer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/loop.h"
#include "common/journal/feed.h"
#include "common/journal/test_journal.h"
#include "common/journal/verify.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

absl::Duration g_monotonic = absl::Hours(1);  // of the tests that move it

class SequencerTest : public testing::Test {
 protected:
  // Writes one row; its event tells the largest journal id that the writer had seen.
  absl::Status WriteOne(const std::string& id, bool fail = false) {
    v1::SkipEntryRequest request;
    request.set_request_id(id);
    v1::SkipEntryResponse answer;
    return test_.journal.Write(
        TestJournal::Caller("officer-a", "Test/Write"), request, &answer, [&](Unit& unit) {
          v1::EntrySkipped event;
          event.set_seq(unit.sql().Query("SELECT COALESCE(MAX(id), 0) FROM journal")[0].Int(0));
          event.set_source(id);
          unit.Emit(event);
          return fail ? absl::FailedPreconditionError("leaves a gap") : absl::OkStatus();
        });
  }
  std::unique_ptr<Sequencer> NewSequencer(const std::string& holder,
                                          absl::Duration (*monotonic)() = &MonotonicNow) {
    return std::make_unique<Sequencer>(test_.database.pool(), test_.signer, test_.service, holder,
                                       monotonic);
  }
  int64_t HeadSeq() { return test_.Number("SELECT seq FROM journal_head"); }
  int64_t Rows() { return test_.Number("SELECT COUNT(*) FROM journal"); }
  void ExpectVerified() {
    const auto verified = VerifyJournal(test_.database.pool(), test_.service, test_.Keys(),
                                        &test_.vault, {}, WallNow() + absl::Seconds(60));
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_TRUE(verified->complete());
    EXPECT_EQ(verified->fault(), v1::FAULT_UNSPECIFIED) << verified->explanation();
    EXPECT_EQ(verified->last_verified(), Rows());
  }
  // No entry stands before one that its writer had seen.
  void ExpectWritersOrder() {
    db::Session administrator(test_.database.administrator());
    std::map<int64_t, int64_t> place;  // journal id → seq
    for (const db::Row& row : administrator.Query("SELECT journal_id, seq FROM journal_chain")) {
      place[row.Int(0)] = row.Int(1);
    }
    for (const db::Row& row : administrator.Query("SELECT id, public_part FROM journal")) {
      v1::PublicPart part;
      v1::EntrySkipped event;
      ASSERT_TRUE(part.ParseFromString(row.Bytes(1)) && part.events(0).UnpackTo(&event));
      if (event.seq() == 0) continue;
      ASSERT_EQ(place.count(event.seq()), 1u);
      EXPECT_LT(place[event.seq()], place[row.Int(0)]);
    }
  }

  TestJournal test_;
};

TEST_F(SequencerTest, ChainsInBatchesWithOneSignatureEach) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(WriteOne(absl::StrCat("request-", i)).ok());
  auto sequencer = NewSequencer("a");
  ASSERT_TRUE(sequencer->Step().ok());
  EXPECT_EQ(HeadSeq(), 5);
  EXPECT_EQ(test_.Number("SELECT COUNT(*) FROM journal_chain WHERE signature IS NOT NULL"), 1);
  EXPECT_GT(*sequencer->Step(), absl::ZeroDuration()) << "nothing new";
  ExpectVerified();
}

// Sequencers that both believe to hold the lease, writers at full speed, some of which leave gaps.
TEST_F(SequencerTest, TwoAtOnceChainEveryRowOnceInTheWritersOrder) {
  SetLogLevel(LogLevel::kError);
  std::atomic<bool> writing{true};
  std::vector<std::thread> sequencers, writers;
  for (int i = 0; i < 2; ++i) {
    sequencers.emplace_back([&] {
      auto sequencer = NewSequencer("the same");
      const absl::Duration give_up = MonotonicNow() + absl::Seconds(60);
      while ((writing || HeadSeq() < Rows()) && MonotonicNow() < give_up) {
        (void)sequencer->Step();  // conflicts are part of it
      }
    });
  }
  for (int w = 0; w < 8; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < 60; ++i)
        (void)WriteOne(absl::StrCat("request-", i % 7 == 0 ? 0 : w, "-", i), i % 10 == 3);
    });
  }
  for (std::thread& writer : writers) writer.join();
  writing = false;
  for (std::thread& sequencer : sequencers) sequencer.join();
  SetLogLevel(LogLevel::kInfo);
  EXPECT_EQ(HeadSeq(), Rows());
  EXPECT_GT(Rows(), 300);
  ExpectVerified();
  ExpectWritersOrder();
}

TEST_F(SequencerTest, OneLeadsAndAnotherTakesOver) {
  auto a = NewSequencer("a"), b = NewSequencer("b");
  ASSERT_TRUE(WriteOne("request-1").ok());
  ASSERT_TRUE(a->Step().ok());
  ASSERT_TRUE(b->Step().ok());
  EXPECT_EQ(HeadSeq(), 1);
  ASSERT_TRUE(WriteOne("request-2").ok());
  ASSERT_TRUE(b->Step().ok());
  EXPECT_EQ(HeadSeq(), 1) << "b has no lease";
  a->Release();
  while (HeadSeq() < 2) {
    const auto wait = b->Step();
    ASSERT_TRUE(wait.ok());
    absl::SleepFor(std::min(*wait, absl::Milliseconds(100)));
  }
  // Without a word: its lease runs out.
  auto c = NewSequencer("c");
  ASSERT_TRUE(WriteOne("request-3").ok());
  b.reset();
  const absl::Duration start = MonotonicNow();
  while (HeadSeq() < 3) {
    const auto wait = c->Step();
    ASSERT_TRUE(wait.ok());
    absl::SleepFor(std::min(*wait, absl::Milliseconds(100)));
  }
  EXPECT_LT(MonotonicNow() - start, absl::Seconds(5));
  ExpectVerified();
}

// A row whose transaction is open while later ones are chained.
class OpenRow {
 public:
  OpenRow(TestJournal& test, const std::string& key) : session_(test.database.serve()) {
    session_.ExecuteText("START TRANSACTION");
    const Sealed sealed = test.vault.Seal(PrivatePartPlace(key), "");
    session_.Execute(
        "INSERT INTO journal (request_key, public_part, private_part, private_digest, leaf, "
        "wrapped_key) VALUES "
        "(?, '', ?, ?, ?, ?)",
        db::Bytes(key), db::Bytes(sealed.bytes), db::Bytes(PartDigest(sealed.bytes)),
        db::Bytes(LeafOf(PartDigest(""), PartDigest(sealed.bytes))), db::Bytes(sealed.wrapped_key));
  }
  void Commit() { session_.ExecuteText("COMMIT"); }

 private:
  db::Session session_;
};

TEST_F(SequencerTest, ARowCommittedLateIsChainedWhenItComes) {
  auto sequencer = NewSequencer("a", [] { return g_monotonic; });
  const auto step = [&] {
    g_monotonic += absl::Seconds(1);
    return sequencer->Step();
  };
  OpenRow first(test_, std::string(32, 'k')), second(test_, std::string(32, 'l'));
  ASSERT_TRUE(WriteOne("request-1").ok());
  ASSERT_TRUE(step().ok());
  EXPECT_EQ(HeadSeq(), 1);
  EXPECT_EQ(sequencer->gaps(), 2u);
  first.Commit();
  ASSERT_TRUE(step().ok());
  EXPECT_EQ(HeadSeq(), 2);
  EXPECT_EQ(sequencer->gaps(), 1u);
  // Another replica finds the same gap.
  sequencer = NewSequencer("a", [] { return g_monotonic; });
  ASSERT_TRUE(WriteOne("request-2").ok());
  ASSERT_TRUE(step().ok());
  EXPECT_EQ(HeadSeq(), 3);
  EXPECT_EQ(sequencer->gaps(), 1u);
  // Ten minutes later the gap is given up; what comes then is a straggler, found by the hourly
  // search.
  g_monotonic += absl::Minutes(11);
  ASSERT_TRUE(WriteOne("request-3").ok());
  ASSERT_TRUE(step().ok());
  EXPECT_EQ(sequencer->gaps(), 0u);
  second.Commit();
  ASSERT_TRUE(step().ok());
  EXPECT_EQ(HeadSeq(), 4);
  g_monotonic += absl::Hours(1);
  ASSERT_TRUE(step().ok());
  EXPECT_EQ(HeadSeq(), 5);
  ExpectVerified();
}

TEST_F(SequencerTest, MoreThanOneBatchAtOnce) {
  db::Session administrator(test_.database.administrator());
  std::string insert =
      "INSERT INTO journal (request_key, public_part, private_part, private_digest, leaf, "
      "wrapped_key) VALUES ";
  for (int i = 0; i < 1200; ++i) {
    absl::StrAppend(&insert, i == 0 ? "" : ",", "(UNHEX(SHA2('", i,
                    "', 256)), '', '', REPEAT('d', 32), REPEAT('l', 32), '')");
  }
  administrator.ExecuteText(insert);
  auto sequencer = NewSequencer("a");
  for (int batch = 1; HeadSeq() < 1200; ++batch) {
    const auto wait = sequencer->Step();
    ASSERT_TRUE(wait.ok()) << wait.status();
    ASSERT_LT(batch, 2000);
  }
  EXPECT_EQ(test_.Number("SELECT COUNT(*) FROM journal_chain WHERE signature IS NOT NULL"), 3);
}

}  // namespace
}  // namespace yuezhan::journal
