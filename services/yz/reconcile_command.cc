#include <cstdio>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "services/yz/client.h"
#include "services/yz/commands.h"
#include "services/yz/settings.h"
#include "yuezhan/bank/v1/bank.pb.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/payment/v1/reconciliation.pb.h"

namespace yuezhan::yz {
namespace {

using bank::v1::Transfer;
using payment::v1::Payment;

// What payment knows, by the id of its last transfer.
absl::StatusOr<std::map<std::string, Payment>> KnownTransfers(Client& client,
                                                              const Caller& caller) {
  std::map<std::string, Payment> known;
  payment::v1::ListPaymentsRequest request;
  request.set_page_size(500);
  do {
    payment::v1::ListPaymentsResponse page;
    YZ_RETURN_IF_ERROR(
        client.Call(caller, "yuezhan.payment.v1.PaymentService/ListPayments", request, &page));
    for (const Payment& payment : page.payments()) {
      if (!payment.transfer_id().empty()) known[payment.transfer_id()] = payment;
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return known;
}

bool MoneyIsOut(const Transfer& transfer) {
  return transfer.state() == bank::v1::TRANSFER_STATE_SETTLED ||
         transfer.state() == bank::v1::TRANSFER_STATE_ACCEPTED;
}

// What a restore left to do, if payment is on hold.
absl::Status PrintHold(Client& client, const Caller& caller) {
  payment::v1::Hold hold;
  YZ_RETURN_IF_ERROR(client.Call(caller, "yuezhan.payment.v1.ReconciliationService/GetHold",
                                 payment::v1::GetHoldRequest(), &hold));
  if (!hold.held()) return absl::OkStatus();
  const auto day = [](const google::type::Date& date) {
    const auto known = DayFromProto(date);
    return known ? FormatDay(*known) : std::string("none");
  };
  std::printf("on hold since %s; first day without a statement: %s; open lines: %lld\n",
              day(hold.since()).c_str(), day(hold.first_day_missing()).c_str(),
              static_cast<long long>(hold.open_lines()));
  return absl::OkStatus();
}

}  // namespace

absl::Status Reconcile(const Words&) {
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  YZ_ASSIGN_OR_RETURN(const Caller caller, CallerFromFlags("auditor"));
  Client client(std::move(profile));
  YZ_ASSIGN_OR_RETURN(const auto known, KnownTransfers(client, caller));
  int looked = 0, unknown = 0;
  bank::v1::ListTransfersRequest request;
  request.set_page_size(500);
  do {
    bank::v1::ListTransfersResponse page;
    YZ_RETURN_IF_ERROR(
        client.Call(caller, "yuezhan.bank.v1.BankService/ListTransfers", request, &page));
    for (const Transfer& transfer : page.transfers()) {
      ++looked;
      const auto payment = known.find(transfer.transfer_id());
      // An earlier attempt that failed or came back is no money out.
      if (payment != known.end() || !MoneyIsOut(transfer)) continue;
      ++unknown;
      YZ_ASSIGN_OR_RETURN(const int64_t fen, FenOf(transfer.amount()));
      std::printf("%s  %s  %lld.%02lld  %s\n", transfer.transfer_id().c_str(),
                  bank::v1::TransferState_Name(transfer.state()).c_str(),
                  static_cast<long long>(fen / 100), static_cast<long long>(fen % 100),
                  transfer.payee_holder().c_str());
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::printf("%d transfers in the bank's books, %d that payment does not know\n", looked, unknown);
  YZ_RETURN_IF_ERROR(PrintHold(client, caller));
  if (unknown == 0) return absl::OkStatus();
  return absl::DataLossError("the bank moved money that payment does not know of");
}

}  // namespace yuezhan::yz
