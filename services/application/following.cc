#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/rpc/handlers.h"
#include "services/application/handlers.h"
#include "services/application/transitions.h"
#include "yuezhan/payment/v1/events.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::application {
namespace {

// Paid, or no longer.
bool Concerns(const payment::v1::PaymentAdvanced& event) {
  return event.state() == payment::v1::PAYMENT_STATE_SETTLED ||
         event.from() == payment::v1::PAYMENT_STATE_SETTLED;
}

}  // namespace

absl::Status Handlers::LockAhead(const std::vector<std::string>& names) {
  return db::Read(journal_.pool(), absl::InfiniteFuture(), [&](db::Session& sql) {
    store_.PrefetchApplications(sql, names);
    return absl::OkStatus();
  });
}

absl::Status Handlers::FollowEvent(journal::Unit& unit, std::string_view name,
                                   std::string_view method, absl::Time time,
                                   absl::FunctionRef<bool(v1::Application*)> change) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", name));
  YZ_ASSIGN_OR_RETURN(auto application, store_.Application(unit.sql(), id, true));
  if (!application) return absl::DataLossError(Concat({"no ", name}));
  const v1::ApplicationState from = application->state();
  if (!change(&*application)) return absl::OkStatus();
  const v1::ApplicationState to = application->state();
  if (to != from) {
    if (!ApplicationTransitions().Allows(from, to, method)) return absl::OkStatus();
    EnterState(time, &*application);
    if (EndedUnpaid(to)) {
      application->set_withdrawal_requested(false);
      store_.FreeLineage(unit.sql(), id);
    }
  }
  store_.UpdateApplication(unit.sql(), &*application);
  return absl::OkStatus();
}

journal::EventHandlers Handlers::OnReview() {
  journal::EventHandlers handlers;
  handlers.Ahead<review::v1::CaseAdvanced>(
      [](const review::v1::CaseAdvanced& event) {
        return StateOfCase(event.state()) != v1::APPLICATION_STATE_UNSPECIFIED ? event.application()
                                                                               : "";
      },
      [this](const std::vector<std::string>& names, db::Session& sql) {
        store_.PrefetchApplications(sql, names);
      });
  handlers.On<review::v1::CaseAdvanced>([this](const review::v1::CaseAdvanced& event,
                                               const journal::EventOrigin& origin,
                                               journal::Unit& unit) {
    const v1::ApplicationState state = StateOfCase(event.state());
    if (state == v1::APPLICATION_STATE_UNSPECIFIED) return absl::OkStatus();
    return FollowEvent(unit, event.application(), "event:CaseAdvanced", origin.time,
                       [&](v1::Application* application) {
                         // Of a submission that was followed by another one since.
                         if (event.submission() < application->submissions()) return false;
                         application->set_state(state);
                         if (OpinionApproved(event))
                           *application->mutable_opinion_time() = ToProto(origin.time);
                         application->set_notice(event.notice());
                         application->set_review_case(event.case_name());
                         *application->mutable_points() = event.points();
                         if (!event.reason().empty()) application->set_reason(event.reason());
                         return true;
                       });
  });
  handlers.On<review::v1::WithdrawalDecided>([this](const review::v1::WithdrawalDecided& event,
                                                    const journal::EventOrigin& origin,
                                                    journal::Unit& unit) {
    return FollowEvent(unit, event.application(), "event:WithdrawalDecided", origin.time,
                       [&](v1::Application* application) {
                         if (EndedUnpaid(application->state())) return false;
                         application->set_withdrawal_requested(false);
                         if (event.withdrawn()) {
                           application->set_state(v1::APPLICATION_STATE_WITHDRAWN);
                         } else {
                           application->clear_reason();
                         }
                         return true;
                       });
  });
  return handlers;
}

journal::EventHandlers Handlers::OnPayment() {
  journal::EventHandlers handlers;
  handlers.Ahead<payment::v1::PaymentAdvanced>(
      [](const payment::v1::PaymentAdvanced& event) {
        return Concerns(event) ? event.application() : "";
      },
      [this](const std::vector<std::string>& names, db::Session& sql) {
        store_.PrefetchApplications(sql, names);
      });
  handlers.On<payment::v1::PaymentAdvanced>([this](const payment::v1::PaymentAdvanced& event,
                                                   const journal::EventOrigin& origin,
                                                   journal::Unit& unit) {
    if (!Concerns(event)) return absl::OkStatus();
    const bool settled = event.state() == payment::v1::PAYMENT_STATE_SETTLED;
    return FollowEvent(unit, event.application(), "event:PaymentAdvanced", origin.time,
                       [&](v1::Application* application) {
                         if (settled) {
                           application->set_state(v1::APPLICATION_STATE_PAID);
                           *application->mutable_paid_on() = event.settled_on();
                           application->set_bank_reference(event.bank_reference());
                         } else {
                           // The money is back, or never went although the bank said so.
                           application->set_state(v1::APPLICATION_STATE_CLEARED);
                           application->clear_paid_on();
                           application->clear_bank_reference();
                         }
                         application->set_payment(event.payment());
                         return true;
                       });
  });
  return handlers;
}

rpc::Service Handlers::Methods() {
  rpc::Service service("yuezhan.application.v1.ApplicationService", journal_.Joining());
  service.Add("CreateApplication", &Handlers::CreateApplication, this)
      .Add("UpdateApplication", &Handlers::UpdateApplication, this)
      .Add("GetApplication", &Handlers::GetApplication, this)
      .Add("ListApplications", &Handlers::ListApplications, this)
      .Add("CheckEligibility", &Handlers::CheckEligibility, this)
      .Add("SubmitApplication", &Handlers::SubmitApplication, this)
      .Add("WithdrawApplication", &Handlers::WithdrawApplication, this)
      .Add("ConfirmScan", &Handlers::ConfirmScan, this)
      .AddBatch<v1::BatchConfirmScansRequest, v1::BatchConfirmScansResponse>("BatchConfirmScans")
      .AddJoined("StartUpload", &Handlers::StartUpload, this, &Handlers::LockAhead)
      .AddJoined("WriteChunk", &Handlers::WriteChunk, this)
      .Add("GetUpload", &Handlers::GetUpload, this)
      .Add("FinishUpload", &Handlers::FinishUpload, this)
      .Add("UploadMaterial", &Handlers::UploadMaterial, this)
      .Add("ReadChunk", &Handlers::ReadChunk, this)
      .Add("ListMaterials", &Handlers::ListMaterials, this)
      .Add("GetSubmission", &Handlers::GetSubmission, this)
      .AddBatch<v1::BatchGetSubmissionsRequest, v1::BatchGetSubmissionsResponse>(
          "BatchGetSubmissions")
      .Add("PrintDocument", &Handlers::PrintDocument, this);
  return service;
}

}  // namespace yuezhan::application
