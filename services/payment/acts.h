#ifndef YUEZHAN_SERVICES_PAYMENT_ACTS_H_
#define YUEZHAN_SERVICES_PAYMENT_ACTS_H_

#include "absl/status/status.h"
#include "common/base/context.h"
#include "common/host/rulebook.h"
#include "yuezhan/payment/v1/records.pb.h"

namespace yuezhan::payment {

// What a payment is judged by at `now`: the policy in force when its application was submitted.
absl::StatusOr<Rules> RulesOf(const Rulebook& rulebook, const google::type::Date& submitted_on,
                              absl::Time now);
absl::StatusOr<Rules> RulesOf(const Rulebook& rulebook, const v1::PaymentRecord& record,
                              absl::Time now);

// Enters that the caller did `act` on the order, where nothing that this person did in the case,
// in review or in payment, excludes it (the policy's matrix of incompatible acts).
absl::Status DoAct(const Rules& rules, const v1::AwardRecord& award, const Context& context,
                   common::v1::Act act, v1::PaymentRecord* order);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_ACTS_H_
