#include "common/rules/review.h"

#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using policy::v1::Policy;
using v1::AssessmentFacts;
using v1::CaseFacts;

void ScoreAll(AssessmentFacts& f, int hundredths) {
  for (auto& score : *f.mutable_scores()) score.set_score_hundredths(hundredths);
}

TEST(Assessment, ArticleFive) {
  RunCases<AssessmentFacts>(
      GoodCase().assessment(), "2025-09-01", CheckAssessment,
      {
          {"complete", [](auto&, auto&) {}, "assessment.complete", kSatisfied},
          {"none", [](auto& f, auto&) { f.Clear(); }, "assessment.complete", kViolated},
          {"an item without score", [](auto& f, auto&) { f.mutable_scores()->RemoveLast(); },
           "assessment.complete", kViolated},
          {"an item scored twice",
           [](auto& f, auto&) { f.mutable_scores(0)->set_code(f.scores(1).code()); },
           "assessment.complete", kViolated},
          {"an unknown item", [](auto& f, auto&) { f.add_scores()->set_code("luck"); },
           "assessment.complete", kViolated},
          {"more than 100",
           [](auto& f, auto&) { f.mutable_scores(0)->set_score_hundredths(10'001); },
           "assessment.complete", kViolated},
          {"less than 0", [](auto& f, auto&) { f.mutable_scores(0)->set_score_hundredths(-1); },
           "assessment.complete", kViolated},
          {"one assessor", [](auto& f, auto&) { f.mutable_assessors()->RemoveLast(); },
           "assessment.complete", kViolated},
          {"the same assessor twice", [](auto& f, auto&) { f.set_assessors(0, f.assessors(1)); },
           "assessment.complete", kViolated},
          {"one assessor is enough for the policy",
           [](auto& f, Policy& p) {
             f.mutable_assessors()->RemoveLast();
             p.mutable_assessment()->set_min_assessors(1);
           },
           "assessment.complete", kSatisfied},
          {"on the day of submission",
           [](auto& f, auto&) { *f.mutable_assessed_on() = Date("2025-06-03"); },
           "assessment.complete", kSatisfied},
          {"before the submission",
           [](auto& f, auto&) { *f.mutable_assessed_on() = Date("2025-06-02"); },
           "assessment.complete", kViolated},
          {"tomorrow", [](auto& f, auto&) { *f.mutable_assessed_on() = Date("2025-09-02"); },
           "assessment.complete", kViolated, "2025-09-02"},
          {"qualified", [](auto&, auto&) {}, "assessment.qualified", kSatisfied},
          {"not qualified", [](auto& f, auto&) { f.set_qualified(false); }, "assessment.qualified",
           kViolated},
          {"the pass mark", [](auto& f, auto&) { ScoreAll(f, 6000); }, "assessment.qualified",
           kSatisfied},
          {"a hundredth less", [](auto& f, auto&) { ScoreAll(f, 5999); }, "assessment.qualified",
           kViolated},
          {"another pass mark",
           [](auto& f, Policy& p) {
             ScoreAll(f, 5999);
             p.mutable_assessment()->set_pass_score(50);
           },
           "assessment.qualified", kSatisfied},
      });
  AssessmentFacts facts = GoodCase().assessment();
  facts.mutable_scores(0)->set_score_hundredths(8501);
  EXPECT_EQ(AssessmentScore(Yueyang(), facts), 8500);  // 8500.16 rounded down
  facts.mutable_scores()->RemoveLast();
  EXPECT_EQ(AssessmentScore(Yueyang(), facts), std::nullopt);
}

TEST(Opinion, ArticleFiveTwo) {
  RunCases<CaseFacts>(
      GoodCase(), "2025-09-01", CheckOpinion,
      {
          {"award", [](auto&, auto&) {}, "opinion.recommendation", kSatisfied},
          {"none", [](auto& f, auto&) { f.clear_opinion(); }, "opinion.recommendation", kViolated},
          {"return without points",
           [](auto& f, auto&) {
             f.mutable_opinion()->set_recommendation(v1::RECOMMENDATION_RETURN);
           },
           "opinion.recommendation", kViolated},
          {"return with points",
           [](auto& f, auto&) {
             f.mutable_opinion()->set_recommendation(v1::RECOMMENDATION_RETURN);
             f.mutable_opinion()->add_points("盖章不清");
           },
           "opinion.recommendation", kSatisfied},
          {"refuse without reason",
           [](auto& f, auto&) {
             f.mutable_opinion()->set_recommendation(v1::RECOMMENDATION_REFUSE);
           },
           "opinion.recommendation", kViolated},
          {"refuse with reason",
           [](auto& f, auto&) {
             f.mutable_opinion()->set_recommendation(v1::RECOMMENDATION_REFUSE);
             f.mutable_opinion()->set_reason("不符合第五条");
           },
           "opinion.recommendation", kSatisfied},
          {"two officers", [](auto&, auto&) {}, "opinion.two-officers", kSatisfied},
          {"one officer", [](auto& f, auto&) { f.mutable_opinion()->set_approved_by("officer-a"); },
           "opinion.two-officers", kViolated},
          {"one officer, where the policy allows it",
           [](auto& f, Policy& p) {
             f.mutable_opinion()->set_approved_by("officer-a");
             p.mutable_review()->set_opinion_by_two_officers(false);
           },
           "opinion.two-officers", kSatisfied},
          {"not approved", [](auto& f, auto&) { f.mutable_opinion()->clear_approved_by(); },
           "opinion.two-officers", kViolated},
          {"a first return", [](auto&, auto&) {}, "opinion.points-at-once", kNotApplicable},
          {"a second return with a new point",
           [](auto& f, auto&) {
             f.mutable_opinion()->set_recommendation(v1::RECOMMENDATION_RETURN);
             f.mutable_opinion()->add_points("point-b");
             f.mutable_opinion()->add_earlier_points("point-a");
           },
           "opinion.points-at-once", kRemark},
          {"a second return with the old point",
           [](auto& f, auto&) {
             f.mutable_opinion()->set_recommendation(v1::RECOMMENDATION_RETURN);
             f.mutable_opinion()->add_points("point-a");
             f.mutable_opinion()->add_earlier_points("point-a");
           },
           "opinion.points-at-once", kSatisfied},
          {"no department asked", [](auto&, auto&) {}, "opinion.department-opinions",
           kNotApplicable},
          {"a department that has not answered",
           [](auto& f, auto&) {
             f.mutable_opinion()->add_department_opinions()->set_department("市财政局");
           },
           "opinion.department-opinions", kRemark},
          {"a department that has answered",
           [](auto& f, auto&) {
             *f.mutable_opinion()->add_department_opinions()->mutable_received_on() =
                 Date("2025-08-01");
           },
           "opinion.department-opinions", kSatisfied},
          {"no inspection called for", [](auto&, auto&) {}, "review.inspection", kNotApplicable},
          {"an inspection not done",
           [](auto& f, auto&) { f.mutable_inspection()->set_called(true); }, "review.inspection",
           kViolated},
          {"required by the policy",
           [](auto&, Policy& p) { p.mutable_review()->set_inspection_required(true); },
           "review.inspection", kViolated},
          {"an inspection done",
           [](auto& f, auto&) {
             f.mutable_inspection()->set_called(true);
             *f.mutable_inspection()->mutable_done_on() = Date("2025-09-01");
             f.mutable_inspection()->set_conclusion("运转正常");
           },
           "review.inspection", kSatisfied},
          {"an expert with an interest",
           [](auto& f, auto&) {
             f.mutable_inspection()->set_called(true);
             *f.mutable_inspection()->mutable_done_on() = Date("2025-09-01");
             f.mutable_inspection()->set_conclusion("运转正常");
             f.mutable_inspection()->add_experts_with_interest("expert-a");
           },
           "review.inspection", kViolated},
          {"withdrawn", [](auto& f, auto&) { f.set_withdrawn(true); }, "review.not-withdrawn",
           kViolated},
          {"not withdrawn", [](auto&, auto&) {}, "review.not-withdrawn", kSatisfied},
          {"not qualified stands against an award",
           [](auto& f, auto&) { f.mutable_assessment()->set_qualified(false); },
           "assessment.qualified", kViolated},
          {"not qualified does not stand against a refusal",
           [](auto& f, auto&) {
             f.mutable_assessment()->set_qualified(false);
             f.mutable_opinion()->set_recommendation(v1::RECOMMENDATION_REFUSE);
             f.mutable_opinion()->set_reason("考核不合格");
           },
           "assessment.qualified", kRemark},
      });
}

TEST(Meeting, ArticleFiveTwo) {
  RunCases<CaseFacts>(
      GoodCase(), "2025-09-01", CheckMeetingItem,
      {
          {"recommended", [](auto&, auto&) {}, "meeting.recommended", kSatisfied},
          {"not recommended",
           [](auto& f, auto&) {
             f.mutable_opinion()->set_recommendation(v1::RECOMMENDATION_REFUSE);
           },
           "meeting.recommended", kViolated},
          {"recommended, not approved",
           [](auto& f, auto&) { f.mutable_opinion()->clear_approved_by(); }, "meeting.recommended",
           kViolated},
          {"put on an agenda", [](auto& f, auto&) { f.clear_meeting(); }, "meeting.quorum",
           kNotApplicable},
          {"enough members", [](auto&, auto&) {}, "meeting.quorum", kSatisfied},
          {"two left, one recused",
           [](auto& f, auto&) {
             f.mutable_meeting()->mutable_present()->RemoveLast();
             f.add_recused("director-b");
           },
           "meeting.quorum", kViolated},
          {"three, one recused", [](auto& f, auto&) { f.add_recused("director-b"); },
           "meeting.quorum", kSatisfied},
          {"a greater quorum", [](auto&, Policy& p) { p.mutable_review()->set_meeting_quorum(4); },
           "meeting.quorum", kViolated},
          {"a complete record", [](auto&, auto&) {}, "meeting.record", kSatisfied},
          {"no recorder", [](auto& f, auto&) { f.mutable_meeting()->clear_recorder(); },
           "meeting.record", kViolated},
          {"an absent chair", [](auto& f, auto&) { f.mutable_meeting()->set_chair("director-z"); },
           "meeting.record", kViolated},
          {"a meeting tomorrow",
           [](auto& f, auto&) { *f.mutable_meeting()->mutable_held_on() = Date("2025-09-02"); },
           "meeting.record", kViolated},
          {"the association attends", [](auto&, auto&) {}, "meeting.association-attends",
           kSatisfied},
          {"the association does not attend",
           [](auto& f, auto&) { f.mutable_meeting()->set_association_attends(false); },
           "meeting.association-attends", kViolated},
          {"the association need not attend",
           [](auto& f, Policy& p) {
             f.mutable_meeting()->set_association_attends(false);
             p.mutable_review()->set_association_attends(false);
           },
           "meeting.association-attends", kNotApplicable},
          {"an interest, not recused", [](auto& f, auto&) { f.add_interested("director-b"); },
           "meeting.recusals", kViolated},
          {"an interest, recused",
           [](auto& f, auto&) {
             f.add_interested("director-b");
             f.add_recused("director-b");
           },
           "meeting.recusals", kSatisfied},
          {"an interest of one who is absent",
           [](auto& f, auto&) { f.add_interested("director-z"); }, "meeting.recusals", kSatisfied},
          {"a recused chair", [](auto& f, auto&) { f.add_recused("director-a"); },
           "meeting.recusals", kRemark},
          {"consensus", [](auto&, auto&) {}, "meeting.votes", kSatisfied},
          {"two of three", [](auto& f, auto&) { f.set_votes_for(2), f.set_votes_against(1); },
           "meeting.votes", kSatisfied},
          {"one of three", [](auto& f, auto&) { f.set_votes_for(1), f.set_abstentions(1); },
           "meeting.votes", kViolated},
          {"half of four",
           [](auto& f, auto&) {
             f.mutable_meeting()->add_present("director-d");
             f.set_votes_for(2);
           },
           "meeting.votes", kViolated},
          {"more votes than members", [](auto& f, auto&) { f.set_votes_for(4); }, "meeting.votes",
           kViolated},
          {"no votes in this policy",
           [](auto& f, Policy& p) {
             f.set_votes_for(3);
             p.mutable_review()->set_votes_allowed(false);
           },
           "meeting.votes", kViolated},
          {"the policy's amount", [](auto&, auto&) {}, "meeting.amount", kSatisfied},
          {"a fen more", [](auto& f, auto&) { f.set_resolved_amount_fen(5'000'001); },
           "meeting.amount", kViolated},
          {"less without an objection",
           [](auto& f, auto&) { f.set_resolved_amount_fen(4'000'000); }, "meeting.amount",
           kViolated},
          {"less on an objection",
           [](auto& f, auto&) {
             f.set_resolved_amount_fen(4'000'000);
             f.set_on_objection(true);
           },
           "meeting.amount", kRemark},
          {"deferred", [](auto& f, auto&) { f.set_resolution(v1::RESOLUTION_DEFER); },
           "meeting.amount", kNotApplicable},
          {"not qualified, no meeting",
           [](auto& f, auto&) { f.mutable_assessment()->set_qualified(false); },
           "assessment.qualified", kViolated},
          {"not assessed", [](auto& f, auto&) { f.clear_assessment(); }, "assessment.complete",
           kViolated},
          {"suspended on the day of the meeting",
           [](auto& f, auto&) {
             *f.mutable_standing()->mutable_station()->add_suspensions()->mutable_from() =
                 Date("2025-09-01");
           },
           "standing.operating", kViolated},
          {"suspended does not stand against deferring",
           [](auto& f, auto&) {
             *f.mutable_standing()->mutable_station()->add_suspensions()->mutable_from() =
                 Date("2025-09-01");
             f.set_resolution(v1::RESOLUTION_DEFER);
           },
           "standing.operating", kRemark},
          {"withdrawn stands against everything",
           [](auto& f, auto&) {
             f.set_withdrawn(true);
             f.set_resolution(v1::RESOLUTION_DEFER);
           },
           "review.not-withdrawn", kViolated},
      });
}

}  // namespace
}  // namespace yuezhan::rules
