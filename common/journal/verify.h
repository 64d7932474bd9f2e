#ifndef YUEZHAN_COMMON_JOURNAL_VERIFY_H_
#define YUEZHAN_COMMON_JOURNAL_VERIFY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/pool.h"
#include "common/journal/signer.h"
#include "common/journal/vault.h"

namespace yuezhan::journal {

namespace v1 {
class VerifyJournalRequest;
class VerifyJournalResponse;
}  // namespace v1

// Verifies rows, chain, signatures, head and witnesses of the journal in the pool's schema, from
// request.after_seq, and names the first wrong row. What it finds, and against whom, is in
// docs/decisions (the journal's threat model). With a `vault`, also whether each private part can
// be read.
absl::StatusOr<v1::VerifyJournalResponse> VerifyJournal(db::Pool& pool, const std::string& service,
                                                        const VerifyingKeys& keys,
                                                        const Vault* vault,
                                                        const v1::VerifyJournalRequest& request,
                                                        absl::Time deadline);

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_VERIFY_H_
