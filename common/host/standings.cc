#include "common/host/standings.h"

#include <algorithm>
#include <iterator>

#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan {
namespace {

// As BatchGetStandings allows.
constexpr ptrdiff_t kMostAtOnce = 100;

}  // namespace

absl::StatusOr<std::vector<rules::v1::StandingFacts>> AskStandings(
    rpc::Channel& registry, const Context& context, const std::vector<std::string>& stations) {
  const rpc::CallOptions options = rpc::CallOptions::Within(context);
  std::vector<rules::v1::StandingFacts> standings;
  // One alone: registry answers those of several callers together.
  if (stations.size() == 1) {
    registry::v1::GetStandingRequest request;
    request.set_station(stations[0]);
    YZ_RETURN_IF_ERROR(registry.Call("yuezhan.registry.v1.RegistryService/GetStanding", request,
                                     &standings.emplace_back(), options));
    return standings;
  }
  for (auto begin = stations.begin(); begin != stations.end();) {
    const auto end = begin + std::min<ptrdiff_t>(kMostAtOnce, stations.end() - begin);
    registry::v1::BatchGetStandingsRequest request;
    request.mutable_stations()->Assign(begin, end);
    registry::v1::BatchGetStandingsResponse answer;
    YZ_RETURN_IF_ERROR(registry.Call("yuezhan.registry.v1.RegistryService/BatchGetStandings",
                                     request, &answer, options));
    if (answer.standings_size() != request.stations_size()) return errors::DataLoss("standings");
    standings.insert(standings.end(), std::make_move_iterator(answer.mutable_standings()->begin()),
                     std::make_move_iterator(answer.mutable_standings()->end()));
    begin = end;
  }
  return standings;
}

}  // namespace yuezhan
