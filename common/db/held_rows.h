#ifndef YUEZHAN_COMMON_DB_HELD_ROWS_H_
#define YUEZHAN_COMMON_DB_HELD_ROWS_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
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

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_HELD_ROWS_H_
