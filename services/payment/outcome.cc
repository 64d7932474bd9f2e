#include "services/payment/outcome.h"

#include <algorithm>
#include <array>

#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::payment {
namespace {

using v1::PaymentState;

// What an outcome does to the money.
struct Effect {
  PaymentState from;
  PaymentState to;
  bool adopted;
  std::array<std::optional<Movement>, 3> movements;
};
constexpr Effect kEffects[] = {
    {v1::PAYMENT_STATE_INSTRUCTED, v1::PAYMENT_STATE_UNKNOWN, false, {}},
    {v1::PAYMENT_STATE_INSTRUCTED, v1::PAYMENT_STATE_SETTLED, false, {Movement::kSettle}},
    {v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_SETTLED, false, {Movement::kSettle}},
    {v1::PAYMENT_STATE_INSTRUCTED, v1::PAYMENT_STATE_FAILED, false, {Movement::kFail}},
    {v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_FAILED, false, {Movement::kFail}},
    {v1::PAYMENT_STATE_INSTRUCTED,
     v1::PAYMENT_STATE_BANK_RETURNED,
     false,
     {Movement::kReturnAtOnce}},
    {v1::PAYMENT_STATE_UNKNOWN, v1::PAYMENT_STATE_BANK_RETURNED, false, {Movement::kReturnAtOnce}},
    {v1::PAYMENT_STATE_SETTLED, v1::PAYMENT_STATE_BANK_RETURNED, false, {Movement::kReturn}},
    // Contradictions, resolved by the statements.
    {v1::PAYMENT_STATE_FAILED, v1::PAYMENT_STATE_SETTLED, false, {Movement::kSettleLate}},
    {v1::PAYMENT_STATE_SETTLED, v1::PAYMENT_STATE_FAILED, false, {Movement::kUnsettle}},
    // Found in a statement, and forgotten here. A later attempt tells that the one under way had
    // failed: only then it went out.
    {v1::PAYMENT_STATE_INSTRUCTED,
     v1::PAYMENT_STATE_SETTLED,
     true,
     {Movement::kFail, Movement::kInstruct, Movement::kSettle}},
    {v1::PAYMENT_STATE_UNKNOWN,
     v1::PAYMENT_STATE_SETTLED,
     true,
     {Movement::kFail, Movement::kInstruct, Movement::kSettle}},
    {v1::PAYMENT_STATE_PREPARED,
     v1::PAYMENT_STATE_SETTLED,
     true,
     {Movement::kInstruct, Movement::kSettle}},
    {v1::PAYMENT_STATE_AUTHORIZED,
     v1::PAYMENT_STATE_SETTLED,
     true,
     {Movement::kInstruct, Movement::kSettle}},
    {v1::PAYMENT_STATE_REQUESTED,
     v1::PAYMENT_STATE_SETTLED,
     true,
     {Movement::kInstruct, Movement::kSettle}},
    {v1::PAYMENT_STATE_FINANCE_RETURNED,
     v1::PAYMENT_STATE_SETTLED,
     true,
     {Movement::kInstruct, Movement::kSettle}},
    {v1::PAYMENT_STATE_FAILED,
     v1::PAYMENT_STATE_SETTLED,
     true,
     {Movement::kInstruct, Movement::kSettle}},
    {v1::PAYMENT_STATE_BANK_RETURNED,
     v1::PAYMENT_STATE_SETTLED,
     true,
     {Movement::kResend, Movement::kSettle}},
};

const Effect* EffectOf(PaymentState from, PaymentState to, bool adopted) {
  for (const Effect& effect : kEffects) {
    if (effect.from == from && effect.to == to && effect.adopted == adopted) return &effect;
  }
  return nullptr;
}

}  // namespace

bool Changes(PaymentState from, const Outcome& outcome) {
  return EffectOf(from, outcome.state, outcome.adopted) != nullptr;
}

absl::Status EnterOutcome(const Store& store, journal::Unit& unit, std::string_view method,
                          const Outcome& outcome, LockedOrder* order) {
  v1::Payment& payment = *order->payment.mutable_payment();
  const Effect* effect = EffectOf(payment.state(), outcome.state, outcome.adopted);
  if (effect == nullptr) return errors::DataLoss(payment.name());
  payment.set_reason(outcome.reason);
  if (!outcome.bank_reference.empty()) payment.set_bank_reference(outcome.bank_reference);
  if (outcome.state == v1::PAYMENT_STATE_SETTLED) {
    // The day of value is the bank's, unless it says one that has not come.
    const Day today = BeijingDay(unit.Now());
    *payment.mutable_settled_on() = DayToProto(std::min(outcome.day.value_or(today), today));
  } else {
    payment.clear_settled_on();
  }
  const v1::Award award = order->award.award();
  const v1::AwardState paid = outcome.state == v1::PAYMENT_STATE_SETTLED ? v1::AWARD_STATE_PAID
                                                                         : v1::AWARD_STATE_ORDERED;
  if (award.state() != paid) {
    YZ_RETURN_IF_ERROR(AdvanceAward(store, unit, method, paid, &order->award));
  }
  YZ_RETURN_IF_ERROR(AdvancePayment(store, unit, method, outcome.state, &order->payment));
  for (const auto& movement : effect->movements) {
    if (!movement) continue;
    YZ_RETURN_IF_ERROR(MoveMoney(unit, *movement, award, payment.name()));
  }
  return absl::OkStatus();
}

absl::Status EnterIncident(const Store& store, journal::Unit& unit, std::string_view incident,
                           v1::PaymentRecord* record) {
  v1::Payment& payment = *record->mutable_payment();
  if (!payment.incident().empty()) return absl::OkStatus();
  payment.set_incident(std::string(incident));
  store.UpdatePayment(unit.sql(), record);
  v1::PaymentIncident event;
  event.set_payment(payment.name());
  event.set_transfer_id(payment.transfer_id());
  unit.Emit(event);
  Log(LogLevel::kError, "bank_contradicts_itself",
      {{"payment", payment.name()}, {"transfer", payment.transfer_id()}});
  return absl::OkStatus();
}

}  // namespace yuezhan::payment
