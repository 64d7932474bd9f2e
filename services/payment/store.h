#ifndef YUEZHAN_SERVICES_PAYMENT_STORE_H_
#define YUEZHAN_SERVICES_PAYMENT_STORE_H_

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

// A payment that the bank is to be asked about, as far as columns tell.
struct OpenTransfer {
  std::string payment;      // id
  std::string transfer_id;  // lower-case hex
  v1::PaymentState state;
  int64_t decided_on = 0;  // day since 1970-01-01; 0: not decided
};

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
  // The first fund of the year with so much free; its id, or "".
  std::string FundWithFree(db::Session& sql, int year, int64_t fen) const;

  void InsertAward(db::Session& sql, v1::AwardRecord* award) const;
  // Writes the award if its row still has its version, and gives it the next one. False otherwise.
  bool UpdateAward(db::Session& sql, v1::AwardRecord* award) const;
  absl::StatusOr<std::optional<v1::AwardRecord>> Award(db::Session& sql, std::string_view case_id,
                                                       bool lock) const;
  // `host_unit` empty and `state` 0: any.
  absl::StatusOr<std::vector<v1::AwardRecord>> Awards(db::Session& sql, std::string_view host_unit,
                                                      int state, const AwardPage& page) const;
  // Whether an award of the year waits that was resolved before this one.
  bool SomeoneWaitsBefore(db::Session& sql, int year, int64_t resolved_seq,
                          std::string_view case_id) const;
  // Id and amount of the award that has waited longest in the year; nothing: none waits.
  std::optional<std::pair<std::string, int64_t>> FirstWaiting(db::Session& sql, int year) const;
  std::vector<int> YearsWithWaiting(db::Session& sql) const;

  // False when the case or its station has a payment that is not stopped; `existing` is its
  // resource name.
  bool InsertPayment(db::Session& sql, v1::PaymentRecord* payment, std::string* existing) const;
  bool UpdatePayment(db::Session& sql, v1::PaymentRecord* payment) const;
  absl::StatusOr<std::optional<v1::PaymentRecord>> Payment(db::Session& sql, std::string_view id,
                                                           bool lock) const;
  // `host_unit` empty and `state` 0: any.
  absl::StatusOr<std::vector<v1::PaymentRecord>> Payments(db::Session& sql,
                                                          std::string_view host_unit, int state,
                                                          const Page& page) const;

  // Keeps a transfer before it is sent.
  void InsertTransfer(db::Session& sql, const v1::Payment& payment, int64_t fen,
                      absl::Time not_after, std::string_view entry_key) const;
  // Payments in that state whose transfer the bank knows or is to know, in order.
  std::vector<OpenTransfer> OpenTransfers(db::Session& sql, int state, const Page& page) const;
  // Payments SETTLED or FAILED on `from` or later, after (after_day, after_id), in that order.
  std::vector<OpenTransfer> DecidedTransfers(db::Session& sql, int64_t from, int64_t after_day,
                                             std::string_view after_id, int limit) const;

 private:
  const journal::Vault& vault_;
};

// Amounts inside are fen; Money of our own resources is always whole fen.
int64_t FenIn(const google::type::Money& money);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_STORE_H_
