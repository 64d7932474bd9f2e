#include <set>

#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "common/rules/payment.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"

// The statement of a notice's result and what it clears (article 5.4).
namespace yuezhan::review {
namespace {

RoleSet RolesOf(v1::Office office) {
  return office == v1::OFFICE_ASSOCIATION ? RoleSet{Role::kFilingOfficer, Role::kReviewer}
                                          : RoleSet{Role::kSecretary, Role::kDirector};
}

// Who stands behind the signature of an office: its officer, and for whom under a delegation.
std::set<std::string> Signers(const v1::Notice& notice, v1::Office office) {
  const auto& statement = notice.statement();
  std::set<std::string> persons = {office == v1::OFFICE_ASSOCIATION
                                       ? statement.association_officer()
                                       : statement.talent_office_officer()};
  for (const v1::DelegatedSignature& each : notice.delegated_signatures()) {
    if (each.office() == office) persons.insert(each.on_behalf_of());
  }
  persons.erase("");
  return persons;
}

// Signs for one office; true when both have.
absl::StatusOr<bool> Sign(const Caller& caller, v1::Office office, v1::Notice* notice) {
  auto* statement = notice->mutable_statement();
  std::string* officer = office == v1::OFFICE_ASSOCIATION
                             ? statement->mutable_association_officer()
                             : statement->mutable_talent_office_officer();
  if (!officer->empty()) return errors::AlreadyExists("office", notice->name());
  *officer = caller.subject;
  return !statement->association_officer().empty() && !statement->talent_office_officer().empty();
}

// A signature under a delegation counts for both persons: neither signs for the other office too.
absl::Status CheckBehindThem(const v1::Notice& notice) {
  const auto association = Signers(notice, v1::OFFICE_ASSOCIATION);
  for (const std::string& person : Signers(notice, v1::OFFICE_TALENT_OFFICE)) {
    if (!association.contains(person) || notice.delegated_signatures().empty()) continue;
    return errors::InvalidField("on_behalf_of", "本人或者委托人已代表另一部门签署，请由其他人员签署",
                                "stands behind the other office's signature: another must sign");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Handlers::DropStatement(journal::Unit& unit, v1::Notice* notice,
                                     std::string_view method) {
  if (!notice->has_statement()) return absl::OkStatus();
  ClearStatement(notice);
  if (notice->state() == v1::NOTICE_STATE_CONCLUDED)
    return Advance(unit, notice, v1::NOTICE_STATE_ENDED, method);
  return store_.UpdateNotice(unit.sql(), notice) ? absl::OkStatus() : errors::Conflict();
}

absl::Status Handlers::Clear(journal::Unit& unit, const Rules& rules, const v1::Notice& notice,
                             v1::Case* review_case, std::string_view method) {
  YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(notice));
  const auto facts = ClearanceOf(*review_case, notice);
  // One fen or one character changed anywhere since the resolution: an operator must look.
  const std::string digest = LineDigest(*review_case, facts.resolved_amount_fen());
  if (digest != review_case->line_digest() || digest != facts.published_line_digest())
    return errors::DataLoss(review_case->name());
  const auto findings = rules::CheckPayment(*policy, *rules.calendar, facts, rules.today);
  Keep(unit, findings, notice.policy(), facts, review_case);
  if (!rules::Allows(findings)) return Save(unit, review_case);
  return Advance(unit, review_case, v1::CASE_STATE_CLEARED, method, "", &facts);
}

absl::Status Handlers::SignNoticeResult(Context& context,
                                        const v1::SignNoticeResultRequest& request,
                                        v1::Notice* answer) {
  if (!context.caller.roles.Intersects(RolesOf(request.office())))
    return errors::PermissionDenied(context.method);
  return journal_.Write(context, request, answer, [&](journal::Unit& unit) -> absl::Status {
    YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
    YZ_ASSIGN_OR_RETURN(*answer, LockNotice(unit.sql(), request.name()));
    YZ_RETURN_IF_ERROR(
        NoticeTransitions().Check(request.name(), answer->state(), "SignNoticeResult"));
    YZ_ASSIGN_OR_RETURN(const bool both, Sign(context.caller, request.office(), answer));
    if (!request.on_behalf_of().empty()) {
      rules::v1::ActFacts act;
      act.set_person(context.caller.subject);
      act.set_act(common::v1::ACT_APPROVE);
      act.set_what(answer->name());
      act.set_on_behalf_of(request.on_behalf_of());
      std::set<std::string> cases;
      for (const v1::AwardLine& line : answer->lines()) cases.insert(line.case_name());
      YZ_ASSIGN_OR_RETURN(const std::string used, UseDelegation(unit, rules.today, act, cases));
      v1::DelegatedSignature* signature = answer->add_delegated_signatures();
      signature->set_office(request.office());
      signature->set_on_behalf_of(request.on_behalf_of());
      signature->set_delegation(used);
    }
    YZ_RETURN_IF_ERROR(CheckBehindThem(*answer));
    if (!both) {
      YZ_RETURN_IF_ERROR(Advance(unit, answer, v1::NOTICE_STATE_ENDED, "SignNoticeResult"));
      return Show(context, answer);
    }
    *answer->mutable_statement()->mutable_made_on() = DayToProto(rules.today);
    YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(*answer));
    // Of what the rules say of a payment only this is the statement's own.
    const auto facts = ClearanceOf(v1::Case(), *answer);
    auto findings = rules::CheckPayment(*policy, *rules.calendar, facts, rules.today);
    std::erase_if(findings, [](const auto& f) { return f.rule_id() != "payment.statement"; });
    if (!rules::Allows(findings)) return errors::SeparationOfDuties(findings, request.name());
    EmitJudged(unit, request.name(), findings, answer->policy(), facts);
    YZ_RETURN_IF_ERROR(Advance(unit, answer, v1::NOTICE_STATE_CONCLUDED, "SignNoticeResult"));
    YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("notices/*", request.name()));
    YZ_ASSIGN_OR_RETURN(auto cases, store_.LockCasesOn(unit.sql(), id));
    for (v1::Case& review_case : cases) {
      if (review_case.state() != v1::CASE_STATE_NOTICE_ENDED) continue;
      YZ_RETURN_IF_ERROR(Clear(unit, rules, *answer, &review_case, "SignNoticeResult"));
    }
    return Show(context, answer);
  });
}

}  // namespace yuezhan::review
