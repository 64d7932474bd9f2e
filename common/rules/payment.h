// Articles 5 and 5.4: clearance, payment, use of the money.
#ifndef YUEZHAN_COMMON_RULES_PAYMENT_H_
#define YUEZHAN_COMMON_RULES_PAYMENT_H_

#include "common/rules/rules.h"

namespace yuezhan::rules {

// Is this award cleared (no order in the facts), and may this order be requested, authorized and
// sent.
Findings CheckPayment(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                      const v1::PaymentFacts& facts, absl::CivilDay today);

// The last day on which the report on the use of the money, and the host's receipt, are in time.
absl::CivilDay UseReportDueOn(const policy::v1::Policy& policy, absl::CivilDay paid_on);
absl::CivilDay ReceiptDueOn(const policy::v1::Policy& policy, absl::CivilDay paid_on);
// Is the use of the money reported, in time, and mainly for the station.
Findings CheckUseOfMoney(const policy::v1::Policy& policy, const policy::Calendar& calendar,
                         const v1::UseOfMoneyFacts& facts, absl::CivilDay today);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_PAYMENT_H_
