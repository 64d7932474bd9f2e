// What a statement's line is, and what it does to its payment.
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "services/payment/outcome.h"
#include "services/payment/reconciliation.h"
#include "services/payment/transfers.h"

namespace yuezhan::payment {
namespace {

constexpr std::string_view kByStatement = "timer:statements";
// Attempts of a payment that a restore may have forgotten.
constexpr int kForgottenAttempts = 20;
// A line is at most so many days after its transfer went out: weekends and holidays.
constexpr int kDaysUnderWay = 15;
// Lines of one round, and the wait between rounds.
constexpr int kLinesAtOnce = 100;
constexpr absl::Duration kEnterEvery = absl::Milliseconds(500);

void Unmatched(std::string_view note, v1::StatementLine* line) {
  line->set_state(v1::LINE_STATE_UNMATCHED);
  line->set_note(std::string(note));
}

// Whether a line that came without an id may be this payment's, by where it stands.
bool MayBe(const v1::Payment& payment, const StatementRow& row, std::optional<Day> sent) {
  if (row.outgoing ? !payment.statement_line().empty()
                   : payment.state() != v1::PAYMENT_STATE_SETTLED) {
    return false;
  }
  // Never sent as far as we know: forgotten by a restore.
  if (!sent) return row.outgoing;
  return row.day >= *sent && row.day <= *sent + kDaysUnderWay;
}

}  // namespace

absl::Status Reconciliation::Match(db::Session& sql, const StatementRow& row,
                                   v1::StatementLine* line) const {
  return row.transfer_id.empty() ? Propose(sql, row, line) : MatchById(sql, row, line);
}

absl::Status Reconciliation::MatchById(db::Session& sql, const StatementRow& row,
                                       v1::StatementLine* line) const {
  if (const auto known = store_.Transfer(sql, row.transfer_id)) {
    line->set_payment(Name("payments", known->payment));
    if (known->amount_fen != row.fen) {
      Unmatched("金额与该转账的指令不符", line);
    } else {
      line->set_state(v1::LINE_STATE_MATCHED);
    }
    return absl::OkStatus();
  }
  // Ids follow from the payment's name: one that went out after the backup is told by it.
  for (const std::string& id : store_.PaymentsTo(sql, store_.AccountKey(row.account), row.fen)) {
    YZ_ASSIGN_OR_RETURN(const auto record, store_.Payment(sql, id, false));
    if (!record) continue;
    const v1::Payment& payment = record->payment();
    for (int i = 1; i <= kForgottenAttempts; ++i) {
      if (TransferId(payment.name(), payment.attempts() + i) != row.transfer_id) continue;
      line->set_payment(payment.name());
      line->set_state(v1::LINE_STATE_MATCHED);
      return absl::OkStatus();
    }
  }
  return Propose(sql, row, line);
}

absl::Status Reconciliation::Propose(db::Session& sql, const StatementRow& row,
                                     v1::StatementLine* line) const {
  std::string only;
  int agree = 0;
  for (const std::string& id : store_.PaymentsTo(sql, store_.AccountKey(row.account), row.fen)) {
    YZ_ASSIGN_OR_RETURN(const auto record, store_.Payment(sql, id, false));
    if (!record) continue;
    const v1::Payment& payment = record->payment();
    std::optional<Day> sent;
    if (!payment.transfer_id().empty()) {
      const auto transfer = store_.Transfer(sql, payment.transfer_id());
      if (transfer) sent = transfer->day;
    }
    if (!MayBe(payment, row, sent)) continue;
    only = payment.name();
    ++agree;
  }
  if (agree == 1) {
    line->set_state(v1::LINE_STATE_PROPOSED);
    line->set_payment(only);
    line->set_note("金额、收款账户和日期与该笔拨付一致，请确认");
  } else {
    Unmatched(agree == 0 ? "没有金额、收款账户和日期一致的拨付" : "有多笔金额、收款账户一致的拨付",
              line);
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> Reconciliation::EnterStep() {
  std::vector<std::string> ids;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), WallNow() + absl::Seconds(10), [&](db::Session& sql) {
        ids = store_.LinesToEnter(sql, kLinesAtOnce);
        return absl::OkStatus();
      }));
  absl::Status first_error;
  // One that cannot be entered does not hold up those behind it.
  for (const std::string& id : ids) first_error.Update(Enter(id));
  if (!first_error.ok()) return first_error;
  return static_cast<int>(ids.size()) == kLinesAtOnce ? absl::ZeroDuration() : kEnterEvery;
}

absl::Status Reconciliation::Enter(const std::string& line_id) {
  return journal_.WriteInternal(
      "timer/statements", line_id, WallNow() + absl::Seconds(30),
      [&](journal::Unit& unit) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(const auto seen, store_.Line(unit.sql(), line_id, false));
        if (!seen) return errors::DataLoss(line_id);
        YZ_ASSIGN_OR_RETURN(const std::string payment_id,
                            IdOf("payments/*", seen->record.line().payment()));
        // As everywhere: award, payment, line.
        YZ_ASSIGN_OR_RETURN(auto order, LockOrder(store_, unit.sql(), payment_id));
        if (!order) return errors::DataLoss(seen->record.line().payment());
        YZ_ASSIGN_OR_RETURN(const auto stored, store_.Line(unit.sql(), line_id, true));
        const v1::StatementLine& line = stored->record.line();
        if (stored->entered || line.state() != v1::LINE_STATE_MATCHED) return absl::OkStatus();
        if (!store_.UpdateLine(unit.sql(), *stored, true)) return errors::Conflict();
        return line.outgoing() ? EnterOutgoing(unit, line, &*order)
                               : EnterIncoming(unit, line, &*order);
      });
}

absl::Status Reconciliation::EnterOutgoing(journal::Unit& unit, const v1::StatementLine& line,
                                           LockedOrder* order) const {
  v1::Payment& payment = *order->payment.mutable_payment();
  const bool open = store_.NetOnStatements(unit.sql(), line.transfer_id()) != 0;
  if (line.transfer_id() != payment.transfer_id()) {
    if (!store_.Transfer(unit.sql(), line.transfer_id())) return Adopt(unit, line, order);
    // An attempt that we took for failed or sent back, and another went out since.
    return open ? EnterIncident(store_, unit, "对账单显示此前的一笔转账也已付出", &order->payment)
                : absl::OkStatus();
  }
  payment.set_statement_line(line.name());
  const Outcome settled{v1::PAYMENT_STATE_SETTLED, line.bank_reference(), "",
                        DayFromProto(line.day()), false};
  if (payment.state() == v1::PAYMENT_STATE_FAILED && open)
    return EnterIncident(store_, unit, "转账曾报失败，对账单显示已付出", &order->payment);
  if (payment.state() == v1::PAYMENT_STATE_INSTRUCTED ||
      payment.state() == v1::PAYMENT_STATE_UNKNOWN) {
    return EnterOutcome(store_, unit, kByStatement, settled, order);
  }
  store_.UpdatePayment(unit.sql(), &order->payment);
  return absl::OkStatus();
}

absl::Status Reconciliation::Adopt(journal::Unit& unit, const v1::StatementLine& line,
                                   LockedOrder* order) const {
  v1::Payment& payment = *order->payment.mutable_payment();
  const Outcome paid{v1::PAYMENT_STATE_SETTLED, line.bank_reference(), "",
                     DayFromProto(line.day()), true};
  // Its attempt, where the id tells which; else the next.
  int attempt = 0;
  for (int i = 1; i <= kForgottenAttempts; ++i) {
    if (TransferId(payment.name(), payment.attempts() + i) == line.transfer_id())
      attempt = payment.attempts() + i;
  }
  const bool out = payment.state() == v1::PAYMENT_STATE_INSTRUCTED ||
                   payment.state() == v1::PAYMENT_STATE_UNKNOWN;
  if (!payment.incident().empty() || !Changes(payment.state(), paid) || (out && attempt == 0))
    return EnterIncident(store_, unit, "对账单显示另有一笔向同一收款人的付款", &order->payment);
  payment.set_attempts(attempt == 0 ? payment.attempts() + 1 : attempt);
  payment.set_transfer_id(line.transfer_id());
  payment.set_statement_line(line.name());
  *payment.mutable_not_after() = ToProto(journal_.clocks().wall());
  store_.InsertTransfer(unit.sql(), payment, *DayFromProto(line.day()), true, unit.entry_key());
  return EnterOutcome(store_, unit, kByStatement, paid, order);
}

absl::Status Reconciliation::EnterIncoming(journal::Unit& unit, const v1::StatementLine& line,
                                           LockedOrder* order) const {
  const v1::Payment& payment = order->payment.payment();
  const Outcome back{v1::PAYMENT_STATE_BANK_RETURNED, line.bank_reference(), "对账单显示已退回",
                     {}, false};
  // An attempt of the past, or known to be back.
  if (line.transfer_id() != payment.transfer_id() || !payment.incident().empty() ||
      !Changes(payment.state(), back)) {
    return absl::OkStatus();
  }
  if (payment.has_recovery())
    return EnterIncident(store_, unit, "追回期间银行又退回该笔转账", &order->payment);
  return EnterOutcome(store_, unit, kByStatement, back, order);
}

}  // namespace yuezhan::payment
