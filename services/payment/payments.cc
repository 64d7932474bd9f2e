#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/ownership.h"
#include "common/host/wait.h"
#include "common/rpc/handlers.h"
#include "common/rpc/page_token.h"
#include "common/rules/payment.h"
#include "services/payment/acts.h"
#include "services/payment/handlers.h"
#include "services/payment/transitions.h"

namespace yuezhan::payment {
namespace {

// The payment as it is shown today: a receipt is overdue by the day alone.
v1::Payment Shown(const Rules& rules, const v1::PaymentRecord& record) {
  v1::Payment payment = record.payment();
  const auto settled = DayFromProto(payment.settled_on());
  payment.set_receipt_overdue(payment.state() == v1::PAYMENT_STATE_SETTLED && settled &&
                              !payment.has_receipt_on() &&
                              rules.today > rules::ReceiptDueOn(rules.policy, *settled));
  if (payment.has_recovery()) {
    v1::Recovery& recovery = *payment.mutable_recovery();
    const auto due = DayFromProto(recovery.due_on());
    recovery.set_overdue(due && rules.today > *due &&
                         FenIn(recovery.recovered()) < FenIn(recovery.ordered()));
  }
  return payment;
}

}  // namespace

absl::Status CheckNoIncident(const v1::Payment& payment) {
  if (payment.incident().empty()) return absl::OkStatus();
  return Refuse("payment.bank-contradicts-itself",
                "银行对同一笔转账的答复前后矛盾，须先与银行对账查清，再办理本事项。",
                "The bank contradicts itself on this transfer: reconcile it first.",
                payment.name());
}

absl::StatusOr<v1::PaymentRecord> Handlers::SeenPayment(Context& context, std::string_view name) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("payments/*", name));
  std::optional<v1::PaymentRecord> record;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(record, store_.Payment(sql, id, false));
        return absl::OkStatus();
      }));
  if (!record || !MaySee(context.caller, record->payment().host_unit()))
    return errors::NotFound(name);
  return *std::move(record);
}

absl::StatusOr<v1::Payment> Handlers::ChangeOne(const Context& context, journal::Unit& unit,
                                                std::string_view name, std::string_view method,
                                                Change change, std::vector<Move>* moves) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("payments/*", name));
  YZ_ASSIGN_OR_RETURN(auto locked, LockOrder(store_, unit.sql(), id));
  if (!locked || !MaySee(context.caller, locked->payment.payment().host_unit()))
    return errors::NotFound(name);
  YZ_RETURN_IF_ERROR(PaymentTransitions().Check(name, locked->payment.payment().state(), method));
  YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(rulebook_, locked->payment, unit.Now()));
  Order order{rules, std::move(locked->award), std::move(locked->payment), {}, {}, {}, {}};
  YZ_RETURN_IF_ERROR(change(unit, order));
  // Before the award lets go of its fund and payment.
  v1::Award award = order.award.award();
  if (order.award_to != v1::AWARD_STATE_UNSPECIFIED) {
    if (order.to == v1::PAYMENT_STATE_STOPPED) order.award.mutable_award()->clear_payment();
    YZ_RETURN_IF_ERROR(AdvanceAward(store_, unit, method, order.award_to, &order.award));
  }
  YZ_RETURN_IF_ERROR(AdvancePayment(store_, unit, method, order.to, &order.record));
  if (order.movement) {
    if (order.fen) *award.mutable_amount() = MoneyOf(*order.fen);
    moves->push_back({*order.movement, std::move(award), order.record.payment().name()});
  }
  return order.record.payment();
}

absl::Status Handlers::MoveAll(journal::Unit& unit, const std::vector<Move>& moves) {
  for (const Move& move : moves) {
    YZ_RETURN_IF_ERROR(MoveMoney(unit, move.movement, move.award, move.payment));
  }
  return absl::OkStatus();
}

absl::Status Handlers::ChangeAll(const std::vector<Named>& named,
                                 const std::vector<journal::Unit*>& units, std::string_view method,
                                 const std::vector<v1::Payment*>& answers, ChangeAt change) {
  std::vector<std::string> names;
  for (const Named& each : named) names.push_back(each.name);
  store_.PrefetchOrders(units.front()->sql(), names);
  std::vector<std::vector<Move>> moves(named.size());
  for (size_t i = 0; i < named.size(); ++i) {
    YZ_ASSIGN_OR_RETURN(
        *answers[i],
        ChangeOne(
            named[i].context, *units[i], names[i], method,
            [&](journal::Unit& unit, Order& order) { return change(i, unit, order); }, &moves[i]));
  }
  for (size_t i = 0; i < named.size(); ++i) YZ_RETURN_IF_ERROR(MoveAll(*units[i], moves[i]));
  return absl::OkStatus();
}

absl::Status Handlers::LockAhead(const std::vector<std::string>& names) {
  return db::Read(journal_.pool(), absl::InfiniteFuture(), [&](db::Session& sql) {
    store_.PrefetchOrders(sql, names);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ChangePayment(Context& context, const google::protobuf::Message& request,
                                     std::string_view name, std::string_view method,
                                     v1::Payment* answer, Change change) {
  YZ_RETURN_IF_ERROR(
      journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
        std::vector<Move> moves;
        YZ_ASSIGN_OR_RETURN(*answer, ChangeOne(context, unit, name, method, change, &moves));
        return MoveAll(unit, moves);
      }));
  Instructed(*answer);
  return absl::OkStatus();
}

void Handlers::Instructed(const v1::Payment& payment) const {
  if (!on_instructed || payment.state() != v1::PAYMENT_STATE_INSTRUCTED) return;
  journal_.AfterWrite([this, id = payment.transfer_id()] { on_instructed(id); });
}

absl::Status Handlers::StopPayment(Context& context, const v1::StopPaymentRequest& request,
                                   v1::Payment* answer) {
  return ChangePayment(context, request, request.name(), "StopPayment", answer,
                       [&](journal::Unit&, Order& order) -> absl::Status {
                         YZ_RETURN_IF_ERROR(CheckNoIncident(order.record.payment()));
                         order.record.mutable_payment()->set_reason(request.reason());
                         if (order.record.payment().state() == v1::PAYMENT_STATE_BANK_RETURNED)
                           order.movement = Movement::kKeep;
                         order.to = v1::PAYMENT_STATE_STOPPED;
                         order.award_to = v1::AWARD_STATE_CLEARED;
                         return absl::OkStatus();
                       });
}

absl::Status Handlers::RecordReceipt(Context& context, const v1::RecordReceiptRequest& request,
                                     v1::Payment* answer) {
  return ChangePayment(context, request, request.name(), "RecordReceipt", answer,
                       [&](journal::Unit&, Order& order) -> absl::Status {
                         v1::Payment& payment = *order.record.mutable_payment();
                         if (payment.has_receipt_on())
                           return errors::AlreadyExists("receipt_number", payment.receipt_number());
                         *payment.mutable_receipt_on() = DayToProto(order.rules.today);
                         payment.set_receipt_number(request.receipt_number());
                         order.to = v1::PAYMENT_STATE_SETTLED;
                         return absl::OkStatus();
                       });
}

absl::Status Handlers::GetPayment(Context& context, const v1::GetPaymentRequest& request,
                                  v1::Payment* answer) {
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  const bool waits = request.wait_for_state() != v1::PAYMENT_STATE_UNSPECIFIED;
  return LookUntil(context, request.wait_ms(), [&]() -> absl::StatusOr<bool> {
    YZ_ASSIGN_OR_RETURN(const auto record, SeenPayment(context, request.name()));
    *answer = Shown(rules, record);
    return !waits || answer->state() == request.wait_for_state();
  });
}

absl::Status Handlers::BatchGetPayments(Context& context,
                                        const v1::BatchGetPaymentsRequest& request,
                                        v1::BatchGetPaymentsResponse* answer) {
  const std::vector<std::string> names(request.names().begin(), request.names().end());
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  const bool waits = request.wait_for_state() != v1::PAYMENT_STATE_UNSPECIFIED;
  bool there = true;
  const auto read = [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    there = true;
    YZ_ASSIGN_OR_RETURN(const auto records, store_.PaymentsByName(sql, names));
    for (const std::string& name : names) {
      const auto record = records.find(name);
      if (record == records.end() || !MaySee(context.caller, record->second.payment().host_unit()))
        return errors::NotFound(name);
      *answer->add_payments() = Shown(rules, record->second);
      there = there && record->second.payment().state() == request.wait_for_state();
    }
    return absl::OkStatus();
  };
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), context.deadline, read));
  if (!waits || there) return absl::OkStatus();
  // Not opened again until they are there: a look costs one row at most.
  YZ_RETURN_IF_ERROR(LookUntil(context, request.wait_ms(), [&]() -> absl::StatusOr<bool> {
    YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) {
      there = store_.AllIn(sql, names, request.wait_for_state());
      return absl::OkStatus();
    }));
    return there;
  }));
  return db::Read(journal_.pool(), context.deadline, read);
}

absl::Status Handlers::ListPayments(Context& context, const v1::ListPaymentsRequest& request,
                                    v1::ListPaymentsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  if (request.attention() != v1::PAYMENT_ATTENTION_UNSPECIFIED &&
      request.state() != v1::PAYMENT_STATE_UNSPECIFIED) {
    return errors::InvalidField("attention", "不能与 state 同时给出", "not together with state");
  }
  const int size = rpc::PageSize(request);
  std::string host_id;
  if (!SeesAllHosts(context.caller)) {
    const auto own = IdOf("hostUnits/*", context.caller.host_unit);
    if (!own.ok()) return absl::OkStatus();
    host_id = *own;
  }
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    const auto list = [&]() -> absl::StatusOr<std::vector<v1::PaymentRecord>> {
      if (request.attention() == v1::PAYMENT_ATTENTION_UNSPECIFIED)
        return store_.Payments(sql, host_id, request.state(), {after, size});
      const Day due_before = rules.today - (rules::ReceiptDueOn(rules.policy, rules.today) -
                                            rules.today);
      return store_.PaymentsNeeding(sql, host_id, request.attention(), due_before, {after, size});
    };
    YZ_ASSIGN_OR_RETURN(const auto records, list());
    for (const auto& record : records) *answer->add_payments() = Shown(rules, record);
    if (static_cast<int>(records.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last,
                          IdOf("payments/*", records.back().payment().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

rpc::Service Handlers::Methods() {
  rpc::Service service("yuezhan.payment.v1.PaymentService", journal_.Joining());
  service.Add("CreateFund", &Handlers::CreateFund, this)
      .Add("AllocateFund", &Handlers::AllocateFund, this)
      .Add("CarryOverFund", &Handlers::CarryOverFund, this)
      .Add("ListFundChanges", &Handlers::ListFundChanges, this)
      .Add("GetFund", &Handlers::GetFund, this)
      .Add("ListFunds", &Handlers::ListFunds, this)
      .Add("GetTrialBalance", &Handlers::GetTrialBalance, this)
      .Add("GetAward", &Handlers::GetAward, this)
      .Add("ListAwards", &Handlers::ListAwards, this)
      .Add("PreparePayment", &Handlers::PreparePayment, this)
      .Add("AuthorizePayment", &Handlers::AuthorizePayment, this)
      .Add("BatchPreparePayments", &Handlers::BatchPreparePayments, this)
      .Add("BatchAuthorizePayments", &Handlers::BatchAuthorizePayments, this)
      .Add("RequestFinance", &Handlers::RequestFinance, this)
      .AddBatch<v1::BatchRequestFinanceRequest, v1::BatchRequestFinanceResponse>(
          "BatchRequestFinance")
      .Add("RecordFinanceAnswer", &Handlers::RecordFinanceAnswer, this)
      .AddBatch<v1::BatchRecordFinanceAnswersRequest, v1::BatchRecordFinanceAnswersResponse>(
          "BatchRecordFinanceAnswers")
      .Add("StopPayment", &Handlers::StopPayment, this)
      .Add("ResendPayment", &Handlers::ResendPayment, this)
      .AddJoined("RecordReceipt", &Handlers::RecordReceipt, this, &Handlers::LockAhead)
      .AddBatch<v1::BatchRecordReceiptsRequest, v1::BatchRecordReceiptsResponse>(
          "BatchRecordReceipts")
      .Add("OrderRecovery", &Handlers::OrderRecovery, this)
      .Add("BookRecovery", &Handlers::BookRecovery, this)
      .Add("ResolveIncident", &Handlers::ResolveIncident, this)
      .Add("PrintDocument", &Handlers::PrintDocument, this)
      .Add("GetPayment", &Handlers::GetPayment, this)
      .Add("BatchGetPayments", &Handlers::BatchGetPayments, this)
      .Add("ListPayments", &Handlers::ListPayments, this);
  return service;
}

}  // namespace yuezhan::payment
