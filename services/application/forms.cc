#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/host/standings.h"
#include "common/host/wait.h"
#include "common/rpc/client.h"
#include "common/rpc/page_token.h"
#include "services/application/handlers.h"
#include "services/application/transitions.h"
#include "yuezhan/application/v1/events.pb.h"

namespace yuezhan::application {
namespace {

absl::Status CheckForm(const v1::ApplicationForm& form) {
  const auto fen = FenOf(form.requested_amount());
  if (fen.ok() && *fen > 0) return absl::OkStatus();
  return errors::InvalidField("form.requested_amount", "应为大于零的人民币金额，精确到分",
                              "must be a positive amount of CNY in whole fen");
}

v1::ApplicationAdvanced Advanced(const v1::Application& application, v1::ApplicationState from) {
  v1::ApplicationAdvanced event;
  event.set_application(application.name());
  event.set_from(from);
  event.set_state(application.state());
  event.set_station(application.form().station());
  event.set_host_unit(application.host_unit());
  event.set_submission(application.submissions());
  event.set_category(application.form().category());
  event.set_subsidy_year(application.form().subsidy_year());
  event.set_requested_amount_fen(FenOf(application.form().requested_amount()).value_or(0));
  event.set_station_name(application.station_name());
  event.set_host_name(application.host_name());
  event.set_society_name(application.society_name());
  return event;
}

}  // namespace

void TakeOver(const rules::v1::StandingFacts& standing, v1::Application* application) {
  application->set_station_name(standing.station().display_name());
  application->set_host_name(standing.host().display_name());
  application->set_society_name(standing.station().society_name());
  *application->mutable_account() = standing.host().account();
}

absl::StatusOr<std::vector<rules::v1::StandingFacts>> Handlers::StandingsOf(
    const Context& context, const std::vector<std::string>& stations) const {
  auto standings = AskStandings(registry_, context, stations);
  const absl::Status& status = standings.status();
  if (status.ok() || absl::IsNotFound(status) || absl::IsDeadlineExceeded(status)) return standings;
  // What is wrong with one of several is no outage of all: each is asked about alone then.
  if (stations.size() > 1 && !absl::IsUnavailable(status)) return errors::Conflict();
  // Whatever keeps registry from answering us is no fault of the caller's.
  Log(LogLevel::kWarning, "registry_does_not_answer", {{"why", std::string(status.message())}});
  return errors::Unavailable("registry");
}

absl::StatusOr<rules::v1::StandingFacts> Handlers::StandingOf(const Context& context,
                                                              const std::string& station) const {
  YZ_ASSIGN_OR_RETURN(auto standings, StandingsOf(context, {station}));
  return std::move(standings.front());
}

absl::StatusOr<v1::Application> Handlers::Visible(db::Session& sql, const Caller& caller,
                                                  std::string_view name, bool lock) const {
  YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", name));
  YZ_ASSIGN_OR_RETURN(auto application, store_.Application(sql, id, lock));
  if (!application || !MaySee(caller, application->host_unit())) return errors::NotFound(name);
  return *std::move(application);
}

absl::StatusOr<v1::Application> Handlers::ReadVisible(const Context& context,
                                                      std::string_view name) const {
  v1::Application application;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(application, Visible(sql, context.caller, name, false));
        return absl::OkStatus();
      }));
  return application;
}

absl::Status Handlers::Advance(const Context& context, journal::Unit& unit, const Rules& rules,
                               std::string_view method, v1::Application* application,
                               Change change) {
  const std::string name = application->name();
  if (!MaySee(context.caller, application->host_unit())) return errors::NotFound(name);
  const v1::ApplicationState from = application->state();
  YZ_RETURN_IF_ERROR(ApplicationTransitions().Check(name, from, method));
  YZ_RETURN_IF_ERROR(change(unit, rules, application));
  YZ_RETURN_IF_ERROR(ApplicationTransitions().Check(name, from, application->state(), method));
  if (application->state() != from) {
    EnterState(unit.Now(), application);
    if (EndedUnpaid(application->state())) {
      YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("applications/*", name));
      store_.FreeLineage(unit.sql(), id);
    }
    unit.Emit(Advanced(*application, from));
  }
  store_.UpdateApplication(unit.sql(), application);
  AddNextStep(rules, application);
  return absl::OkStatus();
}

absl::Status Handlers::ChangeApplication(Context& context, const google::protobuf::Message& request,
                                         std::string_view name, std::string_view method,
                                         v1::Application* answer, Change change) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(*answer, Visible(unit.sql(), context.caller, name, true));
    return Advance(context, unit, rules, method, answer, change);
  });
}

absl::Status Handlers::CreateApplication(
    const rpc::AskedList<v1::CreateApplicationRequest, v1::Application>& asked) {
  std::vector<std::string> stations;
  for (const auto& each : asked) {
    YZ_RETURN_IF_ERROR(CheckForm(each.request.form()));
    stations.push_back(each.request.form().station());
  }
  Context context = asked.front().context;
  context.deadline = rpc::LastDeadline(asked);
  YZ_ASSIGN_OR_RETURN(const auto standings, StandingsOf(context, stations));
  for (size_t i = 0; i < asked.size(); ++i) {
    if (!MaySee(asked[i].context.caller, standings[i].station().host_unit()))
      return errors::NotFound(stations[i]);
  }
  return journal_.WriteAll(asked, [&](const auto& units) -> absl::Status {
    for (size_t i = 0; i < asked.size(); ++i) {
      journal::Unit& unit = *units[i];
      v1::Application* const answer = asked[i].answer;
      YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
      answer->set_name(Name("applications", NewUuid()));
      *answer->mutable_form() = asked[i].request.form();
      answer->set_host_unit(standings[i].station().host_unit());
      answer->set_state(v1::APPLICATION_STATE_DRAFT);
      EnterState(unit.Now(), answer);
      *answer->mutable_create_time() = answer->state_time();
      TakeOver(standings[i], answer);
      store_.InsertApplication(unit.sql(), answer);
      unit.Emit(Advanced(*answer, v1::APPLICATION_STATE_UNSPECIFIED));
      AddNextStep(rules, answer);
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::UpdateApplication(Context& context,
                                         const v1::UpdateApplicationRequest& request,
                                         v1::Application* answer) {
  YZ_RETURN_IF_ERROR(CheckForm(request.form()));
  YZ_ASSIGN_OR_RETURN(const auto before, ReadVisible(context, request.name()));
  YZ_ASSIGN_OR_RETURN(const auto standing, StandingOf(context, before.form().station()));
  return ChangeApplication(
      context, request, request.name(), "UpdateApplication", answer,
      [&](journal::Unit&, const Rules&, v1::Application* application) -> absl::Status {
        if (request.etag() != application->etag()) return errors::EtagMismatch(request.name());
        if (request.form().station() != application->form().station()) {
          return errors::InvalidField("form.station", "不得更换学会服务站，请另行申报",
                                      "must stay the same station; begin another application");
        }
        *application->mutable_form() = request.form();
        TakeOver(standing, application);
        return absl::OkStatus();
      });
}

absl::Status Handlers::GetApplication(Context& context, const v1::GetApplicationRequest& request,
                                      v1::Application* answer) {
  YZ_RETURN_IF_ERROR(LookUntil(context, request.wait_ms(), [&]() -> absl::StatusOr<bool> {
    YZ_ASSIGN_OR_RETURN(*answer, ReadVisible(context, request.name()));
    return request.wait_for_state() == v1::APPLICATION_STATE_UNSPECIFIED ||
           request.wait_for_state() == answer->state();
  }));
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  AddNextStep(rules, answer);
  AddNoticesEnd(context, answer);
  return absl::OkStatus();
}

absl::Status Handlers::ListApplications(Context& context,
                                        const v1::ListApplicationsRequest& request,
                                        v1::ListApplicationsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  // Who sees one host unit only gets its list, whatever filter is given.
  std::vector<std::pair<std::string_view, std::string_view>> own;
  if (!SeesAllHosts(context.caller)) {
    if (context.caller.host_unit.empty()) return absl::OkStatus();
    own.emplace_back("host_unit", context.caller.host_unit);
  }
  YZ_ASSIGN_OR_RETURN(const list::Query query, list::Parse(ApplicationLists(), request.filter(),
                                                           request.order_by(), own));
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(const ListPage page, store_.Applications(sql, query, after, size));
    answer->mutable_applications()->Assign(page.applications.begin(), page.applications.end());
    for (v1::Application& application : *answer->mutable_applications())
      AddNextStep(rules, &application);
    if (static_cast<int>(page.applications.size()) == size)
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, page.last));
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::application
