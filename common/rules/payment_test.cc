#include "common/rules/payment.h"

#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using policy::v1::Policy;
using v1::PaymentFacts;
using v1::UseOfMoneyFacts;

TEST(Payment, EachMissingConditionIsRefusedByName) {
  RunCases<PaymentFacts>(
      GoodPayment(), "2025-10-15", CheckPayment,
      {
          {"qualified", [](auto&, auto&) {}, "payment.qualified", kSatisfied},
          {"not qualified", [](auto& f, auto&) { f.set_qualified(false); }, "payment.qualified",
           kViolated},
          {"resolved", [](auto&, auto&) {}, "payment.resolved", kSatisfied},
          {"no resolution", [](auto& f, auto&) { f.clear_resolution(); }, "payment.resolved",
           kViolated},
          {"the amount published", [](auto&, auto&) {}, "payment.published-amount", kSatisfied},
          {"published other than resolved",
           [](auto& f, auto&) { f.set_published_amount_fen(4'999'999); },
           "payment.published-amount", kViolated},
          {"more than the policy gives",
           [](auto& f, auto&) {
             f.set_published_amount_fen(5'000'001);
             f.set_resolved_amount_fen(5'000'001);
           },
           "payment.published-amount", kViolated},
          {"less, by the meeting on an objection",
           [](auto& f, auto&) {
             f.set_published_amount_fen(3'000'000);
             f.set_resolved_amount_fen(3'000'000);
             f.set_order_amount_fen(3'000'000);
           },
           "payment.published-amount", kSatisfied},
          {"no open objection", [](auto&, auto&) {}, "payment.no-open-objection", kSatisfied},
          {"an open objection",
           [](auto& f, auto&) { f.add_open_objections("notices/1/objections/1"); },
           "payment.no-open-objection", kViolated},
          {"none raised", [](auto&, auto&) {}, "payment.maintained-award", kNotApplicable},
          {"one not followed",
           [](auto& f, auto&) { f.add_maintained_objections("notices/1/objections/1"); },
           "payment.maintained-award", kSatisfied},
          {"one not followed, where any objection bars",
           [](auto& f, Policy& p) {
             f.add_maintained_objections("notices/1/objections/1");
             p.mutable_notice()->set_maintained_award_is_paid(false);
           },
           "payment.maintained-award", kViolated},
          {"a statement", [](auto&, auto&) {}, "payment.statement", kSatisfied},
          {"no statement", [](auto& f, auto&) { f.clear_statement(); }, "payment.statement",
           kViolated},
          {"no statement, where none is asked for",
           [](auto& f, Policy& p) {
             f.clear_statement();
             p.mutable_notice()->set_statement_required(false);
           },
           "payment.statement", kNotApplicable},
          {"signed by one office",
           [](auto& f, auto&) { f.mutable_statement()->clear_talent_office_officer(); },
           "payment.statement", kViolated},
          {"signed by one person for both",
           [](auto& f, auto&) { f.mutable_statement()->set_talent_office_officer("officer-a"); },
           "payment.statement", kViolated},
          {"made on the last day of the period",
           [](auto& f, auto&) { *f.mutable_statement()->mutable_made_on() = Date("2025-09-30"); },
           "payment.statement", kViolated},
          {"made the day after",
           [](auto& f, auto&) { *f.mutable_statement()->mutable_made_on() = Date("2025-10-01"); },
           "payment.statement", kSatisfied},
          {"the notice still runs",
           [](auto& f, auto&) {
             for (auto& posting : *f.mutable_period()->mutable_postings())
               *posting.mutable_live_on() = Date("2025-10-13");
           },
           "notice.period", kViolated, "2025-10-21"},
          {"the station was closed",
           [](auto& f, auto&) {
             *f.mutable_standing()->mutable_station()->mutable_closed_on() = Date("2025-10-15");
           },
           "standing.operating", kViolated},
          {"paid before",
           [](auto& f, auto&) {
             f.mutable_standing()->mutable_station()->add_subsidies()->set_source("cases/0");
           },
           "standing.once", kViolated},
          {"the published amount", [](auto&, auto&) {}, "payment.amount", kSatisfied},
          {"a fen more", [](auto& f, auto&) { f.set_order_amount_fen(5'000'001); },
           "payment.amount", kViolated},
          {"the published line", [](auto&, auto&) {}, "payment.line", kSatisfied},
          {"another line", [](auto& f, auto&) { f.set_order_line_digest("ac"); }, "payment.line",
           kViolated},
          {"reserved", [](auto&, auto&) {}, "payment.fund-reserved", kSatisfied},
          {"a fen short", [](auto& f, auto&) { f.set_reserved_amount_fen(4'999'999); },
           "payment.fund-reserved", kViolated},
          {"the host's account", [](auto&, auto&) {}, "payment.payee", kSatisfied},
          {"another account",
           [](auto& f, auto&) { f.mutable_order_account()->set_number("1907010109200099999"); },
           "payment.payee", kViolated},
          {"registered anew since",
           [](auto& f, auto&) {
             f.mutable_standing()->mutable_host()->mutable_account()->set_number(
                 "1907010109200099999");
           },
           "payment.payee", kViolated},
          {"registered anew, decided on",
           [](auto& f, auto&) {
             f.mutable_standing()->mutable_host()->mutable_account()->set_number(
                 "1907010109200099999");
             *f.mutable_account_decision() = Confirmation("仍付申报时账户");
           },
           "payment.payee", kSatisfied},
          {"another holder",
           [](auto& f, auto&) {
             for (auto* account : {f.mutable_order_account(), f.mutable_submitted_account(),
                                   f.mutable_standing()->mutable_host()->mutable_account()}) {
               account->set_holder("湖南理工学院");
             }
           },
           "payment.payee", kViolated},
          {"another holder, decided with evidence",
           [](auto& f, auto&) {
             for (auto* account : {f.mutable_order_account(), f.mutable_submitted_account(),
                                   f.mutable_standing()->mutable_host()->mutable_account()}) {
               account->set_holder("湖南理工学院");
               *account->mutable_other_holder() = Confirmation("科协非独立法人");
               account->add_other_holder_evidence("files/9");
             }
           },
           "payment.payee", kRemark},
          {"two officers", [](auto&, auto&) {}, "payment.two-officers", kSatisfied},
          {"one officer", [](auto& f, auto&) { f.set_authorized_by("payment-a"); },
           "payment.two-officers", kViolated},
          {"nobody authorized", [](auto& f, auto&) { f.clear_authorized_by(); },
           "payment.two-officers", kViolated},
          {"one officer, where the policy allows it",
           [](auto& f, Policy& p) {
             f.set_authorized_by("payment-a");
             p.mutable_payment()->set_by_two_officers(false);
           },
           "payment.two-officers", kNotApplicable},
      });
  PaymentFacts clearance = GoodPayment();
  clearance.set_ordered(false);
  const Findings findings =
      CheckPayment(Yueyang(), policy::Calendar::Builtin(), clearance, D("2025-10-15"));
  EXPECT_TRUE(Allows(findings));
  EXPECT_EQ(Find(findings, "payment.amount"), nullptr);
}

TEST(Payment, FindingsShowNoAccountNumber) {
  PaymentFacts facts = GoodPayment();
  facts.mutable_order_account()->set_number("1907010109200099999");
  for (const Finding& finding :
       CheckPayment(Yueyang(), policy::Calendar::Builtin(), facts, D("2025-10-15"))) {
    EXPECT_EQ(finding.DebugString().find("1907010109200099999"), std::string::npos)
        << finding.rule_id();
  }
}

TEST(UseOfMoney, ReportedInTimeAndMainlyForTheStation) {
  UseOfMoneyFacts good;
  *good.mutable_paid_on() = Date("2024-02-29");
  good.set_paid_fen(5'000'000);
  *good.mutable_reported_on() = Date("2025-02-28");
  good.set_spent_fen(4'000'000);
  good.set_spent_on_station_fen(3'000'000);
  EXPECT_EQ(UseReportDueOn(Yueyang(), D("2024-02-29")), D("2025-02-28"));
  EXPECT_EQ(ReceiptDueOn(Yueyang(), D("2025-01-31")), D("2025-03-02"));
  RunCases<UseOfMoneyFacts>(
      good, "2025-03-01", CheckUseOfMoney,
      {
          {"on the last day", [](auto&, auto&) {}, "use.reported", kSatisfied},
          {"a day late", [](auto& f, auto&) { *f.mutable_reported_on() = Date("2025-03-01"); },
           "use.reported", kRemark},
          {"overdue", [](auto& f, auto&) { f.clear_reported_on(); }, "use.reported", kViolated},
          {"due today",
           [](auto& f, auto&) {
             f.clear_reported_on();
             *f.mutable_paid_on() = Date("2024-03-01");
           },
           "use.reported", kNotApplicable, "2025-03-02"},
          {"another time",
           [](auto& f, Policy& p) {
             f.clear_reported_on();
             p.mutable_payment()->set_use_report_due_months(24);
           },
           "use.reported", kNotApplicable, "2026-03-01"},
          {"not paid", [](auto& f, auto&) { f.clear_paid_on(); }, "use.reported", kNotApplicable},
          {"three quarters", [](auto&, auto&) {}, "use.mainly-station", kSatisfied},
          {"half", [](auto& f, auto&) { f.set_spent_on_station_fen(2'000'000); },
           "use.mainly-station", kViolated},
          {"a fen more than half", [](auto& f, auto&) { f.set_spent_on_station_fen(2'000'001); },
           "use.mainly-station", kSatisfied},
          {"half, where less is asked for",
           [](auto& f, Policy& p) {
             f.set_spent_on_station_fen(2'000'000);
             p.mutable_payment()->set_use_mainly_percent(40);
           },
           "use.mainly-station", kSatisfied},
          {"more than was paid", [](auto& f, auto&) { f.set_spent_fen(5'000'001); },
           "use.mainly-station", kViolated},
          {"nothing spent",
           [](auto& f, auto&) {
             f.clear_spent_fen();
             f.clear_spent_on_station_fen();
           },
           "use.mainly-station", kRemark},
          {"not reported", [](auto& f, auto&) { f.clear_reported_on(); }, "use.mainly-station",
           kNotApplicable},
      });
}

}  // namespace
}  // namespace yuezhan::rules
