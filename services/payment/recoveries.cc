// Recovery (追回) of what was paid, and the end of incidents.
#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "services/payment/acts.h"
#include "services/payment/handlers.h"
#include "services/payment/outcome.h"
#include "services/payment/transitions.h"

namespace yuezhan::payment {
namespace {

using common::v1::Act;

absl::StatusOr<int64_t> PositiveFen(const google::type::Money& money) {
  const auto fen = FenOf(money);
  if (fen.ok() && *fen > 0) return *fen;
  return errors::InvalidField("amount", "须为大于零的人民币金额，精确到分",
                              "must be an amount of CNY above zero, in whole fen");
}

// What the statements say of the current transfer, against what the officer says.
absl::Status CheckOnStatements(const Store& store, db::Session& sql, const v1::Payment& payment,
                               bool paid) {
  const int64_t net = store.NetOnStatements(sql, payment.transfer_id());
  if (paid) {
    if (net == FenIn(payment.amount())) return absl::OkStatus();
    return Refuse("payment.statements-show-paid",
                  "已导入的对账单未显示该笔转账已付出且未退回，不能按已付款处理。"
                  "请导入对账单后再办理。",
                  "No imported statement shows the transfer as paid and not sent back.",
                  payment.name());
  }
  if (net != 0) {
    return Refuse("payment.statements-show-unpaid",
                  "已导入的对账单显示该笔转账已付出，不能按未付款处理。",
                  "An imported statement shows the transfer as paid.", payment.name());
  }
  // Sent back as the statements show; or never on them, though they reach past its last moment.
  const auto transfer = store.Transfer(sql, payment.transfer_id());
  const bool covered = transfer && store.Covered(sql, transfer->day) &&
                       store.Covered(sql, transfer->day + 1);
  if (covered || store.LineDay(sql, payment.transfer_id(), true)) return absl::OkStatus();
  return Refuse("payment.statements-reach",
                "已导入的对账单未覆盖该笔转账当日及次日，不能按未付款处理。请导入对账单后再办理。",
                "The imported statements do not cover the day of the transfer and the next.",
                payment.name());
}

}  // namespace

absl::Status Handlers::OrderRecovery(Context& context, const v1::OrderRecoveryRequest& request,
                                     v1::Payment* answer) {
  YZ_ASSIGN_OR_RETURN(const int64_t fen, PositiveFen(request.amount()));
  return ChangePayment(
      context, request, request.name(), "OrderRecovery", answer,
      [&](journal::Unit&, Order& order) -> absl::Status {
        v1::Payment& payment = *order.record.mutable_payment();
        YZ_RETURN_IF_ERROR(CheckNoIncident(payment));
        if (payment.has_recovery()) return errors::AlreadyExists("name", payment.name());
        if (fen > FenIn(payment.amount())) {
          return errors::InvalidField("amount", "追回金额不得超过已拨付金额",
                                      "must not be more than what was paid");
        }
        const auto due = DayFromProto(request.due_on());
        if (!due || *due < order.rules.today)
          return errors::InvalidField("due_on", "不得早于今日", "must not be before today");
        YZ_RETURN_IF_ERROR(
            DoAct(order.rules, order.award, context, Act::ACT_APPROVE, &order.record));
        v1::Recovery& recovery = *payment.mutable_recovery();
        *recovery.mutable_ordered() = MoneyOf(fen);
        *recovery.mutable_recovered() = MoneyOf(0);
        recovery.set_reason(request.reason());
        recovery.set_document(request.document());
        recovery.set_ordered_by(context.caller.subject);
        *recovery.mutable_ordered_on() = DayToProto(order.rules.today);
        *recovery.mutable_due_on() = request.due_on();
        order.to = v1::PAYMENT_STATE_SETTLED;
        return absl::OkStatus();
      });
}

absl::Status Handlers::BookRecovery(Context& context, const v1::BookRecoveryRequest& request,
                                    v1::Payment* answer) {
  YZ_ASSIGN_OR_RETURN(const int64_t fen, PositiveFen(request.amount()));
  return ChangePayment(
      context, request, request.name(), "BookRecovery", answer,
      [&](journal::Unit&, Order& order) -> absl::Status {
        v1::Payment& payment = *order.record.mutable_payment();
        YZ_RETURN_IF_ERROR(CheckNoIncident(payment));
        if (!payment.has_recovery()) {
          return Refuse("payment.recovery-ordered",
                        "尚未决定追回，不能登记追回款。请先作出追回决定。",
                        "No recovery is ordered: order it first.", payment.name());
        }
        v1::Recovery& recovery = *payment.mutable_recovery();
        const int64_t back = FenIn(recovery.recovered()) + fen;
        if (back > FenIn(recovery.ordered())) {
          return errors::InvalidField("amount", "超过尚未追回的金额",
                                      "must not be more than what is still to come back");
        }
        const auto day = DayFromProto(request.received_on());
        if (!day || *day > order.rules.today)
          return errors::InvalidField("received_on", "不得晚于今日", "must not be after today");
        YZ_RETURN_IF_ERROR(
            DoAct(order.rules, order.award, context, Act::ACT_KEEP_BOOKS, &order.record));
        *recovery.mutable_recovered() = MoneyOf(back);
        v1::RecoveryEntry& entry = *recovery.add_entries();
        *entry.mutable_amount() = MoneyOf(fen);
        *entry.mutable_received_on() = request.received_on();
        entry.set_reference(request.reference());
        entry.set_booked_by(context.caller.subject);
        order.to = v1::PAYMENT_STATE_SETTLED;
        order.movement = Movement::kRecover;
        order.fen = fen;
        return absl::OkStatus();
      });
}

absl::Status Handlers::ResolveIncident(Context& context, const v1::ResolveIncidentRequest& request,
                                       v1::Payment* answer) {
  constexpr std::string_view kMethod = "ResolveIncident";
  const bool paid = request.outcome() == v1::INCIDENT_OUTCOME_PAID;
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("payments/*", request.name()));
    YZ_ASSIGN_OR_RETURN(auto order, LockOrder(store_, unit.sql(), id));
    if (!order) return errors::NotFound(request.name());
    YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(rulebook_, order->payment, unit.Now()));
    v1::Payment& payment = *order->payment.mutable_payment();
    const v1::PaymentState to = paid ? v1::PAYMENT_STATE_SETTLED : v1::PAYMENT_STATE_FAILED;
    YZ_RETURN_IF_ERROR(
        PaymentTransitions().Check(request.name(), payment.state(), to, kMethod));
    if (payment.incident().empty()) {
      return Refuse("payment.incident", "该笔拨付没有待查清的矛盾。",
                    "There is no incident to be resolved.", payment.name());
    }
    if (!paid && payment.has_recovery()) {
      return Refuse("payment.recovery-ordered", "该笔拨付已决定追回，不能按未付款处理。",
                    "A recovery of this payment is ordered.", payment.name());
    }
    YZ_RETURN_IF_ERROR(CheckOnStatements(store_, unit.sql(), payment, paid));
    YZ_RETURN_IF_ERROR(
        DoAct(rules, order->award, context, Act::ACT_KEEP_BOOKS, &order->payment));
    payment.clear_incident();
    payment.mutable_incident_resolution()->set_confirmed(true);
    payment.mutable_incident_resolution()->set_reason(request.reason());
    payment.mutable_incident_resolution()->set_officer(context.caller.subject);
    if (payment.state() == to) {
      YZ_RETURN_IF_ERROR(AdvancePayment(store_, unit, kMethod, to, &order->payment));
    } else {
      const Outcome outcome{to, "", request.reason(),
                            store_.LineDay(unit.sql(), payment.transfer_id(), true), false};
      YZ_RETURN_IF_ERROR(EnterOutcome(store_, unit, kMethod, outcome, &*order));
    }
    *answer = order->payment.payment();
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::payment
