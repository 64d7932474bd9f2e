#ifndef YUEZHAN_SERVICES_PAYMENT_OUTCOME_H_
#define YUEZHAN_SERVICES_PAYMENT_OUTCOME_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/base/dates.h"
#include "services/payment/advance.h"

namespace yuezhan::payment {

// What became of a payment's current transfer.
struct Outcome {
  v1::PaymentState state = v1::PAYMENT_STATE_UNSPECIFIED;
  std::string bank_reference;  // "": as before
  std::string reason;
  std::optional<Day> day;  // of value; absent: today
  // The transfer was not known until now: the money goes through transit by this too.
  bool adopted = false;
};

// Whether an outcome changes a payment in state `from`.
bool Changes(v1::PaymentState from, const Outcome& outcome);

// Enters it: payment, award, followers, and last the money. `method`: by whose word, as the tables
// of transitions name it. Only where it Changes the payment's state.
absl::Status EnterOutcome(const Store& store, journal::Unit& unit, std::string_view method,
                          const Outcome& outcome, LockedOrder* order);

// Marks that the bank contradicts itself: nothing of this payment moves until it is resolved.
absl::Status EnterIncident(const Store& store, journal::Unit& unit, std::string_view incident,
                           v1::PaymentRecord* record);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_OUTCOME_H_
