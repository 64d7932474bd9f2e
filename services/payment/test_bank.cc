#include "services/payment/test_bank.h"

#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/money.h"
#include "common/base/time_proto.h"
#include "google/protobuf/util/message_differencer.h"

namespace yuezhan::payment {

using bank::v1::Transfer;

absl::Status TestBank::Call(std::string_view method, const google::protobuf::Message& request,
                            google::protobuf::Message* answer, const rpc::CallOptions&) {
  absl::MutexLock lock(&mutex_);
  ++calls_;
  if (!down_.ok()) return down_;
  if (method == "yuezhan.bank.v1.BankService/ExecuteTransfer") {
    return Execute(dynamic_cast<const bank::v1::ExecuteTransferRequest&>(request),
                   dynamic_cast<Transfer*>(answer));
  }
  return Get(dynamic_cast<const bank::v1::GetTransferRequest&>(request).transfer_id(),
             dynamic_cast<Transfer*>(answer));
}

absl::Status TestBank::Execute(const bank::v1::ExecuteTransferRequest& request, Transfer* answer) {
  ++executed_;
  if (const auto known = entries_.find(request.transfer_id()); known != entries_.end()) {
    if (!google::protobuf::util::MessageDifferencer::Equals(known->second.order, request))
      fault_ = absl::StrCat("other content under ", request.transfer_id());
    Look(known->second);
    *answer = known->second.transfer;
    return answer->state() == bank::v1::TRANSFER_STATE_UNSPECIFIED ? absl::UnavailableError("bank")
                                                                   : absl::OkStatus();
  }
  Manner manner = by_chance_ ? static_cast<Manner>(random_() % kManners) : Manner::kSettle;
  if (!next_.empty()) {
    manner = next_.front();
    next_.pop_front();
  }
  if (manner == Manner::kLost) return absl::UnavailableError("lost");
  Entry& entry = entries_[request.transfer_id()];
  entry.order = request;
  entry.manner = manner;
  entry.transfer.set_transfer_id(request.transfer_id());
  entry.transfer.set_bank_reference(absl::StrCat("B", entries_.size()));
  *entry.transfer.mutable_amount() = request.amount();
  entry.transfer.set_payee_account(request.payee_account());
  if (wall_() > FromProto(request.not_after())) {
    fault_ = absl::StrCat("sent after its not_after: ", request.transfer_id());
    entry.manner = Manner::kFail;
  }
  switch (entry.manner) {
    case Manner::kFail:
      entry.transfer.set_state(bank::v1::TRANSFER_STATE_FAILED);
      entry.transfer.set_reason("账户已停用");
      break;
    case Manner::kSettleAfterError:
      return absl::UnavailableError("an error");
    case Manner::kDecideLater:
    case Manner::kFailLater:
      entry.transfer.set_state(bank::v1::TRANSFER_STATE_ACCEPTED);
      break;
    default:
      entry.transfer.set_state(bank::v1::TRANSFER_STATE_SETTLED);
  }
  *answer = entry.transfer;
  return manner == Manner::kSilent ? absl::DeadlineExceededError("silent") : absl::OkStatus();
}

absl::Status TestBank::Get(const std::string& transfer_id, Transfer* answer) {
  ++asked_;
  const auto known = entries_.find(transfer_id);
  if (known == entries_.end()) return absl::NotFoundError("no such transfer");
  Look(known->second);
  *answer = known->second.transfer;
  return answer->state() == bank::v1::TRANSFER_STATE_UNSPECIFIED
             ? absl::NotFoundError("no such transfer yet")
             : absl::OkStatus();
}

void TestBank::Look(Entry& entry) {
  ++entry.looks;
  using S = bank::v1::TransferState;
  const S state = entry.transfer.state();
  if (entry.manner == Manner::kSettleAfterError && state == S::TRANSFER_STATE_UNSPECIFIED &&
      entry.looks > 1) {
    entry.transfer.set_state(S::TRANSFER_STATE_SETTLED);
  } else if (state == S::TRANSFER_STATE_ACCEPTED && entry.looks > 1) {
    entry.transfer.set_state(entry.manner == Manner::kFailLater ? S::TRANSFER_STATE_FAILED
                                                                : S::TRANSFER_STATE_SETTLED);
  } else if (entry.manner == Manner::kReturnLater && entry.looks > 1 &&
             state == S::TRANSFER_STATE_SETTLED) {
    entry.transfer.set_state(S::TRANSFER_STATE_RETURNED);
  }
}

void TestBank::Next(std::initializer_list<Manner> manners) {
  absl::MutexLock lock(&mutex_);
  next_.insert(next_.end(), manners);
}

void TestBank::ByChance(uint64_t seed) {
  absl::MutexLock lock(&mutex_);
  by_chance_ = true;
  random_.seed(seed);
}

void TestBank::Behave() {
  absl::MutexLock lock(&mutex_);
  next_.clear();
  by_chance_ = false;
}

void TestBank::SetDown(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  down_ = std::move(status);
}

void TestBank::Rewrite(const std::string& transfer_id, bank::v1::TransferState state) {
  absl::MutexLock lock(&mutex_);
  entries_.at(transfer_id).transfer.set_state(state);
  entries_.at(transfer_id).manner = Manner::kSettle;
}

int64_t TestBank::calls() const {
  absl::MutexLock lock(&mutex_);
  return calls_;
}

int64_t TestBank::executed() const {
  absl::MutexLock lock(&mutex_);
  return executed_;
}

int64_t TestBank::asked() const {
  absl::MutexLock lock(&mutex_);
  return asked_;
}

std::map<std::string, int64_t> TestBank::Received() const {
  absl::MutexLock lock(&mutex_);
  std::map<std::string, int64_t> received;
  for (const auto& [id, entry] : entries_) {
    if (entry.transfer.state() == bank::v1::TRANSFER_STATE_SETTLED)
      received[entry.order.payee_account()] += FenOf(entry.order.amount()).value();
  }
  return received;
}

std::string TestBank::Statement(Day day, bool ids) const {
  absl::MutexLock lock(&mutex_);
  std::string text = CsvLine({"交易日期", "交易流水号", "客户流水号", "借方金额", "贷方金额",
                              "对方户名", "对方账号", "摘要"});
  for (const auto& [id, entry] : entries_) {
    const auto state = entry.transfer.state();
    const bool returned = state == bank::v1::TRANSFER_STATE_RETURNED;
    if (state != bank::v1::TRANSFER_STATE_SETTLED && !returned) continue;
    const std::string yuan = FormatYuan(FenOf(entry.order.amount()).value());
    for (const bool out : {true, false}) {
      if (!out && !returned) continue;
      text += CsvLine({FormatDay(day), entry.transfer.bank_reference(), ids ? id : "",
                       out ? yuan : "", out ? "" : yuan, entry.order.payee_holder(),
                       entry.order.payee_account(), out ? "资助" : "退汇"});
    }
  }
  return text;
}

bank::v1::TransferState TestBank::StateOf(const std::string& transfer_id) const {
  absl::MutexLock lock(&mutex_);
  const auto known = entries_.find(transfer_id);
  return known == entries_.end() ? bank::v1::TRANSFER_STATE_UNSPECIFIED
                                 : known->second.transfer.state();
}

std::string TestBank::fault() const {
  absl::MutexLock lock(&mutex_);
  return fault_;
}

}  // namespace yuezhan::payment
