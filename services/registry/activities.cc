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

// What it is judged by is kept in the trail.
absl::Status Judge(journal::Unit& unit, const Rules& rules, const v1::Station& station,
                   const v1::Activity& activity) {
  rules::v1::ActivityFacts facts;
  facts.set_kind(activity.kind());
  *facts.mutable_date() = activity.date();
  facts.set_title(activity.title());
  facts.set_outcome(activity.outcome());
  *facts.mutable_station() = StationFactsOf(station);
  const auto findings = rules::CheckActivity(rules.policy, *rules.calendar, facts, rules.today);
  if (!rules::Allows(findings)) return errors::Refused(findings, station.name());
  v1::ActivityJudged judged;
  judged.set_activity(activity.name());
  judged.set_version(activity.version());
  judged.mutable_findings()->Assign(findings.begin(), findings.end());
  *judged.mutable_policy() = rules.reference;
  unit.EmitPrivate(judged);
  unit.EmitPrivate(facts);
  return absl::OkStatus();
}

}  // namespace

absl::Status Handlers::RecordActivity(
    const rpc::AskedList<v1::RecordActivityRequest, v1::Activity>& asked) {
  std::vector<std::string> ids;
  for (const auto& each : asked) {
    YZ_ASSIGN_OR_RETURN(ids.emplace_back(), IdOf("stations/*", each.request.parent()));
  }
  return journal_.WriteAll(asked, [&](const auto& units) -> absl::Status {
    db::Session& sql = units.front()->sql();
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(units.front()->Now()));
    // No lock: an activity changes nothing of the station, and a suspension decided at the same
    // moment is as well before it as after.
    YZ_ASSIGN_OR_RETURN(const auto stations, store_.StationsById(sql, ids));
    std::vector<const v1::Activity*> activities;
    for (size_t i = 0; i < asked.size(); ++i) {
      const auto& [context, request, activity] = asked[i];
      journal::Unit& unit = *units[i];
      YZ_ASSIGN_OR_RETURN(const auto* station,
                          SeenOf(stations, context.caller, ids[i], request.parent()));
      YZ_RETURN_IF_ERROR(
          StationTransitions().Check(request.parent(), station->state(), "RecordActivity"));
      YZ_RETURN_IF_ERROR(CheckEvidence(sql, request.parent(), "activity.evidence",
                                       request.activity().evidence()));
      *activity = request.activity();
      activity->set_name(Name("stations", ids[i], "activities", NewUuid()));
      *activity->mutable_create_time() = ToProto(unit.Now());
      activity->set_version(1);
      activity->set_recorded_by(context.caller.subject);
      YZ_RETURN_IF_ERROR(Judge(unit, rules, *station, *activity));
      activities.push_back(activity);
      v1::ActivityRecorded event;
      event.set_activity(activity->name());
      unit.Emit(event);
    }
    store_.InsertActivities(sql, activities);
    return absl::OkStatus();
  });
}

absl::Status Handlers::CorrectActivity(Context& context, const v1::CorrectActivityRequest& request,
                                       v1::Activity* answer) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("stations/*/activities/*", request.name()));
  const std::string parent = Name("stations", ids[0]);
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    const auto seen = SeenStation(unit.sql(), context.caller, parent, false);
    const auto before = store_.Activity(unit.sql(), ids[0], ids[1], 0);
    if (!seen.ok() || !before) return errors::NotFound(request.name());
    YZ_RETURN_IF_ERROR(StationTransitions().Check(parent, seen->state(), "CorrectActivity"));
    if (before->version() != request.version()) return errors::EtagMismatch(request.name());
    *answer = request.activity();
    YZ_RETURN_IF_ERROR(
        CheckEvidence(unit.sql(), parent, "activity.evidence", request.activity().evidence()));
    answer->set_name(before->name());
    *answer->mutable_create_time() = before->create_time();
    answer->set_version(before->version() + 1);
    answer->set_recorded_by(context.caller.subject);
    answer->set_correction_reason(request.reason());
    YZ_RETURN_IF_ERROR(Judge(unit, rules, *seen, *answer));
    if (!store_.UpdateActivity(unit.sql(), *answer)) return errors::EtagMismatch(request.name());
    v1::ActivityCorrected event;
    event.set_activity(answer->name());
    event.set_version(answer->version());
    unit.Emit(event);
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetActivity(Context& context, const v1::GetActivityRequest& request,
                                   v1::Activity* answer) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("stations/*/activities/*", request.name()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    const auto seen = SeenStation(sql, context.caller, Name("stations", ids[0]), false);
    auto found = store_.Activity(sql, ids[0], ids[1], request.version());
    if (!seen.ok() || !found) return errors::NotFound(request.name());
    *answer = *found;
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListActivities(Context& context, const v1::ListActivitiesRequest& request,
                                      v1::ListActivitiesResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_RETURN_IF_ERROR(SeenStation(sql, context.caller, request.parent(), false).status());
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.parent()));
    auto found = store_.Activities(sql, id, {after, size});
    answer->mutable_activities()->Swap(&found.rows);
    if (answer->activities_size() == size)
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, found.last_key));
    return absl::OkStatus();
  });
}

absl::Status Handlers::SumActivities(Context& context, const v1::SumActivitiesRequest& request,
                                     v1::SumActivitiesResponse* answer) {
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    std::string id;
    if (!request.parent().empty()) {
      YZ_RETURN_IF_ERROR(SeenStation(sql, context.caller, request.parent(), false).status());
      YZ_ASSIGN_OR_RETURN(id, IdOf("stations/*", request.parent()));
    } else if (!SeesAllHosts(context.caller)) {
      return errors::InvalidField("parent", "请指定服务站", "must name a station of your own");
    }
    const auto sums = store_.ActivitySums(sql, id, request.first_year(), request.last_year());
    answer->mutable_sums()->Assign(sums.begin(), sums.end());
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
