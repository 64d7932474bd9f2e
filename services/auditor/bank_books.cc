// The bank's own books against ours: every fen that it moved is one that we know of, and the other
// way round.
#include <map>
#include <set>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "common/base/csv.h"
#include "common/base/digest.h"
#include "services/auditor/audit.h"

namespace yuezhan::auditor {
namespace {

struct OurTransfer {
  std::string payment;
  int64_t fen = 0;
  std::string account;
};
struct OurPayment {
  int state = 0;
  int64_t fen = 0;
  std::string station;
};

int64_t FenIn(std::string text) {
  text = absl::StrReplaceAll(text, {{",", ""}, {".", ""}});
  int64_t fen = 0;
  return absl::SimpleAtoi(text, &fen) ? fen : 0;
}

}  // namespace

absl::StatusOr<std::vector<BankMove>> ReadBankStatement(std::string_view content) {
  const auto lines = ParseCsv(content);
  if (!lines.ok()) return lines.status();
  std::map<std::string, size_t> columns;
  std::vector<BankMove> moves;
  for (const auto& cells : *lines) {
    if (columns.empty()) {
      if (cells.size() < 6) continue;  // the title
      for (size_t i = 0; i < cells.size(); ++i) columns[cells[i]] = i;
      for (const char* needed : {"交易流水号", "客户流水号", "借方金额", "贷方金额", "对方账号"}) {
        if (columns.count(needed) == 0)
          return absl::InvalidArgumentError(std::string("no column ") + needed);
      }
      continue;
    }
    const auto cell = [&](const char* name) {
      const size_t at = columns.at(name);
      return at < cells.size() ? cells[at] : std::string();
    };
    const int64_t out = FenIn(cell("借方金额"));
    const int64_t in = FenIn(cell("贷方金额"));
    if (out == 0 && in == 0) continue;
    moves.push_back({cell("客户流水号"), cell("交易流水号"), cell("对方账号"), out > 0, out + in});
  }
  if (columns.empty()) return absl::InvalidArgumentError("no headers");
  return moves;
}

void AuditBankBooks(const Evidence& evidence, std::vector<Fault>* faults) {
  std::map<std::string, OurTransfer> transfers;
  for (const db::Row& row : evidence.sql.QueryText(WithSchemas(
           evidence, "SELECT id, payment, amount, account FROM {p}.transfers"))) {
    transfers[ToHex(row.Bytes(0))] = {row.Bytes(1), row.Int(2), row.Bytes(3)};
  }
  std::map<std::string, OurPayment> payments;
  for (const db::Row& row : evidence.sql.QueryText(
           WithSchemas(evidence, "SELECT id, state, amount, station FROM {p}.payments"))) {
    payments[row.Bytes(0)] = {static_cast<int>(row.Int(1)), row.Int(2), row.Bytes(3)};
  }

  // A movement that the bank tells twice is one: its reference says so.
  std::set<std::tuple<std::string, std::string, bool, int64_t>> seen;
  std::map<std::string, int64_t> of_payment, of_station;
  for (const BankMove& move : *evidence.bank) {
    if (!seen.emplace(move.transfer_id, move.reference, move.outgoing, move.fen).second) continue;
    const auto ours = transfers.find(move.transfer_id);
    if (ours == transfers.end()) {
      faults->push_back({"bank.unknown-transfer", move.transfer_id});
      continue;
    }
    if (ours->second.fen != move.fen) faults->push_back({"bank.amount", move.transfer_id});
    if (evidence.account_key && evidence.account_key(move.account) != ours->second.account)
      faults->push_back({"bank.account", move.transfer_id});
    const int64_t fen = move.outgoing ? move.fen : -move.fen;
    of_payment[ours->second.payment] += fen;
    of_station[payments[ours->second.payment].station] += fen;
  }
  std::map<std::string, int64_t> due;
  for (const auto& [id, payment] : payments) {
    const int64_t moved = of_payment.count(id) != 0 ? of_payment.at(id) : 0;
    const bool open = payment.state == 5 || payment.state == 6;
    const int64_t ours = payment.state == 7 ? payment.fen : 0;
    if (open ? (moved != 0 && moved != payment.fen) : moved != ours)
      faults->push_back({"bank.payment", ToHex(id)});
    due[payment.station] = std::max(due[payment.station], payment.fen);
  }
  for (const auto& [station, fen] : of_station) {
    if (fen > due[station]) faults->push_back({"bank.station-paid-twice", ToHex(station)});
  }
}

}  // namespace yuezhan::auditor
