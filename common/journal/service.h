#ifndef YUEZHAN_COMMON_JOURNAL_SERVICE_H_
#define YUEZHAN_COMMON_JOURNAL_SERVICE_H_

#include "absl/status/status.h"
#include "common/base/context.h"
#include "common/journal/feed.h"
#include "common/journal/journal.h"
#include "common/journal/signer.h"
#include "common/journal/vault.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {

// Handlers of yuezhan.journal.v1.JournalService, mounted into every service for its own journal.
class JournalService {
 public:
  // `keys`: this service's present and former signing keys; the present one is `current_key`.
  JournalService(Journal& journal, const Vault& vault, VerifyingKeys keys, std::string current_key);

  absl::Status ReadEntries(Context& context, const v1::ReadEntriesRequest& request,
                           v1::ReadEntriesResponse* response);
  absl::Status GetHead(Context& context, const v1::GetHeadRequest& request,
                       v1::GetHeadResponse* response);
  absl::Status VerifyJournal(Context& context, const v1::VerifyJournalRequest& request,
                             v1::VerifyJournalResponse* response);
  absl::Status ListFollowers(Context& context, const v1::ListFollowersRequest& request,
                             v1::ListFollowersResponse* response);
  absl::Status SkipEntry(Context& context, const v1::SkipEntryRequest& request,
                         v1::SkipEntryResponse* response);
  absl::Status ResumeFollower(Context& context, const v1::ResumeFollowerRequest& request,
                              v1::ResumeFollowerResponse* response);

 private:
  Journal& journal_;
  const Vault& vault_;
  const VerifyingKeys keys_;
  const std::string current_key_;
  DatabaseFeed feed_;
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_SERVICE_H_
