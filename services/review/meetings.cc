#include <algorithm>
#include <set>

#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rules/review.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/meeting_items.h"
#include "services/review/transitions.h"

namespace yuezhan::review {
namespace {

constexpr std::string_view kMethod = "CloseMeeting";

// Puts the request's items in the place of the agenda's. What the request leaves out stays without
// a resolution.
absl::Status FillIn(const v1::CloseMeetingRequest& request, v1::Meeting* meeting) {
  std::set<const v1::MeetingItem*> filled;
  for (const v1::MeetingItem& item : request.items()) {
    const auto place =
        std::find_if(meeting->mutable_items()->begin(), meeting->mutable_items()->end(),
                     [&](const v1::MeetingItem& agenda) { return SameItem(agenda, item); });
    if (place == meeting->mutable_items()->end())
      return BadItem(item, "不在会议议程中", "is not on the agenda");
    if (!filled.insert(&*place).second) return BadItem(item, "出现两次", "is given twice");
    if (item.corrects() != place->corrects())
      return BadItem(item, "所引用的原决定与议程不一致",
                     "cites another resolution than the agenda does");
    *place = item;
  }
  return absl::OkStatus();
}

// Who was there, and as what: nobody twice; who records and who signs was in the room.
absl::Status CheckAttendance(const v1::CloseMeetingRequest& request) {
  std::set<std::string> persons, in_the_room;
  const struct {
    const char* path;
    const google::protobuf::RepeatedPtrField<std::string>& list;
    bool there;
  } kLists[] = {{"facts.present", request.facts().present(), true},
                {"attending", request.attending(), true},
                {"absent", request.absent(), false}};
  for (const auto& [path, list, there] : kLists) {
    for (const std::string& person : list) {
      if (!persons.insert(person).second)
        return errors::InvalidField(path, "同一人不得重复登记", "names a person twice");
      if (there) in_the_room.insert(person);
    }
  }
  std::set<std::string> named;
  for (const v1::PersonName& name : request.names()) {
    if (!persons.contains(name.subject()) || !named.insert(name.subject()).second)
      return errors::InvalidField("names", "应为本次会议登记的人员，每人一次",
                                  "must be of persons of this meeting, each once");
  }
  const std::string& recorder = request.facts().recorder();
  if (!recorder.empty() && !in_the_room.contains(recorder))
    return errors::InvalidField("facts.recorder", "记录人应出席或列席会议",
                                "must be present or attend");
  const std::string& signer = request.facts().signer();
  if (!signer.empty() && !in_the_room.contains(signer))
    return errors::InvalidField("facts.signer", "纪要签发人应出席或列席会议",
                                "must be present or attend");
  if (request.facts().association_attends() && request.attending().empty())
    return errors::InvalidField("attending", "牵头部门列席汇报的，请登记列席人员",
                                "must name who attends for the association");
  return absl::OkStatus();
}

// Articles 5 and 5.4: the amount of the level.
int64_t PolicyAmount(const policy::v1::Policy& policy, const rules::v1::CaseFacts& facts) {
  const auto* level = policy::FindLevel(policy, facts.standing().station().level());
  return level == nullptr ? 0 : level->subsidy_fen();
}

absl::StatusOr<int64_t> AmountOf(const v1::MeetingItem& item) {
  const auto fen = FenOf(item.amount());
  if (!fen.ok()) return BadItem(item, "金额无效", "its amount is not valid");
  return *fen;
}

}  // namespace

struct Handlers::Sitting {
  const Rules& rules;
  const Standings& standings;
  v1::Meeting meeting;
  std::map<std::string, v1::Notice, std::less<>> notices;
  std::map<std::string, v1::Case> cases;
  std::map<std::string, v1::Objection> objections;
};

absl::Status Handlers::LockRows(db::Session& sql, Sitting* sitting) const {
  std::set<std::string> notices, objections;
  for (const v1::MeetingItem& item : sitting->meeting.items()) {
    if (item.objection().empty()) continue;
    objections.insert(item.objection());
    YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("notices/*/objections/*", item.objection()));
    notices.insert(Name("notices", ids[0]));
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", item.case_name()));
    YZ_ASSIGN_OR_RETURN(const auto review_case, store_.Case(sql, id, false));
    if (review_case && !review_case->notice().empty()) notices.insert(review_case->notice());
  }
  YZ_ASSIGN_OR_RETURN(sitting->notices, LockNotices(sql, notices));
  const auto cases = CasesOf(sitting->meeting.items(), false);
  store_.PrefetchCases(sql, {cases.begin(), cases.end()});
  for (const std::string& name : cases) {
    YZ_ASSIGN_OR_RETURN(sitting->cases[name], LockCase(sql, name));
  }
  for (const std::string& name : objections) {
    YZ_ASSIGN_OR_RETURN(sitting->objections[name], LockObjection(sql, name));
  }
  return absl::OkStatus();
}

// What holds for both kinds of items: the rules on the meeting and the award, then the members'
// acts: who was present decided, who was recused has an interest.
absl::Status Handlers::Judge(journal::Unit& unit, const rules::v1::CaseFacts& facts,
                             v1::MeetingItem* item, v1::Case* review_case) const {
  YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(*review_case, unit.Now()));
  const auto findings = rules::CheckMeetingItem(rules.policy, *rules.calendar, facts, rules.today);
  if (!rules::Allows(findings)) return errors::Refused(findings, review_case->name());
  for (const std::string& member : facts.recused()) {
    YZ_RETURN_IF_ERROR(
        Enter(rules, NextAct(*review_case, member, common::v1::ACT_INTEREST, "meeting"),
              review_case)
            .status());
  }
  for (const std::string& member : facts.meeting().present()) {
    const auto& recused = facts.recused();
    if (std::find(recused.begin(), recused.end(), member) != recused.end()) continue;
    YZ_RETURN_IF_ERROR(
        Enter(rules, NextAct(*review_case, member, common::v1::ACT_DECIDE, "meeting"), review_case)
            .status());
  }
  Keep(unit, findings, rules.reference, facts, review_case);
  item->mutable_findings()->Assign(findings.begin(), findings.end());
  return absl::OkStatus();
}

namespace {

rules::v1::CaseFacts ItemFacts(const v1::Meeting& meeting, const v1::MeetingItem& item,
                               const v1::Case& review_case,
                               const rules::v1::StandingFacts& standing) {
  rules::v1::CaseFacts facts = CaseFactsOf(review_case, standing);
  *facts.mutable_meeting() = meeting.facts();
  facts.set_resolution(item.resolution());
  facts.set_votes_for(item.votes_for());
  facts.set_votes_against(item.votes_against());
  facts.set_abstentions(item.abstentions());
  *facts.mutable_recused() = item.recused();
  return facts;
}

v1::CaseState StateAfter(rules::v1::Resolution resolution) {
  switch (resolution) {
    case rules::v1::RESOLUTION_AWARD:
      return v1::CASE_STATE_AWARDED;
    case rules::v1::RESOLUTION_REFUSE:
      return v1::CASE_STATE_REFUSED;
    default:
      return v1::CASE_STATE_RECOMMENDED;
  }
}

void SetAward(int64_t amount_fen, v1::Case* review_case) {
  *review_case->mutable_awarded_amount() = MoneyOf(amount_fen);
  review_case->set_line_digest(LineDigest(*review_case, amount_fen));
  review_case->set_reserved(false);
}

}  // namespace

absl::Status Handlers::ResolveCase(journal::Unit& unit, Sitting* sitting, v1::MeetingItem* item) {
  v1::Case& review_case = sitting->cases.at(item->case_name());
  if (item->objection_resolution() != v1::OBJECTION_RESOLUTION_UNSPECIFIED)
    return BadItem(*item, "不是异议事项", "is no objection");
  const bool corrects = review_case.correction() == sitting->meeting.name();
  if (corrects) review_case.clear_correction();
  const bool waits = review_case.state() == v1::CASE_STATE_ON_AGENDA ||
                     (corrects && review_case.state() == v1::CASE_STATE_AWARDED);
  if (item->resolution() == rules::v1::RESOLUTION_UNSPECIFIED) {
    if (!waits) return corrects ? Save(unit, &review_case) : absl::OkStatus();
    return BadItem(*item, "须有审定结果", "must have a resolution");
  }
  if (!waits) {
    return errors::StateForbids(review_case.name(),
                                CaseTransitions().StateName(review_case.state()), {"ON_AGENDA"},
                                "ConveneMeeting");
  }
  const v1::CaseState to = StateAfter(item->resolution());
  YZ_RETURN_IF_ERROR(CaseTransitions().Check(review_case.name(), review_case.state(), to, kMethod));
  auto facts =
      ItemFacts(sitting->meeting, *item, review_case, sitting->standings.at(review_case.name()));
  if (item->resolution() == rules::v1::RESOLUTION_AWARD) {
    // A correction leaves the amount, which an objection may have lowered.
    YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(review_case, unit.Now()));
    const int64_t in_force = FenOf(review_case.awarded_amount()).value_or(0);
    int64_t fen = corrects ? in_force : PolicyAmount(rules.policy, facts);
    if (item->has_amount()) {
      YZ_ASSIGN_OR_RETURN(fen, AmountOf(*item));
    }
    if (corrects && fen != in_force)
      return BadItem(*item, "更正不改变金额；金额只能因异议由会议变更",
                     "a correction does not change the amount; a resolution on an objection does");
    facts.set_on_objection(corrects);
    facts.set_resolved_amount_fen(fen);
    *item->mutable_amount() = MoneyOf(fen);
  } else {
    item->clear_amount();
  }
  YZ_RETURN_IF_ERROR(Judge(unit, facts, item, &review_case));
  review_case.set_resolution(item->resolution());
  review_case.set_meeting(sitting->meeting.name());
  if (to == v1::CASE_STATE_AWARDED && !corrects)
    SetAward(facts.resolved_amount_fen(), &review_case);
  return Advance(unit, &review_case, to, kMethod, item->opinion_text());
}

absl::Status Handlers::ResolveObjection(journal::Unit& unit, Sitting* sitting,
                                        v1::MeetingItem* item) {
  v1::Case& review_case = sitting->cases.at(item->case_name());
  v1::Objection& objection = sitting->objections.at(item->objection());
  const auto resolution = item->objection_resolution();
  const bool defers = item->resolution() == rules::v1::RESOLUTION_DEFER;
  const bool resolves = resolution != v1::OBJECTION_RESOLUTION_UNSPECIFIED;
  const bool held = review_case.state() == v1::CASE_STATE_OBJECTED;
  if (!resolves && !defers && item->resolution() == rules::v1::RESOLUTION_UNSPECIFIED && !held)
    return absl::OkStatus();  // the award is gone in the meantime: nothing to resolve
  if (resolves == defers || (resolves && item->resolution() != rules::v1::RESOLUTION_UNSPECIFIED)) {
    return BadItem(*item, "须决定维持、变更金额、撤销，或者缓议",
                   "must be maintained, changed, cancelled, or deferred");
  }
  if (!held) {
    return errors::StateForbids(review_case.name(),
                                CaseTransitions().StateName(review_case.state()), {"OBJECTED"}, "");
  }
  auto facts =
      ItemFacts(sitting->meeting, *item, review_case, sitting->standings.at(review_case.name()));
  const int64_t before_fen = FenOf(review_case.awarded_amount()).value_or(0);
  int64_t fen = before_fen;
  if (resolution == v1::OBJECTION_RESOLUTION_CHANGE_AMOUNT) {
    YZ_ASSIGN_OR_RETURN(fen, AmountOf(*item));
    if (fen <= 0 || fen == before_fen)
      return BadItem(*item, "须给出不同的新金额", "needs another amount than before");
  } else {
    item->clear_amount();
  }
  if (resolution == v1::OBJECTION_RESOLUTION_CANCEL) {
    facts.set_resolution(rules::v1::RESOLUTION_REFUSE);
  } else if (resolves) {
    facts.set_resolution(rules::v1::RESOLUTION_AWARD);
    facts.set_resolved_amount_fen(fen);
    facts.set_on_objection(true);
  }
  YZ_RETURN_IF_ERROR(Judge(unit, facts, item, &review_case));
  objection.clear_meeting();
  if (defers) {
    YZ_RETURN_IF_ERROR(Advance(unit, &objection, v1::OBJECTION_STATE_EXAMINED, kMethod));
    return Advance(unit, &review_case, v1::CASE_STATE_OBJECTED, kMethod);
  }
  review_case.set_meeting(sitting->meeting.name());
  objection.set_meeting(sitting->meeting.name());
  objection.set_resolution(resolution);
  objection.set_holds(false);
  *objection.mutable_waiting_since() = DayToProto(sitting->rules.today);
  YZ_RETURN_IF_ERROR(Advance(unit, &objection, v1::OBJECTION_STATE_RESOLVED, kMethod));
  if (resolution == v1::OBJECTION_RESOLUTION_CANCEL) {
    review_case.set_resolution(rules::v1::RESOLUTION_REFUSE);
    YZ_RETURN_IF_ERROR(EndHolds(unit.sql(), objection.name(), &review_case));
    return Advance(unit, &review_case, v1::CASE_STATE_CANCELLED, kMethod, item->opinion_text());
  }
  if (resolution == v1::OBJECTION_RESOLUTION_CHANGE_AMOUNT) {
    SetAward(fen, &review_case);
  } else {
    review_case.add_maintained_objections(objection.name());
  }
  return Release(unit, sitting->rules, objection.name(), &review_case, &sitting->notices, kMethod);
}

absl::Status Handlers::CloseMeeting(Context& context, const v1::CloseMeetingRequest& request,
                                    v1::Meeting* answer) {
  YZ_RETURN_IF_ERROR(CheckAttendance(request));
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("meetings/*", request.name()));
  std::vector<std::string> names;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(const auto meeting, store_.Meeting(sql, id, false));
        if (!meeting) return errors::NotFound(request.name());
        const auto cases = CasesOf(meeting->items(), false);
        names.assign(cases.begin(), cases.end());
        return absl::OkStatus();
      }));
  YZ_ASSIGN_OR_RETURN(const Standings standings, StandingsOf(context, names));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(auto meeting, store_.Meeting(unit.sql(), id, true));
    if (!meeting) return errors::NotFound(request.name());
    YZ_RETURN_IF_ERROR(MeetingTransitions().Check(request.name(), meeting->state(), kMethod));
    Sitting sitting{rules, standings, *std::move(meeting), {}, {}, {}};
    YZ_RETURN_IF_ERROR(FillIn(request, &sitting.meeting));
    *sitting.meeting.mutable_facts() = request.facts();
    *sitting.meeting.mutable_attending() = request.attending();
    *sitting.meeting.mutable_absent() = request.absent();
    *sitting.meeting.mutable_names() = request.names();
    if (!request.facts().has_held_on())
      *sitting.meeting.mutable_facts()->mutable_held_on() = DayToProto(rules.today);
    YZ_RETURN_IF_ERROR(LockRows(unit.sql(), &sitting));
    for (v1::MeetingItem& item : *sitting.meeting.mutable_items()) {
      YZ_RETURN_IF_ERROR(item.objection().empty() ? ResolveCase(unit, &sitting, &item)
                                                  : ResolveObjection(unit, &sitting, &item));
    }
    sitting.meeting.set_state(v1::MEETING_STATE_CLOSED);
    *sitting.meeting.mutable_close_time() = ToProto(unit.Now());
    *sitting.meeting.mutable_policy() = rules.reference;
    sitting.meeting.set_minutes_digest(MinutesDigest(sitting.meeting));
    if (!store_.UpdateMeeting(unit.sql(), &sitting.meeting)) return errors::Conflict();
    *answer = std::move(sitting.meeting);
    EmitMeeting(unit, *answer);
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::review
