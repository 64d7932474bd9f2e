#include "services/review/facts.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/money.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "common/rules/separation.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::review {
namespace {

rules::v1::InspectionFacts InspectionFactsOf(const v1::Inspection& inspection) {
  rules::v1::InspectionFacts facts;
  facts.set_called(true);
  if (inspection.has_done_on()) *facts.mutable_done_on() = inspection.done_on();
  facts.set_conclusion(inspection.conclusion());
  for (const v1::Expert& expert : inspection.experts()) {
    const auto& attended = inspection.attended();
    if (expert.declaration() != v1::INTEREST_DECLARATION_NONE &&
        std::find(attended.begin(), attended.end(), expert.subject()) != attended.end())
      facts.add_experts_with_interest(expert.subject());
  }
  return facts;
}

}  // namespace

rules::v1::CaseFacts CaseFactsOf(const v1::Case& review_case,
                                 const rules::v1::StandingFacts& standing) {
  rules::v1::CaseFacts facts;
  *facts.mutable_standing() = standing;
  if (review_case.has_assessment()) *facts.mutable_assessment() = review_case.assessment();
  if (review_case.has_opinion()) *facts.mutable_opinion() = review_case.opinion();
  for (const v1::DepartmentOpinion& asked : review_case.department_opinions()) {
    auto* opinion = facts.mutable_opinion()->add_department_opinions();
    opinion->set_department(asked.department());
    if (asked.has_received_on()) *opinion->mutable_received_on() = asked.received_on();
  }
  if (review_case.has_inspection())
    *facts.mutable_inspection() = InspectionFactsOf(review_case.inspection());
  facts.set_withdrawn(review_case.state() == v1::CASE_STATE_WITHDRAWN);
  for (const auto& act : review_case.acts()) {
    if (act.act() == common::v1::ACT_INTEREST) facts.add_interested(act.person());
  }
  return facts;
}

rules::v1::NoticePeriodFacts PeriodFactsOf(const v1::Notice& notice) {
  rules::v1::NoticePeriodFacts facts;
  for (const v1::Posting& posting : notice.postings()) {
    rules::v1::PostingFacts* posted = facts.add_postings();
    posted->set_site(posting.site());
    *posted->mutable_live_on() = DayToProto(BeijingDay(FromProto(posting.live_time())));
    posted->set_list_digest(posting.list_digest());
    for (const v1::PostingDown& down : posting.downs()) {
      auto* days = posted->add_down();
      *days->mutable_down_on() = DayToProto(BeijingDay(FromProto(down.down_time())));
      if (down.has_back_time())
        *days->mutable_back_on() = DayToProto(BeijingDay(FromProto(down.back_time())));
    }
  }
  facts.set_list_digest(notice.list_digest());
  facts.set_withdrawn(notice.state() == v1::NOTICE_STATE_WITHDRAWN);
  return facts;
}

rules::v1::PaymentFacts ClearanceOf(const v1::Case& review_case, const v1::Notice& notice) {
  rules::v1::PaymentFacts facts;
  auto* station = facts.mutable_standing()->mutable_station();
  station->set_station(review_case.station());
  station->set_display_name(review_case.station_name());
  station->set_level(review_case.category());
  *facts.mutable_standing()->mutable_submitted_on() = review_case.submitted_on();
  facts.mutable_standing()->set_own_source(review_case.name());
  facts.set_qualified(review_case.assessment().qualified());
  facts.set_resolution(review_case.resolution());
  facts.set_resolved_amount_fen(FenOf(review_case.awarded_amount()).value_or(0));
  *facts.mutable_period() = PeriodFactsOf(notice);
  if (const v1::AwardLine* line = FindLine(notice, review_case.name())) {
    facts.set_published_amount_fen(FenOf(line->amount()).value_or(0));
    facts.set_published_line_digest(line->line_digest());
  }
  if (notice.has_statement()) *facts.mutable_statement() = notice.statement();
  *facts.mutable_open_objections() = review_case.open_objections();
  *facts.mutable_maintained_objections() = review_case.maintained_objections();
  return facts;
}

rules::v1::ObjectionFacts ObjectionFactsOf(const v1::Objection& objection,
                                           const v1::Notice& notice) {
  rules::v1::ObjectionFacts facts;
  facts.set_kind(objection.objector_kind());
  facts.set_named(!objection.objector_name().empty());
  facts.set_contact_given(!objection.objector_contact().empty());
  facts.set_sealed(objection.sealed());
  facts.set_written(!objection.content().empty());
  *facts.mutable_received_on() = objection.received_on();
  *facts.mutable_period() = PeriodFactsOf(notice);
  return facts;
}

void SetPeriod(const rules::NoticePeriod& period, v1::Notice* notice) {
  *notice->mutable_first_day() = DayToProto(period.first_counted_day);
  *notice->mutable_last_day() = DayToProto(period.last_day);
  notice->set_provisional(period.provisional);
  notice->set_calendar_digest(period.calendar_digest);
}

const v1::AwardLine* FindLine(const v1::Notice& notice, std::string_view case_name) {
  for (const v1::AwardLine& line : notice.lines()) {
    if (line.case_name() == case_name) return &line;
  }
  return nullptr;
}

std::string LineDigest(const v1::Case& review_case, int64_t amount_fen) {
  return ToHex(Digest({review_case.name(), review_case.station(), review_case.station_name(),
                       review_case.host_unit(), review_case.host_name(), review_case.society_name(),
                       std::to_string(review_case.category()), std::to_string(amount_fen)}));
}

std::string ListDigest(const v1::Notice& notice) {
  std::string lines;  // of one length each: joined without ambiguity
  for (const v1::AwardLine& line : notice.lines()) lines += line.line_digest();
  return ToHex(Digest({lines}));
}

std::string MinutesDigest(const v1::Meeting& meeting) {
  v1::Meeting items;
  *items.mutable_items() = meeting.items();
  *items.mutable_attending() = meeting.attending();
  *items.mutable_absent() = meeting.absent();
  *items.mutable_names() = meeting.names();
  return ToHex(
      Digest({meeting.name(), meeting.facts().SerializeAsString(), items.SerializeAsString()}));
}

rules::v1::SeparationFacts NextAct(const v1::Case& review_case, std::string_view person,
                                   common::v1::Act act, std::string_view what,
                                   std::string_view on_behalf_of) {
  rules::v1::SeparationFacts facts;
  *facts.mutable_done() = review_case.acts();
  facts.mutable_next()->set_person(std::string(person));
  facts.mutable_next()->set_act(act);
  facts.mutable_next()->set_what(std::string(what));
  facts.mutable_next()->set_on_behalf_of(std::string(on_behalf_of));
  return facts;
}

absl::StatusOr<rules::Findings> Enter(const Rules& rules, const rules::v1::SeparationFacts& facts,
                                      v1::Case* review_case) {
  auto findings = rules::CheckSeparation(rules.policy, facts);
  if (!rules::Allows(findings)) return errors::SeparationOfDuties(findings, review_case->name());
  const auto& next = facts.next();
  const auto& acts = review_case->acts();
  const bool stands = std::any_of(acts.begin(), acts.end(), [&](const auto& done) {
    return done.person() == next.person() && done.act() == next.act() &&
           done.what() == next.what() && done.on_behalf_of() == next.on_behalf_of();
  });
  if (!stands) *review_case->add_acts() = next;
  return findings;
}

void EmitJudged(journal::Unit& unit, std::string_view resource, const rules::Findings& findings,
                const common::v1::PolicyReference& policy, const google::protobuf::Message& facts) {
  v1::Judged judged;
  judged.set_resource(std::string(resource));
  judged.mutable_findings()->Assign(findings.begin(), findings.end());
  *judged.mutable_policy() = policy;
  unit.EmitPrivate(judged);
  unit.EmitPrivate(facts);
}

}  // namespace yuezhan::review
