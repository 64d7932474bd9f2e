#include "services/payment/reconciliation.h"

#include <fstream>

#include "common/base/csv.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "services/payment/test_payment.h"

namespace yuezhan::payment {
namespace {

TEST(Reader, ReadsWhatBanksWrite) {
  const std::string id(64, 'a');
  const std::string text = "账户明细,岳阳\n\n"
                           "交易日期,凭证号,支出金额,收入金额,对方户名,对方账号,用途,附言\n"
                           "2026年9月1日,V1,\"50,000.00\",,某科协,1907 0101-09,资助," + id + "\n"
                           "20260902,V2,,12.30,\"某\"\"公司\"\"\",42,,退款\r\n"
                           "2026/9/3 10:11:12,V3,0.00,1,甲,43,,\n"
                           "合计,,50000.00,13.30,,,,\n";
  for (const bool gb : {false, true}) {
    const auto rows = ReadStatement(v1::STATEMENT_FORMAT_CSV,
                                    gb ? Utf8ToGb18030(text).value() : "\xef\xbb\xbf" + text);
    ASSERT_TRUE(rows.ok()) << rows.status();
    ASSERT_EQ(rows->size(), 3u);
    EXPECT_EQ((*rows)[0].day, Day(2026, 9, 1));
    EXPECT_TRUE((*rows)[0].outgoing);
    EXPECT_EQ((*rows)[0].fen, 5'000'000);
    EXPECT_EQ((*rows)[0].account, "1907010109");
    EXPECT_EQ((*rows)[0].transfer_id, id);
    EXPECT_EQ((*rows)[1].counterparty, "某\"公司\"");
    EXPECT_FALSE((*rows)[1].outgoing);
    EXPECT_EQ((*rows)[1].fen, 1'230);
    EXPECT_EQ((*rows)[2].fen, 100);
  }
  const auto marked = ReadStatement(v1::STATEMENT_FORMAT_CSV, "交易日期,借贷标志,交易金额\n"
                                                              "2026-09-01,借,5.00\n"
                                                              "2026-09-01,贷,6.00\n");
  ASSERT_TRUE(marked.ok()) << marked.status();
  EXPECT_TRUE((*marked)[0].outgoing);
  EXPECT_FALSE((*marked)[1].outgoing);
}

TEST(Reader, NamesLineAndReason) {
  const std::string head = "交易日期,借方金额,贷方金额\n";
  for (const auto& [text, line] : std::vector<std::pair<std::string, std::string>>{
           {"nothing,here\n", "headers"},
           {head + "2026-02-30,1.00,\n", "line 2"},
           {head + "2026-09-01,1.00,\n2026-09-01,1.005,\n", "line 3"},
           {head + "2026-09-01,1.00,2.00\n", "line 2"},
           {head + "2026-09-01,,\n", "line 2"},
           {head + "2026-09-01,-1.00,\n", "line 2"},
           {head + "\"2026-09-01,1.00,\n", "quotation"},
           {head + "\xff\xff", "GB18030"}}) {
    const auto rows = ReadStatement(v1::STATEMENT_FORMAT_CSV, text);
    EXPECT_EQ(rows.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(errors::Details(rows.status()).SerializeAsString(), testing::HasSubstr(line))
        << text;
  }
}

TEST(Statement, MatchesByIdAndSettlesWhatIsUnknown) {
  TestPayment payment;
  const std::string fund = payment.Fund(10'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  payment.bank().Next({Manner::kSilent});
  const auto transfers = payment.NewTransfers();
  const auto open = PageOf(*transfers, name);
  ASSERT_TRUE(transfers->Record(open[0], *transfers->Ask(open[0])).ok());
  ASSERT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_UNKNOWN);
  payment.bank().SetDown(absl::UnavailableError("for good"));
  const v1::Statement statement = payment.ImportBank().value();
  EXPECT_EQ(statement.matched(), 1);
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_NE(payment.GetPayment(name).statement_line(), "");
  EXPECT_EQ(Fen(payment.GetFund(fund).paid()), 5'000'000);
  // Twice changes nothing, and neither does another file with the same lines.
  const int64_t events = payment.host().Count("postings");
  EXPECT_EQ(payment.ImportBank()->new_lines(), 0);
  EXPECT_EQ(payment.Import("标题\n" + payment.bank().Statement(payment.host().today(), true))
                ->new_lines(),
            0);
  EXPECT_EQ(payment.host().Count("statement_lines"), 1);
  EXPECT_EQ(payment.host().Count("postings"), events);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Statement, WithoutIdsAnOfficerConfirms) {
  TestPayment payment;
  const std::string fund = payment.Fund(10'000'000);
  const TestCase c, other;
  const std::string name = payment.Instructed(c).name();
  payment.Send(*payment.NewTransfers(), 1);
  EXPECT_EQ(payment.ImportBank(false)->open(), 1);
  const auto lines = payment.OpenLines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].state(), v1::LINE_STATE_PROPOSED);
  EXPECT_EQ(lines[0].payment(), name);
  const std::string wrong = payment.Instructed(other).name();
  ExpectRefused(payment.Confirm(lines[0], wrong), "statement.payee");
  // Not by who prepared it.
  EXPECT_EQ(payment.Confirm(lines[0], name, "preparer").code(),
            absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(payment.Confirm(lines[0], name).ok());
  EXPECT_TRUE(payment.OpenLines().empty());
  EXPECT_EQ(payment.GetPayment(name).statement_line(), lines[0].name());
  EXPECT_EQ(errors::Reason(payment.Confirm(lines[0], name)), "STATE_FORBIDS");
}

TEST(Statement, ListsWhatDoesNotMatchFromBothSidesUntilExplained) {
  TestPayment payment;
  payment.Fund(10'000'000);
  const std::string name = payment.Instructed(TestCase()).name();
  payment.Send(*payment.NewTransfers(), 1);
  // The bank charges a fee, and does not show the payment.
  ASSERT_TRUE(payment.Import("交易日期,借方金额,贷方金额,对方账号\n2026-09-15,5.00,,99\n").ok());
  v1::ListPaymentsRequest request;
  request.set_attention(v1::PAYMENT_ATTENTION_NOT_ON_STATEMENT);
  v1::ListPaymentsResponse missing;
  const auto list = [&] {
    missing.Clear();
    EXPECT_TRUE(payment
                    .Call(payment.handlers(), &Handlers::ListPayments, "ListPayments", "a", request,
                          &missing)
                    .ok());
    return missing.payments_size();
  };
  ASSERT_EQ(list(), 1);
  EXPECT_EQ(missing.payments(0).name(), name);
  const auto lines = payment.OpenLines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].state(), v1::LINE_STATE_UNMATCHED);
  for (const std::string& what : {lines[0].name(), name}) {
    v1::ExplainUnmatchedRequest explain;
    explain.set_request_id(NewUuid());
    explain.set_name(what);
    explain.set_reason("手续费；次日入账");
    v1::ExplainUnmatchedResponse done;
    const absl::Status status =
        payment.Call(payment.reconciliation(), &Reconciliation::ExplainUnmatched,
                     "ExplainUnmatched", "bookkeeper", explain, &done);
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(list(), 0);
  EXPECT_TRUE(payment.OpenLines().empty());
}

TEST(Statement, ShowsMoneySentBackAndItGoesOutAgainOnce) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  const v1::Payment sent = payment.Instructed(c);
  payment.Send(*payment.NewTransfers(), 1);
  payment.bank().Rewrite(sent.transfer_id(), bank::v1::TRANSFER_STATE_RETURNED);
  ASSERT_TRUE(payment.ImportBank().ok());
  EXPECT_EQ(payment.GetPayment(sent.name()).state(), v1::PAYMENT_STATE_BANK_RETURNED);
  EXPECT_EQ(Fen(payment.GetFund(fund).returned()), 5'000'000);
  ASSERT_TRUE(payment.Resend(sent.name()).ok());
  EXPECT_EQ(Fen(payment.GetFund(fund).in_transit()), 5'000'000);
  payment.Send(*payment.NewTransfers(), 2);
  EXPECT_EQ(payment.GetPayment(sent.name()).state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(payment.bank().Received()[c.account.number()], 5'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Incident, IsLiftedByWhatTheStatementsShow) {
  TestPayment payment;
  const std::string fund = payment.Fund(50'000'000);
  const v1::Payment sent = payment.Instructed(TestCase());
  const auto transfers = payment.NewTransfers();
  payment.bank().Next({Manner::kFail});
  payment.Send(*transfers, 1);
  ExpectRefused(payment.Resolve(sent.name(), v1::INCIDENT_OUTCOME_PAID).status(),
                "payment.incident");
  payment.bank().Rewrite(sent.transfer_id(), bank::v1::TRANSFER_STATE_SETTLED);
  payment.Send(*transfers);
  ASSERT_NE(payment.GetPayment(sent.name()).incident(), "");
  ExpectRefused(payment.Resolve(sent.name(), v1::INCIDENT_OUTCOME_PAID).status(),
                "payment.statements-show-paid");
  ExpectRefused(payment.Resolve(sent.name(), v1::INCIDENT_OUTCOME_NOT_PAID).status(),
                "payment.statements-reach");
  ASSERT_TRUE(payment.ImportBank().ok());
  ExpectRefused(payment.Resolve(sent.name(), v1::INCIDENT_OUTCOME_NOT_PAID).status(),
                "payment.statements-show-unpaid");
  EXPECT_EQ(payment.Resolve(sent.name(), v1::INCIDENT_OUTCOME_PAID, "authorizer").status().code(),
            absl::StatusCode::kPermissionDenied);
  const auto resolved = payment.Resolve(sent.name(), v1::INCIDENT_OUTCOME_PAID);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(resolved->incident(), "");
  EXPECT_EQ(Fen(payment.GetFund(fund).paid()), 5'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Incident, OfMoneyThatDidNotGoOutEndsInFailedAndCanGoOut) {
  TestPayment payment;
  const std::string fund = payment.Fund(50'000'000);
  const TestCase c;
  const v1::Payment sent = payment.Instructed(c);
  const auto transfers = payment.NewTransfers();
  payment.Send(*transfers, 1);
  payment.bank().Rewrite(sent.transfer_id(), bank::v1::TRANSFER_STATE_FAILED);
  payment.Send(*transfers);
  ASSERT_NE(payment.GetPayment(sent.name()).incident(), "");
  ASSERT_TRUE(payment.host().clock().Advance(absl::Hours(24)).ok());
  ASSERT_TRUE(payment.ImportBank().ok());
  const auto resolved = payment.Resolve(sent.name(), v1::INCIDENT_OUTCOME_NOT_PAID);
  ASSERT_TRUE(resolved.ok()) << resolved.status();
  EXPECT_EQ(resolved->state(), v1::PAYMENT_STATE_FAILED);
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_ORDERED);
  EXPECT_EQ(Fen(payment.GetFund(fund).reserved()), 5'000'000);
  ASSERT_TRUE(payment.Resend(sent.name()).ok());
  payment.Send(*transfers);
  EXPECT_EQ(payment.bank().Received()[c.account.number()], 5'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Hold, EndsWhenStatementsAreReconciledAndForgottenPaymentsAreAdopted) {
  TestPayment payment;
  const std::string fund = payment.Fund(50'000'000);
  // As after a restore: the bank paid two that payment knows nothing of. Of one the order is there
  // and its id tells it, of the other only the award.
  const TestCase known, forgotten;
  payment.Clear(known);
  payment.Clear(forgotten);
  const std::string order = payment.Prepare(known).value().name();
  ASSERT_TRUE(payment.Authorize(order).ok());
  for (const auto& [c, id] : {std::pair(known, TransferId(order, 1)),
                              std::pair(forgotten, TransferId("payments/lost", 1))}) {
    bank::v1::ExecuteTransferRequest request;
    request.set_transfer_id(id);
    *request.mutable_amount() = MoneyOf(c.amount_fen);
    request.set_payee_account(c.account.number());
    request.mutable_not_after()->set_seconds(absl::ToUnixSeconds(TestPayment::Wall()) + 600);
    bank::v1::Transfer done;
    ASSERT_TRUE(payment.bank()
                    .Call("yuezhan.bank.v1.BankService/ExecuteTransfer", request, &done, {})
                    .ok());
  }
  const std::string file = testing::TempDir() + "/hold-" + NewUuid();
  std::ofstream(file) << "restored";
  Reconciliation held(payment.journal(), payment.host().vault(), payment.host().rulebook(), file);
  EXPECT_TRUE(*held.Held());
  const auto end = [&] {
    v1::EndHoldRequest request;
    request.set_request_id(NewUuid());
    request.set_reason("已对账");
    v1::Hold answer;
    return payment.Call(held, &Reconciliation::EndHold, "EndHold", "authorizer", request, &answer);
  };
  ExpectRefused(end(), "hold.statements");
  // Too early: a forgotten transfer might still be executed.
  ASSERT_TRUE(payment.ImportBank().ok());
  ExpectRefused(end(), "hold.statements");
  TestPayment::Pass(kTransferLife + kClockTolerance);
  ASSERT_TRUE(payment.ImportBank().ok());
  EXPECT_EQ(payment.GetPayment(order).state(), v1::PAYMENT_STATE_SETTLED);
  ExpectRefused(end(), "hold.open-lines");
  auto lines = payment.OpenLines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].state(), v1::LINE_STATE_UNMATCHED);
  // The order is made anew, and the line is confirmed to be its payment.
  const std::string anew = payment.Prepare(forgotten).value().name();
  const absl::Status confirmed = payment.Confirm(lines[0], anew);
  ASSERT_TRUE(confirmed.ok()) << confirmed;
  EXPECT_EQ(payment.GetPayment(anew).state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(payment.GetAward(forgotten).state(), v1::AWARD_STATE_PAID);
  EXPECT_TRUE(end().ok());
  EXPECT_FALSE(*held.Held());  // the file is there still, and says nothing new
  std::ofstream(file) << "restored again";
  EXPECT_TRUE(*held.Held());
  payment.Send(*payment.NewTransfers(), 2);
  EXPECT_EQ(payment.bank().Received()[forgotten.account.number()], 5'000'000);
  EXPECT_EQ(Fen(payment.GetFund(fund).paid()), 10'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
  std::remove(file.c_str());
}

TEST(Export, ListsWhatIsInstructed) {
  TestPayment payment;
  payment.Fund(50'000'000);
  const TestCase c;
  const v1::Payment sent = payment.Instructed(c);
  v1::ExportOrdersRequest request;
  request.set_gb18030(true);
  v1::ExportOrdersResponse answer;
  ASSERT_TRUE(payment
                  .Call(payment.reconciliation(), &Reconciliation::ExportOrders, "ExportOrders",
                        "preparer", request, &answer)
                  .ok());
  EXPECT_EQ(answer.orders(), 1);
  EXPECT_EQ(Fen(answer.total()), 5'000'000);
  const auto lines = ParseCsv(answer.content()).value();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1][1], sent.transfer_id());
  EXPECT_EQ(lines[1][3], c.account.number());
  EXPECT_EQ(lines[1][5], "50,000.00");
}

}  // namespace
}  // namespace yuezhan::payment
