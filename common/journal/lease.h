#ifndef YUEZHAN_COMMON_JOURNAL_LEASE_H_
#define YUEZHAN_COMMON_JOURNAL_LEASE_H_

#include <cstdint>

#include "absl/time/time.h"

namespace yuezhan::journal {

// Leases of journal_head and journal_cursor: which replica is at work. They spare useless work and
// nothing depends on them. By the database's clock, the one that all replicas share.
inline constexpr absl::Duration kLeaseLife = absl::Seconds(3);
inline constexpr int64_t kLeaseLifeMs = 3000;

// Parts of a statement: "UPDATE table" kLeaseTake "id = 1" kLeaseFree, with the arguments holder,
// kLeaseLifeMs, (those of the condition), holder. It finds its row when the lease is ours, or free.
#define YZ_DB_NOW_MS "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)"
inline constexpr char kLeaseTake[] =
    " SET lease_holder = ?, lease_until_ms = " YZ_DB_NOW_MS " + ? WHERE ";
inline constexpr char kLeaseFree[] = " AND (lease_holder = ? OR lease_until_ms < " YZ_DB_NOW_MS ")";

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_LEASE_H_
