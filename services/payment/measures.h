#ifndef YUEZHAN_SERVICES_PAYMENT_MEASURES_H_
#define YUEZHAN_SERVICES_PAYMENT_MEASURES_H_

#include <vector>

#include "common/host/samples.h"
#include "yuezhan/payment/v1/payment.pb.h"

namespace yuezhan::payment {

// What the service's schema tells Prometheus.
inline std::vector<DatabaseMeasure> Measures() {
  using namespace v1;  // NOLINT
  return {
      CountByState("yuezhan_payments", "payments", PaymentState_descriptor()),
      CountByState("yuezhan_awards", "awards", AwardState_descriptor()),
      {"yuezhan_fund_allocated_fen", "Allocated to the fund.",
       "SELECT CONCAT(year, ' ', source), allocated FROM funds", "fund"},
      {"yuezhan_fund_free_fen", "Allocated to the fund and neither reserved nor paid.",
       "SELECT CONCAT(year, ' ', source), free FROM funds", "fund"},
      {"yuezhan_payment_incidents", "Payments of which the bank contradicts itself.",
       "SELECT COUNT(*) FROM payments WHERE incident = 1"},
      {"yuezhan_payment_on_hold", "1 while payment sends nothing after a restore.",
       "SELECT COUNT(*) FROM (SELECT 1 FROM holds WHERE ended IS NULL LIMIT 1) h"},
      {"yuezhan_statement_lines_open", "Lines of statements neither matched nor explained.",
       "SELECT COUNT(*) FROM statement_lines WHERE state IN (2, 3)"},
      {"yuezhan_payment_unknown_overdue_seconds",
       "How long ago the bank's time to execute the oldest undecided payment ended.",
       "SELECT CAST(COALESCE(GREATEST(0, MAX(? - t.not_after)) DIV 1000, 0) AS SIGNED) FROM "
       "payments p JOIN transfers t ON t.id = p.transfer WHERE p.state IN (5, 6)"},
  };
}

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_MEASURES_H_
