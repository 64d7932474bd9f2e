#ifndef YUEZHAN_COMMON_JOURNAL_TEST_COUNTER_H_
#define YUEZHAN_COMMON_JOURNAL_TEST_COUNTER_H_

#include <atomic>
#include <string>

#include "common/base/clocks.h"
#include "common/journal/journal.h"
#include "common/journal/test_journal.h"
#include "gtest/gtest.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {

// Notes are written once per value; one counter row that all writers contend for.
inline constexpr db::Migration kNotes = {
    2, "notes",
    "CREATE TABLE counter (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL) ENGINE = InnoDB;\n"
    "INSERT INTO counter (id, n) VALUES (1, 0);\n"
    "CREATE TABLE notes (word VARCHAR(100) NOT NULL, UNIQUE KEY word (word)) ENGINE = InnoDB;\n"
    "GRANT UPDATE ON {schema}.counter TO {serve};\n"};

class CountingTest : public testing::Test {
 protected:
  // Counts one up and answers the new number. A stand-in for any method that changes something.
  absl::Status Count(Journal& journal, const std::string& request_id, v1::SkipEntryResponse* answer,
                     const std::string& reason = "r", absl::Duration patience = absl::Seconds(60)) {
    Context context = TestJournal::Caller("officer-a", "Test/Count");
    context.deadline = WallNow() + patience;
    v1::SkipEntryRequest request;
    request.set_request_id(request_id);
    request.set_source("review");
    request.set_reason(reason);
    return journal.Write(context, request, answer, [&](Unit& unit) {
      ++runs_;
      unit.sql().Execute("UPDATE counter SET n = n + 1 WHERE id = ?", 1);
      answer->mutable_follower()->set_seq(
          unit.sql().Query("SELECT n FROM counter WHERE id = ?", 1)[0].Int(0));
      v1::EntrySkipped event;
      event.set_reason("counted");
      unit.Emit(event);
      return absl::OkStatus();
    });
  }
  int64_t Counter() { return test_.Number("SELECT n FROM counter"); }
  int64_t JournalRows() { return test_.Number("SELECT COUNT(*) FROM journal"); }

  TestJournal test_{"registry", {kNotes}};
  std::atomic<int> runs_{0};
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_TEST_COUNTER_H_
