#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/ownership.h"
#include "common/host/wait.h"
#include "common/rpc/page_token.h"
#include "services/payment/handlers.h"
#include "services/payment/transitions.h"
#include "yuezhan/payment/v1/events.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::payment {
namespace {

constexpr std::string_view kByReview = "event:CaseAdvanced";
// Reservations of one transaction, so that it ends soon: the timer goes on with the rest.
constexpr int kMostAtOnce = 100;
// Between two looks for money that came free.
constexpr absl::Duration kReserveEvery = absl::Milliseconds(500);

bool IsLive(v1::AwardState state) {
  return state != v1::AWARD_STATE_UNSPECIFIED && state != v1::AWARD_STATE_RELEASED;
}

// The award as the event tells it; state, fund and payment stay.
void Fill(const review::v1::CaseAdvanced& event, v1::AwardRecord* record) {
  v1::Award& award = *record->mutable_award();
  award.set_case_name(event.case_name());
  award.set_application(event.application());
  award.set_station(event.station());
  award.set_host_unit(event.host_unit());
  award.set_station_name(event.station_name());
  award.set_host_name(event.host_name());
  award.set_subsidy_year(event.subsidy_year());
  award.set_line_digest(event.line_digest());
  *award.mutable_amount() = MoneyOf(event.amount_fen());
  award.clear_too_late();
  record->set_level(event.category());
  record->set_submission(event.submission());
  record->clear_clearance();
  *record->mutable_acts() = event.acts();
}

}  // namespace

std::vector<FreeMoney>::iterator Handlers::FundWith(Room& room, int64_t fen) {
  return std::find_if(room.funds.begin(), room.funds.end(),
                      [&](const FreeMoney& free) { return free.fen >= fen; });
}

journal::EventHandlers Handlers::OnReview() {
  journal::EventHandlers handlers;
  handlers.Ahead<review::v1::CaseAdvanced>(
      [](const review::v1::CaseAdvanced& event) {
        switch (event.state()) {
          case review::v1::CASE_STATE_AWARDED:
          case review::v1::CASE_STATE_CLEARED:
          case review::v1::CASE_STATE_CANCELLED:
          case review::v1::CASE_STATE_WITHDRAWN:
          case review::v1::CASE_STATE_REFUSED:
            return event.case_name();
          default:
            return std::string();
        }
      },
      [this](const std::vector<std::string>& names, db::Session& sql) {
        store_.PrefetchAwards(sql, names);
      });
  handlers.On<review::v1::CaseAdvanced>([this](const review::v1::CaseAdvanced& event,
                                               const journal::EventOrigin& origin,
                                               journal::Unit& unit) -> absl::Status {
    switch (event.state()) {
      case review::v1::CASE_STATE_AWARDED:
        return Awarded(event, origin.seq, unit);
      case review::v1::CASE_STATE_CLEARED:
        return Cleared(event, unit);
      case review::v1::CASE_STATE_CANCELLED:
      case review::v1::CASE_STATE_WITHDRAWN:
      case review::v1::CASE_STATE_REFUSED:
        return TakenBack(event, unit);
      default:
        return absl::OkStatus();
    }
  });
  return handlers;
}

absl::Status Handlers::Awarded(const review::v1::CaseAdvanced& event, int64_t seq,
                               journal::Unit& unit) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", event.case_name()));
  if (event.amount_fen() <= 0 || event.amount_fen() > kMaxFen)
    return errors::DataLoss(event.case_name());
  YZ_ASSIGN_OR_RETURN(const auto known, store_.Award(unit.sql(), id, true));
  v1::AwardRecord record = known.value_or(v1::AwardRecord());
  if (IsLive(record.award().state())) {
    const bool same = FenIn(record.award().amount()) == event.amount_fen() &&
                      record.award().subsidy_year() == event.subsidy_year() &&
                      record.award().line_digest() == event.line_digest();
    if (same) return absl::OkStatus();
    // Resolved otherwise than before: what was reserved, cleared or ordered is no more. It keeps
    // its place among those who wait.
    YZ_ASSIGN_OR_RETURN(const bool released, Release(unit, "审定内容已变更", &record));
    if (!released) return RecordTooLate(unit, "审定内容已变更", &record);
  } else {
    record.set_resolved_seq(seq);
  }
  Fill(event, &record);
  return ReserveOrWait(unit, kByReview, &record);
}

absl::Status Handlers::Cleared(const review::v1::CaseAdvanced& event, journal::Unit& unit) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", event.case_name()));
  YZ_ASSIGN_OR_RETURN(auto record, store_.Award(unit.sql(), id, true));
  if (!record) return errors::DataLoss(event.case_name());
  const v1::AwardState state = record->award().state();
  if (state != v1::AWARD_STATE_RESERVED && state != v1::AWARD_STATE_WAITING) {
    Log(LogLevel::kWarning, "cleared_in_another_state",
        {{"case", event.case_name()}, {"state", AwardTransitions().StateName(state)}});
    return absl::OkStatus();
  }
  *record->mutable_clearance() = event.clearance();
  if (event.acts_size() > 0) *record->mutable_acts() = event.acts();
  if (state == v1::AWARD_STATE_RESERVED)
    return AdvanceAward(store_, unit, kByReview, v1::AWARD_STATE_CLEARED, &*record);
  // Still without money: cleared as soon as it is reserved.
  store_.UpdateAward(unit.sql(), &*record);
  return absl::OkStatus();
}

absl::Status Handlers::TakenBack(const review::v1::CaseAdvanced& event, journal::Unit& unit) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", event.case_name()));
  YZ_ASSIGN_OR_RETURN(auto record, store_.Award(unit.sql(), id, true));
  if (!record || !IsLive(record->award().state())) return absl::OkStatus();
  const std::string reason = event.reason().empty() ? "资助决定已撤回" : event.reason();
  YZ_ASSIGN_OR_RETURN(const bool released, Release(unit, reason, &*record));
  return released ? absl::OkStatus() : RecordTooLate(unit, reason, &*record);
}

absl::StatusOr<bool> Handlers::Release(journal::Unit& unit, std::string_view reason,
                                       v1::AwardRecord* record) {
  const v1::Award before = record->award();
  bool sent_back = false;
  if (!before.payment().empty()) {
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("payments/*", before.payment()));
    YZ_ASSIGN_OR_RETURN(auto order, store_.Payment(unit.sql(), id, true));
    if (!order) return errors::DataLoss(before.payment());
    if (!order->payment().incident().empty() ||
        !PaymentTransitions().Allows(order->payment().state(), v1::PAYMENT_STATE_STOPPED,
                                     kByReview)) {
      return false;
    }
    sent_back = order->payment().state() == v1::PAYMENT_STATE_BANK_RETURNED;
    order->mutable_payment()->set_reason(std::string(reason));
    YZ_RETURN_IF_ERROR(AdvancePayment(store_, unit, kByReview, v1::PAYMENT_STATE_STOPPED, &*order));
  }
  record->mutable_award()->clear_payment();
  record->mutable_award()->clear_fund();
  record->clear_clearance();
  YZ_RETURN_IF_ERROR(AdvanceAward(store_, unit, kByReview, v1::AWARD_STATE_RELEASED, record));
  if (sent_back) {
    YZ_RETURN_IF_ERROR(MoveMoney(unit, Movement::kKeep, before, before.payment()));
  }
  if (!before.fund().empty()) {
    YZ_RETURN_IF_ERROR(MoveMoney(unit, Movement::kRelease, before, before.payment()));
  }
  // There is more to reserve, or one less who waits.
  unit.sql().OfTransaction<std::map<int, Room>>().erase(before.subsidy_year());
  return true;
}

absl::Status Handlers::RecordTooLate(journal::Unit& unit, std::string_view reason,
                                     v1::AwardRecord* record) {
  v1::Award& award = *record->mutable_award();
  award.set_too_late(std::string(reason));
  store_.UpdateAward(unit.sql(), record);
  v1::AwardAdvanced event;
  event.set_case_name(award.case_name());
  event.set_from(award.state());
  event.set_state(award.state());
  event.set_amount_fen(FenIn(award.amount()));
  event.set_line_digest(award.line_digest());
  unit.Emit(event);
  Log(LogLevel::kError, "award_taken_back_too_late",
      {{"case", award.case_name()}, {"payment", award.payment()}});
  return absl::OkStatus();
}

absl::Status Handlers::ReserveOrWait(journal::Unit& unit, std::string_view method,
                                     v1::AwardRecord* record) {
  v1::Award& award = *record->mutable_award();
  const int64_t fen = FenIn(award.amount());
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", award.case_name()));
  const WaitingAward::Place place{record->resolved_seq(), id};
  Room& room = RoomOf(unit.sql(), award.subsidy_year());
  const bool in_turn = !room.first || place <= room.first->place;
  const auto fund = FundWith(room, in_turn ? fen : INT64_MAX);
  if (fund == room.funds.end()) {
    if (in_turn) room.first = {place, fen};
    return AdvanceAward(store_, unit, method, v1::AWARD_STATE_WAITING, record);
  }
  fund->fen -= fen;
  award.set_fund(Name("funds", fund->fund));
  const v1::AwardState to =
      record->has_clearance() ? v1::AWARD_STATE_CLEARED : v1::AWARD_STATE_RESERVED;
  YZ_RETURN_IF_ERROR(AdvanceAward(store_, unit, method, to, record));
  PostLast(unit, {Movement::kReserve, fund->fund, fen, id, ""});
  if (room.first && room.first->place == place) {
    room.first = store_.FirstWaiting(unit.sql(), award.subsidy_year());
  }
  return absl::OkStatus();
}

Handlers::Room& Handlers::RoomOf(db::Session& sql, int year) const {
  const auto [room, added] = sql.OfTransaction<std::map<int, Room>>().try_emplace(year);
  if (added) {
    room->second.funds = store_.LockFreeOf(sql, year);
    room->second.first = store_.FirstWaiting(sql, year);
  }
  return room->second;
}

absl::StatusOr<int> Handlers::ReserveWaiting(journal::Unit& unit, std::string_view method,
                                             int year) {
  int reserved = 0;
  Room& room = RoomOf(unit.sql(), year);
  while (reserved < kMostAtOnce) {
    // In order: a smaller award does not overtake one that the money is not enough for.
    if (!room.first || FundWith(room, room.first->fen) == room.funds.end()) break;
    const std::string id = room.first->place.second;
    YZ_ASSIGN_OR_RETURN(auto record, store_.Award(unit.sql(), id, true));
    if (!record) return errors::DataLoss(Name("cases", id));
    if (record->award().state() != v1::AWARD_STATE_WAITING) {  // changed until locked
      room.first = store_.FirstWaiting(unit.sql(), year);
      continue;
    }
    YZ_RETURN_IF_ERROR(ReserveOrWait(unit, method, &*record));
    ++reserved;
  }
  return reserved;
}

absl::StatusOr<absl::Duration> Handlers::ReserveStep() {
  const absl::Time deadline = WallNow() + absl::Seconds(30);
  std::vector<int> ready;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), deadline, [&](db::Session& sql) {
    ready.clear();
    for (const int year : store_.YearsWithWaiting(sql)) {
      Room room{store_.FreeOf(sql, year), store_.FirstWaiting(sql, year)};
      if (room.first && FundWith(room, room.first->fen) != room.funds.end()) ready.push_back(year);
    }
    return absl::OkStatus();
  }));
  for (const int year : ready) {
    // What it does twice it finds done: the states under lock decide, not the key.
    YZ_RETURN_IF_ERROR(journal_.WriteIfChanged(
        "timer/reserve", NewUuid(), deadline,
        [&](journal::Unit& unit, bool* changed) -> absl::Status {
          YZ_ASSIGN_OR_RETURN(const int reserved, ReserveWaiting(unit, "timer:reserve", year));
          *changed = reserved > 0;
          return absl::OkStatus();
        }));
  }
  return ready.empty() ? kReserveEvery : absl::ZeroDuration();
}

absl::Status Handlers::GetAward(Context& context, const v1::GetAwardRequest& request,
                                v1::Award* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", request.case_name()));
  const bool waits = request.wait_for_state() != v1::AWARD_STATE_UNSPECIFIED;
  bool found = false;
  YZ_RETURN_IF_ERROR(LookUntil(context, request.wait_ms(), [&]() -> absl::StatusOr<bool> {
    YZ_RETURN_IF_ERROR(
        db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
          YZ_ASSIGN_OR_RETURN(const auto record, store_.Award(sql, id, false));
          found = record && MaySee(context.caller, record->award().host_unit());
          if (found) *answer = record->award();
          return absl::OkStatus();
        }));
    return !waits || (found && answer->state() == request.wait_for_state());
  }));
  return found ? absl::OkStatus() : errors::NotFound(request.case_name());
}

absl::Status Handlers::ListAwards(Context& context, const v1::ListAwardsRequest& request,
                                  v1::ListAwardsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string token, rpc::ReadPageToken(context.method, request));
  AwardPage page;
  page.limit = rpc::PageSize(request);
  if (!token.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(token, '/');
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &page.after_seq) || !IsUuid(parts[1]))
      return errors::PageTokenInvalid();
    page.after_id = parts[1];
  }
  std::string host_id;
  if (!SeesAllHosts(context.caller)) {
    const auto own = IdOf("hostUnits/*", context.caller.host_unit);
    if (!own.ok()) return absl::OkStatus();
    host_id = *own;
  }
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const auto records, store_.Awards(sql, host_id, request.state(), page));
    for (const auto& record : records) *answer->add_awards() = record.award();
    if (static_cast<int>(records.size()) == page.limit) {
      YZ_ASSIGN_OR_RETURN(const std::string last,
                          IdOf("cases/*", records.back().award().case_name()));
      answer->set_next_page_token(rpc::MakePageToken(
          context.method, request, absl::StrCat(records.back().resolved_seq(), "/", last)));
    }
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::payment
