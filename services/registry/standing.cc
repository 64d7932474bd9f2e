#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/handlers.h"
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
  if (unit.has_credit_code_accepted())
    *facts.mutable_credit_code_accepted() = unit.credit_code_accepted();
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
  facts.set_society_name(station.form().society().name());
  return facts;
}

absl::StatusOr<v1::Station> Handlers::SeenStation(db::Session& sql, const Caller& caller,
                                                  std::string_view name, bool lock) const {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", name));
  YZ_ASSIGN_OR_RETURN(
      auto station,
      store_.Station(sql, id, lock ? Store::Reading::kForChange : Store::Reading::kShown));
  if (!station || !MaySee(caller, station->form().host_unit())) return errors::NotFound(name);
  return *std::move(station);
}

absl::StatusOr<const v1::Station*> Handlers::SeenOf(
    const std::map<std::string, v1::Station>& stations, const Caller& caller,
    const std::string& id, std::string_view name) {
  const auto found = stations.find(id);
  if (found == stations.end() || !MaySee(caller, found->second.form().host_unit())) {
    return errors::NotFound(name);
  }
  return &found->second;
}

absl::Status Handlers::ChangeStation(Context& context, const google::protobuf::Message& request,
                                     std::string_view name, std::string_view method,
                                     v1::StationState to, v1::Station* answer, Change change) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(auto station, SeenStation(unit.sql(), context.caller, name, true));
    const v1::StationState from = station.state();
    const v1::StationState next = to == v1::STATION_STATE_UNSPECIFIED ? from : to;
    YZ_RETURN_IF_ERROR(StationTransitions().Check(name, from, next, method));
    v1::StationChange record;
    record.set_method(std::string(method));
    record.set_from(from);
    record.set_state(next);
    *record.mutable_effective_on() = DayToProto(rules.today);
    *record.mutable_time() = ToProto(unit.Now());
    record.set_officer(context.caller.subject);
    YZ_RETURN_IF_ERROR(change(unit, rules, &station, &record));
    station.set_state(next);
    if (from != next) *station.mutable_state_time() = record.time();
    // A form that was returned may name another society; an accepted one stays in its lineage.
    const auto form = !record.has_former_form()           ? Store::Form::kSame
                      : from == v1::STATION_STATE_RETURNED ? Store::Form::kResubmitted
                                                           : Store::Form::kCorrected;
    if (!store_.UpdateStation(unit.sql(), &station, form)) return errors::Conflict();
    store_.InsertStationChange(unit.sql(), station, record);
    v1::StationAdvanced event;
    event.set_station(station.name());
    event.set_host_unit(station.form().host_unit());
    event.set_from(from);
    event.set_state(next);
    event.set_filing_number(station.filing_number());
    unit.Emit(event);
    *answer = std::move(station);
    return absl::OkStatus();
  });
}

absl::Status Handlers::Show(v1::Station* station) const {
  if (station->state() != v1::STATION_STATE_FILED) return absl::OkStatus();
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  const Day since = BeijingDay(FromProto(station->state_time()));
  const int days = rules.policy.filing().decision_working_days();
  const Day due = rules.calendar->AddWorkingDays(since, days).day;
  *station->mutable_due_on() = DayToProto(due);
  station->set_overdue(rules.today > due);
  return absl::OkStatus();
}

absl::Status Handlers::GetStation(
    const rpc::AskedList<v1::GetStationRequest, v1::Station>& asked) {
  std::vector<std::string> ids;
  for (const auto& each : asked) {
    YZ_ASSIGN_OR_RETURN(ids.emplace_back(), IdOf("stations/*", each.request.name()));
  }
  const absl::Time deadline = rpc::LastDeadline(asked);
  return db::Read(journal_.pool(), deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const auto stations, store_.StationsById(sql, ids));
    for (size_t i = 0; i < asked.size(); ++i) {
      const auto& [context, request, answer] = asked[i];
      YZ_ASSIGN_OR_RETURN(const auto* station,
                          SeenOf(stations, context.caller, ids[i], request.name()));
      *answer = *station;
      YZ_RETURN_IF_ERROR(Show(answer));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetStanding(
    const rpc::AskedList<v1::GetStandingRequest, rules::v1::StandingFacts>& asked) {
  std::vector<std::string> stations;
  for (const auto& each : asked) stations.push_back(each.request.station());
  YZ_ASSIGN_OR_RETURN(auto standings, StandingsOf(stations, rpc::LastDeadline(asked)));
  for (size_t i = 0; i < asked.size(); ++i) {
    if (!MaySee(asked[i].context.caller, standings[i].host().host_unit())) {
      return errors::NotFound(stations[i]);
    }
    *asked[i].answer = std::move(standings[i]);
  }
  return absl::OkStatus();
}

absl::Status Handlers::BatchGetStandings(Context& context,
                                         const v1::BatchGetStandingsRequest& request,
                                         v1::BatchGetStandingsResponse* answer) {
  const std::vector<std::string> stations(request.stations().begin(), request.stations().end());
  YZ_ASSIGN_OR_RETURN(auto standings, StandingsOf(stations, context.deadline));
  for (size_t i = 0; i < stations.size(); ++i) {
    if (!MaySee(context.caller, standings[i].host().host_unit())) {
      return errors::NotFound(stations[i]);
    }
    *answer->add_standings() = std::move(standings[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<rules::v1::StandingFacts>> Handlers::StandingsOf(
    const std::vector<std::string>& stations, absl::Time deadline) {
  std::vector<std::string> ids;
  for (const std::string& station : stations) {
    YZ_ASSIGN_OR_RETURN(ids.emplace_back(), IdOf("stations/*", station));
  }
  std::vector<rules::v1::StandingFacts> standings;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), deadline, [&](db::Session& sql) -> absl::Status {
    standings.clear();
    YZ_ASSIGN_OR_RETURN(const auto found, store_.StandingsOf(sql, ids));
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto standing = found.find(ids[i]);
      if (standing == found.end()) return errors::NotFound(stations[i]);
      const auto& [station, host, lineage, sequence] = standing->second;
      if (!host) return errors::DataLoss(station.form().host_unit());
      rules::v1::StandingFacts& facts = standings.emplace_back();
      *facts.mutable_station() = StationFactsOf(station);
      facts.mutable_station()->set_lineage(ToHex(lineage));
      facts.mutable_station()->set_registry_sequence(sequence);
      *facts.mutable_host() = HostFactsOf(*host);
    }
    return absl::OkStatus();
  }));
  return standings;
}

journal::EventHandlers Handlers::OnPayment() {
  journal::EventHandlers handlers;
  handlers.Ahead<payment::v1::PaymentAdvanced>(
      [](const payment::v1::PaymentAdvanced& event) {
        return event.state() == payment::v1::PAYMENT_STATE_SETTLED
                   ? absl::StrCat(event.station(), " ", event.payment())
                   : "";
      },
      [this](const std::vector<std::string>& pairs, db::Session& sql) {
        std::vector<std::string> stations, payments;
        for (const std::string& pair : pairs) {
          const std::pair<std::string, std::string> names = absl::StrSplit(pair, ' ');
          stations.push_back(names.first);
          payments.push_back(names.second);
        }
        store_.LockSubsidized(sql, stations, payments);
      });
  handlers.On<payment::v1::PaymentAdvanced>([this](const payment::v1::PaymentAdvanced& event,
                                                   const journal::EventOrigin&,
                                                   journal::Unit& unit) -> absl::Status {
    const bool settled = event.state() == payment::v1::PAYMENT_STATE_SETTLED;
    if (!settled && event.from() != payment::v1::PAYMENT_STATE_SETTLED) return absl::OkStatus();
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", event.station()));
    YZ_ASSIGN_OR_RETURN(const std::string payment, IdOf("payments/*", event.payment()));
    YZ_ASSIGN_OR_RETURN(const auto station,
                        store_.Station(unit.sql(), id, Store::Reading::kForChange));
    if (!station) return absl::DataLossError(absl::StrCat("no ", event.station()));
    v1::StationSubsidized subsidized;
    subsidized.set_station(event.station());
    subsidized.set_payment(event.payment());
    if (!settled) {
      if (!store_.RemoveSubsidy(unit.sql(), id, payment)) return absl::OkStatus();
      subsidized.set_taken_back(true);
      unit.Emit(subsidized);
      return absl::OkStatus();
    }
    rules::v1::SubsidyFacts subsidy;
    subsidy.set_station(event.station());
    subsidy.set_level(event.level());
    subsidy.set_source(event.case_name());
    *subsidy.mutable_paid_on() = event.settled_on();
    if (!store_.InsertSubsidy(unit.sql(), id, payment, subsidy)) return absl::OkStatus();
    v1::UseReport report;
    report.set_name(Name("stations", id, "useReports", NewUuid()));
    report.set_payment(event.payment());
    report.set_host_unit(station->form().host_unit());
    *report.mutable_paid() = MoneyOf(event.amount_fen());
    *report.mutable_paid_on() = event.settled_on();
    report.set_bank_reference(event.bank_reference());
    ExpectUseReport(unit, rules, std::move(report), payment);
    unit.Emit(subsidized);
    return absl::OkStatus();
  });
  return handlers;
}

rpc::Service Handlers::Methods() {
  rpc::Service service("yuezhan.registry.v1.RegistryService", journal_.Joining());
  service.AddJoined("CreateHostUnit", &Handlers::CreateHostUnit, this)
      .Add("GetHostUnit", &Handlers::GetHostUnit, this)
      .Add("UpdateHostUnit", &Handlers::UpdateHostUnit, this)
      .Add("ChangeAccount", &Handlers::ChangeAccount, this)
      .Add("ListAccountChanges", &Handlers::ListAccountChanges, this)
      .Add("ListHostUnits", &Handlers::ListHostUnits, this)
      .Add("CheckFiling", &Handlers::CheckFiling, this)
      .Add("FileStation", &Handlers::FileStation, this)
      .Add("ResubmitFiling", &Handlers::ResubmitFiling, this)
      .Add("ReturnFiling", &Handlers::ReturnFiling, this)
      .Add("RefuseFiling", &Handlers::RefuseFiling, this)
      .Add("GrantException", &Handlers::GrantException, this)
      .AddJoined("AcceptFiling", &Handlers::AcceptFiling, this, &Handlers::LockFilingsAhead)
      .AddBatch<v1::BatchAcceptFilingsRequest, v1::BatchAcceptFilingsResponse>("BatchAcceptFilings")
      .Add("SuspendStation", &Handlers::SuspendStation, this)
      .Add("ResumeStation", &Handlers::ResumeStation, this)
      .Add("CloseStation", &Handlers::CloseStation, this)
      .Add("CorrectStation", &Handlers::CorrectStation, this)
      .Add("GetStation", &Handlers::GetStation, this, 1)
      .Add("GetStationState", &Handlers::GetStationState, this)
      .Add("ListStationChanges", &Handlers::ListStationChanges, this)
      .Add("ListStations", &Handlers::ListStations, this)
      .Add("RecordActivity", &Handlers::RecordActivity, this)
      .Add("CorrectActivity", &Handlers::CorrectActivity, this)
      .Add("GetActivity", &Handlers::GetActivity, this)
      .Add("ListActivities", &Handlers::ListActivities, this)
      .Add("SumActivities", &Handlers::SumActivities, this)
      .Add("StartEvidence", &Handlers::StartEvidence, this)
      .Add("WriteEvidence", &Handlers::WriteEvidence, this)
      .Add("GetEvidenceUpload", &Handlers::GetEvidenceUpload, this)
      .Add("FinishEvidence", &Handlers::FinishEvidence, this)
      .Add("ReadEvidence", &Handlers::ReadEvidence, this)
      .Add("ListEvidence", &Handlers::ListEvidence, this)
      .Add("RecordEvaluation", &Handlers::RecordEvaluation, this)
      .Add("NotifyEvaluation", &Handlers::NotifyEvaluation, this)
      .Add("RequestEvaluationReview", &Handlers::RequestEvaluationReview, this)
      .Add("DecideEvaluationReview", &Handlers::DecideEvaluationReview, this)
      .Add("SupersedeEvaluation", &Handlers::SupersedeEvaluation, this)
      .Add("GetEvaluation", &Handlers::GetEvaluation, this)
      .Add("ListEvaluations", &Handlers::ListEvaluations, this)
      .Add("LiftDebarment", &Handlers::LiftDebarment, this)
      .Add("ListDebarments", &Handlers::ListDebarments, this)
      .Add("SubmitUseReport", &Handlers::SubmitUseReport, this)
      .Add("ReviewUseReport", &Handlers::ReviewUseReport, this)
      .Add("GetUseReport", &Handlers::GetUseReport, this)
      .Add("ListUseReports", &Handlers::ListUseReports, this)
      .Add("ImportRows", &Handlers::ImportRows, this)
      .Add("ExportRows", &Handlers::ExportRows, this)
      .Add("PrintDocument", &Handlers::PrintDocument, this)
      .Add("GetStanding", &Handlers::GetStanding, this, 1)
      .Add("BatchGetStandings", &Handlers::BatchGetStandings, this);
  return service;
}

}  // namespace yuezhan::registry
