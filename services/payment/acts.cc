#include "services/payment/acts.h"

#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "common/rules/separation.h"

namespace yuezhan::payment {

absl::StatusOr<Rules> RulesOf(const Rulebook& rulebook, const google::type::Date& submitted_on,
                              absl::Time now) {
  const auto case_day = DayFromProto(submitted_on);
  if (!case_day) return errors::DataLoss("submitted_on");
  return rulebook.Of(*case_day, now);
}

absl::StatusOr<Rules> RulesOf(const Rulebook& rulebook, const v1::PaymentRecord& record,
                              absl::Time now) {
  return RulesOf(rulebook, record.facts().standing().submitted_on(), now);
}

absl::Status DoAct(const Rules& rules, const v1::AwardRecord& award, const Context& context,
                   common::v1::Act act, v1::PaymentRecord* order) {
  const std::string& name = order->payment().name();
  rules::v1::SeparationFacts facts;
  facts.mutable_done()->CopyFrom(award.acts());
  facts.mutable_done()->MergeFrom(order->acts());
  rules::v1::ActFacts& next = *facts.mutable_next();
  next.set_person(context.caller.subject);
  next.set_act(act);
  next.set_what(name);
  const auto findings = rules::CheckSeparation(rules.policy, facts);
  if (!rules::Allows(findings)) return errors::SeparationOfDuties(findings, name);
  *order->add_acts() = next;
  return absl::OkStatus();
}

}  // namespace yuezhan::payment
