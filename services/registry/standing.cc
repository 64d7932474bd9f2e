#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/handlers.h"
#include "common/rpc/page_token.h"
#include "services/registry/handlers.h"
#include "services/registry/transitions.h"
#include "yuezhan/payment/v1/events.pb.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {

rules::v1::HostFacts HostFactsOf(const v1::HostUnit& unit) {
  rules::v1::HostFacts facts;
  facts.set_host_unit(unit.name());
  facts.set_display_name(unit.display_name());
  facts.set_kind(unit.kind());
  facts.set_credit_code(unit.credit_code());
  *facts.mutable_account() = unit.account();
  *facts.mutable_debarments() = unit.debarments();
  return facts;
}

rules::v1::StationFacts StationFactsOf(const v1::Station& station) {
  rules::v1::StationFacts facts;
  facts.set_station(station.name());
  facts.set_display_name(station.form().display_name());
  facts.set_level(station.form().level());
  facts.set_filed(station.has_accepted_on());
  facts.set_host_unit(station.form().host_unit());
  *facts.mutable_established_on() = station.form().established_on();
  if (station.form().has_approval_reply())
    *facts.mutable_approval_reply() = station.form().approval_reply();
  *facts.mutable_suspensions() = station.suspensions();
  if (station.has_closed_on()) *facts.mutable_closed_on() = station.closed_on();
  *facts.mutable_subsidies() = station.subsidies();
  facts.set_lineage(ToHex(Lineage(station.form())));
  facts.set_society_name(station.form().society().name());
  return facts;
}

absl::Status Handlers::ChangeStation(Context& context, const google::protobuf::Message& request,
                                     std::string_view name, std::string_view method,
                                     v1::StationState to, v1::Station* answer, Change change) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", name));
    YZ_ASSIGN_OR_RETURN(auto station, store_.Station(unit.sql(), id, true));
    if (!station || !MaySee(context.caller, station->form().host_unit()))
      return errors::NotFound(name);
    const v1::StationState from = station->state();
    YZ_RETURN_IF_ERROR(StationTransitions().Check(name, from, to, method));
    YZ_RETURN_IF_ERROR(change(unit, rules, &*station));
    station->set_state(to);
    if (from != to) *station->mutable_state_time() = ToProto(unit.Now());
    if (!store_.UpdateStation(unit.sql(), &*station)) return errors::Conflict();
    v1::StationAdvanced event;
    event.set_station(station->name());
    event.set_host_unit(station->form().host_unit());
    event.set_from(from);
    event.set_state(to);
    event.set_filing_number(station->filing_number());
    unit.Emit(event);
    *answer = *std::move(station);
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetStation(Context& context, const v1::GetStationRequest& request,
                                  v1::Station* answer) {
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.name()));
    YZ_ASSIGN_OR_RETURN(auto station, store_.Station(sql, id, false));
    if (!station || !MaySee(context.caller, station->form().host_unit()))
      return errors::NotFound(request.name());
    *answer = *std::move(station);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListStations(Context& context, const v1::ListStationsRequest& request,
                                    v1::ListStationsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  // Who sees one host unit only gets its list, whatever filter is given.
  std::string host_unit = request.host_unit();
  if (!MaySee(context.caller, host_unit)) {
    if (!host_unit.empty()) return absl::OkStatus();
    host_unit = context.caller.host_unit;
    if (host_unit.empty()) return absl::OkStatus();
  }
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    std::string host_id;
    if (!host_unit.empty()) {
      YZ_ASSIGN_OR_RETURN(host_id, IdOf("hostUnits/*", host_unit));
    }
    YZ_ASSIGN_OR_RETURN(const auto stations,
                        store_.Stations(sql, host_id, request.state(), {after, size}));
    answer->mutable_stations()->Assign(stations.begin(), stations.end());
    if (static_cast<int>(stations.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last, IdOf("stations/*", stations.back().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetStanding(Context& context, const v1::GetStandingRequest& request,
                                   rules::v1::StandingFacts* answer) {
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    // The sequence number first: what is read after it is at least as new.
    const int64_t sequence = store_.JournalSequence(sql);
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.station()));
    YZ_ASSIGN_OR_RETURN(const auto station, store_.Station(sql, id, false));
    if (!station || !MaySee(context.caller, station->form().host_unit()))
      return errors::NotFound(request.station());
    YZ_ASSIGN_OR_RETURN(const auto host, HostOf(sql, station->form(), "station"));
    *answer->mutable_station() = StationFactsOf(*station);
    answer->mutable_station()->set_registry_sequence(sequence);
    *answer->mutable_host() = HostFactsOf(host);
    return absl::OkStatus();
  });
}

journal::EventHandlers Handlers::OnPayment() {
  journal::EventHandlers handlers;
  handlers.On<payment::v1::PaymentAdvanced>([this](const payment::v1::PaymentAdvanced& event,
                                                   const journal::EventOrigin&,
                                                   journal::Unit& unit) -> absl::Status {
    if (event.state() != payment::v1::PAYMENT_STATE_SETTLED) return absl::OkStatus();
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", event.station()));
    YZ_ASSIGN_OR_RETURN(const std::string payment, IdOf("payments/*", event.payment()));
    YZ_ASSIGN_OR_RETURN(const auto station, store_.Station(unit.sql(), id, true));
    if (!station) return absl::DataLossError(absl::StrCat("no ", event.station()));
    rules::v1::SubsidyFacts subsidy;
    subsidy.set_station(event.station());
    subsidy.set_level(event.level());
    subsidy.set_source(event.case_name());
    *subsidy.mutable_paid_on() = event.settled_on();
    if (!store_.InsertSubsidy(unit.sql(), *station, payment, subsidy)) return absl::OkStatus();
    v1::StationSubsidized subsidized;
    subsidized.set_station(event.station());
    subsidized.set_payment(event.payment());
    unit.Emit(subsidized);
    return absl::OkStatus();
  });
  return handlers;
}

rpc::Service Handlers::Methods() {
  rpc::Service service("yuezhan.registry.v1.RegistryService");
  service.Add("CreateHostUnit", &Handlers::CreateHostUnit, this)
      .Add("GetHostUnit", &Handlers::GetHostUnit, this)
      .Add("ListHostUnits", &Handlers::ListHostUnits, this)
      .Add("CheckFiling", &Handlers::CheckFiling, this)
      .Add("FileStation", &Handlers::FileStation, this)
      .Add("ResubmitFiling", &Handlers::ResubmitFiling, this)
      .Add("ReturnFiling", &Handlers::ReturnFiling, this)
      .Add("RefuseFiling", &Handlers::RefuseFiling, this)
      .Add("GrantException", &Handlers::GrantException, this)
      .Add("AcceptFiling", &Handlers::AcceptFiling, this)
      .Add("SuspendStation", &Handlers::SuspendStation, this)
      .Add("ResumeStation", &Handlers::ResumeStation, this)
      .Add("CloseStation", &Handlers::CloseStation, this)
      .Add("GetStation", &Handlers::GetStation, this)
      .Add("ListStations", &Handlers::ListStations, this)
      .Add("RecordActivity", &Handlers::RecordActivity, this)
      .Add("ListActivities", &Handlers::ListActivities, this)
      .Add("PrintDocument", &Handlers::PrintDocument, this)
      .Add("GetStanding", &Handlers::GetStanding, this);
  return service;
}

}  // namespace yuezhan::registry
