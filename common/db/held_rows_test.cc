// Rows that a transaction holds until its end, what it fetches ahead, and units that share one.
#include "common/db/held_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/base/clocks.h"
#include "common/base/status_macros.h"
#include "common/db/pool.h"
#include "common/db/session.h"
#include "common/db/test_database.h"
#include "common/db/transaction.h"

namespace yuezhan::db {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr Migration kThings = {
    1, "table",
    "CREATE TABLE things (id BINARY(1) NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL, note "
    "VARCHAR(20) NULL, version BIGINT NOT NULL) ENGINE = InnoDB;\n"
    "GRANT UPDATE, DELETE ON {schema}.things TO {serve};\n"
    "CREATE TABLE trail (id BINARY(1) NOT NULL PRIMARY KEY, n BIGINT NOT NULL) ENGINE = InnoDB;\n"
    "GRANT UPDATE ON {schema}.trail TO {serve};\n"};

const RowShape kNew = NewRows("things", "id, name, note, version");
const RowShape kChanged = ChangedRows("things", "id, name", "note");
const RowShape kTrail = NewRowsUnlessThere("trail", "id, n");
const RowShape kPut = PutRows("trail", "id", "n");
constexpr char kLocked[] = "SELECT id, name FROM things WHERE id = ? FOR UPDATE";

absl::Time Later() { return WallNow() + absl::Seconds(60); }

class HeldRowsTest : public testing::Test {
 protected:
  ~HeldRowsTest() override { Session::Observe({}); }

  absl::Status Do(const std::function<absl::Status(Session&)>& unit) {
    return Transact(pool_, Later(), unit);
  }
  // Runs it, and returns what it sent between START TRANSACTION and COMMIT.
  std::vector<std::string> SentBy(const std::function<absl::Status(Session&)>& unit) {
    std::vector<std::string> sent;
    Session::Observe([&](const Statement& statement) { sent.emplace_back(statement.sql); });
    EXPECT_TRUE(Do(unit).ok());
    Session::Observe({});
    EXPECT_EQ(sent.front(), "START TRANSACTION");
    EXPECT_EQ(sent.back(), "COMMIT");
    return {sent.begin() + 1, sent.end() - 1};
  }
  void Put(const std::string& ids) {
    ASSERT_TRUE(
        Do([&](Session& sql) {
          for (const char id : ids) {
            sql.Hold(kNew, Bytes({&id, 1}), absl::StrCat("name ", std::string(1, id)), nullptr, 1);
          }
          return absl::OkStatus();
        }).ok());
  }
  std::vector<std::string> All(const std::string& select) {
    std::vector<std::string> all;
    for (const Row& row : (*pool_.Acquire(Later()))->QueryText(select)) all.push_back(row.Text(0));
    return all;
  }

  TestDatabase database_{{kThings}};
  Pool& pool_ = database_.pool();
};

TEST_F(HeldRowsTest, AreWrittenTogetherAtTheEnd) {
  const auto sent = SentBy([](Session& sql) {
    for (const char id : std::string("abcde")) {
      sql.Hold(kNew, Bytes({&id, 1}), "n", nullptr, 1);
      sql.Hold(kTrail, Bytes({&id, 1}), 7);
    }
    return absl::OkStatus();
  });
  EXPECT_THAT(sent, SizeIs(4)) << "of each shape four rows and one";
  EXPECT_THAT(All("SELECT id FROM things ORDER BY id"), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(All("SELECT id FROM trail ORDER BY id"), ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(HeldRowsTest, GoBeforeAStatementThatNamesTheirTable) {
  ASSERT_TRUE(Do([](Session& sql) {
                sql.Hold(kTrail, Bytes("a"), 1);
                EXPECT_THAT(sql.Query("SELECT n FROM trail"), SizeIs(1));
                sql.Hold(kTrail, Bytes("b"), 1);
                EXPECT_EQ(sql.Execute("UPDATE trail SET n = ?", 5), 2);
                sql.Hold(kTrail, Bytes("c"), 1);
                EXPECT_THAT(sql.QueryText("SELECT n FROM trail WHERE n < 5"), SizeIs(1));
                return absl::OkStatus();
              }).ok());
}

class HeldSumsTest : public HeldRowsTest {
 protected:
  HeldSumsTest() {
    EXPECT_TRUE(Do([](Session& sql) {
                  for (const char* id : {"a", "b"}) sql.Hold(kTrail, Bytes(id), 10);
                  return absl::OkStatus();
                }).ok());
  }
  std::vector<std::string> Numbers() { return All("SELECT CONCAT(n) FROM trail ORDER BY id"); }

  const SumShape sums_ = AddedTo("trail", "n");
};

TEST_F(HeldSumsTest, AreAddedOnceForEachRowAndLast) {
  const auto sent = SentBy([&](Session& sql) {
    for (const char* id : {"b", "a", "b"}) sql.HoldSums(sums_, Bytes(id), {-5});
    sql.Hold(kNew, Bytes("x"), "n", nullptr, 1);
    return absl::OkStatus();
  });
  ASSERT_THAT(sent, SizeIs(3));
  EXPECT_THAT(sent[0], testing::HasSubstr("INSERT INTO things"));
  EXPECT_THAT(Numbers(), ElementsAre("5", "0"));
}

TEST_F(HeldSumsTest, ThatFallBelowZeroFailTheTransaction) {
  const auto take = [&](int64_t amount) {
    return Do([&](Session& sql) {
      sql.Hold(kNew, Bytes("x"), "n", nullptr, 1);
      sql.HoldSums(sums_, Bytes("a"), {-amount});
      return absl::OkStatus();
    });
  };
  EXPECT_FALSE(take(11).ok());
  EXPECT_THAT(All("SELECT id FROM things"), SizeIs(0));
  EXPECT_THAT(Numbers(), ElementsAre("10", "10"));
  EXPECT_TRUE(take(10).ok());
  EXPECT_FALSE(Do([&](Session& sql) {
                 sql.HoldSums(sums_, Bytes("z"), {1});
                 return absl::OkStatus();
               }).ok())
      << "no such row";
}

TEST_F(HeldSumsTest, GoBeforeAStatementThatNamesTheirTable) {
  ASSERT_TRUE(Do([&](Session& sql) {
                sql.HoldSums(sums_, Bytes("a"), {1});
                EXPECT_EQ(sql.Query("SELECT n FROM trail WHERE id = ?", Bytes("a"))[0].Int(0), 11);
                EXPECT_FALSE(sql.AddSums(sums_, Bytes("a"), {-12}));
                EXPECT_TRUE(sql.AddSums(sums_, Bytes("a"), {-11}));
                return absl::OkStatus();
              }).ok());
  EXPECT_THAT(Numbers(), ElementsAre("0", "10"));
}

// Each transaction has its own, and each attempt at it.
TEST_F(HeldRowsTest, ATransactionsValueIsGoneWithIt) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Do([&](Session& sql) {
                  EXPECT_EQ(sql.OfTransaction<int>()++, 0);
                  EXPECT_EQ(sql.OfTransaction<int>()++, 1);
                  return absl::OkStatus();
                }).ok());
  }
}

TEST_F(HeldRowsTest, ArePutAndKeptAsTheirShapeSays) {
  const auto unit = [](const RowShape& shape, int n) {
    return [&shape, n](Session& sql) {
      sql.Hold(shape, Bytes("a"), n);
      return absl::OkStatus();
    };
  };
  ASSERT_TRUE(Do(unit(kTrail, 1)).ok());
  ASSERT_TRUE(Do(unit(kTrail, 2)).ok());
  EXPECT_THAT(All("SELECT CAST(n AS CHAR) FROM trail"), ElementsAre("1"));
  ASSERT_TRUE(Do(unit(kPut, 3)).ok());
  EXPECT_THAT(All("SELECT CAST(n AS CHAR) FROM trail"), ElementsAre("3"));
}

TEST_F(HeldRowsTest, AreGoneWithTheirTransaction) {
  EXPECT_TRUE(absl::IsNotFound(Do([](Session& sql) {
    sql.Hold(kTrail, Bytes("a"), 1);
    return absl::NotFoundError("no");
  })));
  ASSERT_TRUE(Do([](Session&) { return absl::OkStatus(); }).ok());
  EXPECT_THAT(All("SELECT id FROM trail"), SizeIs(0));
  // Nor is a row ever held where nothing would write it.
  EXPECT_FALSE(Read(pool_, Later(), [](Session& sql) {
                 sql.Hold(kTrail, Bytes("a"), 1);
                 return absl::OkStatus();
               }).ok());
}

// A duplicate of a row that nobody else can have is no answer: it fails the transaction.
TEST_F(HeldRowsTest, ThatCollideFailAll) {
  Put("a");
  EXPECT_TRUE(absl::IsAlreadyExists(Do([](Session& sql) {
    sql.Hold(kTrail, Bytes("x"), 1);
    sql.Hold(kNew, Bytes("a"), "other", nullptr, 1);
    return absl::OkStatus();
  })));
  EXPECT_THAT(All("SELECT name FROM things"), ElementsAre("name a"));
  EXPECT_THAT(All("SELECT id FROM trail"), SizeIs(0));
}

TEST_F(HeldRowsTest, ChangeWhatIsOneVersionBehindOnly) {
  Put("abc");
  ASSERT_TRUE(Do([](Session& sql) {
                for (const char id : std::string("abc"))
                  sql.Hold(kChanged, Bytes({&id, 1}), "ignored", 2, "new");
                return absl::OkStatus();
              }).ok());
  EXPECT_THAT(All("SELECT CONCAT(name, ' ', note, ' ', version) FROM things ORDER BY id"),
              ElementsAre("name a new 2", "name b new 2", "name c new 2"));
  // One that another has changed since, and one that is not there: replayed, and the unit sees it.
  for (const char* id : {"b", "z"}) {
    int runs = 0;
    EXPECT_FALSE(Do([&](Session& sql) -> absl::Status {
                   if (++runs == 2) return absl::NotFoundError("seen");
                   sql.Hold(kChanged, Bytes("a"), "ignored", 3, "newer");
                   sql.Hold(kChanged, Bytes(id), "ignored", 2, "newer");
                   return absl::OkStatus();
                 }).ok());
    EXPECT_EQ(runs, std::string(id) == "b" ? 2 : 1);
  }
  EXPECT_THAT(All("SELECT note FROM things ORDER BY id"), ElementsAre("new", "new", "new"));
}

TEST_F(HeldRowsTest, WhatIsFetchedAheadAnswersOnce) {
  Put("abc");
  const auto name_of = [](Session& sql, const char* id) {
    const Rows rows = sql.Query(kLocked, Bytes(id));
    return rows.empty() ? "none" : rows[0].Text(1);
  };
  const auto sent = SentBy([&](Session& sql) {
    sql.Prefetch(kLocked, {"c", "a", "z", "a"});
    EXPECT_EQ(name_of(sql, "a"), "name a");
    EXPECT_EQ(name_of(sql, "z"), "none");
    sql.Hold(kChanged, Bytes("a"), "ignored", 2, "new");
    EXPECT_EQ(name_of(sql, "c"), "name c");
    return absl::OkStatus();
  });
  EXPECT_THAT(sent, SizeIs(2)) << "one query, one row";
  // The second time it is asked: what was held stands there by then.
  ASSERT_TRUE(Do([&](Session& sql) {
                sql.Prefetch(kLocked, {"a", "b"});
                EXPECT_EQ(name_of(sql, "a"), "name a");
                sql.Execute("UPDATE things SET name = 'changed' WHERE id = ?", Bytes("a"));
                EXPECT_EQ(name_of(sql, "a"), "changed");
                return absl::OkStatus();
              }).ok());
  // Nothing of it outlives the transaction: another session changes the row in between.
  ASSERT_TRUE(Do([&](Session& sql) {
                sql.Prefetch(kLocked, {"a", "b"});
                return absl::OkStatus();
              }).ok());
  Session(database_.serve()).Execute("UPDATE things SET name = 'later' WHERE id = ?", Bytes("b"));
  ASSERT_TRUE(Do([&](Session& sql) {
                EXPECT_EQ(name_of(sql, "b"), "later");
                return absl::OkStatus();
              }).ok());
}

// A row that is changed in another way than by the query that it was fetched for.
TEST_F(HeldRowsTest, WhatIsFetchedAheadIsForgottenWhenItsRowChanges) {
  Put("abc");
  const auto note_of = [](Session& sql, const char* id) {
    return sql
        .Query("SELECT id, COALESCE(note, '') FROM things WHERE id = ? FOR UPDATE", Bytes(id))[0]
        .Text(1);
  };
  const auto prefetch = [](Session& sql) {
    sql.Prefetch("SELECT id, COALESCE(note, '') FROM things WHERE id = ? FOR UPDATE",
                 {"a", "b", "c"});
  };
  ASSERT_TRUE(Do([&](Session& sql) {
                prefetch(sql);
                sql.Hold(kChanged, Bytes("b"), "ignored", 2, "held");
                EXPECT_EQ(note_of(sql, "b"), "held");
                EXPECT_EQ(note_of(sql, "a"), "");
                sql.Execute("UPDATE things SET note = 'at once' WHERE name = ?", "name c");
                EXPECT_EQ(note_of(sql, "c"), "at once");
                return absl::OkStatus();
              }).ok());
}

// Whoever takes an error for an answer of its own: what was held is gone, and nothing is committed.
TEST_F(HeldRowsTest, ThatCouldNotBeWrittenForbidTheCommit) {
  Put("a");
  EXPECT_FALSE(Do([](Session& sql) {
                 sql.Hold(kTrail, Bytes("x"), 1);
                 sql.Hold(kNew, Bytes("a"), "other", nullptr, 1);
                 try {
                   sql.Query("SELECT id FROM things");
                 } catch (const Error& e) {
                   EXPECT_TRUE(e.IsDuplicate());
                 }
                 sql.Hold(kTrail, Bytes("y"), 1);
                 return absl::OkStatus();
               }).ok());
  EXPECT_THAT(All("SELECT id FROM trail"), SizeIs(0));
}

// Shapes of one table do not overtake each other.
TEST_F(HeldRowsTest, OfOneTableKeepTheirOrder) {
  ASSERT_TRUE(Do([](Session& sql) {
                sql.Hold(kNew, Bytes("a"), "n", nullptr, 1);
                sql.Hold(kChanged, Bytes("a"), "ignored", 2, "second");
                sql.Hold(kNew, Bytes("b"), "n", nullptr, 1);
                sql.Hold(kChanged, Bytes("b"), "ignored", 2, "second");
                sql.Hold(kPut, Bytes("t"), 1);
                sql.Hold(kTrail, Bytes("t"), 2);
                return absl::OkStatus();
              }).ok());
  EXPECT_THAT(All("SELECT note FROM things ORDER BY id"), ElementsAre("second", "second"));
  EXPECT_THAT(All("SELECT CAST(n AS CHAR) FROM trail"), ElementsAre("1"));
}

// What is fetched ahead is locked, as by the query for one: another waits for it.
TEST_F(HeldRowsTest, WhatIsFetchedAheadIsLockedAndNothingElse) {
  Put("abc");
  const auto lock = [&](const char* id) {
    return Read(pool_, Later(), [&](Session& sql) {
      sql.Query("SELECT id FROM things WHERE id = ? FOR UPDATE NOWAIT", Bytes(id));
      return absl::OkStatus();
    });
  };
  ASSERT_TRUE(Do([&](Session& sql) {
                sql.Prefetch(kLocked, {"a", "b"});
                EXPECT_FALSE(lock("a").ok());
                EXPECT_TRUE(lock("c").ok());
                return absl::OkStatus();
              }).ok());
}

TEST_F(HeldRowsTest, UnitsOfOneThreadShareATransaction) {
  const auto add = [&](const char* id, const absl::Status& result) {
    return Do([&](Session& sql) {
      sql.Hold(kTrail, Bytes(id), 1);
      return result;
    });
  };
  const auto together = [&](absl::FunctionRef<absl::Status(Session&)> units) {
    TransactReport report;
    return TransactTogether(pool_, Later(), units, OnUnknown::kReplay, &report);
  };
  ASSERT_TRUE(together([&](Session&) -> absl::Status {
                YZ_RETURN_IF_ERROR(add("a", absl::OkStatus()));
                // Read there, and by nobody else yet.
                EXPECT_TRUE(Read(pool_, Later(), [](Session& sql) {
                              EXPECT_THAT(sql.Query("SELECT id FROM trail"), SizeIs(1));
                              return absl::OkStatus();
                            }).ok());
                Session other(database_.serve());
                EXPECT_THAT(other.Query("SELECT id FROM trail"), SizeIs(0));
                return add("b", absl::OkStatus());
              }).ok());
  EXPECT_THAT(All("SELECT id FROM trail ORDER BY id"), ElementsAre("a", "b"));
  // One that fails takes the others with it, even where its status is thrown away.
  EXPECT_TRUE(absl::IsAborted(together([&](Session&) {
    add("c", absl::OkStatus()).IgnoreError();
    add("d", absl::NotFoundError("no")).IgnoreError();
    return absl::OkStatus();
  })));
  EXPECT_THAT(All("SELECT id FROM trail"), SizeIs(2));
  ASSERT_TRUE(add("e", absl::OkStatus()).ok());
  EXPECT_THAT(All("SELECT id FROM trail"), SizeIs(3)) << "alone again";
}

}  // namespace
}  // namespace yuezhan::db
