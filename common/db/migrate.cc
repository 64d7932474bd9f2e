#include "common/db/migrate.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/clocks.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/db/session.h"
#include "common/db/transaction.h"

namespace yuezhan::db {
namespace {

constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " version INT NOT NULL, step INT NOT NULL, name VARCHAR(100) NOT NULL, checksum BINARY(32) NOT "
    "NULL,"
    " done BOOLEAN NOT NULL, changed_at_ms BIGINT NOT NULL, PRIMARY KEY (version, step)) ENGINE = "
    "InnoDB",
    "CREATE TABLE IF NOT EXISTS schema_lock (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB",
    "INSERT IGNORE INTO schema_lock (id) VALUES (1)"};

// A migration's connections wait: for a replica that is at work, or for the DDL on the other one.
constexpr char kPatience[] = "SET SESSION wait_timeout = 86400, innodb_lock_wait_timeout = 3600";

// The server says by one of these that a DDL step, taken up again, had happened before it was
// recorded: the table, the column or the key is there (or gone) already.
constexpr std::array kAlreadyDone = {1050, 1060, 1061, 1051, 1091};

struct Step {
  int version;
  int number;
  std::string_view name;
  std::string sql;
  std::string
      checksum;  // of the text before the placeholders are filled in: the same for every schema
};

// Cuts a file into statements: each ends with ";" and a line end. Lines that are comments belong to
// the next statement.
std::vector<std::string> Statements(std::string_view text) {
  std::vector<std::string> statements(1);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    const std::string_view bare = Std(absl::StripAsciiWhitespace(Abs(line)));
    if (bare.empty() || bare.substr(0, 2) == "--") continue;
    statements.back() += line;
    if (bare.back() == ';') statements.emplace_back();
  }
  for (std::string& statement : statements) {
    absl::StripAsciiWhitespace(&statement);
    if (!statement.empty() && statement.back() == ';') statement.pop_back();
  }
  if (statements.back().empty()) statements.pop_back();
  return statements;
}

std::vector<Step> Steps(const std::vector<Migration>& migrations, std::string_view schema,
                        std::string_view serve) {
  std::vector<Step> steps;
  for (const Migration& migration : migrations) {
    int number = 0;
    for (const std::string& text : Statements(migration.sql)) {
      steps.push_back(
          {migration.version, ++number, migration.name,
           absl::StrReplaceAll(text, {{"{schema}", absl::StrCat("`", Abs(schema), "`")},
                                      {"{serve}", absl::StrCat("'", Abs(serve), "'@'%'")}}),
           Sha256(text)});
    }
  }
  return steps;
}

struct Recorded {
  std::string checksum;
  bool done;
};
using Record = std::map<std::pair<int, int>, Recorded>;

Record ReadRecord(Session& session) {
  Record record;
  for (const Row& row :
       session.Query("SELECT version, step, checksum, done FROM schema_migrations")) {
    record[{static_cast<int>(row.Int(0)), static_cast<int>(row.Int(1))}] = {row.Bytes(2),
                                                                            row.Int(3) != 0};
  }
  return record;
}

// The line for an operator when what was done and what this binary knows do not go together.
absl::Status Compare(const Record& record, const std::vector<Step>& steps,
                     const std::string& where) {
  for (const auto& [at, recorded] : record) {
    const auto step = std::find_if(steps.begin(), steps.end(), [&at = at](const Step& s) {
      return s.version == at.first && s.number == at.second;
    });
    if (step == steps.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat(where, ": migration ", at.first, " step ", at.second,
                       " is newer than this program; start the program that made it, or "
                       "restore the backup from before it"));
    }
    if (recorded.checksum != step->checksum) {
      return absl::FailedPreconditionError(absl::StrCat(
          where, ": migration ", at.first, " step ", at.second, " (", Abs(step->name),
          ") was done with another text; a migration must not be changed after its release"));
    }
  }
  return absl::OkStatus();
}

bool ChangesRows(const std::string& sql) {
  for (const char* word : {"INSERT", "UPDATE", "DELETE", "REPLACE"}) {
    if (absl::StartsWithIgnoreCase(sql, word)) return true;
  }
  return false;
}

void Mark(Session& session, const Step& step) {
  session.Execute(
      "UPDATE schema_migrations SET done = TRUE, changed_at_ms = ? WHERE version = ? AND step = ?",
      WallNow(), step.version, step.number);
}

// Runs one step. Rows are changed together with the record; DDL cannot be, so its record is made
// before it, and a step found not done is run again.
void Run(Session& session, const Step& step, bool again) {
  if (!again) {
    session.Execute(
        "INSERT INTO schema_migrations (version, step, name, checksum, done, changed_at_ms) VALUES "
        "(?, ?, ?, ?, FALSE, ?)",
        step.version, step.number, step.name, Bytes(step.checksum), WallNow());
  }
  if (ChangesRows(step.sql)) {
    session.ExecuteText("START TRANSACTION");
    session.ExecuteText(step.sql);
    Mark(session, step);
    session.ExecuteText("COMMIT");
    return;
  }
  try {
    session.ExecuteText(step.sql);
  } catch (const Error& e) {
    if (!again ||
        std::find(kAlreadyDone.begin(), kAlreadyDone.end(), e.code()) == kAlreadyDone.end())
      throw;
  }
  Mark(session, step);
}

// A session that waits as long as it takes.
class PatientSession : public Session {
 public:
  explicit PatientSession(const Options& options) : Session(Patient(options)) {
    ExecuteText(kPatience);
  }

 private:
  static Options Patient(Options options) {
    options.read_timeout = absl::Hours(2);
    return options;
  }
};

// Waits for the schema's lock: a row lock of an open transaction, which the server frees by itself
// when this process dies. Held until the session ends.
void TakeLock(Session& session) {
  session.ExecuteText("START TRANSACTION");
  session.QueryText("SELECT id FROM schema_lock WHERE id = 1 FOR UPDATE");
}

}  // namespace

absl::Status Migrate(const Options& migrate, std::string_view serve_user,
                     const std::vector<Migration>& migrations) {
  const std::vector<Step> steps = Steps(migrations, migrate.schema, serve_user);
  const std::string where = absl::StrCat("schema ", migrate.schema);
  Step current{0, 0, "", "", ""};  // before the first
  try {
    PatientSession session(migrate), lock(migrate);
    for (const char* table : kTables) session.ExecuteText(table);
    TakeLock(lock);
    const Record record = ReadRecord(session);
    if (absl::Status status = Compare(record, steps, where); !status.ok()) return status;
    for (const Step& step : steps) {
      const auto recorded = record.find({step.version, step.number});
      if (recorded != record.end() && recorded->second.done) continue;
      current = step;
      Run(session, step, recorded != record.end());
      Log(LogLevel::kInfo, "migration step done",
          {{"schema", migrate.schema},
           {"version", step.version},
           {"step", step.number},
           {"name", step.name}});
    }
    return absl::OkStatus();
  } catch (const Error& e) {
    const std::string step =
        current.version == 0 ? ""
                             : absl::StrCat(": migration ", current.version, " step ",
                                            current.number, " (", Abs(current.name), ")");
    const std::string line =
        absl::StrCat(where, " at ", migrate.Describe(), step, ": ", e.Line());
    return e.IsConnectionLost() ? absl::UnavailableError(line) : absl::InternalError(line);
  }
}

absl::Status CheckSchema(Pool& pool, const std::vector<Migration>& migrations) {
  const std::vector<Step> steps = Steps(migrations, "", "");
  const std::string where = absl::StrCat("schema ", pool.options().schema);
  return Read(pool, WallNow() + absl::Seconds(10), [&](Session& session) -> absl::Status {
    Record record;
    try {
      record = ReadRecord(session);
    } catch (const Error& e) {
      if (e.code() != 1146) throw;  // no such table: nothing done yet
    }
    if (absl::Status status = Compare(record, steps, where); !status.ok()) return status;
    for (const Step& step : steps) {
      const auto recorded = record.find({step.version, step.number});
      if (recorded == record.end() || !recorded->second.done) {
        return absl::FailedPreconditionError(absl::StrCat(where, ": migration ", step.version,
                                                          " step ", step.number,
                                                          " is not done; migrate first"));
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::db
