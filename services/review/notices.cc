#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/ownership.h"
#include "common/host/wait.h"
#include "common/rpc/page_token.h"
#include "common/rules/notice.h"
#include "common/rules/payment.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/notice_text.h"
#include "services/review/transitions.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::review {

absl::StatusOr<v1::Notice> Handlers::LockNotice(db::Session& sql, std::string_view name) const {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("notices/*", name));
  YZ_ASSIGN_OR_RETURN(auto notice, store_.Notice(sql, id, true));
  if (!notice) return errors::NotFound(name);
  return *std::move(notice);
}

absl::StatusOr<const policy::v1::Policy*> Handlers::PolicyOf(const v1::Notice& notice) const {
  return rulebook_.policies().ByVersion(notice.policy().version());
}

absl::Status Handlers::Advance(journal::Unit& unit, v1::Notice* notice, v1::NoticeState to,
                               std::string_view method) {
  const v1::NoticeState from = notice->state();
  YZ_RETURN_IF_ERROR(NoticeTransitions().Check(notice->name(), from, to, method));
  notice->set_state(to);
  if (!store_.UpdateNotice(unit.sql(), notice)) return errors::Conflict();
  for (const v1::AwardLine& line : notice->lines())
    store_.AddToTrail(unit.sql(), line.case_name(), unit.entry_key());
  if (from == to && method != "timer:CalendarChanged") return absl::OkStatus();
  v1::NoticeAdvanced event;
  event.set_notice(notice->name());
  event.set_from(from);
  event.set_state(to);
  event.set_list_digest(notice->list_digest());
  if (const auto last_day = DayFromProto(notice->last_day()))
    event.set_last_day(FormatDay(*last_day));
  event.set_calendar_digest(notice->calendar_digest());
  unit.Emit(event);
  return absl::OkStatus();
}

absl::Status Handlers::Show(const Context& context, v1::Notice* notice) const {
  const Day today = BeijingDay(journal_.clocks().business->Now());
  const auto last_day = DayFromProto(notice->last_day());
  notice->set_open_for_objection(notice->state() == v1::NOTICE_STATE_ISSUED ||
                                 notice->state() == v1::NOTICE_STATE_SUSPENDED ||
                                 (notice->state() == v1::NOTICE_STATE_RUNNING &&
                                  (notice->provisional() || (last_day && today <= *last_day))));
  if (SeesAllHosts(context.caller)) return absl::OkStatus();
  // What the public reads is the list and its period.
  notice->clear_findings();
  ClearStatement(notice);
  return absl::OkStatus();
}

namespace {

// The list as published, of the cases in their order.
void MakeList(const std::vector<const v1::Case*>& cases, v1::Notice* notice) {
  int64_t total = 0;
  for (const v1::Case* review_case : cases) {
    v1::AwardLine* line = notice->add_lines();
    line->set_number(notice->lines_size());
    line->set_case_name(review_case->name());
    line->set_station_name(review_case->station_name());
    line->set_level(review_case->category());
    line->set_society_name(review_case->society_name());
    line->set_host_name(review_case->host_name());
    *line->mutable_amount() = review_case->awarded_amount();
    const int64_t fen = FenOf(review_case->awarded_amount()).value_or(0);
    // Computed anew of what the line says: a row changed since the resolution shows.
    line->set_line_digest(LineDigest(*review_case, fen));
    total += fen;
  }
  *notice->mutable_total_amount() = MoneyOf(total);
  notice->set_list_digest(ListDigest(*notice));
}

rules::v1::NoticeLineFacts LineFacts(const v1::Case& review_case, const v1::AwardLine& line,
                                     const rules::v1::StandingFacts& standing) {
  rules::v1::NoticeLineFacts facts;
  const int64_t fen = FenOf(review_case.awarded_amount()).value_or(0);
  facts.set_case_name(review_case.name());
  *facts.mutable_standing() = standing;
  facts.set_resolution(review_case.resolution());
  facts.set_resolved_amount_fen(fen);
  facts.set_listed_amount_fen(FenOf(line.amount()).value_or(0));
  facts.set_reserved_amount_fen(review_case.reserved() ? fen : 0);
  facts.set_resolved_line_digest(review_case.line_digest());
  facts.set_listed_line_digest(line.line_digest());
  facts.set_withdrawn(review_case.state() == v1::CASE_STATE_WITHDRAWN);
  return facts;
}

}  // namespace

absl::StatusOr<Rules> Handlers::RulesOfList(const std::map<std::string, v1::Case>& cases,
                                            absl::Time now) const {
  YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(cases.begin()->second, now));
  for (const auto& [name, review_case] : cases) {
    YZ_ASSIGN_OR_RETURN(const Rules other, RulesOf(review_case, now));
    if (&other.policy != &rules.policy) {
      return errors::InvalidField(
          "cases", "名单中的案件适用不同版本的办法（以申请日为准），请按版本分别公示",
          "are judged by different versions of the policy, each by the day of its submission: "
          "publish one list for each version");
    }
  }
  return rules;
}

absl::Status Handlers::IssueNotice(Context& context, const v1::IssueNoticeRequest& request,
                                   v1::Notice* answer) {
  const std::set<std::string> names(request.cases().begin(), request.cases().end());
  if (static_cast<int>(names.size()) != request.cases_size())
    return errors::InvalidField("cases", "同一案件不得重复", "names a case twice");
  YZ_ASSIGN_OR_RETURN(const Standings standings,
                      StandingsOf(context, {names.begin(), names.end()}));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    std::map<std::string, v1::Case> cases;
    store_.PrefetchCases(unit.sql(), {names.begin(), names.end()});
    for (const std::string& name : names) {
      YZ_ASSIGN_OR_RETURN(v1::Case review_case, LockCase(unit.sql(), name));
      YZ_RETURN_IF_ERROR(CaseTransitions().Check(name, review_case.state(), "IssueNotice"));
      if (!review_case.correction().empty())
        return errors::StateForbids(name, "BEING_CORRECTED", {"AWARDED"}, "CloseMeeting");
      cases[name] = std::move(review_case);
    }
    YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOfList(cases, unit.Now()));
    answer->set_name(Name("notices", NewUuid()));
    answer->set_state(v1::NOTICE_STATE_ISSUED);
    answer->set_objection_address(request.objection_address());
    answer->set_objection_phone(request.objection_phone());
    *answer->mutable_create_time() = ToProto(unit.Now());
    std::vector<const v1::Case*> in_order;
    for (const std::string& name : request.cases()) in_order.push_back(&cases.at(name));
    MakeList(in_order, answer);
    answer->set_text(NoticeText(
        rules, *answer, rules::PlannedNoticePeriod(rules.policy, *rules.calendar, rules.today)));
    answer->set_text_digest(ToHex(Sha256(answer->text())));
    rules::v1::NoticeFacts facts;
    for (int i = 0; i < answer->lines_size(); ++i) {
      *facts.add_lines() =
          LineFacts(*in_order[i], answer->lines(i), standings.at(in_order[i]->name()));
    }
    facts.set_total_fen(FenOf(answer->total_amount()).value_or(0));
    facts.set_text(answer->text());
    facts.set_objection_address(request.objection_address());
    facts.set_objection_phone(request.objection_phone());
    const auto findings =
        rules::CheckPublication(rules.policy, *rules.calendar, facts, rules.today);
    if (!rules::Allows(findings)) return errors::Refused(findings, answer->name());
    Keep(unit, findings, rules.reference, facts, answer);
    for (auto& [name, review_case] : cases) {
      review_case.set_notice(answer->name());
      YZ_RETURN_IF_ERROR(Advance(unit, &review_case, v1::CASE_STATE_IN_NOTICE, "IssueNotice"));
    }
    store_.InsertNotice(unit.sql(), answer);
    v1::NoticeAdvanced event;
    event.set_notice(answer->name());
    event.set_state(v1::NOTICE_STATE_ISSUED);
    event.set_list_digest(answer->list_digest());
    unit.Emit(event);
    return Show(context, answer);
  });
}

absl::Status Handlers::WithdrawNotice(Context& context, const v1::WithdrawNoticeRequest& request,
                                      v1::Notice* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(*answer, LockNotice(unit.sql(), request.name()));
    YZ_RETURN_IF_ERROR(
        NoticeTransitions().Check(request.name(), answer->state(), "WithdrawNotice"));
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("notices/*", request.name()));
    YZ_ASSIGN_OR_RETURN(auto cases, store_.LockCasesOn(unit.sql(), id));
    for (v1::Case& review_case : cases) {
      if (review_case.state() == v1::CASE_STATE_CLEARED ||
          review_case.state() == v1::CASE_STATE_PAID) {
        return errors::StateForbids(review_case.name(),
                                    CaseTransitions().StateName(review_case.state()),
                                    {"IN_NOTICE", "NOTICE_ENDED", "OBJECTED"}, "");
      }
      // An award that an objection holds goes back when that is settled.
      if (review_case.state() != v1::CASE_STATE_IN_NOTICE &&
          review_case.state() != v1::CASE_STATE_NOTICE_ENDED)
        continue;
      YZ_RETURN_IF_ERROR(
          Advance(unit, &review_case, v1::CASE_STATE_AWARDED, "WithdrawNotice", request.reason()));
    }
    answer->set_reason(request.reason());
    ClearStatement(answer);
    YZ_RETURN_IF_ERROR(Advance(unit, answer, v1::NOTICE_STATE_WITHDRAWN, "WithdrawNotice"));
    return Show(context, answer);
  });
}

absl::Status Handlers::GetNotice(Context& context, const v1::GetNoticeRequest& request,
                                 v1::Notice* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("notices/*", request.name()));
  YZ_RETURN_IF_ERROR(LookUntil(context, request.wait_ms(), [&]() -> absl::StatusOr<bool> {
    YZ_RETURN_IF_ERROR(
        db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
          YZ_ASSIGN_OR_RETURN(auto notice, store_.Notice(sql, id, false));
          if (!notice) return errors::NotFound(request.name());
          *answer = *std::move(notice);
          return absl::OkStatus();
        }));
    return request.wait_for_state() == v1::NOTICE_STATE_UNSPECIFIED ||
           request.wait_for_state() == answer->state();
  }));
  return Show(context, answer);
}

absl::Status Handlers::ListNotices(Context& context, const v1::ListNoticesRequest& request,
                                   v1::ListNoticesResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(auto notices, store_.Notices(sql, {after, size}));
    for (v1::Notice& notice : notices) {
      YZ_RETURN_IF_ERROR(Show(context, &notice));
      *answer->add_notices() = std::move(notice);
    }
    if (answer->notices_size() == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last,
                          IdOf("notices/*", answer->notices(size - 1).name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::review
