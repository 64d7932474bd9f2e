#include "common/db/migrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/base/clocks.h"
#include "common/db/session.h"
#include "common/db/test_database.h"

namespace yuezhan::db {
namespace {

using testing::HasSubstr;

constexpr Migration kFirst = {
    1, "first",
    "-- A comment; not a statement.\n"
    "CREATE TABLE a (\n  id INT NOT NULL PRIMARY KEY,\n  n INT\n) ENGINE = InnoDB;\n"
    "INSERT INTO a (id, n) VALUES (1, 1);\n"
    "GRANT UPDATE ON {schema}.a TO {serve};\n"};
constexpr Migration kSecond = {2, "second",
                               "ALTER TABLE a ADD COLUMN m INT NOT NULL DEFAULT 5;\n"
                               "UPDATE a SET n = n + 1;\n"};

class MigrateTest : public testing::Test {
 protected:
  absl::Status Up(const std::vector<Migration>& migrations) {
    return Migrate(database_.migrate(), database_.accounts().serve_user, migrations);
  }
  TestDatabase database_;
  Session administrator_{database_.administrator()};
};

TEST_F(MigrateTest, GoesForwardAndStaysThere) {
  EXPECT_EQ(CheckSchema(database_.pool(), {kFirst}).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Up({kFirst}).ok());
  EXPECT_TRUE(CheckSchema(database_.pool(), {kFirst}).ok());
  EXPECT_EQ(CheckSchema(database_.pool(), {kFirst, kSecond}).code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Up({kFirst, kSecond}).ok());
  ASSERT_TRUE(Up({kFirst, kSecond}).ok());
  const Rows rows = administrator_.Query("SELECT n, m FROM a");
  EXPECT_EQ(rows[0].Int(0), 2);
  EXPECT_EQ(rows[0].Int(1), 5);
  EXPECT_EQ(
      (*database_.pool().Acquire(WallNow() + absl::Seconds(5)))->Execute("UPDATE a SET n = 3"), 1)
      << "granted";
}

TEST_F(MigrateTest, RefusesANewerSchemaAndAChangedText) {
  ASSERT_TRUE(Up({kFirst, kSecond}).ok());
  absl::Status status = Up({kFirst});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("migration 2 step 1 is newer than this program"));
  EXPECT_FALSE(CheckSchema(database_.pool(), {kFirst}).ok());
  Migration changed = kFirst;
  changed.sql =
      "CREATE TABLE a (id INT NOT NULL PRIMARY KEY);\nINSERT INTO a (id, n) VALUES (1, 1);\n"
      "GRANT UPDATE ON {schema}.a TO {serve};\n";
  status = Up({changed, kSecond});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("migration 1 step 1 (first) was done with another text"));
}

TEST_F(MigrateTest, AStepCutOffInTheMiddleIsTakenUpAgain) {
  ASSERT_TRUE(Up({kFirst}).ok());
  // As a crash between the DDL and its record leaves it.
  administrator_.ExecuteText("UPDATE schema_migrations SET done = FALSE WHERE step = 1");
  EXPECT_TRUE(Up({kFirst, kSecond}).ok());
  EXPECT_EQ(administrator_.Query("SELECT n FROM a")[0].Int(0), 2);
}

TEST_F(MigrateTest, AWrongStatementIsNamedAndCanBeCorrected) {
  Migration wrong = {2, "wrong",
                     "ALTER TABLE a ADD COLUMN m INT;\nALTER TABLE nothing ADD COLUMN m INT;\n"};
  const absl::Status status = Up({kFirst, wrong});
  EXPECT_THAT(std::string(status.message()), HasSubstr("migration 2 step 2 (wrong)"));
  EXPECT_FALSE(CheckSchema(database_.pool(), {kFirst, wrong}).ok());
}

TEST_F(MigrateTest, ManyReplicasTogetherDoEachStepOnce) {
  std::vector<std::thread> replicas;
  for (int i = 0; i < 4; ++i) {
    replicas.emplace_back([&] {
      const absl::Status status = Up({kFirst, kSecond});
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& replica : replicas) replica.join();
  EXPECT_EQ(administrator_.Query("SELECT n FROM a")[0].Int(0), 2);
  EXPECT_EQ(administrator_.Query("SELECT COUNT(*) FROM schema_migrations WHERE done")[0].Int(0), 5);
}

}  // namespace
}  // namespace yuezhan::db
