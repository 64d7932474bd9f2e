#include "common/journal/rotate.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clocks.h"
#include "common/base/status_macros.h"
#include "common/db/pool.h"
#include "common/db/transaction.h"

namespace yuezhan::journal {
namespace {

constexpr int kPage = 500;

struct Table {
  std::string name;
  std::vector<std::string> key;  // columns
};

// Asks the table itself: information_schema.columns has texts, for which MariaDB makes a table on
// its disk at each look, and 10.11.19 was seen to end by a fault when it dropped one.
bool HasWrappedKeys(db::Session& session, const std::string& table) {
  constexpr int kNoSuchColumn = 1054;
  try {
    session.QueryText(absl::StrCat("SELECT wrapped_key FROM ", table, " LIMIT 0"));
    return true;
  } catch (const db::Error& e) {
    if (e.code() != kNoSuchColumn) throw;
    return false;
  }
}

// The tables that hold wrapped keys, with their primary keys. Names are the schema's own.
std::vector<Table> SealedTables(db::Session& session) {
  std::vector<Table> tables;
  for (const db::Row& row : session.Query(
           "SELECT table_name AS t, column_name AS c FROM information_schema.key_column_usage "
           "WHERE table_schema = DATABASE() AND constraint_name = 'PRIMARY' "
           "ORDER BY table_name, ordinal_position")) {
    if (tables.empty() || tables.back().name != row.Text(0)) tables.push_back({row.Text(0), {}});
    tables.back().key.push_back(row.Text(1));
  }
  std::erase_if(tables, [&](const Table& table) { return !HasWrappedKeys(session, table.name); });
  return tables;
}

// A row's place in its table, and the statements that walk the table in the order of its key.
using Place = std::vector<db::Row::Cell>;

std::vector<db::Param> Params(const Place& place) {
  std::vector<db::Param> params;
  for (const db::Row::Cell& cell : place) {
    if (const auto* number = std::get_if<int64_t>(&cell)) {
      params.emplace_back(*number);
    } else {
      params.emplace_back(db::Bytes(std::get<std::string>(cell)));
    }
  }
  return params;
}

Place PlaceOf(const db::Row& row, const Table& table) {
  Place place;
  for (size_t i = 0; i < table.key.size(); ++i) place.push_back(row.At(static_cast<int>(i)));
  return place;
}

std::string Names(const Table& table) { return absl::StrJoin(table.key, ", "); }

// Rows after a place: k1 > ? OR (k1 = ? AND (k2 > ? OR …)), behind a bound that an index can use.
std::string AfterCondition(const Table& table, size_t column) {
  const std::string& name = table.key[column];
  if (column + 1 == table.key.size()) return absl::StrCat(name, " > ?");
  return absl::StrCat(name, " >= ? AND (", name, " > ? OR (", AfterCondition(table, column + 1),
                      "))");
}

std::vector<db::Param> AfterParams(const Place& place) {
  std::vector<db::Param> params;
  const std::vector<db::Param> each = Params(place);
  for (size_t i = 0; i < each.size(); ++i) {
    params.push_back(each[i]);
    if (i + 1 < each.size()) params.push_back(each[i]);
  }
  return params;
}

// One page: the rows after `last`, which moves on; false at the end.
absl::StatusOr<bool> RewrapPage(db::Session& session, const Table& table, const Vault& vault,
                                Place* last, int64_t* wrapped) {
  const std::string where = last->empty() ? "" : absl::StrCat(" WHERE ", AfterCondition(table, 0));
  const std::string columns = Names(table);
  const db::Rows rows = session.QueryList(
      absl::StrCat("SELECT ", columns, ", wrapped_key FROM ", table.name, where, " ORDER BY ",
                   columns, " LIMIT ", kPage),
      AfterParams(*last));
  // The old key stands in the condition: a row that its service sealed anew meanwhile has another.
  const std::string update = absl::StrCat(
      "UPDATE ", table.name, " SET wrapped_key = ? WHERE wrapped_key = ? AND ",
      absl::StrJoin(table.key, " AND ", [](std::string* out, const std::string& column) {
        absl::StrAppend(out, column, " = ?");
      }));
  for (const db::Row& row : rows) {
    *last = PlaceOf(row, table);
    const std::string& old_key = row.Bytes(static_cast<int>(table.key.size()));
    YZ_ASSIGN_OR_RETURN(const std::string fresh, vault.Rewrap(old_key));
    if (fresh == old_key) continue;
    std::vector<db::Param> params = {db::Bytes(fresh), db::Bytes(old_key)};
    for (const db::Param& param : Params(*last)) params.push_back(param);
    *wrapped += session.ExecuteList(update, params);
  }
  return rows.size() == kPage;
}

absl::StatusOr<int64_t> RewrapTable(db::Pool& pool, const Table& table, const Vault& vault) {
  Place last;
  int64_t wrapped = 0;
  for (bool more = true; more;) {
    Place next;
    int64_t count = 0;
    YZ_RETURN_IF_ERROR(db::Transact(
        pool, WallNow() + absl::Seconds(30),
        [&](db::Session& session) -> absl::Status {
          next = last;
          count = 0;
          YZ_ASSIGN_OR_RETURN(more, RewrapPage(session, table, vault, &next, &count));
          return absl::OkStatus();
        },
        db::OnUnknown::kReplay));
    last = std::move(next);
    wrapped += count;
  }
  return wrapped;
}

}  // namespace

absl::StatusOr<int64_t> RewrapSchema(const db::Options& migrate, const Vault& vault) {
  db::Pool pool(migrate, 1);
  std::vector<Table> tables;
  YZ_RETURN_IF_ERROR(db::Read(pool, WallNow() + absl::Seconds(30), [&](db::Session& session) {
    tables = SealedTables(session);
    return absl::OkStatus();
  }));
  int64_t wrapped = 0;
  for (const Table& table : tables) {
    YZ_ASSIGN_OR_RETURN(const int64_t count, RewrapTable(pool, table, vault));
    wrapped += count;
  }
  return wrapped;
}

}  // namespace yuezhan::journal
