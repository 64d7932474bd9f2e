#include <algorithm>

#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "services/payment/handlers.h"
#include "services/payment/ledger.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::payment {
namespace {

// Keeps the change with its reason, and tells of it.
void Tell(const Store& store, journal::Unit& unit, const std::string& fund,
          v1::FundChangeKind kind, int64_t fen, const std::string& reason,
          const std::string& other_fund) {
  v1::FundChange change;
  change.set_fund(fund);
  change.set_kind(kind);
  *change.mutable_amount() = MoneyOf(fen);
  change.set_reason(reason);
  change.set_other_fund(other_fund);
  *change.mutable_day() = DayToProto(BeijingDay(unit.Now()));
  change.set_officer(unit.context().caller.subject);
  store.InsertFundChange(unit.sql(), change, unit.entry_key());
  const bool less =
      kind == v1::FUND_CHANGE_KIND_TAKEN_BACK || kind == v1::FUND_CHANGE_KIND_CARRIED_OUT;
  v1::FundChanged event;
  event.set_fund(fund);
  event.set_amount_fen(less ? -fen : fen);
  event.set_reason(reason);
  unit.Emit(event);
}

absl::Status TooMuch(const v1::Fund& fund, int64_t fen) {
  if (FenIn(fund.allocated()) + fen <= kMaxFen) return absl::OkStatus();
  return errors::InvalidField("amount", "累计金额超过上限",
                              "the fund would hold more than amounts can be");
}

}  // namespace

absl::Status Handlers::CreateFund(Context& context, const v1::CreateFundRequest& request,
                                  v1::Fund* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    const std::string id = NewUuid();
    v1::Fund fund;
    fund.set_name(Name("funds", id));
    fund.set_year(request.fund().year());
    fund.set_source(request.fund().source());
    *fund.mutable_create_time() = ToProto(unit.Now());
    std::string existing;
    if (!store_.InsertFund(unit.sql(), fund, &existing))
      return errors::AlreadyExists("fund.source", existing);
    v1::FundChanged event;
    event.set_fund(fund.name());
    unit.Emit(event);
    *answer = *store_.Fund(unit.sql(), id, false);
    return absl::OkStatus();
  });
}

absl::Status Handlers::AllocateFund(Context& context, const v1::AllocateFundRequest& request,
                                    v1::Fund* answer) {
  const auto fen = FenOf(request.amount());
  if (!fen.ok() || *fen == 0) {
    return errors::InvalidField("amount", "须为不等于零的人民币金额，精确到分",
                                "must be an amount of CNY other than zero, in whole fen");
  }
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("funds/*", request.name()));
    // Locked from the start: who decides at this moment that it must wait is seen below, or sees
    // this money.
    store_.LockYearsOf(unit.sql(), {id});
    const auto fund = store_.Fund(unit.sql(), id, true);
    if (!fund) return errors::NotFound(request.name());
    YZ_RETURN_IF_ERROR(TooMuch(*fund, *fen));
    const bool more = *fen > 0;
    const Posting posting{more ? Movement::kAllocate : Movement::kTakeBack, id, more ? *fen : -*fen,
                          "", ""};
    if (!Post(unit, posting)) {
      return errors::InvalidField("amount", "收回金额超过可用余额", "takes back more than is free");
    }
    if (more) {
      YZ_RETURN_IF_ERROR(ReserveWaiting(unit, "AllocateFund", fund->year()).status());
    }
    Tell(store_, unit, request.name(),
         more ? v1::FUND_CHANGE_KIND_ALLOCATED : v1::FUND_CHANGE_KIND_TAKEN_BACK,
         posting.amount_fen, request.reason(), "");
    *answer = *store_.Fund(unit.sql(), id, false);
    return absl::OkStatus();
  });
}

absl::Status Handlers::CarryOverFund(Context& context, const v1::CarryOverFundRequest& request,
                                     v1::Fund* answer) {
  const auto fen = FenOf(request.amount());
  if (!fen.ok() || *fen <= 0) {
    return errors::InvalidField("amount", "须为大于零的人民币金额，精确到分",
                                "must be an amount of CNY above zero, in whole fen");
  }
  if (request.name() == request.to())
    return errors::InvalidField("to", "须为另一笔资金", "must be another fund");
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const std::string from, IdOf("funds/*", request.name()));
    YZ_ASSIGN_OR_RETURN(const std::string to, IdOf("funds/*", request.to()));
    // All are locked in the order of their ids, so that two that cross do not wait for each other.
    store_.LockYearsOf(unit.sql(), {from, to});
    std::optional<v1::Fund> receives;
    for (const std::string& id : {from, to}) {
      const auto fund = store_.Fund(unit.sql(), id, true);
      if (!fund) return errors::NotFound(Name("funds", id));
      if (id == to) receives = fund;
    }
    YZ_RETURN_IF_ERROR(TooMuch(*receives, *fen));
    if (!Post(unit, {Movement::kCarryOut, from, *fen, "", ""}))
      return errors::InvalidField("amount", "结转金额超过可用余额", "is more than what is free");
    if (!Post(unit, {Movement::kCarryIn, to, *fen, "", ""})) return errors::Conflict();
    YZ_RETURN_IF_ERROR(ReserveWaiting(unit, "CarryOverFund", receives->year()).status());
    Tell(store_, unit, request.name(), v1::FUND_CHANGE_KIND_CARRIED_OUT, *fen, request.reason(),
         request.to());
    Tell(store_, unit, request.to(), v1::FUND_CHANGE_KIND_CARRIED_IN, *fen, request.reason(),
         request.name());
    *answer = *store_.Fund(unit.sql(), to, false);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListFundChanges(Context& context,
                                       const v1::ListFundChangesRequest& request,
                                       v1::ListFundChangesResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("funds/*", request.name()));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    if (!store_.Fund(sql, id, false)) return errors::NotFound(request.name());
    const auto changes = store_.FundChanges(sql, id, {after, size});
    for (const auto& [change_id, change] : changes) *answer->add_changes() = change;
    if (static_cast<int>(changes.size()) == size) {
      answer->set_next_page_token(
          rpc::MakePageToken(context.method, request, changes.back().first));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetFund(Context& context, const v1::GetFundRequest& request,
                               v1::Fund* answer) {
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("funds/*", request.name()));
    auto fund = store_.Fund(sql, id, false);
    if (!fund) return errors::NotFound(request.name());
    *answer = *std::move(fund);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListFunds(Context& context, const v1::ListFundsRequest& request,
                                 v1::ListFundsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    const auto funds = store_.Funds(sql, {after, size});
    answer->Clear();
    answer->mutable_funds()->Assign(funds.begin(), funds.end());
    if (static_cast<int>(funds.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last, IdOf("funds/*", funds.back().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetTrialBalance(Context& context, const v1::GetTrialBalanceRequest& request,
                                       v1::TrialBalance* answer) {
  std::optional<Day> as_of;
  if (request.has_as_of()) {
    as_of = DayFromProto(request.as_of());
    if (!as_of) return errors::InvalidField("as_of", "不是有效日期", "is no day of the calendar");
  }
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    const Trial trial = TrialOf(sql, as_of);
    answer->Clear();
    for (const AccountSum& sum : trial.sums) {
      v1::AccountBalance* balance = answer->add_balances();
      balance->set_fund(Name("funds", sum.fund));
      balance->set_account(std::string(AccountName(sum.account)));
      *balance->mutable_balance() = MoneyOf(sum.fen);
    }
    answer->set_balanced(trial.balanced);
    answer->set_postings(trial.postings);
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::payment
