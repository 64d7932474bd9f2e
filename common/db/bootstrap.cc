#include "common/db/bootstrap.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/text.h"
#include "common/db/session.h"

namespace yuezhan::db {
namespace {

bool IsPlainName(const std::string& name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

absl::Status CheckNames(const SchemaAccounts& accounts) {
  for (const std::string& name : {accounts.schema, accounts.migrate_user, accounts.serve_user}) {
    if (!IsPlainName(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", name, "\" is no name of [a-z0-9_], 1 to 32 characters"));
    }
  }
  return absl::OkStatus();
}

std::string Account(const std::string& user) { return absl::StrCat("'", user, "'@'%'"); }

std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "''"}}), "'");
}

// In a grant on a whole schema the name is a pattern, where _ stands for any character: escaped, or
// the account of one schema could read one of a like name.
std::string Pattern(const std::string& schema) {
  return absl::StrCat("`", absl::StrReplaceAll(schema, {{"_", "\\_"}}), "`");
}

void CreateAccount(Session& session, const std::string& user, const std::string& password) {
  session.ExecuteText(absl::StrCat("CREATE USER IF NOT EXISTS ", Account(user), " IDENTIFIED BY ",
                                   Quoted(password)));
  session.ExecuteText(
      absl::StrCat("ALTER USER ", Account(user), " IDENTIFIED BY ", Quoted(password)));
}

// `what` never stands in an error: it holds passwords.
absl::Status AsAdministrator(const Options& administrator, const SchemaAccounts& accounts,
                             void (*what)(Session&, const SchemaAccounts&)) {
  if (absl::Status names = CheckNames(accounts); !names.ok()) return names;
  try {
    Options options = administrator;
    options.schema.clear();
    Session session(options);
    what(session, accounts);
    return absl::OkStatus();
  } catch (const Error& e) {
    const std::string line =
        absl::StrCat("schema ", accounts.schema, " by ", administrator.Describe(), ": ", e.Line());
    return e.IsConnectionLost() ? absl::UnavailableError(line) : absl::InternalError(line);
  }
}

}  // namespace

SchemaAccounts AccountsFor(std::string_view schema, std::string_view migrate_password,
                           std::string_view serve_password) {
  return {std::string(schema), Concat({schema, "_m"}), std::string(migrate_password),
          Concat({schema, "_s"}), std::string(serve_password)};
}

absl::Status Bootstrap(const Options& administrator, const SchemaAccounts& accounts) {
  return AsAdministrator(administrator, accounts, [](Session& session, const SchemaAccounts& a) {
    session.ExecuteText(absl::StrCat("CREATE DATABASE IF NOT EXISTS `", a.schema,
                                     "` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"));
    CreateAccount(session, a.migrate_user, a.migrate_password);
    CreateAccount(session, a.serve_user, a.serve_password);
    session.ExecuteText(absl::StrCat("GRANT ALL ON ", Pattern(a.schema), ".* TO ",
                                     Account(a.migrate_user), " WITH GRANT OPTION"));
    session.ExecuteText(absl::StrCat("GRANT SELECT, INSERT ON ", Pattern(a.schema), ".* TO ",
                                     Account(a.serve_user)));
  });
}

absl::Status Drop(const Options& administrator, const SchemaAccounts& accounts) {
  return AsAdministrator(administrator, accounts, [](Session& session, const SchemaAccounts& a) {
    session.ExecuteText(absl::StrCat("DROP DATABASE IF EXISTS `", a.schema, "`"));
    session.ExecuteText(absl::StrCat("DROP USER IF EXISTS ", Account(a.migrate_user)));
    session.ExecuteText(absl::StrCat("DROP USER IF EXISTS ", Account(a.serve_user)));
  });
}

}  // namespace yuezhan::db
