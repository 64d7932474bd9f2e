#include "services/bank_simulator/bank.h"

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/base/csv.h"
#include "common/base/dates.h"
#include "common/base/money.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "google/protobuf/util/message_differencer.h"

namespace yuezhan::bank {
namespace {

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// How long the bank knows that an id was used.
constexpr absl::Duration kKeysAreKept = absl::Hours(24);

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
  simulator.Add("SetBehavior", &Bank::SetBehavior, this)
      .Add("GetStatement", &Bank::GetStatement, this);
  return {bank, simulator};
}

absl::Status Bank::ExecuteTransfer(Context& context, const v1::ExecuteTransferRequest& request,
                                   v1::Transfer* answer) {
  const absl::StatusOr<int64_t> fen = FenOf(request.amount());
  if (!fen.ok() || *fen <= 0) {
    return errors::InvalidField("amount", "须为大于零的人民币金额",
                                "must be an amount of CNY above zero");
  }
  std::optional<v1::Behavior> behavior;  // of a new one
  {
    absl::MutexLock lock(&mutex_);
    if (const Entry* known = Remembered(request.transfer_id()); known != nullptr) {
      if (!google::protobuf::util::MessageDifferencer::Equals(known->order, request)) {
        return errors::InvalidField("transfer_id", "已用于内容不同的另一笔转账",
                                    "is the id of another transfer");
      }
      if (IsDown()) return errors::Unavailable("bank");
      Entry entry = *known;
      if (absl::Status status = Look(&entry); !status.ok()) return status;
      if (entry.transfer.state() == v1::TRANSFER_STATE_UNSPECIFIED)
        return errors::Unavailable("bank");
      *answer = entry.transfer;
    } else {
      behavior = Next();
      if (behavior == v1::BEHAVIOR_DOWN) return errors::Unavailable("bank");
      if (absl::Status status = Take(request, *behavior); !status.ok()) return status;
      *answer = books_->Find(request.transfer_id())->transfer;
    }
  }
  if (absl::Status status = Flush(); !status.ok()) return status;
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
  {
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
  }
  return Flush();
}

absl::Status Bank::ListTransfers(Context& context, const v1::ListTransfersRequest& request,
                                 v1::ListTransfersResponse* answer) {
  const absl::StatusOr<std::string> token = rpc::ReadPageToken(context.method, request);
  if (!token.ok()) return token.status();
  size_t at = 0;
  if (!token->empty() && !absl::SimpleAtoi(*token, &at)) return errors::PageTokenInvalid();
  absl::MutexLock lock(&mutex_);
  if (IsDown()) return errors::Unavailable("bank");
  if (absl::Status status = books_->Flush(); !status.ok()) return status;
  const auto& entries = books_->entries();
  for (; at < entries.size() && answer->transfers_size() < rpc::PageSize(request); ++at) {
    if (entries[at]->transfer.state() == v1::TRANSFER_STATE_UNSPECIFIED) continue;
    *answer->add_transfers() = entries[at]->transfer;
    if (entries[at]->behavior == v1::BEHAVIOR_ANSWER_TWICE)
      *answer->add_transfers() = entries[at]->transfer;
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

absl::Status Bank::GetStatement(Context&, const v1::GetStatementRequest& request,
                                v1::GetStatementResponse* answer) {
  const Day from = DayFromProto(request.from()).value_or(Day::min());
  const Day to = DayFromProto(request.to()).value_or(Day::max());
  std::string text = CsvLine({"账户交易明细"}) +
                     CsvLine({"交易日期", "交易流水号", "客户流水号", "借方金额", "贷方金额",
                              "对方户名", "对方账号", "摘要"});
  const auto add = [&](const Entry& entry, const google::protobuf::Timestamp& time, bool out) {
    const Day day = BeijingDay(FromProto(time));
    if (day < from || day > to) return;
    const std::string yuan = FormatYuan(FenOf(entry.order.amount()).value_or(0));
    text += CsvLine({FormatDay(day), entry.transfer.bank_reference(),
                     request.without_ids() ? "" : entry.order.transfer_id(), out ? yuan : "",
                     out ? "" : yuan, entry.order.payee_holder(), entry.order.payee_account(),
                     out ? entry.order.purpose() : "退汇"});
  };
  absl::MutexLock lock(&mutex_);
  if (IsDown()) return errors::Unavailable("bank");
  if (absl::Status status = books_->Flush(); !status.ok()) return status;
  for (const auto& entry : books_->entries()) {
    if (!entry->transfer.has_settle_time()) continue;
    const int times = entry->behavior == v1::BEHAVIOR_ANSWER_TWICE ? 2 : 1;
    for (int i = 0; i < times; ++i) add(*entry, entry->transfer.settle_time(), true);
    if (entry->transfer.state() == v1::TRANSFER_STATE_RETURNED)
      add(*entry, entry->transfer.decide_time(), false);
  }
  if (request.encoding() == v1::STATEMENT_ENCODING_GB18030) {
    absl::StatusOr<std::string> converted = Utf8ToGb18030(text);
    if (!converted.ok()) return converted.status();
    text = *std::move(converted);
  }
  answer->set_content(text);
  return absl::OkStatus();
}

const Entry* Bank::Remembered(const std::string& transfer_id) const {
  const Entry* known = books_->Find(transfer_id);
  const bool forgotten =
      known != nullptr &&
      clocks_.wall() - absl::FromUnixMillis(known->taken_ms) > kKeysAreKept;
  return forgotten ? nullptr : known;
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
  return static_cast<v1::Behavior>(random_() % v1::BEHAVIOR_SETTLE_AFTER_FAIL);
}

bool Bank::IsDown() const {
  return told_.seed() == 0 && told_.behavior() == v1::BEHAVIOR_DOWN &&
         (told_.transfers() == 0 || transfers_left_ > 0);
}

absl::Status Bank::Take(const v1::ExecuteTransferRequest& order, v1::Behavior behavior) {
  Entry entry;
  entry.order = order;
  entry.behavior = behavior;
  entry.taken_ms = absl::ToUnixMillis(clocks_.wall());
  v1::Transfer& transfer = entry.transfer;
  transfer.set_transfer_id(order.transfer_id());
  transfer.set_bank_reference(absl::StrFormat("SIM%08d", books_->entries().size() + 1));
  *transfer.mutable_amount() = order.amount();
  transfer.set_payee_holder(order.payee_holder());
  transfer.set_payee_account(order.payee_account());
  if (clocks_.wall() > FromProto(order.not_after())) {
    Decide(v1::TRANSFER_STATE_FAILED, "已过执行期限", &entry);
  } else if (behavior == v1::BEHAVIOR_FAIL || behavior == v1::BEHAVIOR_SETTLE_AFTER_FAIL) {
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
  } else if (before == v1::TRANSFER_STATE_FAILED && entry->looks == 1 && in_time &&
             entry->behavior == v1::BEHAVIOR_SETTLE_AFTER_FAIL) {
    Decide(v1::TRANSFER_STATE_SETTLED, "", entry);
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
  if (state == v1::TRANSFER_STATE_SETTLED)
    *entry->transfer.mutable_settle_time() = entry->transfer.decide_time();
}

void Bank::Sleep(absl::Time until) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithDeadline(absl::Condition(&stopping_), until);
}

}  // namespace yuezhan::bank
