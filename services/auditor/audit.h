// An audit of payment that shares no code with it: its own SQL over the schemas of payment and
// review, and the bank's own books. Reads, never writes.
//
// Account numbers stand nowhere in clear. What is compared is payment's key of them: of the account
// that was decided on, by the submission or by an officer; of the one that was ordered, that was
// sent, and that the bank paid. Whether the submission's account is the one that application keeps
// cannot be seen from outside: there it is sealed with application's own key.
#ifndef YUEZHAN_SERVICES_AUDITOR_AUDIT_H_
#define YUEZHAN_SERVICES_AUDITOR_AUDIT_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/db/session.h"

namespace yuezhan::auditor {

// A movement in the bank's books.
struct BankMove {
  std::string transfer_id;  // lower-case hex
  std::string reference;
  std::string account;
  bool outgoing = false;
  int64_t fen = 0;
};

// The movements of a statement as the bank hands it out (CSV, Chinese headers). INVALID_ARGUMENT
// when a column that is needed is not there.
absl::StatusOr<std::vector<BankMove>> ReadBankStatement(std::string_view content);

// What is audited.
struct Evidence {
  db::Session& sql;             // an account that may read both schemas
  std::string payment_schema;   // "yuezhan_payment"
  std::string review_schema;    // "yuezhan_review"; "": what review decided is not looked at
  const std::vector<BankMove>* bank = nullptr;  // null: the bank's books are not looked at
  // What an account number is found by; null: accounts in the bank's books are not compared.
  std::function<std::string(std::string_view number)> account_key = {};
};

// One thing that is not as it must be.
struct Fault {
  std::string check;  // "posting.twin"
  std::string what;   // the ids that it is about
};

// Everything that is wrong; nothing: all invariants hold.
std::vector<Fault> Audit(const Evidence& evidence);

// The parts of Audit: the ledger and what payment keeps (ledger.cc), what review decided
// (decisions.cc), the bank's books (bank_books.cc).
void AuditLedger(const Evidence& evidence, std::vector<Fault>* faults);
void AuditDecisions(const Evidence& evidence, std::vector<Fault>* faults);
void AuditBankBooks(const Evidence& evidence, std::vector<Fault>* faults);

// One check by one statement: every row that it returns is a fault, its first column tells which.
struct SqlCheck {
  std::string_view name;
  std::string_view sql;  // {p} and {r}: the schemas
};
void RunChecks(const Evidence& evidence, const SqlCheck* checks, size_t count,
               std::vector<Fault>* faults);
// A statement with its schemas filled in.
std::string WithSchemas(const Evidence& evidence, std::string_view sql);

}  // namespace yuezhan::auditor

#endif  // YUEZHAN_SERVICES_AUDITOR_AUDIT_H_
