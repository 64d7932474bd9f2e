#include "common/journal/follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/errors/errors.h"
#include "common/journal/service.h"
#include "common/journal/test_journal.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// What the follower applied, in the order of its arrival.
constexpr db::Migration kApplied = {
    2, "applied",
    "CREATE TABLE applied (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, seq BIGINT NOT "
    "NULL, word VARCHAR(100) NOT NULL) ENGINE = InnoDB;\n"};

class FollowerTest : public testing::Test {
 protected:
  FollowerTest() {
    SetLogLevel(LogLevel::kError);
    handlers_.On<v1::EntrySkipped>([this](const auto& event, const EventOrigin& origin,
                                          Unit& unit) { return Handle(event, origin, unit); });
  }
  ~FollowerTest() override { SetLogLevel(LogLevel::kInfo); }

  absl::Status Handle(const v1::EntrySkipped& event, const EventOrigin& origin, Unit& unit) {
    if (event.source() == broken_word_) return absl::FailedPreconditionError("cannot be applied");
    if (event.source() == busy_word_ && --busy_times_ >= 0) return absl::UnavailableError("later");
    if (event.source() == "passed over") return absl::OkStatus();
    unit.sql().Execute("INSERT INTO applied (seq, word) VALUES (?, ?)", origin.seq, event.source());
    last_origin_ = origin;
    return absl::OkStatus();
  }
  // An entry in the source's journal, with one event.
  void Publish(const std::string& word) {
    v1::EntrySkipped event;
    event.set_source(word);
    Publish(word, event);
  }
  void Publish(const std::string& id, const google::protobuf::Message& event) {
    v1::SkipEntryRequest request;
    v1::SkipEntryResponse answer;
    request.set_request_id(id);
    ASSERT_TRUE(source_.journal
                    .Write(TestJournal::Caller("officer-a", "Test/Publish"), request, &answer,
                           [&](Unit& unit) { return unit.Emit(event), absl::OkStatus(); })
                    .ok());
    ASSERT_TRUE(source_.ChainAll().ok());
  }
  // Steps until there is nothing to do at once.
  absl::Status Follow(Follower& follower) {
    while (true) {
      const absl::StatusOr<absl::Duration> wait = follower.Step();
      if (!wait.ok()) return wait.status();
      if (*wait > absl::ZeroDuration()) return absl::OkStatus();
    }
  }
  std::vector<std::string> Applied() {
    db::Session administrator(target_.database.administrator());
    std::vector<std::string> words;
    for (const db::Row& row : administrator.Query("SELECT word FROM applied ORDER BY id"))
      words.push_back(row.Text(0));
    return words;
  }
  v1::Follower State() {
    v1::ListFollowersResponse response;
    Context context = TestJournal::Caller("auditor", "ListFollowers");
    EXPECT_TRUE(service_.ListFollowers(context, {}, &response).ok());
    return response.followers_size() == 0 ? v1::Follower() : response.followers(0);
  }

  TestJournal source_{"review"};
  TestJournal target_{"payment", {kApplied}};
  DatabaseFeed feed_{source_.database.pool(), "review"};
  EventHandlers handlers_;
  Follower follower_{target_.journal, feed_, "review", handlers_, "a"};
  JournalService service_{target_.journal, target_.vault, target_.Keys(), target_.signer->key_id()};
  std::string broken_word_, busy_word_;
  int busy_times_ = 0;
  EventOrigin last_origin_;
};

TEST_F(FollowerTest, AppliesInOrderOnceAndWritesOneRowForABatch) {
  for (const char* word : {"one", "two", "three"}) Publish(word);
  ASSERT_TRUE(Follow(follower_).ok());
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(Applied(), ElementsAre("one", "two", "three"));
  EXPECT_EQ(target_.Number("SELECT COUNT(*) FROM journal"), 1);
  EXPECT_EQ(State().seq(), 3);
  EXPECT_EQ(State().state(), v1::FOLLOWER_STATE_FOLLOWING);
  EXPECT_EQ(last_origin_.seq, 3);
  EXPECT_EQ(last_origin_.subject, "officer-a");
  EXPECT_EQ(last_origin_.method, "Test/Publish");
}

// It keeps its cursor in memory while nothing comes, and looks at it again before it applies.
TEST_F(FollowerTest, SeesThatTheServiceWasStoppedMeanwhile) {
  ASSERT_TRUE(Follow(follower_).ok());
  ASSERT_TRUE(Follow(follower_).ok());
  db::Session administrator(target_.database.administrator());
  administrator.Execute(
      "INSERT INTO journal_cursor (source, seq, hash, state, stopped_seq, stopped_hash, reason, "
      "lease_holder, lease_until_ms, updated_at_ms) SELECT 'another', seq, hash, ?, stopped_seq, "
      "stopped_hash, reason, lease_holder, lease_until_ms, updated_at_ms FROM journal_cursor",
      v1::FOLLOWER_STATE_CONTRADICTED);
  Publish("one");
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(Applied(), testing::IsEmpty());
}

// A row that is held fails after its entry was applied, with those after it.
TEST_F(FollowerTest, StopsAtTheEntryWhoseHeldRowCannotBeWritten) {
  static const db::RowShape kRows = db::NewRows("applied", "seq, word");
  handlers_.On<v1::EntrySkipped>([](const v1::EntrySkipped& event, const EventOrigin& origin,
                                    Unit& unit) {
    const std::string word = event.source() == "broken" ? std::string(200, 'x') : event.source();
    unit.sql().Hold(kRows, origin.seq, word);
    return absl::OkStatus();
  });
  for (const char* word : {"one", "two", "broken", "four"}) Publish(word);
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(Applied(), ElementsAre("one", "two"));
  EXPECT_EQ(State().state(), v1::FOLLOWER_STATE_STOPPED);
  EXPECT_EQ(State().stopped_seq(), 3);
}

// In the transaction that applies them, with all events of the kind.
TEST_F(FollowerTest, IsToldOfABatchAhead) {
  std::vector<std::string> ahead;
  handlers_.Ahead<v1::EntrySkipped>([](const v1::EntrySkipped& event) { return event.source(); },
                                    [&](const std::vector<std::string>& names, db::Session& sql) {
                                      EXPECT_EQ(sql.Query("SELECT COUNT(*) FROM applied")[0].Int(0),
                                                0);
                                      ahead = names;
                                    });
  Publish("one");
  Publish("id-1", v1::FollowerResumed());
  Publish("two");
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(ahead, ElementsAre("one", "two"));
  EXPECT_THAT(Applied(), ElementsAre("one", "two"));
}

TEST_F(FollowerTest, WhatDoesNotConcernItMovesTheCursorAlone) {
  Publish("id-1", v1::FollowerResumed());  // a kind without a handler
  Publish("passed over");
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_EQ(State().seq(), 2);
  EXPECT_EQ(target_.Number("SELECT COUNT(*) FROM journal"), 0);
}

TEST_F(FollowerTest, ReplicasThatBothBelieveToLeadApplyOnce) {
  std::vector<std::string> words;
  for (int i = 0; i < 40; ++i) {
    words.push_back(absl::StrCat("word-", i));
    Publish(words.back());
  }
  std::vector<std::thread> replicas;
  for (int i = 0; i < 3; ++i) {
    replicas.emplace_back([&] {
      Follower replica(target_.journal, feed_, "review", handlers_, "the same");
      const absl::Time give_up = WallNow() + absl::Seconds(60);
      while (State().seq() < 40 && WallNow() < give_up) {
        (void)replica.Step();  // conflicts are part of it
      }
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(Applied(), words);
}

TEST_F(FollowerTest, AnotherReplicaTakesOver) {
  Follower other(target_.journal, feed_, "review", handlers_, "b");
  Publish("one");
  ASSERT_TRUE(Follow(follower_).ok());
  Publish("two");
  ASSERT_TRUE(Follow(other).ok());
  EXPECT_THAT(Applied(), ElementsAre("one"));
  follower_.Release();
  const absl::Time give_up = WallNow() + absl::Seconds(10);
  while (Applied().size() < 2 && WallNow() < give_up) {
    const auto wait = other.Step();
    ASSERT_TRUE(wait.ok());
    absl::SleepFor(std::min(*wait, absl::Milliseconds(50)));
  }
  EXPECT_THAT(Applied(), ElementsAre("one", "two"));
}

TEST_F(FollowerTest, WhatMayPassIsTriedAgain) {
  busy_word_ = "two";
  busy_times_ = 2;
  for (const char* word : {"one", "two", "three"}) Publish(word);
  EXPECT_EQ(Follow(follower_).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Applied(), ElementsAre());
  EXPECT_EQ(Follow(follower_).code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(Applied(), ElementsAre("one", "two", "three"));
}

TEST_F(FollowerTest, AnEntryThatCannotBeAppliedStopsItAndIsLeftByAJournaledSkip) {
  broken_word_ = "two";
  std::vector<int64_t> stops;
  follower_.on_stopped = [&](int64_t seq, const std::string&) { stops.push_back(seq); };
  for (const char* word : {"one", "two", "three"}) Publish(word);
  ASSERT_TRUE(Follow(follower_).ok());
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(Applied(), ElementsAre("one"));
  EXPECT_THAT(stops, ElementsAre(2));
  EXPECT_EQ(State().state(), v1::FOLLOWER_STATE_STOPPED);
  EXPECT_EQ(State().stopped_seq(), 2);
  EXPECT_THAT(State().reason(), HasSubstr("cannot be applied"));

  Context context =
      TestJournal::Caller("operator-a", "yuezhan.journal.v1.JournalService/SkipEntry");
  v1::SkipEntryRequest skip;
  v1::SkipEntryResponse skipped;
  skip.set_request_id("skip-it-1");
  skip.set_source("review");
  skip.set_seq(3);
  skip.set_reason("applied by hand");
  EXPECT_EQ(service_.SkipEntry(context, skip, &skipped).code(),
            absl::StatusCode::kFailedPrecondition);
  skip.set_request_id("skip-it-2");
  skip.set_seq(2);
  ASSERT_TRUE(service_.SkipEntry(context, skip, &skipped).ok());
  EXPECT_EQ(skipped.follower().seq(), 2);
  ASSERT_TRUE(service_.SkipEntry(context, skip, &skipped).ok()) << "again";
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(Applied(), ElementsAre("one", "three"));
  EXPECT_EQ(target_.Number("SELECT COUNT(*) FROM journal"), 3) << "two batches and the skip";
  skip.set_source("nobody");
  skip.set_request_id("skip-it-3");
  EXPECT_EQ(service_.SkipEntry(context, skip, &skipped).code(), absl::StatusCode::kNotFound);
}

TEST_F(FollowerTest, AfterItsCauseIsRemovedItIsResumed) {
  broken_word_ = "one";
  Publish("one");
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_EQ(State().state(), v1::FOLLOWER_STATE_STOPPED);
  broken_word_.clear();
  Context context =
      TestJournal::Caller("operator-a", "yuezhan.journal.v1.JournalService/ResumeFollower");
  v1::ResumeFollowerRequest request;
  v1::ResumeFollowerResponse response;
  request.set_request_id("resume-1");
  request.set_source("review");
  request.set_reason("corrected");
  ASSERT_TRUE(service_.ResumeFollower(context, request, &response).ok());
  request.set_request_id("resume-2");
  EXPECT_EQ(service_.ResumeFollower(context, request, &response).code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(Applied(), ElementsAre("one"));
}

// Each contradiction, and what stands still because of it.
TEST_F(FollowerTest, ASourceThatContradictsItselfStopsAllFollowers) {
  for (const char* word : {"one", "two", "three"}) Publish(word);
  ASSERT_TRUE(Follow(follower_).ok());
  std::string told;
  follower_.on_contradiction = [&](const std::string& explanation) { told = explanation; };
  db::Session source(source_.database.administrator()), target(target_.database.administrator());
  const struct {
    const char* tamper;
    const char* repair;
    const char* explanation;
  } cases[] = {
      {"UPDATE journal_head SET seq = 2", "UPDATE journal_head SET seq = 3",
       "ends at 2, but was read up to 3"},
      {"UPDATE journal_head SET hash = REPEAT('x', 32)",
       "UPDATE journal_head SET hash = (SELECT hash FROM journal_chain WHERE seq = 3)",
       "another hash at 3"},
  };
  Follower other(target_.journal, feed_, "review/second", handlers_, "a");
  for (const auto& c : cases) {
    source.ExecuteText(c.tamper);
    ASSERT_TRUE(Follow(follower_).ok());
    EXPECT_EQ(State().state(), v1::FOLLOWER_STATE_CONTRADICTED);
    EXPECT_THAT(told, HasSubstr(c.explanation));
    source.ExecuteText(c.repair);
    ASSERT_TRUE(Follow(other).ok());
    EXPECT_EQ(Applied().size(), 3u) << "the other one stands still as well";
    target.ExecuteText("UPDATE journal_cursor SET state = 1");
  }
  // What follows does not fit to what was read.
  Publish("four");
  target.ExecuteText("UPDATE journal_cursor SET hash = REPEAT('x', 32) WHERE source = 'review'");
  ASSERT_TRUE(Follow(follower_).ok());
  EXPECT_THAT(told, HasSubstr("hash of entry 4 does not follow"));
  EXPECT_EQ(Applied().size(), 3u);
}

TEST_F(FollowerTest, TheWrongServiceIsNoSource) {
  Publish("one");
  DatabaseFeed wrong(source_.database.pool(), "registry");
  Follower follower(target_.journal, wrong, "review", handlers_, "a");
  ASSERT_TRUE(Follow(follower).ok());
  EXPECT_EQ(State().state(), v1::FOLLOWER_STATE_CONTRADICTED);
  EXPECT_THAT(Applied(), ElementsAre());
}

TEST_F(FollowerTest, TheServiceShowsHeadEntriesAndProof) {
  for (const char* word : {"one", "two", "three"}) Publish(word);
  JournalService service(source_.journal, source_.vault, source_.Keys(), source_.signer->key_id());
  Context context = TestJournal::Caller("auditor", "GetHead");
  v1::GetHeadResponse head;
  ASSERT_TRUE(service.GetHead(context, {}, &head).ok());
  EXPECT_EQ(head.head().seq(), 3);
  VerifyingKeys keys;
  ASSERT_TRUE(keys.Add(head.keys(0).public_key()).ok());
  EXPECT_TRUE(
      keys.Verify(head.head().key_id(), "review", 3, head.head().hash(), head.head().signature()));
  v1::ReadEntriesRequest read;
  v1::ReadEntriesResponse entries;
  read.set_after_seq(1);
  read.set_page_size(1);
  ASSERT_TRUE(service.ReadEntries(context, read, &entries).ok());
  ASSERT_EQ(entries.entries_size(), 1);
  EXPECT_EQ(entries.entries(0).seq(), 2);
  v1::VerifyJournalRequest verify;
  v1::VerifyJournalResponse verified;
  ASSERT_TRUE(service.VerifyJournal(context, verify, &verified).ok());
  EXPECT_TRUE(verified.complete());
  EXPECT_EQ(verified.fault(), v1::FAULT_UNSPECIFIED);
}

}  // namespace
}  // namespace yuezhan::journal
