#ifndef YUEZHAN_COMMON_DB_BOOTSTRAP_H_
#define YUEZHAN_COMMON_DB_BOOTSTRAP_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/db/options.h"

namespace yuezhan::db {

// A service's schema and its two accounts.
struct SchemaAccounts {
  std::string schema;        // "yuezhan_registry"
  std::string migrate_user;  // all rights on the schema, may grant them: "yuezhan_registry_m"
  std::string migrate_password;
  std::string serve_user;  // SELECT and INSERT; what more a table needs, its migration grants:
                           // "yuezhan_registry_s"
  std::string serve_password;
};

// The accounts' usual names: the schema's with _m and _s. MariaDB 10.11 takes 80 characters,
// MySQL 32.
SchemaAccounts AccountsFor(std::string_view schema, std::string_view migrate_password,
                           std::string_view serve_password);

// Creates what is missing and sets the passwords, from an administrator's connection. Idempotent.
// INVALID_ARGUMENT for a name that is not [a-z0-9_]{1,32}.
absl::Status Bootstrap(const Options& administrator, const SchemaAccounts& accounts);

// Drops the schema and its accounts with everything in them: for tests.
absl::Status Drop(const Options& administrator, const SchemaAccounts& accounts);

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_BOOTSTRAP_H_
