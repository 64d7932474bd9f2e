#ifndef YUEZHAN_SERVICES_YZ_JOURNAL_CHECK_H_
#define YUEZHAN_SERVICES_YZ_JOURNAL_CHECK_H_

#include <string>

#include "absl/status/statusor.h"
#include "services/yz/client.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::yz {

// Verifies the whole journal of a service, from its first row to its head, against what every other
// service saw of it. The answer is the last one: its fault says whether all is right.
absl::StatusOr<journal::v1::VerifyJournalResponse> VerifyWhole(Client& client, const Caller& caller,
                                                               const std::string& service);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_JOURNAL_CHECK_H_
