// What a store runs for a list::Query: keyset pages, whose cost does not grow with their depth, and
// the count.
#ifndef YUEZHAN_COMMON_LIST_STATEMENT_H_
#define YUEZHAN_COMMON_LIST_STATEMENT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/db/session.h"
#include "common/list/list.h"

namespace yuezhan::list {

// A statement with its own values. Run it with session.QueryList(statement.sql, statement.Params()).
struct Statement {
  std::string sql;
  std::vector<Value> values;
  std::vector<db::Param> Params() const;
};

// At most `limit` rows of `columns` after the row with key `after` ("": from the start); behind
// them the two columns that KeyOf reads. PAGE_TOKEN_INVALID when `after` is no key of this query.
absl::StatusOr<Statement> Page(const Query& query, std::string_view columns,
                               std::string_view after, int limit);
// SELECT COUNT(*) of all rows.
Statement Count(const Query& query);

// The key of a row of Page with `columns` columns before its own two: for the next page's token.
std::string KeyOf(const Query& query, const db::Row& row, int columns);

}  // namespace yuezhan::list

#endif  // YUEZHAN_COMMON_LIST_STATEMENT_H_
