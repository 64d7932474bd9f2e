#ifndef YUEZHAN_COMMON_DB_TRANSACTION_H_
#define YUEZHAN_COMMON_DB_TRANSACTION_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/db/pool.h"

namespace yuezhan::db {

// What to do when the connection is lost at COMMIT, so that nobody knows whether it happened.
enum class OnUnknown {
  kReport,  // answer UNAVAILABLE with IsOutcomeUnknown()
  kReplay,  // run the unit again: only for a unit that cannot take effect twice (a unique key that
            // it inserts)
};

// What became of one Transact call, for a caller that must know more than the status.
struct TransactReport {
  int attempts = 0;
  bool commit_unknown = false;  // some attempt lost the connection at COMMIT
};

// Runs `unit` between START TRANSACTION and COMMIT. A non-OK status of the unit: ROLLBACK, and that
// status. A conflict, or a connection lost before COMMIT: the whole unit again, its reads included,
// after a random wait that grows, until `deadline` (wall clock) or kMaxAttempts. So a unit changes
// nothing but the database, and sets what it hands out anew each time. Errors: the unit's; ABORTED
// (conflicts without end), UNAVAILABLE, RESOURCE_EXHAUSTED (pool), DEADLINE_EXCEEDED,
// ALREADY_EXISTS (a duplicate key that the unit let pass), INTERNAL (any other statement error).
absl::Status Transact(Pool& pool, absl::Time deadline,
                      absl::FunctionRef<absl::Status(Session&)> unit,
                      OnUnknown on_unknown = OnUnknown::kReport, TransactReport* report = nullptr);
inline constexpr int kMaxAttempts = 12;

// Transact for several units that know nothing of each other: what the calling thread does by
// Transact and Read on `pool` while `units` runs is done in this one transaction, all or nothing. A
// unit that fails makes all fail, with ABORTED where `units` goes on in spite of it.
absl::Status TransactTogether(Pool& pool, absl::Time deadline,
                              absl::FunctionRef<absl::Status(Session&)> units, OnUnknown on_unknown,
                              TransactReport* report);

// Whether `status` comes from a transaction whose COMMIT may or may not have happened.
bool IsOutcomeUnknown(const absl::Status& status);

// Runs statements that only read, each seeing what is committed when it starts; again after a lost
// connection.
absl::Status Read(Pool& pool, absl::Time deadline, absl::FunctionRef<absl::Status(Session&)> unit);

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_TRANSACTION_H_
