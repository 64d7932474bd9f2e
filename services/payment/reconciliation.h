#ifndef YUEZHAN_SERVICES_PAYMENT_RECONCILIATION_H_
#define YUEZHAN_SERVICES_PAYMENT_RECONCILIATION_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/context.h"
#include "common/host/rulebook.h"
#include "common/journal/journal.h"
#include "services/payment/advance.h"
#include "services/payment/statement_reader.h"
#include "services/payment/store.h"
#include "services/payment/transfers.h"
#include "yuezhan/payment/v1/reconciliation.pb.h"

namespace yuezhan::rpc {
class Service;
}

namespace yuezhan::payment {

// The methods of ReconciliationService, said in reconciliation.proto, the entering of what the
// statements say, and the hold after a restore. reconciliation.cc reads and lists, matching.cc
// decides what a line is and enters it, hold.cc holds.
class Reconciliation {
 public:
  // `hold_file`: while it exists and says something new, a hold begins; "": none. `hold_least`: how
  // long after that a transfer that was forgotten may still be executed, so that only statements
  // imported later tell all.
  Reconciliation(journal::Journal& journal, const journal::Vault& vault, const Rulebook& rulebook,
                 std::string hold_file = "",
                 absl::Duration hold_least = kTransferLife + kClockTolerance)
      : journal_(journal),
        store_(vault),
        rulebook_(rulebook),
        hold_file_(std::move(hold_file)),
        hold_least_(hold_least) {}

  rpc::Service Methods();
  // A timer's step: enters matched lines into their payments.
  absl::StatusOr<absl::Duration> EnterStep();
  // Whether nothing may be sent. Begins the hold of a file that is new. An error holds too.
  absl::StatusOr<bool> Held();

  absl::Status ImportStatement(Context&, const v1::ImportStatementRequest&, v1::Statement*);
  absl::Status ListStatements(Context&, const v1::ListStatementsRequest&,
                              v1::ListStatementsResponse*);
  absl::Status ListStatementLines(Context&, const v1::ListStatementLinesRequest&,
                                  v1::ListStatementLinesResponse*);
  absl::Status ConfirmMatch(Context&, const v1::ConfirmMatchRequest&, v1::StatementLine*);
  absl::Status ExplainUnmatched(Context&, const v1::ExplainUnmatchedRequest&,
                                v1::ExplainUnmatchedResponse*);
  absl::Status GetHold(Context&, const v1::GetHoldRequest&, v1::Hold*);
  absl::Status EndHold(Context&, const v1::EndHoldRequest&, v1::Hold*);
  absl::Status ExportOrders(Context&, const v1::ExportOrdersRequest&, v1::ExportOrdersResponse*);

 private:
  // What the line is: state, payment, note.
  absl::Status Match(db::Session& sql, const StatementRow& row, v1::StatementLine* line) const;
  absl::Status MatchById(db::Session& sql, const StatementRow& row, v1::StatementLine* line) const;
  absl::Status Propose(db::Session& sql, const StatementRow& row, v1::StatementLine* line) const;
  absl::Status Enter(const std::string& line_id);
  absl::Status EnterOutgoing(journal::Unit& unit, const v1::StatementLine& line,
                             LockedOrder* order) const;
  absl::Status EnterIncoming(journal::Unit& unit, const v1::StatementLine& line,
                             LockedOrder* order) const;
  absl::Status Adopt(journal::Unit& unit, const v1::StatementLine& line, LockedOrder* order) const;
  absl::Status ExplainLine(Context& context, journal::Unit& unit, std::string_view name,
                           const std::string& reason) const;
  absl::Status ExplainPayment(Context& context, journal::Unit& unit, std::string_view name,
                              const std::string& reason) const;

  journal::Journal& journal_;
  const Store store_;
  const Rulebook& rulebook_;
  const std::string hold_file_;
  const absl::Duration hold_least_;
};

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_RECONCILIATION_H_
