#include "common/db/session.h"

#include <cppconn/connection.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>
#include <mysql_driver.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <unordered_map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/db/lists.h"

namespace yuezhan::db {
namespace {

// Statements of one session; a service has fewer.
constexpr size_t kMaxStatements = 300;
// Settings in two statements: MySQL and MariaDB name the isolation level's variable differently.
constexpr const char* kSettings[] = {
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION wait_timeout = 30, innodb_lock_wait_timeout = 5, time_zone = '+00:00', sql_mode = "
    "'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_"
    "ZERO,"
    "NO_ENGINE_SUBSTITUTION'"};

sql::Driver& Driver() {
  // The first call of get_driver_instance is not thread-safe: a static's initialization is.
  static sql::Driver* const driver = [] {
    // A server that goes away while OpenSSL writes would end the process otherwise.
    std::signal(SIGPIPE, SIG_IGN);
    return sql::mysql::get_driver_instance();
  }();
  return *driver;
}

// The client library's own per-thread state, for each thread that ever uses a session.
void UseOnThisThread() {
  struct Thread {
    Thread() { Driver().threadInit(); }
    ~Thread() { Driver().threadEnd(); }
  };
  thread_local Thread thread;
}

thread_local std::function<void(const Statement&)> observer;

void Tell(const Statement& statement) {
  if (observer) observer(statement);
}

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// Texts alone, never the arguments: values are personal. What makes accounts holds passwords and is
// left out.
void LogStatement(std::string_view sql) { Log(LogLevel::kDebug, "statement", {{"sql", sql}}); }

// The table that a statement changes.
std::string_view TableOf(std::string_view sql) {
  for (const std::string_view before : {"INTO ", "UPDATE ", "FROM "}) {
    const size_t at = sql.find(before);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = sql.substr(at + before.size());
    return rest.substr(0, rest.find(' '));
  }
  return sql;
}

// The one row that the statement changes, where its text says so.
std::optional<std::string_view> KeyIn(std::string_view sql, const Param* args, size_t count) {
  const size_t where = sql.find(" WHERE id = ?");
  if (where == std::string_view::npos) return std::nullopt;
  const auto before =
      std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(where), '?');
  if (static_cast<size_t>(before) >= count) return std::nullopt;
  const auto* key = std::get_if<Bytes>(&args[before].value);
  return key == nullptr ? std::nullopt : std::optional(key->data);
}

int Seconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1))));
}

sql::ConnectOptionsMap Properties(const Options& options) {
  sql::ConnectOptionsMap map;
  map["hostName"] = sql::SQLString(absl::StrCat("tcp://", options.host, ":", options.port));
  map["userName"] = sql::SQLString(options.user);
  map["password"] = sql::SQLString(options.password);
  if (!options.schema.empty()) map["schema"] = sql::SQLString(options.schema);
  map["OPT_CONNECT_TIMEOUT"] = Seconds(options.connect_timeout);
  map["OPT_READ_TIMEOUT"] = Seconds(options.read_timeout);
  map["OPT_WRITE_TIMEOUT"] = Seconds(options.write_timeout);
  map["CLIENT_FOUND_ROWS"] = true;
  if (!options.tls_ca.empty()) {
    // Both together, or the connector falls back to plaintext without a word.
    map["sslCA"] = sql::SQLString(options.tls_ca);
    map["sslVerify"] = true;
  }
  return map;
}

// The prepared statement keeps a string that was bound for as long as it lives, on every connection:
// longer ones, the chunks of files, go as streams.
constexpr size_t kLongestKeptBytes = 64 << 10;

// Binds a statement's arguments; keeps what the driver only points to until the statement has run.
class Binder {
 public:
  explicit Binder(sql::PreparedStatement& statement) : statement_(statement) {}
  void Bind(const Param* args, size_t count) {
    for (index_ = 1; index_ <= count; ++index_) std::visit(*this, args[index_ - 1].value);
  }
  void operator()(std::monostate) { statement_.setNull(index_, 0); }
  void operator()(int64_t v) { statement_.setInt64(index_, v); }
  void operator()(std::string_view v) {
    statement_.setString(index_, sql::SQLString(v.data(), v.size()));
  }
  // With the statement itself: a blob goes ahead of it in a packet of its own, which costs both
  // sides as much as the statement. A binary column takes the bytes as they are.
  void operator()(Bytes v) {
    if (v.data.size() <= kLongestKeptBytes) return (*this)(v.data);
    streams_.push_back(std::make_unique<std::istringstream>(std::string(v.data)));
    statement_.setBlob(index_, streams_.back().get());
  }

 private:
  sql::PreparedStatement& statement_;
  unsigned index_ = 0;
  std::vector<std::unique_ptr<std::istringstream>> streams_;
};

bool IsInteger(int type) {
  switch (type) {
    case sql::DataType::BIT:  // what the driver calls TINYINT(1)
    case sql::DataType::TINYINT:
    case sql::DataType::SMALLINT:
    case sql::DataType::MEDIUMINT:
    case sql::DataType::INTEGER:
    case sql::DataType::BIGINT:
    case sql::DataType::YEAR:
      return true;
    default:
      return false;
  }
}

Rows Copy(sql::ResultSet& result) {
  sql::ResultSetMetaData& meta = *result.getMetaData();
  std::vector<bool> integer(meta.getColumnCount());
  for (unsigned i = 0; i < integer.size(); ++i) integer[i] = IsInteger(meta.getColumnType(i + 1));
  Rows rows;
  while (result.next()) {
    std::vector<Row::Cell> cells(integer.size());
    for (unsigned i = 0; i < integer.size(); ++i) {
      if (result.isNull(i + 1)) continue;
      if (integer[i]) {
        cells[i] = result.getInt64(i + 1);
      } else {
        cells[i] = std::string(result.getString(i + 1).asStdString());
      }
    }
    rows.emplace_back(std::move(cells));
  }
  return rows;
}

}  // namespace

struct Session::Impl {
  std::unique_ptr<sql::Connection> connection;
  std::unique_ptr<sql::Statement> plain;
  std::unordered_map<std::string, std::unique_ptr<sql::PreparedStatement>, TextHash,
                     std::equal_to<>>
      statements;
  bool broken = false;
  bool conflicted = false;

  sql::PreparedStatement& Prepare(std::string_view sql) {
    auto found = statements.find(sql);
    if (found != statements.end()) return *found->second;
    if (statements.size() >= kMaxStatements) statements.clear();
    LogStatement(sql);
    std::unique_ptr<sql::PreparedStatement> fresh(
        connection->prepareStatement(sql::SQLString(sql.data(), sql.size())));
    return *statements.emplace(std::string(sql), std::move(fresh)).first->second;
  }

  // Runs `call` and turns the driver's exceptions into ours, remembering what they mean for the
  // session.
  template <typename Call>
  auto Guarded(Call call) {
    UseOnThisThread();
    if (broken) throw Error(2006, "the session is broken");
    try {
      return call();
    } catch (const sql::SQLException& e) {
      const Error error(e.getErrorCode(), e.what());
      if (error.IsConnectionLost() || (error.code() >= 2000 && error.code() < 3000)) broken = true;
      if (error.IsConflict()) conflicted = true;
      throw error;
    }
  }
};

Session::Session(const Options& options) : impl_(std::make_unique<Impl>()) {
  impl_->Guarded([&] {
    auto properties = Properties(options);
    impl_->connection.reset(Driver().connect(properties));
    impl_->plain.reset(impl_->connection->createStatement());
    for (const char* setting : kSettings) impl_->plain->execute(setting);
  });
}

Session::~Session() {
  UseOnThisThread();
  // Statements before their connection.
  impl_->statements.clear();
  impl_->plain.reset();
  impl_->connection.reset();
}

void Session::Begin() {
  impl_->conflicted = false;
  held_lost_ = false;
  in_transaction_ = true;
}

void Session::End() {
  held_.Clear();
  sums_.Clear();
  values_.clear();
  prefetched_.clear();
  in_transaction_ = false;
}

void Session::HoldRow(const RowShape& shape, std::initializer_list<Param> values) {
  if (!in_transaction_) throw Error(0, absl::StrCat(shape.table, ": no transaction"));
  if (held_.HasOtherOf(shape)) WriteOut(held_);
  ++rows_written_;
  held_.Add(shape, values);
  if (const auto* key = std::get_if<Bytes>(&values.begin()->value)) Forget(shape.table, key->data);
}

void Session::Forget(std::string_view table, std::optional<std::string_view> key) {
  for (auto& [sql, answers] : prefetched_) {
    if (sql.find(table) == std::string::npos) continue;
    std::erase_if(answers, [&](const auto& answer) {
      const auto& [asked, rows] = answer;
      return !key || asked == *key || std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
        return row.Bytes(0) == *key;
      });
    });
  }
}

void Session::HoldSums(const SumShape& shape, Bytes key, const std::vector<int64_t>& amounts) {
  if (!in_transaction_) throw Error(0, absl::StrCat(shape.table, ": no transaction"));
  ++rows_written_;
  sums_.Add(shape, key.data, amounts);
  Forget(shape.table, key.data);
}

bool Session::AddSums(const SumShape& shape, Bytes key, const std::vector<int64_t>& amounts) {
  return ExecuteList(shape.sql, SumParams(key.data, amounts)) == 1;
}

void Session::WriteHeld() {
  WriteOut(held_);
  WriteOut(sums_);
}

template <typename Held>
void Session::WriteOut(Held& held) {
  if (held_lost_) throw Error(0, "rows that were held could not be written");
  if (held.empty()) return;
  held_lost_ = true;
  const int64_t counted = rows_written_;  // when they were held
  try {
    held.Write([&](const std::string& sql, const std::vector<Param>& values) {
      return ExecuteList(sql, values);
    });
  } catch (const Error& e) {
    constexpr int kNull = 1048, kChanged = 1020;
    if (e.code() == kNull && absl::StrContains(e.what(), "'version'"))
      throw Error(kChanged, "a row is not as it was read");
    throw;
  }
  rows_written_ = counted;
  held_lost_ = false;
}

void Session::Precede(std::string_view sql) {
  if (held_.Concerns(sql)) WriteOut(held_);
  if (sums_.Concerns(sql)) WriteOut(sums_);
}

void Session::Prefetch(std::string_view sql, std::vector<std::string> keys) {
  if (!in_transaction_) throw Error(0, absl::StrCat("no transaction: ", std::string(sql)));
  constexpr std::string_view kWhere = " WHERE ", kIs = " = ?";
  const size_t where = sql.rfind(kWhere), is = sql.rfind(kIs);
  if (where == std::string_view::npos || is == std::string_view::npos || is < where)
    throw Error(0, absl::StrCat("no key: ", std::string(sql)));
  const std::string key_column(sql.substr(where + kWhere.size(), is - where - kWhere.size()));
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (keys.size() < 2) return;  // as quick when it is asked for
  auto& known = prefetched_[std::string(sql)];
  for (const std::string& key : keys) known[key].clear();
  const KeyList in(std::move(keys));
  // By the index, however few rows there are: a scan would lock them all.
  const std::string all = absl::StrCat(
      std::string(sql.substr(0, where)), " FORCE INDEX (PRIMARY) WHERE ", key_column, " IN ",
      in.marks(), " ORDER BY ", key_column, std::string(sql.substr(is + kIs.size())));
  for (Row& row : QueryList(all, in.params())) {
    const std::string key = row.Bytes(0);
    known[key].push_back(std::move(row));
  }
}

void Session::Know(std::string_view sql, const std::string& key, Rows answer) {
  if (!in_transaction_) throw Error(0, absl::StrCat("no transaction: ", std::string(sql)));
  prefetched_[std::string(sql)][key] = std::move(answer);
}

int64_t Session::RunExecute(std::string_view sql, const Param* args, size_t count) {
  Precede(sql);
  // Rows that were held are forgotten by their keys.
  if (!prefetched_.empty() && !held_lost_) {
    const std::string_view table = TableOf(sql);
    Forget(table, KeyIn(sql, args, count));
    // What is told of other tables' rows beside: not by this key.
    std::erase_if(prefetched_, [&](const auto& known) {
      return known.first.find(table) != std::string::npos && TableOf(known.first) != table;
    });
  }
  Tell({Statement::Kind::kExecute, sql, args, count});
  const int64_t rows = impl_->Guarded([&]() -> int64_t {
    sql::PreparedStatement& statement = impl_->Prepare(sql);
    Binder binder(statement);
    binder.Bind(args, count);
    return statement.executeUpdate();
  });
  rows_written_ += rows;
  return rows;
}

Rows Session::RunQuery(std::string_view sql, const Param* args, size_t count) {
  if (const auto known = prefetched_.find(sql); known != prefetched_.end() && count == 1) {
    if (const auto* key = std::get_if<Bytes>(&args[0].value)) {
      auto node = known->second.extract(std::string(key->data));
      if (!node.empty()) return std::move(node.mapped());
    }
  }
  Precede(sql);
  Tell({Statement::Kind::kQuery, sql, args, count});
  return impl_->Guarded([&] {
    sql::PreparedStatement& statement = impl_->Prepare(sql);
    Binder binder(statement);
    binder.Bind(args, count);
    const std::unique_ptr<sql::ResultSet> result(statement.executeQuery());
    return Copy(*result);
  });
}

int64_t Session::ExecuteWith(std::string_view sql, std::initializer_list<Param> args) {
  return RunExecute(sql, args.begin(), args.size());
}
Rows Session::QueryWith(std::string_view sql, std::initializer_list<Param> args) {
  return RunQuery(sql, args.begin(), args.size());
}
int64_t Session::ExecuteList(std::string_view sql, const std::vector<Param>& args) {
  return RunExecute(sql, args.data(), args.size());
}
Rows Session::QueryList(std::string_view sql, const std::vector<Param>& args) {
  return RunQuery(sql, args.data(), args.size());
}

int64_t Session::ExecuteText(const std::string& sql) {
  Precede(sql);
  Tell({Statement::Kind::kExecuteText, sql});
  if (sql.starts_with("INSERT")) LogStatement(sql);
  const int64_t rows = impl_->Guarded([&]() -> int64_t {
    // execute, not executeUpdate: COMMIT and DDL have no count to ask for.
    if (impl_->plain->execute(sql))
      throw sql::SQLException("a statement of ExecuteText returned rows");
    return static_cast<int64_t>(impl_->plain->getUpdateCount());
  });
  rows_written_ += rows;
  return rows;
}

Rows Session::QueryText(const std::string& sql) {
  Precede(sql);
  Tell({Statement::Kind::kQueryText, sql});
  LogStatement(sql);
  return impl_->Guarded([&] {
    const std::unique_ptr<sql::ResultSet> result(impl_->plain->executeQuery(sql));
    return Copy(*result);
  });
}

int64_t Session::LastInsertId() { return QueryText("SELECT LAST_INSERT_ID()").at(0).Int(0); }
int64_t Session::ConnectionId() { return QueryText("SELECT CONNECTION_ID()").at(0).Int(0); }
void Session::Observe(std::function<void(const Statement&)> told) { observer = std::move(told); }
bool Session::broken() const { return impl_->broken; }
void Session::MarkBroken() { impl_->broken = true; }
bool Session::conflicted() const { return impl_->conflicted; }

}  // namespace yuezhan::db
