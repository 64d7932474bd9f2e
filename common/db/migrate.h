#ifndef YUEZHAN_COMMON_DB_MIGRATE_H_
#define YUEZHAN_COMMON_DB_MIGRATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/db/options.h"
#include "common/db/pool.h"

namespace yuezhan::db {

// One file schema/NNNN_name.sql, carried by the binary (yuezhan_embed). Its statements end with ";"
// and a line end; each is one step. {schema} and {serve} stand for the schema and the serving
// account. Grants stand in the migrations too: the serving account has SELECT and INSERT on the
// schema, UPDATE and DELETE only where a migration says "GRANT UPDATE ON {schema}.stations TO
// {serve};".
struct Migration {
  int version = 0;  // 1, 2, 3 … without gaps; 1 is the journal's (common/journal/schema.h)
  std::string_view name;
  std::string_view sql;
};

// Brings the schema of the migrating account `migrate` up to the last of `migrations`, forward
// only. Any number of replicas may start it together: one works, the others wait. A step that was
// cut off in the middle is taken up again. FAILED_PRECONDITION, one line, when the schema is newer
// than the binary or a step that was done has another text now.
absl::Status Migrate(const Options& migrate, std::string_view serve_user,
                     const std::vector<Migration>& migrations);

// OK when all steps of `migrations` are done, and none of a later version: what a serving process
// asks before it starts.
absl::Status CheckSchema(Pool& pool, const std::vector<Migration>& migrations);

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_MIGRATE_H_
