#include "common/db/held_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/db/lists.h"
#include "common/db/session.h"

namespace yuezhan::db {
namespace {

// Most rows of a statement. They come in powers of two, so that few statements are prepared.
constexpr size_t kMostRows = 64;

std::vector<std::string> Split(std::string_view columns) {
  return absl::StrSplit(std::string(columns), ", ");
}

}  // namespace

RowShape NewRows(std::string_view table, std::string_view columns) {
  RowShape shape{std::string(table), {}, {}, Split(columns).size(), 1};
  shape.head = absl::StrCat("INSERT INTO ", shape.table, " (", std::string(columns), ")");
  return shape;
}

RowShape NewRowsUnlessThere(std::string_view table, std::string_view columns) {
  RowShape shape = NewRows(table, columns);
  shape.head.replace(0, std::string_view("INSERT").size(), "INSERT IGNORE");
  shape.counted = 0;
  return shape;
}

RowShape PutRows(std::string_view table, std::string_view key, std::string_view columns) {
  RowShape shape = NewRows(table, absl::StrCat(std::string(key), ", ", std::string(columns)));
  std::string separator = " ON DUPLICATE KEY UPDATE ";
  for (const std::string& column : Split(columns)) {
    absl::StrAppend(&shape.tail, separator, column, " = VALUES(", column, ")");
    separator = ", ";
  }
  shape.counted = 0;
  return shape;
}

RowShape ChangedRows(std::string_view table, std::string_view key, std::string_view columns) {
  RowShape shape = PutRows(table, absl::StrCat(std::string(key), ", version"), columns);
  // A row that is not one version behind: NULL, which the column does not take.
  shape.tail += ", version = IF(version = VALUES(version) - 1, VALUES(version), NULL)";
  shape.counted = 2;  // 1 would be a new row
  return shape;
}

void HeldRows::Add(const RowShape& shape, std::initializer_list<Param> values) {
  if (values.size() != shape.columns) throw Error(0, absl::StrCat(shape.head, ": other columns"));
  auto group = std::find_if(groups_.begin(), groups_.end(),
                            [&](const Group& g) { return g.shape.head == shape.head; });
  if (group == groups_.end()) group = groups_.insert(groups_.end(), {shape, {}});
  for (const Param& param : values) {
    Value& value = group->values.emplace_back();
    if (const auto* number = std::get_if<int64_t>(&param.value)) {
      value = *number;
    } else if (const auto* text = std::get_if<std::string_view>(&param.value)) {
      value = std::string(*text);
    } else if (const auto* bytes = std::get_if<Bytes>(&param.value)) {
      value = std::string(bytes->data);
    }
  }
}

bool HeldRows::HasOtherOf(const RowShape& shape) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
    return group.shape.table == shape.table &&
           (group.shape.head != shape.head || group.shape.tail != shape.tail);
  });
}

bool HeldRows::Concerns(std::string_view sql) const {
  return std::any_of(groups_.begin(), groups_.end(), [&](const Group& group) {
    return sql.find(group.shape.table) != std::string_view::npos;
  });
}

void HeldRows::Write(
    absl::FunctionRef<int64_t(const std::string&, const std::vector<Param>&)> execute) {
  const std::vector<Group> groups = std::move(groups_);
  groups_.clear();
  for (const Group& group : groups) {
    const RowShape& shape = group.shape;
    const size_t count = group.values.size() / shape.columns;
    for (size_t done = 0, rows = kMostRows; done < count; done += rows) {
      while (rows > count - done) rows /= 2;
      std::vector<Param> values;
      for (size_t i = done * shape.columns; i < (done + rows) * shape.columns; ++i) {
        if (const auto* number = std::get_if<int64_t>(&group.values[i])) {
          values.emplace_back(*number);
        } else if (const auto* text = std::get_if<std::string>(&group.values[i])) {
          values.emplace_back(Bytes(*text));
        } else {
          values.emplace_back(nullptr);
        }
      }
      const int64_t counted =
          execute(InsertMany(shape.head, shape.columns, rows, shape.tail), values);
      if (shape.counted != 0 && counted != shape.counted * static_cast<int64_t>(rows)) {
        throw Error(0, absl::StrCat(shape.table, ": rows are not as they were read"));
      }
    }
  }
}

SumShape AddedTo(std::string_view table, std::string_view columns) {
  SumShape shape{std::string(table), "", Split(columns).size()};
  std::string set, where;
  for (const std::string& column : Split(columns)) {
    absl::StrAppend(&set, set.empty() ? "" : ", ", column, " = ", column, " + ?");
    absl::StrAppend(&where, " AND ", column, " + ? >= 0");
  }
  shape.sql = absl::StrCat("UPDATE ", shape.table, " SET ", set, " WHERE id = ?", where);
  return shape;
}

std::vector<Param> SumParams(std::string_view key, const std::vector<int64_t>& amounts) {
  std::vector<Param> params(amounts.begin(), amounts.end());
  params.emplace_back(Bytes(key));
  params.insert(params.end(), amounts.begin(), amounts.end());
  return params;
}

void HeldSums::Add(const SumShape& shape, std::string_view key,
                   const std::vector<int64_t>& amounts) {
  if (amounts.size() != shape.columns) throw Error(0, absl::StrCat(shape.sql, ": other columns"));
  Row& row = rows_.try_emplace({shape.table, std::string(key)}, Row{shape, {}}).first->second;
  row.amounts.resize(shape.columns);
  for (size_t i = 0; i < amounts.size(); ++i) row.amounts[i] += amounts[i];
}

bool HeldSums::Concerns(std::string_view sql) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) {
    return sql.find(row.second.shape.table) != std::string_view::npos;
  });
}

void HeldSums::Write(
    absl::FunctionRef<int64_t(const std::string&, const std::vector<Param>&)> execute) {
  const auto rows = std::move(rows_);
  rows_.clear();
  for (const auto& [id, row] : rows) {
    if (execute(row.shape.sql, SumParams(id.second, row.amounts)) != 1) {
      throw Error(0, absl::StrCat(row.shape.table, ": no such row, or less in it than is taken"));
    }
  }
}

}  // namespace yuezhan::db
