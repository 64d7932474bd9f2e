#ifndef YUEZHAN_COMMON_DB_HELD_ROWS_H_
#define YUEZHAN_COMMON_DB_HELD_ROWS_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"

namespace yuezhan::db {

struct Param;

// How rows of one table are written, however many at once.
struct RowShape {
  std::string table;
  std::string head;  // "INSERT INTO case_trail (case_id, request_key)"
  std::string tail;  // after VALUES (…), (…)
  size_t columns = 0;
  int64_t counted = 0;  // what the server counts for each row, or 0: any number
};

// New rows, whose keys nobody else can have. `columns`: "case_id, request_key".
RowShape NewRows(std::string_view table, std::string_view columns);
// The same, but a row that is there already stays.
RowShape NewRowsUnlessThere(std::string_view table, std::string_view columns);
// New rows, or other values of `columns` in those that are there.
RowShape PutRows(std::string_view table, std::string_view key, std::string_view columns);
// Rows that are there, locked by the transaction, and one `version` behind: `columns` are changed.
// `key` names the primary key and whatever other column has no default, with its value of before.
RowShape ChangedRows(std::string_view table, std::string_view key, std::string_view columns);

// Rows that a transaction writes at its end, those of one shape in few statements.
class HeldRows {
 public:
  void Add(const RowShape& shape, std::initializer_list<Param> values);
  // Whether the statement may read or change what is held.
  bool Concerns(std::string_view sql) const;
  // Whether rows of its table are held in another shape: they go first.
  bool HasOtherOf(const RowShape& shape) const;
  bool empty() const { return groups_.empty(); }
  void Clear() { groups_.clear(); }
  // Gives the statements to `execute`, which returns what the server counts, and clears. Throws
  // Error when a row was not written as its shape says.
  void Write(
      absl::FunctionRef<int64_t(const std::string& sql, const std::vector<Param>& values)> execute);

 private:
  using Value = std::variant<std::monostate, int64_t, std::string>;
  struct Group {
    RowShape shape;
    std::vector<Value> values;
  };
  std::vector<Group> groups_;  // in the order in which their first rows came
};

// How numbers of one row are added to. None of them falls below zero.
struct SumShape {
  std::string table;
  std::string sql;  // takes the amounts, the key, and the amounts again; finds one row, or none
  size_t columns = 0;
};
// `columns`: "free, reserved". The primary key is `id`.
SumShape AddedTo(std::string_view table, std::string_view columns);
std::vector<Param> SumParams(std::string_view key, const std::vector<int64_t>& amounts);

// What a transaction adds to rows that many write, summed up: each such row is written, and locked,
// once and last.
class HeldSums {
 public:
  void Add(const SumShape& shape, std::string_view key, const std::vector<int64_t>& amounts);
  bool Concerns(std::string_view sql) const;
  bool empty() const { return rows_.empty(); }
  void Clear() { rows_.clear(); }
  // As HeldRows::Write, in the order of the keys. Throws Error when a row is not there, or a number
  // would fall below zero.
  void Write(
      absl::FunctionRef<int64_t(const std::string& sql, const std::vector<Param>& values)> execute);

 private:
  struct Row {
    SumShape shape;
    std::vector<int64_t> amounts;
  };
  std::map<std::pair<std::string, std::string>, Row> rows_;  // by table and key
};

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_HELD_ROWS_H_
