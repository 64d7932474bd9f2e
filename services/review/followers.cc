#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"
#include "yuezhan/application/v1/events.pb.h"
#include "yuezhan/payment/v1/events.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::review {
namespace {

using application::v1::ApplicationAdvanced;

constexpr std::string_view kWithdrawal = "event:WithdrawalRequested";

// What the submission says of station, host and year, and a case without any judgement on it yet.
void TakeSubmission(const ApplicationAdvanced& event, absl::Time submitted, v1::Case* review_case) {
  review_case->set_application(event.application());
  review_case->set_station(event.station());
  review_case->set_host_unit(event.host_unit());
  review_case->set_station_name(event.station_name());
  review_case->set_host_name(event.host_name());
  review_case->set_society_name(event.society_name());
  review_case->set_category(event.category());
  review_case->set_subsidy_year(event.subsidy_year());
  review_case->set_submission(event.submission());
  *review_case->mutable_submitted_on() = DayToProto(BeijingDay(submitted));
  review_case->clear_assessment();
  review_case->clear_opinion();
  review_case->clear_finding_reviews();
  review_case->clear_findings();
  review_case->clear_policy();
}

}  // namespace

absl::Status Handlers::Open(journal::Unit& unit, const ApplicationAdvanced& event,
                            absl::Time submitted) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", event.application()));
  YZ_ASSIGN_OR_RETURN(auto review_case, store_.CaseOf(unit.sql(), id, true));
  if (review_case) {
    if (review_case->submission() >= event.submission()) return absl::OkStatus();
    TakeSubmission(event, submitted, &*review_case);
    return Advance(unit, &*review_case, v1::CASE_STATE_OPEN, "event:SUBMITTED");
  }
  v1::Case opened;
  opened.set_name(Name("cases", NewUuid()));
  *opened.mutable_create_time() = ToProto(unit.Now());
  TakeSubmission(event, submitted, &opened);
  store_.InsertCase(unit.sql(), &opened);
  return Advance(unit, &opened, v1::CASE_STATE_OPEN, "event:SUBMITTED");
}

// The case's row takes one of withdrawal and resolution. `requested`: application waits for the
// answer; otherwise it withdrew a returned application by itself.
absl::Status Handlers::Withdraw(journal::Unit& unit, std::string_view application, bool requested) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", application));
  YZ_ASSIGN_OR_RETURN(auto review_case, store_.CaseOf(unit.sql(), id, true));
  const bool can = review_case && CaseTransitions().Allows(review_case->state(),
                                                           v1::CASE_STATE_WITHDRAWN, kWithdrawal);
  if (can) {
    YZ_RETURN_IF_ERROR(EndHolds(unit.sql(), "", &*review_case));
    YZ_RETURN_IF_ERROR(Advance(unit, &*review_case, v1::CASE_STATE_WITHDRAWN, kWithdrawal));
  }
  if (!requested) return absl::OkStatus();
  v1::WithdrawalDecided decided;
  decided.set_application(std::string(application));
  decided.set_withdrawn(can || (review_case && review_case->state() == v1::CASE_STATE_WITHDRAWN));
  unit.Emit(decided);
  return absl::OkStatus();
}

journal::EventHandlers Handlers::OnApplication() {
  journal::EventHandlers handlers;
  handlers.On<ApplicationAdvanced>([this](const ApplicationAdvanced& event,
                                          const journal::EventOrigin& origin,
                                          journal::Unit& unit) -> absl::Status {
    if (event.state() == application::v1::APPLICATION_STATE_SUBMITTED)
      return Open(unit, event, origin.time);
    if (event.state() == application::v1::APPLICATION_STATE_WITHDRAWN && event.submission() > 0)
      return Withdraw(unit, event.application(), false);
    return absl::OkStatus();
  });
  handlers.On<application::v1::WithdrawalRequested>(
      [this](const application::v1::WithdrawalRequested& event, const journal::EventOrigin&,
             journal::Unit& unit) { return Withdraw(unit, event.application(), true); });
  return handlers;
}

journal::EventHandlers Handlers::OnPayment() {
  journal::EventHandlers handlers;
  const auto fetch = [this](const std::vector<std::string>& names, db::Session& sql) {
    store_.PrefetchCases(sql, names);
  };
  handlers.Ahead<payment::v1::AwardAdvanced>(
      [](const payment::v1::AwardAdvanced& event) {
        return event.state() == payment::v1::AWARD_STATE_RESERVED ? event.case_name() : "";
      },
      fetch);
  handlers.Ahead<payment::v1::PaymentAdvanced>(
      [](const payment::v1::PaymentAdvanced& event) {
        return event.state() == payment::v1::PAYMENT_STATE_SETTLED ? event.case_name() : "";
      },
      fetch);
  handlers.On<payment::v1::AwardAdvanced>([this](const payment::v1::AwardAdvanced& event,
                                                 const journal::EventOrigin&,
                                                 journal::Unit& unit) -> absl::Status {
    if (event.state() != payment::v1::AWARD_STATE_RESERVED) return absl::OkStatus();
    YZ_ASSIGN_OR_RETURN(v1::Case review_case, LockCase(unit.sql(), event.case_name()));
    // Of an amount that was changed since: the reservation of the new one comes after.
    if (review_case.line_digest() != event.line_digest() || review_case.reserved())
      return absl::OkStatus();
    review_case.set_reserved(true);
    return Save(unit, &review_case);
  });
  handlers.On<payment::v1::PaymentAdvanced>([this](const payment::v1::PaymentAdvanced& event,
                                                   const journal::EventOrigin&,
                                                   journal::Unit& unit) -> absl::Status {
    if (event.state() != payment::v1::PAYMENT_STATE_SETTLED) return absl::OkStatus();
    YZ_ASSIGN_OR_RETURN(v1::Case review_case, LockCase(unit.sql(), event.case_name()));
    if (review_case.state() == v1::CASE_STATE_PAID) return absl::OkStatus();
    return Advance(unit, &review_case, v1::CASE_STATE_PAID, "event:SETTLED");
  });
  return handlers;
}

}  // namespace yuezhan::review
