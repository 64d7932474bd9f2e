#include "common/rules/evaluation.h"

#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "services/registry/handlers.h"
#include "services/registry/transitions.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {
namespace {

constexpr std::string_view kEvaluations = "stations/*/evaluations/*";
// How many failures a step of the timer makes final, and how long it rests when there were none.
constexpr int kAtOnce = 100;
constexpr absl::Duration kBetweenSteps = absl::Seconds(10);

rules::v1::EvaluationFacts FactsOf(const v1::Evaluation& evaluation,
                                   common::v1::StationLevel level) {
  rules::v1::EvaluationFacts facts;
  facts.set_level(level);
  facts.set_year(evaluation.year());
  for (const v1::DimensionScore& score : evaluation.scores()) {
    auto* fact = facts.add_scores();
    fact->set_code(score.code());
    fact->set_score_hundredths(score.score_hundredths());
    fact->set_remark(score.remark());
  }
  if (evaluation.has_told_on()) *facts.mutable_told_on() = evaluation.told_on();
  facts.set_evaluated_by(evaluation.evaluated_by());
  const v1::EvaluationReview& review = evaluation.review();
  if (review.has_requested_on()) *facts.mutable_review_requested_on() = review.requested_on();
  if (review.has_decided_on()) *facts.mutable_review_decided_on() = review.decided_on();
  facts.set_review_decided_by(review.decided_by());
  return facts;
}

absl::Status CheckToldOn(const google::type::Date& told_on, const v1::Evaluation& evaluation,
                         Day today) {
  const Day day = *DayFromProto(told_on);
  if (day > today) {
    return errors::InvalidField("told_on", "告知日期不得晚于今天", "must not be in the future");
  }
  if (day < BeijingDay(FromProto(evaluation.create_time()))) {
    return errors::InvalidField("told_on", "告知日期不得早于评估日期",
                                "must not be before the evaluation");
  }
  return absl::OkStatus();
}

void Emit(journal::Unit& unit, const v1::Evaluation& evaluation, v1::EvaluationState from) {
  v1::EvaluationAdvanced event;
  event.set_evaluation(evaluation.name());
  event.set_host_unit(evaluation.host_unit());
  event.set_from(from);
  event.set_state(evaluation.state());
  event.set_grade(evaluation.grade());
  unit.Emit(event);
}

}  // namespace

absl::Status Handlers::Grade(journal::Unit& unit, const Rules& rules,
                             common::v1::StationLevel level, v1::Evaluation* evaluation) const {
  YZ_RETURN_IF_ERROR(Weigh(unit, rules, level, evaluation));
  unit.EmitPrivate(FactsOf(*evaluation, level));
  return absl::OkStatus();
}

absl::Status Handlers::Weigh(journal::Unit& unit, const Rules& rules,
                             common::v1::StationLevel level, v1::Evaluation* evaluation) const {
  const auto result = rules::GradeEvaluation(rules.policy, *rules.calendar,
                                             FactsOf(*evaluation, level), rules.today);
  if (!rules::Allows(result.findings)) return errors::Refused(result.findings, evaluation->name());
  evaluation->mutable_findings()->Assign(result.findings.begin(), result.findings.end());
  *evaluation->mutable_policy() = rules.reference;
  evaluation->set_score_hundredths(result.score_hundredths);
  evaluation->set_grade(result.grade);
  evaluation->set_passed(result.passed);
  evaluation->clear_review_until();
  if (!result.passed && result.review_until)
    *evaluation->mutable_review_until() = DayToProto(*result.review_until);
  evaluation->set_review_until_provisional(!result.passed && result.review_until_provisional);
  const bool open = evaluation->has_review() && !evaluation->review().has_decided_on();
  evaluation->set_state(result.final ? v1::EVALUATION_STATE_FINAL
                        : open       ? v1::EVALUATION_STATE_UNDER_REVIEW
                                     : v1::EVALUATION_STATE_PROVISIONAL);
  if (!result.debars) return absl::OkStatus();
  v1::Debarment debarment;
  YZ_ASSIGN_OR_RETURN(const std::string host, IdOf("hostUnits/*", evaluation->host_unit()));
  debarment.set_name(Name("hostUnits", host, "debarments", NewUuid()));
  debarment.set_evaluation(evaluation->name());
  *debarment.mutable_from() = DayToProto(*result.debarred_from);
  if (result.debarred_until) *debarment.mutable_until() = DayToProto(*result.debarred_until);
  *debarment.mutable_create_time() = ToProto(unit.Now());
  Debar(unit, debarment);
  evaluation->set_debarment(debarment.name());
  return absl::OkStatus();
}

absl::Status Handlers::RecordEvaluation(Context& context,
                                        const v1::RecordEvaluationRequest& request,
                                        v1::Evaluation* answer) {
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(const auto station,
                        SeenStation(unit.sql(), context.caller, request.parent(), true));
    YZ_RETURN_IF_ERROR(
        StationTransitions().Check(request.parent(), station.state(), "RecordEvaluation"));
    if (request.year() > rules.today.year() ||
        request.year() < station.form().established_on().year()) {
      return errors::InvalidField("year", "评估年度应在建站年度与本年度之间",
                                  "must be between the year of establishment and this year");
    }
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("stations/*", request.parent()));
    answer->set_name(Name("stations", id, "evaluations", NewUuid()));
    answer->set_host_unit(station.form().host_unit());
    answer->set_year(request.year());
    *answer->mutable_scores() = request.scores();
    answer->set_evaluated_by(context.caller.subject);
    *answer->mutable_create_time() = ToProto(unit.Now());
    if (request.has_told_on()) {
      YZ_RETURN_IF_ERROR(CheckToldOn(request.told_on(), *answer, rules.today));
      *answer->mutable_told_on() = request.told_on();
    }
    YZ_RETURN_IF_ERROR(Grade(unit, rules, station.form().level(), answer));
    std::string existing;
    if (!store_.InsertEvaluation(unit.sql(), answer, &existing))
      return errors::AlreadyExists("year", existing);
    Emit(unit, *answer, v1::EVALUATION_STATE_UNSPECIFIED);
    return absl::OkStatus();
  });
}

absl::Status Handlers::ChangeEvaluation(Context& context, const google::protobuf::Message& request,
                                        std::string_view name, std::string_view method,
                                        v1::Evaluation* answer, EvaluationChange change) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf(kEvaluations, name));
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    const auto station =
        SeenStation(unit.sql(), context.caller, Name("stations", ids[0]), false);
    auto evaluation = store_.Evaluation(unit.sql(), ids[1], true);
    if (!station.ok() || !evaluation || evaluation->name() != name) return errors::NotFound(name);
    const v1::EvaluationState from = evaluation->state();
    YZ_RETURN_IF_ERROR(EvaluationTransitions().Check(name, from, method));
    YZ_RETURN_IF_ERROR(change(unit, rules, &*evaluation));
    if (evaluation->state() != v1::EVALUATION_STATE_SUPERSEDED) {
      YZ_RETURN_IF_ERROR(Grade(unit, rules, station->form().level(), &*evaluation));
      YZ_RETURN_IF_ERROR(EvaluationTransitions().Check(name, from, evaluation->state(), method));
    }
    if (!store_.UpdateEvaluation(unit.sql(), &*evaluation)) return errors::Conflict();
    Emit(unit, *evaluation, from);
    *answer = *evaluation;
    return absl::OkStatus();
  });
}

absl::Status Handlers::NotifyEvaluation(Context& context,
                                        const v1::NotifyEvaluationRequest& request,
                                        v1::Evaluation* answer) {
  return ChangeEvaluation(
      context, request, request.name(), "NotifyEvaluation", answer,
      [&](journal::Unit&, const Rules& rules, v1::Evaluation* evaluation) -> absl::Status {
        if (evaluation->has_told_on()) {
          return errors::InvalidField("told_on", "已登记告知日期，不得更改",
                                      "the host was told already");
        }
        // Told long ago and recorded only now: the period may have run out before anyone could ask
        // for review here, which then is the timer's to find.
        YZ_RETURN_IF_ERROR(CheckToldOn(request.told_on(), *evaluation, rules.today));
        const auto until = rules.calendar->AddWorkingDays(
            *DayFromProto(request.told_on()), rules.policy.evaluation().review_working_days());
        if (!until.provisional && until.day < rules.today) {
          return errors::InvalidField("told_on", "申请复核的期限已过，请核对告知日期",
                                      "the time for a review would be over already: check the day");
        }
        *evaluation->mutable_told_on() = request.told_on();
        return absl::OkStatus();
      });
}

absl::Status Handlers::RequestEvaluationReview(Context& context,
                                               const v1::RequestEvaluationReviewRequest& request,
                                               v1::Evaluation* answer) {
  return ChangeEvaluation(
      context, request, request.name(), "RequestEvaluationReview", answer,
      [&](journal::Unit&, const Rules& rules, v1::Evaluation* evaluation) -> absl::Status {
        if (!evaluation->has_told_on()) {
          return errors::InvalidField("name", "评估结果尚未告知建站单位，请先登记告知日期",
                                      "the host was not told yet: NotifyEvaluation comes first");
        }
        const Day until = *DayFromProto(evaluation->review_until());
        if (rules.today > until && !evaluation->review_until_provisional()) {
          common::v1::Finding late;
          late.set_rule_id("evaluation.review");
          late.set_article("interpretation");
          late.set_outcome(common::v1::OUTCOME_VIOLATED);
          late.set_text_zh(Concat({"申请复核的期限至", FormatDayZh(until), "，现已逾期。"}));
          late.set_text_en(Concat({"Review could be asked for until ", FormatDay(until), "."}));
          return errors::Refused({late}, request.name());
        }
        *evaluation->mutable_review()->mutable_requested_on() = DayToProto(rules.today);
        evaluation->mutable_review()->set_reason(request.reason());
        return absl::OkStatus();
      });
}

absl::Status Handlers::DecideEvaluationReview(Context& context,
                                              const v1::DecideEvaluationReviewRequest& request,
                                              v1::Evaluation* answer) {
  return ChangeEvaluation(
      context, request, request.name(), "DecideEvaluationReview", answer,
      [&](journal::Unit&, const Rules& rules, v1::Evaluation* evaluation) {
        v1::EvaluationReview& review = *evaluation->mutable_review();
        *review.mutable_former_scores() = evaluation->scores();
        *evaluation->mutable_scores() = request.scores();
        review.set_decided_by(context.caller.subject);
        *review.mutable_decided_on() = DayToProto(rules.today);
        review.set_decision_reason(request.reason());
        return absl::OkStatus();
      });
}

absl::Status Handlers::SupersedeEvaluation(Context& context,
                                           const v1::SupersedeEvaluationRequest& request,
                                           v1::Evaluation* answer) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf(kEvaluations, request.name()));
  v1::Evaluation next;
  return ChangeEvaluation(
      context, request, request.name(), "SupersedeEvaluation", answer,
      [&](journal::Unit& unit, const Rules& rules, v1::Evaluation* evaluation) -> absl::Status {
        next.Clear();
        next.set_name(Name("stations", ids[0], "evaluations", NewUuid()));
        next.set_host_unit(evaluation->host_unit());
        next.set_year(evaluation->year());
        *next.mutable_scores() = request.scores();
        next.set_evaluated_by(context.caller.subject);
        *next.mutable_create_time() = ToProto(unit.Now());
        next.set_supersedes(evaluation->name());
        next.set_reason(request.reason());
        if (request.has_told_on()) {
          YZ_RETURN_IF_ERROR(CheckToldOn(request.told_on(), next, rules.today));
          *next.mutable_told_on() = request.told_on();
        }
        evaluation->set_state(v1::EVALUATION_STATE_SUPERSEDED);
        evaluation->set_superseded_by(next.name());
        // Out of force first: a year has one evaluation that is.
        v1::Evaluation old = *evaluation;
        if (!store_.UpdateEvaluation(unit.sql(), &old)) return errors::Conflict();
        evaluation->set_etag(old.etag());
        if (!evaluation->debarment().empty()) {
          YZ_ASSIGN_OR_RETURN(const auto of,
                              IdsOf("hostUnits/*/debarments/*", evaluation->debarment()));
          auto debarment = store_.Debarment(unit.sql(), of[0], of[1], true);
          if (debarment && !debarment->has_lifted_on())
            Lift(unit, Concat({"评估已更正：", request.reason()}), &*debarment);
        }
        YZ_ASSIGN_OR_RETURN(const auto station,
                            store_.Station(unit.sql(), ids[0], Store::Reading::kShown));
        YZ_RETURN_IF_ERROR(Grade(unit, rules, station->form().level(), &next));
        std::string existing;
        if (!store_.InsertEvaluation(unit.sql(), &next, &existing))
          return errors::AlreadyExists("name", existing);
        Emit(unit, next, v1::EVALUATION_STATE_UNSPECIFIED);
        return absl::OkStatus();
      });
}

absl::Status Handlers::FinalizeEvaluation(const std::string& name) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf(kEvaluations, name));
  return journal_.WriteIfChanged(
      "timer/evaluation-final", name, journal_.clocks().wall() + absl::Seconds(30),
      [&](journal::Unit& unit, bool* changed) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
        auto evaluation = store_.Evaluation(unit.sql(), ids[1], true);
        if (!evaluation || evaluation->state() != v1::EVALUATION_STATE_PROVISIONAL)
          return absl::OkStatus();
        YZ_ASSIGN_OR_RETURN(const auto station,
                            store_.Station(unit.sql(), ids[0], Store::Reading::kShown));
        const auto level = station->form().level();
        YZ_RETURN_IF_ERROR(Weigh(unit, rules, level, &*evaluation));
        // A calendar that learned more days since may have moved the last one: nothing is decided.
        if (evaluation->state() != v1::EVALUATION_STATE_FINAL) return absl::OkStatus();
        unit.EmitPrivate(FactsOf(*evaluation, level));
        if (!store_.UpdateEvaluation(unit.sql(), &*evaluation)) return errors::Conflict();
        Emit(unit, *evaluation, v1::EVALUATION_STATE_PROVISIONAL);
        *changed = true;
        return absl::OkStatus();
      });
}

absl::StatusOr<absl::Duration> Handlers::FinalizeEvaluations() {
  const Day today = BeijingDay(journal_.clocks().business->Now());
  std::vector<std::string> names;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), journal_.clocks().wall() + absl::Seconds(30),
                              [&](db::Session& sql) {
                                names = store_.EndedEvaluations(sql, today, kAtOnce);
                                return absl::OkStatus();
                              }));
  for (const std::string& name : names) {
    // One that cannot be made final holds back no other.
    const absl::Status status = FinalizeEvaluation(name);
    if (!status.ok()) {
      Log(LogLevel::kError, "evaluation is not made final",
          {{"evaluation", name}, {"error", status.ToString()}});
    }
  }
  return kBetweenSteps;
}

absl::Status Handlers::GetEvaluation(Context& context, const v1::GetEvaluationRequest& request,
                                     v1::Evaluation* answer) {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf(kEvaluations, request.name()));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    const auto evaluation = store_.Evaluation(sql, ids[1], false);
    if (!evaluation || evaluation->name() != request.name() ||
        !MaySee(context.caller, evaluation->host_unit())) {
      return errors::NotFound(request.name());
    }
    *answer = *evaluation;
    return absl::OkStatus();
  });
}

absl::Status Handlers::ListEvaluations(Context& context, const v1::ListEvaluationsRequest& request,
                                       v1::ListEvaluationsResponse* answer) {
  YZ_ASSIGN_OR_RETURN(const std::string after, rpc::ReadPageToken(context.method, request));
  const int size = rpc::PageSize(request);
  std::vector<std::pair<std::string_view, std::string_view>> own;
  if (!request.parent().empty()) own.push_back({"station", request.parent()});
  if (!SeesAllHosts(context.caller)) {
    if (context.caller.host_unit.empty()) return absl::OkStatus();
    own.push_back({"host_unit", context.caller.host_unit});
  }
  YZ_ASSIGN_OR_RETURN(const auto query, list::Parse(EvaluationList(), request.filter(), "", own));
  return db::Read(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
    answer->Clear();
    YZ_ASSIGN_OR_RETURN(auto found, store_.Evaluations(sql, query, {after, size}));
    answer->mutable_evaluations()->Swap(&found.rows);
    if (answer->evaluations_size() == size)
      answer->set_next_page_token(rpc::MakePageToken(context.method, request, found.last_key));
    return absl::OkStatus();
  });
}

}  // namespace yuezhan::registry
