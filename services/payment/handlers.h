#ifndef YUEZHAN_SERVICES_PAYMENT_HANDLERS_H_
#define YUEZHAN_SERVICES_PAYMENT_HANDLERS_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/context.h"
#include "common/host/rulebook.h"
#include "common/journal/follower.h"
#include "common/journal/journal.h"
#include "common/rpc/client.h"
#include "common/rpc/handlers.h"
#include "services/payment/advance.h"
#include "services/payment/store.h"
#include "yuezhan/payment/v1/payment.pb.h"

namespace yuezhan::review::v1 {
class CaseAdvanced;
}

namespace yuezhan::payment {

// The servers that payment asks.
struct Peers {
  rpc::Channel& registry;
  rpc::Channel& application;
  rpc::Channel& bank;
};

// The methods of PaymentService; what each does and when it fails is said in payment.proto. One
// file per group: funds.cc, awards.cc, orders.cc, recoveries.cc, documents.cc, payments.cc.
// Transfers go out by transfers.h, statements come in by reconciliation.h.
class Handlers {
 public:
  Handlers(journal::Journal& journal, const journal::Vault& vault, const Rulebook& rulebook,
           Peers peers)
      : journal_(journal), store_(vault), rulebook_(rulebook), peers_(peers) {}

  // Told a transfer's id when it may go out, from any thread; set before anything is served.
  std::function<void(std::string_view transfer_id)> on_instructed;

  rpc::Service Methods();
  // What payment does about the events of review: an award reserves its amount, is cleared, or
  // gives its amount back.
  journal::EventHandlers OnReview();
  // A timer's step: reserves for awards that wait where money came free. Returns how long to wait.
  absl::StatusOr<absl::Duration> ReserveStep();

  // funds.cc
  absl::Status CreateFund(Context&, const v1::CreateFundRequest&, v1::Fund*);
  absl::Status AllocateFund(Context&, const v1::AllocateFundRequest&, v1::Fund*);
  absl::Status CarryOverFund(Context&, const v1::CarryOverFundRequest&, v1::Fund*);
  absl::Status ListFundChanges(Context&, const v1::ListFundChangesRequest&,
                               v1::ListFundChangesResponse*);
  absl::Status GetFund(Context&, const v1::GetFundRequest&, v1::Fund*);
  absl::Status ListFunds(Context&, const v1::ListFundsRequest&, v1::ListFundsResponse*);
  absl::Status GetTrialBalance(Context&, const v1::GetTrialBalanceRequest&, v1::TrialBalance*);

  // awards.cc
  absl::Status GetAward(Context&, const v1::GetAwardRequest&, v1::Award*);
  absl::Status ListAwards(Context&, const v1::ListAwardsRequest&, v1::ListAwardsResponse*);

  // orders.cc
  absl::Status PreparePayment(const rpc::AskedList<v1::PreparePaymentRequest, v1::Payment>&);
  absl::Status AuthorizePayment(
      const rpc::AskedList<v1::AuthorizePaymentRequest, v1::Payment>&);
  absl::Status BatchPreparePayments(Context&, const v1::BatchPreparePaymentsRequest&,
                                    v1::BatchPreparePaymentsResponse*);
  absl::Status BatchAuthorizePayments(Context&, const v1::BatchAuthorizePaymentsRequest&,
                                      v1::BatchAuthorizePaymentsResponse*);
  absl::Status RequestFinance(const rpc::AskedList<v1::RequestFinanceRequest, v1::Payment>&);
  absl::Status RecordFinanceAnswer(
      const rpc::AskedList<v1::RecordFinanceAnswerRequest, v1::Payment>&);
  absl::Status ResendPayment(Context&, const v1::ResendPaymentRequest&, v1::Payment*);

  // recoveries.cc
  absl::Status OrderRecovery(Context&, const v1::OrderRecoveryRequest&, v1::Payment*);
  absl::Status BookRecovery(Context&, const v1::BookRecoveryRequest&, v1::Payment*);
  absl::Status ResolveIncident(Context&, const v1::ResolveIncidentRequest&, v1::Payment*);

  // documents.cc
  absl::Status PrintDocument(Context&, const v1::PrintDocumentRequest&,
                             common::v1::PrintedDocument*);

  // payments.cc
  absl::Status StopPayment(Context&, const v1::StopPaymentRequest&, v1::Payment*);
  absl::Status RecordReceipt(Context&, const v1::RecordReceiptRequest&, v1::Payment*);
  absl::Status GetPayment(Context&, const v1::GetPaymentRequest&, v1::Payment*);
  absl::Status BatchGetPayments(Context&, const v1::BatchGetPaymentsRequest&,
                                v1::BatchGetPaymentsResponse*);
  absl::Status ListPayments(Context&, const v1::ListPaymentsRequest&, v1::ListPaymentsResponse*);

 private:
  // awards.cc
  absl::Status Awarded(const review::v1::CaseAdvanced& event, int64_t seq, journal::Unit& unit);
  absl::Status Cleared(const review::v1::CaseAdvanced& event, journal::Unit& unit);
  absl::Status TakenBack(const review::v1::CaseAdvanced& event, journal::Unit& unit);
  // Stops the award's order and frees its amount; false when its money is out already.
  absl::StatusOr<bool> Release(journal::Unit& unit, std::string_view reason,
                               v1::AwardRecord* record);
  absl::Status RecordTooLate(journal::Unit& unit, std::string_view reason, v1::AwardRecord* record);
  // Reserves the amount where a fund of the year has it and nobody who was resolved before waits;
  // else the award waits.
  absl::Status ReserveOrWait(journal::Unit& unit, std::string_view method, v1::AwardRecord* record);
  // What a transaction may still reserve in a year, whose funds it has locked.
  struct Room {
    std::vector<FreeMoney> funds;
    std::optional<WaitingAward> first;  // who has waited longest
  };
  Room& RoomOf(db::Session& sql, int year) const;
  // The first fund that has so much free.
  static std::vector<FreeMoney>::iterator FundWith(Room& room, int64_t fen);
  // Reserves for those who wait in the year, in order, as far as the money goes. How many it were.
  absl::StatusOr<int> ReserveWaiting(journal::Unit& unit, std::string_view method, int year);

  // An order as a method changes it: where it goes, and which money moves with it.
  struct Order {
    Rules rules;
    v1::AwardRecord award;
    v1::PaymentRecord record;
    v1::PaymentState to = v1::PAYMENT_STATE_UNSPECIFIED;
    v1::AwardState award_to = v1::AWARD_STATE_UNSPECIFIED;  // unspecified: stays
    std::optional<Movement> movement;
    std::optional<int64_t> fen = std::nullopt;  // of the movement; absent: the award's amount
  };
  using Named = rpc::Named;  // payments, or cases
  // Money that moves when all rows of a unit are written.
  struct Move {
    Movement movement;
    v1::Award award;
    std::string payment;
  };
  using Change = absl::FunctionRef<absl::Status(journal::Unit&, Order&)>;

  // The one way for a method to change a payment: award and payment locked, in a state that
  // `method` starts from; `change` edits them and says where to; then both are written, and the
  // money moves last.
  absl::Status ChangePayment(Context& context, const google::protobuf::Message& request,
                             std::string_view name, std::string_view method, v1::Payment* answer,
                             Change change);
  // The same for one of several within a unit; its money is left to MoveAll.
  absl::StatusOr<v1::Payment> ChangeOne(const Context& context, journal::Unit& unit,
                                        std::string_view name, std::string_view method,
                                        Change change, std::vector<Move>* moves);
  // The same for several calls, each in the unit of its place: `change` is told which it is.
  using ChangeAt = absl::FunctionRef<absl::Status(size_t, journal::Unit&, Order&)>;
  template <typename Request>
  absl::Status ChangePayments(const rpc::AskedList<Request, v1::Payment>& asked,
                              std::string_view method, ChangeAt change);
  absl::Status ChangeAll(const std::vector<Named>& named, const std::vector<journal::Unit*>& units,
                         std::string_view method, const std::vector<v1::Payment*>& answers,
                         ChangeAt change);
  // For methods that change a payment and wait for one another: locks the payments of all.
  absl::Status LockAhead(const std::vector<std::string>& names);
  // Tells of a payment that was written whether it is to go out now.
  void Instructed(const v1::Payment& payment) const;
  static absl::Status MoveAll(journal::Unit& unit, const std::vector<Move>& moves);
  // The payment as the caller may see it, NOT_FOUND otherwise.
  absl::StatusOr<v1::PaymentRecord> SeenPayment(Context& context, std::string_view name);
  // Station and host as of now, from registry, of payments in their order: one statement and one
  // call. Never while a transaction is open.
  absl::StatusOr<std::vector<rules::v1::StandingFacts>> StandingsOf(const std::vector<Named>& named,
                                                                    absl::Time deadline);
  // What an order rests on, as other services have it. Never asked while a transaction is open.
  struct Ground {
    std::string case_id;
    int submission = 0;
    rules::v1::StandingFacts standing;
    rules::v1::AccountFacts account;  // of the submission
    google::type::Date submitted_on;
  };
  // Of awards in their order, each named by its case.
  absl::StatusOr<std::vector<Ground>> GroundsOf(const std::vector<Named>& named,
                                                absl::Time deadline);
  absl::StatusOr<v1::Payment> Prepare(const Context& context, journal::Unit& unit,
                                      std::string_view method,
                                      const v1::PreparePaymentRequest& request,
                                      const Ground& ground);
  absl::Status Authorize(const Context& context, journal::Unit& unit, Order& order,
                         const rules::v1::StandingFacts& standing) const;
  // Stores the next transfer with the time after which the bank may not execute it.
  void Instruct(journal::Unit& unit, Order& order) const;

  journal::Journal& journal_;
  const Store store_;
  const Rulebook& rulebook_;
  const Peers peers_;
};

// The error of a method that needs a payment without an incident; OK where there is none.
absl::Status CheckNoIncident(const v1::Payment& payment);

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_HANDLERS_H_
