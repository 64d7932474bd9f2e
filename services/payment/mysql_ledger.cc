#include <algorithm>
#include <map>
#include <numeric>

#include "common/base/ids.h"
#include "common/db/session.h"
#include "services/payment/ledger.h"

namespace yuezhan::payment {
namespace {

// One row a movement: where from, where to, and the running balances. Each statement takes amount,
// amount, fund, and the amount that must be there.
struct MovementRow {
  Account from;
  Account to;
  std::string_view update;
};
constexpr MovementRow kMovements[] = {
    {},
    {Account::kAllocated, Account::kFree,
     "UPDATE funds SET allocated = allocated + ?, free = free + ? WHERE id = ? AND ? > 0"},
    {Account::kFree, Account::kAllocated,
     "UPDATE funds SET free = free - ?, allocated = allocated - ? WHERE id = ? AND free >= ?"},
    {Account::kFree, Account::kReserved,
     "UPDATE funds SET free = free - ?, reserved = reserved + ? WHERE id = ? AND free >= ?"},
    {Account::kReserved, Account::kFree,
     "UPDATE funds SET reserved = reserved - ?, free = free + ? WHERE id = ? AND reserved >= ?"},
    {Account::kReserved, Account::kInTransit,
     "UPDATE funds SET reserved = reserved - ?, in_transit = in_transit + ? WHERE id = ? AND "
     "reserved >= ?"},
    {Account::kInTransit, Account::kPaid,
     "UPDATE funds SET in_transit = in_transit - ?, paid = paid + ? WHERE id = ? AND in_transit "
     ">= ?"},
    {Account::kInTransit, Account::kReserved,
     "UPDATE funds SET in_transit = in_transit - ?, reserved = reserved + ? WHERE id = ? AND "
     "in_transit >= ?"},
    {Account::kPaid, Account::kReturned,
     "UPDATE funds SET paid = paid - ?, returned = returned + ? WHERE id = ? AND paid >= ?"},
    {Account::kInTransit, Account::kReturned,
     "UPDATE funds SET in_transit = in_transit - ?, returned = returned + ? WHERE id = ? AND "
     "in_transit >= ?"},
    {Account::kReturned, Account::kInTransit,
     "UPDATE funds SET returned = returned - ?, in_transit = in_transit + ? WHERE id = ? AND "
     "returned >= ?"},
    {Account::kReturned, Account::kReserved,
     "UPDATE funds SET returned = returned - ?, reserved = reserved + ? WHERE id = ? AND "
     "returned >= ?"},
    {Account::kPaid, Account::kRecovered,
     "UPDATE funds SET paid = paid - ?, recovered = recovered + ? WHERE id = ? AND paid >= ?"},
    {Account::kReserved, Account::kPaid,
     "UPDATE funds SET reserved = reserved - ?, paid = paid + ? WHERE id = ? AND reserved >= ?"},
    {Account::kPaid, Account::kReserved,
     "UPDATE funds SET paid = paid - ?, reserved = reserved + ? WHERE id = ? AND paid >= ?"},
    {Account::kFree, Account::kAllocated,
     "UPDATE funds SET free = free - ?, allocated = allocated - ? WHERE id = ? AND free >= ?"},
    {Account::kAllocated, Account::kFree,
     "UPDATE funds SET allocated = allocated + ?, free = free + ? WHERE id = ? AND ? > 0"},
};

std::optional<std::string> OptionalBin(const std::string& id) {
  return id.empty() ? std::nullopt : std::optional(UuidToBytes(id).value());
}
std::optional<db::Bytes> AsBytes(const std::optional<std::string>& bin) {
  return bin ? std::optional(db::Bytes(*bin)) : std::nullopt;
}

}  // namespace

std::string_view AccountName(Account account) {
  constexpr std::string_view kNames[] = {"",           "allocated", "free",     "reserved",
                                         "in_transit", "paid",      "returned", "recovered"};
  return kNames[static_cast<int>(account)];
}

bool Post(journal::Unit& unit, const Posting& posting) {
  const MovementRow& row = kMovements[static_cast<int>(posting.movement)];
  const std::string id = UuidToBytes(NewUuid()).value();
  const std::string fund = UuidToBytes(posting.fund).value();
  const std::optional<std::string> award = OptionalBin(posting.award);
  const std::optional<std::string> payment = OptionalBin(posting.payment);
  const int64_t day = BeijingDay(unit.Now()) - Day(1970, 1, 1);
  const int64_t fen = posting.amount_fen;
  static const db::RowShape kRows = db::NewRows(
      "postings", "id, side, fund, account, movement, amount, day, award, payment, entry");
  const auto add = [&](int side, Account account, int64_t amount_fen) {
    unit.sql().Hold(kRows, db::Bytes(id), side, db::Bytes(fund), account, posting.movement,
                    amount_fen, day, AsBytes(award), AsBytes(payment), db::Bytes(unit.entry_key()));
  };
  add(1, row.from, -fen);
  add(2, row.to, fen);
  return unit.sql().Execute(row.update, fen, fen, db::Bytes(fund), fen) == 1;
}

Trial TrialOf(db::Session& sql, std::optional<Day> as_of) {
  Trial trial;
  // No posting is of a later day than this one.
  const int64_t day = as_of ? *as_of - Day(1970, 1, 1) : int64_t{INT32_MAX};
  struct Balances {
    int64_t running[kAccounts + 1] = {};
    int64_t posted[kAccounts + 1] = {};
  };
  std::map<std::string, Balances> funds;
  // Sums and running balances in one statement, so that both are of one moment.
  for (const db::Row& row :
       sql.Query("SELECT f.id, COALESCE(p.account, 0), CAST(COALESCE(SUM(p.amount), 0) AS SIGNED), "
                 "COUNT(p.id), -f.allocated, f.free, f.reserved, f.in_transit, f.paid, "
                 "f.returned, f.recovered FROM funds f LEFT JOIN postings p ON p.fund = f.id AND "
                 "p.day <= ? GROUP BY f.id, p.account, f.allocated, f.free, f.reserved, "
                 "f.in_transit, f.paid, f.returned, f.recovered ORDER BY f.id, p.account",
                 day)) {
    Balances& fund = funds[row.Bytes(0)];
    const int64_t account = row.Int(1);
    fund.posted[account] = row.Int(2);
    trial.postings += row.Int(3);
    for (int i = 1; i <= kAccounts; ++i) fund.running[i] = row.Int(3 + i);
    if (account == 0) continue;
    trial.sums.push_back(
        {UuidFromBytes(row.Bytes(0)).value(), static_cast<Account>(account), fund.posted[account]});
  }
  trial.balanced = true;
  for (const auto& [id, fund] : funds) {
    const bool zero =
        std::accumulate(std::begin(fund.posted), std::end(fund.posted), int64_t{0}) == 0;
    const bool same = as_of || std::equal(std::begin(fund.posted), std::end(fund.posted),
                                          std::begin(fund.running));
    trial.balanced = trial.balanced && zero && same;
  }
  // A posting without its twin, or with one of another fund.
  const db::Rows unequal = sql.Query(
      "SELECT 1 FROM postings WHERE day <= ? GROUP BY id HAVING SUM(amount) <> 0 OR COUNT(*) <> 2 "
      "OR MIN(fund) <> MAX(fund) LIMIT 1",
      day);
  trial.balanced = trial.balanced && unequal.empty();
  return trial;
}

}  // namespace yuezhan::payment
