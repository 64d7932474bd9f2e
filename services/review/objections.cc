#include <algorithm>

#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/ownership.h"
#include "common/rpc/page_token.h"
#include "common/rules/notice.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::review {
namespace {

constexpr std::string_view kApi = "api";
// A call lives no longer (the server's deadline).
constexpr absl::Duration kLongestWait = absl::Seconds(30);
// Objections that wait at one time are few; a list of all of them needs no pages.
constexpr int kMostInQueue = 500;
constexpr std::string_view kOfficerChannels[] = {"letter", "visit", "call"};

// No meeting has anything to resolve of it any more.
bool IsOutOfReach(v1::CaseState state) {
  return state == v1::CASE_STATE_WITHDRAWN || state == v1::CASE_STATE_CANCELLED ||
         state == v1::CASE_STATE_REFUSED || state == v1::CASE_STATE_CLEARED ||
         state == v1::CASE_STATE_PAID;
}

// Working days for the step that is due in this state; 0: none is.
int DaysFor(const policy::v1::Notice& policy, v1::ObjectionState state) {
  switch (state) {
    case v1::OBJECTION_STATE_RECEIVED:
      return policy.objection_acceptance_working_days();
    case v1::OBJECTION_STATE_ACCEPTED:
      return policy.objection_examination_working_days();
    case v1::OBJECTION_STATE_RESOLVED:
    case v1::OBJECTION_STATE_NOT_ACCEPTED:
      return policy.objection_answer_working_days();
    default:
      return 0;
  }
}

// What counts is the day of receipt: today for who objects through the API; an officer enters a
// letter or visit under its own day.
absl::Status SetReceipt(bool officer, Day today, v1::Objection* objection) {
  const std::string& channel = objection->channel();
  const bool by_officer = std::find(std::begin(kOfficerChannels), std::end(kOfficerChannels),
                                    channel) != std::end(kOfficerChannels);
  if (channel.empty()) objection->set_channel(std::string(kApi));
  if (objection->channel() != kApi && !(by_officer && officer)) {
    return errors::InvalidField("objection.channel",
                                "收到渠道应为网上提交，或由工作人员登记的来信、来访、来电",
                                "must be api, or letter, visit or call as an officer enters it");
  }
  const auto received = DayFromProto(objection->received_on());
  if (!objection->has_received_on()) {
    *objection->mutable_received_on() = DayToProto(today);
  } else if (!received || *received > today || (*received < today && !by_officer)) {
    return errors::InvalidField(
        "objection.received_on", "收到日期应为今天；来信、来访、来电由工作人员按实际收到日期登记",
        "must be today, or the day on which an officer received the letter, visit or call");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Objection> Handlers::LockObjection(db::Session& sql,
                                                      std::string_view name) const {
  YZ_ASSIGN_OR_RETURN(auto objection, store_.Objection(sql, name, true));
  if (!objection) return errors::NotFound(name);
  return *std::move(objection);
}

absl::StatusOr<Handlers::Notices> Handlers::LockNotices(db::Session& sql,
                                                        const std::set<std::string>& names) const {
  Notices notices;
  for (const std::string& name : names) {
    YZ_ASSIGN_OR_RETURN(notices[name], LockNotice(sql, name));
  }
  return notices;
}

absl::StatusOr<Handlers::Award> Handlers::LockAward(db::Session& sql, std::string_view case_name,
                                                    std::string_view objection_notice) const {
  // Notices are locked before cases, so which one the case is on is looked up without a lock first.
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", case_name));
  YZ_ASSIGN_OR_RETURN(const auto before, store_.Case(sql, id, false));
  std::set<std::string> names = {std::string(objection_notice)};
  if (before && !before->notice().empty()) names.insert(before->notice());
  Award award;
  YZ_ASSIGN_OR_RETURN(award.notices, LockNotices(sql, names));
  YZ_ASSIGN_OR_RETURN(award.review_case, LockCase(sql, case_name));
  if (award.review_case.notice() != before->notice()) return errors::Conflict();
  return award;
}

absl::Status Handlers::Advance(journal::Unit& unit, v1::Objection* objection, v1::ObjectionState to,
                               std::string_view method) {
  const v1::ObjectionState from = objection->state();
  YZ_RETURN_IF_ERROR(ObjectionTransitions().Check(objection->name(), from, to, method));
  objection->set_state(to);
  if (!store_.UpdateObjection(unit.sql(), objection)) return errors::Conflict();
  store_.AddToTrail(unit.sql(), objection->case_name(), unit.entry_key());
  if (from == to) return absl::OkStatus();
  v1::ObjectionAdvanced event;
  event.set_objection(objection->name());
  event.set_case_name(objection->case_name());
  event.set_from(from);
  event.set_state(to);
  unit.Emit(event);
  return absl::OkStatus();
}

absl::Status Handlers::Show(v1::Objection* objection) const {
  objection->clear_due_on();
  objection->clear_overdue();
  objection->clear_due_calendar_digest();
  const auto since = DayFromProto(objection->waiting_since());
  if (!since) return absl::OkStatus();
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  const int days = DaysFor(rules.policy.notice(), objection->state());
  if (days == 0) return absl::OkStatus();
  const Day due = rules.calendar->AddWorkingDays(*since, days).day;
  *objection->mutable_due_on() = DayToProto(due);
  objection->set_overdue(rules.today > due);
  objection->set_due_calendar_digest(rules.calendar->digest());
  return absl::OkStatus();
}

absl::StatusOr<bool> Handlers::JudgeObjection(journal::Unit& unit, const Rules& rules,
                                              const v1::Notice& notice,
                                              v1::Objection* objection) const {
  YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(notice));
  const auto facts = ObjectionFactsOf(*objection, notice);
  const auto findings = rules::CheckObjection(*policy, *rules.calendar, facts, rules.today);
  objection->mutable_findings()->Assign(findings.begin(), findings.end());
  const auto* in_time = rules::Find(findings, "objection.in-time");
  objection->set_late(in_time != nullptr && in_time->outcome() == common::v1::OUTCOME_VIOLATED);
  EmitJudged(unit, objection->name(), findings, notice.policy(), facts);
  return rules::Allows(findings);
}

absl::Status Handlers::Hold(journal::Unit& unit, Award* award, v1::Objection* objection) {
  v1::Case& held = award->review_case;
  const bool period_over = held.state() == v1::CASE_STATE_NOTICE_ENDED;
  objection->set_holds(true);
  held.add_open_objections(objection->name());
  YZ_RETURN_IF_ERROR(Advance(unit, &held, v1::CASE_STATE_OBJECTED, "FileObjection"));
  if (!period_over) return absl::OkStatus();
  return DropStatement(unit, &award->notices.at(held.notice()), "FileObjection");
}

absl::Status Handlers::Release(journal::Unit& unit, const Rules& rules, std::string_view objection,
                               v1::Case* review_case, Notices* notices, std::string_view method) {
  auto* open = review_case->mutable_open_objections();
  open->erase(std::remove(open->begin(), open->end(), objection), open->end());
  if (!open->empty()) return Advance(unit, review_case, v1::CASE_STATE_OBJECTED, method);
  v1::Notice& notice = notices->at(review_case->notice());
  const v1::AwardLine* line = FindLine(notice, review_case->name());
  const bool stands = notice.state() != v1::NOTICE_STATE_WITHDRAWN && line != nullptr &&
                      line->line_digest() == review_case->line_digest();
  // What the notice does not show is published anew, for the whole period.
  if (!stands) return Advance(unit, review_case, v1::CASE_STATE_AWARDED, method);
  if (notice.state() == v1::NOTICE_STATE_ISSUED || notice.state() == v1::NOTICE_STATE_RUNNING ||
      notice.state() == v1::NOTICE_STATE_SUSPENDED)
    return Advance(unit, review_case, v1::CASE_STATE_IN_NOTICE, method);
  YZ_RETURN_IF_ERROR(Advance(unit, review_case, v1::CASE_STATE_NOTICE_ENDED, method));
  YZ_RETURN_IF_ERROR(DropStatement(unit, &notice, method));
  YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(notice));
  if (policy->notice().statement_required()) return absl::OkStatus();
  return Clear(unit, rules, notice, review_case, method);
}

absl::Status Handlers::EndHolds(db::Session& sql, std::string_view settled,
                                v1::Case* review_case) const {
  for (const std::string& name : review_case->open_objections()) {
    if (name == settled) continue;
    YZ_ASSIGN_OR_RETURN(v1::Objection objection, LockObjection(sql, name));
    objection.set_holds(false);
    if (!store_.UpdateObjection(sql, &objection)) return errors::Conflict();
  }
  review_case->clear_open_objections();
  return absl::OkStatus();
}

absl::Status Handlers::FileObjection(Context& context, const v1::FileObjectionRequest& request,
                                     v1::Objection* answer) {
  const bool officer = SeesAllHosts(context.caller);
  // Received when it was admitted, not when a thread came free for it.
  const absl::Duration waited =
      std::clamp(journal_.clocks().wall() - context.arrived, absl::ZeroDuration(), kLongestWait);
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    // Who objects is nobody's business but the examiner's, other services' neither.
    if (!officer) unit.HideActor();
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    *answer = request.objection();
    YZ_RETURN_IF_ERROR(SetReceipt(officer, BeijingDay(unit.Now() - waited), answer));
    YZ_ASSIGN_OR_RETURN(Award award, LockAward(unit.sql(), answer->case_name(), request.parent()));
    const v1::Notice& notice = award.notices.at(request.parent());
    YZ_RETURN_IF_ERROR(NoticeTransitions().Check(notice.name(), notice.state(), "FileObjection"));
    if (FindLine(notice, answer->case_name()) == nullptr) {
      return errors::InvalidField("objection.case_name", "该案不在本公示名单中",
                                  "is not on this notice's list");
    }
    YZ_ASSIGN_OR_RETURN(const std::string notice_id, IdOf("notices/*", notice.name()));
    answer->set_name(Name("notices", notice_id, "objections", NewUuid()));
    answer->set_state(v1::OBJECTION_STATE_RECEIVED);
    *answer->mutable_create_time() = ToProto(unit.Now());
    answer->set_number(store_.CountObjections(unit.sql(), notice_id) + 1);
    answer->set_filed_by(context.caller.subject);
    answer->set_lead(answer->objector_kind() == rules::v1::OBJECTOR_KIND_ANONYMOUS);
    *answer->mutable_waiting_since() = DayToProto(rules.today);
    YZ_ASSIGN_OR_RETURN(const bool allowed, JudgeObjection(unit, rules, notice, answer));
    if (allowed && CanBeHeld(award.review_case.state())) {
      YZ_RETURN_IF_ERROR(Hold(unit, &award, answer));
    }
    store_.InsertObjection(unit.sql(), answer);
    store_.AddToTrail(unit.sql(), answer->case_name(), unit.entry_key());
    v1::ObjectionAdvanced event;
    event.set_objection(answer->name());
    event.set_case_name(answer->case_name());
    event.set_state(answer->state());
    unit.Emit(event);
    return Show(answer);
  });
}

absl::Status Handlers::AdmitObjection(Context& context, const v1::AdmitObjectionRequest& request,
                                      v1::Objection* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(const auto before, store_.Objection(unit.sql(), request.name(), false));
    if (!before) return errors::NotFound(request.name());
    YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("notices/*/objections/*", request.name()));
    const std::string notice_name = Name("notices", ids[0]);
    YZ_ASSIGN_OR_RETURN(Award award, LockAward(unit.sql(), before->case_name(), notice_name));
    YZ_ASSIGN_OR_RETURN(*answer, LockObjection(unit.sql(), request.name()));
    YZ_RETURN_IF_ERROR(
        ObjectionTransitions().Check(request.name(), answer->state(), "AdmitObjection"));
    const v1::Notice& notice = award.notices.at(notice_name);
    YZ_ASSIGN_OR_RETURN(const bool allowed, JudgeObjection(unit, rules, notice, answer));
    answer->set_admission_reason(request.reason());
    *answer->mutable_admitted_on() = DayToProto(rules.today);
    *answer->mutable_waiting_since() = answer->admitted_on();
    if (!request.accepted()) {
      const bool held = answer->holds();
      answer->set_holds(false);
      YZ_RETURN_IF_ERROR(Advance(unit, answer, v1::OBJECTION_STATE_NOT_ACCEPTED, "AdmitObjection"));
      if (held) {
        YZ_RETURN_IF_ERROR(Release(unit, rules, answer->name(), &award.review_case, &award.notices,
                                   "AdmitObjection"));
      }
      return Show(answer);
    }
    if (!allowed) {
      const rules::Findings findings(answer->findings().begin(), answer->findings().end());
      return errors::Refused(findings, request.name());
    }
    if (!answer->holds() && CanBeHeld(award.review_case.state())) {
      YZ_RETURN_IF_ERROR(Hold(unit, &award, answer));
    }
    YZ_RETURN_IF_ERROR(Advance(unit, answer, v1::OBJECTION_STATE_ACCEPTED, "AdmitObjection"));
    return Show(answer);
  });
}

absl::Status Handlers::ReportExamination(Context& context,
                                         const v1::ReportExaminationRequest& request,
                                         v1::Objection* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const auto before, store_.Objection(unit.sql(), request.name(), false));
    if (!before) return errors::NotFound(request.name());
    YZ_ASSIGN_OR_RETURN(v1::Case review_case, LockCase(unit.sql(), before->case_name()));
    YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(review_case, unit.Now()));
    YZ_ASSIGN_OR_RETURN(*answer, LockObjection(unit.sql(), request.name()));
    YZ_RETURN_IF_ERROR(
        ObjectionTransitions().Check(request.name(), answer->state(), "ReportExamination"));
    YZ_RETURN_IF_ERROR(EnterActOf(unit, rules, request.on_behalf_of(),
                                  common::v1::ACT_EXAMINE_OBJECTION, answer->name(),
                                  &review_case));
    YZ_RETURN_IF_ERROR(Save(unit, &review_case));
    answer->set_report(request.report());
    answer->set_examined_by(context.caller.subject);
    *answer->mutable_examined_on() = DayToProto(rules.today);
    answer->clear_waiting_since();
    YZ_RETURN_IF_ERROR(Advance(unit, answer, v1::OBJECTION_STATE_EXAMINED, "ReportExamination"));
    return Show(answer);
  });
}

absl::Status Handlers::AnswerObjection(Context& context, const v1::AnswerObjectionRequest& request,
                                       v1::Objection* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(*answer, LockObjection(unit.sql(), request.name()));
    const bool examined = answer->state() == v1::OBJECTION_STATE_ACCEPTED ||
                          answer->state() == v1::OBJECTION_STATE_EXAMINED;
    if (examined) {
      YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", answer->case_name()));
      YZ_ASSIGN_OR_RETURN(const auto review_case, store_.Case(unit.sql(), id, false));
      if (!review_case || !IsOutOfReach(review_case->state())) {
        return errors::StateForbids(request.name(),
                                    ObjectionTransitions().StateName(answer->state()),
                                    {"RESOLVED", "NOT_ACCEPTED"}, "CloseMeeting");
      }
    }
    answer->set_answer(request.answer());
    *answer->mutable_answered_on() = DayToProto(BeijingDay(unit.Now()));
    answer->clear_waiting_since();
    YZ_RETURN_IF_ERROR(Advance(unit, answer, v1::OBJECTION_STATE_ANSWERED, "AnswerObjection"));
    return Show(answer);
  });
}

absl::Status Handlers::GetObjection(Context& context, const v1::GetObjectionRequest& request,
                                    v1::Objection* answer) {
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(auto objection, store_.Objection(sql, request.name(), false));
    if (!objection) return errors::NotFound(request.name());
    *answer = *std::move(objection);
    return Show(answer);
  });
}

absl::Status Handlers::ListObjections(Context& context, const v1::ListObjectionsRequest& request,
                                      v1::ListObjectionsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  YZ_ASSIGN_OR_RETURN(const std::string notice, IdOf("notices/*", request.parent()));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const auto parent, store_.Notice(sql, notice, false));
    if (!parent) return errors::NotFound(request.parent());
    YZ_ASSIGN_OR_RETURN(auto objections, store_.Objections(sql, notice, {after, size}));
    for (v1::Objection& objection : objections) YZ_RETURN_IF_ERROR(Show(&objection));
    answer->mutable_objections()->Assign(objections.begin(), objections.end());
    if (static_cast<int>(objections.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last,
                          IdOf("notices/*/objections/*", objections.back().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListObjectionQueue(Context& context, const v1::ListObjectionQueueRequest&,
                                          v1::ListObjectionQueueResponse* answer) {
  std::vector<v1::Objection> waiting;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(waiting, store_.WaitingObjections(sql, kMostInQueue));
        for (v1::Objection& objection : waiting) YZ_RETURN_IF_ERROR(Show(&objection));
        return absl::OkStatus();
      }));
  std::stable_sort(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) {
    return DayFromProto(a.due_on()) < DayFromProto(b.due_on());
  });
  answer->mutable_objections()->Assign(waiting.begin(), waiting.end());
  return absl::OkStatus();
}

}  // namespace yuezhan::review
