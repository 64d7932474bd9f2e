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

// The places of the names in their order, in which a batch locks: two that cross do not wait for
// each other. INVALID_ARGUMENT for a name that comes twice.
absl::StatusOr<std::vector<int>> OrderOf(
    std::string_view field, const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::vector<int> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return names[a] < names[b]; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (names[order[i - 1]] == names[order[i]])
      return errors::InvalidField(field, "同一项只能出现一次", "must name each only once");
  }
  return order;
}

}  // namespace

absl::StatusOr<rules::v1::StandingFacts> Handlers::StandingOf(Context& context,
                                                              std::string_view station) {
  YZ_ASSIGN_OR_RETURN(auto standings,
                      AskStandings(peers_.registry, context, {std::string(station)}));
  return std::move(standings.front());
}

absl::StatusOr<rules::v1::StandingFacts> Handlers::StandingOfPayment(const Context& context,
                                                                     const std::string& name) {
  YZ_ASSIGN_OR_RETURN(auto standings, StandingsOfPayments({{context, name}}, context.deadline));
  return std::move(standings.front().facts);
}

absl::StatusOr<std::vector<Handlers::Standing>> Handlers::StandingsOfPayments(
    const std::vector<Named>& named, absl::Time deadline) {
  std::vector<std::string> ids, stations;
  for (const Named& each : named) {
    YZ_ASSIGN_OR_RETURN(ids.emplace_back(), IdOf("payments/*", each.name));
  }
  std::map<std::string, v1::PaymentRecord> seen;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(seen, store_.PaymentsById(sql, ids, false));
    return absl::OkStatus();
  }));
  std::vector<Standing> standings;
  for (size_t i = 0; i < named.size(); ++i) {
    const auto found = seen.find(ids[i]);
    if (found == seen.end() ||
        !MaySee(named[i].context.caller, found->second.payment().host_unit())) {
      return errors::NotFound(named[i].name);
    }
    const v1::Payment& payment = found->second.payment();
    stations.push_back(payment.station());
    YZ_ASSIGN_OR_RETURN(std::string award, IdOf("cases/*", payment.case_name()));
    standings.push_back({ids[i], std::move(award), {}});
  }
  Context context = named.front().context;
  context.deadline = deadline;
  YZ_ASSIGN_OR_RETURN(auto facts, AskStandings(peers_.registry, context, stations));
  for (size_t i = 0; i < facts.size(); ++i) standings[i].facts = std::move(facts[i]);
  return standings;
}

absl::StatusOr<Handlers::Ground> Handlers::GroundOf(Context& context, std::string_view case_name) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", case_name));
  std::optional<v1::AwardRecord> seen;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(seen, store_.Award(sql, id, false));
        return absl::OkStatus();
      }));
  if (!seen) return errors::NotFound(case_name);
  Ground ground;
  ground.case_id = id;
  YZ_ASSIGN_OR_RETURN(ground.standing, StandingOf(context, seen->award().station()));
  application::v1::GetSubmissionRequest of_award;
  of_award.set_application(seen->award().application());
  of_award.set_number(seen->submission());
  application::v1::Submission submission;
  YZ_RETURN_IF_ERROR(
      peers_.application.Call("yuezhan.application.v1.ApplicationService/GetSubmission", of_award,
                              &submission, rpc::CallOptions::Within(context)));
  ground.submission = seen->submission();
  ground.account = submission.facts().form().account();
  ground.submitted_on = DayToProto(BeijingDay(FromProto(submission.submit_time())));
  return ground;
}

absl::StatusOr<v1::Payment> Handlers::Prepare(Context& context, journal::Unit& unit,
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

absl::Status Handlers::PreparePayment(Context& context, const v1::PreparePaymentRequest& request,
                                      v1::Payment* answer) {
  if (request.pay_registered_account() && !request.account_decision().confirmed()) {
    return errors::InvalidField("account_decision", "改付登记账户须有决定",
                                "must be given to pay the registered account");
  }
  YZ_ASSIGN_OR_RETURN(const Ground ground, GroundOf(context, request.case_name()));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(*answer, Prepare(context, unit, "PreparePayment", request, ground));
    return absl::OkStatus();
  });
}

absl::Status Handlers::BatchPreparePayments(Context& context,
                                            const v1::BatchPreparePaymentsRequest& request,
                                            v1::BatchPreparePaymentsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::vector<int> order, OrderOf("case_names", request.case_names()));
  std::vector<Ground> grounds;
  for (const std::string& name : request.case_names()) {
    YZ_ASSIGN_OR_RETURN(Ground ground, GroundOf(context, name));
    grounds.push_back(std::move(ground));
  }
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    for (int i = 0; i < request.case_names_size(); ++i) answer->add_payments();
    for (const int i : order) {
      v1::PreparePaymentRequest one;
      one.set_case_name(request.case_names(i));
      *one.mutable_codes() = request.codes();
      YZ_ASSIGN_OR_RETURN(*answer->mutable_payments(i),
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

absl::Status Handlers::AuthorizeAll(const std::vector<Named>& named,
                                    const std::vector<Standing>& standings,
                                    const std::vector<journal::Unit*>& units,
                                    std::string_view method,
                                    const std::vector<v1::Payment*>& answers) {
  std::map<std::string, std::string> award_ids;
  for (const Standing& standing : standings) award_ids[standing.payment_id] = standing.award_id;
  YZ_ASSIGN_OR_RETURN(auto orders, LockOrders(store_, units.front()->sql(), award_ids));
  std::vector<std::vector<Move>> moves(named.size());
  for (size_t i = 0; i < named.size(); ++i) {
    const Context& context = named[i].context;
    auto locked = orders.extract(standings[i].payment_id);
    if (locked.empty()) return errors::NotFound(named[i].name);
    YZ_ASSIGN_OR_RETURN(*answers[i],
                        ChangeLocked(
                            context, *units[i], std::move(locked.mapped()), method,
                            [&](journal::Unit& unit, Order& order) {
                              return Authorize(context, unit, order, standings[i].facts);
                            },
                            &moves[i]));
  }
  for (size_t i = 0; i < named.size(); ++i) YZ_RETURN_IF_ERROR(MoveAll(*units[i], moves[i]));
  return absl::OkStatus();
}

absl::Status Handlers::AuthorizePayment(
    const rpc::AskedList<v1::AuthorizePaymentRequest, v1::Payment>& asked) {
  std::vector<Named> named;
  std::vector<v1::Payment*> answers;
  for (const auto& each : asked) {
    named.push_back({each.context, each.request.name()});
    answers.push_back(each.answer);
  }
  YZ_ASSIGN_OR_RETURN(const auto standings, StandingsOfPayments(named, rpc::LastDeadline(asked)));
  YZ_RETURN_IF_ERROR(journal_.WriteAll(asked, [&](const auto& units) {
    return AuthorizeAll(named, standings, units, "AuthorizePayment", answers);
  }));
  for (const v1::Payment* payment : answers) Instructed(*payment);
  return absl::OkStatus();
}

absl::Status Handlers::BatchAuthorizePayments(Context& context,
                                              const v1::BatchAuthorizePaymentsRequest& request,
                                              v1::BatchAuthorizePaymentsResponse* answer) {
  YZ_RETURN_IF_ERROR(OrderOf("names", request.names()).status());
  std::vector<Named> named;
  for (const std::string& name : request.names()) named.push_back({context, name});
  YZ_ASSIGN_OR_RETURN(const auto standings, StandingsOfPayments(named, context.deadline));
  YZ_RETURN_IF_ERROR(
      journal_.Write(context, request, answer, [&](journal::Unit& unit) {
        std::vector<v1::Payment*> answers;
        for (size_t i = 0; i < named.size(); ++i) answers.push_back(answer->add_payments());
        return AuthorizeAll(named, standings, std::vector(named.size(), &unit),
                            "BatchAuthorizePayments", answers);
      }));
  for (const v1::Payment& payment : answer->payments()) Instructed(payment);
  return absl::OkStatus();
}

absl::Status Handlers::RequestFinance(Context& context, const v1::RequestFinanceRequest& request,
                                      v1::Payment* answer) {
  YZ_ASSIGN_OR_RETURN(const auto standing, StandingOfPayment(context, request.name()));
  return ChangePayment(
      context, request, request.name(), "RequestFinance", answer,
      [&](journal::Unit& unit, Order& order) -> absl::Status {
        YZ_RETURN_IF_ERROR(Decide(unit, order.rules, order.award, standing, &order.record));
        order.record.mutable_payment()->mutable_codes()->MergeFrom(request.codes());
        order.record.mutable_payment()->clear_reason();
        order.to = v1::PAYMENT_STATE_REQUESTED;
        return absl::OkStatus();
      });
}

absl::Status Handlers::RecordFinanceAnswer(Context& context,
                                           const v1::RecordFinanceAnswerRequest& request,
                                           v1::Payment* answer) {
  if (!request.accepted() && request.reason().empty())
    return errors::InvalidField("reason", "退回时须说明原因", "must be given for a return");
  rules::v1::StandingFacts standing;
  if (request.accepted()) {
    YZ_ASSIGN_OR_RETURN(standing, StandingOfPayment(context, request.name()));
  }
  return ChangePayment(
      context, request, request.name(), "RecordFinanceAnswer", answer,
      [&](journal::Unit& unit, Order& order) -> absl::Status {
        if (!request.accepted()) {
          order.record.mutable_payment()->set_reason(request.reason());
          order.to = v1::PAYMENT_STATE_FINANCE_RETURNED;
          return absl::OkStatus();
        }
        // Weeks may have passed since it was authorized: the money goes out now.
        YZ_RETURN_IF_ERROR(Decide(unit, order.rules, order.award, standing, &order.record));
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
  YZ_ASSIGN_OR_RETURN(const auto standing, StandingOf(context, seen.payment().station()));
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
        YZ_RETURN_IF_ERROR(Decide(unit, order.rules, order.award, standing, &order.record));
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
