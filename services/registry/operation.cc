#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rules/filing.h"
#include "common/rules/standing.h"
#include "services/registry/handlers.h"

namespace yuezhan::registry {
namespace {

// The day from which the station's present state holds: no later change may lie before it.
Day LastChange(const v1::Station& station) {
  Day last = *DayFromProto(station.form().established_on());
  for (const auto& suspension : station.suspensions()) {
    last = std::max(last, *DayFromProto(suspension.from()));
    if (suspension.has_resumed_on()) last = std::max(last, *DayFromProto(suspension.resumed_on()));
  }
  return last;
}

absl::Status CheckEffective(const google::type::Date& date, const v1::Station& station, Day today) {
  const auto day = DayFromProto(date);
  if (!day)
    return errors::InvalidField("effective_on", "不是有效日期", "is no day of the calendar");
  if (*day > today)
    return errors::InvalidField("effective_on", "生效日期不得晚于今天",
                                "must not be in the future");
  if (*day < LastChange(station)) {
    return errors::InvalidField("effective_on", "生效日期不得早于上一次变更",
                                "must not be before the last change");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Handlers::SuspendStation(Context& context, const v1::SuspendStationRequest& request,
                                      v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "SuspendStation", v1::STATION_STATE_SUSPENDED, answer,
      [&](journal::Unit&, const Rules& rules, v1::Station* station,
          v1::StationChange* change) -> absl::Status {
        YZ_RETURN_IF_ERROR(CheckEffective(request.effective_on(), *station, rules.today));
        *station->add_suspensions()->mutable_from() = request.effective_on();
        station->set_reason(request.reason());
        change->set_reason(request.reason());
        *change->mutable_effective_on() = request.effective_on();
        return absl::OkStatus();
      });
}

absl::Status Handlers::ResumeStation(Context& context, const v1::ResumeStationRequest& request,
                                     v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "ResumeStation", v1::STATION_STATE_OPERATING, answer,
      [&](journal::Unit&, const Rules& rules, v1::Station* station,
          v1::StationChange* change) -> absl::Status {
        YZ_RETURN_IF_ERROR(CheckEffective(request.effective_on(), *station, rules.today));
        auto* last = station->mutable_suspensions(station->suspensions_size() - 1);
        *last->mutable_resumed_on() = request.effective_on();
        station->set_reason(request.reason());
        change->set_reason(request.reason());
        *change->mutable_effective_on() = request.effective_on();
        return absl::OkStatus();
      });
}

absl::Status Handlers::CloseStation(Context& context, const v1::CloseStationRequest& request,
                                    v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "CloseStation", v1::STATION_STATE_CLOSED, answer,
      [&](journal::Unit&, const Rules& rules, v1::Station* station,
          v1::StationChange* change) -> absl::Status {
        YZ_RETURN_IF_ERROR(CheckEffective(request.effective_on(), *station, rules.today));
        *station->mutable_closed_on() = request.effective_on();
        station->set_reason(request.reason());
        change->set_reason(request.reason());
        *change->mutable_effective_on() = request.effective_on();
        return absl::OkStatus();
      });
}

absl::Status Handlers::CorrectStation(Context& context, const v1::CorrectStationRequest& request,
                                      v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "CorrectStation", v1::STATION_STATE_UNSPECIFIED, answer,
      [&](journal::Unit& unit, const Rules& rules, v1::Station* station,
          v1::StationChange* change) -> absl::Status {
        if (request.etag() != station->etag()) return errors::EtagMismatch(request.name());
        const v1::FilingForm &before = station->form(), &after = request.form();
        if (after.host_unit() != before.host_unit() || after.level() != before.level()) {
          return errors::InvalidField(
              after.level() != before.level() ? "form.level" : "form.host_unit",
              "已备案的服务站不得更换建站单位或级别，请撤销后重新备案",
              "must stay; close the station and file it anew");
        }
        for (const auto& suspension : station->suspensions()) {
          if (*DayFromProto(after.established_on()) <= *DayFromProto(suspension.from())) continue;
          return errors::InvalidField("form.established_on", "建站时间不得晚于已登记的停运日期",
                                      "must not be after a suspension on record");
        }
        if (!store_.RenameLineage(unit.sql(), before, after)) {
          return errors::InvalidField(
              "form.society.name", "该学会在本单位已另有服务站，不得改为其名称",
              "is the name of a society that has stations of its own at this host unit");
        }
        *change->mutable_former_form() = before;
        *station->mutable_form() = after;
        YZ_ASSIGN_OR_RETURN(const auto facts, FilingFactsOf(unit.sql(), *station));
        const auto findings = rules::CheckFiling(rules.policy, *rules.calendar, facts, rules.today);
        if (!rules::Allows(findings)) return errors::Refused(findings, station->name());
        station->mutable_findings()->Assign(findings.begin(), findings.end());
        *station->mutable_policy() = rules.reference;
        unit.EmitPrivate(facts);
        change->set_reason(request.reason());
        return absl::OkStatus();
      });
}

absl::Status Handlers::GetStationState(Context& context, const v1::GetStationStateRequest& request,
                                       v1::StationStateOn* answer) {
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  const Day day = *DayFromProto(request.date());
  if (day > rules.today) {
    return errors::InvalidField("date", "日期不得晚于今天", "must not be in the future");
  }
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const auto station,
                        SeenStation(sql, context.caller, request.name(), false));
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.name()));
    YZ_ASSIGN_OR_RETURN(const auto changes, store_.StationChanges(sql, id));
    *answer->mutable_date() = request.date();
    for (const v1::StationChange& change : changes) {
      if (BeijingDay(FromProto(change.time())) <= day) answer->set_recorded_state(change.state());
    }
    const rules::v1::StationFacts facts = StationFactsOf(station);
    const auto established = rules::EstablishedOn(rules.policy, facts);
    if (!facts.filed() || !established || day < *established) return absl::OkStatus();
    switch (rules::OperationOn(facts, day)) {
      case rules::Operation::kOperating:
        answer->set_state(v1::STATION_STATE_OPERATING);
        break;
      case rules::Operation::kSuspended:
        answer->set_state(v1::STATION_STATE_SUSPENDED);
        break;
      case rules::Operation::kClosed:
        answer->set_state(v1::STATION_STATE_CLOSED);
        break;
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListStationChanges(Context& context,
                                          const v1::ListStationChangesRequest& request,
                                          v1::ListStationChangesResponse* answer) {
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_RETURN_IF_ERROR(SeenStation(sql, context.caller, request.parent(), false).status());
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.parent()));
    YZ_ASSIGN_OR_RETURN(const auto changes, store_.StationChanges(sql, id));
    answer->mutable_changes()->Assign(changes.begin(), changes.end());
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
