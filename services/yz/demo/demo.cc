#include "services/yz/demo/demo.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/dates.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "services/yz/journal_check.h"

namespace yuezhan::yz {
namespace {

using application::v1::Application;

// Runs `each` over all pages of a List method.
template <typename Answer, typename Request>
absl::Status ForPages(Stage& stage, const Caller& caller, const std::string& service,
                      const std::string& method, Request request,
                      const std::function<absl::Status(const Answer&)>& each) {
  do {
    YZ_ASSIGN_OR_RETURN(const Answer page, stage.Call<Answer>(caller, service, method, request));
    YZ_RETURN_IF_ERROR(each(page));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace

std::string DemoResult::Json() const {
  return absl::StrFormat(
      R"({"flow":"%s","paid":%d,"refused":%d,"amount_paid":"%d.%02d","ledger_balanced":%s,)"
      R"("journal_verified":%s})",
      complete ? "complete" : "incomplete", paid, refused, amount_paid_fen / 100,
      amount_paid_fen % 100, ledger_balanced ? "true" : "false",
      journal_verified ? "true" : "false");
}

absl::Time Demo::Start() {
  const absl::StatusOr<Scenario> scenario = BuiltInScenario();
  return scenario.ok() ? scenario->days.at("start") : absl::UnixEpoch();
}

absl::StatusOr<std::unique_ptr<Demo>> Demo::Create(Client& client, std::ostream& out) {
  YZ_ASSIGN_OR_RETURN(Scenario scenario, BuiltInScenario());
  return Create(client, out, std::move(scenario));
}

absl::StatusOr<std::unique_ptr<Demo>> Demo::Create(Client& client, std::ostream& out,
                                                   Scenario scenario) {
  if (client.profile().simulated_clock.empty()) {
    return absl::FailedPreconditionError(
        "the demonstration moves the clock: it needs a simulated one");
  }
  YZ_ASSIGN_OR_RETURN(auto clock, SimulatedClock::Open(client.profile().simulated_clock));
  return std::unique_ptr<Demo>(new Demo(client, std::move(scenario), std::move(clock), out));
}

Demo::Demo(Client& client, Scenario scenario, std::shared_ptr<SimulatedClock> clock,
           std::ostream& out)
    : stage_(client, std::move(scenario), std::move(clock)), out_(out) {
  AddDay(stage_, "start", "演示开始", &steps_);
  AddFunding(stage_, &steps_);
  AddFiling(stage_, &steps_);
  AddDay(stage_, "apply", "申报", &steps_);
  AddApplications(stage_, &steps_);
  AddReview(stage_, &steps_);
  AddNotice(stage_, &steps_);
  AddObjections(stage_, &steps_);
  AddNoticeResult(stage_, &steps_);
  AddEarlyApplication(stage_, &steps_);
  AddPayment(stage_, &steps_);
}

absl::Status Demo::Run(const Step& step) {
  if (&step == &steps_.front() && stage_.clock().Now() >= stage_.Day("receipt")) {
    out_ << "演示此前已完成：以下各步以相同的请求号重放，不重复办理。"
         << "Done before: each act is replayed under its request id and changes nothing."
         << std::endl;
  }
  const absl::StatusOr<std::string> result = step.act();
  if (!result.ok()) {
    const absl::Status& status = result.status();
    return absl::Status(status.code(),
                        absl::StrCat("demonstration, step ", step.name, ": ", status.message(), " ",
                                     errors::MessageZh(status)));
  }
  const std::string article = step.article.empty() ? "" : absl::StrCat("第", step.article, "条 ");
  out_ << FormatDay(BeijingDay(stage_.today)) << " " << article << step.who << " " << step.what
       << " → " << *result << std::endl;
  return absl::OkStatus();
}

absl::Status Demo::CountPayments(DemoResult* result) {
  using payment::v1::ListPaymentsResponse;
  payment::v1::ListPaymentsRequest request;
  request.set_state(payment::v1::PAYMENT_STATE_SETTLED);
  return ForPages<ListPaymentsResponse>(
      stage_, stage_.Person("auditor"), "payment", "ListPayments", request,
      [&](const ListPaymentsResponse& page) -> absl::Status {
        for (const payment::v1::Payment& payment : page.payments()) {
          YZ_ASSIGN_OR_RETURN(const int64_t fen, FenOf(payment.amount()));
          result->amount_paid_fen += fen;
          ++result->paid;
        }
        return absl::OkStatus();
      });
}

// Refused are filings, and applications that were never submitted and may not be now.
absl::Status Demo::CountRefusals(DemoResult* result) {
  using application::v1::ListApplicationsResponse;
  using registry::v1::ListStationsResponse;
  registry::v1::ListStationsRequest stations;
  stations.set_state(registry::v1::STATION_STATE_REFUSED);
  YZ_RETURN_IF_ERROR(ForPages<ListStationsResponse>(stage_, stage_.Person("auditor"), "registry",
                                                    "ListStations", stations,
                                                    [&](const ListStationsResponse& page) {
                                                      result->refused += page.stations_size();
                                                      return absl::OkStatus();
                                                    }));
  application::v1::ListApplicationsRequest drafts;
  drafts.set_filter("state = DRAFT");
  return ForPages<ListApplicationsResponse>(
      stage_, stage_.Person("auditor"), "application", "ListApplications", drafts,
      [&](const ListApplicationsResponse& page) -> absl::Status {
        for (const Application& draft : page.applications()) {
          application::v1::CheckEligibilityRequest check;
          check.set_name(draft.name());
          YZ_ASSIGN_OR_RETURN(
              const auto answer,
              stage_.Call<application::v1::CheckEligibilityResponse>(
                  stage_.Person("auditor"), "application", "CheckEligibility", check));
          if (!answer.eligible()) ++result->refused;
        }
        return absl::OkStatus();
      });
}

absl::StatusOr<bool> Demo::Complete() {
  for (const DemoStation& station : stage_.scenario.stations) {
    application::v1::GetApplicationRequest get;
    get.set_name(stage_.names[station.key].application);
    YZ_ASSIGN_OR_RETURN(
        const auto read,
        stage_.Call<Application>(stage_.Person("auditor"), "application", "GetApplication", get));
    const auto expected = station.Paid()      ? application::v1::APPLICATION_STATE_PAID
                          : station.Awarded() ? application::v1::APPLICATION_STATE_CANCELLED
                                              : application::v1::APPLICATION_STATE_DRAFT;
    if (read.state() != expected) return false;
  }
  return true;
}

absl::StatusOr<DemoResult> Demo::ReadBack() {
  DemoResult result;
  YZ_RETURN_IF_ERROR(CountPayments(&result));
  YZ_RETURN_IF_ERROR(CountRefusals(&result));
  YZ_ASSIGN_OR_RETURN(result.complete, Complete());
  YZ_ASSIGN_OR_RETURN(const auto ledger, stage_.Call<payment::v1::TrialBalance>(
                                             stage_.Person("auditor"), "payment", "GetTrialBalance",
                                             payment::v1::GetTrialBalanceRequest()));
  result.ledger_balanced = ledger.balanced() && ledger.postings() > 0;
  result.journal_verified = true;
  for (std::string_view service : kServices) {
    YZ_ASSIGN_OR_RETURN(const auto journal, VerifyWhole(stage_.client(), stage_.Person("auditor"),
                                                        std::string(service)));
    result.journal_verified &=
        journal.fault() == journal::v1::FAULT_UNSPECIFIED && journal.last_verified() > 0;
  }
  return result;
}

}  // namespace yuezhan::yz
