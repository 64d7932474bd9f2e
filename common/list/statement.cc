#include "common/list/statement.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/errors/errors.h"

namespace yuezhan::list {
namespace {

// The column that a condition looks at: the plan's where it has one of its own.
std::string_view ColumnOf(const Query& query, const Condition& condition) {
  for (const auto& [field, column] : query.plan->equal) {
    if (field == condition.field->name && condition.op == "=" && !column.empty()) return column;
  }
  return condition.field->column;
}

std::string From(const Query& query, Statement* statement) {
  std::string sql = Concat({" FROM ", query.plan->from});
  std::string_view joint = " WHERE ";
  for (const Condition& condition : query.conditions) {
    sql += Concat({joint, ColumnOf(query, condition), " ", condition.op, " ?"});
    statement->values.push_back(condition.value);
    joint = " AND ";
  }
  return sql;
}

// A key is the id (UUID text) and, where rows come in another order, the value before it.
absl::Status AppendAfter(const Query& query, std::string_view after, std::string* sql,
                         Statement* statement) {
  constexpr size_t kUuidSize = 36;
  const auto id = UuidToBytes(after.substr(0, kUuidSize));
  if (!id.ok()) return errors::PageTokenInvalid();
  const std::string_view joint = statement->values.empty() ? " WHERE " : " AND ";
  const std::string_view beyond = query.descending ? " < ?" : " > ?";
  if (query.order == nullptr) {
    *sql += Concat({joint, query.plan->id, beyond});
    statement->values.push_back(Binary{*id});
    return absl::OkStatus();
  }
  const std::string text(after.substr(kUuidSize));
  Value value = text;
  if (int64_t number = 0; query.order->kind != Kind::kText) {
    if (!absl::SimpleAtoi(text, &number)) return errors::PageTokenInvalid();
    value = number;
  }
  const std::string_view column = query.order->column;
  // Both stretches lie side by side in the index.
  *sql += Concat({joint, "(", column, beyond, " OR (", column, " = ? AND ", query.plan->id, beyond,
                  "))"});
  statement->values.push_back(value);
  statement->values.push_back(value);
  statement->values.push_back(Binary{*id});
  return absl::OkStatus();
}

}  // namespace

std::vector<db::Param> Statement::Params() const {
  std::vector<db::Param> params;
  params.reserve(values.size());
  for (const Value& value : values) {
    if (const auto* number = std::get_if<int64_t>(&value)) {
      params.emplace_back(*number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      params.emplace_back(*text);
    } else {
      params.emplace_back(db::Bytes(std::get<Binary>(value).bytes));
    }
  }
  return params;
}

absl::StatusOr<Statement> Page(const Query& query, std::string_view columns,
                               std::string_view after, int limit) {
  Statement statement;
  const std::string_view id = query.plan->id;
  const std::string_view order = query.order == nullptr ? id : query.order->column;
  std::string sql = Concat({"SELECT ", columns, ", ", id, ", ", order});
  sql += From(query, &statement);
  if (!after.empty()) {
    YZ_RETURN_IF_ERROR(AppendAfter(query, after, &sql, &statement));
  }
  const std::string_view direction = query.descending ? " DESC" : "";
  sql += Concat({" ORDER BY ", order, direction});
  if (query.order != nullptr) sql += Concat({", ", id, direction});
  sql += " LIMIT ?";
  statement.values.push_back(int64_t{limit});
  statement.sql = std::move(sql);
  return statement;
}

Statement Count(const Query& query) {
  Statement statement;
  statement.sql = Concat({"SELECT COUNT(*)", From(query, &statement)});
  return statement;
}

std::string KeyOf(const Query& query, const db::Row& row, int columns) {
  const std::string id = UuidFromBytes(row.Bytes(columns)).value();
  if (query.order == nullptr) return id;
  if (query.order->kind == Kind::kText) return Concat({id, row.Text(columns + 1)});
  return absl::StrCat(id, row.Int(columns + 1));
}

}  // namespace yuezhan::list
