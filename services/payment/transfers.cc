#include "services/payment/transfers.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "services/payment/outcome.h"
#include "services/payment/transitions.h"
#include "yuezhan/bank/v1/bank.pb.h"

namespace yuezhan::payment {
namespace {

constexpr std::string_view kByBank = "timer:transfers";
constexpr std::string_view kExecute = "yuezhan.bank.v1.BankService/ExecuteTransfer";
constexpr std::string_view kGet = "yuezhan.bank.v1.BankService/GetTransfer";
constexpr int kPageSize = 100;
// Words of the bank that are written in one transaction; none waits for longer than this and the
// bank's next answer.
constexpr size_t kMostTogether = 16;
constexpr absl::Duration kLongestUnwritten = absl::Milliseconds(200);

bool IsDecided(v1::PaymentState state) {
  return state == v1::PAYMENT_STATE_SETTLED || state == v1::PAYMENT_STATE_FAILED;
}

v1::PaymentState StateOf(bank::v1::TransferState state) {
  switch (state) {
    case bank::v1::TRANSFER_STATE_SETTLED:
      return v1::PAYMENT_STATE_SETTLED;
    case bank::v1::TRANSFER_STATE_FAILED:
      return v1::PAYMENT_STATE_FAILED;
    case bank::v1::TRANSFER_STATE_RETURNED:
      return v1::PAYMENT_STATE_BANK_RETURNED;
    default:
      return v1::PAYMENT_STATE_UNKNOWN;  // taken and not decided, or a word of tomorrow's
  }
}

// Made of what is stored alone: the same id always goes out with the same content.
bank::v1::ExecuteTransferRequest RequestOf(const v1::PaymentRecord& record) {
  const v1::Payment& payment = record.payment();
  bank::v1::ExecuteTransferRequest request;
  request.set_transfer_id(payment.transfer_id());
  *request.mutable_amount() = payment.amount();
  request.set_payee_holder(payment.payee().holder());
  request.set_payee_bank(payment.payee().bank());
  request.set_payee_account(payment.payee().number());
  *request.mutable_not_after() = payment.not_after();
  request.set_purpose(TransferPurpose(record));
  return request;
}

std::string LookKey(const OpenTransfer& open) {
  return absl::StrCat(open.transfer_id, "/", static_cast<int>(open.state));
}

Outcome OutcomeOf(const Transfers::Word& word) {
  Outcome outcome{word.state, word.bank_reference, word.reason, {}, false};
  if (word.decide_time) outcome.day = BeijingDay(*word.decide_time);
  return outcome;
}

// Whether the payment goes elsewhere by the word. Where the bank contradicts itself it does not:
// that is RecordIncident's part, and the statements'.
bool Moves(const OpenTransfer& open, const Transfers::Word& word) {
  return !(IsDecided(open.state) && IsDecided(word.state)) && Changes(open.state, OutcomeOf(word));
}

bool IsNews(const OpenTransfer& open, const Transfers::Word& word) {
  return !word.incident.empty() || Moves(open, word);
}

}  // namespace

std::string TransferId(std::string_view payment_name, int attempt) {
  return ToHex(Digest({payment_name, absl::StrCat(attempt)}));
}

int LaneOf(std::string_view transfer_id, int lanes) {
  int share = 0;
  (void)absl::SimpleHexAtoi(Abs(transfer_id.substr(0, 4)), &share);
  return share % lanes;
}

std::string TransferPurpose(const v1::PaymentRecord& record) {
  return Concat({"学会服务站建站资助 ", record.station_name()});
}

absl::StatusOr<bool> MoneyIsBack(rpc::Channel& bank, std::string_view transfer_id,
                                 const rpc::CallOptions& options) {
  bank::v1::GetTransferRequest request;
  request.set_transfer_id(std::string(transfer_id));
  bank::v1::Transfer transfer;
  const absl::Status status = bank.Call(kGet, request, &transfer, options);
  if (absl::IsNotFound(status)) return true;  // it was final before
  if (!status.ok()) return errors::Unavailable("bank");
  return transfer.state() == bank::v1::TRANSFER_STATE_FAILED ||
         transfer.state() == bank::v1::TRANSFER_STATE_RETURNED;
}

absl::StatusOr<absl::Duration> Transfers::Step() {
  YZ_ASSIGN_OR_RETURN(const auto page, Next());
  std::vector<OpenTransfer> due;
  for (const OpenTransfer& open : page) {
    if (LaneOf(open.transfer_id, lanes_) == lane_ && Due(open)) due.push_back(open);
  }
  // One that cannot be read or written does not hold up those behind it.
  absl::Status first_error;
  for (size_t next = 0; next < due.size();) {
    const auto part = absl::MakeConstSpan(due).subspan(next, kMostTogether);
    const Records records = Read(part);
    std::vector<Said> said;
    // What was read is not asked about much later, nor is the bank's word left unwritten.
    const absl::Duration since = MonotonicNow();
    for (const OpenTransfer& open : part) {
      if (MonotonicNow() - since > kLongestUnwritten) break;
      ++next;
      const auto record = records.find(Name("payments", open.payment));
      absl::StatusOr<Word> word = record == records.end() ? Ask(open) : AskOf(open, record->second);
      Asked(open);
      if (!word.ok()) {
        first_error.Update(word.status());
      } else if (IsNews(open, *word)) {
        said.push_back({open, *std::move(word)});
      }
    }
    first_error.Update(RecordAll(said));
  }
  if (!first_error.ok()) return first_error;
  return round_over_ ? timing_.idle : absl::ZeroDuration();
}

absl::StatusOr<std::vector<OpenTransfer>> Transfers::Next() {
  if (round_over_) EndRound();
  const int64_t today = BeijingDay(journal_.clocks().business->Now()) - Day(1970, 1, 1);
  std::vector<OpenTransfer> page;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), WallNow() + absl::Seconds(10), [&](db::Session& sql) {
        page = kind_ == Kind::kDecided
                   ? store_.DecidedTransfers(sql, today - timing_.decided_days, after_day_,
                                             after_id_, kPageSize)
                   : store_.OpenTransfers(sql,
                                          kind_ == Kind::kInstructed ? v1::PAYMENT_STATE_INSTRUCTED
                                                                     : v1::PAYMENT_STATE_UNKNOWN,
                                          {after_id_, kPageSize});
        return absl::OkStatus();
      }));
  if (static_cast<int>(page.size()) == kPageSize) {
    after_id_ = page.back().payment;
    after_day_ = page.back().decided_on;
    return page;
  }
  after_id_.clear();
  after_day_ = 0;
  const absl::Duration now = journal_.clocks().monotonic();
  if (kind_ == Kind::kInstructed) {
    kind_ = Kind::kUnknown;
  } else if (kind_ == Kind::kUnknown && now >= decided_at_) {
    kind_ = Kind::kDecided;
  } else {
    round_over_ = true;
  }
  return page;
}

void Transfers::EndRound() {
  if (kind_ == Kind::kDecided) {
    // All kinds were seen: what was not is of no more interest.
    std::erase_if(looks_, [&](const auto& look) { return look.second.round < round_; });
    ++round_;
    decided_at_ = journal_.clocks().monotonic() + timing_.decided_round;
  }
  kind_ = Kind::kInstructed;
  round_over_ = false;
}

bool Transfers::Due(const OpenTransfer& open) {
  const auto [entry, added] = looks_.try_emplace(LookKey(open));
  Look& look = entry->second;
  look.round = round_;
  if (added) {
    look.pause = IsDecided(open.state) ? timing_.decided_first : timing_.first;
    // One that was answered a moment ago is not asked about at once; a new one goes out at once.
    const bool sent = open.state != v1::PAYMENT_STATE_INSTRUCTED;
    look.next = journal_.clocks().monotonic() + (sent ? look.pause : absl::ZeroDuration());
  }
  return journal_.clocks().monotonic() >= look.next;
}

void Transfers::Asked(const OpenTransfer& open) {
  Look& look = looks_[LookKey(open)];
  look.next = journal_.clocks().monotonic() + look.pause;
  look.pause =
      std::min(look.pause * 2, IsDecided(open.state) ? timing_.decided_longest : timing_.longest);
}

Transfers::Records Transfers::Read(absl::Span<const OpenTransfer> transfers) {
  std::vector<std::string> names;
  for (const OpenTransfer& open : transfers) names.push_back(Name("payments", open.payment));
  Records records;
  const absl::Status read = db::Read(
      journal_.pool(), WallNow() + absl::Seconds(10), [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(records, store_.PaymentsByName(sql, names));
        return absl::OkStatus();
      });
  return read.ok() ? std::move(records) : Records();
}

absl::StatusOr<Transfers::Word> Transfers::Ask(const OpenTransfer& open) {
  std::optional<v1::PaymentRecord> record;
  YZ_RETURN_IF_ERROR(db::Read(
      journal_.pool(), WallNow() + absl::Seconds(10), [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(record, store_.Payment(sql, open.payment, false));
        return absl::OkStatus();
      }));
  return record ? AskOf(open, *record) : Word{};
}

Transfers::Word Transfers::AskOf(const OpenTransfer& open, const v1::PaymentRecord& record) {
  if (record.payment().transfer_id() != open.transfer_id ||
      record.payment().state() != open.state || !record.payment().incident().empty()) {
    return Word{};
  }
  // Before the call: what the bank answers was so at this time or later.
  const absl::Time now = journal_.clocks().wall();
  const absl::Time not_after = FromProto(record.payment().not_after());
  const rpc::CallOptions options{WallNow() + timing_.call, "", ""};
  bank::v1::Transfer transfer;
  absl::Status status;
  bool execute = open.state == v1::PAYMENT_STATE_INSTRUCTED && now < not_after;
  if (!execute) {
    bank::v1::GetTransferRequest request;
    request.set_transfer_id(open.transfer_id);
    status = bank_.Call(kGet, request, &transfer, options);
    if (absl::IsNotFound(status) && !IsDecided(open.state)) {
      if (now > not_after + kClockTolerance) {
        return Word{v1::PAYMENT_STATE_FAILED, "", "银行没有此笔转账，且已过执行期限", {}, ""};
      }
      execute = now < not_after;
    }
  }
  if (execute) status = bank_.Call(kExecute, RequestOf(record), &transfer, options);
  if (!status.ok()) {
    if (IsDecided(open.state)) return Word{};
    return Word{v1::PAYMENT_STATE_UNKNOWN,
                "",
                absl::StrCat("银行未明确答复（", absl::StatusCodeToString(status.code()), "）"),
                {},
                ""};
  }
  const auto fen = FenOf(transfer.amount());
  if (transfer.transfer_id() != open.transfer_id || !fen.ok() ||
      *fen != FenIn(record.payment().amount())) {
    return Word{IsDecided(open.state) ? v1::PAYMENT_STATE_UNSPECIFIED : v1::PAYMENT_STATE_UNKNOWN,
                "",
                "银行答复的转账与指令不符",
                {},
                "银行答复的编号或金额与指令不符"};
  }
  Word word{StateOf(transfer.state()), transfer.bank_reference(), transfer.reason(), {}, ""};
  if (transfer.has_decide_time()) word.decide_time = FromProto(transfer.decide_time());
  const bool money_out =
      word.state == v1::PAYMENT_STATE_SETTLED || word.state == v1::PAYMENT_STATE_UNKNOWN;
  if (open.state == v1::PAYMENT_STATE_FAILED) {
    return money_out ? Word{{}, "", "", {}, "转账曾报失败，银行现称已付款或处理中"} : Word{};
  }
  // What the statements have shown to be paid stays so, whatever the bank's interface says.
  const bool resolved = record.payment().has_incident_resolution();
  if (open.state == v1::PAYMENT_STATE_SETTLED && !resolved &&
      (word.state == v1::PAYMENT_STATE_FAILED || word.state == v1::PAYMENT_STATE_UNKNOWN)) {
    return Word{{}, "", "", {}, "转账曾报已付款，银行现称失败或处理中"};
  }
  return word;
}

absl::Status Transfers::RecordAll(const std::vector<Said>& said) {
  if (said.empty()) return absl::OkStatus();
  if (said.size() > 1) {
    std::vector<std::string> names;
    for (const Said& each : said) names.push_back(Name("payments", each.open.payment));
    const absl::Time deadline = WallNow() + absl::Seconds(30);
    const absl::Status status = journal_.WriteJoined(deadline, [&]() -> absl::Status {
      YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), deadline, [&](db::Session& sql) {
        store_.PrefetchOrders(sql, names);
        return absl::OkStatus();
      }));
      for (const Said& each : said) YZ_RETURN_IF_ERROR(Record(each.open, each.word));
      return absl::OkStatus();
    });
    if (status.ok()) return status;
  }
  absl::Status first_error;
  for (const Said& each : said) first_error.Update(Record(each.open, each.word));
  return first_error;
}

absl::Status Transfers::Record(const OpenTransfer& open, const Word& word) {
  if (!word.incident.empty()) {
    YZ_RETURN_IF_ERROR(RecordIncident(open, word.incident));
  }
  if (!Moves(open, word)) return absl::OkStatus();  // nothing new
  const Outcome outcome = OutcomeOf(word);
  const std::string key =
      Concat({open.transfer_id, "/", PaymentTransitions().StateName(word.state)});
  const absl::Status status = journal_.WriteInternal(
      "timer/transfers", key, WallNow() + absl::Seconds(30),
      [&](journal::Unit& unit) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(auto order, LockOrder(store_, unit.sql(), open.payment));
        if (!order) return errors::DataLoss(Name("payments", open.payment));
        const v1::Payment& payment = order->payment.payment();
        // Somebody else recorded what came of it, or it went out anew: this word is of the past.
        if (payment.transfer_id() != open.transfer_id || payment.state() != open.state)
          return absl::CancelledError("moved on");
        // Money that the host gave back by a recovery cannot come back by the bank too.
        if (word.state == v1::PAYMENT_STATE_BANK_RETURNED && payment.has_recovery())
          return EnterIncident(store_, unit, "追回期间银行又称退回", &order->payment);
        return EnterOutcome(store_, unit, kByBank, outcome, &*order);
      });
  return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

absl::Status Transfers::RecordIncident(const OpenTransfer& open, const std::string& incident) {
  // A key of each time: it may contradict itself again after it was resolved.
  const absl::Status status = journal_.WriteIfChanged(
      "timer/transfers", Concat({open.transfer_id, "/INCIDENT/", NewUuid()}),
      WallNow() + absl::Seconds(30), [&](journal::Unit& unit, bool* changed) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(auto order, LockOrder(store_, unit.sql(), open.payment));
        if (!order) return errors::DataLoss(Name("payments", open.payment));
        const v1::Payment& payment = order->payment.payment();
        *changed = payment.transfer_id() == open.transfer_id && payment.incident().empty();
        return *changed ? EnterIncident(store_, unit, incident, &order->payment) : absl::OkStatus();
      });
  return status;
}

}  // namespace yuezhan::payment
