#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "common/rules/review.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"

namespace yuezhan::review {
namespace {

using rules::v1::Recommendation;

// A case that was not assessed can be returned for correction, and nothing else.
absl::Status CheckAssessed(const v1::Case& review_case, Recommendation recommendation) {
  if (recommendation == rules::v1::RECOMMENDATION_RETURN || review_case.has_assessment())
    return absl::OkStatus();
  return errors::StateForbids(review_case.name(), CaseTransitions().StateName(review_case.state()),
                              {"ASSESSED"}, "RecordAssessment");
}

v1::CaseState StateAfter(Recommendation recommendation) {
  switch (recommendation) {
    case rules::v1::RECOMMENDATION_AWARD:
      return v1::CASE_STATE_RECOMMENDED;
    case rules::v1::RECOMMENDATION_RETURN:
      return v1::CASE_STATE_RETURNED;
    default:
      return v1::CASE_STATE_REFUSED;
  }
}

}  // namespace

absl::Status Handlers::PrepareOpinion(Context& context, const v1::PrepareOpinionRequest& request,
                                      v1::Case* answer) {
  YZ_ASSIGN_OR_RETURN(const Standings standings, StandingsOf(context, {request.name()}));
  return ChangeCase(
      context, request, request.name(), "PrepareOpinion", answer,
      [&](journal::Unit& unit, const Rules& rules,
          v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
        const bool returns = request.recommendation() == rules::v1::RECOMMENDATION_RETURN;
        if (!returns && request.points_size() > 0) {
          return errors::InvalidField("points", "补正事项只用于退回补正",
                                      "are given with a return for correction only");
        }
        YZ_RETURN_IF_ERROR(CheckAssessed(*review_case, request.recommendation()));
        YZ_RETURN_IF_ERROR(
            Enter(rules, context.caller.subject, common::v1::ACT_PREPARE, "opinion", review_case));
        auto* opinion = review_case->mutable_opinion();
        opinion->Clear();
        opinion->set_recommendation(request.recommendation());
        opinion->set_prepared_by(context.caller.subject);
        *opinion->mutable_points() = request.points();
        *opinion->mutable_earlier_points() = review_case->earlier_points();
        opinion->set_reason(request.reason());
        const auto facts = CaseFactsOf(*review_case, standings.at(review_case->name()));
        const auto findings =
            rules::CheckOpinion(rules.policy, *rules.calendar, facts, rules.today);
        // All but the approval, which is the next step.
        auto against = rules::Violations(findings);
        std::erase_if(against, [](const rules::Finding& finding) {
          return finding.rule_id() == "opinion.two-officers";
        });
        if (!against.empty()) return errors::Refused(against, review_case->name());
        Keep(findings, rules, review_case);
        unit.EmitPrivate(facts);
        return v1::CASE_STATE_OPINION_PREPARED;
      });
}

absl::Status Handlers::ApproveOpinion(Context& context, const v1::ApproveOpinionRequest& request,
                                      v1::Case* answer) {
  YZ_ASSIGN_OR_RETURN(const Standings standings, StandingsOf(context, {request.name()}));
  return ChangeCase(context, request, request.name(), "ApproveOpinion", answer,
                    [&](journal::Unit& unit, const Rules& rules,
                        v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
                      YZ_RETURN_IF_ERROR(Enter(rules, context.caller.subject,
                                               common::v1::ACT_APPROVE, "opinion", review_case));
                      auto* opinion = review_case->mutable_opinion();
                      opinion->set_approved_by(context.caller.subject);
                      const auto facts =
                          CaseFactsOf(*review_case, standings.at(review_case->name()));
                      const auto findings =
                          rules::CheckOpinion(rules.policy, *rules.calendar, facts, rules.today);
                      if (!rules::Allows(findings))
                        return errors::Refused(findings, review_case->name());
                      Keep(findings, rules, review_case);
                      unit.EmitPrivate(facts);
                      review_case->mutable_earlier_points()->MergeFrom(opinion->points());
                      return StateAfter(opinion->recommendation());
                    });
}

}  // namespace yuezhan::review
