#ifndef YUEZHAN_SERVICES_PAYMENT_TEST_BANK_H_
#define YUEZHAN_SERVICES_PAYMENT_TEST_BANK_H_

#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "absl/synchronization/mutex.h"
#include "common/base/dates.h"
#include "common/rpc/client.h"
#include "yuezhan/bank/v1/bank.pb.h"

namespace yuezhan::payment {

// What a bank may do to a transfer that is new to it.
enum class Manner {
  kSettle,            // as it should
  kFail,              // fails it, and says so
  kSilent,            // settles it, and the answer is lost
  kLost,              // the call is lost on its way: the bank never sees it
  kSettleAfterError,  // answers an error, and settles when it is next asked
  kDecideLater,       // takes it, and settles at the second look
  kFailLater,         // takes it, and fails it at the second look
  kReturnLater,       // settles it, and sends the money back at the second look
};
inline constexpr int kManners = 8;

// A bank with books that misbehaves as it is told, and tells what it must never see.
class TestBank : public rpc::Channel {
 public:
  explicit TestBank(std::function<absl::Time()> wall) : wall_(std::move(wall)) {}

  absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* answer, const rpc::CallOptions& options) override;

  // Manners of the next new transfers; afterwards as it should, or by chance.
  void Next(std::initializer_list<Manner> manners);
  void ByChance(uint64_t seed);
  void Behave();
  // Every call is answered by this error, and nothing happens; OK: no more.
  void SetDown(absl::Status status);
  // Changes what the bank says of a transfer: a bank that contradicts itself.
  void Rewrite(const std::string& transfer_id, bank::v1::TransferState state);

  int64_t calls() const;     // all of them, those that met a bank that is down too
  int64_t executed() const;  // calls of ExecuteTransfer that reached the bank
  int64_t asked() const;     // calls of GetTransfer that reached the bank
  // By account: what was settled and not sent back, fen.
  std::map<std::string, int64_t> Received() const;
  // Its statement: all that moved, on that day, as CSV; without the callers' ids as some banks.
  std::string Statement(Day day, bool ids) const;
  // The bank's own word on a transfer; unspecified: it does not know it.
  bank::v1::TransferState StateOf(const std::string& transfer_id) const;
  // A transfer that came again with other content, or after its not_after.
  std::string fault() const;

 private:
  struct Entry {
    bank::v1::ExecuteTransferRequest order;
    bank::v1::Transfer transfer;  // state unspecified: not yet in the books
    Manner manner = Manner::kSettle;
    int looks = 0;
  };
  absl::Status Execute(const bank::v1::ExecuteTransferRequest& request, bank::v1::Transfer* answer);
  absl::Status Get(const std::string& transfer_id, bank::v1::Transfer* answer);
  void Look(Entry& entry);

  const std::function<absl::Time()> wall_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::deque<Manner> next_;
  bool by_chance_ = false;
  std::mt19937_64 random_;
  absl::Status down_;
  int64_t calls_ = 0;
  int64_t executed_ = 0;
  int64_t asked_ = 0;
  std::string fault_;
};

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_TEST_BANK_H_
