#ifndef YUEZHAN_COMMON_DB_TEST_DATABASE_H_
#define YUEZHAN_COMMON_DB_TEST_DATABASE_H_

#include <memory>
#include <vector>

#include "common/db/bootstrap.h"
#include "common/db/migrate.h"
#include "common/db/options.h"
#include "common/db/pool.h"

namespace yuezhan::db {

// A database of one test: a new schema with both accounts on the server of YUEZHAN_MYSQL
// (mysql://user:password@host: port, an administrator; ./test sets it), migrated, dropped at the
// end. Its name is its own, so tests run side by side. Whatever goes wrong here ends the test
// program with a sentence that says what to do.
class TestDatabase {
 public:
  explicit TestDatabase(const std::vector<Migration>& migrations = {});
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  // The serving account's pool, 40 connections at most.
  Pool& pool() { return *pool_; }
  // Another pool, of another replica, or through a proxy's `port`.
  std::unique_ptr<Pool> NewPool(int size, int port = 0) const;
  const Options& serve() const { return serve_; }
  const Options& migrate() const { return migrate_; }
  // The administrator, with the test's schema: to tamper with what no account of ours may touch.
  const Options& administrator() const { return administrator_; }
  const SchemaAccounts& accounts() const { return accounts_; }

 private:
  Options administrator_;
  SchemaAccounts accounts_;
  Options migrate_;
  Options serve_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_TEST_DATABASE_H_
