#include <algorithm>
#include <map>
#include <numeric>

#include "common/base/ids.h"
#include "common/db/session.h"
#include "services/payment/ledger.h"

namespace yuezhan::payment {
namespace {

// Where a movement takes money from, and where it puts it.
struct MovementRow {
  Account from;
  Account to;
};
constexpr MovementRow kMovements[] = {
    {},
    {Account::kAllocated, Account::kFree},  // kAllocate, and so on in the order of Movement
    {Account::kFree, Account::kAllocated},
    {Account::kFree, Account::kReserved},
    {Account::kReserved, Account::kFree},
    {Account::kReserved, Account::kInTransit},
    {Account::kInTransit, Account::kPaid},
    {Account::kInTransit, Account::kReserved},
    {Account::kPaid, Account::kReturned},
    {Account::kInTransit, Account::kReturned},
    {Account::kReturned, Account::kInTransit},
    {Account::kReturned, Account::kReserved},
    {Account::kPaid, Account::kRecovered},
    {Account::kReserved, Account::kPaid},
    {Account::kPaid, Account::kReserved},
    {Account::kFree, Account::kAllocated},
    {Account::kAllocated, Account::kFree},
};

// The running balances, in the order of Account.
const db::SumShape& Balances() {
  static const db::SumShape kBalances =
      db::AddedTo("funds", "allocated, free, reserved, in_transit, paid, returned, recovered");
  return kBalances;
}

std::optional<std::string> OptionalBin(const std::string& id) {
  return id.empty() ? std::nullopt : std::optional(UuidToBytes(id).value());
}
std::optional<db::Bytes> AsBytes(const std::optional<std::string>& bin) {
  return bin ? std::optional(db::Bytes(*bin)) : std::nullopt;
}

// Enters the two postings; returns what they do to the running balances.
std::vector<int64_t> Enter(journal::Unit& unit, const Posting& posting, const std::string& fund) {
  const MovementRow& row = kMovements[static_cast<int>(posting.movement)];
  const std::string id = UuidToBytes(NewUuid()).value();
  const std::optional<std::string> award = OptionalBin(posting.award);
  const std::optional<std::string> payment = OptionalBin(posting.payment);
  const int64_t day = BeijingDay(unit.Now()) - Day(1970, 1, 1);
  static const db::RowShape kRows = db::NewRows(
      "postings", "id, side, fund, account, movement, amount, day, award, payment, entry");
  std::vector<int64_t> balances(kAccounts);
  const auto add = [&](int side, Account account, int64_t amount_fen) {
    unit.sql().Hold(kRows, db::Bytes(id), side, db::Bytes(fund), account, posting.movement,
                    amount_fen, day, AsBytes(award), AsBytes(payment), db::Bytes(unit.entry_key()));
    // The source's balance is negative, its column is not.
    balances[static_cast<size_t>(account) - 1] +=
        account == Account::kAllocated ? -amount_fen : amount_fen;
  };
  add(1, row.from, -posting.amount_fen);
  add(2, row.to, posting.amount_fen);
  return balances;
}

}  // namespace

std::string_view AccountName(Account account) {
  constexpr std::string_view kNames[] = {"",           "allocated", "free",     "reserved",
                                         "in_transit", "paid",      "returned", "recovered"};
  return kNames[static_cast<int>(account)];
}

bool Post(journal::Unit& unit, const Posting& posting) {
  if (posting.amount_fen <= 0) return false;
  const std::string fund = UuidToBytes(posting.fund).value();
  return unit.sql().AddSums(Balances(), db::Bytes(fund), Enter(unit, posting, fund));
}

void PostLast(journal::Unit& unit, const Posting& posting) {
  const std::string fund = UuidToBytes(posting.fund).value();
  unit.sql().HoldSums(Balances(), db::Bytes(fund), Enter(unit, posting, fund));
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
