// Reads and lists statements, takes officers' decisions on their lines, lists orders for the bank.
#include "services/payment/reconciliation.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/handlers.h"
#include "common/rpc/page_token.h"
#include "services/payment/acts.h"
#include "services/payment/transfers.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::payment {
namespace {

std::string LineName(const std::string& statement, const std::string& id) {
  return Concat({statement, "/lines/", id});
}
std::string LastId(std::string_view name) {
  return std::string(name.substr(name.rfind('/') + 1));
}

// What makes a line the same line in whichever file it comes. Without a reference of the bank's,
// two alike in one file are two: `nth` tells them apart.
std::string ContentKey(const StatementRow& row, int nth) {
  return Digest({FormatDay(row.day), row.outgoing ? "out" : "in", std::to_string(row.fen),
                 row.bank_reference, row.account, row.transfer_id,
                 row.bank_reference.empty() ? std::to_string(nth) : ""});
}

v1::StatementLine LineOf(const StatementRow& row, const std::string& statement) {
  v1::StatementLine line;
  line.set_name(LineName(statement, NewUuid()));
  line.set_outgoing(row.outgoing);
  *line.mutable_amount() = MoneyOf(row.fen);
  *line.mutable_day() = DayToProto(row.day);
  line.set_bank_reference(row.bank_reference);
  line.set_counterparty(row.counterparty);
  line.set_counterparty_account(row.account);
  line.set_purpose(row.purpose);
  line.set_transfer_id(row.transfer_id);
  return line;
}

void Decide(const Context& context, const std::string& reason, v1::StatementLine* line) {
  line->mutable_decision()->set_confirmed(true);
  line->mutable_decision()->set_reason(reason);
  line->mutable_decision()->set_officer(context.caller.subject);
}

bool IsOpen(const v1::StatementLine& line) {
  return line.state() == v1::LINE_STATE_PROPOSED || line.state() == v1::LINE_STATE_UNMATCHED;
}

absl::Status NotOpen(const v1::StatementLine& line) {
  return errors::StateForbids(line.name(), v1::LineState_Name(line.state()).substr(11),
                              {"PROPOSED", "UNMATCHED"}, "");
}

}  // namespace

rpc::Service Reconciliation::Methods() {
  rpc::Service service("yuezhan.payment.v1.ReconciliationService");
  service.Add("ImportStatement", &Reconciliation::ImportStatement, this)
      .Add("ListStatements", &Reconciliation::ListStatements, this)
      .Add("ListStatementLines", &Reconciliation::ListStatementLines, this)
      .Add("ConfirmMatch", &Reconciliation::ConfirmMatch, this)
      .Add("ExplainUnmatched", &Reconciliation::ExplainUnmatched, this)
      .Add("GetHold", &Reconciliation::GetHold, this)
      .Add("EndHold", &Reconciliation::EndHold, this)
      .Add("ExportOrders", &Reconciliation::ExportOrders, this);
  return service;
}

absl::Status Reconciliation::ImportStatement(Context& context,
                                             const v1::ImportStatementRequest& request,
                                             v1::Statement* answer) {
  const auto from = DayFromProto(request.from());
  const auto to = DayFromProto(request.to());
  if (!from || !to || *to < *from)
    return errors::InvalidField("to", "不得早于 from", "must not be before from");
  if (*to > BeijingDay(journal_.clocks().business->Now()))
    return errors::InvalidField("to", "不得晚于今日", "must not be after today");
  YZ_ASSIGN_OR_RETURN(const auto rows, ReadStatement(request.format(), request.content()));
  for (const StatementRow& row : rows) {
    if (row.day >= *from && row.day <= *to) continue;
    return errors::InvalidField(
        "content", absl::StrCat("第", row.number, "行：日期不在对账单期间内"),
        absl::StrCat("line ", row.number, ": its date is not between from and to"));
  }
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    answer->set_name(Name("statements", NewUuid()));
    answer->set_digest(ToHex(Sha256(request.content())));
    *answer->mutable_from() = request.from();
    *answer->mutable_to() = request.to();
    answer->set_imported_by(context.caller.subject);
    *answer->mutable_import_time() = ToProto(journal_.clocks().wall());
    std::map<std::string, int> seen;
    for (const StatementRow& row : rows) {
      answer->set_lines(answer->lines() + 1);
      const int nth = seen[ContentKey(row, 0)]++;
      const std::string key = ContentKey(row, nth);
      if (store_.HasLine(unit.sql(), key)) continue;
      v1::StatementLineRecord record;
      *record.mutable_line() = LineOf(row, answer->name());
      record.set_number(row.number);
      YZ_RETURN_IF_ERROR(Match(unit.sql(), row, record.mutable_line()));
      store_.InsertLine(unit.sql(), record, key);
      answer->set_new_lines(answer->new_lines() + 1);
      if (!IsOpen(record.line())) answer->set_matched(answer->matched() + 1);
    }
    answer->set_open(answer->new_lines() - answer->matched());
    store_.InsertStatement(unit.sql(), *answer, unit.entry_key());
    v1::StatementImported event;
    event.set_statement(answer->name());
    event.set_lines(answer->new_lines());
    event.set_unmatched(answer->open());
    unit.Emit(event);
    return absl::OkStatus();
  });
}

absl::Status Reconciliation::ListStatements(Context& context,
                                            const v1::ListStatementsRequest& request,
                                            v1::ListStatementsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    const auto statements = store_.Statements(sql, {after, size});
    answer->mutable_statements()->Assign(statements.begin(), statements.end());
    if (static_cast<int>(statements.size()) == size) {
      answer->set_next_page_token(
          rpc::MakePageToken(context.method, request, LastId(statements.back().name())));
    }
    return absl::OkStatus();
  });
}

absl::Status Reconciliation::ListStatementLines(Context& context,
                                                const v1::ListStatementLinesRequest& request,
                                                v1::ListStatementLinesResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const auto lines, store_.Lines(sql, request.state(), {after, size}));
    for (const StoredLine& stored : lines) *answer->add_lines() = stored.record.line();
    if (static_cast<int>(lines.size()) == size) {
      answer->set_next_page_token(rpc::MakePageToken(context.method, request,
                                                     LastId(lines.back().record.line().name())));
    }
    return absl::OkStatus();
  });
}

absl::Status Reconciliation::ConfirmMatch(Context& context, const v1::ConfirmMatchRequest& request,
                                          v1::StatementLine* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const std::string payment_id, IdOf("payments/*", request.payment()));
    YZ_ASSIGN_OR_RETURN(auto order, LockOrder(store_, unit.sql(), payment_id));
    YZ_ASSIGN_OR_RETURN(auto stored, store_.Line(unit.sql(), LastId(request.name()), true));
    if (!stored || stored->record.line().name() != request.name())
      return errors::NotFound(request.name());
    if (!order) return errors::NotFound(request.payment());
    YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(rulebook_, order->payment, unit.Now()));
    v1::StatementLine& line = *stored->record.mutable_line();
    if (!IsOpen(line)) return NotOpen(line);
    const v1::Payment& payment = order->payment.payment();
    if (FenIn(line.amount()) != FenIn(payment.amount())) {
      return Refuse("statement.amount", "对账单金额与拨付金额不一致，不能确认为该笔拨付。",
                    "The amounts differ: the line is not of this payment.", line.name());
    }
    if (store_.AccountKey(line.counterparty_account()) !=
        store_.AccountKey(payment.payee().number())) {
      return Refuse("statement.payee",
                    "对账单的对方账号与拨付的收款账号不一致，不能确认为该笔拨付。",
                    "The accounts differ: the line is not of this payment.", line.name());
    }
    YZ_RETURN_IF_ERROR(DoAct(rules, order->award, context, common::v1::ACT_KEEP_BOOKS,
                             &order->payment));
    store_.UpdatePayment(unit.sql(), &order->payment);
    if (line.transfer_id().empty()) {
      // Its current transfer; or one that payment forgot, whose id nobody knows any more.
      line.set_transfer_id(payment.transfer_id().empty()
                               ? ToHex(Digest({"statement line", line.name()}))
                               : payment.transfer_id());
    }
    line.set_payment(request.payment());
    line.set_state(v1::LINE_STATE_MATCHED);
    line.clear_note();
    Decide(context, request.reason(), &line);
    if (!store_.UpdateLine(unit.sql(), *stored, false)) return errors::Conflict();
    *answer = line;
    return absl::OkStatus();
  });
}

absl::Status Reconciliation::ExplainLine(Context& context, journal::Unit& unit,
                                         std::string_view name, const std::string& reason) const {
  YZ_ASSIGN_OR_RETURN(auto stored, store_.Line(unit.sql(), LastId(name), true));
  if (!stored || stored->record.line().name() != name) return errors::NotFound(name);
  v1::StatementLine& line = *stored->record.mutable_line();
  if (!IsOpen(line)) return NotOpen(line);
  line.set_state(v1::LINE_STATE_EXPLAINED);
  Decide(context, reason, &line);
  return store_.UpdateLine(unit.sql(), *stored, false) ? absl::OkStatus() : errors::Conflict();
}

absl::Status Reconciliation::ExplainPayment(Context& context, journal::Unit& unit,
                                            std::string_view name,
                                            const std::string& reason) const {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("payments/*", name));
  YZ_ASSIGN_OR_RETURN(auto order, LockOrder(store_, unit.sql(), id));
  if (!order) return errors::NotFound(name);
  YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(rulebook_, order->payment, unit.Now()));
  v1::Payment& payment = *order->payment.mutable_payment();
  if (payment.state() != v1::PAYMENT_STATE_SETTLED || !payment.statement_line().empty()) {
    return Refuse("statement.missing", "该笔拨付未付款，或对账单已有记录，无须说明。",
                  "The payment is not settled, or a statement shows it.", name);
  }
  YZ_RETURN_IF_ERROR(
      DoAct(rules, order->award, context, common::v1::ACT_KEEP_BOOKS, &order->payment));
  payment.set_statement_explanation(reason);
  store_.UpdatePayment(unit.sql(), &order->payment);
  return absl::OkStatus();
}

absl::Status Reconciliation::ExplainUnmatched(Context& context,
                                              const v1::ExplainUnmatchedRequest& request,
                                              v1::ExplainUnmatchedResponse* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) {
    return request.name().rfind("payments/", 0) == 0
               ? ExplainPayment(context, unit, request.name(), request.reason())
               : ExplainLine(context, unit, request.name(), request.reason());
  });
}

absl::Status Reconciliation::ExportOrders(Context& context, const v1::ExportOrdersRequest& request,
                                          v1::ExportOrdersResponse* answer) {
  std::string content = CsvLine(
      {"序号", "指令编号", "收款户名", "收款账号", "开户银行", "金额", "用途", "最迟执行时间"});
  int64_t total = 0;
  int orders = 0;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        for (const int state : {v1::PAYMENT_STATE_INSTRUCTED, v1::PAYMENT_STATE_UNKNOWN}) {
          YZ_ASSIGN_OR_RETURN(const auto records,
                              store_.Payments(sql, "", state, {"", kMaxStatementLines}));
          for (const auto& record : records) {
            const v1::Payment& payment = record.payment();
            total += FenIn(payment.amount());
            content += CsvLine({std::to_string(++orders), payment.transfer_id(),
                                payment.payee().holder(), payment.payee().number(),
                                payment.payee().bank(), FormatYuan(FenIn(payment.amount())),
                                TransferPurpose(record),
                                absl::FormatTime("%Y-%m-%d %H:%M:%S",
                                                 FromProto(payment.not_after()), Beijing())});
          }
        }
        return absl::OkStatus();
      }));
  if (request.gb18030()) {
    YZ_ASSIGN_OR_RETURN(content, Utf8ToGb18030(content));
  }
  answer->set_content(content);
  answer->set_orders(orders);
  *answer->mutable_total() = MoneyOf(total);
  return absl::OkStatus();
}

}  // namespace yuezhan::payment
