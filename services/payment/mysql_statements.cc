// The store's statements, lines and holds.
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/host/sealed_message.h"
#include "services/payment/sql_ids.h"
#include "services/payment/store.h"

namespace yuezhan::payment {
namespace {

constexpr std::string_view kLineColumns =
    "SELECT id, version, entered, sealed, wrapped_key FROM statement_lines ";

std::string LinePlace(std::string_view id) { return Concat({"statement_lines|", id}); }

// What of a line stands in columns.
struct LineColumns {
  explicit LineColumns(const v1::StatementLine& line) {
    if (!line.transfer_id().empty()) transfer_bytes = FromHex(line.transfer_id()).value_or("");
    if (transfer_bytes.size() == kDigestBytes) transfer = db::Bytes(transfer_bytes);
    if (!line.payment().empty()) {
      payment_bytes = BinOf("payments/*", line.payment());
      payment = db::Bytes(payment_bytes);
    }
  }
  LineColumns(const LineColumns&) = delete;

  std::string transfer_bytes;
  std::string payment_bytes;
  std::optional<db::Bytes> transfer;
  std::optional<db::Bytes> payment;
};

std::string LineId(const v1::StatementLine& line) {
  return std::string(line.name().substr(line.name().rfind('/') + 1));
}

absl::StatusOr<StoredLine> Opened(const journal::Vault& vault, const db::Row& row) {
  StoredLine stored;
  YZ_ASSIGN_OR_RETURN(stored.record,
                      OpenMessage<v1::StatementLineRecord>(vault, LinePlace(Text(row.Bytes(0))),
                                                           row.Bytes(3), row.Bytes(4)));
  stored.version = row.Int(1);
  stored.entered = row.Int(2) != 0;
  return stored;
}

}  // namespace

bool Store::HasLine(db::Session& sql, std::string_view content_key) const {
  return !sql.Query("SELECT 1 FROM statement_lines WHERE content_key = ?", db::Bytes(content_key))
              .empty();
}

void Store::InsertStatement(db::Session& sql, const v1::Statement& statement,
                            std::string_view entry_key) const {
  sql.Execute(
      "INSERT INTO statements (id, digest, from_day, to_day, total, fresh, matched, imported_by, "
      "imported, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      db::Bytes(BinOf("statements/*", statement.name())),
      db::Bytes(FromHex(statement.digest()).value()), DayNumber(*DayFromProto(statement.from())),
      DayNumber(*DayFromProto(statement.to())), statement.lines(), statement.new_lines(),
      statement.matched(), statement.imported_by(), FromProto(statement.import_time()),
      db::Bytes(entry_key));
}

std::vector<v1::Statement> Store::Statements(db::Session& sql, const Page& page) const {
  std::vector<v1::Statement> statements;
  for (const db::Row& row :
       sql.Query("SELECT id, digest, from_day, to_day, total, fresh, matched, imported_by, "
                 "imported FROM statements WHERE id > ? ORDER BY id LIMIT ?",
                 db::Bytes(BinAfter(page.after)), page.limit)) {
    v1::Statement& statement = statements.emplace_back();
    statement.set_name(Name("statements", Text(row.Bytes(0))));
    statement.set_digest(ToHex(row.Bytes(1)));
    *statement.mutable_from() = DayToProto(DayOf(row.Int(2)));
    *statement.mutable_to() = DayToProto(DayOf(row.Int(3)));
    statement.set_lines(static_cast<int>(row.Int(4)));
    statement.set_new_lines(static_cast<int>(row.Int(5)));
    statement.set_matched(static_cast<int>(row.Int(6)));
    statement.set_open(statement.new_lines() - statement.matched());
    statement.set_imported_by(row.Text(7));
    *statement.mutable_import_time() = ToProto(row.Time(8));
  }
  return statements;
}

void Store::InsertLine(db::Session& sql, const v1::StatementLineRecord& record,
                       std::string_view content_key) const {
  const v1::StatementLine& line = record.line();
  const std::string id = LineId(line);
  const LineColumns columns(line);
  const journal::Sealed sealed = SealMessage(vault_, LinePlace(id), record);
  const std::string statement = Bin(line.name().substr(sizeof("statements/") - 1, 36));
  sql.Execute(
      "INSERT INTO statement_lines (id, statement, number, content_key, state, outgoing, amount, "
      "day, transfer, payment, entered, version, sealed, wrapped_key) VALUES (?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, 0, 1, ?, ?)",
      db::Bytes(Bin(id)), db::Bytes(statement), record.number(), db::Bytes(content_key),
      line.state(), line.outgoing(), FenIn(line.amount()), DayNumber(*DayFromProto(line.day())),
      columns.transfer, columns.payment, db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

bool Store::UpdateLine(db::Session& sql, const StoredLine& stored, bool entered) const {
  const v1::StatementLine& line = stored.record.line();
  const std::string id = LineId(line);
  const LineColumns columns(line);
  const journal::Sealed sealed = SealMessage(vault_, LinePlace(id), stored.record);
  return sql.Execute(
             "UPDATE statement_lines SET state = ?, transfer = ?, payment = ?, entered = ?, "
             "version = ?, sealed = ?, wrapped_key = ? WHERE id = ? AND version = ?",
             line.state(), columns.transfer, columns.payment, entered, stored.version + 1,
             db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key), db::Bytes(Bin(id)),
             stored.version) == 1;
}

absl::StatusOr<std::optional<StoredLine>> Store::Line(db::Session& sql, std::string_view line_id,
                                                      bool lock) const {
  const std::string id = Bin(line_id);
  const db::Rows rows =
      lock ? sql.Query(Concat({kLineColumns, "WHERE id = ? FOR UPDATE"}), db::Bytes(id))
           : sql.Query(Concat({kLineColumns, "WHERE id = ?"}), db::Bytes(id));
  if (rows.empty()) return std::nullopt;
  return payment::Opened(vault_, rows[0]);
}

absl::StatusOr<std::vector<StoredLine>> Store::Lines(db::Session& sql, int state,
                                                     const Page& page) const {
  const int first = state == 0 ? v1::LINE_STATE_PROPOSED : state;
  const int second = state == 0 ? v1::LINE_STATE_UNMATCHED : state;
  std::vector<StoredLine> lines;
  for (const db::Row& row : sql.Query(
           Concat({kLineColumns, "WHERE state IN (?, ?) AND id > ? ORDER BY id LIMIT ?"}), first,
           second, db::Bytes(BinAfter(page.after)), page.limit)) {
    YZ_ASSIGN_OR_RETURN(StoredLine line, payment::Opened(vault_, row));
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> Store::LinesToEnter(db::Session& sql, int limit) const {
  std::vector<std::string> ids;
  // In the order of the statements: what came back after it went out, and before it went out again.
  for (const db::Row& row : sql.Query(
           "SELECT id FROM statement_lines WHERE state = ? AND entered = 0 ORDER BY "
           "statement, number LIMIT ?",
           v1::LINE_STATE_MATCHED, limit)) {
    ids.push_back(Text(row.Bytes(0)));
  }
  return ids;
}

int64_t Store::NetOnStatements(db::Session& sql, std::string_view transfer_id) const {
  return sql.Query(
                "SELECT CAST(COALESCE(SUM(IF(outgoing = 1, amount, -amount)), 0) AS SIGNED) FROM "
                "statement_lines WHERE transfer = ? AND state = ?",
                db::Bytes(FromHex(transfer_id).value_or("")), v1::LINE_STATE_MATCHED)[0]
      .Int(0);
}

std::optional<Day> Store::LineDay(db::Session& sql, std::string_view transfer_id,
                                  bool outgoing) const {
  const db::Row row =
      sql.Query("SELECT MIN(day) FROM statement_lines WHERE transfer = ? AND outgoing = ?",
                db::Bytes(FromHex(transfer_id).value_or("")), outgoing)[0];
  return row.IsNull(0) ? std::nullopt : std::optional(DayOf(row.Int(0)));
}

std::optional<Store::KnownTransfer> Store::Transfer(db::Session& sql,
                                                    std::string_view transfer_id) const {
  const db::Rows rows = sql.Query("SELECT payment, amount, day FROM transfers WHERE id = ?",
                                  db::Bytes(FromHex(transfer_id).value_or("")));
  if (rows.empty()) return std::nullopt;
  return KnownTransfer{Text(rows[0].Bytes(0)), rows[0].Int(1), DayOf(rows[0].Int(2))};
}

std::vector<std::string> Store::PaymentsTo(db::Session& sql, std::string_view account_key,
                                           int64_t fen) const {
  std::vector<std::string> ids;
  for (const db::Row& row :
       sql.Query("SELECT id FROM payments WHERE payee = ? AND amount = ? AND state <> ? ORDER BY "
                 "id LIMIT 20",
                 db::Bytes(account_key), fen, v1::PAYMENT_STATE_STOPPED)) {
    ids.push_back(Text(row.Bytes(0)));
  }
  return ids;
}

bool Store::Covered(db::Session& sql, Day day) const {
  return !sql.Query("SELECT 1 FROM statements WHERE from_day <= ? AND to_day >= ? LIMIT 1",
                    DayNumber(day), DayNumber(day))
              .empty();
}

bool Store::InsertHold(db::Session& sql, std::string_view id, Day since, absl::Time begun) const {
  if (KnowsHold(sql, id)) return false;
  sql.Execute("INSERT INTO holds (id, since_day, begun) VALUES (?, ?, ?)", db::Bytes(id),
              DayNumber(since), begun);
  return true;
}

bool Store::IsHeld(db::Session& sql) const {
  return !sql.Query("SELECT 1 FROM holds WHERE ended IS NULL LIMIT 1").empty();
}

int64_t Store::EndHolds(db::Session& sql, absl::Time ended) const {
  return sql.Execute("UPDATE holds SET ended = ? WHERE ended IS NULL", ended);
}

bool Store::KnowsHold(db::Session& sql, std::string_view id) const {
  return !sql.Query("SELECT 1 FROM holds WHERE id = ?", db::Bytes(id)).empty();
}

std::optional<v1::Hold> Store::OpenHold(db::Session& sql, Day today,
                                           absl::Duration least) const {
  const db::Rows rows = sql.Query(
      "SELECT MIN(since_day), MAX(begun) FROM holds WHERE ended IS NULL HAVING COUNT(*) > 0");
  if (rows.empty()) return std::nullopt;
  v1::Hold hold;
  hold.set_held(true);
  *hold.mutable_since() = DayToProto(DayOf(rows[0].Int(0)));
  // Days are few: those since a backup.
  int64_t missing = rows[0].Int(0);
  for (const db::Row& row :
       sql.Query("SELECT from_day, to_day FROM statements WHERE imported >= ? ORDER BY from_day",
                 rows[0].Int(1) + absl::ToInt64Milliseconds(least))) {
    if (row.Int(0) > missing) break;
    missing = std::max(missing, row.Int(1) + 1);
  }
  if (missing <= DayNumber(today)) *hold.mutable_first_day_missing() = DayToProto(DayOf(missing));
  hold.set_open_lines(sql.Query("SELECT COUNT(*) FROM statement_lines WHERE state IN (?, ?)",
                                v1::LINE_STATE_PROPOSED, v1::LINE_STATE_UNMATCHED)[0]
                          .Int(0));
  hold.set_lines_under_way(
      sql.Query("SELECT COUNT(*) FROM statement_lines WHERE state = ? AND entered = 0",
                v1::LINE_STATE_MATCHED)[0]
          .Int(0));
  return hold;
}

Day Store::LastDay(db::Session& sql, Day otherwise) const {
  const db::Row row = sql.Query("SELECT MAX(day) FROM postings")[0];
  return row.IsNull(0) ? otherwise : DayOf(row.Int(0));
}

}  // namespace yuezhan::payment
