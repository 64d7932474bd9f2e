#ifndef YUEZHAN_SERVICES_PAYMENT_STATEMENT_READER_H_
#define YUEZHAN_SERVICES_PAYMENT_STATEMENT_READER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/dates.h"
#include "yuezhan/payment/v1/reconciliation.pb.h"

namespace yuezhan::payment {

// One movement on the fund's account, as a bank's statement has it.
struct StatementRow {
  int number = 0;  // of the line in the file, from 1
  Day day;
  bool outgoing = false;
  int64_t fen = 0;
  std::string bank_reference;
  std::string counterparty;
  std::string account;
  std::string purpose;
  std::string transfer_id;  // lower-case hex; "": the statement does not have it
};

// Most lines of one statement: a city's year is far below.
inline constexpr int kMaxStatementLines = 5000;

// Reads a statement of that format. INVALID_ARGUMENT naming line and reason; nothing of it counts
// then. A new format (ISO 20022 camt.053) is a new reader in the table of statement_reader.cc.
absl::StatusOr<std::vector<StatementRow>> ReadStatement(v1::StatementFormat format,
                                                        std::string_view content);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_STATEMENT_READER_H_
