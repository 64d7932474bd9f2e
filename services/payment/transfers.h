#ifndef YUEZHAN_SERVICES_PAYMENT_TRANSFERS_H_
#define YUEZHAN_SERVICES_PAYMENT_TRANSFERS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/journal/journal.h"
#include "common/rpc/client.h"
#include "services/payment/store.h"

namespace yuezhan::payment {

// How long the bank may execute a transfer, by the wall clock. Shorter than a day, after which a
// bank may have forgotten that it knows the id; longer than an outage that one sleeps through.
inline constexpr absl::Duration kTransferLife = absl::Hours(6);
// How far the bank's clock may be behind ours: "not found" is final that much after not_after.
inline constexpr absl::Duration kClockTolerance = absl::Minutes(10);

// The id of a payment's transfer: lower-case hex of H(payment, attempt).
std::string TransferId(std::string_view payment_name, int attempt);

// What the statement says a transfer is for.
std::string TransferPurpose(const v1::PaymentRecord& record);

// Whether the bank says now that the money of a transfer that failed or came back is not out. The
// error of the call when it cannot be asked.
absl::StatusOr<bool> MoneyIsBack(rpc::Channel& bank, std::string_view transfer_id,
                                 const rpc::CallOptions& options);

// Which of `lanes` takes a transfer.
int LaneOf(std::string_view transfer_id, int lanes);

struct TransferTiming {
  absl::Duration call = absl::Seconds(5);           // longest wait for the bank's answer
  absl::Duration idle = absl::Milliseconds(400);    // between two rounds
  absl::Duration first = absl::Milliseconds(250);   // until an unknown one is asked about again,
  absl::Duration longest = absl::Minutes(1);        // doubled each time up to this
  absl::Duration decided_first = absl::Seconds(2);  // the same for those settled or failed: the
  absl::Duration decided_longest =
      absl::Hours(1);  // bank may send money back, or contradict itself
  absl::Duration decided_round = absl::Seconds(1);  // between two rounds of them
  int decided_days = 10;                            // business days back that they are looked at
};

// Sends the transfers that were instructed, and asks what became of those that are not known, one
// after the other. Any number of processes may do so side by side, and each may be killed anywhere:
// the id is stored before it is sent and executed once by the bank, and the answer is recorded by a
// conditional write. `lane` of `lanes`: which share this object takes, so that one silent call does
// not hold up all.
class Transfers {
 public:
  Transfers(journal::Journal& journal, const journal::Vault& vault, rpc::Channel& bank,
            int lane = 0, int lanes = 1, TransferTiming timing = {})
      : journal_(journal),
        store_(vault),
        bank_(bank),
        lane_(lane),
        lanes_(lanes),
        timing_(timing) {}

  // One page of them, all three steps below. Returns how long to wait.
  absl::StatusOr<absl::Duration> Step();

  // What the bank said of a transfer, as far as payment goes by it.
  struct Word {
    v1::PaymentState state = v1::PAYMENT_STATE_UNSPECIFIED;  // unspecified: nothing new
    std::string bank_reference;
    std::string reason;
    std::optional<absl::Time> decide_time;
    std::string incident;  // what contradicts; empty: nothing
  };
  // The steps of Step. Next: the page after the one before, of those that are sent, then unknown,
  // then decided. Ask: executes or asks; every error of the call is the word "unknown". Record:
  // writes the word, once, unless the payment moved on.
  absl::StatusOr<std::vector<OpenTransfer>> Next();
  absl::StatusOr<Word> Ask(const OpenTransfer& open);
  absl::Status Record(const OpenTransfer& open, const Word& word);
  // The same of several, in one transaction, or where one of them cannot be, each by itself.
  struct Said {
    OpenTransfer open;
    Word word;
  };
  absl::Status RecordAll(const std::vector<Said>& said);

 private:
  struct Look {
    absl::Duration next;   // monotonic
    absl::Duration pause;  // before the one after
    int64_t round = 0;     // when it was last seen
  };
  using Records = std::map<std::string, v1::PaymentRecord>;  // by name
  // By one statement; none where one of them cannot be read: each is read by itself then.
  Records Read(absl::Span<const OpenTransfer> transfers);
  // Ask of one that was read.
  Word AskOf(const OpenTransfer& open, const v1::PaymentRecord& record);
  bool Due(const OpenTransfer& open);
  void Asked(const OpenTransfer& open);
  void EndRound();
  absl::Status RecordIncident(const OpenTransfer& open, const std::string& incident);

  journal::Journal& journal_;
  const Store store_;
  rpc::Channel& bank_;
  const int lane_;
  const int lanes_;
  const TransferTiming timing_;

  // Where Next stands.
  enum class Kind { kInstructed, kUnknown, kDecided };
  Kind kind_ = Kind::kInstructed;
  std::string after_id_;
  int64_t after_day_ = 0;
  bool round_over_ = false;
  int64_t round_ = 0;
  absl::Duration decided_at_ = absl::ZeroDuration();
  std::map<std::string, Look> looks_;  // by transfer and state
};

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_TRANSFERS_H_
