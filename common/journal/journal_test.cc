#include "common/journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/db/cutting_proxy.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/journal/rotate.h"
#include "common/journal/test_counter.h"
#include "common/journal/test_journal.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

using db::CuttingProxy;
using testing::HasSubstr;

class JournalTest : public CountingTest {};

TEST_F(JournalTest, ARepeatedRequestGetsItsAnswerAndHasNoEffect) {
  v1::SkipEntryResponse first, second, other;
  ASSERT_TRUE(Count(test_.journal, "request-1", &first).ok());
  ASSERT_TRUE(Count(test_.journal, "request-2", &other).ok());
  ASSERT_TRUE(Count(test_.journal, "request-1", &second).ok());
  EXPECT_EQ(first.follower().seq(), 1);
  EXPECT_EQ(second.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(other.follower().seq(), 2);
  EXPECT_EQ(Counter(), 2);
  EXPECT_EQ(JournalRows(), 2);
}

TEST_F(JournalTest, ThirtyTwoAtOnceHaveOneEffectAndOneAnswer) {
  std::vector<std::thread> callers;
  std::vector<v1::SkipEntryResponse> answers(32);
  for (v1::SkipEntryResponse& answer : answers) {
    callers.emplace_back([&] {
      const absl::Status status = Count(test_.journal, "the-same", &answer);
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const v1::SkipEntryResponse& answer : answers) EXPECT_EQ(answer.follower().seq(), 1);
  EXPECT_EQ(Counter(), 1);
  EXPECT_EQ(JournalRows(), 1);
}

// A unit whose repetition meets its own effect: a unique key of the service, not the journal's.
TEST_F(JournalTest, ARepetitionThatMeetsItsOwnEffectIsAnsweredAgain) {
  const Context context = TestJournal::Caller("officer-a", "Test/Note");
  v1::ResumeFollowerRequest request;
  request.set_request_id("request-1");
  v1::ResumeFollowerResponse answer;
  const auto note = [&](const char* id) {
    request.set_request_id(id);
    return test_.journal.Write(context, request, &answer, [&](Unit& unit) {
      unit.sql().Execute("INSERT INTO notes (word) VALUES (?)", "once");
      answer.mutable_follower()->set_reason("written");
      return absl::OkStatus();
    });
  };
  ASSERT_TRUE(note("request-1").ok());
  answer.Clear();
  EXPECT_TRUE(note("request-1").ok());
  EXPECT_EQ(answer.follower().reason(), "written");
  EXPECT_EQ(note("request-2").code(), absl::StatusCode::kAlreadyExists)
      << "another request is told the truth";
}

TEST_F(JournalTest, TheSameIdWithOtherContentIsRefusedAndNamesTheField) {
  v1::SkipEntryResponse answer;
  ASSERT_TRUE(Count(test_.journal, "request-1", &answer, "first reason").ok());
  const absl::Status status = Count(test_.journal, "request-1", &answer, "秘密 second");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(errors::Reason(status), "REQUEST_ID_REUSED");
  EXPECT_THAT(status.ToString(), HasSubstr("reason"));
  EXPECT_THAT(status.ToString(), testing::Not(HasSubstr("秘密")));
  EXPECT_EQ(Counter(), 1);
}

TEST_F(JournalTest, IdsBelongToACallerAndAMethod) {
  v1::GetHeadResponse answer;
  v1::SkipEntryRequest request;
  request.set_request_id("request-1");
  int effects = 0;
  for (const char* subject : {"officer-a", "officer-b"}) {
    for (const char* method : {"Test/A", "Test/B"}) {
      const Context context = TestJournal::Caller(subject, method);
      EXPECT_TRUE(
          test_.journal
              .Write(context, request, &answer, [&](Unit&) { return ++effects, absl::OkStatus(); })
              .ok());
    }
  }
  EXPECT_EQ(effects, 4);
  request.clear_request_id();
  const absl::Status status = test_.journal.Write(TestJournal::Caller("a", "m"), request, &answer,
                                                  [](Unit&) { return absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.ToString(), HasSubstr("request_id"));
}

TEST_F(JournalTest, AFailedUnitLeavesNoRowAndMayBeTriedAgain) {
  v1::SkipEntryResponse answer;
  v1::SkipEntryRequest request;
  request.set_request_id("request-1");
  const Context context = TestJournal::Caller("officer-a", "Test/Fails");
  bool fail = true;
  const auto work = [&](Unit& unit) {
    unit.sql().Execute("UPDATE counter SET n = n + 1 WHERE id = ?", 1);
    return fail ? absl::FailedPreconditionError("not yet") : absl::OkStatus();
  };
  EXPECT_EQ(test_.journal.Write(context, request, &answer, work).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(JournalRows(), 0);
  EXPECT_EQ(Counter(), 0);
  fail = false;
  EXPECT_TRUE(test_.journal.Write(context, request, &answer, work).ok());
  EXPECT_EQ(Counter(), 1);
}

TEST_F(JournalTest, TheServicesOwnWorkTakesEffectOnceAmongReplicas) {
  std::vector<std::thread> replicas;
  for (int i = 0; i < 8; ++i) {
    replicas.emplace_back([&] {
      const absl::Status status = test_.journal.WriteInternal(
          "timer/notice-ends", "notices/1", WallNow() + absl::Seconds(60), [](Unit& unit) {
            unit.sql().Execute("UPDATE counter SET n = n + 1 WHERE id = ?", 1);
            return absl::OkStatus();
          });
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(Counter(), 1);
  EXPECT_EQ(JournalRows(), 1);
}

TEST_F(JournalTest, NothingChangedWritesNoRow) {
  for (bool change : {false, true}) {
    EXPECT_TRUE(test_.journal
                    .WriteIfChanged("follow/x", absl::StrCat(change), WallNow() + absl::Seconds(60),
                                    [&](Unit&, bool* changed) {
                                      *changed = change;
                                      return absl::OkStatus();
                                    })
                    .ok());
  }
  EXPECT_EQ(JournalRows(), 1);
}

TEST_F(JournalTest, PersonsAndRequestsStandInTheSealedPart) {
  v1::SkipEntryRequest request;
  v1::SkipEntryResponse answer;
  const auto write = [&](const char* id, Context context, bool hide) {
    request.set_request_id(id);
    request.set_reason("MARK-REQUEST");
    ASSERT_TRUE(test_.journal
                    .Write(context, request, &answer,
                           [&](Unit& unit) {
                             v1::EntrySkipped event;
                             event.set_reason("MARK-PUBLIC");
                             unit.Emit(event);
                             event.set_reason("MARK-PRIVATE");
                             unit.EmitPrivate(event);
                             if (hide) unit.HideActor();
                             return absl::OkStatus();
                           })
                    .ok());
  };
  Context citizen = TestJournal::Caller("citizen", "Test/Object");
  citizen.caller.roles = {Role::kPublic};
  write("officer-request", TestJournal::Caller("MARK-OFFICER", "Test/Act"), false);
  write("citizen-request", citizen, false);
  write("hidden-request", TestJournal::Caller("MARK-HIDDEN", "Test/Object"), true);
  db::Session administrator(test_.database.administrator());
  const db::Rows rows =
      administrator.Query("SELECT public_part, private_part FROM journal ORDER BY id");
  const char* subjects[] = {"MARK-OFFICER", "", ""};
  for (int i = 0; i < 3; ++i) {
    v1::PublicPart part;
    ASSERT_TRUE(part.ParseFromString(rows[static_cast<size_t>(i)].Bytes(0)));
    EXPECT_EQ(part.subject(), subjects[i]);
    EXPECT_EQ(part.service(), "registry");
    EXPECT_EQ(part.events_size(), 1);
    EXPECT_THAT(part.DebugString(),
                testing::AllOf(HasSubstr("MARK-PUBLIC"), testing::Not(HasSubstr("MARK-PRIVATE")),
                               testing::Not(HasSubstr("MARK-REQUEST"))));
    EXPECT_THAT(rows[static_cast<size_t>(i)].Bytes(1), testing::Not(HasSubstr("MARK")));
  }
}

// The connection is cut at every command of a call, before and after the server got it. Whatever
// the caller is told, a retry with the same id tells the truth, and there is one effect.
TEST_F(JournalTest, ACutConnectionAnywhereGivesOneEffect) {
  CuttingProxy proxy(test_.database.serve().host, test_.database.serve().port);
  auto pool = test_.database.NewPool(4, proxy.port());
  Journal journal(*pool, test_.vault, test_.clocks, "registry");
  int64_t effects = 0;
  for (CuttingProxy::When when : {CuttingProxy::When::kBefore, CuttingProxy::When::kAfter}) {
    for (bool repetition : {false, true}) {
      for (int n = 1;; ++n) {
        ASSERT_LT(n, 40) << "more commands than such a call has";
        const std::string id = absl::StrCat("request-", static_cast<int>(when), repetition, "-", n);
        v1::SkipEntryResponse answer;
        int64_t told = 0;
        if (repetition) {
          ASSERT_TRUE(Count(test_.journal, id, &answer).ok());
          told = answer.follower().seq();
          ++effects;
        }
        proxy.CutAt(n, when);
        absl::Status status = Count(journal, id, &answer);
        const bool cut = proxy.cut();
        proxy.CutAt(0, when);
        EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << n << " " << status;
        if (!status.ok()) status = Count(journal, id, &answer);
        ASSERT_TRUE(status.ok()) << n << " " << status;
        effects += repetition ? 0 : 1;
        EXPECT_EQ(answer.follower().seq(), repetition ? told : effects) << n;
        EXPECT_EQ(Counter(), effects) << n;
        EXPECT_EQ(JournalRows(), effects) << n;
        if (!cut) break;
      }
    }
  }
}

// The same with a pulled cable: the old session lives on for a while, with its locks and its
// journal row.
TEST_F(JournalTest, AnOldSessionThatLivesOnIsWaitedFor) {
  CuttingProxy proxy(test_.database.serve().host, test_.database.serve().port);
  auto pool = test_.database.NewPool(4, proxy.port());
  Journal journal(*pool, test_.vault, test_.clocks, "registry");
  v1::SkipEntryResponse answer;
  ASSERT_TRUE(Count(journal, "warm", &answer)
                  .ok());  // statements are prepared, so the last command is COMMIT
  proxy.CutAt(0, CuttingProxy::When::kBefore);
  ASSERT_TRUE(Count(journal, "count", &answer).ok());
  const int commands = proxy.commands();
  proxy.CutAt(commands, CuttingProxy::When::kBefore, absl::Seconds(2));
  runs_ = 0;
  const absl::Status status = Count(journal, "pulled", &answer);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(proxy.cut());
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(answer.follower().seq(), 3);
  EXPECT_EQ(Counter(), 3);
}

// COMMIT goes out unanswered, and then the unit itself fails for another reason. While the old
// session may still commit, "failed" would be a lie.
TEST_F(JournalTest, AFailureAfterAnUnknownCommitIsToldOnlyWhenItIsTrue) {
  for (CuttingProxy::When when :
       {CuttingProxy::When::kBefore, CuttingProxy::When::kAfter, CuttingProxy::When::kLate}) {
    CuttingProxy proxy(test_.database.serve().host, test_.database.serve().port);
    auto pool = test_.database.NewPool(4, proxy.port());
    Journal journal(*pool, test_.vault, test_.clocks, "registry");
    const Context context = TestJournal::Caller("officer-a", "Test/FailsLater");
    v1::SkipEntryRequest request;
    v1::SkipEntryResponse answer;
    int attempt = 0;
    const auto work = [&](Unit& unit) {
      if (++attempt > 1) return absl::FailedPreconditionError("the state moved on");
      unit.sql().Execute("UPDATE counter SET n = n + 1 WHERE id = ?", 1);
      return absl::OkStatus();
    };
    request.set_request_id(absl::StrCat("warm-up-", static_cast<int>(when)));
    ASSERT_TRUE(journal.Write(context, request, &answer, work).ok());
    attempt = 0;
    proxy.CutAt(0, when);
    request.set_request_id(absl::StrCat("count-them-", static_cast<int>(when)));
    ASSERT_TRUE(journal.Write(context, request, &answer, work).ok());
    const int commands = proxy.commands();
    attempt = 0;
    const int64_t before = Counter();
    proxy.CutAt(commands, when, absl::Seconds(1));
    request.set_request_id(absl::StrCat("unknown-", static_cast<int>(when)));
    const absl::Status status = journal.Write(context, request, &answer, work);
    const bool happened = Counter() != before;
    EXPECT_EQ(happened, when != CuttingProxy::When::kBefore);
    EXPECT_EQ(status.ok(), happened) << status;
    EXPECT_TRUE(status.ok() || absl::IsFailedPrecondition(status)) << status;
    EXPECT_EQ(attempt, 2);
  }
}

TEST_F(JournalTest, ServingAccountsCannotTouchWhatIsWritten) {
  v1::SkipEntryResponse answer;
  ASSERT_TRUE(Count(test_.journal, "request-1", &answer).ok());
  ASSERT_TRUE(test_.ChainAll().ok());
  auto lease = test_.database.pool().Acquire(WallNow() + absl::Seconds(5));
  for (const char* forbidden :
       {"UPDATE journal SET public_part = ''", "UPDATE journal SET wrapped_key = ''",
        "DELETE FROM journal", "UPDATE journal_chain SET seq = 5", "DELETE FROM journal_chain",
        "DELETE FROM journal_head", "DELETE FROM journal_cursor", "TRUNCATE TABLE journal",
        "DROP TABLE journal",
        "REPLACE INTO journal_chain (seq, journal_id, hash) VALUES (1, 1, REPEAT('x', 32))",
        "INSERT INTO journal_chain (seq, journal_id, hash) VALUES (1, 9, REPEAT('x', 32)) "
        "ON DUPLICATE KEY UPDATE hash = REPEAT('x', 32)"}) {
    try {
      (*lease)->ExecuteText(forbidden);
      ADD_FAILURE() << forbidden;
    } catch (const db::Error& e) {
      EXPECT_TRUE(e.code() == 1142 || e.code() == 1143) << e.code() << " " << forbidden;
    }
  }
}

TEST_F(JournalTest, MasterKeysAreChangedByTheMigratingAccount) {
  v1::SkipEntryResponse answer;
  ASSERT_TRUE(Count(test_.journal, "request-1", &answer).ok());
  ASSERT_TRUE(test_.ChainAll().ok());
  const std::string new_key = Vault::NewKeyLine("next");
  EXPECT_EQ(RewrapSchema(test_.database.migrate(), *Vault::Parse(new_key)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  const Vault both = *Vault::Parse(new_key + test_.master_key);
  EXPECT_EQ(RewrapSchema(test_.database.migrate(), both).value(), 1);
  EXPECT_EQ(RewrapSchema(test_.database.migrate(), both).value(), 0);
  const Vault next = *Vault::Parse(new_key);
  Journal journal(test_.database.pool(), next, test_.clocks, "registry");
  v1::SkipEntryResponse again;
  ASSERT_TRUE(Count(journal, "request-1", &again).ok());
  EXPECT_EQ(again.SerializeAsString(), answer.SerializeAsString());
}

}  // namespace
}  // namespace yuezhan::journal
