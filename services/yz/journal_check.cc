#include "services/yz/journal_check.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace yuezhan::yz {

absl::StatusOr<journal::v1::VerifyJournalResponse> VerifyWhole(Client& client, const Caller& caller,
                                                               const std::string& service) {
  journal::v1::VerifyJournalRequest request;
  for (std::string_view other : kServices) {
    if (other == service) continue;
    journal::v1::ListFollowersResponse followers;
    YZ_RETURN_IF_ERROR(client.CallAt(std::string(other), caller,
                                     "yuezhan.journal.v1.JournalService/ListFollowers",
                                     journal::v1::ListFollowersRequest(), &followers));
    for (const journal::v1::Follower& follower : followers.followers()) {
      const bool follows_it = follower.source() == service ||
                              absl::StartsWith(follower.source(), absl::StrCat(service, "/"));
      if (!follows_it || follower.seq() == 0) continue;
      journal::v1::Witness& witness = *request.add_witnesses();
      witness.set_witness(std::string(other));
      witness.set_seq(follower.seq());
      witness.set_hash(follower.hash());
    }
  }
  journal::v1::VerifyJournalResponse answer;
  do {
    YZ_RETURN_IF_ERROR(client.CallAt(
        service, caller, "yuezhan.journal.v1.JournalService/VerifyJournal", request, &answer));
    request.set_after_seq(answer.last_verified());
    request.set_after_hash(answer.last_hash());
  } while (!answer.complete());
  return answer;
}

}  // namespace yuezhan::yz
