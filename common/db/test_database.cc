#include "common/db/test_database.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"

namespace yuezhan::db {
namespace {

void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "test database: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

Options AdministratorOrExit() {
  const char* url = std::getenv("YUEZHAN_MYSQL");
  if (url == nullptr || *url == '\0') {
    std::fprintf(stderr,
                 "This test needs a database: run it with ./test, which starts a private one, or "
                 "set YUEZHAN_MYSQL to "
                 "mysql://user:password@host:port of an administrator.\n");
    std::exit(1);
  }
  absl::StatusOr<Options> options = ParseUrl(url);
  Require(options.status());
  return *options;
}

Options As(Options options, const std::string& user, const std::string& password,
           const std::string& schema) {
  options.user = user;
  options.password = password;
  options.schema = schema;
  return options;
}

}  // namespace

TestDatabase::TestDatabase(const std::vector<Migration>& migrations)
    : administrator_(AdministratorOrExit()) {
  // The random end of a UUID: 16 hex digits.
  std::string unique = NewUuid().substr(19);
  std::erase(unique, '-');
  accounts_ = AccountsFor(absl::StrCat("yt_", unique), "migrate-pw", "serve-pw");
  administrator_.schema = accounts_.schema;
  migrate_ =
      As(administrator_, accounts_.migrate_user, accounts_.migrate_password, accounts_.schema);
  serve_ = As(administrator_, accounts_.serve_user, accounts_.serve_password, accounts_.schema);
  Require(Bootstrap(administrator_, accounts_));
  if (!migrations.empty()) Require(Migrate(migrate_, accounts_.serve_user, migrations));
  pool_ = NewPool(40);
}

TestDatabase::~TestDatabase() {
  pool_.reset();
  if (absl::Status dropped = Drop(administrator_, accounts_); !dropped.ok()) {
    std::fprintf(stderr, "test database left behind: %s\n", std::string(dropped.message()).c_str());
  }
}

std::unique_ptr<Pool> TestDatabase::NewPool(int size, int port) const {
  Options options = serve_;
  if (port != 0) options.port = port;
  return std::make_unique<Pool>(options, size);
}

}  // namespace yuezhan::db
