#include <algorithm>
#include <set>

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"

// Site inspection by experts, each with a declaration of interest (article 5.2).
namespace yuezhan::review {
namespace {

v1::Expert* FindExpert(v1::Inspection* inspection, std::string_view subject) {
  for (v1::Expert& expert : *inspection->mutable_experts()) {
    if (expert.subject() == subject) return &expert;
  }
  return nullptr;
}

absl::Status CheckCalled(const v1::Case& review_case) {
  if (review_case.has_inspection()) return absl::OkStatus();
  return errors::StateForbids(review_case.name(), "NO_INSPECTION_CALLED", {"INSPECTION_CALLED"},
                              "CallInspection");
}

}  // namespace

absl::Status Handlers::CallInspection(Context& context, const v1::CallInspectionRequest& request,
                                      v1::Case* answer) {
  return ChangeCase(context, request, request.name(), "CallInspection", answer,
                    [&](journal::Unit&, const Rules&,
                        v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
                      std::set<std::string> subjects;
                      for (const v1::Expert& expert : request.experts()) {
                        if (!subjects.insert(expert.subject()).second)
                          return errors::InvalidField("experts", "同一专家不得重复",
                                                      "names an expert twice");
                      }
                      v1::Inspection* inspection = review_case->mutable_inspection();
                      inspection->Clear();
                      inspection->set_reason(request.reason());
                      inspection->set_called_by(context.caller.subject);
                      *inspection->mutable_experts() = request.experts();
                      return review_case->state();
                    });
}

absl::Status Handlers::RecordDeclaration(Context& context,
                                         const v1::RecordDeclarationRequest& request,
                                         v1::Case* answer) {
  return ChangeCase(
      context, request, request.name(), "RecordDeclaration", answer,
      [&](journal::Unit& unit, const Rules& rules,
          v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
        YZ_RETURN_IF_ERROR(CheckCalled(*review_case));
        v1::Expert* expert = FindExpert(review_case->mutable_inspection(), request.expert());
        if (expert == nullptr)
          return errors::InvalidField("expert", "不是本次考察的专家",
                                      "is no expert of this inspection");
        const bool interest = request.declaration() == v1::INTEREST_DECLARATION_INTEREST;
        if (interest && request.statement().empty()) {
          return errors::InvalidField("statement", "有利害关系的，须说明何种关系",
                                      "must say which interest there is");
        }
        // An interest once declared is not undone by a second declaration.
        if (expert->removed())
          return errors::AlreadyExists("expert", review_case->name());
        expert->set_declaration(request.declaration());
        expert->set_statement(request.statement());
        *expert->mutable_declared_on() = DayToProto(rules.today);
        expert->set_removed(interest);
        if (interest) {
          // An act done before the interest was known draws a remark.
          const auto act = NextAct(*review_case, expert->subject(), common::v1::ACT_INTEREST,
                                   "inspection");
          YZ_ASSIGN_OR_RETURN(const auto findings, Enter(rules, act, review_case));
          EmitJudged(unit, review_case->name(), findings, rules.reference, act);
        }
        return review_case->state();
      });
}

absl::Status Handlers::RecordInspection(Context& context,
                                        const v1::RecordInspectionRequest& request,
                                        v1::Case* answer) {
  return ChangeCase(
      context, request, request.name(), "RecordInspection", answer,
      [&](journal::Unit& unit, const Rules& rules,
          v1::Case* review_case) -> absl::StatusOr<v1::CaseState> {
        YZ_RETURN_IF_ERROR(CheckCalled(*review_case));
        const auto done_on = DayFromProto(request.done_on());
        if (!done_on || *done_on > rules.today) {
          return errors::InvalidField("done_on", "考察日期应为今天或此前的有效日期",
                                      "must be today or a day before");
        }
        v1::Inspection* inspection = review_case->mutable_inspection();
        for (const std::string& subject : request.attended()) {
          const v1::Expert* expert = FindExpert(inspection, subject);
          if (expert == nullptr || expert->declaration() != v1::INTEREST_DECLARATION_NONE) {
            return errors::InvalidField(
                "attended", "只有声明无利害关系的专家方可参加考察",
                "must be experts of this inspection who declared that they have no interest");
          }
        }
        YZ_RETURN_IF_ERROR(EnterActOf(unit, rules, request.on_behalf_of(),
                                      common::v1::ACT_PREPARE, "inspection", review_case));
        *inspection->mutable_done_on() = request.done_on();
        *inspection->mutable_attended() = request.attended();
        *inspection->mutable_items() = request.items();
        inspection->set_conclusion(request.conclusion());
        inspection->set_recorded_by(context.caller.subject);
        return review_case->state();
      });
}

}  // namespace yuezhan::review
