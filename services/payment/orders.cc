#include <algorithm>

#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/ownership.h"
#include "common/host/standings.h"
#include "common/rpc/client.h"
#include "common/rules/contact_details.h"
#include "common/rules/payment.h"
#include "services/payment/acts.h"
#include "services/payment/handlers.h"
#include "services/payment/transfers.h"
#include "services/payment/transitions.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::payment {
namespace {

using common::v1::Act;

// What the rules look at: what cleared the award, station and host as of today, and the order.
rules::v1::PaymentFacts FactsOf(const v1::AwardRecord& award, const v1::PaymentRecord& order,
                                const rules::v1::StandingFacts& standing) {
  const v1::Payment& payment = order.payment();
  rules::v1::PaymentFacts facts = award.clearance();
  *facts.mutable_standing() = standing;
  facts.mutable_standing()->set_own_source(payment.case_name());
  *facts.mutable_standing()->mutable_submitted_on() = order.facts().standing().submitted_on();
  facts.set_ordered(true);
  facts.set_order_amount_fen(FenIn(payment.amount()));
  facts.set_order_line_digest(payment.line_digest());
  if (!award.award().fund().empty()) facts.set_reserved_amount_fen(FenIn(award.award().amount()));
  *facts.mutable_order_account() = payment.payee();
  *facts.mutable_submitted_account() = order.facts().submitted_account();
  if (order.facts().has_account_decision())
    *facts.mutable_account_decision() = order.facts().account_decision();
  facts.set_prepared_by(payment.prepared_by());
  facts.set_authorized_by(payment.authorized_by());
  return facts;
}

// Judges the order, and keeps facts, findings and policy with it (the facts of each decision in the
// trail, too), or refuses with the findings.
absl::Status Decide(journal::Unit& unit, const Rules& rules, const v1::AwardRecord& award,
                    const rules::v1::StandingFacts& standing, v1::PaymentRecord* order) {
  *order->mutable_facts() = FactsOf(award, *order, standing);
  auto findings = rules::CheckPayment(rules.policy, *rules.calendar, order->facts(), rules.today);
  if (order->payment().authorized_by().empty()) {
    // That a second officer is missing is the next step of an order that is only being prepared.
    std::erase_if(findings, [](const auto& f) { return f.rule_id() == "payment.two-officers"; });
  }
  v1::Payment& payment = *order->mutable_payment();
  if (!rules::Allows(findings)) return errors::Refused(findings, payment.case_name());
  payment.mutable_findings()->Assign(findings.begin(), findings.end());
  *payment.mutable_policy() = rules.reference;
  unit.EmitPrivate(order->facts());
  return absl::OkStatus();
}

// A decision on an account as the caller makes it now.
void SetDecision(const common::v1::Confirmation& decision, const Context& context,
                 v1::PaymentRecord* order) {
  auto* kept = order->mutable_facts()->mutable_account_decision();
  *kept = decision;
  kept->set_officer(context.caller.subject);
}

v1::PaymentRecord NewOrder(const v1::AwardRecord& award, absl::Time now,
                           std::string_view officer) {
  v1::PaymentRecord order;
  order.set_level(award.level());
  order.set_station_name(award.award().station_name());
  v1::Payment& payment = *order.mutable_payment();
  payment.set_name(Name("payments", NewUuid()));
  payment.set_case_name(award.award().case_name());
  payment.set_application(award.award().application());
  payment.set_station(award.award().station());
  payment.set_host_unit(award.award().host_unit());
  payment.set_state(v1::PAYMENT_STATE_PREPARED);
  *payment.mutable_state_time() = ToProto(now);
  *payment.mutable_create_time() = payment.state_time();
  *payment.mutable_amount() = award.award().amount();
  payment.set_fund(award.award().fund());
  payment.set_line_digest(award.award().line_digest());
  payment.set_prepared_by(std::string(officer));
  return order;
}

absl::Status CheckOnce(std::string_view field, std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) == names.end()) return absl::OkStatus();
  return errors::InvalidField(field, "同一项只能出现一次", "must name each only once");
}

}  // namespace

absl::StatusOr<std::vector<rules::v1::StandingFacts>> Handlers::StandingsOf(
    const std::vector<Named>& named, absl::Time deadline) {
  std::vector<std::string> names, stations;
  for (const Named& each : named) names.push_back(each.name);
  std::map<std::string, v1::PaymentRecord> seen;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(seen, store_.PaymentsByName(sql, names));
    return absl::OkStatus();
  }));
  for (const Named& each : named) {
    const auto found = seen.find(each.name);
    if (found == seen.end() || !MaySee(each.context.caller, found->second.payment().host_unit())) {
      return errors::NotFound(each.name);
    }
    stations.push_back(found->second.payment().station());
  }
  Context context = named.front().context;
  context.deadline = deadline;
  return AskStandings(peers_.registry, context, stations);
}

absl::StatusOr<std::vector<Handlers::Ground>> Handlers::GroundsOf(const std::vector<Named>& named,
                                                                  absl::Time deadline) {
  std::vector<std::string> names, stations;
  for (const Named& each : named) names.push_back(each.name);
  std::map<std::string, v1::AwardRecord> awards;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(awards, store_.AwardsByCase(sql, names));
    return absl::OkStatus();
  }));
  for (const std::string& name : names) {
    const auto found = awards.find(name);
    if (found == awards.end()) return errors::NotFound(name);
    stations.push_back(found->second.award().station());
  }
  Context context = named.front().context;
  context.deadline = deadline;
  YZ_ASSIGN_OR_RETURN(auto standings, AskStandings(peers_.registry, context, stations));
  application::v1::BatchGetSubmissionsRequest of_awards;
  for (const std::string& name : names) {
    const v1::AwardRecord& award = awards.at(name);
    application::v1::GetSubmissionRequest& of_award = *of_awards.add_requests();
    of_award.set_application(award.award().application());
    of_award.set_number(award.submission());
  }
  application::v1::BatchGetSubmissionsResponse submissions;
  YZ_RETURN_IF_ERROR(
      peers_.application.Call("yuezhan.application.v1.ApplicationService/BatchGetSubmissions",
                              of_awards, &submissions, rpc::CallOptions::Within(context)));
  if (!submissions.failed_requests().empty())
    return errors::FromDetails(submissions.failed_requests().begin()->second);
  if (submissions.submissions_size() != of_awards.requests_size())
    return errors::Unavailable("application");
  std::vector<Ground> grounds;
  for (size_t i = 0; i < names.size(); ++i) {
    const application::v1::Submission& submission = submissions.submissions(static_cast<int>(i));
    YZ_ASSIGN_OR_RETURN(std::string id, IdOf("cases/*", names[i]));
    grounds.push_back({std::move(id), of_awards.requests(static_cast<int>(i)).number(),
                       std::move(standings[i]), submission.facts().form().account(),
                       DayToProto(BeijingDay(FromProto(submission.submit_time())))});
  }
  return grounds;
}

absl::StatusOr<v1::Payment> Handlers::Prepare(const Context& context, journal::Unit& unit,
                                              std::string_view method,
                                              const v1::PreparePaymentRequest& request,
                                              const Ground& ground) {
  YZ_ASSIGN_OR_RETURN(auto award, store_.Award(unit.sql(), ground.case_id, true));
  if (!award) return errors::NotFound(request.case_name());
  YZ_RETURN_IF_ERROR(AwardTransitions().Check(request.case_name(), award->award().state(),
                                              v1::AWARD_STATE_ORDERED, method));
  // Awarded anew since the submission was fetched: what was fetched is of another one.
  if (award->submission() != ground.submission) return errors::Conflict();
  YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(rulebook_, ground.submitted_on, unit.Now()));
  v1::PaymentRecord order = NewOrder(*award, unit.Now(), context.caller.subject);
  v1::Payment& payment = *order.mutable_payment();
  *order.mutable_facts()->mutable_submitted_account() = ground.account;
  *order.mutable_facts()->mutable_standing()->mutable_submitted_on() = ground.submitted_on;
  *payment.mutable_codes() = request.codes();
  *payment.mutable_payee() =
      request.pay_registered_account() ? ground.standing.host().account() : ground.account;
  const bool decided = request.account_decision().confirmed();
  if (decided) SetDecision(request.account_decision(), context, &order);
  YZ_RETURN_IF_ERROR(DoAct(rules, *award, context, Act::ACT_PREPARE, &order));
  YZ_RETURN_IF_ERROR(Decide(unit, rules, *award, ground.standing, &order));
  award->mutable_award()->set_payment(payment.name());
  YZ_RETURN_IF_ERROR(AdvanceAward(store_, unit, method, v1::AWARD_STATE_ORDERED, &*award));
  std::string existing;
  if (!store_.InsertPayment(unit.sql(), &order, &existing))
    return errors::AlreadyExists("case_name", existing);
  store_.InsertAccountDecision(
      unit.sql(), payment,
      request.pay_registered_account() ? AccountSource::kRegistry : AccountSource::kSubmission,
      decided ? context.caller.subject : "", rules.today, unit.entry_key());
  EmitAdvanced(unit, v1::PAYMENT_STATE_UNSPECIFIED, order);
  return payment;
}

absl::Status Handlers::PreparePayment(
    const rpc::AskedList<v1::PreparePaymentRequest, v1::Payment>& asked) {
  std::vector<Named> named;
  std::vector<std::string> names;
  for (const auto& each : asked) {
    if (each.request.pay_registered_account() && !each.request.account_decision().confirmed()) {
      return errors::InvalidField("account_decision", "改付登记账户须有决定",
                                  "must be given to pay the registered account");
    }
    named.push_back({each.context, each.request.case_name()});
    names.push_back(each.request.case_name());
  }
  YZ_ASSIGN_OR_RETURN(const auto grounds, GroundsOf(named, rpc::LastDeadline(asked)));
  return journal_.WriteAll(asked, [&](const auto& units) -> absl::Status {
    store_.PrefetchAwards(units.front()->sql(), names);
    for (size_t i = 0; i < asked.size(); ++i) {
      YZ_ASSIGN_OR_RETURN(*asked[i].answer, Prepare(asked[i].context, *units[i], "PreparePayment",
                                                    asked[i].request, grounds[i]));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::BatchPreparePayments(Context& context,
                                            const v1::BatchPreparePaymentsRequest& request,
                                            v1::BatchPreparePaymentsResponse* answer) {
  const std::vector<std::string> names(request.case_names().begin(), request.case_names().end());
  YZ_RETURN_IF_ERROR(CheckOnce("case_names", names));
  std::vector<Named> named;
  for (const std::string& name : names) named.push_back({context, name});
  YZ_ASSIGN_OR_RETURN(const auto grounds, GroundsOf(named, context.deadline));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    store_.PrefetchAwards(unit.sql(), names);
    for (size_t i = 0; i < names.size(); ++i) {
      v1::PreparePaymentRequest one;
      one.set_case_name(names[i]);
      *one.mutable_codes() = request.codes();
      YZ_ASSIGN_OR_RETURN(*answer->add_payments(),
                          Prepare(context, unit, "BatchPreparePayments", one, grounds[i]));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::Authorize(const Context& context, journal::Unit& unit, Order& order,
                                 const rules::v1::StandingFacts& standing) const {
  order.record.mutable_payment()->set_authorized_by(context.caller.subject);
  YZ_RETURN_IF_ERROR(DoAct(order.rules, order.award, context, Act::ACT_PAY, &order.record));
  YZ_RETURN_IF_ERROR(Decide(unit, order.rules, order.award, standing, &order.record));
  order.to = v1::PAYMENT_STATE_AUTHORIZED;
  if (!order.rules.policy.payment().through_finance_bureau()) Instruct(unit, order);
  return absl::OkStatus();
}

template <typename Request>
absl::Status Handlers::ChangePayments(const rpc::AskedList<Request, v1::Payment>& asked,
                                      std::string_view method, ChangeAt change) {
  std::vector<v1::Payment*> answers;
  for (const auto& each : asked) answers.push_back(each.answer);
  YZ_RETURN_IF_ERROR(journal_.WriteAll(asked, [&](const auto& units) {
    return ChangeAll(rpc::NamesOf(asked), units, method, answers, change);
  }));
  for (const v1::Payment* payment : answers) Instructed(*payment);
  return absl::OkStatus();
}

absl::Status Handlers::AuthorizePayment(
    const rpc::AskedList<v1::AuthorizePaymentRequest, v1::Payment>& asked) {
  YZ_ASSIGN_OR_RETURN(const auto standings,
                      StandingsOf(rpc::NamesOf(asked), rpc::LastDeadline(asked)));
  return ChangePayments(asked, "AuthorizePayment",
                        [&](size_t i, journal::Unit& unit, Order& order) {
                          return Authorize(asked[i].context, unit, order, standings[i]);
                        });
}

absl::Status Handlers::BatchAuthorizePayments(Context& context,
                                              const v1::BatchAuthorizePaymentsRequest& request,
                                              v1::BatchAuthorizePaymentsResponse* answer) {
  YZ_RETURN_IF_ERROR(CheckOnce("names", {request.names().begin(), request.names().end()}));
  std::vector<Named> named;
  for (const std::string& name : request.names()) named.push_back({context, name});
  YZ_ASSIGN_OR_RETURN(const auto standings, StandingsOf(named, context.deadline));
  YZ_RETURN_IF_ERROR(
      journal_.Write(context, request, answer, [&](journal::Unit& unit) {
        std::vector<v1::Payment*> answers;
        for (size_t i = 0; i < named.size(); ++i) answers.push_back(answer->add_payments());
        return ChangeAll(named, std::vector(named.size(), &unit), "BatchAuthorizePayments", answers,
                         [&](size_t i, journal::Unit& own, Order& order) {
                           return Authorize(context, own, order, standings[i]);
                         });
      }));
  for (const v1::Payment& payment : answer->payments()) Instructed(payment);
  return absl::OkStatus();
}

absl::Status Handlers::RequestFinance(
    const rpc::AskedList<v1::RequestFinanceRequest, v1::Payment>& asked) {
  YZ_ASSIGN_OR_RETURN(const auto standings,
                      StandingsOf(rpc::NamesOf(asked), rpc::LastDeadline(asked)));
  return ChangePayments(
      asked, "RequestFinance", [&](size_t i, journal::Unit& unit, Order& order) -> absl::Status {
        YZ_RETURN_IF_ERROR(Decide(unit, order.rules, order.award, standings[i], &order.record));
        order.record.mutable_payment()->mutable_codes()->MergeFrom(asked[i].request.codes());
        order.record.mutable_payment()->clear_reason();
        order.to = v1::PAYMENT_STATE_REQUESTED;
        return absl::OkStatus();
      });
}

absl::Status Handlers::RecordFinanceAnswer(
    const rpc::AskedList<v1::RecordFinanceAnswerRequest, v1::Payment>& asked) {
  std::vector<Named> accepted;
  for (const auto& each : asked) {
    if (each.request.accepted()) {
      accepted.push_back({each.context, each.request.name()});
    } else if (each.request.reason().empty()) {
      return errors::InvalidField("reason", "退回时须说明原因", "must be given for a return");
    }
  }
  std::map<std::string, rules::v1::StandingFacts> standings;  // by name
  if (!accepted.empty()) {
    YZ_ASSIGN_OR_RETURN(auto found, StandingsOf(accepted, rpc::LastDeadline(asked)));
    for (size_t i = 0; i < found.size(); ++i) standings[accepted[i].name] = std::move(found[i]);
  }
  return ChangePayments(
      asked, "RecordFinanceAnswer",
      [&](size_t i, journal::Unit& unit, Order& order) -> absl::Status {
        const v1::RecordFinanceAnswerRequest& request = asked[i].request;
        if (!request.accepted()) {
          order.record.mutable_payment()->set_reason(request.reason());
          order.to = v1::PAYMENT_STATE_FINANCE_RETURNED;
          return absl::OkStatus();
        }
        // Weeks may have passed since it was authorized: the money goes out now.
        YZ_RETURN_IF_ERROR(
            Decide(unit, order.rules, order.award, standings.at(request.name()), &order.record));
        if (!request.payment_voucher().empty()) {
          order.record.mutable_payment()->mutable_codes()->set_payment_voucher(
              request.payment_voucher());
        }
        Instruct(unit, order);
        return absl::OkStatus();
      });
}

absl::Status Handlers::ResendPayment(Context& context, const v1::ResendPaymentRequest& request,
                                     v1::Payment* answer) {
  if (request.has_payee() && !rules::IsAccountNumber(request.payee().number())) {
    return errors::InvalidField("payee.number", "账号应为8至32位数字", "must be 8 to 32 digits");
  }
  YZ_ASSIGN_OR_RETURN(const v1::PaymentRecord seen, SeenPayment(context, request.name()));
  YZ_ASSIGN_OR_RETURN(const auto standings,
                      AskStandings(peers_.registry, context, {seen.payment().station()}));
  // The bank's last word on the transfer before: one that settled after all must not be followed
  // by another.
  bool money_is_back = true;
  if (PaymentTransitions().Allows(seen.payment().state(), v1::PAYMENT_STATE_INSTRUCTED,
                                  "ResendPayment")) {
    YZ_ASSIGN_OR_RETURN(money_is_back, MoneyIsBack(peers_.bank, seen.payment().transfer_id(),
                                                   rpc::CallOptions::Within(context)));
  }
  return ChangePayment(
      context, request, request.name(), "ResendPayment", answer,
      [&](journal::Unit& unit, Order& order) -> absl::Status {
        v1::Payment& payment = *order.record.mutable_payment();
        YZ_RETURN_IF_ERROR(CheckNoIncident(payment));
        if (payment.transfer_id() != seen.payment().transfer_id()) return errors::Conflict();
        if (!money_is_back) {
          payment.set_incident("转账曾报失败，银行现称已付款或处理中");
          return CheckNoIncident(payment);
        }
        if (request.has_payee()) {
          *payment.mutable_payee() = request.payee();
          if (payment.payee().other_holder().confirmed())
            payment.mutable_payee()->mutable_other_holder()->set_officer(context.caller.subject);
          common::v1::Confirmation decision;
          decision.set_confirmed(true);
          decision.set_reason(request.reason());
          SetDecision(decision, context, &order.record);
          store_.InsertAccountDecision(unit.sql(), payment, AccountSource::kCorrected,
                                       context.caller.subject, order.rules.today,
                                       unit.entry_key());
        }
        payment.set_authorized_by(context.caller.subject);
        YZ_RETURN_IF_ERROR(DoAct(order.rules, order.award, context, Act::ACT_PAY, &order.record));
        YZ_RETURN_IF_ERROR(
            Decide(unit, order.rules, order.award, standings.front(), &order.record));
        Instruct(unit, order);
        return absl::OkStatus();
      });
}

void Handlers::Instruct(journal::Unit& unit, Order& order) const {
  v1::Payment& payment = *order.record.mutable_payment();
  payment.set_attempts(payment.attempts() + 1);
  payment.set_transfer_id(TransferId(payment.name(), payment.attempts()));
  payment.clear_bank_reference();
  payment.clear_settled_on();
  payment.clear_reason();
  payment.clear_statement_line();
  payment.clear_statement_explanation();
  payment.clear_incident_resolution();
  const absl::Time not_after =
      absl::FromUnixMillis(absl::ToUnixMillis(journal_.clocks().wall() + kTransferLife));
  *payment.mutable_not_after() = ToProto(not_after);
  store_.InsertTransfer(unit.sql(), payment, order.rules.today, false, unit.entry_key());
  order.to = v1::PAYMENT_STATE_INSTRUCTED;
  order.movement = payment.state() == v1::PAYMENT_STATE_BANK_RETURNED ? Movement::kResend
                                                                      : Movement::kInstruct;
}

}  // namespace yuezhan::payment
