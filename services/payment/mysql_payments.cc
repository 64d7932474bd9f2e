// The store's payments, accounts and transfers.
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/lists.h"
#include "common/host/sealed_message.h"
#include "services/payment/sql_ids.h"
#include "services/payment/store.h"

namespace yuezhan::payment {
namespace {

std::string PaymentPlace(std::string_view id) { return Concat({"payments|", id}); }

constexpr std::string_view kPaymentColumns =
    "SELECT id, version, sealed, wrapped_key FROM payments ";
constexpr std::string_view kLockedPayment =
    "SELECT id, version, sealed, wrapped_key FROM payments WHERE id = ? FOR UPDATE";
constexpr std::string_view kOpenColumns =
    "SELECT id, transfer, state, COALESCE(decided_on, 0) FROM payments ";

// The digest as 32 bytes, whatever review wrote it as: for who audits, not for us.
std::string LineDigest(const v1::Payment& payment) {
  const auto bytes = FromHex(payment.line_digest());
  return bytes.ok() && bytes->size() == kDigestBytes ? *bytes : Sha256(payment.line_digest());
}

std::vector<OpenTransfer> OpenTransfersIn(const db::Rows& rows) {
  std::vector<OpenTransfer> open;
  for (const db::Row& row : rows) {
    open.push_back({Text(row.Bytes(0)), ToHex(row.Bytes(1)),
                    static_cast<v1::PaymentState>(row.Int(2)), row.Int(3)});
  }
  return open;
}

// What of a payment stands in columns beside its sealed message.
struct PaymentColumns {
  explicit PaymentColumns(const v1::Payment& payment)
      : case_id(BinOf("cases/*", payment.case_name())),
        station(BinOf("stations/*", payment.station())) {
    if (payment.state() != v1::PAYMENT_STATE_STOPPED) {
      live_case = db::Bytes(case_id);
      live_station = db::Bytes(station);
    }
    if (!payment.transfer_id().empty()) {
      transfer_bytes = FromHex(payment.transfer_id()).value();
      transfer = db::Bytes(transfer_bytes);
    }
    if (const auto day = DayFromProto(payment.settled_on())) settled_on = DayNumber(*day);
    if (const auto day = DayFromProto(payment.receipt_on())) receipt_on = DayNumber(*day);
    recovery_open = payment.has_recovery() && FenIn(payment.recovery().recovered()) <
                                                  FenIn(payment.recovery().ordered());
    on_statement = !payment.statement_line().empty() || !payment.statement_explanation().empty();
    const bool decided =
        payment.state() == v1::PAYMENT_STATE_SETTLED || payment.state() == v1::PAYMENT_STATE_FAILED;
    if (decided) decided_on = DayNumber(BeijingDay(FromProto(payment.state_time())));
  }
  PaymentColumns(const PaymentColumns&) = delete;

  const std::string case_id;
  const std::string station;
  std::string transfer_bytes;
  std::optional<db::Bytes> live_case;
  std::optional<db::Bytes> live_station;
  std::optional<db::Bytes> transfer;
  std::optional<int64_t> decided_on;
  std::optional<int64_t> settled_on;
  std::optional<int64_t> receipt_on;
  bool recovery_open = false;
  bool on_statement = false;
};

}  // namespace

bool Store::InsertPayment(db::Session& sql, v1::PaymentRecord* record,
                          std::string* existing) const {
  v1::Payment& payment = *record->mutable_payment();
  const std::string id = IdOf("payments/*", payment.name()).value();
  payment.set_etag("1");
  const PaymentColumns columns(payment);
  const journal::Sealed sealed = SealMessage(vault_, PaymentPlace(id), *record);
  try {
    sql.Execute(
        "INSERT INTO payments (id, award, station, host_unit, fund, live_case, live_station, "
        "state, amount, payee, line_digest, prepared_by, authorized_by, incident, recovery_open, "
        "on_statement, version, sealed, wrapped_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "'', 0, 0, 0, 1, ?, ?)",
        db::Bytes(Bin(id)), db::Bytes(columns.case_id), db::Bytes(columns.station),
        db::Bytes(BinOf("hostUnits/*", payment.host_unit())),
        db::Bytes(BinOf("funds/*", payment.fund())), columns.live_case, columns.live_station,
        payment.state(), FenIn(payment.amount()), db::Bytes(AccountKey(payment.payee().number())),
        db::Bytes(LineDigest(payment)), payment.prepared_by(), db::Bytes(sealed.bytes),
        db::Bytes(sealed.wrapped_key));
    return true;
  } catch (const db::Error& e) {
    if (!e.IsDuplicate("live_case") && !e.IsDuplicate("live_station")) throw;
  }
  const db::Rows rows =
      sql.Query("SELECT id FROM payments WHERE live_case = ? OR live_station = ? LIMIT 1",
                db::Bytes(columns.case_id), db::Bytes(columns.station));
  *existing = rows.empty() ? "" : Name("payments", Text(rows[0].Bytes(0)));
  return false;
}

void Store::UpdatePayment(db::Session& sql, v1::PaymentRecord* record) const {
  static const db::RowShape kRows = db::ChangedRows(
      "payments", "id, award, station, host_unit, fund, amount, line_digest, prepared_by",
      "live_case, live_station, state, transfer, decided_on, payee, authorized_by, settled_on, "
      "receipt_on, incident, recovery_open, on_statement, sealed, wrapped_key");
  v1::Payment& payment = *record->mutable_payment();
  const std::string id = IdOf("payments/*", payment.name()).value();
  int64_t version = 0;
  if (!absl::SimpleAtoi(payment.etag(), &version)) version = 0;
  payment.set_etag(absl::StrCat(version + 1));
  const PaymentColumns columns(payment);
  const journal::Sealed sealed = SealMessage(vault_, PaymentPlace(id), *record);
  sql.Hold(kRows, db::Bytes(Bin(id)), db::Bytes(columns.case_id), db::Bytes(columns.station),
           db::Bytes(BinOf("hostUnits/*", payment.host_unit())),
           db::Bytes(BinOf("funds/*", payment.fund())), FenIn(payment.amount()),
           db::Bytes(LineDigest(payment)), payment.prepared_by(), version + 1, columns.live_case,
           columns.live_station, payment.state(), columns.transfer, columns.decided_on,
           db::Bytes(AccountKey(payment.payee().number())), payment.authorized_by(),
           columns.settled_on, columns.receipt_on, !payment.incident().empty(),
           columns.recovery_open, columns.on_statement, db::Bytes(sealed.bytes),
           db::Bytes(sealed.wrapped_key));
}

absl::StatusOr<std::optional<v1::PaymentRecord>> Store::Payment(db::Session& sql,
                                                                std::string_view id,
                                                                bool lock) const {
  const db::Rows rows =
      lock ? sql.Query(kLockedPayment, db::Bytes(Bin(id)))
           : sql.Query(Concat({kPaymentColumns, "WHERE id = ?"}), db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  return OpenMessage<v1::PaymentRecord>(vault_, PaymentPlace(id), rows[0].Bytes(2),
                                        rows[0].Bytes(3));
}

absl::StatusOr<std::map<std::string, v1::PaymentRecord>> Store::PaymentsByName(
    db::Session& sql, const std::vector<std::string>& names) const {
  std::map<std::string, v1::PaymentRecord> found;
  for (const db::Row& row : db::RowsByKey(sql, kPaymentColumns, db::KeysOf("payments/*", names))) {
    const std::string id = Text(row.Bytes(0));
    YZ_ASSIGN_OR_RETURN(
        found[Name("payments", id)],
        OpenMessage<v1::PaymentRecord>(vault_, PaymentPlace(id), row.Bytes(2), row.Bytes(3)));
  }
  return found;
}

bool Store::AllIn(db::Session& sql, const std::vector<std::string>& names, int state) const {
  const db::KeyList in(db::KeysOf("payments/*", names));
  std::vector<db::Param> params = in.params();
  params.emplace_back(state);
  return sql
      .QueryList(
          Concat({"SELECT 1 FROM payments WHERE id IN ", in.marks(), " AND state <> ? LIMIT 1"}),
          params)
      .empty();
}

void Store::PrefetchOrders(db::Session& sql, const std::vector<std::string>& names) const {
  auto keys = db::KeysOf("payments/*", names);
  if (keys.size() < 2) return;
  PrefetchAwardsOf(sql, keys);
  sql.Prefetch(kLockedPayment, std::move(keys));
}

absl::StatusOr<std::vector<v1::PaymentRecord>> Store::Payments(db::Session& sql,
                                                               std::string_view host_unit,
                                                               int state, const Page& page) const {
  const std::string after = BinAfter(page.after);
  const std::string host = host_unit.empty() ? "" : Bin(host_unit);
  const auto select = [](std::string_view where) {
    return Concat({kPaymentColumns, "WHERE ", where, "id > ? ORDER BY id LIMIT ?"});
  };
  db::Rows rows;
  if (host.empty() && state == 0) {
    rows = sql.Query(select(""), db::Bytes(after), page.limit);
  } else if (host.empty()) {
    rows = sql.Query(select("state = ? AND "), state, db::Bytes(after), page.limit);
  } else if (state == 0) {
    rows = sql.Query(select("host_unit = ? AND "), db::Bytes(host), db::Bytes(after), page.limit);
  } else {
    rows = sql.Query(select("host_unit = ? AND state = ? AND "), db::Bytes(host), state,
                     db::Bytes(after), page.limit);
  }
  return Opened(rows);
}

absl::StatusOr<std::vector<v1::PaymentRecord>> Store::Opened(const db::Rows& rows) const {
  std::vector<v1::PaymentRecord> payments;
  for (const db::Row& row : rows) {
    YZ_ASSIGN_OR_RETURN(auto payment,
                        OpenMessage<v1::PaymentRecord>(vault_, PaymentPlace(Text(row.Bytes(0))),
                                                       row.Bytes(2), row.Bytes(3)));
    payments.push_back(std::move(payment));
  }
  return payments;
}

std::string Store::AccountKey(std::string_view number) const {
  std::string digits(number);
  std::erase_if(digits, [](char c) { return c == ' ' || c == '-'; });
  return vault_.SearchKey("payment.account", digits);
}

void Store::InsertAccountDecision(db::Session& sql, const v1::Payment& payment,
                                  AccountSource source, std::string_view officer, Day day,
                                  std::string_view entry_key) const {
  static const db::RowShape kRows =
      db::NewRows("account_decisions", "payment, account, entry, source, officer, day");
  sql.Hold(kRows, db::Bytes(BinOf("payments/*", payment.name())),
           db::Bytes(AccountKey(payment.payee().number())), db::Bytes(entry_key), source, officer,
           DayNumber(day));
}

void Store::InsertTransfer(db::Session& sql, const v1::Payment& payment, Day day, bool adopted,
                           std::string_view entry_key) const {
  static const db::RowShape kRows = db::NewRows(
      "transfers",
      "id, payment, attempt, amount, account, line_digest, authorized_by, day, not_after, adopted, "
      "entry");
  sql.Hold(kRows, db::Bytes(FromHex(payment.transfer_id()).value()),
           db::Bytes(BinOf("payments/*", payment.name())), payment.attempts(),
           FenIn(payment.amount()), db::Bytes(AccountKey(payment.payee().number())),
           db::Bytes(LineDigest(payment)), payment.authorized_by(), DayNumber(day),
           FromProto(payment.not_after()), adopted, db::Bytes(entry_key));
}

absl::StatusOr<std::vector<v1::PaymentRecord>> Store::PaymentsNeeding(
    db::Session& sql, std::string_view host_unit, v1::PaymentAttention attention,
    Day receipts_due_before, const Page& page) const {
  // By the number of the attention. Each takes the day, of which one only makes use.
  constexpr std::string_view kWhere[] = {
      "? > 0",
      "state = 7 AND receipt_on IS NULL AND settled_on < ?",
      "recovery_open = 1 AND ? > 0",
      "incident = 1 AND ? > 0",
      "state = 7 AND on_statement = 0 AND ? > 0 AND EXISTS (SELECT 1 FROM statements s WHERE "
      "s.from_day <= settled_on AND s.to_day >= settled_on)",
  };
  const std::string host = host_unit.empty() ? "" : Bin(host_unit);
  return Opened(sql.Query(
      Concat({kPaymentColumns, "WHERE ", kWhere[attention],
              " AND id > ? AND (? = 0 OR host_unit = ?) ORDER BY id LIMIT ?"}),
      DayNumber(receipts_due_before), db::Bytes(BinAfter(page.after)), !host.empty(),
      db::Bytes(host), page.limit));
}

std::vector<OpenTransfer> Store::OpenTransfers(db::Session& sql, int state,
                                               const Page& page) const {
  return OpenTransfersIn(
      sql.Query(Concat({kOpenColumns, "WHERE state = ? AND id > ? ORDER BY id LIMIT ?"}), state,
                db::Bytes(BinAfter(page.after)), page.limit));
}

std::vector<OpenTransfer> Store::DecidedTransfers(db::Session& sql, int64_t from, int64_t after_day,
                                                  std::string_view after_id, int limit) const {
  const std::string after = BinAfter(after_id);
  return OpenTransfersIn(sql.Query(
      Concat({kOpenColumns,
              "WHERE decided_on >= ? AND (decided_on > ? OR (decided_on = ? AND id > ?)) ORDER BY "
              "decided_on, id LIMIT ?"}),
      from, after_day, after_day, db::Bytes(after), limit));
}

}  // namespace yuezhan::payment
