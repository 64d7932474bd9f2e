#ifndef YUEZHAN_SERVICES_PAYMENT_ADVANCE_H_
#define YUEZHAN_SERVICES_PAYMENT_ADVANCE_H_

#include <string_view>

#include "absl/status/status.h"
#include "common/journal/journal.h"
#include "services/payment/ledger.h"
#include "services/payment/store.h"

namespace yuezhan::payment {

// One step of an award or a payment, whoever brings it about: checked against the table of
// transitions, written with the next version, told to the followers. Rows are locked in one order
// everywhere: award, payment, fund.

// Writes the award in state `to`; a record without a version is a new row.
absl::Status AdvanceAward(const Store& store, journal::Unit& unit, std::string_view method,
                          v1::AwardState to, v1::AwardRecord* record);

// Writes the payment in state `to`. No event where the state stays.
absl::Status AdvancePayment(const Store& store, journal::Unit& unit, std::string_view method,
                            v1::PaymentState to, v1::PaymentRecord* record);
// The event of a payment that went from one state to another.
void EmitAdvanced(journal::Unit& unit, v1::PaymentState from, const v1::PaymentRecord& record);

// A payment and its award, both locked.
struct LockedOrder {
  v1::AwardRecord award;
  v1::PaymentRecord payment;
};
// Absent when there is none.
absl::StatusOr<std::optional<LockedOrder>> LockOrder(const Store& store, db::Session& sql,
                                                     std::string_view payment_id);

// A refusal by one rule of payment's own.
absl::Status Refuse(std::string_view rule_id, std::string_view zh, std::string_view en,
                    std::string_view subject);

// Moves the amount of an award, for a payment where there is one, at the end of the transaction: it
// fails if the fund does not have it where it must be.
absl::Status MoveMoney(journal::Unit& unit, Movement movement, const v1::Award& award,
                       std::string_view payment_name);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_ADVANCE_H_
