#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/standings.h"
#include "common/host/wait.h"
#include "common/rpc/page_token.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"
#include "yuezhan/registry/v1/registry.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::review {

absl::StatusOr<v1::Case> Handlers::LockCase(db::Session& sql, std::string_view name) const {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", name));
  YZ_ASSIGN_OR_RETURN(auto review_case, store_.Case(sql, id, true));
  if (!review_case) return errors::NotFound(name);
  return *std::move(review_case);
}

absl::StatusOr<Rules> Handlers::RulesOf(const v1::Case& review_case, absl::Time now) const {
  const auto submitted_on = DayFromProto(review_case.submitted_on());
  if (!submitted_on) return errors::DataLoss(review_case.name());
  return rulebook_.Of(*submitted_on, now);
}

absl::Status Handlers::Save(journal::Unit& unit, v1::Case* review_case) const {
  store_.UpdateCase(unit.sql(), review_case);
  store_.AddToTrail(unit.sql(), review_case->name(), unit.entry_key());
  return absl::OkStatus();
}

void Handlers::Show(v1::Case* review_case) const {
  review_case->clear_due_on();
  review_case->clear_overdue();
  review_case->clear_due_calendar_digest();
  const auto state = review_case->state();
  if (state != v1::CASE_STATE_OPEN && state != v1::CASE_STATE_ASSESSED &&
      state != v1::CASE_STATE_OPINION_PREPARED)
    return;
  const auto rules = RulesOf(*review_case, journal_.clocks().business->Now());
  if (!rules.ok()) return;
  const Day due = rules->calendar
                      ->AddWorkingDays(*DayFromProto(review_case->submitted_on()),
                                       rules->policy.review().opinion_working_days())
                      .day;
  *review_case->mutable_due_on() = DayToProto(due);
  review_case->set_overdue(rules->today > due);
  review_case->set_due_calendar_digest(rules->calendar->digest());
}

absl::Status Handlers::Advance(journal::Unit& unit, v1::Case* review_case, v1::CaseState to,
                               std::string_view method, std::string_view reason,
                               const rules::v1::PaymentFacts* clearance) {
  const v1::CaseState from = review_case->state();
  YZ_RETURN_IF_ERROR(CaseTransitions().Check(review_case->name(), from, to, method));
  if (from != to) {
    review_case->set_state(to);
    *review_case->mutable_state_time() = ToProto(unit.Now());
  }
  YZ_RETURN_IF_ERROR(Save(unit, review_case));
  if (from == to) return absl::OkStatus();
  v1::CaseAdvanced event;
  event.set_case_name(review_case->name());
  event.set_application(review_case->application());
  event.set_from(from);
  event.set_state(to);
  event.set_station(review_case->station());
  event.set_host_unit(review_case->host_unit());
  event.set_station_name(review_case->station_name());
  event.set_host_name(review_case->host_name());
  event.set_society_name(review_case->society_name());
  event.set_category(review_case->category());
  event.set_subsidy_year(review_case->subsidy_year());
  event.set_amount_fen(FenOf(review_case->awarded_amount()).value_or(0));
  event.set_line_digest(review_case->line_digest());
  event.set_qualified(review_case->assessment().qualified());
  if (to == v1::CASE_STATE_RETURNED) *event.mutable_points() = review_case->opinion().points();
  event.set_reason(std::string(reason));
  event.set_notice(review_case->notice());
  event.set_submission(review_case->submission());
  if (clearance != nullptr) *event.mutable_clearance() = *clearance;
  *event.mutable_acts() = review_case->acts();
  unit.Emit(event);
  return absl::OkStatus();
}

absl::Status Handlers::ChangeCase(Context& context, const google::protobuf::Message& request,
                                  std::string_view name, std::string_view method, v1::Case* answer,
                                  Change change) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) {
    return ChangeOne(unit, name, method, answer, change);
  });
}

absl::Status Handlers::ChangeOne(journal::Unit& unit, std::string_view name,
                                 std::string_view method, v1::Case* answer, Change change) {
  YZ_ASSIGN_OR_RETURN(*answer, LockCase(unit.sql(), name));
  YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(*answer, unit.Now()));
  YZ_RETURN_IF_ERROR(CaseTransitions().Check(name, answer->state(), method));
  YZ_ASSIGN_OR_RETURN(const v1::CaseState to, change(unit, rules, answer));
  const bool told_why = to == v1::CASE_STATE_RETURNED || to == v1::CASE_STATE_REFUSED;
  YZ_RETURN_IF_ERROR(Advance(unit, answer, to, method, told_why ? answer->opinion().reason() : ""));
  Show(answer);
  return absl::OkStatus();
}

absl::StatusOr<Handlers::Standings> Handlers::StandingsOf(const std::vector<rpc::Named>& named) {
  std::vector<std::string> cases;
  Context context = named.front().context;
  for (const rpc::Named& each : named) {
    cases.push_back(each.name);
    context.deadline = std::max(context.deadline, each.context.deadline);
  }
  return StandingsOf(context, cases);
}

absl::StatusOr<Handlers::Standings> Handlers::StandingsOf(const Context& context,
                                                          const std::vector<std::string>& cases) {
  std::map<std::string, v1::Case> read;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(read, store_.CasesByName(sql, cases));
        return absl::OkStatus();
      }));
  std::vector<std::string> stations;
  for (const std::string& name : cases) {
    const auto found = read.find(name);
    if (found == read.end()) return errors::NotFound(name);
    stations.push_back(found->second.station());
  }
  YZ_ASSIGN_OR_RETURN(auto facts, AskStandings(registry_, context, stations));
  Standings standings;
  for (size_t i = 0; i < cases.size(); ++i) {
    const v1::Case& review_case = read.at(cases[i]);
    rules::v1::StandingFacts& standing = standings[cases[i]] = std::move(facts[i]);
    *standing.mutable_submitted_on() = review_case.submitted_on();
    standing.set_own_source(review_case.name());
  }
  return standings;
}

absl::Status Handlers::LockAhead(const std::vector<std::string>& names) {
  return db::Read(journal_.pool(), absl::InfiniteFuture(), [&](db::Session& sql) {
    store_.PrefetchCases(sql, names);
    return absl::OkStatus();
  });
}

absl::Status Handlers::GetCase(Context& context, const v1::GetCaseRequest& request,
                               v1::Case* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", request.name()));
  return LookUntil(context, request.wait_ms(), [&]() -> absl::StatusOr<bool> {
    YZ_RETURN_IF_ERROR(
        db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
          YZ_ASSIGN_OR_RETURN(auto review_case, store_.Case(sql, id, false));
          if (!review_case) return errors::NotFound(request.name());
          *answer = *std::move(review_case);
          Show(answer);
          return absl::OkStatus();
        }));
    const v1::CaseState wanted = request.wait_for_state();
    return wanted == v1::CASE_STATE_UNSPECIFIED ||
           (answer->state() == wanted && (wanted != v1::CASE_STATE_AWARDED || answer->reserved()));
  });
}

absl::Status Handlers::ListCases(Context& context, const v1::ListCasesRequest& request,
                                 v1::ListCasesResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    if (!request.application().empty()) {
      YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", request.application()));
      YZ_ASSIGN_OR_RETURN(auto review_case, store_.CaseOf(sql, id, false));
      const bool wanted = review_case && after.empty() &&
                          (request.state() == 0 || request.state() == review_case->state());
      if (wanted) {
        Show(&*review_case);
        *answer->add_cases() = *std::move(review_case);
      }
      return absl::OkStatus();
    }
    YZ_ASSIGN_OR_RETURN(auto cases, store_.Cases(sql, request.state(), {after, size}));
    for (v1::Case& review_case : cases) Show(&review_case);
    answer->mutable_cases()->Assign(cases.begin(), cases.end());
    if (static_cast<int>(cases.size()) == size) {
      YZ_ASSIGN_OR_RETURN(const std::string last, IdOf("cases/*", cases.back().name()));
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, last));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListQueue(Context& context, const v1::ListQueueRequest& request,
                                 v1::ListQueueResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string token, rpc::ReadPageToken(context.method, request));
  QueuePage page;
  page.limit = rpc::PageSize(request);
  if (!token.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(token, '/');
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &page.after_since) || !IsUuid(parts[1]))
      return errors::PageTokenInvalid();
    page.after_id = parts[1];
  }
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(auto cases, store_.WaitingCases(sql, request.assignee(), page));
    // Everyone has as many working days: who waits longest is due first.
    for (v1::Case& review_case : cases) {
      Show(&review_case);
      *answer->add_cases() = std::move(review_case);
    }
    if (answer->cases_size() == page.limit) {
      const v1::Case& last = answer->cases(page.limit - 1);
      YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("cases/*", last.name()));
      const auto since = DayFromProto(last.submitted_on());
      answer->set_next_page_token(rpc::MakePageToken(
          context.method, request,
          absl::StrCat(since ? *since - Day(1970, 1, 1) : int64_t{0}, "/", id)));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::AssignCase(Context& context, const v1::AssignCaseRequest& request,
                                  v1::Case* answer) {
  return ChangeCase(
      context, request, request.name(), "AssignCase", answer,
      [&](journal::Unit& unit, const Rules&,
          v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
        const std::string& before = review_case->assignment().assignee();
        if (before == request.assignee())
          return errors::AlreadyExists("assignee", review_case->name());
        if (!before.empty() && request.reason().empty()) {
          return errors::InvalidField("reason", "改派须写明理由",
                                      "must say why the case is taken from another officer");
        }
        auto* assignment = review_case->mutable_assignment();
        assignment->set_assignee(request.assignee());
        assignment->set_assigned_by(context.caller.subject);
        assignment->set_reason(request.reason());
        *assignment->mutable_assign_time() = ToProto(unit.Now());
        return review_case->state();
      });
}

}  // namespace yuezhan::review
