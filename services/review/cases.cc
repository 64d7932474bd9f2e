#include <algorithm>

#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/wait.h"
#include "common/rpc/client.h"
#include "common/rpc/handlers.h"
#include "common/rpc/page_token.h"
#include "common/rules/review.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"
#include "yuezhan/registry/v1/registry.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::review {

absl::StatusOr<v1::Case> Handlers::LockCase(db::Session& sql, std::string_view name) const {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", name));
  YZ_ASSIGN_OR_RETURN(auto review_case, store_.Case(sql, id, true));
  if (!review_case) return errors::NotFound(name);
  return *std::move(review_case);
}

absl::Status Handlers::Advance(journal::Unit& unit, v1::Case* review_case, v1::CaseState to,
                               std::string_view method, std::string_view reason,
                               const rules::v1::PaymentFacts* clearance) {
  const v1::CaseState from = review_case->state();
  YZ_RETURN_IF_ERROR(CaseTransitions().Check(review_case->name(), from, to, method));
  if (from != to) {
    review_case->set_state(to);
    *review_case->mutable_state_time() = ToProto(unit.Now());
  }
  if (!store_.UpdateCase(unit.sql(), review_case)) return errors::Conflict();
  if (from == to) return absl::OkStatus();
  v1::CaseAdvanced event;
  event.set_case_name(review_case->name());
  event.set_application(review_case->application());
  event.set_from(from);
  event.set_state(to);
  event.set_station(review_case->station());
  event.set_host_unit(review_case->host_unit());
  event.set_station_name(review_case->station_name());
  event.set_host_name(review_case->host_name());
  event.set_society_name(review_case->society_name());
  event.set_category(review_case->category());
  event.set_subsidy_year(review_case->subsidy_year());
  event.set_amount_fen(FenOf(review_case->awarded_amount()).value_or(0));
  event.set_line_digest(review_case->line_digest());
  event.set_qualified(review_case->assessment().qualified());
  if (to == v1::CASE_STATE_RETURNED) *event.mutable_points() = review_case->opinion().points();
  event.set_reason(std::string(reason));
  event.set_notice(review_case->notice());
  event.set_submission(review_case->submission());
  if (clearance != nullptr) *event.mutable_clearance() = *clearance;
  *event.mutable_acts() = review_case->acts();
  unit.Emit(event);
  return absl::OkStatus();
}

absl::Status Handlers::ChangeCase(Context& context, const google::protobuf::Message& request,
                                  std::string_view name, std::string_view method, v1::Case* answer,
                                  Change change) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(*answer, LockCase(unit.sql(), name));
    YZ_RETURN_IF_ERROR(CaseTransitions().Check(name, answer->state(), method));
    YZ_ASSIGN_OR_RETURN(const v1::CaseState to, change(unit, rules, answer));
    const bool told_why = to == v1::CASE_STATE_RETURNED || to == v1::CASE_STATE_REFUSED;
    return Advance(unit, answer, to, method, told_why ? answer->opinion().reason() : "");
  });
}

absl::StatusOr<Handlers::Standings> Handlers::StandingsOf(const Context& context,
                                                          const std::vector<std::string>& cases) {
  std::vector<v1::Case> read;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        read.clear();
        for (const std::string& name : cases) {
          YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", name));
          YZ_ASSIGN_OR_RETURN(auto review_case, store_.Case(sql, id, false));
          if (!review_case) return errors::NotFound(name);
          read.push_back(*std::move(review_case));
        }
        return absl::OkStatus();
      }));
  Standings standings;
  for (const v1::Case& review_case : read) {
    registry::v1::GetStandingRequest request;
    request.set_station(review_case.station());
    rules::v1::StandingFacts standing;
    YZ_RETURN_IF_ERROR(registry_.Call("yuezhan.registry.v1.RegistryService/GetStanding", request,
                                      &standing, rpc::CallOptions::Within(context)));
    *standing.mutable_submitted_on() = review_case.submitted_on();
    standing.set_own_source(review_case.name());
    standings[review_case.name()] = std::move(standing);
  }
  return standings;
}

absl::Status Handlers::GetCase(Context& context, const v1::GetCaseRequest& request,
                               v1::Case* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", request.name()));
  return LookUntil(context, request.wait_ms(), [&]() -> absl::StatusOr<bool> {
    YZ_RETURN_IF_ERROR(
        db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
          YZ_ASSIGN_OR_RETURN(auto review_case, store_.Case(sql, id, false));
          if (!review_case) return errors::NotFound(request.name());
          *answer = *std::move(review_case);
          return absl::OkStatus();
        }));
    const v1::CaseState wanted = request.wait_for_state();
    return wanted == v1::CASE_STATE_UNSPECIFIED ||
           (answer->state() == wanted && (wanted != v1::CASE_STATE_AWARDED || answer->reserved()));
  });
}

absl::Status Handlers::ListCases(Context& context, const v1::ListCasesRequest& request,
                                 v1::ListCasesResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    if (!request.application().empty()) {
      YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", request.application()));
      YZ_ASSIGN_OR_RETURN(auto review_case, store_.CaseOf(sql, id, false));
      const bool wanted = review_case && after.empty() &&
                          (request.state() == 0 || request.state() == review_case->state());
      if (wanted) *answer->add_cases() = *std::move(review_case);
      return absl::OkStatus();
    }
    YZ_ASSIGN_OR_RETURN(const auto cases, store_.Cases(sql, request.state(), {after, size}));
    answer->mutable_cases()->Assign(cases.begin(), cases.end());
    if (static_cast<int>(cases.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last, IdOf("cases/*", cases.back().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::RecordAssessment(Context& context,
                                        const v1::RecordAssessmentRequest& request,
                                        v1::Case* answer) {
  return ChangeCase(context, request, request.name(), "RecordAssessment", answer,
                    [&](journal::Unit& unit, const Rules& rules,
                        v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
                      YZ_RETURN_IF_ERROR(Enter(rules, context.caller.subject,
                                               common::v1::ACT_PREPARE, "assessment", review_case));
                      for (const std::string& assessor : request.assessors()) {
                        YZ_RETURN_IF_ERROR(Enter(rules, assessor, common::v1::ACT_PREPARE,
                                                 "assessment", review_case));
                      }
                      rules::v1::AssessmentFacts facts;
                      *facts.mutable_scores() = request.scores();
                      facts.set_qualified(request.qualified());
                      *facts.mutable_assessed_on() = DayToProto(rules.today);
                      *facts.mutable_assessors() = request.assessors();
                      *facts.mutable_submitted_on() = review_case->submitted_on();
                      const auto findings =
                          rules::CheckAssessment(rules.policy, *rules.calendar, facts, rules.today);
                      // "Not qualified" is a conclusion like the other; it stands in the way of an
                      // award only.
                      auto against = rules::Violations(findings);
                      std::erase_if(against, [&](const rules::Finding& finding) {
                        return !request.qualified() && finding.rule_id() == "assessment.qualified";
                      });
                      if (!against.empty()) return errors::Refused(against, review_case->name());
                      Keep(findings, rules, review_case);
                      unit.EmitPrivate(facts);
                      *review_case->mutable_assessment() = std::move(facts);
                      review_case->clear_opinion();
                      return v1::CASE_STATE_ASSESSED;
                    });
}

absl::Status Handlers::RecordInspection(Context& context,
                                        const v1::RecordInspectionRequest& request,
                                        v1::Case* answer) {
  return ChangeCase(context, request, request.name(), "RecordInspection", answer,
                    [&](journal::Unit&, const Rules& rules,
                        v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
                      const auto& inspection = request.inspection();
                      const auto done_on = DayFromProto(inspection.done_on());
                      if (inspection.has_done_on() && (!done_on || *done_on > rules.today)) {
                        return errors::InvalidField("inspection.done_on",
                                                    "考察日期应为今天或此前的有效日期",
                                                    "must be today or a day before");
                      }
                      YZ_RETURN_IF_ERROR(Enter(rules, context.caller.subject,
                                               common::v1::ACT_PREPARE, "inspection", review_case));
                      *review_case->mutable_inspection() = inspection;
                      review_case->mutable_inspection()->set_called(true);
                      return review_case->state();
                    });
}

rpc::Service Handlers::Methods() {
  rpc::Service service("yuezhan.review.v1.ReviewService");
  service.Add("GetCase", &Handlers::GetCase, this)
      .Add("ListCases", &Handlers::ListCases, this)
      .Add("RecordAssessment", &Handlers::RecordAssessment, this)
      .Add("RecordInspection", &Handlers::RecordInspection, this)
      .Add("PrepareOpinion", &Handlers::PrepareOpinion, this)
      .Add("ApproveOpinion", &Handlers::ApproveOpinion, this)
      .Add("ConveneMeeting", &Handlers::ConveneMeeting, this)
      .Add("CloseMeeting", &Handlers::CloseMeeting, this)
      .Add("GetMeeting", &Handlers::GetMeeting, this)
      .Add("IssueNotice", &Handlers::IssueNotice, this)
      .Add("RecordPosting", &Handlers::RecordPosting, this)
      .Add("WithdrawNotice", &Handlers::WithdrawNotice, this)
      .Add("GetNotice", &Handlers::GetNotice, this)
      .Add("ListNotices", &Handlers::ListNotices, this)
      .Add("SignNoticeResult", &Handlers::SignNoticeResult, this)
      .Add("FileObjection", &Handlers::FileObjection, this)
      .Add("AdmitObjection", &Handlers::AdmitObjection, this)
      .Add("ReportExamination", &Handlers::ReportExamination, this)
      .Add("AnswerObjection", &Handlers::AnswerObjection, this)
      .Add("GetObjection", &Handlers::GetObjection, this)
      .Add("ListObjections", &Handlers::ListObjections, this);
  return service;
}

}  // namespace yuezhan::review
