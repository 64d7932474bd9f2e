#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/clocks.h"
#include "common/db/cutting_proxy.h"
#include "common/db/pool.h"
#include "common/db/session.h"
#include "common/db/test_database.h"
#include "common/db/transaction.h"

namespace yuezhan::db {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Migration kTable = {
    1, "table",
    "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, n BIGINT, word VARCHAR(100), raw LONGBLOB,"
    " flag BOOLEAN, UNIQUE KEY word_key (word)) ENGINE = InnoDB;\n"
    "GRANT UPDATE, DELETE ON {schema}.t TO {serve};\n"
    "CREATE TABLE keyed (id BINARY(16) NOT NULL PRIMARY KEY, raw MEDIUMBLOB) ENGINE = InnoDB "
    "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;\n"
    "CREATE TABLE fixed (id BIGINT NOT NULL PRIMARY KEY) ENGINE = InnoDB;\n"};

absl::Time Soon() { return WallNow() + absl::Seconds(60); }

int CodeOf(const std::function<void()>& statement) {
  try {
    statement();
  } catch (const Error& e) {
    return e.code();
  }
  return 0;
}

// The connector falls back to plaintext where it is asked wrongly: with an authority there is a
// verified connection or none. Neither a server without TLS nor one of another authority will do.
TEST(Tls, AnAuthorityMeansVerifiedOrNothing) {
  const TestDatabase database;
  EXPECT_EQ(CodeOf([&] { Session session(database.serve()); }), 0);
  Options verified = database.serve();
  verified.tls_ca = ::testing::TempDir() + "/db-test-authority.pem";
  const std::string command = absl::StrCat(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other "
      "-keyout /dev/null -out ",
      verified.tls_ca, " 2>/dev/null");
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_NE(CodeOf([&] { Session session(verified); }), 0);
}

TEST(Url, IsReadAndWritten) {
  const auto options =
      ParseUrl("mysql://yz:p%40ss:w%2Frd@db.example:3307/yuezhan_review?tls_ca=/etc/ca.pem");
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->user, "yz");
  EXPECT_EQ(options->password, "p@ss:w/rd");
  EXPECT_EQ(options->host, "db.example");
  EXPECT_EQ(options->port, 3307);
  EXPECT_EQ(options->schema, "yuezhan_review");
  EXPECT_EQ(options->tls_ca, "/etc/ca.pem");
  EXPECT_EQ(ParseUrl(options->Url())->password, options->password);
  EXPECT_THAT(options->Describe(), Not(HasSubstr("ss")));
  for (const char* wrong : {"", "http://u@h", "mysql://h:3306/s", "mysql://u:p@/s",
                            "mysql://u:p@h:0/s", "mysql://u:p@h:x/s", "mysql://u:secret%4@h/s",
                            "mysql://u:p@h/s?ca=/x", "mysql://u:p@h/s?tls_ca="}) {
    const auto refused = ParseUrl(wrong);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << wrong;
    EXPECT_THAT(std::string(refused.status().message()), Not(HasSubstr("secret")));
  }
}

TEST(Errors, LeaveOutValuesAndNameTheKey) {
  const Error mysql(1062, "Duplicate entry '13800001234' for key 'stations.code'");
  const Error mariadb(1062, "Duplicate entry '138' for x' for key 'code'");
  for (const Error* e : {&mysql, &mariadb}) {
    EXPECT_THAT(e->what(), Not(HasSubstr("138")));
    EXPECT_TRUE(e->IsDuplicate("code"));
    EXPECT_FALSE(e->IsDuplicate("PRIMARY"));
  }
}

class DatabaseTest : public testing::Test {
 protected:
  TestDatabase database_{{kTable}};
  Pool& pool_ = database_.pool();
};

TEST_F(DatabaseTest, ValuesComeBackAsTheyWere) {
  auto lease = pool_.Acquire(Soon());
  ASSERT_TRUE(lease.ok());
  Session& session = **lease;
  std::string raw(300'000, '\0');
  for (size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<char>(i * 31);
  const std::string word = "学会服务站𠮷 '\"\\";
  session.Execute("INSERT INTO t (id, n, word, raw, flag) VALUES (?, ?, ?, ?, ?)", 1, INT64_MIN,
                  word, Bytes(raw), true);
  session.Execute("INSERT INTO t (id, n, word, raw, flag) VALUES (?, ?, ?, ?, ?)", 2, std::nullopt,
                  nullptr, Bytes(std::string_view("\0\xff", 2)), std::optional<bool>(false));
  const Rows rows =
      session.Query("SELECT id, n, word, raw, flag, SUM(id) OVER () FROM t ORDER BY id");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].Int(1), INT64_MIN);
  EXPECT_EQ(rows[0].Text(2), word);
  EXPECT_TRUE(rows[0].Bytes(3) == raw);
  EXPECT_EQ(rows[0].Int(4), 1);
  EXPECT_EQ(rows[0].Int(5), 3) << "a SUM is a DECIMAL";
  EXPECT_TRUE(rows[1].IsNull(1));
  EXPECT_EQ(rows[1].OptionalText(2), std::nullopt);
  EXPECT_EQ(rows[1].Bytes(3), std::string_view("\0\xff", 2));
  EXPECT_EQ(rows[1].Int(4), 0);
  EXPECT_NE(CodeOf([&] { rows[1].Int(1); }), -1);
  EXPECT_THROW(rows[1].Int(1), Error) << "NULL is no 0";
  EXPECT_THROW(rows[1].Text(0), Error);
  EXPECT_THROW(rows[1].Int(6), Error);
}

TEST_F(DatabaseTest, RowsFoundAreCountedAndErrorsCarryTheirNumber) {
  auto lease = pool_.Acquire(Soon());
  Session& session = **lease;
  EXPECT_EQ(session.Execute("INSERT INTO t (id, n, word) VALUES (?, ?, ?), (?, ?, ?)", 1, 5, "a", 2,
                            5, "b"),
            2);
  EXPECT_EQ(session.Execute("UPDATE t SET n = ? WHERE id = ?", 5, 1), 1)
      << "found, though it stays the same";
  EXPECT_EQ(session.Execute("UPDATE t SET n = ? WHERE id = ?", 5, 9), 0);
  EXPECT_EQ(session.rows_written(), 3);
  try {
    session.Execute("INSERT INTO t (id, word) VALUES (?, ?)", 3, "a");
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(e.IsDuplicate("word_key")) << e.what();
    EXPECT_FALSE(session.broken());
  }
  EXPECT_EQ(CodeOf([&] {
              session.Execute("INSERT INTO t (id, word) VALUES (?, ?)", 4, std::string(101, 'x'));
            }),
            1406)
      << "strict";
  EXPECT_EQ(CodeOf([&] { session.Query("SELECT nothing FROM t"); }), 1054);
}

TEST_F(DatabaseTest, BytesAreNoText) {
  auto lease = pool_.Acquire(Soon());
  Session& session = **lease;
  for (int first = 0; first < 256; ++first) {
    std::string id(16, '\0'), raw;
    for (int i = 0; i < 16; ++i) id[static_cast<size_t>(i)] = static_cast<char>(first * 7 + i * 31);
    id[0] = static_cast<char>(first);
    for (int i = 0; i < 1000; ++i) raw += static_cast<char>(first + i * 13);
    session.Execute("INSERT INTO keyed (id, raw) VALUES (?, ?)", Bytes(id), Bytes(raw));
    EXPECT_THAT(session.QueryText("SHOW WARNINGS"), testing::IsEmpty()) << first;
    const Rows rows = session.Query("SELECT raw, id FROM keyed WHERE id = ?", Bytes(id));
    EXPECT_THAT(session.QueryText("SHOW WARNINGS"), testing::IsEmpty()) << first;
    ASSERT_EQ(rows.size(), 1u) << first;
    EXPECT_EQ(rows[0].Bytes(0), raw);
    EXPECT_EQ(rows[0].Bytes(1), id);
  }
  const std::string key(16, '\x80');
  const Rows plan =
      session.Query("EXPLAIN FORMAT=JSON SELECT raw FROM keyed WHERE id = ?", Bytes(key));
  EXPECT_THAT(plan.at(0).Text(0), Not(HasSubstr("\"ALL\""))) << "by the key";
  EXPECT_THAT(plan.at(0).Text(0), Not(HasSubstr("Table scan"))) << "by the key";
}

TEST_F(DatabaseTest, StatementsAreObserved) {
  std::vector<std::string> sent;
  Session::Observe([&](const Statement& s) {
    sent.push_back(absl::StrCat(static_cast<int>(s.kind), " ", std::string(s.sql), " ", s.count));
  });
  ASSERT_TRUE(Transact(pool_, Soon(), [](Session& session) {
                session.Execute("INSERT INTO t (id, n) VALUES (?, ?)", 1, nullptr);
                session.Query("SELECT n FROM t WHERE id = ?", 1);
                session.QueryText("SELECT 1");
                return absl::OkStatus();
              }).ok());
  Session::Observe({});
  ASSERT_TRUE(pool_.Probe().ok());  // not told any more
  EXPECT_THAT(sent, testing::ElementsAre("2 START TRANSACTION 0",
                                         "0 INSERT INTO t (id, n) VALUES (?, ?) 2",
                                         "1 SELECT n FROM t WHERE id = ? 1", "3 SELECT 1 0",
                                         "2 COMMIT 0"));
}

TEST_F(DatabaseTest, SessionsAreSetUp) {
  auto lease = pool_.Acquire(Soon());
  Session& session = **lease;
  const Rows rows =
      session.Query("SELECT @@wait_timeout, @@innodb_lock_wait_timeout, @@time_zone, @@sql_mode");
  EXPECT_EQ(rows[0].Int(0), 30);
  EXPECT_EQ(rows[0].Int(1), 5);
  EXPECT_EQ(rows[0].Text(2), "+00:00");
  EXPECT_THAT(rows[0].Text(3), HasSubstr("STRICT_TRANS_TABLES"));
  // READ COMMITTED: a second read in one transaction sees what another committed in between.
  auto other = pool_.Acquire(Soon());
  session.ExecuteText("START TRANSACTION");
  EXPECT_EQ(session.Query("SELECT COUNT(*) FROM t")[0].Int(0), 0);
  (*other)->Execute("INSERT INTO t (id) VALUES (?)", 1);
  EXPECT_EQ(session.Query("SELECT COUNT(*) FROM t")[0].Int(0), 1);
  session.ExecuteText("ROLLBACK");
}

TEST_F(DatabaseTest, KilledSessionsAreDroppedAndTheUnitRunsOnANewOne) {
  Session administrator(database_.administrator());
  {
    std::vector<Pool::Lease> leases;
    for (int i = 0; i < 5; ++i) leases.push_back(*pool_.Acquire(Soon()));
    for (Pool::Lease& lease : leases)
      administrator.ExecuteText(absl::StrCat("KILL ", lease->ConnectionId()));
  }
  ASSERT_EQ(pool_.stats().idle, 5) << "nobody knows yet";
  TransactReport report;
  const absl::Status status = Transact(
      pool_, Soon(),
      [](Session& session) {
        return session.Execute("INSERT INTO t (id) VALUES (1)"), absl::OkStatus();
      },
      OnUnknown::kReport, &report);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(report.attempts, 2) << "one broken session tells of the others";
  EXPECT_EQ(pool_.stats().in_use, 0);
}

TEST_F(DatabaseTest, ThePoolIsBounded) {
  auto small = database_.NewPool(1);
  auto lease = small->Acquire(Soon());
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(small->Acquire(WallNow() + absl::Milliseconds(20)).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(small->stats().timed_out, 1);
  std::thread waiting([&] { EXPECT_TRUE(small->Acquire(Soon()).ok()); });
  while (small->stats().waiting == 0) std::this_thread::yield();
  { auto back = std::move(lease); }
  waiting.join();
  EXPECT_EQ(small->stats().opened, 1);
}

TEST_F(DatabaseTest, NoDatabaseIsUnavailableAtOnce) {
  Options nowhere = database_.serve();
  nowhere.port = 1;
  Pool pool(nowhere, 2);
  int runs = 0;
  const absl::Status status =
      Transact(pool, Soon(), [&](Session&) { return ++runs, absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(runs, 0);
  EXPECT_FALSE(pool.Probe().ok());
}

TEST_F(DatabaseTest, AFailedUnitLeavesNothing) {
  const absl::Status status = Transact(pool_, Soon(), [](Session& session) {
    session.Execute("INSERT INTO t (id) VALUES (?)", 1);
    return absl::FailedPreconditionError("no");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*pool_.Acquire(Soon()))->Query("SELECT COUNT(*) FROM t")[0].Int(0), 0);
}

// Two transactions take the same rows in opposite order again and again.
TEST_F(DatabaseTest, DeadlocksAreReplayedWhole) {
  (*pool_.Acquire(Soon()))->Execute("INSERT INTO t (id, n) VALUES (1, 0), (2, 0)");
  constexpr int kRounds = 30;
  const auto run = [&](int first, int second) {
    for (int i = 0; i < kRounds; ++i) {
      const absl::Status status = Transact(pool_, Soon(), [&](Session& session) {
        session.Execute("UPDATE t SET n = n + 1 WHERE id = ?", first);
        std::this_thread::yield();
        session.Execute("UPDATE t SET n = n + 1 WHERE id = ?", second);
        return absl::OkStatus();
      });
      EXPECT_TRUE(status.ok()) << status;
    }
  };
  std::thread a(run, 1, 2), b(run, 2, 1);
  a.join();
  b.join();
  for (const Row& row : (*pool_.Acquire(Soon()))->Query("SELECT n FROM t"))
    EXPECT_EQ(row.Int(0), 2 * kRounds);
}

// 1205 undoes its statement alone: what the unit did before it must not be committed, whether the
// unit lets the error pass or, wrongly, goes on.
TEST_F(DatabaseTest, ALockWaitUndoesTheWholeUnit) {
  (*pool_.Acquire(Soon()))->Execute("INSERT INTO t (id, n) VALUES (1, 0), (2, 0)");
  int64_t effects = 0;
  for (bool swallow : {false, true}) {
    auto blocker = pool_.Acquire(Soon());
    (*blocker)->ExecuteText("START TRANSACTION");
    (*blocker)->Execute("UPDATE t SET n = 7 WHERE id = 2");
    TransactReport report;
    const absl::Status status = Transact(
        pool_, Soon(),
        [&](Session& session) {
          session.Execute("UPDATE t SET n = n + 1 WHERE id = 1");
          try {
            session.ExecuteText("SET SESSION innodb_lock_wait_timeout = 1");
            session.Execute("UPDATE t SET n = n + 1 WHERE id = 2");
          } catch (const Error& e) {
            EXPECT_EQ(e.code(), 1205);
            (*blocker)->ExecuteText("ROLLBACK");
            if (!swallow) throw;
          }
          return absl::OkStatus();
        },
        OnUnknown::kReport, &report);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(report.attempts, 2);
    ++effects;
    for (const Row& row : (*blocker)->Query("SELECT n FROM t")) EXPECT_EQ(row.Int(0), effects);
  }
}

// Cuts at each command of a unit that is not idempotent: before COMMIT it is replayed and takes
// effect once; at COMMIT it is reported, and what is in the database is one of both.
TEST_F(DatabaseTest, ACutConnectionGivesOneEffectOrAReport) {
  CuttingProxy proxy(database_.serve().host, database_.serve().port);
  auto pool = database_.NewPool(4, proxy.port());
  (*pool_.Acquire(Soon()))->Execute("INSERT INTO t (id, n) VALUES (1, 0)");
  int64_t expected = 0;
  for (CuttingProxy::When when : {CuttingProxy::When::kBefore, CuttingProxy::When::kAfter}) {
    for (int n = 1; n < 30; ++n) {
      proxy.CutAt(n, when);
      const absl::Status status = Transact(*pool, Soon(), [](Session& session) {
        session.Execute("UPDATE t SET n = n + 1 WHERE id = ?", 1);
        return absl::OkStatus();
      });
      const int64_t now = (*pool_.Acquire(Soon()))->Query("SELECT n FROM t")[0].Int(0);
      if (status.ok()) {
        EXPECT_EQ(now, ++expected) << n;
      } else {
        EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
        // Not the outcome of a COMMIT: a connection that could not even be made.
        EXPECT_EQ(now, expected + (IsOutcomeUnknown(status) && when == CuttingProxy::When::kAfter))
            << n;
        expected = now;
      }
      if (!proxy.cut()) break;
      EXPECT_LT(n, 25) << "more commands than such a unit has";
    }
  }
}

TEST_F(DatabaseTest, ServingAccountsHaveNoMoreRightsThanTheyNeed) {
  auto lease = pool_.Acquire(Soon());
  Session& session = **lease;
  session.Execute("INSERT INTO fixed (id) VALUES (?)", 1);
  EXPECT_EQ(session.Execute("INSERT INTO t (id) VALUES (?)", 1), 1);
  EXPECT_EQ(session.Execute("UPDATE t SET n = 1 WHERE id = ?", 1), 1);
  EXPECT_EQ(session.Execute("DELETE FROM t WHERE id = ?", 1), 1);
  TestDatabase other({kTable});
  for (const std::string& forbidden :
       {std::string("UPDATE fixed SET id = 2"), std::string("DELETE FROM fixed"),
        std::string("TRUNCATE TABLE t"), std::string("DROP TABLE t"),
        std::string("ALTER TABLE t ADD COLUMN x INT"), std::string("CREATE TABLE x (id INT)"),
        std::string("CREATE INDEX i ON t (n)"),
        std::string("GRANT DELETE ON fixed TO CURRENT_USER"),
        std::string("UPDATE schema_migrations SET done = FALSE"),
        absl::StrCat("INSERT INTO ", other.accounts().schema, ".t (id) VALUES (1)")}) {
    const int code = CodeOf([&] { session.ExecuteText(forbidden); });
    EXPECT_TRUE(code == 1142 || code == 1044 || code == 1045 || code == 1410)
        << code << " " << forbidden;
  }
  EXPECT_EQ(CodeOf([&] {
              session.QueryText(absl::StrCat("SELECT * FROM ", other.accounts().schema, ".t"));
            }),
            1142);
  // Nor does the migrating account reach another schema.
  Session migrate(database_.migrate());
  EXPECT_EQ(CodeOf([&] {
              migrate.QueryText(absl::StrCat("SELECT * FROM ", other.accounts().schema, ".t"));
            }),
            1142);
}

}  // namespace
}  // namespace yuezhan::db
