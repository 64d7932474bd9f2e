// Several requests written in one transaction: as a list, and by handlers that know nothing of each
// other.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/db/cutting_proxy.h"
#include "common/journal/test_counter.h"

namespace yuezhan::journal {
namespace {

using db::CuttingProxy;

class TogetherTest : public CountingTest {
 protected:
  // Cuts at every command: what is answered OK has happened once, and what is not can be asked
  // again, each by itself, and then has.
  void CutAnywhere(
      const std::function<absl::Status(Journal&, const std::vector<std::string>& ids)>& count_all) {
    int64_t effects = 0;
    for (const auto when :
         {CuttingProxy::When::kBefore, CuttingProxy::When::kAfter, CuttingProxy::When::kLate}) {
      for (int n = 1;; ++n) {
        CuttingProxy proxy(test_.database.serve().host, test_.database.serve().port);
        auto pool = test_.database.NewPool(2, proxy.port());
        Journal journal(*pool, test_.vault, test_.clocks, "registry");
        proxy.CutAt(n, when, absl::Milliseconds(200));
        const std::string id = absl::StrCat("cut-", static_cast<int>(when), "-", n, "-");
        const absl::Status status = count_all(journal, {id + "a", id + "b"});
        const bool cut = proxy.cut();
        if (!status.ok()) {
          ASSERT_TRUE(cut) << status;
          for (const char* each : {"a", "b"}) ASSERT_TRUE(CountAlone(journal, id + each).ok());
        }
        effects += 2;
        ASSERT_EQ(Counter(), effects) << n;
        ASSERT_EQ(JournalRows(), effects) << n;
        if (!cut) break;
      }
    }
  }
  virtual absl::Status CountAlone(Journal& journal, const std::string& id) {
    v1::SkipEntryResponse answer;
    return Count(journal, id, &answer);
  }
};

// Several requests in one transaction, each with its row.
class WritingTogether : public TogetherTest {
 protected:
  absl::Status CountAlone(Journal& journal, const std::string& id) override {
    return CountAll(journal, {id});
  }
  // Counts one up for each id; fails at the `wrong`-th of them.
  absl::Status CountAll(Journal& journal, const std::vector<std::string>& ids, int wrong = -1) {
    const Context context = TestJournal::Caller("officer-a", "Test/Count");
    std::vector<v1::SkipEntryRequest> requests(ids.size());
    answers.assign(ids.size(), {});
    std::vector<Writing> writings;
    for (size_t i = 0; i < ids.size(); ++i) {
      requests[i].set_request_id(ids[i]);
      writings.emplace_back(context, requests[i], &answers[i]);
    }
    return journal.WriteAll(writings, [&](const std::vector<Unit*>& units) -> absl::Status {
      ++runs_;
      for (size_t i = 0; i < units.size(); ++i) {
        units[i]->sql().Execute("UPDATE counter SET n = n + 1 WHERE id = ?", 1);
        answers[i].mutable_follower()->set_seq(static_cast<int64_t>(i) + 1);
        if (static_cast<int>(i) == wrong) return absl::NotFoundError("no such thing");
      }
      return absl::OkStatus();
    });
  }
  std::vector<v1::SkipEntryResponse> answers;
};

TEST_F(WritingTogether, EachHasItsRowAndItsAnswer) {
  ASSERT_TRUE(CountAll(test_.journal, {"request-1", "request-2", "request-3"}).ok());
  EXPECT_EQ(Counter(), 3);
  EXPECT_EQ(JournalRows(), 3);
  // Each is known from then on, alone too.
  for (int64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(CountAll(test_.journal, {absl::StrCat("request-", i)}).ok());
    EXPECT_EQ(answers[0].follower().seq(), i);
  }
  EXPECT_EQ(Counter(), 3);
  EXPECT_EQ(JournalRows(), 3);
}

TEST_F(WritingTogether, AllOrNone) {
  EXPECT_TRUE(absl::IsNotFound(CountAll(test_.journal, {"request-1", "request-2"}, 1)));
  EXPECT_EQ(Counter(), 0);
  EXPECT_EQ(JournalRows(), 0);
  // An id that comes twice, and one that was used before: to be tried alone.
  EXPECT_FALSE(CountAll(test_.journal, {"request-1", "request-1"}).ok());
  ASSERT_TRUE(CountAll(test_.journal, {"request-1"}).ok());
  EXPECT_FALSE(CountAll(test_.journal, {"request-2", "request-1"}).ok());
  EXPECT_EQ(Counter(), 1);
  EXPECT_EQ(JournalRows(), 1);
  EXPECT_TRUE(absl::IsInvalidArgument(CountAll(test_.journal, {"request-3", ""})));
  EXPECT_EQ(Counter(), 1);
}

TEST_F(WritingTogether, ACutConnectionAnywhereGivesOneEffectEach) {
  CutAnywhere([this](Journal& journal, const auto& ids) { return CountAll(journal, ids); });
}

// Handlers that know nothing of each other, in one transaction.
class WritingJoined : public TogetherTest {
 protected:
  absl::Status CountAll(Journal& journal, const std::vector<std::string>& ids,
                        const std::function<void()>& after_each = {}) {
    return journal.WriteJoined(WallNow() + absl::Seconds(60), [&]() -> absl::Status {
      answers.assign(ids.size(), {});
      for (size_t i = 0; i < ids.size(); ++i) {
        const absl::Status status = Count(journal, ids[i], &answers[i]);
        if (!status.ok()) return status;
        if (after_each) journal.AfterWrite(after_each);
      }
      return absl::OkStatus();
    });
  }
  std::vector<v1::SkipEntryResponse> answers;
};

TEST_F(WritingJoined, EachSeesTheOnesBeforeAndHasItsRow) {
  int64_t rows_then = -1;
  ASSERT_TRUE(CountAll(test_.journal, {"request-1", "request-2", "request-3"}, [&] {
                rows_then = JournalRows();
              }).ok());
  EXPECT_EQ(rows_then, 3) << "only after the commit";
  EXPECT_EQ(Counter(), 3);
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(answers[i].follower().seq(), i + 1);
    v1::SkipEntryResponse again;
    ASSERT_TRUE(Count(test_.journal, absl::StrCat("request-", i + 1), &again).ok());
    EXPECT_EQ(again.SerializeAsString(), answers[i].SerializeAsString());
  }
  EXPECT_EQ(JournalRows(), 3);
}

TEST_F(WritingJoined, AllOrNoneAndNothingAfterNone) {
  ASSERT_TRUE(CountAll(test_.journal, {"request-1"}).ok());
  int after = 0;
  for (const auto& ids : std::vector<std::vector<std::string>>{
           {"request-2", "request-1"},  // one that was done before
           {"request-2", "request-2"},
           {"request-2", ""}}) {
    EXPECT_FALSE(CountAll(test_.journal, ids, [&] { ++after; }).ok());
  }
  EXPECT_EQ(after, 0);
  EXPECT_EQ(Counter(), 1);
  EXPECT_EQ(JournalRows(), 1);
  test_.journal.AfterWrite([&] { ++after; });
  EXPECT_EQ(after, 1) << "at once where nothing is joined";
}

TEST_F(WritingJoined, ACutConnectionAnywhereGivesOneEffectEach) {
  CutAnywhere([this](Journal& journal, const auto& ids) { return CountAll(journal, ids); });
}

}  // namespace
}  // namespace yuezhan::journal
