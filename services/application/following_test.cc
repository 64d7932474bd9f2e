#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/application/test_application.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::application {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(Withdrawal, OfADraftIsAtOnce) {
  TestApplication test;
  const auto withdrawn = test.Withdraw(test.Create().name());
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.status();
  EXPECT_EQ(withdrawn->state(), v1::APPLICATION_STATE_WITHDRAWN);
  EXPECT_THAT(test.Events<v1::WithdrawalRequested>(), IsEmpty());
  EXPECT_EQ(errors::Reason(test.Withdraw(withdrawn->name()).status()), "STATE_FORBIDS");
}

TEST(Withdrawal, OfASubmittedOneIsReviewsToDecide) {
  TestApplication test;
  for (const bool granted : {false, true}) {
    const v1::Application application = test.Submitted();
    const size_t before = test.Events<v1::WithdrawalRequested>().size();
    for (int i = 0; i < 2; ++i) {
      const auto requested = test.Withdraw(application.name());
      ASSERT_TRUE(requested.ok()) << requested.status();
      EXPECT_EQ(requested->state(), v1::APPLICATION_STATE_SUBMITTED);
      EXPECT_TRUE(requested->withdrawal_requested());
      EXPECT_THAT(requested->next_step_zh(), HasSubstr("撤回"));
    }
    EXPECT_THAT(test.Events<v1::WithdrawalRequested>(), SizeIs(before + 1)) << "asked once";
    review::v1::WithdrawalDecided decided;
    decided.set_application(application.name());
    decided.set_withdrawn(granted);
    ASSERT_TRUE(test.Apply(test.handlers().OnReview(), decided).ok());
    const v1::Application after = test.Get(application.name());
    EXPECT_FALSE(after.withdrawal_requested());
    EXPECT_EQ(after.state(),
              granted ? v1::APPLICATION_STATE_WITHDRAWN : v1::APPLICATION_STATE_SUBMITTED);
    EXPECT_EQ(test.Count("live_lineages"), granted ? 0 : 1);
    if (!granted) {
      ASSERT_TRUE(test.Review(application, review::v1::CASE_STATE_REFUSED).ok());
    }
  }
}

TEST(Withdrawal, OfAReturnedOneIsAtOnceAndFreesTheLineage) {
  TestApplication test;
  const v1::Application application = test.Submitted();
  ASSERT_TRUE(test.Withdraw(application.name()).ok());
  ASSERT_TRUE(test.Review(application, review::v1::CASE_STATE_RETURNED, {"一"}).ok());
  // Review has not decided yet: what it ends must not be submitted anew.
  v1::SubmitApplicationRequest submit = TestApplication::SubmitRequest(application.name());
  submit.add_answers("是");
  EXPECT_EQ(errors::Reason(test.Try(&Handlers::SubmitApplication, submit).status()),
            "STATE_FORBIDS");
  const auto withdrawn = test.Withdraw(application.name());
  ASSERT_TRUE(withdrawn.ok()) << withdrawn.status();
  EXPECT_EQ(withdrawn->state(), v1::APPLICATION_STATE_WITHDRAWN);
  EXPECT_EQ(test.Count("live_lineages"), 0);
  EXPECT_EQ(test.Events<v1::ApplicationAdvanced>().back().state(), v1::APPLICATION_STATE_WITHDRAWN);
}

TEST(Following, ShowsWhereTheCaseStands) {
  TestApplication test;
  const v1::Application application = test.Submitted();
  const struct {
    review::v1::CaseState of_case;
    v1::ApplicationState state;
  } kSteps[] = {
      {review::v1::CASE_STATE_OPEN, v1::APPLICATION_STATE_UNDER_REVIEW},
      {review::v1::CASE_STATE_ASSESSED, v1::APPLICATION_STATE_ASSESSED},
      {review::v1::CASE_STATE_OPINION_PREPARED, v1::APPLICATION_STATE_ASSESSED},
      {review::v1::CASE_STATE_RECOMMENDED, v1::APPLICATION_STATE_ASSESSED},
      {review::v1::CASE_STATE_ON_AGENDA, v1::APPLICATION_STATE_ASSESSED},
      {review::v1::CASE_STATE_AWARDED, v1::APPLICATION_STATE_AWARDED},
      {review::v1::CASE_STATE_IN_NOTICE, v1::APPLICATION_STATE_IN_NOTICE},
      {review::v1::CASE_STATE_OBJECTED, v1::APPLICATION_STATE_OBJECTED},
      {review::v1::CASE_STATE_NOTICE_ENDED, v1::APPLICATION_STATE_IN_NOTICE},
      {review::v1::CASE_STATE_CLEARED, v1::APPLICATION_STATE_CLEARED},
  };
  for (const auto& step : kSteps) {
    ASSERT_TRUE(test.host().clock().Advance(absl::Hours(1)).ok());
    const v1::ApplicationState before = test.Get(application.name()).state();
    ASSERT_TRUE(test.Review(application, step.of_case).ok());
    const v1::Application now = test.Get(application.name());
    EXPECT_EQ(now.state(), step.state) << review::v1::CaseState_Name(step.of_case);
    EXPECT_EQ(now.review_case(), test.case_name());
    EXPECT_THAT(now.next_step_zh(), Not(IsEmpty()));
    EXPECT_THAT(now.next_step_en(), Not(IsEmpty()));
    if (now.state() != before) {
      EXPECT_EQ(now.state_time().seconds(), absl::ToUnixSeconds(test.host().clock().Now()));
    }
  }
  payment::v1::PaymentAdvanced event;
  event.set_application(application.name());
  event.set_payment(Name("payments", NewUuid()));
  const struct {
    payment::v1::PaymentState of_payment;
    std::string bank_reference;
    Day settled_on;
    v1::ApplicationState state;
  } kPayment[] = {
      {payment::v1::PAYMENT_STATE_INSTRUCTED, "", {}, v1::APPLICATION_STATE_CLEARED},
      {payment::v1::PAYMENT_STATE_SETTLED, "B1", Day(2026, 12, 1), v1::APPLICATION_STATE_PAID},
      {payment::v1::PAYMENT_STATE_BANK_RETURNED, "", {}, v1::APPLICATION_STATE_CLEARED},
      {payment::v1::PAYMENT_STATE_INSTRUCTED, "", {}, v1::APPLICATION_STATE_CLEARED},
      {payment::v1::PAYMENT_STATE_SETTLED, "B2", Day(2026, 12, 8), v1::APPLICATION_STATE_PAID},
      {payment::v1::PAYMENT_STATE_FAILED, "", {}, v1::APPLICATION_STATE_CLEARED},
      {payment::v1::PAYMENT_STATE_SETTLED, "B3", Day(2026, 12, 9), v1::APPLICATION_STATE_PAID},
  };
  for (const auto& step : kPayment) {
    SCOPED_TRACE(payment::v1::PaymentState_Name(step.of_payment));
    event.set_from(event.state());
    event.set_state(step.of_payment);
    event.set_bank_reference(step.bank_reference);
    const bool paid = step.state == v1::APPLICATION_STATE_PAID;
    if (paid) *event.mutable_settled_on() = DayToProto(step.settled_on);
    ASSERT_TRUE(test.Apply(test.handlers().OnPayment(), event).ok());
    const v1::Application now = test.Get(application.name());
    EXPECT_EQ(now.state(), step.state);
    EXPECT_EQ(now.bank_reference(), step.bank_reference);
    EXPECT_EQ(now.has_paid_on(), paid);
    if (paid) {
      EXPECT_EQ(DayFromProto(now.paid_on()), step.settled_on);
    }
  }
  EXPECT_EQ(test.Get(application.name()).payment(), event.payment());
  EXPECT_EQ(test.Count("live_lineages"), 1) << "paid once, for good";
}

TEST(Following, WhatComesLateIsPassedOver) {
  TestApplication test;
  v1::Application application = test.Submitted();
  ASSERT_TRUE(test.Review(application, review::v1::CASE_STATE_RETURNED, {"一"}).ok());
  v1::SubmitApplicationRequest submit = TestApplication::SubmitRequest(application.name());
  submit.add_answers("是");
  ASSERT_TRUE(test.Try(&Handlers::SubmitApplication, submit).ok());
  // Of the submission before.
  ASSERT_TRUE(test.Review(application, review::v1::CASE_STATE_REFUSED).ok());
  application = test.Get(application.name());
  EXPECT_EQ(application.state(), v1::APPLICATION_STATE_SUBMITTED);
  // Payment's word may come before review's.
  payment::v1::PaymentAdvanced paid;
  paid.set_application(application.name());
  paid.set_payment(Name("payments", NewUuid()));
  paid.set_state(payment::v1::PAYMENT_STATE_SETTLED);
  ASSERT_TRUE(test.Apply(test.handlers().OnPayment(), paid).ok());
  ASSERT_TRUE(test.Review(application, review::v1::CASE_STATE_CLEARED).ok());
  EXPECT_EQ(test.Get(application.name()).state(), v1::APPLICATION_STATE_PAID);
  // Of an application that is not there: the follower stops.
  application.set_name(Name("applications", NewUuid()));
  EXPECT_EQ(test.Review(application, review::v1::CASE_STATE_OPEN).code(),
            absl::StatusCode::kDataLoss);
}

TEST(Waiting, EndsWithTheStateOrTheTime) {
  TestApplication test;
  const v1::Application application = test.Submitted();
  v1::GetApplicationRequest request;
  request.set_name(application.name());
  request.set_wait_for_state(v1::APPLICATION_STATE_UNDER_REVIEW);
  request.set_wait_ms(30);
  EXPECT_EQ(test.Try(&Handlers::GetApplication, request)->state(), v1::APPLICATION_STATE_SUBMITTED);
  request.set_wait_ms(2000);
  std::thread review(
      [&] { EXPECT_TRUE(test.Review(application, review::v1::CASE_STATE_OPEN).ok()); });
  EXPECT_EQ(test.Try(&Handlers::GetApplication, request)->state(),
            v1::APPLICATION_STATE_UNDER_REVIEW);
  review.join();
}

}  // namespace
}  // namespace yuezhan::application
