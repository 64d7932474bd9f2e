#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/host/sealed_message.h"
#include "services/payment/store.h"

namespace yuezhan::payment {
namespace {

// Ids come from our own resource names, checked by then: a bad one is a fault of ours.
std::string Bin(std::string_view id) { return UuidToBytes(id).value(); }
std::string BinOf(std::string_view pattern, std::string_view name) {
  return Bin(IdOf(pattern, name).value());
}
std::string Text(const std::string& bytes) { return UuidFromBytes(bytes).value(); }
// The least id, before all others: where a list begins.
std::string BinAfter(std::string_view id) { return id.empty() ? std::string(16, '\0') : Bin(id); }

std::string AwardPlace(std::string_view id) { return Concat({"awards|", id}); }
std::string PaymentPlace(std::string_view id) { return Concat({"payments|", id}); }

constexpr std::string_view kFundColumns =
    "SELECT id, year, source, allocated, free, reserved, in_transit, paid, created FROM funds ";
constexpr std::string_view kAwardColumns = "SELECT id, version, sealed, wrapped_key FROM awards ";
constexpr std::string_view kPaymentColumns =
    "SELECT id, version, sealed, wrapped_key FROM payments ";
constexpr std::string_view kOpenColumns =
    "SELECT id, transfer, state, COALESCE(decided_on, 0) FROM payments ";

v1::Fund FundIn(const db::Row& row) {
  v1::Fund fund;
  fund.set_name(Name("funds", Text(row.Bytes(0))));
  fund.set_year(static_cast<int>(row.Int(1)));
  fund.set_source(row.Text(2));
  *fund.mutable_allocated() = MoneyOf(row.Int(3));
  *fund.mutable_free() = MoneyOf(row.Int(4));
  *fund.mutable_reserved() = MoneyOf(row.Int(5));
  *fund.mutable_in_transit() = MoneyOf(row.Int(6));
  *fund.mutable_paid() = MoneyOf(row.Int(7));
  *fund.mutable_create_time() = ToProto(row.Time(8));
  return fund;
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
    const bool decided =
        payment.state() == v1::PAYMENT_STATE_SETTLED || payment.state() == v1::PAYMENT_STATE_FAILED;
    if (decided) decided_on = BeijingDay(FromProto(payment.state_time())) - Day(1970, 1, 1);
  }
  PaymentColumns(const PaymentColumns&) = delete;

  const std::string case_id;
  const std::string station;
  std::string transfer_bytes;
  std::optional<db::Bytes> live_case;
  std::optional<db::Bytes> live_station;
  std::optional<db::Bytes> transfer;
  std::optional<int64_t> decided_on;
};

}  // namespace

int64_t FenIn(const google::type::Money& money) { return FenOf(money).value(); }

bool Store::InsertFund(db::Session& sql, const v1::Fund& fund, std::string* existing) const {
  try {
    sql.Execute(
        "INSERT INTO funds (id, year, source, allocated, free, reserved, in_transit, paid, "
        "created) VALUES (?, ?, ?, 0, 0, 0, 0, 0, ?)",
        db::Bytes(BinOf("funds/*", fund.name())), fund.year(), fund.source(),
        FromProto(fund.create_time()));
    return true;
  } catch (const db::Error& e) {
    if (!e.IsDuplicate("year_source")) throw;
  }
  *existing = Name("funds", Text(sql.Query("SELECT id FROM funds WHERE year = ? AND source = ?",
                                           fund.year(), fund.source())[0]
                                     .Bytes(0)));
  return false;
}

std::optional<v1::Fund> Store::Fund(db::Session& sql, std::string_view id, bool lock) const {
  const db::Rows rows =
      lock ? sql.Query(Concat({kFundColumns, "WHERE id = ? FOR UPDATE"}), db::Bytes(Bin(id)))
           : sql.Query(Concat({kFundColumns, "WHERE id = ?"}), db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  return FundIn(rows[0]);
}

std::vector<v1::Fund> Store::Funds(db::Session& sql, const Page& page) const {
  std::vector<v1::Fund> funds;
  for (const db::Row& row : sql.Query(Concat({kFundColumns, "WHERE id > ? ORDER BY id LIMIT ?"}),
                                      db::Bytes(BinAfter(page.after)), page.limit)) {
    funds.push_back(FundIn(row));
  }
  return funds;
}

std::string Store::FundWithFree(db::Session& sql, int year, int64_t fen) const {
  const db::Rows rows =
      sql.Query("SELECT id FROM funds WHERE year = ? AND free >= ? ORDER BY id LIMIT 1", year, fen);
  return rows.empty() ? "" : Text(rows[0].Bytes(0));
}

void Store::InsertAward(db::Session& sql, v1::AwardRecord* record) const {
  const v1::Award& award = record->award();
  const std::string id = IdOf("cases/*", award.case_name()).value();
  record->set_version(1);
  const journal::Sealed sealed = SealMessage(vault_, AwardPlace(id), *record);
  const std::string fund = award.fund().empty() ? "" : BinOf("funds/*", award.fund());
  sql.Execute(
      "INSERT INTO awards (id, host_unit, state, subsidy_year, amount, fund, resolved_seq, "
      "version, sealed, wrapped_key) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
      db::Bytes(Bin(id)), db::Bytes(BinOf("hostUnits/*", award.host_unit())), award.state(),
      award.subsidy_year(), FenIn(award.amount()),
      fund.empty() ? std::nullopt : std::optional(db::Bytes(fund)), record->resolved_seq(),
      db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

bool Store::UpdateAward(db::Session& sql, v1::AwardRecord* record) const {
  const v1::Award& award = record->award();
  const std::string id = IdOf("cases/*", award.case_name()).value();
  const int64_t version = record->version();
  record->set_version(version + 1);
  const journal::Sealed sealed = SealMessage(vault_, AwardPlace(id), *record);
  const std::string fund = award.fund().empty() ? "" : BinOf("funds/*", award.fund());
  return sql.Execute(
             "UPDATE awards SET state = ?, subsidy_year = ?, amount = ?, fund = ?, resolved_seq = "
             "?, version = ?, sealed = ?, wrapped_key = ? WHERE id = ? AND version = ?",
             award.state(), award.subsidy_year(), FenIn(award.amount()),
             fund.empty() ? std::nullopt : std::optional(db::Bytes(fund)), record->resolved_seq(),
             version + 1, db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key),
             db::Bytes(Bin(id)), version) == 1;
}

absl::StatusOr<std::optional<v1::AwardRecord>> Store::Award(db::Session& sql,
                                                            std::string_view case_id,
                                                            bool lock) const {
  const db::Rows rows =
      lock ? sql.Query(Concat({kAwardColumns, "WHERE id = ? FOR UPDATE"}), db::Bytes(Bin(case_id)))
           : sql.Query(Concat({kAwardColumns, "WHERE id = ?"}), db::Bytes(Bin(case_id)));
  if (rows.empty()) return std::nullopt;
  YZ_ASSIGN_OR_RETURN(auto award, OpenMessage<v1::AwardRecord>(vault_, AwardPlace(case_id),
                                                               rows[0].Bytes(2), rows[0].Bytes(3)));
  award.set_version(rows[0].Int(1));
  return award;
}

absl::StatusOr<std::vector<v1::AwardRecord>> Store::Awards(db::Session& sql,
                                                           std::string_view host_unit, int state,
                                                           const AwardPage& page) const {
  const std::string after = BinAfter(page.after_id);
  const int64_t seq = page.after_seq;
  const std::string host = host_unit.empty() ? "" : Bin(host_unit);
  // One statement per combination of filters, so that each uses its index.
  const auto select = [](std::string_view where) {
    return Concat({kAwardColumns, "WHERE ", where,
                   "(resolved_seq > ? OR (resolved_seq = ? AND id > ?)) ORDER BY resolved_seq, id "
                   "LIMIT ?"});
  };
  db::Rows rows;
  if (host.empty() && state == 0) {
    rows = sql.Query(select(""), seq, seq, db::Bytes(after), page.limit);
  } else if (host.empty()) {
    rows = sql.Query(select("state = ? AND "), state, seq, seq, db::Bytes(after), page.limit);
  } else if (state == 0) {
    rows = sql.Query(select("host_unit = ? AND "), db::Bytes(host), seq, seq, db::Bytes(after),
                     page.limit);
  } else {
    rows = sql.Query(select("host_unit = ? AND state = ? AND "), db::Bytes(host), state, seq, seq,
                     db::Bytes(after), page.limit);
  }
  std::vector<v1::AwardRecord> awards;
  for (const db::Row& row : rows) {
    YZ_ASSIGN_OR_RETURN(auto award,
                        OpenMessage<v1::AwardRecord>(vault_, AwardPlace(Text(row.Bytes(0))),
                                                     row.Bytes(2), row.Bytes(3)));
    awards.push_back(std::move(award));
  }
  return awards;
}

bool Store::SomeoneWaitsBefore(db::Session& sql, int year, int64_t resolved_seq,
                               std::string_view case_id) const {
  return !sql.Query(
                 "SELECT 1 FROM awards WHERE state = ? AND subsidy_year = ? AND (resolved_seq < ? "
                 "OR (resolved_seq = ? AND id < ?)) LIMIT 1",
                 v1::AWARD_STATE_WAITING, year, resolved_seq, resolved_seq, db::Bytes(Bin(case_id)))
              .empty();
}

std::optional<std::pair<std::string, int64_t>> Store::FirstWaiting(db::Session& sql,
                                                                   int year) const {
  const db::Rows rows = sql.Query(
      "SELECT id, amount FROM awards WHERE state = ? AND subsidy_year = ? ORDER BY resolved_seq, "
      "id LIMIT 1",
      v1::AWARD_STATE_WAITING, year);
  if (rows.empty()) return std::nullopt;
  return std::pair(Text(rows[0].Bytes(0)), rows[0].Int(1));
}

std::vector<int> Store::YearsWithWaiting(db::Session& sql) const {
  std::vector<int> years;
  for (const db::Row& row :
       sql.Query("SELECT DISTINCT subsidy_year FROM awards WHERE state = ? ORDER BY subsidy_year",
                 v1::AWARD_STATE_WAITING)) {
    years.push_back(static_cast<int>(row.Int(0)));
  }
  return years;
}

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
        "state, amount, version, sealed, wrapped_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
        db::Bytes(Bin(id)), db::Bytes(columns.case_id), db::Bytes(columns.station),
        db::Bytes(BinOf("hostUnits/*", payment.host_unit())),
        db::Bytes(BinOf("funds/*", payment.fund())), columns.live_case, columns.live_station,
        payment.state(), FenIn(payment.amount()), db::Bytes(sealed.bytes),
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

bool Store::UpdatePayment(db::Session& sql, v1::PaymentRecord* record) const {
  v1::Payment& payment = *record->mutable_payment();
  const std::string id = IdOf("payments/*", payment.name()).value();
  int64_t version = 0;
  if (!absl::SimpleAtoi(payment.etag(), &version)) return false;
  payment.set_etag(absl::StrCat(version + 1));
  const PaymentColumns columns(payment);
  const journal::Sealed sealed = SealMessage(vault_, PaymentPlace(id), *record);
  return sql.Execute(
             "UPDATE payments SET live_case = ?, live_station = ?, state = ?, transfer = ?, "
             "decided_on = ?, version = ?, sealed = ?, wrapped_key = ? WHERE id = ? AND version = "
             "?",
             columns.live_case, columns.live_station, payment.state(), columns.transfer,
             columns.decided_on, version + 1, db::Bytes(sealed.bytes),
             db::Bytes(sealed.wrapped_key), db::Bytes(Bin(id)), version) == 1;
}

absl::StatusOr<std::optional<v1::PaymentRecord>> Store::Payment(db::Session& sql,
                                                                std::string_view id,
                                                                bool lock) const {
  const db::Rows rows =
      lock ? sql.Query(Concat({kPaymentColumns, "WHERE id = ? FOR UPDATE"}), db::Bytes(Bin(id)))
           : sql.Query(Concat({kPaymentColumns, "WHERE id = ?"}), db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  return OpenMessage<v1::PaymentRecord>(vault_, PaymentPlace(id), rows[0].Bytes(2),
                                        rows[0].Bytes(3));
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
  std::vector<v1::PaymentRecord> payments;
  for (const db::Row& row : rows) {
    YZ_ASSIGN_OR_RETURN(auto payment,
                        OpenMessage<v1::PaymentRecord>(vault_, PaymentPlace(Text(row.Bytes(0))),
                                                       row.Bytes(2), row.Bytes(3)));
    payments.push_back(std::move(payment));
  }
  return payments;
}

void Store::InsertTransfer(db::Session& sql, const v1::Payment& payment, int64_t fen,
                           absl::Time not_after, std::string_view entry_key) const {
  sql.Execute(
      "INSERT INTO transfers (id, payment, attempt, amount, not_after, entry) VALUES (?, ?, ?, ?, "
      "?, ?)",
      db::Bytes(FromHex(payment.transfer_id()).value()),
      db::Bytes(BinOf("payments/*", payment.name())), payment.attempts(), fen, not_after,
      db::Bytes(entry_key));
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
