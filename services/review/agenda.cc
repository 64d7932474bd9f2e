#include <map>
#include <set>

#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rules/review.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/meeting_items.h"
#include "services/review/transitions.h"

// What goes to a directors' meeting (article 5.2).
namespace yuezhan::review {
namespace {

absl::Status CheckAgenda(const v1::ConveneMeetingRequest& request) {
  for (int i = 0; i < request.items_size(); ++i) {
    for (int k = 0; k < i; ++k) {
      if (SameItem(request.items(i), request.items(k)))
        return BadItem(request.items(i), "在议程中出现两次", "stands on the agenda twice");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Handlers::ConveneMeeting(Context& context, const v1::ConveneMeetingRequest& request,
                                      v1::Meeting* answer) {
  YZ_RETURN_IF_ERROR(CheckAgenda(request));
  const std::set<std::string> names = CasesOf(request.items(), true);
  YZ_ASSIGN_OR_RETURN(const Standings standings,
                      StandingsOf(context, {names.begin(), names.end()}));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    answer->set_name(Name("meetings", NewUuid()));
    answer->set_state(v1::MEETING_STATE_CONVENED);
    *answer->mutable_create_time() = ToProto(unit.Now());
    std::map<std::string, const v1::MeetingItem*> cases;  // locked in the order of their names
    for (const v1::MeetingItem& item : request.items()) {
      if (item.objection().empty()) cases[item.case_name()] = &item;
    }
    store_.PrefetchCases(unit.sql(), {names.begin(), names.end()});
    for (const auto& [name, item] : cases)
      YZ_RETURN_IF_ERROR(PutOnAgenda(unit, standings, *item, answer->name()));
    std::set<std::string> objections;
    for (const v1::MeetingItem& item : request.items()) {
      v1::MeetingItem* agenda = answer->add_items();
      agenda->set_case_name(item.case_name());
      agenda->set_objection(item.objection());
      agenda->set_corrects(item.corrects());
      if (!item.objection().empty()) objections.insert(item.objection());
    }
    for (const std::string& name : objections) {
      YZ_ASSIGN_OR_RETURN(v1::Objection objection, LockObjection(unit.sql(), name));
      for (const v1::MeetingItem& item : request.items()) {
        if (item.objection() == name && item.case_name() != objection.case_name())
          return BadItem(item, "异议不属于该案", "is no objection to that case");
      }
      if (objection.state() == v1::OBJECTION_STATE_EXAMINED && !objection.meeting().empty())
        return errors::AlreadyExists("items.objection", objection.meeting());
      objection.set_meeting(answer->name());
      YZ_RETURN_IF_ERROR(Advance(unit, &objection, v1::OBJECTION_STATE_EXAMINED, "ConveneMeeting"));
    }
    store_.InsertMeeting(unit.sql(), answer);
    EmitMeeting(unit, *answer);
    return absl::OkStatus();
  });
}

absl::Status Handlers::PutOnAgenda(journal::Unit& unit, const Standings& standings,
                                   const v1::MeetingItem& item, std::string_view meeting) {
  const std::string& name = item.case_name();
  YZ_ASSIGN_OR_RETURN(v1::Case review_case, LockCase(unit.sql(), name));
  YZ_RETURN_IF_ERROR(CaseTransitions().Check(name, review_case.state(), "ConveneMeeting"));
  const bool corrects = review_case.state() == v1::CASE_STATE_AWARDED;
  if (corrects && !review_case.correction().empty())
    return errors::AlreadyExists("items.corrects", review_case.correction());
  if (item.corrects() != (corrects ? review_case.meeting() : "")) {
    return BadItem(item, "更正须引用作出原决定的会议；尚未审定的案件不填",
                   "must cite the meeting whose resolution it corrects, and only then");
  }
  YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(review_case, unit.Now()));
  const auto facts = CaseFactsOf(review_case, standings.at(name));
  const auto findings = rules::CheckMeetingItem(rules.policy, *rules.calendar, facts, rules.today);
  // What does not hold any more is a reason to correct an award, not to leave it.
  if (!rules::Allows(findings) && !corrects) return errors::Refused(findings, name);
  Keep(unit, findings, rules.reference, facts, &review_case);
  if (corrects) {
    review_case.set_correction(std::string(meeting));
    return Advance(unit, &review_case, v1::CASE_STATE_AWARDED, "ConveneMeeting");
  }
  review_case.set_meeting(std::string(meeting));
  return Advance(unit, &review_case, v1::CASE_STATE_ON_AGENDA, "ConveneMeeting");
}

absl::Status Handlers::GetMeeting(Context& context, const v1::GetMeetingRequest& request,
                                  v1::Meeting* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("meetings/*", request.name()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(auto meeting, store_.Meeting(sql, id, false));
    if (!meeting) return errors::NotFound(request.name());
    *answer = *std::move(meeting);
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::review
