#include <algorithm>

#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "yuezhan/review/v1/events.pb.h"

// Delegations on record: an office too small to keep duties apart by itself.
namespace yuezhan::review {
namespace {

// Acts that one person may do for another. A member's vote is the member's own, and who pays is
// payment's to say.
constexpr common::v1::Act kDelegable[] = {
    common::v1::ACT_PREPARE, common::v1::ACT_APPROVE, common::v1::ACT_EXAMINE_OBJECTION};

template <typename List, typename Value>
bool Holds(const List& list, const Value& value) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

absl::Status CheckDelegation(const v1::Delegation& delegation, Day today) {
  if (delegation.delegate() == delegation.delegator())
    return errors::InvalidField("delegate", "不得委托本人", "must be another person");
  for (const int act : delegation.acts()) {
    if (!Holds(kDelegable, act)) {
      return errors::InvalidField("acts", "只能委托经办、审核和异议核查",
                                  "must be to prepare, to approve or to examine an objection");
    }
  }
  const auto first = DayFromProto(delegation.first_day());
  const auto last = DayFromProto(delegation.last_day());
  if (!first || *first < today)
    return errors::InvalidField("first_day", "应为今天或以后", "must be today or later");
  if (!last || *last < *first)
    return errors::InvalidField("last_day", "不得早于起始日", "must not be before the first day");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> Handlers::UseDelegation(journal::Unit& unit, Day today,
                                                    const rules::v1::ActFacts& act,
                                                    const std::set<std::string>& cases) const {
  YZ_ASSIGN_OR_RETURN(
      const auto delegations,
      store_.DelegationsInForce(unit.sql(), act.on_behalf_of(), act.person(), today));
  const auto used = std::find_if(delegations.begin(), delegations.end(), [&](const auto& each) {
    return Holds(each.acts(), static_cast<int>(act.act()));
  });
  if (used == delegations.end()) {
    return errors::InvalidField("on_behalf_of", "没有今日有效的、包含该项行为的委托",
                                "has no delegation to the caller of this act in force today");
  }
  v1::DelegationUsed event;
  event.set_delegation(used->name());
  *event.mutable_act() = act;
  unit.EmitPrivate(event);
  // The delegation is a part of the cases' history from now on.
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("delegations/*", used->name()));
  const std::string entry = store_.DelegationEntry(unit.sql(), id);
  for (const std::string& name : cases) store_.AddToTrail(unit.sql(), name, entry);
  return used->name();
}

absl::Status Handlers::EnterActOf(journal::Unit& unit, const Rules& rules,
                                  const std::string& on_behalf_of, common::v1::Act act,
                                  std::string_view what, v1::Case* review_case) const {
  const auto facts =
      NextAct(*review_case, unit.context().caller.subject, act, what, on_behalf_of);
  if (!on_behalf_of.empty()) {
    YZ_ASSIGN_OR_RETURN(const std::string used, UseDelegation(unit, rules.today, facts.next(),
                                                              {review_case->name()}));
    if (!Holds(review_case->delegations(), used)) review_case->add_delegations(used);
  }
  YZ_ASSIGN_OR_RETURN(const auto findings, Enter(rules, facts, review_case));
  EmitJudged(unit, review_case->name(), findings, rules.reference, facts);
  return absl::OkStatus();
}

absl::Status Handlers::CreateDelegation(Context& context,
                                        const v1::CreateDelegationRequest& request,
                                        v1::Delegation* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    const Day today = BeijingDay(unit.Now());
    answer->set_name(Name("delegations", NewUuid()));
    answer->set_delegator(context.caller.subject);
    answer->set_delegator_name(context.caller.name);
    answer->set_delegate(request.delegate());
    *answer->mutable_acts() = request.acts();
    answer->set_reason(request.reason());
    *answer->mutable_first_day() =
        request.has_first_day() ? request.first_day() : DayToProto(today);
    *answer->mutable_last_day() = request.last_day();
    *answer->mutable_create_time() = ToProto(unit.Now());
    YZ_RETURN_IF_ERROR(CheckDelegation(*answer, today));
    store_.InsertDelegation(unit.sql(), unit.entry_key(), answer);
    return absl::OkStatus();
  });
}

absl::Status Handlers::RevokeDelegation(Context& context,
                                        const v1::RevokeDelegationRequest& request,
                                        v1::Delegation* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("delegations/*", request.name()));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(auto delegation, store_.Delegation(unit.sql(), id, true));
    const std::string& caller = context.caller.subject;
    if (!delegation || (delegation->delegator() != caller && delegation->delegate() != caller))
      return errors::NotFound(request.name());
    if (delegation->has_revoke_time())
      return errors::StateForbids(request.name(), "REVOKED", {"IN_FORCE"}, "");
    *delegation->mutable_revoke_time() = ToProto(unit.Now());
    if (!store_.UpdateDelegation(unit.sql(), &*delegation)) return errors::Conflict();
    *answer = *std::move(delegation);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListDelegations(Context& context, const v1::ListDelegationsRequest& request,
                                       v1::ListDelegationsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const auto delegations, store_.Delegations(sql, {after, size}));
    answer->mutable_delegations()->Assign(delegations.begin(), delegations.end());
    if (static_cast<int>(delegations.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last,
                          IdOf("delegations/*", delegations.back().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::review
