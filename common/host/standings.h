#ifndef YUEZHAN_COMMON_HOST_STANDINGS_H_
#define YUEZHAN_COMMON_HOST_STANDINGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/context.h"
#include "common/rpc/client.h"
#include "yuezhan/rules/v1/facts.pb.h"

namespace yuezhan {

// Each station and its host as registered now, of one moment, in the order of "stations/{id}" names:
// one call, however many, of at most 100. Never while a transaction is open. NOT_FOUND where registry
// has no such station; otherwise as the call ends.
absl::StatusOr<std::vector<rules::v1::StandingFacts>> AskStandings(
    rpc::Channel& registry, const Context& context, const std::vector<std::string>& stations);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_STANDINGS_H_
