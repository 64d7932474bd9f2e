#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/payment/test_payment.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::payment {
namespace {

using review::v1::CASE_STATE_AWARDED;
using review::v1::CASE_STATE_CANCELLED;
using review::v1::CASE_STATE_CLEARED;
using review::v1::CASE_STATE_REFUSED;
using review::v1::CASE_STATE_WITHDRAWN;

// The states that AwardAdvanced told of a case, in order.
std::vector<v1::AwardState> Told(TestPayment& payment, const TestCase& c) {
  std::vector<v1::AwardState> states;
  auto session = payment.host().database().pool().Acquire(WallNow() + absl::Seconds(10)).value();
  for (const db::Row& row : session->Query("SELECT public_part FROM journal ORDER BY id")) {
    journal::v1::PublicPart part;
    part.ParseFromString(row.Bytes(0));
    for (const auto& any : part.events()) {
      v1::AwardAdvanced event;
      if (any.UnpackTo(&event) && event.case_name() == c.case_name) states.push_back(event.state());
    }
  }
  return states;
}

void RunTimer(TestPayment& payment) {
  for (;;) {
    const auto wait = payment.handlers().ReserveStep();
    ASSERT_TRUE(wait.ok()) << wait.status();
    if (*wait > absl::ZeroDuration()) return;
  }
}

TEST(Award, ReservesItsAmountAndIsCleared) {
  TestPayment payment;
  const std::string fund = payment.Fund(8'000'000);
  const TestCase c;
  ASSERT_TRUE(payment.Apply(payment.Event(c, CASE_STATE_AWARDED)).ok());
  v1::Award award = payment.GetAward(c);
  EXPECT_EQ(award.state(), v1::AWARD_STATE_RESERVED);
  EXPECT_EQ(award.fund(), fund);
  EXPECT_EQ(Fen(payment.GetFund(fund).reserved()), 5'000'000);
  // The same word again changes nothing.
  ASSERT_TRUE(payment.Apply(payment.Event(c, CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(Fen(payment.GetFund(fund).reserved()), 5'000'000);
  ASSERT_TRUE(payment.Apply(payment.Event(c, CASE_STATE_CLEARED)).ok());
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_CLEARED);
  EXPECT_THAT(Told(payment, c),
              testing::ElementsAre(v1::AWARD_STATE_RESERVED, v1::AWARD_STATE_CLEARED));
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Award, TakesTheFundOfItsYear) {
  TestPayment payment;
  payment.Fund(8'000'000, 2025);
  const TestCase c;
  ASSERT_TRUE(payment.Apply(payment.Event(c, CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_WAITING);
  const std::string small = payment.Fund(1, 2026);
  const std::string fund = payment.Fund(8'000'000, 2026);  // its allocation reserves
  EXPECT_EQ(payment.GetAward(c).fund(), fund);
  EXPECT_EQ(Fen(payment.GetFund(small).free()), 1);
}

TEST(Award, WaitsInTheOrderOfResolution) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  TestCase first, big, small;
  big.amount_fen = 6'000'000;
  small.amount_fen = 1'000'000;
  for (const TestCase* c : {&first, &big, &small})
    ASSERT_TRUE(payment.Apply(payment.Event(*c, CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(payment.GetAward(first).state(), v1::AWARD_STATE_RESERVED);
  EXPECT_EQ(payment.GetAward(big).state(), v1::AWARD_STATE_WAITING);

  // Enough for the small one, but the big one was resolved before it.
  ASSERT_TRUE(payment.Allocate(fund, 5'999'999).ok());
  EXPECT_EQ(payment.GetAward(big).state(), v1::AWARD_STATE_WAITING);
  EXPECT_EQ(payment.GetAward(small).state(), v1::AWARD_STATE_WAITING);
  RunTimer(payment);
  EXPECT_EQ(payment.GetAward(small).state(), v1::AWARD_STATE_WAITING);
  const TestCase late;  // nor does a new one overtake
  ASSERT_TRUE(payment.Apply(payment.Event(late, CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(payment.GetAward(late).state(), v1::AWARD_STATE_WAITING);

  ASSERT_TRUE(payment.Allocate(fund, 1'000'001).ok());
  EXPECT_EQ(payment.GetAward(big).state(), v1::AWARD_STATE_RESERVED);
  EXPECT_EQ(payment.GetAward(small).state(), v1::AWARD_STATE_RESERVED);
  EXPECT_EQ(payment.GetAward(late).state(), v1::AWARD_STATE_WAITING);
  EXPECT_EQ(Fen(payment.GetFund(fund).free()), 0);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

// In one transaction: what one gives back the next may have, and who was resolved before comes
// first.
TEST(Award, OfABatchIsReservedByWhatIsFreeThen) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  TestCase first, next, last;
  ASSERT_TRUE(payment.Apply(payment.Event(first, CASE_STATE_AWARDED)).ok());
  next.amount_fen = last.amount_fen = 1'000'000;
  const auto waits = payment.Event(next, CASE_STATE_AWARDED);
  first.amount_fen = 4'000'000;  // resolved otherwise: it gives back a million, and keeps its place
  ASSERT_TRUE(payment
                  .ApplyTogether({waits, payment.Event(first, CASE_STATE_AWARDED),
                                  payment.Event(last, CASE_STATE_AWARDED)})
                  .ok());
  EXPECT_EQ(payment.GetAward(first).state(), v1::AWARD_STATE_RESERVED);
  EXPECT_EQ(Fen(payment.GetFund(fund).reserved()), 4'000'000);
  EXPECT_EQ(payment.GetAward(next).state(), v1::AWARD_STATE_WAITING) << "the timer's part";
  EXPECT_EQ(payment.GetAward(last).state(), v1::AWARD_STATE_WAITING) << "it overtakes nobody";
  RunTimer(payment);
  EXPECT_EQ(payment.GetAward(next).state(), v1::AWARD_STATE_RESERVED);
  EXPECT_EQ(payment.GetAward(last).state(), v1::AWARD_STATE_WAITING);
  EXPECT_EQ(Fen(payment.GetFund(fund).free()), 0);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Award, GivesItsAmountBackToWhoWaits) {
  for (const auto state : {CASE_STATE_CANCELLED, CASE_STATE_WITHDRAWN, CASE_STATE_REFUSED}) {
    TestPayment payment;
    const std::string fund = payment.Fund(5'000'000);
    const TestCase first, second;
    ASSERT_TRUE(payment.Apply(payment.Event(first, CASE_STATE_AWARDED)).ok());
    ASSERT_TRUE(payment.Apply(payment.Event(second, CASE_STATE_AWARDED)).ok());
    // Cleared without money: it will be as soon as it has it.
    ASSERT_TRUE(payment.Apply(payment.Event(second, CASE_STATE_CLEARED)).ok());
    EXPECT_EQ(payment.GetAward(second).state(), v1::AWARD_STATE_WAITING);
    ASSERT_TRUE(payment.Apply(payment.Event(first, state)).ok());
    EXPECT_EQ(payment.GetAward(first).state(), v1::AWARD_STATE_RELEASED);
    EXPECT_EQ(payment.GetAward(first).fund(), "");
    EXPECT_EQ(Fen(payment.GetFund(fund).free()), 5'000'000);
    RunTimer(payment);
    EXPECT_EQ(payment.GetAward(second).state(), v1::AWARD_STATE_CLEARED);
    EXPECT_EQ(Fen(payment.GetFund(fund).reserved()), 5'000'000);
    // Twice the same, and one that never had an award: nothing.
    ASSERT_TRUE(payment.Apply(payment.Event(first, state)).ok());
    ASSERT_TRUE(payment.Apply(payment.Event(TestCase(), state)).ok());
    EXPECT_TRUE(payment.TrialBalance().balanced());
  }
}

TEST(Award, WithAnotherAmountIsReservedAnew) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  TestCase c;
  payment.Clear(c);
  c.amount_fen = 3'000'000;
  ASSERT_TRUE(payment.Apply(payment.Event(c, CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_RESERVED);  // not cleared any more
  EXPECT_EQ(Fen(payment.GetAward(c).amount()), 3'000'000);
  EXPECT_EQ(Fen(payment.GetFund(fund).free()), 2'000'000);
  EXPECT_THAT(Told(payment, c),
              testing::ElementsAre(v1::AWARD_STATE_RESERVED, v1::AWARD_STATE_CLEARED,
                                   v1::AWARD_STATE_RELEASED, v1::AWARD_STATE_RESERVED));
  c.amount_fen = 5'000'001;
  ASSERT_TRUE(payment.Apply(payment.Event(c, CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_WAITING);
  EXPECT_EQ(Fen(payment.GetFund(fund).free()), 5'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Award, TakenBackStopsItsOrder) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  payment.Clear(c);
  const std::string name = payment.Prepare(c).value().name();
  ASSERT_TRUE(payment.Authorize(name).ok());
  ASSERT_TRUE(payment.Request(name).ok());
  auto event = payment.Event(c, CASE_STATE_CANCELLED);
  event.set_reason("异议成立");
  ASSERT_TRUE(payment.Apply(event).ok());
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_STOPPED);
  EXPECT_EQ(payment.GetPayment(name).reason(), "异议成立");
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_RELEASED);
  EXPECT_EQ(Fen(payment.GetFund(fund).free()), 5'000'000);
  EXPECT_EQ(payment.Answer(name).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Award, TakenBackTooLateStaysAndIsOnRecord) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  const v1::Payment sent = payment.Instructed(c);
  auto event = payment.Event(c, CASE_STATE_CANCELLED);
  event.set_reason("异议成立");
  ASSERT_TRUE(payment.Apply(event).ok());
  EXPECT_EQ(payment.GetPayment(sent.name()).state(), v1::PAYMENT_STATE_INSTRUCTED);
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_ORDERED);
  EXPECT_EQ(payment.GetAward(c).too_late(), "异议成立");
  EXPECT_EQ(Fen(payment.GetFund(fund).in_transit()), 5'000'000);
  EXPECT_EQ(Told(payment, c).back(), v1::AWARD_STATE_ORDERED);
}

TEST(Award, IsSeenByItsHostAlone) {
  TestPayment payment;
  const TestCase mine, other;
  for (const TestCase* c : {&mine, &other})
    ASSERT_TRUE(payment.Apply(payment.Event(*c, CASE_STATE_AWARDED)).ok());
  Context host = payment.host().Person(Role::kHostUnit, "clerk", mine.host_unit);
  v1::GetAwardRequest get;
  v1::Award award;
  get.set_case_name(mine.case_name);
  EXPECT_TRUE(payment.handlers().GetAward(host, get, &award).ok());
  get.set_case_name(other.case_name);
  EXPECT_EQ(payment.handlers().GetAward(host, get, &award).code(), absl::StatusCode::kNotFound);
  v1::ListAwardsResponse list;
  ASSERT_TRUE(payment.handlers().ListAwards(host, v1::ListAwardsRequest(), &list).ok());
  ASSERT_EQ(list.awards_size(), 1);
  EXPECT_EQ(list.awards(0).case_name(), mine.case_name);
}

TEST(Award, AreListedPageByPageInTheOrderOfResolution) {
  TestPayment payment;
  std::vector<TestCase> cases(5);
  for (const int i : {3, 1, 4, 0, 2})
    ASSERT_TRUE(payment.Apply(payment.Event(cases[i], CASE_STATE_AWARDED)).ok());
  Context officer = payment.host().Person(Role::kPaymentOfficer, "officer");
  officer.method = "yuezhan.payment.v1.PaymentService/ListAwards";
  v1::ListAwardsRequest request;
  request.set_page_size(2);
  request.set_state(v1::AWARD_STATE_WAITING);
  std::vector<std::string> names;
  do {
    v1::ListAwardsResponse page;
    ASSERT_TRUE(payment.handlers().ListAwards(officer, request, &page).ok());
    for (const auto& award : page.awards()) names.push_back(award.case_name());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(names,
              testing::ElementsAre(cases[3].case_name, cases[1].case_name, cases[4].case_name,
                                   cases[0].case_name, cases[2].case_name));
}

}  // namespace
}  // namespace yuezhan::payment
