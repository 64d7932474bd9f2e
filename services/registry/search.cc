#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/status_macros.h"
#include "common/db/transaction.h"
#include "common/host/sealed_message.h"
#include "common/rpc/page_token.h"
#include "services/registry/handlers.h"

namespace yuezhan::registry {
namespace {

using Own = std::vector<std::pair<std::string_view, std::string_view>>;

// Who sees one host unit only gets its list, whatever else the filter says. False: nothing at all.
bool OwnOnly(const Caller& caller, std::string_view field, Own* own) {
  if (SeesAllHosts(caller)) return true;
  if (caller.host_unit.empty()) return false;
  own->push_back({field, caller.host_unit});
  return true;
}

// Whether a unit is debarred depends on the day: the column holds the last one.
void CompareWithToday(Day today, list::Query* query) {
  for (list::Condition& condition : query->conditions) {
    if (condition.field->name != "debarred") continue;
    condition.op = std::get<int64_t>(condition.value) == 1 ? ">=" : "<";
    condition.value = int64_t{today - Day(1970, 1, 1)};
  }
}

}  // namespace

absl::Status Handlers::ListHostUnits(Context& context, const v1::ListHostUnitsRequest& request,
                                     v1::ListHostUnitsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  Own own;
  if (!OwnOnly(context.caller, "name", &own)) return absl::OkStatus();
  YZ_ASSIGN_OR_RETURN(auto query,
                      list::Parse(HostUnitList(), request.filter(), request.order_by(), own));
  CompareWithToday(BeijingDay(journal_.clocks().business->Now()), &query);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(auto found, store_.HostUnits(sql, query, {after, size}));
    answer->mutable_host_units()->Swap(&found.rows);
    if (answer->host_units_size() == size)
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, found.last_key));
    if (request.include_total()) answer->set_total_size(store_.Count(sql, query));
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListStations(Context& context, const v1::ListStationsRequest& request,
                                    v1::ListStationsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  // What belongs to another host unit is not there.
  if (!request.host_unit().empty() && !MaySee(context.caller, request.host_unit()))
    return absl::OkStatus();
  Own own;
  if (!OwnOnly(context.caller, "host_unit", &own)) return absl::OkStatus();
  if (!request.host_unit().empty()) own.push_back({"host_unit", request.host_unit()});
  if (request.state() != 0) own.push_back({"state", v1::StationState_Name(request.state())});
  YZ_ASSIGN_OR_RETURN(const auto query,
                      list::Parse(StationList(), request.filter(), request.order_by(), own));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(auto found,
                        store_.StationsAsBytes(sql, query, {after, size},
                                               [&](auto* station) { return Show(station); }));
    for (std::string& station : found.stations) {
      HandOn(v1::ListStationsResponse::kStationsFieldNumber, std::move(station), answer);
    }
    if (static_cast<int>(found.stations.size()) == size)
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, found.last_key));
    if (request.include_total()) answer->set_total_size(store_.Count(sql, query));
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
