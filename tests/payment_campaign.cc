#include "tests/payment_campaign.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/money.h"
#include "common/errors/errors.h"
#include "gtest/gtest.h"

namespace yuezhan::tests {
namespace {

using namespace payment::v1;  // NOLINT

constexpr std::string_view kPayment = "yuezhan.payment.v1.PaymentService/";
constexpr std::string_view kReconciliation = "yuezhan.payment.v1.ReconciliationService/";

std::string Method(std::string_view name) { return Concat({kPayment, name}); }

// A race with the bank's word or with another officer is no failure: the next round sees.
bool IsRace(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsAborted(status) ||
         absl::IsAlreadyExists(status) || absl::IsUnavailable(status);
}

}  // namespace

template <typename Request>
absl::Status Officers::Do(const std::string& subject, Role role, std::string_view method,
                          Request request, google::protobuf::Message* answer) {
  request.set_request_id(NewUuid());
  return world_.Call(subject, role, method, request, answer);
}

std::string Officers::Fund(int64_t fen) {
  CreateFundRequest request;
  request.mutable_fund()->set_year(2026);
  request.mutable_fund()->set_source("市人才发展专项资金");
  payment::v1::Fund fund;
  const absl::Status status =
      Do("bookkeeper", Role::kPaymentOfficer, Method("CreateFund"), request, &fund);
  EXPECT_TRUE(status.ok()) << status;
  Allocate(fund.name(), fen);
  return fund.name();
}

void Officers::Allocate(const std::string& fund, int64_t fen) {
  AllocateFundRequest request;
  request.set_name(fund);
  *request.mutable_amount() = MoneyOf(fen);
  request.set_reason("市财政下达");
  payment::v1::Fund answer;
  const absl::Status status =
      Do("bookkeeper", Role::kPaymentOfficer, Method("AllocateFund"), request, &answer);
  EXPECT_TRUE(status.ok()) << status;
}

payment::v1::Fund Officers::GetFund(const std::string& fund) {
  GetFundRequest request;
  request.set_name(fund);
  const auto answer = world_.Ask<payment::v1::Fund>("bookkeeper", Role::kPaymentOfficer,
                                                    Method("GetFund"), request);
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.value_or(payment::v1::Fund());
}

std::vector<Payment> Officers::Payments(PaymentAttention attention) {
  std::vector<Payment> payments;
  ListPaymentsRequest request;
  request.set_page_size(500);
  request.set_attention(attention);
  do {
    const auto page = world_.Ask<ListPaymentsResponse>("preparer", Role::kPaymentOfficer,
                                                       Method("ListPayments"), request);
    if (!page.ok()) return {};
    payments.insert(payments.end(), page->payments().begin(), page->payments().end());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return payments;
}

std::vector<Award> Officers::Cleared() {
  std::vector<Award> awards;
  ListAwardsRequest request;
  request.set_page_size(500);
  request.set_state(AWARD_STATE_CLEARED);
  const auto page = world_.Ask<ListAwardsResponse>("preparer", Role::kPaymentOfficer,
                                                   Method("ListAwards"), request);
  if (page.ok()) awards.assign(page->awards().begin(), page->awards().end());
  return awards;
}

void Officers::PrepareAll(const std::vector<Award>& cleared) {
  for (size_t at = 0; at < cleared.size(); at += 20) {
    BatchPreparePaymentsRequest request;
    for (size_t i = at; i < std::min(cleared.size(), at + 20); ++i)
      request.add_case_names(cleared[i].case_name());
    BatchPreparePaymentsResponse answer;
    const absl::Status status = Do("preparer", Role::kPaymentOfficer,
                                   Method("BatchPreparePayments"), request, &answer);
    EXPECT_TRUE(status.ok() || IsRace(status)) << status;
  }
}

void Officers::Next(const Payment& payment) {
  Payment answer;
  absl::Status status;
  if (!payment.incident().empty()) return;  // Reconcile's part
  switch (payment.state()) {
    case PAYMENT_STATE_AUTHORIZED: {
      RequestFinanceRequest request;
      request.set_name(payment.name());
      status = Do("preparer", Role::kPaymentOfficer, Method("RequestFinance"), request, &answer);
      break;
    }
    case PAYMENT_STATE_REQUESTED: {
      RecordFinanceAnswerRequest request;
      request.set_name(payment.name());
      request.set_accepted(true);
      status =
          Do("preparer", Role::kPaymentOfficer, Method("RecordFinanceAnswer"), request, &answer);
      break;
    }
    case PAYMENT_STATE_FAILED:
    case PAYMENT_STATE_BANK_RETURNED: {
      ResendPaymentRequest request;
      request.set_name(payment.name());
      request.set_reason("账户已核对");
      status =
          Do("authorizer", Role::kPaymentAuthorizer, Method("ResendPayment"), request, &answer);
      if (status.ok()) ++resent_;
      break;
    }
    default:
      return;
  }
  EXPECT_TRUE(status.ok() || IsRace(status)) << payment.name() << ": " << status;
}

int Officers::Round() {
  PrepareAll(Cleared());
  int settled = 0;
  BatchAuthorizePaymentsRequest authorize;
  bool incidents = false;
  for (const Payment& payment : Payments()) {
    if (payment.state() == PAYMENT_STATE_SETTLED) ++settled;
    if (payment.state() == PAYMENT_STATE_PREPARED && authorize.names_size() < 100)
      authorize.add_names(payment.name());
    incidents = incidents || !payment.incident().empty();
    Next(payment);
  }
  if (authorize.names_size() > 0) {
    BatchAuthorizePaymentsResponse answer;
    const absl::Status status = Do("authorizer", Role::kPaymentAuthorizer,
                                   Method("BatchAuthorizePayments"), authorize, &answer);
    EXPECT_TRUE(status.ok() || IsRace(status)) << status;
  }
  if (incidents) Reconcile();
  return settled;
}

void Officers::ImportStatement() {
  ImportStatementRequest request;
  request.set_format(STATEMENT_FORMAT_CSV);
  request.set_content(world_.Statement());
  *request.mutable_from() = DayToProto(Day(2026, 9, 1));
  *request.mutable_to() = DayToProto(Day(2026, 9, 15));
  Statement answer;
  const absl::Status status = Do("bookkeeper", Role::kPaymentOfficer,
                                 Concat({kReconciliation, "ImportStatement"}), request, &answer);
  EXPECT_TRUE(status.ok()) << status;
}

void Officers::Reconcile() {
  ImportStatement();
  for (const Payment& payment : Payments(PAYMENT_ATTENTION_INCIDENT)) {
    ResolveIncidentRequest request;
    request.set_name(payment.name());
    request.set_outcome(INCIDENT_OUTCOME_PAID);
    request.set_reason("对账单显示已付出");
    Payment answer;
    const absl::Status status = Do("bookkeeper", Role::kPaymentOfficer, Method("ResolveIncident"),
                                   request, &answer);
    EXPECT_TRUE(status.ok() || IsRace(status)) << status;
    if (status.ok()) ++incidents_;
  }
}

void Officers::ConfirmOpenLines() {
  ListStatementLinesRequest list;
  list.set_page_size(500);
  const auto lines = world_.Ask<ListStatementLinesResponse>(
      "bookkeeper", Role::kPaymentOfficer, Concat({kReconciliation, "ListStatementLines"}), list);
  if (!lines.ok()) return;
  std::map<std::string, Payment> by_account;
  for (const Payment& payment : Payments()) {
    // The list masks accounts; one payment's own answer to an officer does not.
    GetPaymentRequest get;
    get.set_name(payment.name());
    const auto whole = world_.Ask<Payment>("preparer", Role::kPaymentOfficer, Method("GetPayment"),
                                           get);
    if (whole.ok()) by_account[whole->payee().number()] = *whole;
  }
  std::map<std::string, bool> touched;
  for (const StatementLine& line : lines->lines()) {
    const auto payment = by_account.find(line.counterparty_account());
    // One line of a payment at a time: what came back comes after what went out.
    if (payment == by_account.end() || touched[payment->first]) continue;
    touched[payment->first] = true;
    ConfirmMatchRequest request;
    request.set_name(line.name());
    request.set_payment(payment->second.name());
    request.set_reason("与银行回单核对一致");
    StatementLine answer;
    const absl::Status status = Do("bookkeeper", Role::kPaymentOfficer,
                                   Concat({kReconciliation, "ConfirmMatch"}), request, &answer);
    EXPECT_TRUE(status.ok() || IsRace(status)) << status;
  }
}

void Officers::EndHold(absl::Time end) {
  for (;;) {
    // Followed again from the cursor of the backup: awards come back as they were told then.
    PrepareAll(Cleared());
    ImportStatement();
    ConfirmOpenLines();
    EndHoldRequest request;
    request.set_reason("已与银行对账单逐笔核对");
    Hold hold;
    const absl::Status status = Do("authorizer", Role::kPaymentAuthorizer,
                                   Concat({kReconciliation, "EndHold"}), request, &hold);
    if (status.ok()) return;
    EXPECT_TRUE(IsRace(status)) << status;
    if (absl::Now() > end) FAIL() << "the hold does not end: " << status;
    absl::SleepFor(absl::Milliseconds(200));
  }
}

bool Officers::AgreesWithTheBank(int payments) {
  int agree = 0;
  for (const Payment& payment : Payments()) {
    if (payment.state() != PAYMENT_STATE_SETTLED || !payment.incident().empty()) continue;
    bank::v1::GetTransferRequest request;
    request.set_transfer_id(payment.transfer_id());
    const auto transfer = world_.Ask<bank::v1::Transfer>(
        "auditor", Role::kAuditor, "yuezhan.bank.v1.BankService/GetTransfer", request);
    if (transfer.ok() && transfer->state() == bank::v1::TRANSFER_STATE_SETTLED) ++agree;
  }
  return agree == payments;
}

}  // namespace yuezhan::tests
