#ifndef YUEZHAN_SERVICES_PAYMENT_TRANSITIONS_H_
#define YUEZHAN_SERVICES_PAYMENT_TRANSITIONS_H_

#include "common/host/transitions.h"
#include "yuezhan/payment/v1/payment.pb.h"

namespace yuezhan::payment {

// The states of an award in payment and what leads from one to another. "event:CaseAdvanced" is
// review's word, "timer:transfers" the bank's, "timer:statements" that of its statements,
// "timer:reserve" money that came free.
inline const Transitions& AwardTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(
      AwardState_descriptor(),
      {
          {0, AWARD_STATE_RESERVED, "event:CaseAdvanced"},
          {0, AWARD_STATE_WAITING, "event:CaseAdvanced"},
          {AWARD_STATE_RELEASED, AWARD_STATE_RESERVED, "event:CaseAdvanced"},
          {AWARD_STATE_RELEASED, AWARD_STATE_WAITING, "event:CaseAdvanced"},
          {AWARD_STATE_WAITING, AWARD_STATE_RESERVED, "AllocateFund"},
          {AWARD_STATE_WAITING, AWARD_STATE_CLEARED, "AllocateFund"},
          {AWARD_STATE_WAITING, AWARD_STATE_RESERVED, "timer:reserve"},
          {AWARD_STATE_WAITING, AWARD_STATE_CLEARED, "timer:reserve"},
          {AWARD_STATE_RESERVED, AWARD_STATE_CLEARED, "event:CaseAdvanced"},
          {AWARD_STATE_CLEARED, AWARD_STATE_ORDERED, "PreparePayment"},
          {AWARD_STATE_ORDERED, AWARD_STATE_CLEARED, "StopPayment"},
          {AWARD_STATE_ORDERED, AWARD_STATE_PAID, "timer:transfers"},
          {AWARD_STATE_PAID, AWARD_STATE_ORDERED, "timer:transfers"},
          {AWARD_STATE_ORDERED, AWARD_STATE_PAID, "timer:statements"},
          {AWARD_STATE_PAID, AWARD_STATE_ORDERED, "timer:statements"},
          {AWARD_STATE_ORDERED, AWARD_STATE_PAID, "ResolveIncident"},
          {AWARD_STATE_PAID, AWARD_STATE_ORDERED, "ResolveIncident"},
          {AWARD_STATE_WAITING, AWARD_STATE_RESERVED, "CarryOverFund"},
          {AWARD_STATE_WAITING, AWARD_STATE_CLEARED, "CarryOverFund"},
          {AWARD_STATE_CLEARED, AWARD_STATE_ORDERED, "BatchPreparePayments"},
          {AWARD_STATE_WAITING, AWARD_STATE_RELEASED, "event:CaseAdvanced"},
          {AWARD_STATE_RESERVED, AWARD_STATE_RELEASED, "event:CaseAdvanced"},
          {AWARD_STATE_CLEARED, AWARD_STATE_RELEASED, "event:CaseAdvanced"},
          {AWARD_STATE_ORDERED, AWARD_STATE_RELEASED, "event:CaseAdvanced"},
      });
  return transitions;
}

// The states of a payment (article 5.4). Nothing leaves UNKNOWN but the bank's own word, or its
// statement's. What a statement shows as paid is paid, however far payment thought it was: a
// restore may have forgotten that it went out.
inline const Transitions& PaymentTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(
      PaymentState_descriptor(),
      {
          {0, PAYMENT_STATE_PREPARED, "PreparePayment"},
          {PAYMENT_STATE_PREPARED, PAYMENT_STATE_AUTHORIZED, "AuthorizePayment"},
          {PAYMENT_STATE_PREPARED, PAYMENT_STATE_INSTRUCTED, "AuthorizePayment"},
          {PAYMENT_STATE_AUTHORIZED, PAYMENT_STATE_REQUESTED, "RequestFinance"},
          {PAYMENT_STATE_FINANCE_RETURNED, PAYMENT_STATE_REQUESTED, "RequestFinance"},
          {PAYMENT_STATE_REQUESTED, PAYMENT_STATE_INSTRUCTED, "RecordFinanceAnswer"},
          {PAYMENT_STATE_REQUESTED, PAYMENT_STATE_FINANCE_RETURNED, "RecordFinanceAnswer"},
          {PAYMENT_STATE_INSTRUCTED, PAYMENT_STATE_UNKNOWN, "timer:transfers"},
          {PAYMENT_STATE_INSTRUCTED, PAYMENT_STATE_SETTLED, "timer:transfers"},
          {PAYMENT_STATE_INSTRUCTED, PAYMENT_STATE_FAILED, "timer:transfers"},
          {PAYMENT_STATE_INSTRUCTED, PAYMENT_STATE_BANK_RETURNED, "timer:transfers"},
          {PAYMENT_STATE_UNKNOWN, PAYMENT_STATE_SETTLED, "timer:transfers"},
          {PAYMENT_STATE_UNKNOWN, PAYMENT_STATE_FAILED, "timer:transfers"},
          {PAYMENT_STATE_UNKNOWN, PAYMENT_STATE_BANK_RETURNED, "timer:transfers"},
          {PAYMENT_STATE_SETTLED, PAYMENT_STATE_BANK_RETURNED, "timer:transfers"},
          {PAYMENT_STATE_PREPARED, PAYMENT_STATE_SETTLED, "timer:statements"},
          {PAYMENT_STATE_AUTHORIZED, PAYMENT_STATE_SETTLED, "timer:statements"},
          {PAYMENT_STATE_REQUESTED, PAYMENT_STATE_SETTLED, "timer:statements"},
          {PAYMENT_STATE_FINANCE_RETURNED, PAYMENT_STATE_SETTLED, "timer:statements"},
          {PAYMENT_STATE_INSTRUCTED, PAYMENT_STATE_SETTLED, "timer:statements"},
          {PAYMENT_STATE_UNKNOWN, PAYMENT_STATE_SETTLED, "timer:statements"},
          {PAYMENT_STATE_FAILED, PAYMENT_STATE_SETTLED, "timer:statements"},
          {PAYMENT_STATE_BANK_RETURNED, PAYMENT_STATE_SETTLED, "timer:statements"},
          {PAYMENT_STATE_INSTRUCTED, PAYMENT_STATE_BANK_RETURNED, "timer:statements"},
          {PAYMENT_STATE_UNKNOWN, PAYMENT_STATE_BANK_RETURNED, "timer:statements"},
          {PAYMENT_STATE_SETTLED, PAYMENT_STATE_BANK_RETURNED, "timer:statements"},
          {PAYMENT_STATE_FAILED, PAYMENT_STATE_SETTLED, "ResolveIncident"},
          {PAYMENT_STATE_FAILED, PAYMENT_STATE_FAILED, "ResolveIncident"},
          {PAYMENT_STATE_SETTLED, PAYMENT_STATE_SETTLED, "ResolveIncident"},
          {PAYMENT_STATE_SETTLED, PAYMENT_STATE_FAILED, "ResolveIncident"},
          {PAYMENT_STATE_UNKNOWN, PAYMENT_STATE_SETTLED, "ResolveIncident"},
          {PAYMENT_STATE_UNKNOWN, PAYMENT_STATE_FAILED, "ResolveIncident"},
          {PAYMENT_STATE_FAILED, PAYMENT_STATE_INSTRUCTED, "ResendPayment"},
          {PAYMENT_STATE_BANK_RETURNED, PAYMENT_STATE_INSTRUCTED, "ResendPayment"},
          {PAYMENT_STATE_SETTLED, PAYMENT_STATE_SETTLED, "RecordReceipt"},
          {PAYMENT_STATE_SETTLED, PAYMENT_STATE_SETTLED, "OrderRecovery"},
          {PAYMENT_STATE_SETTLED, PAYMENT_STATE_SETTLED, "BookRecovery"},
          {0, PAYMENT_STATE_PREPARED, "BatchPreparePayments"},
          {PAYMENT_STATE_PREPARED, PAYMENT_STATE_AUTHORIZED, "BatchAuthorizePayments"},
          {PAYMENT_STATE_PREPARED, PAYMENT_STATE_INSTRUCTED, "BatchAuthorizePayments"},
          {PAYMENT_STATE_PREPARED, PAYMENT_STATE_STOPPED, "StopPayment"},
          {PAYMENT_STATE_AUTHORIZED, PAYMENT_STATE_STOPPED, "StopPayment"},
          {PAYMENT_STATE_REQUESTED, PAYMENT_STATE_STOPPED, "StopPayment"},
          {PAYMENT_STATE_FINANCE_RETURNED, PAYMENT_STATE_STOPPED, "StopPayment"},
          {PAYMENT_STATE_FAILED, PAYMENT_STATE_STOPPED, "StopPayment"},
          {PAYMENT_STATE_BANK_RETURNED, PAYMENT_STATE_STOPPED, "StopPayment"},
          {PAYMENT_STATE_PREPARED, PAYMENT_STATE_STOPPED, "event:CaseAdvanced"},
          {PAYMENT_STATE_AUTHORIZED, PAYMENT_STATE_STOPPED, "event:CaseAdvanced"},
          {PAYMENT_STATE_REQUESTED, PAYMENT_STATE_STOPPED, "event:CaseAdvanced"},
          {PAYMENT_STATE_FINANCE_RETURNED, PAYMENT_STATE_STOPPED, "event:CaseAdvanced"},
          {PAYMENT_STATE_FAILED, PAYMENT_STATE_STOPPED, "event:CaseAdvanced"},
          {PAYMENT_STATE_BANK_RETURNED, PAYMENT_STATE_STOPPED, "event:CaseAdvanced"},
      });
  return transitions;
}

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_TRANSITIONS_H_
