#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/rpc/handlers.h"
#include "services/application/handlers.h"
#include "services/application/transitions.h"
#include "yuezhan/payment/v1/events.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::application {
namespace {

constexpr struct {
  v1::ApplicationState state;
  std::string_view zh;
  std::string_view en;
} kNextSteps[] = {
    {v1::APPLICATION_STATE_DRAFT, "建站单位填报申请表、上传材料后提交。",
     "The host unit completes form and materials and submits."},
    {v1::APPLICATION_STATE_SUBMITTED, "市科协受理并开始审核。",
     "The association opens its review."},
    {v1::APPLICATION_STATE_RETURNED, "建站单位逐条补正后重新提交。",
     "The host unit corrects each point and submits again."},
    {v1::APPLICATION_STATE_WITHDRAWN, "已撤回，可另行申报。",
     "Withdrawn; another application may be made."},
    {v1::APPLICATION_STATE_UNDER_REVIEW, "市科协考核认定并提出初审意见。",
     "The association assesses and gives its preliminary opinion."},
    {v1::APPLICATION_STATE_ASSESSED, "市科协提出初审意见，报市委人才办主任会议审定。",
     "The preliminary opinion goes to the directors' meeting."},
    {v1::APPLICATION_STATE_AWARDED, "资助名单和金额将予公示。",
     "The award will be published on the list."},
    {v1::APPLICATION_STATE_REFUSED, "未予资助，理由见上；条件具备后可另行申报。",
     "Refused, for the reason given; another application may be made once it is met."},
    {v1::APPLICATION_STATE_IN_NOTICE, "公示期满并作出公示结果说明后办理拨付。",
     "After the notice period and the statement of its result it goes to payment."},
    {v1::APPLICATION_STATE_OBJECTED, "公示期间收到异议，核查后由主任会议议定。",
     "An objection was received: it is examined and the meeting resolves."},
    {v1::APPLICATION_STATE_CLEARED, "市委人才办办理资助资金拨付。",
     "The talent office arranges the payment."},
    {v1::APPLICATION_STATE_PAID, "资金已拨付。建站单位开具收据，并按期报告使用情况。",
     "Paid. The host unit gives a receipt and reports on the use of the money."},
    {v1::APPLICATION_STATE_CANCELLED, "资助已取消，理由见上。",
     "The award was cancelled, for the reason given."},
};

}  // namespace

void AddNextStep(v1::Application* application) {
  if (application->withdrawal_requested()) {
    application->set_next_step_zh("已申请撤回，待审核方决定。");
    application->set_next_step_en("Withdrawal was requested; the review decides.");
    return;
  }
  for (const auto& row : kNextSteps) {
    if (row.state != application->state()) continue;
    application->set_next_step_zh(std::string(row.zh));
    application->set_next_step_en(std::string(row.en));
  }
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
    *application->mutable_state_time() = ToProto(time);
    if (EndedUnpaid(to)) {
      application->set_withdrawal_requested(false);
      store_.FreeLineage(unit.sql(), id);
    }
  }
  if (store_.UpdateApplication(unit.sql(), &*application)) return absl::OkStatus();
  return absl::AbortedError("the application changed meanwhile");
}

journal::EventHandlers Handlers::OnReview() {
  journal::EventHandlers handlers;
  handlers.On<review::v1::CaseAdvanced>([this](const review::v1::CaseAdvanced& event,
                                               const journal::EventOrigin& origin,
                                               journal::Unit& unit) {
    return FollowEvent(unit, event.application(), "event:CaseAdvanced", origin.time,
                       [&](v1::Application* application) {
                         // Of a submission that was followed by another one since.
                         if (event.submission() < application->submissions()) return false;
                         const v1::ApplicationState state = StateOfCase(event.state());
                         if (state == v1::APPLICATION_STATE_UNSPECIFIED) return false;
                         application->set_state(state);
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
  handlers.On<payment::v1::PaymentAdvanced>([this](const payment::v1::PaymentAdvanced& event,
                                                   const journal::EventOrigin& origin,
                                                   journal::Unit& unit) {
    return FollowEvent(unit, event.application(), "event:PaymentAdvanced", origin.time,
                       [&](v1::Application* application) {
                         if (event.state() == payment::v1::PAYMENT_STATE_SETTLED) {
                           application->set_state(v1::APPLICATION_STATE_PAID);
                         } else if (event.state() == payment::v1::PAYMENT_STATE_BANK_RETURNED) {
                           application->set_state(v1::APPLICATION_STATE_CLEARED);
                         } else {
                           return false;
                         }
                         application->set_payment(event.payment());
                         return true;
                       });
  });
  return handlers;
}

rpc::Service Handlers::Methods() {
  rpc::Service service("yuezhan.application.v1.ApplicationService");
  service.Add("CreateApplication", &Handlers::CreateApplication, this)
      .Add("UpdateApplication", &Handlers::UpdateApplication, this)
      .Add("GetApplication", &Handlers::GetApplication, this)
      .Add("ListApplications", &Handlers::ListApplications, this)
      .Add("CheckEligibility", &Handlers::CheckEligibility, this)
      .Add("SubmitApplication", &Handlers::SubmitApplication, this)
      .Add("WithdrawApplication", &Handlers::WithdrawApplication, this)
      .Add("ConfirmScan", &Handlers::ConfirmScan, this)
      .Add("StartUpload", &Handlers::StartUpload, this)
      .Add("WriteChunk", &Handlers::WriteChunk, this)
      .Add("GetUpload", &Handlers::GetUpload, this)
      .Add("FinishUpload", &Handlers::FinishUpload, this)
      .Add("ReadChunk", &Handlers::ReadChunk, this)
      .Add("ListMaterials", &Handlers::ListMaterials, this)
      .Add("GetSubmission", &Handlers::GetSubmission, this);
  return service;
}

}  // namespace yuezhan::application
