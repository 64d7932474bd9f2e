#ifndef YUEZHAN_SERVICES_PAYMENT_LEDGER_H_
#define YUEZHAN_SERVICES_PAYMENT_LEDGER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/dates.h"
#include "common/journal/journal.h"

namespace yuezhan::db {
class Session;
}

namespace yuezhan::payment {

// Accounts of a fund, as postings name them. kAllocated is the source: negative. The others are
// never negative, and all of them sum to zero.
enum class Account {
  kAllocated = 1,
  kFree = 2,
  kReserved = 3,
  kInTransit = 4,
  kPaid = 5,
  kReturned = 6,   // sent back by the payee's bank, until it goes out again or is reserved again
  kRecovered = 7,  // brought back from the host
};
inline constexpr int kAccounts = 7;
// "in_transit".
std::string_view AccountName(Account account);

// What moves money from one account of a fund to another; always by a positive amount.
enum class Movement {
  kAllocate = 1,  // allocated → free
  kTakeBack = 2,  // free → allocated
  kReserve = 3,   // free → reserved: an award
  kRelease = 4,   // reserved → free: the award is no more
  kInstruct = 5,  // reserved → in transit: a transfer goes out
  kSettle = 6,    // in transit → paid
  kFail = 7,          // in transit → reserved: the bank did definitely not pay
  kReturn = 8,        // paid → returned: sent back by the payee's bank
  kReturnAtOnce = 9,  // in transit → returned: the same, before we knew that it had settled
  kResend = 10,       // returned → in transit: a new transfer goes out
  kKeep = 11,         // returned → reserved: it does not go out again for now
  kRecover = 12,      // paid → recovered
  kSettleLate = 13,   // reserved → paid: said to have failed, and paid as the statements show
  kUnsettle = 14,     // paid → reserved: said to be paid, and not as the statements show
  kCarryOut = 15,     // free → allocated: to another fund
  kCarryIn = 16,      // allocated → free: from another fund
};

// Ids are UUID text; award and payment "" where there is none.
struct Posting {
  Movement movement;
  std::string fund;
  int64_t amount_fen = 0;
  std::string award;
  std::string payment;
};

// Enters the two postings, tied to the unit's journal entry, and then moves the fund's running
// balances, by one conditional UPDATE: its row is hot, so call this last in the unit. False when
// the account it takes from has less than the amount; the unit must then not be committed.
bool Post(journal::Unit& unit, const Posting& posting);
// The same where the money is there for certain, as it was reserved before: the balances move at
// the end of the transaction, all of one fund at once. If it is not there, the transaction fails.
void PostLast(journal::Unit& unit, const Posting& posting);

// What the postings say, in one look each.
struct AccountSum {
  std::string fund;  // id
  Account account;
  int64_t fen;
};
struct Trial {
  std::vector<AccountSum> sums;  // in the order of funds and accounts
  bool balanced = false;
  int64_t postings = 0;
};
// `as_of`: postings of later days do not count, and running balances are not compared.
Trial TrialOf(db::Session& sql, std::optional<Day> as_of);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_LEDGER_H_
