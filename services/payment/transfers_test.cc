#include "services/payment/transfers.h"

#include "common/db/session.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/payment/test_payment.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::payment {
namespace {

TEST(Transfer, SettlesAndThePaymentIsPaid) {
  TestPayment payment;
  const std::string fund = payment.Fund(6'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  ASSERT_TRUE(payment.host().clock().Advance(absl::Hours(24)).ok());
  const auto transfers = payment.NewTransfers();
  payment.Send(*transfers, 2);
  const v1::Payment paid = payment.GetPayment(name);
  EXPECT_EQ(paid.state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_NE(paid.bank_reference(), "");
  EXPECT_EQ(DayFromProto(paid.settled_on()), payment.host().today());
  // What applicant and station are shown of it.
  const auto told = payment.host().Events<v1::PaymentAdvanced>().back();
  EXPECT_EQ(told.state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(told.application(), c.application);
  EXPECT_EQ(told.station(), c.station);
  EXPECT_EQ(DayFromProto(told.settled_on()), payment.host().today());
  EXPECT_EQ(told.bank_reference(), paid.bank_reference());
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_PAID);
  EXPECT_EQ(Fen(payment.GetFund(fund).paid()), 5'000'000);
  EXPECT_EQ(Fen(payment.GetFund(fund).in_transit()), 0);
  EXPECT_EQ(payment.bank().executed(), 1);
  EXPECT_EQ(payment.bank().Received().at(c.account.number()), 5'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

// The bank's words on several are written in one transaction; one that cannot be written, because
// the payment moved on, does not hold up the others.
TEST(Transfer, SeveralAreRecordedTogether) {
  TestPayment payment;
  payment.Fund(50'000'000);
  const TestCase cases[5];
  for (const TestCase& c : cases) payment.Instructed(c);
  const auto transfers = payment.NewTransfers();
  const int64_t rows = payment.host().Count("journal");
  int commits = 0;
  db::Session::Observe(
      [&](const db::Statement& statement) { commits += statement.sql == "COMMIT"; });
  ASSERT_TRUE(transfers->Step().ok());
  db::Session::Observe({});
  EXPECT_EQ(commits, 1);
  EXPECT_EQ(payment.host().Count("journal"), rows + 5) << "each has its own row";
  for (const TestCase& c : cases) EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_PAID);
  EXPECT_EQ(payment.bank().executed(), 5);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Transfer, OneThatCannotBeRecordedDoesNotHoldUpTheOthers) {
  TestPayment payment;
  payment.Fund(50'000'000);
  const TestCase cases[3];
  std::vector<std::string> names;
  for (const TestCase& c : cases) names.push_back(payment.Instructed(c).name());
  const auto transfers = payment.NewTransfers();
  const auto other = payment.NewTransfers();
  // Between asking and recording another replica records the second one.
  const auto page = transfers->Next();
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->size(), 3u);
  std::vector<Transfers::Said> said;
  for (const OpenTransfer& open : *page) said.push_back({open, transfers->Ask(open).value()});
  ASSERT_TRUE(other->Record(said[1].open, said[1].word).ok());
  const int64_t rows = payment.host().Count("journal");
  ASSERT_TRUE(transfers->RecordAll(said).ok());
  EXPECT_EQ(payment.host().Count("journal"), rows + 2);
  for (const std::string& name : names)
    EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(payment.bank().executed(), 3);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Transfer, EndsInATrueStateHoweverTheBankMisbehaves) {
  struct Case {
    Manner manner;
    v1::PaymentState first;  // after the bank's first answer
    v1::PaymentState last;
  };
  const Case kCases[] = {
      {Manner::kSettle, v1::PAYMENT_STATE_SETTLED, v1::PAYMENT_STATE_SETTLED},
      {Manner::kFail, v1::PAYMENT_STATE_FAILED, v1::PAYMENT_STATE_FAILED},
      {Manner::kSilent, v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_SETTLED},
      {Manner::kLost, v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_SETTLED},
      {Manner::kSettleAfterError, v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_SETTLED},
      {Manner::kDecideLater, v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_SETTLED},
      {Manner::kFailLater, v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_FAILED},
      {Manner::kReturnLater, v1::PAYMENT_STATE_SETTLED, v1::PAYMENT_STATE_BANK_RETURNED},
  };
  TestPayment payment;
  int year = 2026;
  for (const Case& k : kCases) {
    SCOPED_TRACE(static_cast<int>(k.manner));
    TestCase c;
    c.year = year++;
    const std::string fund = payment.Fund(5'000'000, c.year);
    const std::string name = payment.Instructed(c).name();
    const auto transfers = payment.NewTransfers();
    payment.bank().Next({k.manner});
    const auto open = PageOf(*transfers, name);
    ASSERT_EQ(open.size(), 1u);
    const auto word = transfers->Ask(open[0]);
    ASSERT_TRUE(word.ok());
    ASSERT_TRUE(transfers->Record(open[0], *word).ok());
    EXPECT_EQ(payment.GetPayment(name).state(), k.first);
    payment.Send(*transfers);
    EXPECT_EQ(payment.GetPayment(name).state(), k.last);

    const bool paid = k.last == v1::PAYMENT_STATE_SETTLED;
    EXPECT_EQ(payment.bank().Received().count(c.account.number()), paid ? 1u : 0u);
    EXPECT_EQ(Fen(payment.GetFund(fund).paid()), paid ? 5'000'000 : 0);
    const bool returned = k.last == v1::PAYMENT_STATE_BANK_RETURNED;
    EXPECT_EQ(Fen(payment.GetFund(fund).returned()), returned ? 5'000'000 : 0);
    EXPECT_EQ(Fen(payment.GetFund(fund).reserved()), paid || returned ? 0 : 5'000'000);
    EXPECT_EQ(payment.GetAward(c).state(), paid ? v1::AWARD_STATE_PAID : v1::AWARD_STATE_ORDERED);
    EXPECT_EQ(payment.bank().fault(), "");
    EXPECT_TRUE(payment.TrialBalance().balanced());
  }
}

TEST(Transfer, IsNeverTakenForFailedByAnError) {
  const absl::Status kErrors[] = {
      absl::UnavailableError(""),        absl::DeadlineExceededError(""),
      absl::InternalError(""),           absl::InvalidArgumentError(""),
      absl::PermissionDeniedError(""),   absl::UnimplementedError(""),
      absl::FailedPreconditionError(""), absl::UnknownError(""),
  };
  TestPayment payment;
  payment.Fund(5'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  const auto transfers = payment.NewTransfers();
  for (const absl::Status& error : kErrors) {
    payment.bank().SetDown(error);
    payment.Send(*transfers, 2);
    EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_UNKNOWN) << error;
  }
  // Not even when its time is long over.
  TestPayment::Pass(kTransferLife + kClockTolerance + absl::Hours(24));
  payment.Send(*transfers, 2);
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_UNKNOWN);
  // The bank is back, and does not know it: now it is final.
  payment.bank().SetDown(absl::OkStatus());
  payment.Send(*transfers, 30);
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_FAILED);
  EXPECT_EQ(payment.bank().executed(), 0);
}

TEST(Transfer, ThatTheBankDoesNotKnowGoesOutAgainUnderTheSameIdUntilItsTimeIsOver) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  const v1::Payment sent = payment.Instructed(c);
  const auto transfers = payment.NewTransfers();
  payment.bank().Next({Manner::kLost, Manner::kLost, Manner::kLost, Manner::kLost, Manner::kLost,
                       Manner::kLost, Manner::kLost, Manner::kLost});
  payment.Send(*transfers, 3);
  EXPECT_GT(payment.bank().executed(), 1);
  EXPECT_EQ(payment.GetPayment(sent.name()).transfer_id(), sent.transfer_id());
  // Its time is over, but the bank's clock may be behind: neither sent nor given up.
  TestPayment::Pass(kTransferLife);
  const int64_t executed = payment.bank().executed();
  payment.Send(*transfers, 3);
  EXPECT_EQ(payment.bank().executed(), executed);
  EXPECT_EQ(payment.GetPayment(sent.name()).state(), v1::PAYMENT_STATE_UNKNOWN);
  TestPayment::Pass(kClockTolerance);
  payment.Send(*transfers, 3);
  EXPECT_EQ(payment.bank().executed(), executed);
  EXPECT_EQ(payment.GetPayment(sent.name()).state(), v1::PAYMENT_STATE_FAILED);
  EXPECT_EQ(Fen(payment.GetFund(fund).reserved()), 5'000'000);
  // And the next one is another transfer.
  const v1::Payment again = payment.Resend(sent.name()).value();
  EXPECT_EQ(again.transfer_id(), TransferId(sent.name(), 2));
  EXPECT_NE(again.transfer_id(), sent.transfer_id());
  payment.bank().Next({});
  payment.Send(*transfers);
  EXPECT_EQ(payment.GetPayment(sent.name()).state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(payment.bank().Received().at(c.account.number()), 5'000'000);
  EXPECT_EQ(payment.bank().fault(), "");
}

TEST(Transfer, IsAskedAboutLessAndLessOften) {
  TestPayment payment;
  payment.Fund(5'000'000);
  const TestCase c;
  payment.Instructed(c);
  payment.bank().SetDown(absl::UnavailableError(""));
  const auto transfers = payment.NewTransfers();
  // Seconds at which the bank was called.
  std::vector<int> called;
  for (int second = 0; second < 300; ++second) {
    const int64_t before = payment.bank().calls();
    for (;;) {
      const auto wait = transfers->Step();
      ASSERT_TRUE(wait.ok());
      if (*wait > absl::ZeroDuration()) break;
    }
    if (payment.bank().calls() > before) called.push_back(second);
    TestPayment::Pass(absl::Seconds(1));
  }
  EXPECT_LE(called.size(), 14u);
  EXPECT_GE(called.size(), 8u);
  EXPECT_LE(called.back() - called[called.size() - 2], 61);
  EXPECT_GE(called.back() - called[called.size() - 2], 59);
  // A new process knows nothing of the waiting before.
  payment.bank().SetDown(absl::OkStatus());
  payment.Send(*payment.NewTransfers(), 2);
  EXPECT_EQ(payment.bank().Received().at(c.account.number()), 5'000'000);
}

TEST(Return, IsCorrectedAndThePayeeHasTheMoneyOnce) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  const auto transfers = payment.NewTransfers();
  payment.bank().Next({Manner::kReturnLater});
  payment.Send(*transfers);
  ASSERT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_BANK_RETURNED);
  EXPECT_FALSE(payment.GetPayment(name).has_settled_on());
  EXPECT_EQ(Fen(payment.GetFund(fund).paid()), 0);

  rules::v1::AccountFacts corrected = c.account;
  corrected.set_number("12");
  EXPECT_EQ(payment.Resend(name, &corrected).status().code(), absl::StatusCode::kInvalidArgument);
  corrected.set_number("1907010109299999999");
  corrected.set_holder("他人");
  EXPECT_EQ(errors::Reason(payment.Resend(name, &corrected).status()), "REFUSED");
  corrected.set_holder(c.account.holder());
  const v1::Payment again = payment.Resend(name, &corrected).value();
  EXPECT_EQ(again.attempts(), 2);
  payment.Send(*transfers);
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_PAID);
  EXPECT_EQ(payment.bank().Received(),
            (std::map<std::string, int64_t>{{"1907010109299999999", 5'000'000}}));
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Return, LongAfterSettlementIsSeenWithinTheDaysThatAreLookedAt) {
  TestPayment payment;
  payment.Fund(500'000'000);
  const v1::Payment soon = payment.Instructed(TestCase());
  const auto transfers = payment.NewTransfers();
  payment.Send(*transfers, 2);
  ASSERT_TRUE(payment.host().clock().Advance(9 * absl::Hours(24)).ok());
  TestPayment::Pass(absl::Hours(2));
  payment.bank().Rewrite(soon.transfer_id(), bank::v1::TRANSFER_STATE_RETURNED);
  payment.Send(*transfers, 2);
  EXPECT_EQ(payment.GetPayment(soon.name()).state(), v1::PAYMENT_STATE_BANK_RETURNED);
}

TEST(Failure, CanBeStoppedAndItsMoneyGoesBack) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  payment.bank().Next({Manner::kFail});
  payment.Send(*payment.NewTransfers(), 1);
  ASSERT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_FAILED);
  ASSERT_TRUE(payment.Stop(name).ok());
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_CLEARED);
  ASSERT_TRUE(payment.Apply(payment.Event(c, review::v1::CASE_STATE_CANCELLED)).ok());
  EXPECT_EQ(Fen(payment.GetFund(fund).free()), 5'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Failure, ThatSettledAfterAllBlocksWhateverWouldPayAgain) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  const v1::Payment sent = payment.Instructed(c);
  const auto transfers = payment.NewTransfers();
  payment.bank().Next({Manner::kFail});
  payment.Send(*transfers, 1);
  ASSERT_EQ(payment.GetPayment(sent.name()).state(), v1::PAYMENT_STATE_FAILED);
  payment.bank().Rewrite(sent.transfer_id(), bank::v1::TRANSFER_STATE_SETTLED);
  // Asked at the moment of sending again, before the timer came to see it.
  EXPECT_EQ(errors::Reason(payment.Resend(sent.name()).status()), "REFUSED");
  payment.Send(*transfers);
  EXPECT_NE(payment.GetPayment(sent.name()).incident(), "");
  EXPECT_EQ(payment.GetPayment(sent.name()).state(), v1::PAYMENT_STATE_FAILED);
  EXPECT_EQ(errors::Reason(payment.Resend(sent.name()).status()), "REFUSED");
  EXPECT_EQ(errors::Reason(payment.Stop(sent.name()).status()), "REFUSED");
  // Nor does review's word free the money.
  ASSERT_TRUE(payment.Apply(payment.Event(c, review::v1::CASE_STATE_CANCELLED)).ok());
  EXPECT_EQ(Fen(payment.GetFund(fund).free()), 0);
  EXPECT_NE(payment.GetAward(c).too_late(), "");
}

TEST(Failure, IsNotSentAgainWhileTheBankCannotBeAsked) {
  TestPayment payment;
  payment.Fund(5'000'000);
  const std::string name = payment.Instructed(TestCase()).name();
  payment.bank().Next({Manner::kFail});
  payment.Send(*payment.NewTransfers(), 1);
  payment.bank().SetDown(absl::UnavailableError(""));
  EXPECT_EQ(payment.Resend(name).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_FAILED);
}

TEST(Failure, SentAgainByAReplayGoesOutOnce) {
  TestPayment payment;
  payment.Fund(5'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  const auto transfers = payment.NewTransfers();
  payment.bank().Next({Manner::kFail});
  payment.Send(*transfers, 1);
  v1::ResendPaymentRequest request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  request.set_reason("账户已恢复");
  const auto resend = [&] {
    v1::Payment answer;
    const absl::Status status = payment.Call(payment.handlers(), &Handlers::ResendPayment,
                                             "ResendPayment", "authorizer", request, &answer);
    EXPECT_TRUE(status.ok()) << status;
    return answer;
  };
  const v1::Payment first = resend();
  EXPECT_EQ(resend().SerializeAsString(), first.SerializeAsString());
  payment.Send(*transfers);
  EXPECT_EQ(resend().SerializeAsString(), first.SerializeAsString());  // even settled
  EXPECT_EQ(payment.GetPayment(name).attempts(), 2);
  EXPECT_EQ(payment.bank().Received().at(c.account.number()), 5'000'000);
}

}  // namespace
}  // namespace yuezhan::payment
