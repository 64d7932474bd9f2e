#include "common/rules/filing.h"

#include <deque>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "services/registry/handlers.h"
#include "services/registry/transitions.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {
namespace {

rules::v1::FilingFacts FormFacts(const v1::FilingForm& form) {
  rules::v1::FilingFacts facts;
  facts.set_station_name(form.display_name());
  facts.set_level(form.level());
  *facts.mutable_society() = form.society();
  *facts.mutable_principal() = form.principal();
  *facts.mutable_contact() = form.contact();
  facts.set_office_address(form.office_address());
  facts.set_postcode(form.postcode());
  facts.set_email(form.email());
  if (form.has_established_on()) *facts.mutable_established_on() = form.established_on();
  *facts.mutable_industry_chains() = form.industry_chains();
  facts.set_purpose(form.purpose());
  facts.set_main_work(form.main_work());
  facts.set_contract_party(form.contract_party());
  if (form.has_approval_reply()) *facts.mutable_approval_reply() = form.approval_reply();
  if (form.has_agreement()) *facts.mutable_agreement() = form.agreement();
  *facts.mutable_working_conditions() = form.working_conditions();
  *facts.mutable_funding_guarantee() = form.funding_guarantee();
  *facts.mutable_management_rules() = form.management_rules();
  return facts;
}

// Keeps what a decision rests on: findings and policy with the station, the facts, its host's of
// today among them, in the trail.
void Keep(journal::Unit& unit, const rules::Findings& findings, const Rules& rules,
          const rules::v1::FilingFacts& facts, v1::Station* station) {
  station->mutable_findings()->Assign(findings.begin(), findings.end());
  *station->mutable_policy() = rules.reference;
  unit.EmitPrivate(facts);
}

// Whether "contact.mobile" leads to a field of that type.
bool HasField(const google::protobuf::Descriptor* type, const std::string& path) {
  for (const auto step : absl::StrSplit(path, '.')) {
    const auto* field = type == nullptr ? nullptr : type->FindFieldByName(std::string(step));
    if (field == nullptr) return false;
    type = field->message_type();
  }
  return true;
}

}  // namespace

std::string FilingNumber(int64_t year, common::v1::StationLevel level, int64_t count) {
  constexpr std::string_view kLetters[] = {"", "G", "S", "D"};  // 国家级, 省级, 市级（地市）
  return absl::StrFormat("YZ-%d-%s-%04d", year, kLetters[level], count);
}

absl::StatusOr<v1::HostUnit> Handlers::HostOf(db::Session& sql, const v1::FilingForm& form,
                                              std::string_view path) const {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("hostUnits/*", form.host_unit()));
  YZ_ASSIGN_OR_RETURN(auto unit, store_.HostUnit(sql, id));
  if (unit) return *std::move(unit);
  return errors::InvalidField(path, "该建站单位未登记，请先登记建站单位",
                              "no such host unit: register it first");
}

absl::StatusOr<rules::v1::FilingFacts> Handlers::FilingFactsOf(db::Session& sql,
                                                               const v1::Station& station) const {
  YZ_ASSIGN_OR_RETURN(const v1::HostUnit host, HostOf(sql, station.form(), "form.host_unit"));
  return registry::FilingFactsOf(station, host);
}

rules::v1::FilingFacts FilingFactsOf(const v1::Station& station, const v1::HostUnit& host) {
  rules::v1::FilingFacts facts = FormFacts(station.form());
  *facts.mutable_host() = HostFactsOf(host);
  *facts.mutable_exceptions() = station.exceptions();
  if (station.has_demand_fit()) *facts.mutable_demand_fit() = station.demand_fit();
  if (station.has_industry_tie()) *facts.mutable_industry_tie() = station.industry_tie();
  return facts;
}

absl::Status Handlers::CheckFiling(Context& context, const v1::CheckFilingRequest& request,
                                   v1::CheckFilingResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    v1::Station station;
    *station.mutable_form() = request.form();
    if (!MaySee(context.caller, request.form().host_unit()))
      return errors::NotFound(request.form().host_unit());
    YZ_ASSIGN_OR_RETURN(const auto facts, FilingFactsOf(sql, station));
    const auto findings = rules::CheckFiling(rules.policy, *rules.calendar, facts, rules.today);
    answer->mutable_findings()->Assign(findings.begin(), findings.end());
    *answer->mutable_policy() = rules.reference;
    return absl::OkStatus();
  });
}

absl::Status Handlers::FileStation(
    const rpc::AskedList<v1::FileStationRequest, v1::Station>& asked) {
  std::vector<std::string> hosts;
  for (const auto& each : asked) {
    if (!MaySee(each.context.caller, each.request.form().host_unit()))
      return errors::NotFound(each.request.form().host_unit());
    hosts.push_back(each.request.form().host_unit());
  }
  return journal_.WriteAll(asked, [&](const auto& units) -> absl::Status {
    db::Session& sql = units.front()->sql();
    store_.PrefetchHostUnits(sql, hosts);
    std::vector<Store::NewStation> filed(asked.size());
    std::deque<v1::HostUnit> found;
    for (size_t i = 0; i < asked.size(); ++i) {
      const v1::FilingForm& form = asked[i].request.form();
      YZ_ASSIGN_OR_RETURN(auto host, HostOf(sql, form, "form.host_unit"));
      filed[i].host = &found.emplace_back(std::move(host));
      v1::Station& station = filed[i].station;
      station.set_name(Name("stations", NewUuid()));
      *station.mutable_form() = form;
      station.set_state(v1::STATION_STATE_FILED);
      *station.mutable_create_time() = ToProto(units[i]->Now());
      *station.mutable_state_time() = station.create_time();
      v1::StationChange& change = filed[i].change;
      change.set_method("FileStation");
      change.set_state(station.state());
      *change.mutable_effective_on() = DayToProto(BeijingDay(units[i]->Now()));
      *change.mutable_time() = station.create_time();
      change.set_officer(asked[i].context.caller.subject);
      v1::StationAdvanced event;
      event.set_station(station.name());
      event.set_host_unit(form.host_unit());
      event.set_state(v1::STATION_STATE_FILED);
      units[i]->Emit(event);
    }
    store_.InsertStations(sql, &filed);
    for (size_t i = 0; i < asked.size(); ++i) *asked[i].answer = std::move(filed[i].station);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ResubmitFiling(Context& context, const v1::ResubmitFilingRequest& request,
                                      v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "ResubmitFiling", v1::STATION_STATE_FILED, answer,
      [&](journal::Unit& unit, const Rules&, v1::Station* station,
          v1::StationChange* change) -> absl::Status {
        if (!request.etag().empty() && request.etag() != station->etag()) {
          return errors::EtagMismatch(request.name());
        }
        if (request.form().host_unit() != station->form().host_unit()) {
          return errors::InvalidField("form.host_unit", "补正时不得更换建站单位",
                                      "must stay the same host unit; file a new station instead");
        }
        YZ_RETURN_IF_ERROR(HostOf(unit.sql(), request.form(), "form.host_unit").status());
        *change->mutable_former_form() = station->form();
        *station->mutable_form() = request.form();
        station->clear_points();
        station->clear_fields_at_fault();
        return absl::OkStatus();
      });
}

absl::Status Handlers::ReturnFiling(Context& context, const v1::ReturnFilingRequest& request,
                                    v1::Station* answer) {
  for (int i = 0; i < request.fields_at_fault_size(); ++i) {
    if (HasField(v1::FilingForm::descriptor(), request.fields_at_fault(i))) continue;
    return errors::InvalidField(absl::StrCat("fields_at_fault[", i, "]"),
                                "应为备案登记表的字段，如 contact.mobile",
                                "must be the path of a field of the form, as contact.mobile");
  }
  return ChangeStation(context, request, request.name(), "ReturnFiling", v1::STATION_STATE_RETURNED,
                       answer,
                       [&](journal::Unit&, const Rules&, v1::Station* station,
                           v1::StationChange* change) {
                         *station->mutable_points() = request.points();
                         *station->mutable_fields_at_fault() = request.fields_at_fault();
                         change->set_reason(absl::StrJoin(request.points(), "\n"));
                         return absl::OkStatus();
                       });
}

absl::Status Handlers::RefuseFiling(Context& context, const v1::RefuseFilingRequest& request,
                                    v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "RefuseFiling", v1::STATION_STATE_REFUSED, answer,
      [&](journal::Unit& unit, const Rules& rules, v1::Station* station,
          v1::StationChange* change) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(const auto facts, FilingFactsOf(unit.sql(), *station));
        const auto findings = rules::CheckFiling(rules.policy, *rules.calendar, facts, rules.today);
        Keep(unit, findings, rules, facts, station);
        station->set_reason(request.reason());
        change->set_reason(request.reason());
        return absl::OkStatus();
      });
}

absl::Status Handlers::GrantException(Context& context, const v1::GrantExceptionRequest& request,
                                      v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "GrantException", v1::STATION_STATE_FILED, answer,
      [&](journal::Unit& unit, const Rules& rules, v1::Station* station,
          v1::StationChange* change) -> absl::Status {
        const auto& exceptable = rules.policy.filing().exceptable_rules();
        if (std::find(exceptable.begin(), exceptable.end(), request.rule_id()) ==
            exceptable.end()) {
          return errors::InvalidField("rule_id", "该条件不属于“原则上”的条件，不得例外",
                                      "the policy does not let this rule be excepted");
        }
        common::v1::RuleException* exception = station->add_exceptions();
        change->set_reason(request.reason());
        exception->set_rule_id(request.rule_id());
        exception->set_reason(request.reason());
        exception->set_officer(context.caller.subject);
        *exception->mutable_granted_on() = DayToProto(rules.today);
        v1::ExceptionGranted event;
        event.set_station(station->name());
        event.set_rule_id(request.rule_id());
        unit.Emit(event);
        return absl::OkStatus();
      });
}

absl::Status Handlers::LockFilingsAhead(const std::vector<std::string>& names) {
  const int64_t year = BeijingDay(journal_.clocks().business->Now()).year();
  return db::Read(journal_.pool(), absl::InfiniteFuture(), [&](db::Session& sql) {
    store_.LockFilings(sql, names, static_cast<int>(year));
    return absl::OkStatus();
  });
}

absl::Status Handlers::AcceptFiling(Context& context, const v1::AcceptFilingRequest& request,
                                    v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "AcceptFiling", v1::STATION_STATE_OPERATING, answer,
      [&](journal::Unit& unit, const Rules& rules, v1::Station* station,
          v1::StationChange*) -> absl::Status {
        if (request.has_demand_fit()) *station->mutable_demand_fit() = request.demand_fit();
        if (request.has_industry_tie()) *station->mutable_industry_tie() = request.industry_tie();
        for (auto* confirmation :
             {station->mutable_demand_fit(), station->mutable_industry_tie()}) {
          if (confirmation->confirmed()) confirmation->set_officer(context.caller.subject);
        }
        YZ_ASSIGN_OR_RETURN(const auto facts, FilingFactsOf(unit.sql(), *station));
        const auto findings = rules::CheckFiling(rules.policy, *rules.calendar, facts, rules.today);
        if (!rules::Allows(findings)) return errors::Refused(findings, station->name());
        Keep(unit, findings, rules, facts, station);
        *station->mutable_accepted_on() = DayToProto(rules.today);
        const auto level = station->form().level();
        const int64_t year = rules.today.year();
        station->set_filing_number(FilingNumber(
            year, level,
            store_.TakeFilingNumbers(unit.sql(), static_cast<int>(year), level, 1)));
        return absl::OkStatus();
      });
}

}  // namespace yuezhan::registry
