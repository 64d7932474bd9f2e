// Cleared awards are paid once, to the host unit's account, out of the special fund: article 5.4.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {
namespace {

using Stations = std::vector<const DemoStation*>;

// The awards of a list clear together: the last of them stands for all.
absl::StatusOr<std::string> AwaitCleared(Stage& stage, const Stations& stations) {
  payment::v1::GetAwardRequest request;
  request.set_case_name(stage.names[stations.back()->key].review_case);
  request.set_wait_ms(2000);
  request.set_wait_for_state(payment::v1::AWARD_STATE_CLEARED);
  YZ_RETURN_IF_ERROR(stage
                         .Await<payment::v1::Award>(
                             stage.Person("payment-officer"), "payment", "GetAward", request,
                             [](const payment::v1::Award& answer) {
                               return answer.state() >= payment::v1::AWARD_STATE_CLEARED;
                             })
                         .status());
  return absl::StrCat("可以拨付，共", stations.size(), "家");
}

absl::StatusOr<std::string> Prepare(Stage& stage, const Stations& stations) {
  payment::v1::BatchPreparePaymentsRequest request;
  for (const DemoStation* station : stations) {
    request.add_case_names(stage.names[station->key].review_case);
    request.mutable_codes()->set_budget_year(station->application.subsidy_year());
  }
  YZ_ASSIGN_OR_RETURN(const auto orders, stage.Call<payment::v1::BatchPreparePaymentsResponse>(
                                             stage.Person("payment-officer"), "payment",
                                             "BatchPreparePayments", request));
  std::string result;
  for (size_t i = 0; i < stations.size(); ++i) {
    const payment::v1::Payment& order = orders.payments(static_cast<int>(i));
    stage.names[stations[i]->key].payment = order.name();
    absl::StrAppend(&result, result.empty() ? "" : "；", Yuan(order.amount()), " 付至",
                    order.payee().holder(), " ", order.payee().number());
  }
  return result;
}

absl::StatusOr<std::string> Authorize(Stage& stage, const Stations& stations) {
  payment::v1::BatchAuthorizePaymentsRequest request;
  for (const DemoStation* station : stations) {
    request.add_names(stage.names[station->key].payment);
  }
  YZ_RETURN_IF_ERROR(
      stage
          .Call<payment::v1::BatchAuthorizePaymentsResponse>(stage.Person("authorizer"), "payment",
                                                             "BatchAuthorizePayments", request)
          .status());
  return absl::StrCat("同意拨付，共", stations.size(), "笔");
}

absl::StatusOr<std::string> RequestFinance(Stage& stage, const Stations& stations) {
  payment::v1::BatchRequestFinanceRequest batch;
  for (const DemoStation* station : stations) {
    batch.add_requests()->set_name(stage.names[station->key].payment);
  }
  YZ_RETURN_IF_ERROR(stage
                         .CallBatch<payment::v1::BatchRequestFinanceResponse>(
                             stage.Person("payment-officer"), "payment", "BatchRequestFinance",
                             "RequestFinance", batch, KeysOf(stations))
                         .status());
  return absl::StrCat("已函请市财政局，共", stations.size(), "笔");
}

absl::StatusOr<std::string> FinanceAnswer(Stage& stage, const Stations& stations) {
  payment::v1::BatchRecordFinanceAnswersRequest batch;
  for (const DemoStation* station : stations) {
    payment::v1::RecordFinanceAnswerRequest& request = *batch.add_requests();
    request.set_name(stage.names[station->key].payment);
    request.set_accepted(true);
    request.set_payment_voucher(absl::StrCat("演示凭证-", station->key));
  }
  YZ_RETURN_IF_ERROR(stage
                         .CallBatch<payment::v1::BatchRecordFinanceAnswersResponse>(
                             stage.Person("payment-officer"), "payment",
                             "BatchRecordFinanceAnswers", "RecordFinanceAnswer", batch,
                             KeysOf(stations))
                         .status());
  return absl::StrCat("财政已审核，支付指令已发出，共", stations.size(), "笔");
}

bool AllSettled(const payment::v1::BatchGetPaymentsResponse& answer) {
  return std::all_of(answer.payments().begin(), answer.payments().end(),
                     [](const payment::v1::Payment& payment) {
                       return payment.state() == payment::v1::PAYMENT_STATE_SETTLED;
                     });
}

absl::StatusOr<std::string> AwaitSettled(Stage& stage, const Stations& stations) {
  payment::v1::BatchGetPaymentsRequest request;
  for (const DemoStation* station : stations) {
    request.add_names(stage.names[station->key].payment);
  }
  request.set_wait_ms(2000);
  request.set_wait_for_state(payment::v1::PAYMENT_STATE_SETTLED);
  YZ_ASSIGN_OR_RETURN(const auto paid, stage.Await<payment::v1::BatchGetPaymentsResponse>(
                                           stage.Person("payment-officer"), "payment",
                                           "BatchGetPayments", request, &AllSettled));
  std::string result;
  for (const payment::v1::Payment& payment : paid.payments()) {
    absl::StrAppend(&result, result.empty() ? "" : "；", Yuan(payment.amount()), "已到账，银行流水",
                    payment.bank_reference());
  }
  return result;
}

absl::StatusOr<std::string> Receipts(Stage& stage, const Stations& stations) {
  payment::v1::BatchRecordReceiptsRequest batch;
  for (const DemoStation* station : stations) {
    payment::v1::RecordReceiptRequest& request = *batch.add_requests();
    request.set_name(stage.names[station->key].payment);
    request.set_receipt_number(absl::StrCat("演示收据-", station->key));
  }
  YZ_RETURN_IF_ERROR(stage
                         .CallBatch<payment::v1::BatchRecordReceiptsResponse>(
                             stage.Person("payment-officer"), "payment", "BatchRecordReceipts",
                             "RecordReceipt", batch, KeysOf(stations))
                         .status());
  return absl::StrCat("收据已登记，共", stations.size(), "份");
}

// What the host sees of its application in the end.
absl::StatusOr<std::string> AwaitPaid(Stage& stage, const DemoStation& station) {
  application::v1::GetApplicationRequest get;
  get.set_name(stage.names[station.key].application);
  get.set_wait_ms(2000);
  get.set_wait_for_state(application::v1::APPLICATION_STATE_PAID);
  YZ_RETURN_IF_ERROR(stage
                         .Await<application::v1::Application>(
                             stage.Host(station.key), "application", "GetApplication", get,
                             [](const application::v1::Application& answer) {
                               return answer.state() == application::v1::APPLICATION_STATE_PAID;
                             })
                         .status());
  return std::string("已拨付，本次资助办结");
}

}  // namespace

void AddPayment(Stage& stage, std::vector<DemoStep>* steps) {
  struct Act {
    const char* name;
    const char* person;
    const char* what;
    absl::StatusOr<std::string> (*act)(Stage&, const Stations&);
  };
  const auto add = [&](const Act& row) {
    steps->push_back({row.name, "5.4", stage.Person(row.person).name, row.what,
                      [&stage, act = row.act] { return act(stage, Paid(stage)); }});
  };
  AddDay(stage, "payment", "拨付", steps);
  add({"Cleared", "payment-officer", "查看待拨付资助", &AwaitCleared});
  add({"PreparePayment", "payment-officer", "编制拨款单", &Prepare});
  add({"AuthorizePayment", "authorizer", "审批拨款单", &Authorize});
  add({"RequestFinance", "payment-officer", "函请财政拨款", &RequestFinance});
  add({"RecordFinanceAnswer", "payment-officer", "登记财政意见", &FinanceAnswer});
  add({"Settled", "payment-officer", "查询到账", &AwaitSettled});
  AddDay(stage, "receipt", "建站单位开具收据", steps);
  add({"RecordReceipt", "payment-officer", "登记收据", &Receipts});
  for (const DemoStation* station : Paid(stage)) {
    steps->push_back({"Paid-" + station->key, "5.4", station->host.display_name(),
                      absl::StrCat("查看申报进度 ", station->form.display_name()),
                      [&stage, station] { return AwaitPaid(stage, *station); }});
  }
}

}  // namespace yuezhan::yz
