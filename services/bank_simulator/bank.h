#ifndef YUEZHAN_SERVICES_BANK_SIMULATOR_BANK_H_
#define YUEZHAN_SERVICES_BANK_SIMULATOR_BANK_H_

#include <memory>
#include <random>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clocks.h"
#include "common/base/context.h"
#include "common/rpc/handlers.h"
#include "services/bank_simulator/books.h"
#include "yuezhan/bank/v1/bank.pb.h"

namespace yuezhan::bank {

// A bank that is not there: takes orders, keeps books, and misbehaves as it is told. Days of value
// are those of the business clock; not_after is by the wall clock. A day after it took a transfer
// it forgets that it knows the id: the same order again is then a new transfer. Thread-safe.
class Bank {
 public:
  Bank(std::unique_ptr<Books> books, Clocks clocks);

  absl::Status ExecuteTransfer(Context& context, const v1::ExecuteTransferRequest& request,
                               v1::Transfer* answer);
  absl::Status GetTransfer(Context& context, const v1::GetTransferRequest& request,
                           v1::Transfer* answer);
  absl::Status ListTransfers(Context& context, const v1::ListTransfersRequest& request,
                             v1::ListTransfersResponse* answer);
  absl::Status GetStatement(Context& context, const v1::GetStatementRequest& request,
                            v1::GetStatementResponse* answer);
  absl::Status SetBehavior(Context& context, const v1::SetBehaviorRequest& request,
                           v1::SetBehaviorResponse* answer);

  // Both services of the contract, on this bank.
  std::vector<rpc::Service> Services();
  // Ends the silence of every call that is being kept waiting.
  void StopWaiting();

 private:
  // The behavior of the next transfer; counts it.
  v1::Behavior Next() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The transfer of that id, unless the bank has forgotten that it knows it.
  const Entry* Remembered(const std::string& transfer_id) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDown() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Take(const v1::ExecuteTransferRequest& order, v1::Behavior behavior)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What a look at the transfer brings about; writes what changed.
  absl::Status Look(Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Decide(v1::TransferState state, std::string_view reason, Entry* entry);
  // Before anything is told of the books, and without the lock, so that others can write meanwhile.
  absl::Status Flush() ABSL_NO_THREAD_SAFETY_ANALYSIS { return books_->Flush(); }
  void Sleep(absl::Time until);

  const Clocks clocks_;
  absl::Mutex mutex_;
  const std::unique_ptr<Books> books_ ABSL_PT_GUARDED_BY(mutex_);
  v1::SetBehaviorRequest told_ ABSL_GUARDED_BY(mutex_);
  int transfers_left_ ABSL_GUARDED_BY(mutex_) = 0;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace yuezhan::bank

#endif  // YUEZHAN_SERVICES_BANK_SIMULATOR_BANK_H_
