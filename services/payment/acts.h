#ifndef YUEZHAN_SERVICES_PAYMENT_ACTS_H_
#define YUEZHAN_SERVICES_PAYMENT_ACTS_H_

#include "absl/status/status.h"
#include "common/base/context.h"
#include "common/host/rulebook.h"
#include "yuezhan/payment/v1/records.pb.h"

namespace yuezhan::payment {

// Enters that the caller did `act` on the order, where nothing that this person did in the case,
// in review or in payment, excludes it (the policy's matrix of incompatible acts).
absl::Status DoAct(const Rules& rules, const v1::AwardRecord& award, const Context& context,
                   common::v1::Act act, v1::PaymentRecord* order);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_ACTS_H_
