#ifndef YUEZHAN_SERVICES_REVIEW_FACTS_H_
#define YUEZHAN_SERVICES_REVIEW_FACTS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/host/rulebook.h"
#include "common/journal/journal.h"
#include "common/rules/notice.h"
#include "common/rules/rules.h"
#include "yuezhan/review/v1/review.pb.h"

// Facts as the rules read them, made of the service's resources; and what is computed of them
// alone.
namespace yuezhan::review {

rules::v1::CaseFacts CaseFactsOf(const v1::Case& review_case,
                                 const rules::v1::StandingFacts& standing);
rules::v1::NoticePeriodFacts PeriodFactsOf(const v1::Notice& notice);
rules::v1::ObjectionFacts ObjectionFactsOf(const v1::Objection& objection,
                                           const v1::Notice& notice);
// An award that is neither cleared nor gone can be held by an objection.
inline bool CanBeHeld(v1::CaseState state) {
  return state == v1::CASE_STATE_IN_NOTICE || state == v1::CASE_STATE_NOTICE_ENDED ||
         state == v1::CASE_STATE_AWARDED || state == v1::CASE_STATE_OBJECTED;
}
// Nobody signed the result any more.
inline void ClearStatement(v1::Notice* notice) {
  notice->clear_statement();
  notice->clear_delegated_signatures();
}
// Writes the period into the notice.
void SetPeriod(const rules::NoticePeriod& period, v1::Notice* notice);
// What clears the case's award on this notice (article 5.4). Of station and host it holds the name,
// level and day of submission alone: payment asks registry for the rest on its own day.
rules::v1::PaymentFacts ClearanceOf(const v1::Case& review_case, const v1::Notice& notice);

// The line of the case on the notice's list; null when it has none.
const v1::AwardLine* FindLine(const v1::Notice& notice, std::string_view case_name);
// Digest of an award line, lower-case hex: common/base/digest.h over case, station, its name, host
// unit, its name, society, level (its number) and `amount_fen` (decimal), in this order.
std::string LineDigest(const v1::Case& review_case, int64_t amount_fen);
// Digest of a list: over the digests of its lines in their order, lower-case hex.
std::string ListDigest(const v1::Notice& notice);
// Digest of a meeting's minutes: over its name, facts, and items with who attended or was absent and
// the persons' names, as serialized, lower-case hex.
std::string MinutesDigest(const v1::Meeting& meeting);

// An act that is about to be done in the case, after those that were. Under a delegation it counts
// for both persons.
rules::v1::SeparationFacts NextAct(const v1::Case& review_case, std::string_view person,
                                   common::v1::Act act, std::string_view what,
                                   std::string_view on_behalf_of = "");
// Enters it, unless the person did an incompatible one before (errors::SeparationOfDuties). The same
// act of the same person stands once. Returns the findings.
absl::StatusOr<rules::Findings> Enter(const Rules& rules, const rules::v1::SeparationFacts& facts,
                                      v1::Case* review_case);

// What a decision rests on, for the trail: its findings, the policy, and the facts as they were.
void EmitJudged(journal::Unit& unit, std::string_view resource, const rules::Findings& findings,
                const common::v1::PolicyReference& policy, const google::protobuf::Message& facts);

// The same, and findings and policy with the resource that was decided on.
template <typename Resource>
void Keep(journal::Unit& unit, const rules::Findings& findings,
          const common::v1::PolicyReference& policy, const google::protobuf::Message& facts,
          Resource* resource) {
  resource->mutable_findings()->Assign(findings.begin(), findings.end());
  *resource->mutable_policy() = policy;
  EmitJudged(unit, resource->name(), findings, policy, facts);
}

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_FACTS_H_
