#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "common/rules/filing.h"
#include "services/registry/handlers.h"
#include "services/registry/transitions.h"
#include "yuezhan/registry/v1/events.pb.h"

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
      [&](journal::Unit&, const Rules& rules, v1::Station* station) -> absl::Status {
        YZ_RETURN_IF_ERROR(CheckEffective(request.effective_on(), *station, rules.today));
        *station->add_suspensions()->mutable_from() = request.effective_on();
        station->set_reason(request.reason());
        return absl::OkStatus();
      });
}

absl::Status Handlers::ResumeStation(Context& context, const v1::ResumeStationRequest& request,
                                     v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "ResumeStation", v1::STATION_STATE_OPERATING, answer,
      [&](journal::Unit&, const Rules& rules, v1::Station* station) -> absl::Status {
        YZ_RETURN_IF_ERROR(CheckEffective(request.effective_on(), *station, rules.today));
        auto* last = station->mutable_suspensions(station->suspensions_size() - 1);
        *last->mutable_resumed_on() = request.effective_on();
        station->set_reason(request.reason());
        return absl::OkStatus();
      });
}

absl::Status Handlers::CloseStation(Context& context, const v1::CloseStationRequest& request,
                                    v1::Station* answer) {
  return ChangeStation(
      context, request, request.name(), "CloseStation", v1::STATION_STATE_CLOSED, answer,
      [&](journal::Unit&, const Rules& rules, v1::Station* station) -> absl::Status {
        YZ_RETURN_IF_ERROR(CheckEffective(request.effective_on(), *station, rules.today));
        *station->mutable_closed_on() = request.effective_on();
        station->set_reason(request.reason());
        return absl::OkStatus();
      });
}

absl::Status Handlers::RecordActivity(Context& context, const v1::RecordActivityRequest& request,
                                      v1::Activity* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.parent()));
    // No lock: an activity changes nothing of the station, and a suspension decided at the same
    // moment is as well before it as after.
    YZ_ASSIGN_OR_RETURN(const auto station, store_.Station(unit.sql(), id, false));
    if (!station || !MaySee(context.caller, station->form().host_unit()))
      return errors::NotFound(request.parent());
    YZ_RETURN_IF_ERROR(
        StationTransitions().Check(request.parent(), station->state(), "RecordActivity"));
    *answer = request.activity();
    rules::v1::ActivityFacts facts;
    facts.set_kind(answer->kind());
    *facts.mutable_date() = answer->date();
    facts.set_title(answer->title());
    facts.set_outcome(answer->outcome());
    *facts.mutable_station() = StationFactsOf(*station);
    const auto findings = rules::CheckActivity(rules.policy, *rules.calendar, facts, rules.today);
    if (!rules::Allows(findings)) return errors::Refused(findings, request.parent());
    answer->set_name(Name("stations", id, "activities", NewUuid()));
    *answer->mutable_create_time() = ToProto(unit.Now());
    store_.InsertActivity(unit.sql(), *answer);
    v1::ActivityRecorded event;
    event.set_activity(answer->name());
    unit.Emit(event);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListActivities(Context& context, const v1::ListActivitiesRequest& request,
                                      v1::ListActivitiesResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.parent()));
    YZ_ASSIGN_OR_RETURN(const auto station, store_.Station(sql, id, false));
    if (!station || !MaySee(context.caller, station->form().host_unit()))
      return errors::NotFound(request.parent());
    const auto activities = store_.Activities(sql, id, {after, size});
    answer->mutable_activities()->Assign(activities.begin(), activities.end());
    if (static_cast<int>(activities.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last,
                          IdOf("stations/*/activities/*", activities.back().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
