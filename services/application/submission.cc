#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rules/application.h"
#include "services/application/handlers.h"
#include "services/application/transitions.h"
#include "yuezhan/application/v1/events.pb.h"

namespace yuezhan::application {
namespace {

rules::v1::MaterialFacts FactsOf(const v1::Material& material) {
  rules::v1::MaterialFacts facts;
  facts.set_code(material.code());
  facts.set_file_name(material.file_name());
  facts.set_media_type(material.media_type());
  facts.set_size_bytes(material.size_bytes());
  if (material.has_scan_agrees()) *facts.mutable_scan_agrees() = material.scan_agrees();
  return facts;
}

// Each point of the last return is answered, in its order.
absl::Status CheckAnswers(const v1::SubmitApplicationRequest& request,
                          const v1::Application& application) {
  const auto& answers = request.answers();
  const bool each_given = std::none_of(answers.begin(), answers.end(),
                                       [](const std::string& answer) { return answer.empty(); });
  if (answers.size() == application.points_size() && each_given) return absl::OkStatus();
  const std::string points = std::to_string(application.points_size());
  return errors::InvalidField("answers", Concat({"应逐条答复补正意见，共 ", points, " 条"}),
                              Concat({"must answer each point of the return: ", points}));
}

// 32 bytes; without it different stations would be taken for one.
absl::StatusOr<std::string> LineageOf(const rules::v1::StationFacts& station) {
  const auto lineage = FromHex(station.lineage());
  if (!lineage.ok() || lineage->size() != kDigestBytes) return errors::DataLoss("lineage");
  return *lineage;
}

}  // namespace

rules::v1::ApplicationFormFacts FormFactsOf(const v1::Application& application,
                                            const rules::v1::AccountFacts& account) {
  const v1::ApplicationForm& form = application.form();
  rules::v1::ApplicationFormFacts facts;
  facts.set_station(form.station());
  facts.set_station_name(application.station_name());
  facts.set_category(form.category());
  facts.set_subsidy_year(form.subsidy_year());
  facts.set_requested_amount_fen(FenOf(form.requested_amount()).value_or(0));
  facts.set_requested_amount_words(form.requested_amount_words());
  facts.set_host_unit(application.host_unit());
  *facts.mutable_account() = account;
  facts.set_main_content(form.main_content());
  return facts;
}

v1::Submission Handlers::Judge(const Rules& rules, const v1::Application& application,
                               const std::vector<v1::Material>& materials,
                               const rules::v1::StandingFacts& standing,
                               std::string_view live) const {
  const std::string id = IdOf("applications/*", application.name()).value();
  v1::Submission judged;
  judged.set_application(application.name());
  judged.mutable_materials()->Assign(materials.begin(), materials.end());
  rules::v1::ApplicationFacts& facts = *judged.mutable_facts();
  *facts.mutable_standing() = standing;
  *facts.mutable_form() = FormFactsOf(application, standing.host().account());
  for (const v1::Material& material : materials) *facts.add_materials() = FactsOf(material);
  if (!live.empty() && live != id) facts.add_other_applications(Name("applications", live));
  const auto findings = rules::CheckApplication(rules.policy, *rules.calendar, facts, rules.today);
  judged.mutable_findings()->Assign(findings.begin(), findings.end());
  *judged.mutable_policy() = rules.reference;
  return judged;
}

absl::StatusOr<std::vector<Handlers::Ground>> Handlers::GroundsOf(
    const std::vector<Named>& named, absl::Time deadline) const {
  std::vector<std::string> ids, stations;
  for (const Named& each : named) {
    YZ_ASSIGN_OR_RETURN(ids.emplace_back(), IdOf("applications/*", each.name));
  }
  std::map<std::string, v1::Application> applications;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), deadline, [&](db::Session& sql) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(applications, store_.ApplicationsById(sql, ids, false));
    return absl::OkStatus();
  }));
  for (size_t i = 0; i < named.size(); ++i) {
    const auto found = applications.find(ids[i]);
    if (found == applications.end() ||
        !MaySee(named[i].context.caller, found->second.host_unit())) {
      return errors::NotFound(named[i].name);
    }
    stations.push_back(found->second.form().station());
  }
  Context context = named.front().context;
  context.deadline = deadline;
  YZ_ASSIGN_OR_RETURN(auto standings, StandingsOf(context, stations));
  std::vector<Ground> grounds;
  for (size_t i = 0; i < named.size(); ++i) {
    YZ_ASSIGN_OR_RETURN(std::string lineage, LineageOf(standings[i].station()));
    grounds.push_back(
        {ids[i], applications.at(ids[i]), std::move(standings[i]), std::move(lineage)});
  }
  return grounds;
}

absl::Status Handlers::CheckEligibility(
    const rpc::AskedList<v1::CheckEligibilityRequest, v1::CheckEligibilityResponse>& asked) {
  const absl::Time deadline = rpc::LastDeadline(asked);
  YZ_ASSIGN_OR_RETURN(const auto grounds, GroundsOf(rpc::NamesOf(asked), deadline));
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(journal_.clocks().business->Now()));
  std::vector<std::string> ids, lineages;
  for (const Ground& ground : grounds) {
    ids.push_back(ground.id);
    lineages.push_back(ground.lineage);
  }
  return db::Read(journal_.pool(), deadline, [&](db::Session& sql) {
    auto materials = MaterialsOf(sql, ids);
    auto live = store_.LiveOf(sql, lineages);
    for (size_t i = 0; i < asked.size(); ++i) {
      v1::Submission judged = Judge(rules, grounds[i].application, materials[ids[i]],
                                    grounds[i].standing, live[lineages[i]]);
      v1::CheckEligibilityResponse& answer = *asked[i].answer;
      answer.set_eligible(rules::Allows({judged.findings().begin(), judged.findings().end()}));
      answer.mutable_findings()->Swap(judged.mutable_findings());
      *answer.mutable_policy() = judged.policy();
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::Submit(journal::Unit& unit, const Rules& rules, const Ground& ground,
                              const std::vector<v1::Material>& materials,
                              const v1::SubmitApplicationRequest& request,
                              v1::Application* application,
                              std::vector<v1::Submission>* submissions) {
  // Review is about to decide: it would end what is submitted anew.
  if (application->withdrawal_requested()) {
    return errors::StateForbids(request.name(), "WITHDRAWAL_REQUESTED", {"RETURNED"}, "");
  }
  YZ_RETURN_IF_ERROR(CheckAnswers(request, *application));
  // Claimed before it is judged: of many at once one is the live one, and the others find it.
  const std::string live = store_.ClaimLineage(unit.sql(), ground.lineage, ground.id);
  if (live.empty()) return errors::Conflict();
  TakeOver(ground.standing, application);
  YZ_RETURN_IF_ERROR(CheckScanOfForm(rules, *application, materials));
  v1::Submission submission = Judge(rules, *application, materials, ground.standing, live);
  const rules::Findings findings{submission.findings().begin(), submission.findings().end()};
  if (!rules::Allows(findings)) return errors::Refused(findings, request.name());
  submission.set_number(application->submissions() + 1);
  *submission.mutable_submit_time() = ToProto(unit.Now());
  *submission.mutable_points() = application->points();
  *submission.mutable_answers() = request.answers();
  if (application->state() == v1::APPLICATION_STATE_RETURNED) {
    *submission.mutable_return_time() = application->state_time();
    submission.set_return_reason(application->reason());
  }
  application->set_state(v1::APPLICATION_STATE_SUBMITTED);
  application->set_submissions(submission.number());
  *application->mutable_submit_time() = submission.submit_time();
  application->clear_opinion_time();
  *application->mutable_findings() = submission.findings();
  *application->mutable_policy() = submission.policy();
  application->clear_points();
  application->clear_reason();
  submissions->push_back(std::move(submission));
  return absl::OkStatus();
}

absl::Status Handlers::SubmitApplication(
    const rpc::AskedList<v1::SubmitApplicationRequest, v1::Application>& asked) {
  YZ_ASSIGN_OR_RETURN(const auto grounds, GroundsOf(rpc::NamesOf(asked), rpc::LastDeadline(asked)));
  std::vector<std::string> ids;
  for (const Ground& ground : grounds) ids.push_back(ground.id);
  return journal_.WriteAll(asked, [&](const auto& units) -> absl::Status {
    db::Session& sql = units.front()->sql();
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(units.front()->Now()));
    YZ_ASSIGN_OR_RETURN(auto locked, store_.ApplicationsById(sql, ids, true));
    auto materials = MaterialsOf(sql, ids);
    std::vector<v1::Submission> submissions;
    for (size_t i = 0; i < asked.size(); ++i) {
      const auto& each = asked[i];
      // One that is asked for twice is gone at the second time: its turn comes alone.
      auto node = locked.extract(ids[i]);
      if (node.empty()) return errors::NotFound(each.request.name());
      *each.answer = std::move(node.mapped());
      YZ_RETURN_IF_ERROR(Advance(
          each.context, *units[i], rules, "SubmitApplication", each.answer,
          [&](journal::Unit& unit, const Rules&, v1::Application* application) {
            return Submit(unit, rules, grounds[i], materials[ids[i]], each.request, application,
                          &submissions);
          }));
    }
    store_.InsertSubmissions(sql, submissions);
    files_.Keep(sql, ids);
    return absl::OkStatus();
  });
}

absl::Status Handlers::WithdrawApplication(Context& context,
                                           const v1::WithdrawApplicationRequest& request,
                                           v1::Application* answer) {
  return ChangeApplication(
      context, request, request.name(), "WithdrawApplication", answer,
      [&](journal::Unit& unit, const Rules&, v1::Application* application) {
        const v1::ApplicationState state = application->state();
        application->set_reason(request.reason());
        if (ApplicationTransitions().Allows(state, v1::APPLICATION_STATE_WITHDRAWN,
                                            "WithdrawApplication")) {
          application->set_state(v1::APPLICATION_STATE_WITHDRAWN);
          application->set_withdrawal_requested(false);
          return absl::OkStatus();
        }
        // Asked once: review answers each request.
        if (!application->withdrawal_requested()) {
          application->set_withdrawal_requested(true);
          v1::WithdrawalRequested event;
          event.set_application(application->name());
          event.set_reason(request.reason());
          unit.Emit(event);
        }
        return absl::OkStatus();
      });
}

absl::Status Handlers::GetSubmission(
    const rpc::AskedList<v1::GetSubmissionRequest, v1::Submission>& asked) {
  std::vector<std::string> ids;
  std::vector<std::pair<std::string, int>> places;
  for (const auto& each : asked) {
    YZ_ASSIGN_OR_RETURN(ids.emplace_back(), IdOf("applications/*", each.request.application()));
    places.emplace_back(ids.back(), each.request.number());
  }
  return db::Read(journal_.pool(), rpc::LastDeadline(asked), [&](db::Session& sql) -> absl::Status {
    const auto hosts = store_.HostUnitsOf(sql, ids);
    YZ_ASSIGN_OR_RETURN(auto submissions, store_.SubmissionsAt(sql, places));
    for (size_t i = 0; i < asked.size(); ++i) {
      const std::string& name = asked[i].request.application();
      const auto host = hosts.find(ids[i]);
      if (host == hosts.end() || !MaySee(asked[i].context.caller, host->second) || !submissions[i])
        return errors::NotFound(name);
      *asked[i].answer = *std::move(submissions[i]);
    }
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::application
