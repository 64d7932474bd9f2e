#include <set>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
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

// Findings that an officer looks at: on station, host, assessment and inspection. Those on the
// opinion itself are its own.
rules::Findings FindingsToReview(const rules::Findings& findings) {
  rules::Findings left;
  for (const auto& finding : findings) {
    if (!finding.rule_id().starts_with("opinion.") &&
        finding.outcome() != common::v1::OUTCOME_NOT_APPLICABLE)
      left.push_back(finding);
  }
  return left;
}

// Each word is on a finding of today, once, and says why where it contests it. For an award each
// finding is confirmed by a person: what a rule computed is not yet an opinion.
absl::Status CheckReviews(const v1::PrepareOpinionRequest& request,
                          const rules::Findings& findings) {
  std::set<std::string> left;
  for (const auto& finding : FindingsToReview(findings)) left.insert(finding.rule_id());
  std::vector<errors::FieldViolation> wrong;
  const bool award = request.recommendation() == rules::v1::RECOMMENDATION_AWARD;
  for (int i = 0; i < request.finding_reviews_size(); ++i) {
    const v1::FindingReview& review = request.finding_reviews(i);
    const std::string path = Concat({"finding_reviews[", std::to_string(i), "]"});
    if (left.erase(review.rule_id()) == 0) {
      wrong.push_back({path, "不是今日审查结果中的事项，或者重复",
                       "is no finding of today, or stands here twice"});
    } else if (!review.confirmed() && review.remark().empty()) {
      wrong.push_back({path, "有异议的，须说明理由", "contests a finding and must say why"});
    } else if (!review.confirmed() && award) {
      wrong.push_back({path, "有异议的事项不能与“建议给予资助”并存，请退回补正或不予资助",
                       "contests a finding: return or refuse instead of recommending an award"});
    }
  }
  if (award) {
    for (const std::string& rule : left) {
      wrong.push_back({"finding_reviews", Concat({"缺少对“", rule, "”的逐项意见"}),
                       Concat({"lacks a word on ", rule})});
    }
  }
  return wrong.empty() ? absl::OkStatus() : errors::InvalidFields(wrong);
}

v1::DepartmentOpinion* FindDepartment(v1::Case* review_case, std::string_view department) {
  for (v1::DepartmentOpinion& opinion : *review_case->mutable_department_opinions()) {
    if (opinion.department() == department) return &opinion;
  }
  return nullptr;
}

}  // namespace

absl::Status Handlers::RecordAssessment(Context& context,
                                        const v1::RecordAssessmentRequest& request,
                                        v1::Case* answer) {
  return ChangeCase(context, request, request.name(), "RecordAssessment", answer,
                    [&](journal::Unit& unit, const Rules& rules,
                        v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
                      YZ_RETURN_IF_ERROR(EnterActOf(unit, rules, request.on_behalf_of(),
                                                    common::v1::ACT_PREPARE, "assessment",
                                                    review_case));
                      for (const std::string& assessor : request.assessors()) {
                        const auto act = NextAct(*review_case, assessor,
                                                 common::v1::ACT_PREPARE, "assessment");
                        YZ_RETURN_IF_ERROR(Enter(rules, act, review_case).status());
                      }
                      rules::v1::AssessmentFacts facts;
                      *facts.mutable_scores() = request.scores();
                      facts.set_qualified(request.qualified());
                      *facts.mutable_assessed_on() = DayToProto(rules.today);
                      *facts.mutable_assessors() = request.assessors();
                      *facts.mutable_submitted_on() = review_case->submitted_on();
                      const auto findings =
                          rules::CheckAssessment(rules.policy, *rules.calendar, facts, rules.today);
                      // "Not qualified" is a conclusion like the other; it stands in the way of an
                      // award only.
                      auto against = rules::Violations(findings);
                      std::erase_if(against, [&](const rules::Finding& finding) {
                        return !request.qualified() && finding.rule_id() == "assessment.qualified";
                      });
                      if (!against.empty()) return errors::Refused(against, review_case->name());
                      Keep(unit, findings, rules.reference, facts, review_case);
                      *review_case->mutable_assessment() = std::move(facts);
                      review_case->clear_opinion();
                      review_case->clear_finding_reviews();
                      return v1::CASE_STATE_ASSESSED;
                    });
}

absl::Status Handlers::CheckCase(
    const rpc::AskedList<v1::CheckCaseRequest, v1::CheckCaseResponse>& asked) {
  YZ_ASSIGN_OR_RETURN(const Standings standings, StandingsOf(rpc::NamesOf(asked)));
  std::vector<std::string> names;
  for (const auto& each : asked) names.push_back(each.request.name());
  std::map<std::string, v1::Case> cases;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), rpc::LastDeadline(asked), [&](db::Session& sql) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(cases, store_.CasesByName(sql, names));
        return absl::OkStatus();
      }));
  for (const auto& each : asked) {
    const auto found = cases.find(each.request.name());
    if (found == cases.end()) return errors::NotFound(each.request.name());
    const v1::Case& review_case = found->second;
    YZ_ASSIGN_OR_RETURN(const Rules rules, RulesOf(review_case, journal_.clocks().business->Now()));
    const auto findings = FindingsToReview(
        rules::CheckOpinion(rules.policy, *rules.calendar,
                            CaseFactsOf(review_case, standings.at(found->first)), rules.today));
    each.answer->mutable_findings()->Assign(findings.begin(), findings.end());
    *each.answer->mutable_policy() = rules.reference;
    *each.answer->mutable_checked_on() = DayToProto(rules.today);
  }
  return absl::OkStatus();
}

absl::Status Handlers::AskDepartment(Context& context, const v1::AskDepartmentRequest& request,
                                     v1::Case* answer) {
  return ChangeCase(context, request, request.name(), "AskDepartment", answer,
                    [&](journal::Unit&, const Rules& rules,
                        v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
                      if (FindDepartment(review_case, request.department()) != nullptr)
                        return errors::AlreadyExists("department", review_case->name());
                      v1::DepartmentOpinion* asked = review_case->add_department_opinions();
                      asked->set_department(request.department());
                      asked->set_question(request.question());
                      *asked->mutable_asked_on() = DayToProto(rules.today);
                      asked->set_asked_by(context.caller.subject);
                      return review_case->state();
                    });
}

absl::Status Handlers::RecordDepartmentOpinion(Context& context,
                                               const v1::RecordDepartmentOpinionRequest& request,
                                               v1::Case* answer) {
  return ChangeCase(
      context, request, request.name(), "RecordDepartmentOpinion", answer,
      [&](journal::Unit&, const Rules& rules,
          v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
        v1::DepartmentOpinion* asked = FindDepartment(review_case, request.department());
        if (asked == nullptr)
          return errors::InvalidField("department", "未向该部门征求意见", "was not asked");
        if (asked->has_received_on())
          return errors::AlreadyExists("department", review_case->name());
        const auto received = request.has_received_on() ? DayFromProto(request.received_on())
                                                        : std::optional(rules.today);
        if (!received || *received > rules.today || *received < *DayFromProto(asked->asked_on())) {
          return errors::InvalidField("received_on", "应在征求意见之日与今天之间",
                                      "must lie between the day it was asked and today");
        }
        *asked->mutable_received_on() = DayToProto(*received);
        asked->set_opinion(request.opinion());
        asked->set_recorded_by(context.caller.subject);
        return review_case->state();
      });
}

template <typename Request>
absl::Status Handlers::ChangeCases(
    const rpc::AskedList<Request, v1::Case>& asked, std::string_view method,
    absl::FunctionRef<absl::StatusOr<v1::CaseState>(const rpc::Asked<Request, v1::Case>& each,
                                                    journal::Unit&, const Rules&, v1::Case*)>
        change) {
  return journal_.WriteAll(asked, [&](const auto& units) -> absl::Status {
    std::vector<std::string> names;
    for (const auto& each : asked) names.push_back(each.request.name());
    store_.PrefetchCases(units.front()->sql(), names);
    for (size_t i = 0; i < asked.size(); ++i) {
      YZ_RETURN_IF_ERROR(
          ChangeOne(*units[i], names[i], method, asked[i].answer,
                    [&](journal::Unit& unit, const Rules& rules, v1::Case* review_case) {
                      return change(asked[i], unit, rules, review_case);
                    }));
    }
    return absl::OkStatus();
  });
}

absl::Status Handlers::PrepareOpinion(
    const rpc::AskedList<v1::PrepareOpinionRequest, v1::Case>& asked) {
  YZ_ASSIGN_OR_RETURN(const Standings standings, StandingsOf(rpc::NamesOf(asked)));
  return ChangeCases<v1::PrepareOpinionRequest>(
      asked, "PrepareOpinion",
      [&](const auto& each, journal::Unit& unit, const Rules& rules,
          v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
        const v1::PrepareOpinionRequest& request = each.request;
        const bool returns = request.recommendation() == rules::v1::RECOMMENDATION_RETURN;
        if (!returns && request.points_size() > 0) {
          return errors::InvalidField("points", "补正事项只用于退回补正",
                                      "are given with a return for correction only");
        }
        YZ_RETURN_IF_ERROR(CheckAssessed(*review_case, request.recommendation()));
        YZ_RETURN_IF_ERROR(EnterActOf(unit, rules, request.on_behalf_of(),
                                      common::v1::ACT_PREPARE, "opinion", review_case));
        auto* opinion = review_case->mutable_opinion();
        opinion->Clear();
        opinion->set_recommendation(request.recommendation());
        opinion->set_prepared_by(each.context.caller.subject);
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
        YZ_RETURN_IF_ERROR(CheckReviews(request, findings));
        *review_case->mutable_finding_reviews() = request.finding_reviews();
        Keep(unit, findings, rules.reference, facts, review_case);
        return v1::CASE_STATE_OPINION_PREPARED;
      });
}

absl::Status Handlers::ApproveOpinion(
    const rpc::AskedList<v1::ApproveOpinionRequest, v1::Case>& asked) {
  YZ_ASSIGN_OR_RETURN(const Standings standings, StandingsOf(rpc::NamesOf(asked)));
  return ChangeCases<v1::ApproveOpinionRequest>(
      asked, "ApproveOpinion",
      [&](const auto& each, journal::Unit& unit, const Rules& rules,
          v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
        YZ_RETURN_IF_ERROR(EnterActOf(unit, rules, each.request.on_behalf_of(),
                                      common::v1::ACT_APPROVE, "opinion", review_case));
        auto* opinion = review_case->mutable_opinion();
        opinion->set_approved_by(each.context.caller.subject);
        const auto facts = CaseFactsOf(*review_case, standings.at(review_case->name()));
        const auto findings =
            rules::CheckOpinion(rules.policy, *rules.calendar, facts, rules.today);
        if (!rules::Allows(findings)) return errors::Refused(findings, review_case->name());
        Keep(unit, findings, rules.reference, facts, review_case);
        review_case->mutable_earlier_points()->MergeFrom(opinion->points());
        return StateAfter(opinion->recommendation());
      });
}

}  // namespace yuezhan::review
