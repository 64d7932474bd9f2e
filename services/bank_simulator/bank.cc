#include "services/bank_simulator/bank.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/base/money.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "google/protobuf/util/message_differencer.h"

namespace yuezhan::bank {
namespace {

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

absl::Status NotFound(const std::string& transfer_id) {
  return errors::NotFound(absl::StrCat("transfers/", transfer_id));
}

}  // namespace

Bank::Bank(std::unique_ptr<Books> books, Clocks clocks)
    : clocks_(std::move(clocks)), books_(std::move(books)) {}

std::vector<rpc::Service> Bank::Services() {
  rpc::Service bank("yuezhan.bank.v1.BankService");
  bank.Add("ExecuteTransfer", &Bank::ExecuteTransfer, this)
      .Add("GetTransfer", &Bank::GetTransfer, this)
      .Add("ListTransfers", &Bank::ListTransfers, this);
  rpc::Service simulator("yuezhan.bank.v1.SimulatorService");
  simulator.Add("SetBehavior", &Bank::SetBehavior, this);
  return {bank, simulator};
}

absl::Status Bank::ExecuteTransfer(Context& context, const v1::ExecuteTransferRequest& request,
                                   v1::Transfer* answer) {
  const absl::StatusOr<int64_t> fen = FenOf(request.amount());
  if (!fen.ok() || *fen <= 0) {
    return errors::InvalidField("amount", "须为大于零的人民币金额",
                                "must be an amount of CNY above zero");
  }
  v1::Behavior behavior = v1::BEHAVIOR_UNSPECIFIED;
  {
    absl::MutexLock lock(&mutex_);
    if (const Entry* known = books_->Find(request.transfer_id()); known != nullptr) {
      if (!google::protobuf::util::MessageDifferencer::Equals(known->order, request)) {
        return errors::InvalidField("transfer_id", "已用于内容不同的另一笔转账",
                                    "is the id of another transfer");
      }
      if (IsDown()) return errors::Unavailable("bank");
      Entry entry = *known;
      if (absl::Status status = Look(&entry); !status.ok()) return status;
      *answer = entry.transfer;
      return entry.transfer.state() == v1::TRANSFER_STATE_UNSPECIFIED ? errors::Unavailable("bank")
                                                                      : absl::OkStatus();
    }
    behavior = Next();
    if (behavior == v1::BEHAVIOR_DOWN) return errors::Unavailable("bank");
    if (absl::Status status = Take(request, behavior); !status.ok()) return status;
    *answer = books_->Find(request.transfer_id())->transfer;
  }
  if (behavior == v1::BEHAVIOR_SETTLE_AFTER_ERROR) return errors::Unavailable("bank");
  if (behavior == v1::BEHAVIOR_SILENT) {
    Sleep(context.deadline);
    return errors::DeadlineExceeded();
  }
  if (behavior == v1::BEHAVIOR_SLOW) {
    Sleep(std::min(context.deadline, WallNow() + absl::Seconds(1)));
  }
  return absl::OkStatus();
}

absl::Status Bank::GetTransfer(Context&, const v1::GetTransferRequest& request,
                               v1::Transfer* answer) {
  absl::MutexLock lock(&mutex_);
  if (IsDown()) return errors::Unavailable("bank");
  const Entry* known = books_->Find(request.transfer_id());
  if (known == nullptr) return NotFound(request.transfer_id());
  Entry entry = *known;
  if (absl::Status status = Look(&entry); !status.ok()) return status;
  if (entry.transfer.state() == v1::TRANSFER_STATE_UNSPECIFIED) {
    return NotFound(request.transfer_id());
  }
  *answer = entry.transfer;
  return absl::OkStatus();
}

absl::Status Bank::ListTransfers(Context& context, const v1::ListTransfersRequest& request,
                                 v1::ListTransfersResponse* answer) {
  const absl::StatusOr<std::string> token = rpc::ReadPageToken(context.method, request);
  if (!token.ok()) return token.status();
  size_t at = 0;
  if (!token->empty() && !absl::SimpleAtoi(*token, &at)) return errors::PageTokenInvalid();
  absl::MutexLock lock(&mutex_);
  if (IsDown()) return errors::Unavailable("bank");
  const auto& entries = books_->entries();
  for (; at < entries.size() && answer->transfers_size() < rpc::PageSize(request); ++at) {
    if (entries[at]->transfer.state() != v1::TRANSFER_STATE_UNSPECIFIED) {
      *answer->add_transfers() = entries[at]->transfer;
    }
  }
  if (at < entries.size()) {
    answer->set_next_page_token(rpc::MakePageToken(context.method, request, absl::StrCat(at)));
  }
  return absl::OkStatus();
}

absl::Status Bank::SetBehavior(Context&, const v1::SetBehaviorRequest& request,
                               v1::SetBehaviorResponse*) {
  if (request.transfers() < 0) {
    return errors::InvalidField("transfers", "不得为负", "must not be negative");
  }
  absl::MutexLock lock(&mutex_);
  told_ = request;
  transfers_left_ = request.transfers();
  random_.seed(request.seed());
  return absl::OkStatus();
}

void Bank::StopWaiting() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
}

v1::Behavior Bank::Next() {
  if (told_.transfers() > 0 && transfers_left_-- <= 0) {
    told_.Clear();
    transfers_left_ = 0;
  }
  if (told_.seed() == 0) return told_.behavior();
  return static_cast<v1::Behavior>(random_() % v1::Behavior_ARRAYSIZE);
}

bool Bank::IsDown() const {
  return told_.seed() == 0 && told_.behavior() == v1::BEHAVIOR_DOWN &&
         (told_.transfers() == 0 || transfers_left_ > 0);
}

absl::Status Bank::Take(const v1::ExecuteTransferRequest& order, v1::Behavior behavior) {
  Entry entry;
  entry.order = order;
  entry.behavior = behavior;
  v1::Transfer& transfer = entry.transfer;
  transfer.set_transfer_id(order.transfer_id());
  transfer.set_bank_reference(absl::StrFormat("SIM%08d", books_->entries().size() + 1));
  *transfer.mutable_amount() = order.amount();
  transfer.set_payee_holder(order.payee_holder());
  transfer.set_payee_account(order.payee_account());
  if (clocks_.wall() > FromProto(order.not_after())) {
    Decide(v1::TRANSFER_STATE_FAILED, "已过执行期限", &entry);
  } else if (behavior == v1::BEHAVIOR_FAIL) {
    Decide(v1::TRANSFER_STATE_FAILED, "收款账户已停用", &entry);
  } else if (behavior == v1::BEHAVIOR_DECIDE_LATER) {
    transfer.set_state(v1::TRANSFER_STATE_ACCEPTED);
  } else if (behavior != v1::BEHAVIOR_SETTLE_AFTER_ERROR) {
    Decide(v1::TRANSFER_STATE_SETTLED, "", &entry);
  }
  return books_->Write(entry);
}

absl::Status Bank::Look(Entry* entry) {
  const v1::TransferState before = entry->transfer.state();
  const bool in_time = clocks_.wall() <= FromProto(entry->order.not_after());
  ++entry->looks;
  if (before == v1::TRANSFER_STATE_ACCEPTED) {
    Decide(in_time ? v1::TRANSFER_STATE_SETTLED : v1::TRANSFER_STATE_FAILED,
           in_time ? "" : "已过执行期限", entry);
  } else if (before == v1::TRANSFER_STATE_SETTLED && entry->looks == 1 &&
             entry->behavior == v1::BEHAVIOR_RETURN_LATER) {
    Decide(v1::TRANSFER_STATE_RETURNED, "户名与账号不符，退回", entry);
  } else if (before == v1::TRANSFER_STATE_UNSPECIFIED && entry->looks > 1 && in_time) {
    // An order that was still under way when somebody looked for it: "not found" is no answer
    // before its not_after.
    Decide(v1::TRANSFER_STATE_SETTLED, "", entry);
  } else if (entry->looks > 2) {
    return absl::OkStatus();  // nothing changes any more
  }
  return books_->Write(*entry);
}

void Bank::Decide(v1::TransferState state, std::string_view reason, Entry* entry) {
  const absl::Time now = clocks_.business->Now();
  entry->transfer.set_state(state);
  entry->transfer.set_reason(std::string(reason));
  entry->transfer.mutable_decide_time()->set_seconds(absl::ToUnixSeconds(now));
}

void Bank::Sleep(absl::Time until) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithDeadline(absl::Condition(&stopping_), until);
}

}  // namespace yuezhan::bank
