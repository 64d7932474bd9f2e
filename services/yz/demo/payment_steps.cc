// Cleared awards are paid once, to the host unit's account, out of the special fund: article 5.4.
#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {
namespace {

absl::StatusOr<std::string> AwaitCleared(Stage& stage, const DemoStation& station) {
  payment::v1::GetAwardRequest request;
  request.set_case_name(stage.names[station.key].review_case);
  request.set_wait_ms(2000);
  request.set_wait_for_state(payment::v1::AWARD_STATE_CLEARED);
  YZ_ASSIGN_OR_RETURN(
      const auto award,
      stage.Await<payment::v1::Award>(stage.Person("payment-officer"), "payment", "GetAward",
                                      request, [](const payment::v1::Award& answer) {
                                        return answer.state() >= payment::v1::AWARD_STATE_CLEARED;
                                      }));
  return absl::StrCat("可以拨付", Yuan(award.amount()));
}

absl::StatusOr<std::string> Prepare(Stage& stage, const DemoStation& station) {
  payment::v1::PreparePaymentRequest request;
  request.set_case_name(stage.names[station.key].review_case);
  request.mutable_codes()->set_budget_year(station.application.subsidy_year());
  YZ_ASSIGN_OR_RETURN(const auto order,
                      stage.Call<payment::v1::Payment>(stage.Person("payment-officer"), "payment",
                                                       "PreparePayment", request, station.key));
  stage.names[station.key].payment = order.name();
  return absl::StrCat(Yuan(order.amount()), " 付至", order.payee().holder(), " ",
                      order.payee().number());
}

absl::StatusOr<std::string> Authorize(Stage& stage, const DemoStation& station) {
  payment::v1::AuthorizePaymentRequest request;
  request.set_name(stage.names[station.key].payment);
  YZ_RETURN_IF_ERROR(stage
                         .Call<payment::v1::Payment>(stage.Person("authorizer"), "payment",
                                                     "AuthorizePayment", request, station.key)
                         .status());
  return std::string("同意拨付");
}

absl::StatusOr<std::string> RequestFinance(Stage& stage, const DemoStation& station) {
  payment::v1::RequestFinanceRequest request;
  request.set_name(stage.names[station.key].payment);
  YZ_RETURN_IF_ERROR(stage
                         .Call<payment::v1::Payment>(stage.Person("payment-officer"), "payment",
                                                     "RequestFinance", request, station.key)
                         .status());
  return std::string("已函请市财政局");
}

absl::StatusOr<std::string> FinanceAnswer(Stage& stage, const DemoStation& station) {
  payment::v1::RecordFinanceAnswerRequest request;
  request.set_name(stage.names[station.key].payment);
  request.set_accepted(true);
  request.set_payment_voucher(absl::StrCat("演示凭证-", station.key));
  YZ_RETURN_IF_ERROR(stage
                         .Call<payment::v1::Payment>(stage.Person("payment-officer"), "payment",
                                                     "RecordFinanceAnswer", request, station.key)
                         .status());
  return std::string("财政已审核，支付指令已发出");
}

absl::StatusOr<std::string> AwaitSettled(Stage& stage, const DemoStation& station) {
  payment::v1::GetPaymentRequest request;
  request.set_name(stage.names[station.key].payment);
  request.set_wait_ms(2000);
  request.set_wait_for_state(payment::v1::PAYMENT_STATE_SETTLED);
  YZ_ASSIGN_OR_RETURN(const auto paid, stage.Await<payment::v1::Payment>(
                                           stage.Person("payment-officer"), "payment", "GetPayment",
                                           request, [](const payment::v1::Payment& answer) {
                                             return answer.state() ==
                                                    payment::v1::PAYMENT_STATE_SETTLED;
                                           }));
  return absl::StrCat(Yuan(paid.amount()), "已到账，银行流水", paid.bank_reference());
}

absl::StatusOr<std::string> Receipt(Stage& stage, const DemoStation& station) {
  payment::v1::RecordReceiptRequest request;
  request.set_name(stage.names[station.key].payment);
  request.set_receipt_number(absl::StrCat("演示收据-", station.key));
  YZ_RETURN_IF_ERROR(stage
                         .Call<payment::v1::Payment>(stage.Person("payment-officer"), "payment",
                                                     "RecordReceipt", request, station.key)
                         .status());
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
  return std::string("收据已登记，本次资助办结");
}

}  // namespace

void AddPayment(Stage& stage, std::vector<DemoStep>* steps) {
  struct Act {
    const char* name;
    const char* person;
    const char* what;
    absl::StatusOr<std::string> (*act)(Stage&, const DemoStation&);
  };
  const auto add = [&](const Act& row) {
    for (const DemoStation& station : stage.scenario.stations) {
      if (!station.Paid()) continue;
      steps->push_back({absl::StrCat(row.name, "-", station.key), "5.4",
                        stage.Person(row.person).name,
                        absl::StrCat(row.what, " ", station.form.display_name()),
                        [&stage, &station, act = row.act] { return act(stage, station); }});
    }
  };
  AddDay(stage, "payment", "拨付", steps);
  add({"Cleared", "payment-officer", "查看待拨付资助", &AwaitCleared});
  add({"PreparePayment", "payment-officer", "编制拨款单", &Prepare});
  add({"AuthorizePayment", "authorizer", "审批拨款单", &Authorize});
  add({"RequestFinance", "payment-officer", "函请财政拨款", &RequestFinance});
  add({"RecordFinanceAnswer", "payment-officer", "登记财政意见", &FinanceAnswer});
  add({"Settled", "payment-officer", "查询到账", &AwaitSettled});
  AddDay(stage, "receipt", "建站单位开具收据", steps);
  add({"RecordReceipt", "payment-officer", "登记收据", &Receipt});
}

}  // namespace yuezhan::yz
