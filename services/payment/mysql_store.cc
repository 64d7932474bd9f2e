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

std::string AwardPlace(std::string_view id) { return Concat({"awards|", id}); }

constexpr std::string_view kFundColumns =
    "SELECT id, year, source, allocated, free, reserved, in_transit, paid, created, "
    "returned, recovered FROM funds ";
constexpr std::string_view kAwardColumns = "SELECT id, version, sealed, wrapped_key FROM awards ";
constexpr std::string_view kLockedAward =
    "SELECT id, version, sealed, wrapped_key FROM awards WHERE id = ? FOR UPDATE";
constexpr std::string_view kLockedAwardOf =
    "SELECT id, version, sealed, wrapped_key FROM awards WHERE id = (SELECT award FROM payments "
    "WHERE id = ?) FOR UPDATE";

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
  *fund.mutable_returned() = MoneyOf(row.Int(9));
  *fund.mutable_recovered() = MoneyOf(row.Int(10));
  return fund;
}

// By the primary key, in its order, whatever they were found by: as HeldSums writes them.
db::Rows LockFunds(db::Session& sql, const db::Rows& ids) {
  if (ids.empty()) return {};
  std::vector<std::string> keys;
  for (const db::Row& row : ids) keys.push_back(row.Bytes(0));
  const db::KeyList in(std::move(keys));
  return sql.QueryList(Concat({"SELECT id, free FROM funds FORCE INDEX (PRIMARY) WHERE id IN ",
                               in.marks(), " ORDER BY id FOR UPDATE"}),
                       in.params());
}

std::vector<FreeMoney> FreeIn(const db::Rows& rows) {
  std::vector<FreeMoney> funds;
  for (const db::Row& row : rows) funds.push_back({Text(row.Bytes(0)), row.Int(1)});
  return funds;
}

}  // namespace

int64_t FenIn(const google::type::Money& money) { return FenOf(money).value(); }

bool Store::InsertFund(db::Session& sql, const v1::Fund& fund, std::string* existing) const {
  try {
    sql.Execute(
        "INSERT INTO funds (id, year, source, allocated, free, reserved, in_transit, paid, "
        "returned, recovered, created) VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0, 0, ?)",
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

void Store::InsertFundChange(db::Session& sql, const v1::FundChange& change,
                             std::string_view entry_key) const {
  const std::string other =
      change.other_fund().empty() ? "" : BinOf("funds/*", change.other_fund());
  sql.Execute(
      "INSERT INTO fund_changes (id, fund, kind, amount, other_fund, day, officer, reason, entry) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      db::Bytes(Bin(NewUuid())), db::Bytes(BinOf("funds/*", change.fund())), change.kind(),
      FenIn(change.amount()), other.empty() ? std::nullopt : std::optional(db::Bytes(other)),
      DayNumber(*DayFromProto(change.day())), change.officer(), change.reason(),
      db::Bytes(entry_key));
}

std::vector<std::pair<std::string, v1::FundChange>> Store::FundChanges(db::Session& sql,
                                                                       std::string_view fund,
                                                                       const Page& page) const {
  std::vector<std::pair<std::string, v1::FundChange>> changes;
  for (const db::Row& row :
       sql.Query("SELECT id, kind, amount, other_fund, day, officer, reason FROM fund_changes "
                 "WHERE fund = ? AND id > ? ORDER BY id LIMIT ?",
                 db::Bytes(Bin(fund)), db::Bytes(BinAfter(page.after)), page.limit)) {
    v1::FundChange change;
    change.set_fund(Name("funds", fund));
    change.set_kind(static_cast<v1::FundChangeKind>(row.Int(1)));
    *change.mutable_amount() = MoneyOf(row.Int(2));
    if (!row.IsNull(3)) change.set_other_fund(Name("funds", Text(row.Bytes(3))));
    *change.mutable_day() = DayToProto(DayOf(row.Int(4)));
    change.set_officer(row.Text(5));
    change.set_reason(row.Text(6));
    changes.emplace_back(Text(row.Bytes(0)), std::move(change));
  }
  return changes;
}

std::vector<FreeMoney> Store::FreeOf(db::Session& sql, int year) const {
  return FreeIn(sql.Query("SELECT id, free FROM funds WHERE year = ? ORDER BY id", year));
}

std::vector<FreeMoney> Store::LockFreeOf(db::Session& sql, int year) const {
  return FreeIn(LockFunds(sql, sql.Query("SELECT id FROM funds WHERE year = ?", year)));
}

void Store::LockYearsOf(db::Session& sql, const std::vector<std::string>& funds) const {
  const auto in = db::KeyList::OfIds(funds);
  LockFunds(sql, sql.QueryList(Concat({"SELECT DISTINCT b.id FROM funds a JOIN funds b ON b.year = "
                                       "a.year WHERE a.id IN ",
                                       in.marks()}),
                               in.params()));
}

void Store::InsertAward(db::Session& sql, v1::AwardRecord* record) const {
  static const db::RowShape kRows = db::NewRows(
      "awards",
      "id, host_unit, version, state, subsidy_year, amount, fund, resolved_seq, sealed, "
      "wrapped_key");
  const v1::Award& award = record->award();
  const std::string id = IdOf("cases/*", award.case_name()).value();
  record->set_version(1);
  const journal::Sealed sealed = SealMessage(vault_, AwardPlace(id), *record);
  const std::string fund = award.fund().empty() ? "" : BinOf("funds/*", award.fund());
  sql.Hold(kRows, db::Bytes(Bin(id)), db::Bytes(BinOf("hostUnits/*", award.host_unit())),
           record->version(), award.state(), award.subsidy_year(), FenIn(award.amount()),
           fund.empty() ? std::nullopt : std::optional(db::Bytes(fund)), record->resolved_seq(),
           db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

void Store::UpdateAward(db::Session& sql, v1::AwardRecord* record) const {
  static const db::RowShape kRows =
      db::ChangedRows("awards", "id, host_unit",
                      "state, subsidy_year, amount, fund, resolved_seq, sealed, wrapped_key");
  const v1::Award& award = record->award();
  const std::string id = IdOf("cases/*", award.case_name()).value();
  const int64_t version = record->version();
  record->set_version(version + 1);
  const journal::Sealed sealed = SealMessage(vault_, AwardPlace(id), *record);
  const std::string fund = award.fund().empty() ? "" : BinOf("funds/*", award.fund());
  sql.Hold(kRows, db::Bytes(Bin(id)), db::Bytes(BinOf("hostUnits/*", award.host_unit())),
           version + 1, award.state(), award.subsidy_year(), FenIn(award.amount()),
           fund.empty() ? std::nullopt : std::optional(db::Bytes(fund)), record->resolved_seq(),
           db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

absl::StatusOr<v1::AwardRecord> Store::ReadAward(const db::Row& row) const {
  YZ_ASSIGN_OR_RETURN(auto award,
                      OpenMessage<v1::AwardRecord>(vault_, AwardPlace(Text(row.Bytes(0))),
                                                   row.Bytes(2), row.Bytes(3)));
  award.set_version(row.Int(1));
  return award;
}

absl::StatusOr<std::optional<v1::AwardRecord>> Store::Award(db::Session& sql,
                                                            std::string_view case_id,
                                                            bool lock) const {
  const db::Rows rows =
      lock ? sql.Query(kLockedAward, db::Bytes(Bin(case_id)))
           : sql.Query(Concat({kAwardColumns, "WHERE id = ?"}), db::Bytes(Bin(case_id)));
  if (rows.empty()) return std::nullopt;
  return ReadAward(rows[0]);
}

absl::StatusOr<std::optional<v1::AwardRecord>> Store::LockAwardOf(
    db::Session& sql, std::string_view payment_id) const {
  const db::Rows rows = sql.Query(kLockedAwardOf, db::Bytes(Bin(payment_id)));
  if (rows.empty()) return std::nullopt;
  return ReadAward(rows[0]);
}

absl::StatusOr<std::map<std::string, v1::AwardRecord>> Store::AwardsByCase(
    db::Session& sql, const std::vector<std::string>& case_names) const {
  std::map<std::string, v1::AwardRecord> found;
  for (const db::Row& row : db::RowsByKey(sql, kAwardColumns, db::KeysOf("cases/*", case_names))) {
    YZ_ASSIGN_OR_RETURN(found[Name("cases", Text(row.Bytes(0)))], ReadAward(row));
  }
  return found;
}

void Store::PrefetchAwards(db::Session& sql, const std::vector<std::string>& case_names) const {
  sql.Prefetch(kLockedAward, db::KeysOf("cases/*", case_names));
}

void Store::PrefetchAwardsOf(db::Session& sql, const std::vector<std::string>& payments) const {
  std::multimap<std::string, std::string> payments_of;  // by award
  for (const db::Row& row : db::RowsByKey(sql, "SELECT award, id FROM payments ", payments)) {
    payments_of.emplace(row.Bytes(0), row.Bytes(1));
  }
  std::vector<std::string> keys;
  for (const auto& [award, payment] : payments_of) keys.push_back(award);
  if (keys.empty()) return;
  const db::KeyList awards(std::move(keys));
  for (const db::Row& row :
       sql.QueryList(Concat({kAwardColumns, "FORCE INDEX (PRIMARY) WHERE id IN ", awards.marks(),
                             " ORDER BY id FOR UPDATE"}),
                     awards.params())) {
    const auto [begin, end] = payments_of.equal_range(row.Bytes(0));
    for (auto payment = begin; payment != end; ++payment) {
      sql.Know(kLockedAwardOf, payment->second, {row});
    }
  }
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
    YZ_ASSIGN_OR_RETURN(auto award, ReadAward(row));
    awards.push_back(std::move(award));
  }
  return awards;
}

std::optional<WaitingAward> Store::FirstWaiting(db::Session& sql, int year) const {
  const db::Rows rows = sql.Query(
      "SELECT resolved_seq, id, amount FROM awards WHERE state = ? AND subsidy_year = ? ORDER BY "
      "resolved_seq, id LIMIT 1",
      v1::AWARD_STATE_WAITING, year);
  if (rows.empty()) return std::nullopt;
  return WaitingAward{{rows[0].Int(0), Text(rows[0].Bytes(1))}, rows[0].Int(2)};
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

}  // namespace yuezhan::payment
