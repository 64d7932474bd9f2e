#include "common/journal/rotate.h"

#include "common/base/clocks.h"
#include "common/base/status_macros.h"
#include "common/db/pool.h"
#include "common/db/transaction.h"

namespace yuezhan::journal {

absl::StatusOr<int64_t> RewrapJournal(const db::Options& migrate, const Vault& vault) {
  constexpr int kPage = 500;
  db::Pool pool(migrate, 1);
  int64_t after = 0, wrapped = 0;
  bool more = true;
  while (more) {
    int64_t last = after, count = 0;
    YZ_RETURN_IF_ERROR(db::Transact(
        pool, WallNow() + absl::Seconds(30),
        [&](db::Session& session) -> absl::Status {
          count = 0;
          const db::Rows rows = session.Query(
              "SELECT id, wrapped_key FROM journal WHERE id > ? ORDER BY id LIMIT ?", after, kPage);
          more = !rows.empty();
          for (const db::Row& row : rows) {
            last = row.Int(0);
            YZ_ASSIGN_OR_RETURN(const std::string fresh, vault.Rewrap(row.Bytes(1)));
            if (fresh == row.Bytes(1)) continue;
            count += session.Execute("UPDATE journal SET wrapped_key = ? WHERE id = ?",
                                     db::Bytes(fresh), row.Int(0));
          }
          return absl::OkStatus();
        },
        db::OnUnknown::kReplay));
    after = last;
    wrapped += count;
  }
  return wrapped;
}

}  // namespace yuezhan::journal
