#ifndef YUEZHAN_COMMON_JOURNAL_ROTATE_H_
#define YUEZHAN_COMMON_JOURNAL_ROTATE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/db/options.h"
#include "common/journal/vault.h"

namespace yuezhan::journal {

// Wraps every data key of a schema (the columns wrapped_key of all its tables, the journal's among
// them) with the vault's present master key, and returns how many it wrapped anew. By the migrating
// account: the serving one may not change a journal's row. No sealed and no hashed byte is touched,
// services go on meanwhile (with both master keys loaded), and it may be stopped and started again.
absl::StatusOr<int64_t> RewrapSchema(const db::Options& migrate, const Vault& vault);

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_ROTATE_H_
