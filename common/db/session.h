#ifndef YUEZHAN_COMMON_DB_SESSION_H_
#define YUEZHAN_COMMON_DB_SESSION_H_

#include <any>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/db/error.h"
#include "common/db/held_rows.h"
#include "common/db/options.h"

namespace yuezhan::db {

// Marks an argument as bytes: for BINARY, VARBINARY and BLOB columns.
struct Bytes {
  std::string_view data;
  explicit Bytes(std::string_view d) : data(d) {}
};

// One argument of a statement. Points into the caller's values, which outlive the call.
struct Param {
  std::variant<std::monostate, int64_t, std::string_view, Bytes> value;  // monostate: NULL

  Param(std::nullptr_t) {}  // NOLINT
  Param(std::nullopt_t) {}  // NOLINT
  template <typename T>
  requires std::integral<T> || std::is_enum_v<T> Param(T v)
      : value(static_cast<int64_t>(v)) {}                      // NOLINT
  Param(std::string_view v) : value(v) {}                      // NOLINT
  Param(const std::string& v) : value(std::string_view(v)) {}  // NOLINT
  Param(const char* v) : value(std::string_view(v)) {}         // NOLINT
  Param(Bytes v) : value(v) {}                                 // NOLINT
  // Times are BIGINT columns of unix milliseconds: no time zone, no session setting and no driver
  // can change them.
  Param(absl::Time v) : value(int64_t{absl::ToUnixMillis(v)}) {}  // NOLINT
  template <typename T>
  Param(const std::optional<T>& v) {  // NOLINT
    if (v) value = Param(*v).value;
  }
};

// One row of a result. Columns count from 0. Wrong use (a column that is not there, NULL where a
// value is asked for, text asked for as a number) throws Error: a NULL is never read as 0 or "".
class Row {
 public:
  using Cell = std::variant<std::monostate, int64_t, std::string>;
  explicit Row(std::vector<Cell> cells) : cells_(std::move(cells)) {}

  bool IsNull(int column) const;
  int64_t Int(int column) const;
  const std::string& Text(int column) const;
  const std::string& Bytes(int column) const { return Text(column); }
  absl::Time Time(int column) const { return absl::FromUnixMillis(Int(column)); }
  // Absent where the column is NULL.
  std::optional<int64_t> OptionalInt(int column) const;
  std::optional<std::string> OptionalText(int column) const;
  std::optional<absl::Time> OptionalTime(int column) const;
  // As it came: nothing, a number or bytes.
  const Cell& At(int column) const;

 private:
  std::vector<Cell> cells_;
};

// One statement as it is about to be sent.
struct Statement {
  enum class Kind { kExecute, kQuery, kExecuteText, kQueryText };
  Kind kind;
  std::string_view sql;
  const Param* args = nullptr;
  size_t count = 0;
};

// The whole result, copied out of the connection: a statement may run while it is read. Limit what
// you ask for.
using Rows = std::vector<Row>;

// One connection with its prepared statements, used by one thread at a time. Settings: READ
// COMMITTED, wait_timeout 30 s and innodb_lock_wait_timeout 5 s (a cut session must not keep its
// locks), time zone +00:00, strict mode; row counts are rows found, not rows changed. Every method
// throws Error. Never reconnects: a session whose connection had trouble is broken() for good, and
// the pool drops it.
class Session {
 public:
  // Connects.
  explicit Session(const Options& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs a prepared statement with ? for each argument; prepared once per session by its text, so
  // put values into arguments, never into the text. Returns the rows inserted, deleted, or found by
  // an UPDATE's WHERE.
  template <typename... Args>
  int64_t Execute(std::string_view sql, const Args&... args) {
    return ExecuteWith(sql, {Param(args)...});
  }
  // The same for a statement that returns rows: for (const db::Row& row : session.Query("SELECT …",
  // id)) …
  template <typename... Args>
  Rows Query(std::string_view sql, const Args&... args) {
    return QueryWith(sql, {Param(args)...});
  }
  int64_t ExecuteWith(std::string_view sql, std::initializer_list<Param> args);
  Rows QueryWith(std::string_view sql, std::initializer_list<Param> args);
  // For lists of arguments made at run time (multi-row inserts, IN lists of a fixed few sizes).
  int64_t ExecuteList(std::string_view sql, const std::vector<Param>& args);
  Rows QueryList(std::string_view sql, const std::vector<Param>& args);

  // Writes a row with others of its shape in one statement: at the end of the transaction, or
  // before a statement that names its table. What it may collide with is no answer then: it fails
  // the transaction.
  template <typename... Args>
  void Hold(const RowShape& shape, const Args&... args) {
    HoldRow(shape, {Param(args)...});
  }
  // Adds to numbers of a row that many write: at the end of the transaction, and after all that is
  // held, with what else it adds to them; or before a statement that names the table. A number that
  // would fall below zero is no answer then: it fails the transaction.
  void HoldSums(const SumShape& shape, Bytes key, const std::vector<int64_t>& amounts);
  // The same at once: false, and nothing changed, where a number would fall below zero.
  bool AddSums(const SumShape& shape, Bytes key, const std::vector<int64_t>& amounts);

  // A value of the transaction: made when it is first asked for, gone at the end. What the units of
  // one transaction tell each other.
  template <typename Value>
  Value& OfTransaction() {
    if (!in_transaction_) throw Error(0, "no transaction");
    std::any& value = values_[typeid(Value)];
    if (!value.has_value()) value = Value();
    return std::any_cast<Value&>(value);
  }

  // Asks at once what Query(sql, Bytes(key)) will be asked for each of the keys. `sql` selects the
  // primary key first, and ends with "WHERE s.id = ?", or with " FOR UPDATE" after it. Each answer
  // is given once, in the same transaction.
  void Prefetch(std::string_view sql, std::vector<std::string> keys);
  // The same where the statement for all is another: what Query(sql, Bytes(key)) would answer.
  void Know(std::string_view sql, const std::string& key, Rows answer);

  // Runs text as it stands, not prepared: BEGIN and the like, DDL, statements of varying shape made
  // of own numbers and hex alone. Never with a value from outside.
  int64_t ExecuteText(const std::string& sql);
  Rows QueryText(const std::string& sql);

  // The AUTO_INCREMENT value of the last insert.
  int64_t LastInsertId();
  // Told of each statement that the calling thread sends from here on, by whatever session; empty:
  // nobody is. For tests: what a call sends is counted, and repeated without it.
  static void Observe(std::function<void(const Statement&)> observer);
  // The connection had trouble, or a transaction could not be ended: of no more use.
  bool broken() const;
  void MarkBroken();
  // A statement met a conflict since Begin: the server may have undone the transaction, so
  // it must not be committed, even where the unit went on.
  bool conflicted() const;
  // Around each transaction, from before its start until after its end. Hold and Prefetch are of
  // one transaction; what is held is written before its end.
  void Begin();
  void WriteHeld();
  void End();
  // Rows that Execute inserted, deleted or found since the session began: tells whether a unit
  // wrote anything.
  int64_t rows_written() const { return rows_written_; }
  // The server's id of the connection, as in SHOW PROCESSLIST.
  int64_t ConnectionId();

 private:
  struct Impl;
  int64_t RunExecute(std::string_view sql, const Param* args, size_t count);
  Rows RunQuery(std::string_view sql, const Param* args, size_t count);
  void HoldRow(const RowShape& shape, std::initializer_list<Param> values);
  // Before a statement: what is held goes first where the statement may see it.
  void Precede(std::string_view sql);
  template <typename Held>
  void WriteOut(Held& held);
  // What was fetched ahead of a row of this table is of before; of any row where no key is given.
  void Forget(std::string_view table, std::optional<std::string_view> key);

  std::unique_ptr<Impl> impl_;
  bool in_transaction_ = false;
  bool held_lost_ = false;  // what was held is being written, or could not be: no COMMIT then
  HeldRows held_;
  HeldSums sums_;
  std::map<std::type_index, std::any> values_;
  std::map<std::string, std::map<std::string, Rows>, std::less<>> prefetched_;  // by sql and key
  int64_t rows_written_ = 0;
};

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_SESSION_H_
