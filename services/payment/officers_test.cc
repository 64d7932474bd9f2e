// What officers do beside the one order: batches, carry-over, recovery, documents, attention.
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "services/payment/test_payment.h"
#include "yuezhan/common/v1/document.pb.h"

namespace yuezhan::payment {
namespace {

TEST(Batch, IsPreparedAndAuthorizedWholeOrNotAtAll) {
  TestPayment payment;
  payment.Fund(50'000'000);
  std::vector<TestCase> cases(3);
  for (const TestCase& c : cases) payment.Clear(c);
  v1::BatchPreparePaymentsRequest prepare;
  for (const TestCase& c : cases) prepare.add_case_names(c.case_name);
  v1::BatchPreparePaymentsResponse prepared;
  const auto call = [&] {
    prepare.set_request_id(NewUuid());
    return payment.Call(payment.handlers(), &Handlers::BatchPreparePayments,
                        "BatchPreparePayments", "preparer", prepare, &prepared);
  };
  payment.peer().Change(cases[1], [](auto& s) {
    *s.mutable_station()->mutable_closed_on() = DayToProto(Day(2026, 9, 15));
  });
  EXPECT_THAT(errors::Details(call()).SerializeAsString(), testing::HasSubstr(cases[1].case_name));
  EXPECT_EQ(payment.host().Count("payments"), 0);
  payment.peer().Change(cases[1], [](auto& s) { s.mutable_station()->clear_closed_on(); });
  ASSERT_TRUE(call().ok());
  ASSERT_EQ(prepared.payments_size(), 3);
  v1::BatchAuthorizePaymentsRequest authorize;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(prepared.payments(i).case_name(), cases[i].case_name);
    authorize.add_names(prepared.payments(i).name());
  }
  v1::BatchAuthorizePaymentsResponse authorized;
  const auto authorize_by = [&](const char* person) {
    authorize.set_request_id(NewUuid());
    return payment.Call(payment.handlers(), &Handlers::BatchAuthorizePayments,
                        "BatchAuthorizePayments", person, authorize, &authorized);
  };
  EXPECT_EQ(authorize_by("preparer").code(), absl::StatusCode::kPermissionDenied);
  authorize.add_names(authorize.names(0));
  EXPECT_EQ(authorize_by("authorizer").code(), absl::StatusCode::kInvalidArgument);
  authorize.mutable_names()->RemoveLast();
  ASSERT_TRUE(authorize_by("authorizer").ok());
  for (const auto& each : authorized.payments())
    EXPECT_EQ(each.state(), v1::PAYMENT_STATE_AUTHORIZED);
}

// Calls of several officers that are answered together: all, each by its officer, or none.
TEST(Together, PaymentsAreAuthorizedAllOrNone) {
  TestPayment payment;
  payment.Fund(50'000'000);
  const TestCase cases[3];
  std::vector<v1::AuthorizePaymentRequest> requests(3);
  std::vector<Context> contexts;
  for (int i = 0; i < 3; ++i) {
    payment.Clear(cases[i]);
    requests[i].set_request_id(NewUuid());
    requests[i].set_name(payment.Prepare(cases[i]).value().name());
    contexts.push_back(
        payment.host().Person(Role::kPaymentOfficer, absl::StrCat("authorizer-", i)));
    contexts[i].method = "yuezhan.payment.v1.PaymentService/AuthorizePayment";
  }
  std::vector<v1::Payment> answers(3);
  const auto authorize = [&] {
    rpc::AskedList<v1::AuthorizePaymentRequest, v1::Payment> asked;
    for (int i = 0; i < 3; ++i) asked.push_back({contexts[i], requests[i], &answers[i]});
    return payment.handlers().AuthorizePayment(asked);
  };
  const int64_t rows = payment.host().Count("journal");
  const Context own = contexts[1];
  contexts[1].caller.subject = "preparer";
  EXPECT_EQ(authorize().code(), absl::StatusCode::kPermissionDenied);
  contexts[1] = own;
  const std::string name = requests[2].name();
  requests[2].set_name(requests[0].name());
  EXPECT_FALSE(authorize().ok());
  EXPECT_EQ(payment.host().Count("journal"), rows);
  requests[2].set_name(name);
  ASSERT_TRUE(authorize().ok());
  EXPECT_EQ(payment.host().Count("journal"), rows + 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(answers[i].case_name(), cases[i].case_name);
    EXPECT_EQ(answers[i].authorized_by(), absl::StrCat("authorizer-", i));
    EXPECT_EQ(payment.GetPayment(requests[i].name()).state(), v1::PAYMENT_STATE_AUTHORIZED);
  }
}

// A list of the bureau's answers sends each money once: sent again, and with a payment named twice.
TEST(Batch, EachPaymentIsInstructedOnce) {
  TestPayment payment;
  payment.Fund(50'000'000);
  v1::BatchRecordFinanceAnswersRequest batch;
  const TestCase cases[3];
  for (const TestCase& c : cases) {
    payment.Clear(c);
    const std::string name = payment.Prepare(c).value().name();
    ASSERT_TRUE(payment.Authorize(name).ok());
    if (&c != &cases[1]) {
      ASSERT_TRUE(payment.Request(name).ok());
    }
    batch.add_requests()->set_name(name);
  }
  batch.add_requests()->set_name(batch.requests(0).name());
  for (auto& request : *batch.mutable_requests()) {
    request.set_request_id(NewUuid());
    request.set_accepted(true);
  }
  for (int time = 0; time < 2; ++time) {
    v1::BatchRecordFinanceAnswersResponse answer;
    ASSERT_TRUE(CallByName(payment.handlers().Methods(), "BatchRecordFinanceAnswers",
                           payment.host().Person(Role::kPaymentOfficer, "preparer"), batch, &answer)
                    .ok());
    ASSERT_EQ(answer.failed_requests().size(), 2u);
    for (const int failed : {1, 3}) {
      EXPECT_EQ(errors::Reason(errors::FromDetails(answer.failed_requests().at(failed))),
                "STATE_FORBIDS");
    }
    for (const int sent : {0, 2}) {
      EXPECT_EQ(answer.payments(sent).state(), v1::PAYMENT_STATE_INSTRUCTED);
    }
    EXPECT_EQ(payment.host().Count("transfers"), 2);
  }
}

// The whole way of several payments, each act asked for by all of them at once.
TEST(Together, PaymentsGoTheirWay) {
  TestPayment payment;
  const std::string fund = payment.Fund(50'000'000);
  const TestCase cases[3];
  for (const TestCase& c : cases) payment.Clear(c);
  std::vector<std::string> names(3);
  const auto ask = [&](auto method, std::string_view name, std::string_view person, auto fill) {
    using Request = std::decay_t<decltype(fill(0))>;
    std::vector<Request> requests;
    std::vector<v1::Payment> answers(3);
    Context context = payment.host().Person(Role::kPaymentOfficer, person);
    context.method = Concat({"yuezhan.payment.v1.PaymentService/", name});
    for (int i = 0; i < 3; ++i) requests.push_back(fill(i));
    rpc::AskedList<Request, v1::Payment> asked;
    for (int i = 0; i < 3; ++i) {
      requests[i].set_request_id(NewUuid());
      asked.push_back({context, requests[i], &answers[i]});
    }
    const int64_t rows = payment.host().Count("journal");
    const absl::Status status = (payment.handlers().*method)(asked);
    EXPECT_TRUE(status.ok()) << name << status;
    EXPECT_EQ(payment.host().Count("journal"), rows + 3);
    for (int i = 0; i < 3; ++i) names[i] = answers[i].name();
  };
  ask(&Handlers::PreparePayment, "PreparePayment", "preparer", [&](int i) {
    v1::PreparePaymentRequest request;
    request.set_case_name(cases[i].case_name);
    return request;
  });
  ask(&Handlers::AuthorizePayment, "AuthorizePayment", "authorizer", [&](int i) {
    v1::AuthorizePaymentRequest request;
    request.set_name(names[i]);
    return request;
  });
  ask(&Handlers::RequestFinance, "RequestFinance", "preparer", [&](int i) {
    v1::RequestFinanceRequest request;
    request.set_name(names[i]);
    return request;
  });
  // Finance sends one back.
  ask(&Handlers::RecordFinanceAnswer, "RecordFinanceAnswer", "preparer", [&](int i) {
    v1::RecordFinanceAnswerRequest request;
    request.set_name(names[i]);
    request.set_accepted(i != 1);
    if (i == 1) request.set_reason("预算科目有误");
    return request;
  });
  for (int i = 0; i < 3; ++i) {
    const v1::Payment paid = payment.GetPayment(names[i]);
    EXPECT_EQ(paid.case_name(), cases[i].case_name);
    EXPECT_EQ(paid.payee().number(), cases[i].account.number());
    EXPECT_EQ(paid.state(),
              i == 1 ? v1::PAYMENT_STATE_FINANCE_RETURNED : v1::PAYMENT_STATE_INSTRUCTED);
  }
  EXPECT_EQ(Fen(payment.GetFund(fund).in_transit()), 10'000'000);
  EXPECT_EQ(payment.host().Count("transfers"), 2);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Policy, WithoutAFinanceBureauSendsWhatIsAuthorized) {
  TestPayment payment(
      TestHost::ChangedPolicy("through_finance_bureau: true", "through_finance_bureau: false"));
  const std::string fund = payment.Fund(50'000'000);
  const TestCase c, second;
  payment.Clear(c);
  payment.Clear(second);
  const std::string name = payment.Prepare(c).value().name();
  EXPECT_EQ(payment.Authorize(name)->state(), v1::PAYMENT_STATE_INSTRUCTED);
  EXPECT_EQ(errors::Reason(payment.Request(name).status()), "STATE_FORBIDS");
  v1::BatchAuthorizePaymentsRequest batch;
  batch.set_request_id(NewUuid());
  batch.add_names(payment.Prepare(second).value().name());
  v1::BatchAuthorizePaymentsResponse answer;
  ASSERT_TRUE(payment
                  .Call(payment.handlers(), &Handlers::BatchAuthorizePayments,
                        "BatchAuthorizePayments", "authorizer", batch, &answer)
                  .ok());
  EXPECT_EQ(answer.payments(0).state(), v1::PAYMENT_STATE_INSTRUCTED);
  EXPECT_EQ(Fen(payment.GetFund(fund).in_transit()), 10'000'000);
  payment.Send(*payment.NewTransfers(), 1);
  EXPECT_EQ(Fen(payment.GetFund(fund).paid()), 10'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(CarryOver, MovesWhatIsFreeAndServesWhoWaits) {
  TestPayment payment;
  const std::string old = payment.Fund(8'000'000, 2025);
  const std::string next = payment.Fund(0, 2026);
  const TestCase c;
  ASSERT_TRUE(payment.Apply(payment.Event(c, review::v1::CASE_STATE_AWARDED)).ok());
  ASSERT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_WAITING);
  v1::CarryOverFundRequest request;
  request.set_name(old);
  request.set_to(next);
  request.set_reason("上年结余");
  v1::Fund answer;
  const auto carry = [&](int64_t fen) {
    request.set_request_id(NewUuid());
    *request.mutable_amount() = MoneyOf(fen);
    return payment.Call(payment.handlers(), &Handlers::CarryOverFund, "CarryOverFund",
                        "bookkeeper", request, &answer);
  };
  EXPECT_EQ(carry(8'000'001).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(carry(-1).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(carry(6'000'000).ok());
  EXPECT_EQ(Fen(payment.GetFund(old).allocated()), 2'000'000);
  EXPECT_EQ(Fen(payment.GetFund(old).free()), 2'000'000);
  EXPECT_EQ(Fen(answer.allocated()), 6'000'000);
  EXPECT_EQ(Fen(answer.reserved()), 5'000'000);
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_RESERVED);
  EXPECT_TRUE(payment.TrialBalance().balanced());
  v1::ListFundChangesRequest list;
  list.set_name(old);
  v1::ListFundChangesResponse changes;
  ASSERT_TRUE(payment
                  .Call(payment.handlers(), &Handlers::ListFundChanges, "ListFundChanges", "a",
                        list, &changes)
                  .ok());
  ASSERT_EQ(changes.changes_size(), 2);
  EXPECT_EQ(changes.changes(0).kind(), v1::FUND_CHANGE_KIND_ALLOCATED);
  EXPECT_EQ(changes.changes(1).kind(), v1::FUND_CHANGE_KIND_CARRIED_OUT);
  EXPECT_EQ(changes.changes(1).other_fund(), next);
  EXPECT_EQ(changes.changes(1).reason(), "上年结余");
  EXPECT_EQ(changes.changes(1).officer(), "bookkeeper");
}

TEST(Recovery, IsOrderedBookedAndFollowedUntilTheMoneyIsBack) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const std::string name = payment.Instructed(TestCase()).name();
  v1::OrderRecoveryRequest order;
  order.set_name(name);
  order.set_reason("服务站已停止运行");
  order.set_document("岳人才办〔2026〕9号");
  *order.mutable_due_on() = DayToProto(payment.host().today() + 10);
  v1::Payment answer;
  const auto order_by = [&](const char* person, int64_t fen) {
    order.set_request_id(NewUuid());
    *order.mutable_amount() = MoneyOf(fen);
    return payment.Call(payment.handlers(), &Handlers::OrderRecovery, "OrderRecovery", person,
                        order, &answer);
  };
  v1::BookRecoveryRequest book;
  book.set_name(name);
  book.set_reference("B77");
  *book.mutable_received_on() = DayToProto(payment.host().today());
  const auto book_by = [&](const char* person, int64_t fen) {
    book.set_request_id(NewUuid());
    *book.mutable_amount() = MoneyOf(fen);
    return payment.Call(payment.handlers(), &Handlers::BookRecovery, "BookRecovery", person, book,
                        &answer);
  };
  const auto open = [&] {
    v1::ListPaymentsRequest request;
    request.set_attention(v1::PAYMENT_ATTENTION_RECOVERY_OPEN);
    v1::ListPaymentsResponse list;
    EXPECT_TRUE(payment
                    .Call(payment.handlers(), &Handlers::ListPayments, "ListPayments", "a", request,
                          &list)
                    .ok());
    return list.payments_size();
  };
  EXPECT_EQ(errors::Reason(order_by("director-a", 3'000'000)), "STATE_FORBIDS");
  payment.Send(*payment.NewTransfers(), 1);
  EXPECT_EQ(errors::Reason(book_by("bookkeeper", 1)), "REFUSED");
  EXPECT_EQ(order_by("director-a", 5'000'001).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(order_by("authorizer", 3'000'000).code(), absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(order_by("director-a", 3'000'000).ok());
  EXPECT_EQ(order_by("director-a", 1).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(open(), 1);
  EXPECT_EQ(book_by("preparer", 1'000'000).code(), absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(book_by("bookkeeper", 1'000'000).ok());
  EXPECT_EQ(book_by("bookkeeper", 2'000'001).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(payment.GetPayment(name).recovery().overdue());
  ASSERT_TRUE(payment.host().clock().Advance(11 * absl::Hours(24)).ok());
  EXPECT_TRUE(payment.GetPayment(name).recovery().overdue());
  ASSERT_TRUE(book_by("bookkeeper", 2'000'000).ok());
  EXPECT_EQ(open(), 0);
  EXPECT_FALSE(payment.GetPayment(name).recovery().overdue());
  EXPECT_EQ(payment.GetPayment(name).recovery().entries_size(), 2);
  EXPECT_EQ(Fen(payment.GetFund(fund).paid()), 2'000'000);
  EXPECT_EQ(Fen(payment.GetFund(fund).recovered()), 3'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Receipts, ThatAreOverdueAreListed) {
  TestPayment payment;
  payment.Fund(50'000'000);
  payment.Instructed(TestCase());
  payment.Send(*payment.NewTransfers(), 1);
  const auto overdue = [&] {
    v1::ListPaymentsRequest request;
    request.set_attention(v1::PAYMENT_ATTENTION_RECEIPT_OVERDUE);
    v1::ListPaymentsResponse list;
    EXPECT_TRUE(payment
                    .Call(payment.handlers(), &Handlers::ListPayments, "ListPayments", "a", request,
                          &list)
                    .ok());
    return list.payments_size();
  };
  ASSERT_TRUE(payment.host().clock().Advance(30 * absl::Hours(24)).ok());
  EXPECT_EQ(overdue(), 0);
  ASSERT_TRUE(payment.host().clock().Advance(absl::Hours(24)).ok());
  EXPECT_EQ(overdue(), 1);
}

TEST(RegisteredAccount, IsPaidByADecisionOnly) {
  TestPayment payment;
  payment.Fund(50'000'000);
  const TestCase c;
  payment.Clear(c);
  payment.peer().Change(
      c, [](auto& s) { s.mutable_host()->mutable_account()->set_number("1907010109299999999"); });
  v1::PreparePaymentRequest request;
  request.set_request_id(NewUuid());
  request.set_case_name(c.case_name);
  request.set_pay_registered_account(true);
  v1::Payment answer;
  const auto prepare = [&] {
    return payment.Call(payment.handlers(), &Handlers::PreparePayment, "PreparePayment",
                        "preparer", request, &answer);
  };
  EXPECT_EQ(prepare().code(), absl::StatusCode::kInvalidArgument);
  request.mutable_account_decision()->set_confirmed(true);
  request.mutable_account_decision()->set_reason("建站单位已变更基本账户");
  ASSERT_TRUE(prepare().ok());
  EXPECT_EQ(answer.payee().number(), "1907010109299999999");
  EXPECT_EQ(payment.host().Count("account_decisions WHERE source = 2 AND officer = 'preparer'"), 1);
}

TEST(Documents, LetterShowsAccountsToOfficesAlone) {
  TestPayment payment;
  payment.Fund(50'000'000);
  const TestCase c;
  const v1::Payment sent = payment.Instructed(c);
  v1::PrintDocumentRequest request;
  request.set_kind(v1::DOCUMENT_KIND_FINANCE_LETTER);
  request.add_names(sent.name());
  request.set_number("岳人才办〔2026〕8号");
  common::v1::PrintedDocument letter;
  const auto print = [&](Context context) {
    context.method = "yuezhan.payment.v1.PaymentService/PrintDocument";
    return payment.handlers().PrintDocument(context, request, &letter);
  };
  Context officer = payment.host().Person(Role::kPaymentOfficer, "preparer");
  Context host = payment.host().Person(Role::kHostUnit, "clerk", c.host_unit);
  const absl::Status printed = print(officer);
  ASSERT_TRUE(printed.ok()) << printed;
  for (const char* text : {"岳阳市财政局", "50,000.00", "伍万元整", "岳人才办〔2026〕8号",
                           "岳人才办发〔2021〕8号"}) {
    EXPECT_THAT(letter.content(), testing::HasSubstr(text));
  }
  EXPECT_THAT(letter.content(), testing::HasSubstr(c.account.number()));
  EXPECT_EQ(print(host).code(), absl::StatusCode::kPermissionDenied);

  request.set_kind(v1::DOCUMENT_KIND_PAYMENT_NOTICE);
  EXPECT_EQ(errors::Reason(print(host)), "REFUSED");  // not paid yet
  payment.Send(*payment.NewTransfers(), 1);
  const absl::Status notice = print(host);
  ASSERT_TRUE(notice.ok()) << notice;
  EXPECT_THAT(letter.content(), testing::HasSubstr("2026年9月15日"));
  EXPECT_THAT(letter.content(), testing::HasSubstr("湖南理工学院科协（演示）"));
  EXPECT_THAT(letter.content(), testing::Not(testing::HasSubstr(c.account.number())));
  Context other = payment.host().Person(Role::kHostUnit, "clerk", Name("hostUnits", NewUuid()));
  EXPECT_EQ(print(other).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace yuezhan::payment
