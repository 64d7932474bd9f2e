#include <thread>

#include "common/db/cutting_proxy.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "services/payment/test_payment.h"
#include "services/payment/transitions.h"

namespace yuezhan::payment {
namespace {

TEST(Order, GoesFromPreparedToInstructed) {
  TestPayment payment;
  std::vector<std::string> instructed_ids;
  payment.handlers().on_instructed = [&](std::string_view id) { instructed_ids.emplace_back(id); };
  const std::string fund = payment.Fund(5'000'000);
  const TestCase c;
  payment.Clear(c);
  const v1::Payment prepared = payment.Prepare(c).value();
  EXPECT_EQ(prepared.state(), v1::PAYMENT_STATE_PREPARED);
  EXPECT_EQ(prepared.payee().number(), c.account.number());
  EXPECT_EQ(prepared.prepared_by(), "preparer");
  EXPECT_EQ(prepared.policy().version(), "yueyang-2021");
  EXPECT_GT(prepared.findings_size(), 10);
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_ORDERED);
  EXPECT_EQ(payment.GetAward(c).payment(), prepared.name());

  const v1::Payment authorized = payment.Authorize(prepared.name()).value();
  EXPECT_EQ(authorized.state(), v1::PAYMENT_STATE_AUTHORIZED);
  EXPECT_EQ(authorized.authorized_by(), "authorizer");
  EXPECT_EQ(payment.Request(prepared.name()).value().state(), v1::PAYMENT_STATE_REQUESTED);
  const v1::Payment returned = payment.Answer(prepared.name(), false).value();
  EXPECT_EQ(returned.state(), v1::PAYMENT_STATE_FINANCE_RETURNED);
  EXPECT_EQ(returned.reason(), "预算科目有误");
  EXPECT_EQ(payment.Request(prepared.name()).value().reason(), "");
  EXPECT_EQ(Fen(payment.GetFund(fund).reserved()), 5'000'000);

  const v1::Payment instructed = payment.Answer(prepared.name()).value();
  EXPECT_EQ(instructed.state(), v1::PAYMENT_STATE_INSTRUCTED);
  EXPECT_EQ(instructed.transfer_id(), TransferId(prepared.name(), 1));
  EXPECT_EQ(instructed_ids, std::vector{instructed.transfer_id()});
  EXPECT_TRUE(instructed.has_not_after());
  EXPECT_EQ(payment.host().Count("transfers"), 1);
  EXPECT_EQ(Fen(payment.GetFund(fund).in_transit()), 5'000'000);
  EXPECT_TRUE(payment.TrialBalance().balanced());

  // Each of the five decisions keeps what it rested on.
  const auto facts = payment.host().PrivateEvents<rules::v1::PaymentFacts>();
  ASSERT_EQ(facts.size(), 5u);
  EXPECT_EQ(facts[0].authorized_by(), "");
  EXPECT_EQ(facts[4].authorized_by(), "authorizer");
  EXPECT_EQ(facts[4].order_account().number(), c.account.number());
}

TEST(Order, GoesOutWithItsAuthorizationWhereNoFinanceBureauAnswers) {
  TestPayment payment(
      TestHost::ChangedPolicy("through_finance_bureau: true", "through_finance_bureau: false"));
  payment.Fund(5'000'000);
  const TestCase c;
  payment.Clear(c);
  const v1::Payment prepared = payment.Prepare(c).value();
  EXPECT_EQ(payment.Authorize(prepared.name()).value().state(), v1::PAYMENT_STATE_INSTRUCTED);
  EXPECT_EQ(payment.host().Count("transfers"), 1);
}

TEST(Order, IsJudgedByThePolicyOfTheDayOfItsSubmission) {
  TestPayment payment(TestHost::FollowedPolicy(Day(2026, 7, 1), "through_finance_bureau: true",
                                               "through_finance_bureau: false"));
  payment.Fund(5'000'000);
  const TestCase c;  // submitted in June
  payment.Clear(c);
  const v1::Payment authorized = payment.Authorize(payment.Prepare(c).value().name()).value();
  EXPECT_EQ(authorized.state(), v1::PAYMENT_STATE_AUTHORIZED);
  EXPECT_EQ(authorized.policy().version(), "yueyang-2021");
}

TEST(Order, IsRefusedByNameWhenAConditionIsMissing) {
  struct Missing {
    const char* rule;
    std::function<void(review::v1::CaseAdvanced&)> clearance;
    std::function<void(rules::v1::StandingFacts&)> standing;
  };
  const auto none = [](auto&) {};
  const Missing kMissing[] = {
      {"payment.qualified", [](auto& e) { e.mutable_clearance()->set_qualified(false); }, none},
      {"payment.resolved", [](auto& e) { e.mutable_clearance()->clear_resolution(); }, none},
      {"payment.published-amount",
       [](auto& e) { e.mutable_clearance()->set_published_amount_fen(4'999'999); }, none},
      {"notice.period",
       [](auto& e) {
         for (auto& posting : *e.mutable_clearance()->mutable_period()->mutable_postings())
           *posting.mutable_live_on() = DayToProto(Day(2026, 9, 14));
       },
       none},
      {"payment.statement", [](auto& e) { e.mutable_clearance()->clear_statement(); }, none},
      {"payment.no-open-objection",
       [](auto& e) { e.mutable_clearance()->add_open_objections("notices/1/objections/1"); }, none},
      {"payment.line", [](auto& e) { e.mutable_clearance()->set_published_line_digest("cd"); },
       none},
      {"standing.operating", none,
       [](auto& s) { *s.mutable_station()->mutable_closed_on() = DayToProto(Day(2026, 9, 15)); }},
      {"standing.once", none,
       [](auto& s) { s.mutable_station()->add_subsidies()->set_source("cases/another"); }},
      {"payment.payee", none,
       [](auto& s) { s.mutable_host()->mutable_account()->set_number("1907010109299999999"); }},
  };
  TestPayment payment;
  payment.Fund(500'000'000);
  for (const Missing& missing : kMissing) {
    // Missing from the beginning: not even prepared.
    const TestCase c;
    payment.peer().Know(c);
    ASSERT_TRUE(payment.Apply(payment.Event(c, review::v1::CASE_STATE_AWARDED)).ok());
    auto cleared = payment.Event(c, review::v1::CASE_STATE_CLEARED);
    missing.clearance(cleared);
    ASSERT_TRUE(payment.Apply(cleared).ok());
    payment.peer().Change(c, missing.standing);
    ExpectRefused(payment.Prepare(c).status(), missing.rule);
    EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_CLEARED);
  }
  EXPECT_EQ(payment.host().Count("payments"), 0);
  // Not cleared at all.
  const TestCase c;
  payment.peer().Know(c);
  ASSERT_TRUE(payment.Apply(payment.Event(c, review::v1::CASE_STATE_AWARDED)).ok());
  EXPECT_EQ(errors::Reason(payment.Prepare(c).status()), "STATE_FORBIDS");
}

TEST(Order, IsJudgedAgainAtEveryStep) {
  TestPayment payment;
  payment.Fund(500'000'000);
  const auto close = [](auto& s) {
    *s.mutable_station()->mutable_closed_on() = DayToProto(Day(2026, 9, 15));
  };
  for (int steps = 0; steps < 3; ++steps) {
    const TestCase c;
    payment.Clear(c);
    const std::string name = payment.Prepare(c).value().name();
    if (steps > 0) {
      ASSERT_TRUE(payment.Authorize(name).ok());
    }
    if (steps > 1) {
      ASSERT_TRUE(payment.Request(name).ok());
    }
    const v1::PaymentState before = payment.GetPayment(name).state();
    payment.peer().Change(c, close);
    const auto next = steps == 0   ? payment.Authorize(name)
                      : steps == 1 ? payment.Request(name)
                                   : payment.Answer(name);
    ExpectRefused(next.status(), "standing.operating");
    EXPECT_EQ(payment.GetPayment(name).state(), before);
    EXPECT_TRUE(payment.Stop(name).ok());
  }
  EXPECT_EQ(payment.host().Count("transfers"), 0);
}

TEST(Order, NeedsPersonsWhoDidNoIncompatibleAct) {
  TestPayment payment;
  payment.Fund(5'000'000);
  const TestCase c;
  payment.Clear(c);
  // Approved the opinion in review.
  EXPECT_EQ(payment.Prepare(c, "reviewer-b").status().code(), absl::StatusCode::kPermissionDenied);
  const std::string name = payment.Prepare(c).value().name();
  const absl::Status alone = payment.Authorize(name, "preparer").status();
  EXPECT_EQ(alone.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(errors::Reason(alone), "SEPARATION_OF_DUTIES");
  EXPECT_THAT(errors::Details(alone).SerializeAsString(),
              testing::HasSubstr("separation.incompatible-acts"));
  EXPECT_EQ(payment.Authorize(name, "reviewer-a").status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_PREPARED);
  // The chair of the meeting may.
  EXPECT_TRUE(payment.Authorize(name, "director-a").ok());
}

TEST(Order, IsOneForACaseAndForAStation) {
  TestPayment payment;
  payment.Fund(500'000'000);
  TestCase first, second;
  second.station = first.station;
  payment.Clear(first);
  const std::string name = payment.Prepare(first).value().name();
  EXPECT_EQ(errors::Reason(payment.Prepare(first).status()), "STATE_FORBIDS");
  payment.Clear(second);
  const auto again = payment.Prepare(second);
  EXPECT_EQ(again.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(payment.GetAward(second).state(), v1::AWARD_STATE_CLEARED);
  // A stopped one makes room.
  ASSERT_TRUE(payment.Stop(name).ok());
  EXPECT_TRUE(payment.Prepare(second).ok());
  EXPECT_EQ(payment.host().Count("payments"), 2);
}

TEST(Order, OfTwoAtOnceForOneStationOneIsMade) {
  TestPayment payment;
  payment.Fund(500'000'000);
  const TestCase first;
  std::vector<TestCase> cases(8, first);
  for (TestCase& c : cases) {
    c.case_name = Name("cases", NewUuid());
    payment.Clear(c);
  }
  std::vector<std::thread> threads;
  std::atomic<int> made = 0;
  for (const TestCase& c : cases) {
    threads.emplace_back([&] {
      const auto order = payment.Prepare(c);
      if (order.ok()) ++made;
      EXPECT_TRUE(order.ok() || order.status().code() == absl::StatusCode::kAlreadyExists)
          << order.status();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(payment.host().Count("payments"), 1);
}

TEST(Order, IsStoppedUntilItIsInstructed) {
  TestPayment payment;
  payment.Fund(500'000'000);
  for (int steps = 0; steps < 4; ++steps) {
    const TestCase c;
    payment.Clear(c);
    const std::string name = payment.Prepare(c).value().name();
    if (steps > 0) {
      ASSERT_TRUE(payment.Authorize(name).ok());
    }
    if (steps > 1) {
      ASSERT_TRUE(payment.Request(name).ok());
    }
    if (steps > 2) {
      ASSERT_TRUE(payment.Answer(name, false).ok());
    }
    ASSERT_TRUE(payment.Stop(name).ok()) << steps;
    EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_CLEARED);
    EXPECT_EQ(payment.GetAward(c).payment(), "");
    EXPECT_EQ(errors::Reason(payment.Stop(name).status()), "STATE_FORBIDS");
    EXPECT_TRUE(payment.Prepare(c).ok()) << "it can be ordered anew";
  }
  const TestCase c;
  const v1::Payment sent = payment.Instructed(c);
  EXPECT_EQ(errors::Reason(payment.Stop(sent.name()).status()), "STATE_FORBIDS");
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Order, EveryMethodIsRefusedInEveryOtherState) {
  TestPayment payment;
  payment.Fund(500'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  for (const auto& status : {payment.Authorize(name).status(), payment.Request(name).status(),
                             payment.Answer(name).status(), payment.Stop(name).status(),
                             payment.Resend(name).status()}) {
    EXPECT_EQ(errors::Reason(status), "STATE_FORBIDS") << status;
  }
  EXPECT_EQ(payment.GetPayment(name).attempts(), 1);
}

TEST(Order, PaysAnAccountThatWasDecidedOn) {
  TestPayment payment;
  payment.Fund(5'000'000);
  const TestCase c;
  payment.Clear(c);
  payment.peer().Change(
      c, [](auto& s) { s.mutable_host()->mutable_account()->set_number("1907010109299999999"); });
  ExpectRefused(payment.Prepare(c).status(), "payment.payee");
  v1::PreparePaymentRequest request;
  request.set_request_id(NewUuid());
  request.set_case_name(c.case_name);
  request.mutable_account_decision()->set_confirmed(true);
  request.mutable_account_decision()->set_reason("仍付申报时账户");
  request.mutable_account_decision()->set_officer("somebody else");
  v1::Payment prepared;
  const absl::Status status = payment.Call(payment.handlers(), &Handlers::PreparePayment,
                                           "PreparePayment", "preparer", request, &prepared);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(prepared.payee().number(), c.account.number());
  // The decision holds at the next steps too.
  EXPECT_TRUE(payment.Authorize(prepared.name()).ok());
}

TEST(Order, NeedsRegistryAndChangesNothingWithoutIt) {
  TestPayment payment;
  payment.Fund(5'000'000);
  const TestCase c;
  payment.Clear(c);
  payment.peer().SetDown(errors::Unavailable("registry"));
  EXPECT_EQ(payment.Prepare(c).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(payment.GetAward(c).state(), v1::AWARD_STATE_CLEARED);
  payment.peer().SetDown(absl::OkStatus());
  EXPECT_TRUE(payment.Prepare(c).ok());
}

TEST(Order, TheSameRequestHasOneEffectAndOneAnswer) {
  TestPayment payment;
  payment.Fund(5'000'000);
  const TestCase c;
  payment.Clear(c);
  v1::PreparePaymentRequest request;
  request.set_request_id(NewUuid());
  request.set_case_name(c.case_name);
  std::vector<std::thread> threads;
  std::vector<v1::Payment> answers(32);
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      const absl::Status status = payment.Call(payment.handlers(), &Handlers::PreparePayment,
                                               "PreparePayment", "preparer", request, &answer);
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers)
    EXPECT_EQ(answer.SerializeAsString(), answers[0].SerializeAsString());
  EXPECT_EQ(payment.host().Count("payments"), 1);
  request.mutable_codes()->set_budget_year(2026);
  v1::Payment other;
  EXPECT_EQ(errors::Reason(payment.Call(payment.handlers(), &Handlers::PreparePayment,
                                        "PreparePayment", "preparer", request, &other)),
            "REQUEST_ID_REUSED");
}

// The connection to the database cut at every statement of the call that sends the money out.
TEST(Cuts, RecordFinanceAnswerHasOneEffect) {
  TestPayment payment;
  const std::string fund = payment.Fund(5'000'000'000);
  int64_t instructed = 0;
  for (const auto when : {db::CuttingProxy::When::kBefore, db::CuttingProxy::When::kAfter}) {
    for (int n = 1; n <= 60; ++n) {
      const TestCase c;
      payment.Clear(c);
      v1::RecordFinanceAnswerRequest request;
      request.set_request_id(NewUuid());
      request.set_name(payment.Prepare(c).value().name());
      request.set_accepted(true);
      ASSERT_TRUE(payment.Authorize(request.name()).ok());
      ASSERT_TRUE(payment.Request(request.name()).ok());
      db::CuttingProxy proxy("127.0.0.1", payment.host().database().serve().port);
      auto replica = payment.NewReplica(proxy.port());
      proxy.CutAt(n, when);
      v1::Payment answer;
      absl::Status status = payment.Call(*replica.handlers, &Handlers::RecordFinanceAnswer,
                                         "RecordFinanceAnswer", "preparer", request, &answer);
      if (!status.ok()) {
        EXPECT_TRUE(absl::IsUnavailable(status) || absl::IsAborted(status)) << n << ": " << status;
        status = payment.Call(payment.handlers(), &Handlers::RecordFinanceAnswer,
                              "RecordFinanceAnswer", "preparer", request, &answer);
      }
      ASSERT_TRUE(status.ok()) << n << ": " << status;
      EXPECT_EQ(answer.state(), v1::PAYMENT_STATE_INSTRUCTED);
      ++instructed;
      EXPECT_EQ(payment.host().Count("transfers"), instructed) << n;
      EXPECT_EQ(Fen(payment.GetFund(fund).in_transit()), instructed * 5'000'000) << n;
      if (!proxy.cut()) break;  // the call has fewer statements than n
    }
  }
  EXPECT_GT(instructed, 20);
  EXPECT_TRUE(payment.TrialBalance().balanced());
}

TEST(Payment, SeveralAreReadInTheOrderOfTheirNamesAndWaitedFor) {
  TestPayment payment;
  payment.Fund(500'000'000);
  const TestCase cases[2];
  v1::BatchGetPaymentsRequest request;
  for (const TestCase& of : cases) {
    payment.Clear(of);
    request.add_names(payment.Prepare(of).value().name());
  }
  std::swap(*request.mutable_names(0), *request.mutable_names(1));
  v1::BatchGetPaymentsResponse answer;
  const auto get = [&] {
    answer.Clear();
    return payment.Call(payment.handlers(), &Handlers::BatchGetPayments, "BatchGetPayments",
                        "bookkeeper", request, &answer);
  };
  request.set_wait_for_state(v1::PAYMENT_STATE_PREPARED);
  request.set_wait_ms(2000);
  const absl::Duration begin = MonotonicNow();
  ASSERT_TRUE(get().ok());
  ASSERT_EQ(answer.payments_size(), 2);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(answer.payments(i).name(), request.names(i));
  EXPECT_LT(MonotonicNow() - begin, absl::Seconds(2)) << "they are all there";
  // The answer comes although one of them is not there, once the time is up.
  ASSERT_TRUE(payment.Authorize(request.names(0)).ok());
  request.set_wait_for_state(v1::PAYMENT_STATE_AUTHORIZED);
  request.set_wait_ms(50);
  ASSERT_TRUE(get().ok());
  EXPECT_EQ(answer.payments(0).state(), v1::PAYMENT_STATE_AUTHORIZED);
  EXPECT_EQ(answer.payments(1).state(), v1::PAYMENT_STATE_PREPARED);
  request.set_wait_for_state(v1::PAYMENT_STATE_UNSPECIFIED);
  request.set_wait_ms(0);
  request.add_names(Name("payments", NewUuid()));
  EXPECT_EQ(get().code(), absl::StatusCode::kNotFound);
}

TEST(Payment, IsSeenByItsHostAlone) {
  TestPayment payment;
  payment.Fund(500'000'000);
  const TestCase mine, other;
  payment.Clear(mine);
  payment.Clear(other);
  const std::string own = payment.Prepare(mine).value().name();
  const std::string foreign = payment.Prepare(other).value().name();
  Context host = payment.host().Person(Role::kHostUnit, "clerk", mine.host_unit);
  v1::GetPaymentRequest get;
  v1::Payment answer;
  get.set_name(own);
  EXPECT_TRUE(payment.handlers().GetPayment(host, get, &answer).ok());
  get.set_name(foreign);
  EXPECT_EQ(payment.handlers().GetPayment(host, get, &answer).code(), absl::StatusCode::kNotFound);
  v1::BatchGetPaymentsRequest several;
  v1::BatchGetPaymentsResponse answers;
  several.add_names(own);
  EXPECT_TRUE(payment.handlers().BatchGetPayments(host, several, &answers).ok());
  several.add_names(foreign);
  EXPECT_EQ(payment.handlers().BatchGetPayments(host, several, &answers).code(),
            absl::StatusCode::kNotFound);
  v1::ListPaymentsResponse list;
  ASSERT_TRUE(payment.handlers().ListPayments(host, v1::ListPaymentsRequest(), &list).ok());
  ASSERT_EQ(list.payments_size(), 1);
  EXPECT_EQ(list.payments(0).name(), own);
  Context officer = payment.host().Person(Role::kPaymentOfficer, "officer");
  v1::ListPaymentsRequest request;
  request.set_page_size(1);
  ASSERT_TRUE(payment.handlers().ListPayments(officer, request, &list).ok());
  request.set_page_token(list.next_page_token());
  ASSERT_TRUE(payment.handlers().ListPayments(officer, request, &list).ok());
  EXPECT_EQ(list.payments(0).name(), foreign);
}

TEST(Payment, IsClosedByTheReceiptOrOverdue) {
  TestPayment payment;
  payment.Fund(500'000'000);
  const TestCase c;
  const std::string name = payment.Instructed(c).name();
  v1::RecordReceiptRequest request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  request.set_receipt_number("湘财00012345");
  v1::Payment answer;
  const auto record = [&] {
    request.set_request_id(NewUuid());
    return payment.Call(payment.handlers(), &Handlers::RecordReceipt, "RecordReceipt", "preparer",
                        request, &answer);
  };
  EXPECT_EQ(errors::Reason(record()), "STATE_FORBIDS");
  payment.Send(*payment.NewTransfers(), 1);
  ASSERT_EQ(payment.GetPayment(name).state(), v1::PAYMENT_STATE_SETTLED);
  EXPECT_EQ(DayFromProto(payment.GetPayment(name).settled_on()), Day(2026, 9, 15));
  ASSERT_TRUE(payment.host().clock().Advance(30 * absl::Hours(24)).ok());
  EXPECT_FALSE(payment.GetPayment(name).receipt_overdue());
  ASSERT_TRUE(payment.host().clock().Advance(absl::Hours(24)).ok());
  EXPECT_TRUE(payment.GetPayment(name).receipt_overdue());
  ASSERT_TRUE(record().ok());
  EXPECT_FALSE(payment.GetPayment(name).receipt_overdue());
  EXPECT_EQ(payment.GetPayment(name).receipt_number(), "湘财00012345");
  EXPECT_EQ(record().code(), absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace yuezhan::payment
