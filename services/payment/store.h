#ifndef YUEZHAN_SERVICES_PAYMENT_STORE_H_
#define YUEZHAN_SERVICES_PAYMENT_STORE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/dates.h"
#include "common/db/session.h"
#include "common/journal/vault.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/payment/v1/records.pb.h"

namespace yuezhan::payment {

// A page of a list: rows after `after` (an id, "" from the start), in the order of their ids.
struct Page {
  std::string after;
  int limit = 50;
};

// A page of awards, in the order of their resolution.
struct AwardPage {
  int64_t after_seq = 0;
  std::string after_id;  // "" from the start
  int limit = 50;
};

// What a fund has free.
struct FreeMoney {
  std::string fund;  // id
  int64_t fen = 0;
};

// An award that waits for money.
struct WaitingAward {
  using Place =
      std::pair<int64_t, std::string>;  // resolved_seq and id: the order of those who wait
  Place place;
  int64_t fen = 0;
};

// A payment that the bank is to be asked about, as far as columns tell.
struct OpenTransfer {
  std::string payment;      // id
  std::string transfer_id;  // lower-case hex
  v1::PaymentState state;
  int64_t decided_on = 0;  // day since 1970-01-01; 0: not decided
};

// A statement's line as its row keeps it.
struct StoredLine {
  v1::StatementLineRecord record;
  int64_t version = 0;
  bool entered = false;
};

// Who decided that a payment goes to an account.
enum class AccountSource { kSubmission = 1, kRegistry = 2, kCorrected = 3 };

// All SQL of the service but the ledger's. Resources are read and written whole. Ids are UUID text.
// Methods throw db::Error; DATA_LOSS when a sealed row does not open.
class Store {
 public:
  explicit Store(const journal::Vault& vault) : vault_(vault) {}

  // False when there is one of that year and source; `existing` is its resource name.
  bool InsertFund(db::Session& sql, const v1::Fund& fund, std::string* existing) const;
  // With its balances. `lock`: keeps the row until the transaction ends.
  std::optional<v1::Fund> Fund(db::Session& sql, std::string_view id, bool lock) const;
  std::vector<v1::Fund> Funds(db::Session& sql, const Page& page) const;
  // What was allocated, adjusted, carried over; never changed. By id in the list.
  void InsertFundChange(db::Session& sql, const v1::FundChange& change,
                        std::string_view entry_key) const;
  std::vector<std::pair<std::string, v1::FundChange>> FundChanges(db::Session& sql,
                                                                  std::string_view fund,
                                                                  const Page& page) const;
  // What the year's funds have free, in the order of their ids.
  std::vector<FreeMoney> FreeOf(db::Session& sql, int year) const;
  // The same, and keeps their rows until the transaction ends.
  std::vector<FreeMoney> LockFreeOf(db::Session& sql, int year) const;
  // Keeps the rows of all funds of these funds' years, in the order of their ids: before one of
  // them is locked by itself where the others may be needed too.
  void LockYearsOf(db::Session& sql, const std::vector<std::string>& funds) const;

  void InsertAward(db::Session& sql, v1::AwardRecord* award) const;
  // Writes a locked award, and gives it its next version. Held until the transaction ends.
  void UpdateAward(db::Session& sql, v1::AwardRecord* award) const;
  absl::StatusOr<std::optional<v1::AwardRecord>> Award(db::Session& sql, std::string_view case_id,
                                                       bool lock) const;
  // Those that are there, by name, as they are now.
  absl::StatusOr<std::map<std::string, v1::AwardRecord>> AwardsByCase(
      db::Session& sql, const std::vector<std::string>& case_names) const;
  // Locks them by one statement; Award then has them at hand, once.
  void PrefetchAwards(db::Session& sql, const std::vector<std::string>& case_names) const;
  // The award that a payment is of, its row locked. Absent when there is no such payment.
  absl::StatusOr<std::optional<v1::AwardRecord>> LockAwardOf(db::Session& sql,
                                                             std::string_view payment_id) const;
  // `host_unit` empty and `state` 0: any.
  absl::StatusOr<std::vector<v1::AwardRecord>> Awards(db::Session& sql, std::string_view host_unit,
                                                      int state, const AwardPage& page) const;
  // The award that has waited longest in the year; nothing: none waits.
  std::optional<WaitingAward> FirstWaiting(db::Session& sql, int year) const;
  std::vector<int> YearsWithWaiting(db::Session& sql) const;

  // False when the case or its station has a payment that is not stopped; `existing` is its
  // resource name.
  bool InsertPayment(db::Session& sql, v1::PaymentRecord* payment, std::string* existing) const;
  // Writes a locked payment, and gives it its next etag. Held until the transaction ends.
  void UpdatePayment(db::Session& sql, v1::PaymentRecord* payment) const;
  absl::StatusOr<std::optional<v1::PaymentRecord>> Payment(db::Session& sql, std::string_view id,
                                                           bool lock) const;
  // Whether those of them that are there are all in the state.
  bool AllIn(db::Session& sql, const std::vector<std::string>& names, int state) const;
  // Those that are there, by name, as they are now.
  absl::StatusOr<std::map<std::string, v1::PaymentRecord>> PaymentsByName(
      db::Session& sql, const std::vector<std::string>& names) const;
  // Locks payments and their awards by a statement each, awards first; LockAwardOf and Payment then
  // have them at hand, once.
  void PrefetchOrders(db::Session& sql, const std::vector<std::string>& names) const;
  // `host_unit` empty and `state` 0: any.
  absl::StatusOr<std::vector<v1::PaymentRecord>> Payments(db::Session& sql,
                                                          std::string_view host_unit, int state,
                                                          const Page& page) const;

  // Those that need that attention; `host_unit` empty: any.
  absl::StatusOr<std::vector<v1::PaymentRecord>> PaymentsNeeding(db::Session& sql,
                                                                 std::string_view host_unit,
                                                                 v1::PaymentAttention attention,
                                                                 Day receipts_due_before,
                                                                 const Page& page) const;

  // What an account is found by where its number is sealed: the same for the same number.
  std::string AccountKey(std::string_view number) const;
  // Keeps that the payment's account of now was decided. Never changed.
  void InsertAccountDecision(db::Session& sql, const v1::Payment& payment, AccountSource source,
                             std::string_view officer, Day day, std::string_view entry_key) const;
  // Keeps the payment's current transfer, before it is sent; adopted: found in a statement.
  void InsertTransfer(db::Session& sql, const v1::Payment& payment, Day day, bool adopted,
                      std::string_view entry_key) const;
  // Payments in that state whose transfer the bank knows or is to know, in order.
  std::vector<OpenTransfer> OpenTransfers(db::Session& sql, int state, const Page& page) const;
  // Payments SETTLED or FAILED on `from` or later, after (after_day, after_id), in that order.
  std::vector<OpenTransfer> DecidedTransfers(db::Session& sql, int64_t from, int64_t after_day,
                                             std::string_view after_id, int limit) const;

  // ---- statements: mysql_statements.cc ----

  // Whether a line of that content is there already.
  bool HasLine(db::Session& sql, std::string_view content_key) const;
  void InsertStatement(db::Session& sql, const v1::Statement& statement,
                       std::string_view entry_key) const;
  std::vector<v1::Statement> Statements(db::Session& sql, const Page& page) const;
  void InsertLine(db::Session& sql, const v1::StatementLineRecord& record,
                  std::string_view content_key) const;
  // Writes the line if its row still has its version, which it raises. False otherwise. `entered`:
  // what it says stands in its payment.
  bool UpdateLine(db::Session& sql, const StoredLine& stored, bool entered) const;
  absl::StatusOr<std::optional<StoredLine>> Line(db::Session& sql, std::string_view line_id,
                                                 bool lock) const;
  // `state` 0: PROPOSED and UNMATCHED.
  absl::StatusOr<std::vector<StoredLine>> Lines(db::Session& sql, int state,
                                                const Page& page) const;
  // Ids of matched lines that do not stand in their payments yet.
  std::vector<std::string> LinesToEnter(db::Session& sql, int limit) const;
  // Outgoing minus incoming lines of a transfer, fen.
  int64_t NetOnStatements(db::Session& sql, std::string_view transfer_id) const;
  // Day of its first line in that direction.
  std::optional<Day> LineDay(db::Session& sql, std::string_view transfer_id, bool outgoing) const;

  // The payment of a transfer, with its amount; absent: no transfer of ours.
  struct KnownTransfer {
    std::string payment;  // id
    int64_t amount_fen;
    Day day;
  };
  std::optional<KnownTransfer> Transfer(db::Session& sql, std::string_view transfer_id) const;
  // Payments to that account with that amount, that are not stopped.
  std::vector<std::string> PaymentsTo(db::Session& sql, std::string_view account_key,
                                      int64_t fen) const;
  // Whether a statement covers the day.
  bool Covered(db::Session& sql, Day day) const;

  // Begins a hold, once for each id. False: it had begun before.
  bool InsertHold(db::Session& sql, std::string_view id, Day since, absl::Time begun) const;
  bool IsHeld(db::Session& sql) const;
  // Ends all holds. How many it were.
  int64_t EndHolds(db::Session& sql, absl::Time ended) const;
  // Whether that hold began at any time.
  bool KnowsHold(db::Session& sql, std::string_view id) const;
  // The hold that has not ended, with what is missing to end it. Statements count that were
  // imported so long after it began.
  std::optional<v1::Hold> OpenHold(db::Session& sql, Day today, absl::Duration least) const;
  // The last day on which money moved here, or was reserved; `otherwise`: it never did.
  Day LastDay(db::Session& sql, Day otherwise) const;

 private:
  void PrefetchAwardsOf(db::Session& sql, const std::vector<std::string>& payments) const;
  absl::StatusOr<v1::AwardRecord> ReadAward(const db::Row& row) const;
  absl::StatusOr<std::vector<v1::PaymentRecord>> Opened(const db::Rows& rows) const;

  const journal::Vault& vault_;
};

// Amounts inside are fen; Money of our own resources is always whole fen.
int64_t FenIn(const google::type::Money& money);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_STORE_H_
