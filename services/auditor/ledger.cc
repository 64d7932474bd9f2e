// The ledger, the funds, and what payment keeps of awards, orders and transfers.
//
// Numbers, as the contract and the schema define them. Accounts: 1 allocated, 2 free, 3 reserved,
// 4 in transit, 5 paid, 6 returned, 7 recovered. Awards: 2 reserved, 3 cleared, 4 ordered, 5 paid.
// Payments: 1 prepared, 2 authorized, 3 requested, 4 returned by finance, 5 instructed, 6 unknown,
// 7 settled, 8 failed, 9 sent back, 10 stopped.
#include "absl/strings/str_replace.h"
#include "services/auditor/audit.h"

namespace yuezhan::auditor {
namespace {

constexpr SqlCheck kLedgerChecks[] = {
    {"posting.twin",
     "SELECT LOWER(HEX(id)) FROM {p}.postings GROUP BY id HAVING COUNT(*) <> 2 OR SUM(amount) <> 0 "
     "OR MAX(amount) <= 0 OR MIN(side) <> 1 OR MAX(side) <> 2 OR MIN(fund) <> MAX(fund) OR "
     "MIN(movement) <> MAX(movement) OR MIN(entry) <> MAX(entry) OR MIN(day) <> MAX(day)"},
    {"posting.accounts",
     "SELECT LOWER(HEX(a.id)) FROM {p}.postings a JOIN {p}.postings b ON b.id = a.id AND b.side = "
     "2 WHERE a.side = 1 AND (a.movement, a.account, b.account) NOT IN ((1,1,2), (2,2,1), (3,2,3), "
     "(4,3,2), (5,3,4), (6,4,5), (7,4,3), (8,5,6), (9,4,6), (10,6,4), (11,6,3), (12,5,7), "
     "(13,3,5), (14,5,3), (15,2,1), (16,1,2))"},
    {"posting.journal",
     "SELECT LOWER(HEX(p.id)) FROM {p}.postings p LEFT JOIN {p}.journal j ON j.request_key = "
     "p.entry WHERE j.id IS NULL"},
    {"fund.balance",
     "SELECT LOWER(HEX(f.id)) FROM {p}.funds f LEFT JOIN {p}.postings p ON p.fund = f.id GROUP BY "
     "f.id, f.allocated, f.free, f.reserved, f.in_transit, f.paid, f.returned, f.recovered HAVING "
     "f.allocated <> -COALESCE(SUM(IF(p.account = 1, p.amount, 0)), 0) OR "
     "f.free <> COALESCE(SUM(IF(p.account = 2, p.amount, 0)), 0) OR "
     "f.reserved <> COALESCE(SUM(IF(p.account = 3, p.amount, 0)), 0) OR "
     "f.in_transit <> COALESCE(SUM(IF(p.account = 4, p.amount, 0)), 0) OR "
     "f.paid <> COALESCE(SUM(IF(p.account = 5, p.amount, 0)), 0) OR "
     "f.returned <> COALESCE(SUM(IF(p.account = 6, p.amount, 0)), 0) OR "
     "f.recovered <> COALESCE(SUM(IF(p.account = 7, p.amount, 0)), 0)"},
    {"fund.overspent",
     "SELECT LOWER(HEX(id)) FROM {p}.funds WHERE free < 0 OR reserved < 0 OR in_transit < 0 OR "
     "paid < 0 OR returned < 0 OR recovered < 0 OR allocated <> free + reserved + in_transit + "
     "paid + returned + recovered"},
    {"fund.reserved",
     "SELECT LOWER(HEX(f.id)) FROM {p}.funds f WHERE f.reserved <> (SELECT COALESCE(SUM(a.amount), "
     "0) FROM {p}.awards a LEFT JOIN {p}.payments o ON o.live_case = a.id WHERE a.fund = f.id AND "
     "(a.state IN (2, 3) OR (a.state = 4 AND o.state IN (1, 2, 3, 4, 8))))"},
    {"fund.states",
     "SELECT LOWER(HEX(f.id)) FROM {p}.funds f LEFT JOIN {p}.payments o ON o.fund = f.id GROUP BY "
     "f.id, f.in_transit, f.paid, f.returned, f.recovered HAVING "
     "f.in_transit <> COALESCE(SUM(IF(o.state IN (5, 6), o.amount, 0)), 0) OR "
     "f.paid + f.recovered <> COALESCE(SUM(IF(o.state = 7, o.amount, 0)), 0) OR "
     "f.returned <> COALESCE(SUM(IF(o.state = 9, o.amount, 0)), 0)"},
    {"award.order",
     "SELECT LOWER(HEX(a.id)) FROM {p}.awards a LEFT JOIN {p}.payments o ON o.live_case = a.id "
     "WHERE (a.state IN (4, 5) AND (o.id IS NULL OR o.amount <> a.amount OR o.fund <> a.fund)) OR "
     "(a.state = 5) <> (COALESCE(o.state, 0) = 7) OR (a.state IN (1, 2, 3, 6) AND o.id IS NOT "
     "NULL)"},
    {"payment.award",
     "SELECT LOWER(HEX(o.id)) FROM {p}.payments o LEFT JOIN {p}.awards a ON a.id = o.award WHERE "
     "a.id IS NULL OR (o.state < 10 AND a.amount <> o.amount)"},
    // What the postings of one payment say, against its state.
    {"payment.ledger",
     "SELECT LOWER(HEX(o.id)) FROM {p}.payments o LEFT JOIN {p}.postings p ON p.payment = o.id "
     "GROUP BY o.id, o.state, o.amount HAVING "
     "COALESCE(SUM(IF(p.account = 4, p.amount, 0)), 0) <> IF(o.state IN (5, 6), o.amount, 0) OR "
     "COALESCE(SUM(IF(p.account IN (5, 7), p.amount, 0)), 0) <> IF(o.state = 7, o.amount, 0) OR "
     "COALESCE(SUM(IF(p.account = 6, p.amount, 0)), 0) <> IF(o.state = 9, o.amount, 0)"},
    {"station.paid-twice",
     "SELECT LOWER(HEX(station)) FROM {p}.payments WHERE state = 7 GROUP BY station HAVING "
     "COUNT(*) > 1"},
    {"transfer.payment",
     "SELECT LOWER(HEX(t.id)) FROM {p}.transfers t LEFT JOIN {p}.payments o ON o.id = t.payment "
     "WHERE o.id IS NULL OR t.amount <> o.amount OR t.line_digest <> o.line_digest OR t.attempt < "
     "1"},
    {"transfer.posting",
     "SELECT LOWER(HEX(t.id)) FROM {p}.transfers t LEFT JOIN {p}.postings p ON p.entry = t.entry "
     "AND p.payment = t.payment AND p.side = 2 AND p.movement IN (5, 10) AND p.amount = t.amount "
     "WHERE p.id IS NULL"},
    {"posting.transfer",
     "SELECT LOWER(HEX(p.id)) FROM {p}.postings p LEFT JOIN {p}.transfers t ON t.entry = p.entry "
     "AND t.payment = p.payment AND t.amount = ABS(p.amount) WHERE p.movement IN (5, 10) AND t.id "
     "IS NULL"},
    {"payment.transfer",
     "SELECT LOWER(HEX(o.id)) FROM {p}.payments o LEFT JOIN {p}.transfers t ON t.id = o.transfer "
     "AND t.payment = o.id WHERE o.state BETWEEN 5 AND 9 AND t.id IS NULL"},
    // One found in a statement after a restore was authorized in a time that nobody remembers.
    {"transfer.two-officers",
     "SELECT LOWER(HEX(t.id)) FROM {p}.transfers t JOIN {p}.payments o ON o.id = t.payment WHERE "
     "t.adopted = 0 AND (o.prepared_by = '' OR t.authorized_by = '' OR o.prepared_by = "
     "t.authorized_by)"},
    {"transfer.adopted",
     "SELECT LOWER(HEX(t.id)) FROM {p}.transfers t LEFT JOIN {p}.statement_lines l ON l.transfer = "
     "t.id AND l.outgoing = 1 AND l.amount = t.amount WHERE t.adopted = 1 AND l.id IS NULL"},
    {"transfer.account",
     "SELECT LOWER(HEX(t.id)) FROM {p}.transfers t LEFT JOIN {p}.account_decisions d ON d.payment "
     "= t.payment AND d.account = t.account WHERE d.payment IS NULL"},
    {"payment.account",
     "SELECT LOWER(HEX(o.id)) FROM {p}.payments o LEFT JOIN {p}.account_decisions d ON d.payment = "
     "o.id AND d.account = o.payee WHERE d.payment IS NULL"},
    {"decision.journal",
     "SELECT LOWER(HEX(d.payment)) FROM {p}.account_decisions d LEFT JOIN {p}.journal j ON "
     "j.request_key = d.entry WHERE j.id IS NULL OR (d.source > 1 AND d.officer = '')"},
};

}  // namespace

std::string WithSchemas(const Evidence& evidence, std::string_view sql) {
  return absl::StrReplaceAll(std::string(sql),
                             {{"{p}", evidence.payment_schema}, {"{r}", evidence.review_schema}});
}

void RunChecks(const Evidence& evidence, const SqlCheck* checks, size_t count,
               std::vector<Fault>* faults) {
  for (size_t i = 0; i < count; ++i) {
    for (const db::Row& row : evidence.sql.QueryText(WithSchemas(evidence, checks[i].sql)))
      faults->push_back({std::string(checks[i].name), row.Text(0)});
  }
}

void AuditLedger(const Evidence& evidence, std::vector<Fault>* faults) {
  RunChecks(evidence, kLedgerChecks, std::size(kLedgerChecks), faults);
}

std::vector<Fault> Audit(const Evidence& evidence) {
  std::vector<Fault> faults;
  AuditLedger(evidence, &faults);
  if (!evidence.review_schema.empty()) AuditDecisions(evidence, &faults);
  if (evidence.bank != nullptr) AuditBankBooks(evidence, &faults);
  return faults;
}

}  // namespace yuezhan::auditor
