#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "common/rules/payment.h"
#include "services/registry/handlers.h"
#include "services/registry/transitions.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {
namespace {

rules::v1::UseOfMoneyFacts FactsOf(const v1::UseReport& report) {
  rules::v1::UseOfMoneyFacts facts;
  *facts.mutable_paid_on() = report.paid_on();
  facts.set_paid_fen(FenOf(report.paid()).value_or(0));
  if (report.has_submitted_on()) *facts.mutable_reported_on() = report.submitted_on();
  facts.set_spent_on_station_fen(FenOf(report.use().spent_on_station()).value_or(0));
  facts.set_spent_fen(FenOf(report.use().spent()).value_or(0));
  return facts;
}

// Missing, and its last day is past: that depends on the day it is asked for.
void SetOverdue(Day today, v1::UseReport* report) {
  const bool missing = report->state() == v1::USE_REPORT_STATE_DUE ||
                       report->state() == v1::USE_REPORT_STATE_RETURNED;
  report->set_overdue(missing && *DayFromProto(report->due_on()) < today);
}

void Emit(journal::Unit& unit, const v1::UseReport& report, v1::UseReportState from) {
  v1::UseReportAdvanced event;
  event.set_use_report(report.name());
  event.set_from(from);
  event.set_state(report.state());
  unit.Emit(event);
}

}  // namespace

void Handlers::ExpectUseReport(journal::Unit& unit, const Rules& rules, v1::UseReport report,
                               std::string_view payment_id) const {
  report.set_state(v1::USE_REPORT_STATE_DUE);
  *report.mutable_due_on() =
      DayToProto(rules::UseReportDueOn(rules.policy, *DayFromProto(report.paid_on())));
  if (store_.InsertUseReport(unit.sql(), payment_id, &report))
    Emit(unit, report, v1::USE_REPORT_STATE_UNSPECIFIED);
}

absl::Status Handlers::SubmitUseReport(Context& context, const v1::SubmitUseReportRequest& request,
                                       v1::UseReport* answer) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("stations/*/useReports/*", request.name()));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    auto report = store_.UseReport(unit.sql(), ids[0], ids[1], true);
    if (!report || !MaySee(context.caller, report->host_unit()))
      return errors::NotFound(request.name());
    const v1::UseReportState from = report->state();
    YZ_RETURN_IF_ERROR(UseReportTransitions().Check(request.name(), from, "SubmitUseReport"));
    YZ_RETURN_IF_ERROR(CheckEvidence(unit.sql(), Name("stations", ids[0]), "use.evidence",
                                     request.use().evidence()));
    *report->mutable_use() = request.use();
    *report->mutable_submitted_on() = DayToProto(rules.today);
    report->set_state(v1::USE_REPORT_STATE_SUBMITTED);
    // What it says is judged by the officer, with these findings at hand.
    const auto facts = FactsOf(*report);
    const auto findings = rules::CheckUseOfMoney(rules.policy, *rules.calendar, facts, rules.today);
    report->mutable_findings()->Assign(findings.begin(), findings.end());
    *report->mutable_policy() = rules.reference;
    unit.EmitPrivate(facts);
    if (!store_.UpdateUseReport(unit.sql(), &*report)) return errors::Conflict();
    Emit(unit, *report, from);
    SetOverdue(rules.today, &*report);
    *answer = *report;
    return absl::OkStatus();
  });
}

absl::Status Handlers::ReviewUseReport(Context& context, const v1::ReviewUseReportRequest& request,
                                       v1::UseReport* answer) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("stations/*/useReports/*", request.name()));
  const v1::UseReportState to =
      request.accepted() ? v1::USE_REPORT_STATE_ACCEPTED : v1::USE_REPORT_STATE_RETURNED;
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    auto report = store_.UseReport(unit.sql(), ids[0], ids[1], true);
    if (!report || !MaySee(context.caller, report->host_unit()))
      return errors::NotFound(request.name());
    const v1::UseReportState from = report->state();
    YZ_RETURN_IF_ERROR(UseReportTransitions().Check(request.name(), from, to, "ReviewUseReport"));
    const auto facts = FactsOf(*report);
    const auto findings = rules::CheckUseOfMoney(rules.policy, *rules.calendar, facts, rules.today);
    if (request.accepted() && !rules::Allows(findings))
      return errors::Refused(findings, request.name());
    report->mutable_findings()->Assign(findings.begin(), findings.end());
    *report->mutable_policy() = rules.reference;
    unit.EmitPrivate(facts);
    report->set_state(to);
    report->set_reviewed_by(context.caller.subject);
    report->set_review_reason(request.reason());
    if (!store_.UpdateUseReport(unit.sql(), &*report)) return errors::Conflict();
    Emit(unit, *report, from);
    SetOverdue(rules.today, &*report);
    *answer = *report;
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetUseReport(Context& context, const v1::GetUseReportRequest& request,
                                    v1::UseReport* answer) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("stations/*/useReports/*", request.name()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    const auto report = store_.UseReport(sql, ids[0], ids[1], false);
    if (!report || !MaySee(context.caller, report->host_unit()))
      return errors::NotFound(request.name());
    *answer = *report;
    SetOverdue(BeijingDay(journal_.clocks().business->Now()), answer);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListUseReports(Context& context, const v1::ListUseReportsRequest& request,
                                      v1::ListUseReportsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  const Day today = BeijingDay(journal_.clocks().business->Now());
  std::string filter = request.filter();
  if (request.overdue()) {
    filter += Concat({filter.empty() ? "" : " AND ", "awaited = true AND due_on < ",
                      FormatDay(today)});
  }
  std::vector<std::pair<std::string_view, std::string_view>> own;
  if (!SeesAllHosts(context.caller)) {
    if (context.caller.host_unit.empty()) return absl::OkStatus();
    own.push_back({"host_unit", context.caller.host_unit});
  }
  YZ_ASSIGN_OR_RETURN(const auto query, list::Parse(UseReportList(), filter, "due_on", own));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(auto found, store_.UseReports(sql, query, {after, size}));
    for (v1::UseReport& report : found.rows) {
      SetOverdue(today, &report);
      *answer->add_use_reports() = std::move(report);
    }
    if (answer->use_reports_size() == size)
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, found.last_key));
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
