// What an opinion stands on: findings item by item, inspection, departments, who has the case;
// articles 5.2 and 7.
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

using testing::ElementsAre;

TEST(Findings, AreConfirmedOneByOneBeforeAnAwardIsRecommended) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ASSESSED);
  const auto prepare = [&](const v1::PrepareOpinionRequest& request) {
    return review.Try(&Handlers::PrepareOpinion, review.reviewer(), request);
  };
  const auto whole = review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD);
  ASSERT_GT(whole.finding_reviews_size(), 3);
  auto gap = whole;
  gap.mutable_finding_reviews()->RemoveLast();
  EXPECT_EQ(errors::Reason(prepare(gap).status()), "INVALID_FIELD");
  auto twice = whole;
  *twice.add_finding_reviews() = whole.finding_reviews(0);
  EXPECT_EQ(errors::Reason(prepare(twice).status()), "INVALID_FIELD");
  auto contested = whole;
  contested.mutable_finding_reviews(0)->set_confirmed(false);
  contested.mutable_finding_reviews(0)->set_remark("与现场情况不符");
  EXPECT_EQ(errors::Reason(prepare(contested).status()), "INVALID_FIELD");
  contested.set_recommendation(rules::v1::RECOMMENDATION_REFUSE);
  const auto refused = prepare(contested);
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->finding_reviews(0).remark(), "与现场情况不符");
  contested.mutable_finding_reviews(0)->clear_remark();
  EXPECT_EQ(errors::Reason(prepare(contested).status()), "INVALID_FIELD");  // must say why
  EXPECT_TRUE(prepare(whole).ok());
}

TEST(Inspection, AConflictRemovesTheExpert) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ASSESSED);
  const auto inspect = [&](const v1::RecordInspectionRequest& request) {
    return review.Try(&Handlers::RecordInspection, review.reviewer(), request);
  };
  EXPECT_EQ(errors::Reason(inspect(review.InspectionOf(name)).status()),
            "STATE_FORBIDS");  // not called
  review.CallInspection(name);
  EXPECT_EQ(errors::Reason(inspect(review.InspectionOf(name)).status()),
            "INVALID_FIELD");  // undeclared
  // Called for and not done: no award.
  EXPECT_EQ(errors::Reason(review
                               .Try(&Handlers::PrepareOpinion, review.reviewer(),
                                    review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD))
                               .status()),
            "REFUSED");
  const auto declare = [&](const char* expert, bool interest) {
    return review.Try(&Handlers::RecordDeclaration, review.reviewer(),
                      review.DeclarationOf(name, expert, interest));
  };
  EXPECT_EQ(errors::Reason(declare("stranger", false).status()), "INVALID_FIELD");
  ASSERT_TRUE(declare("expert-1", false).ok());
  const auto removed = declare("expert-2", true);
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_TRUE(removed->inspection().experts(1).removed());
  EXPECT_EQ(errors::Reason(declare("expert-2", false).status()), "ALREADY_EXISTS");  // not undone
  auto with_conflict = review.InspectionOf(name);
  with_conflict.add_attended("expert-2");
  EXPECT_EQ(errors::Reason(inspect(with_conflict).status()), "INVALID_FIELD");
  auto tomorrow = review.InspectionOf(name);
  *tomorrow.mutable_done_on() = DayToProto(review.host().today() + 1);
  EXPECT_EQ(errors::Reason(inspect(tomorrow).status()), "INVALID_FIELD");
  ASSERT_TRUE(inspect(review.InspectionOf(name)).ok());
  const auto award = review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD);
  review.Do(&Handlers::PrepareOpinion, review.reviewer(), award);
  // An interest that comes to light after the inspection spoils it, and excludes from every act.
  ASSERT_TRUE(declare("expert-1", true).ok());
  EXPECT_EQ(errors::Reason(review
                               .Try(&Handlers::PrepareOpinion, review.reviewer(),
                                    review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD))
                               .status()),
            "REFUSED");
  v1::ApproveOpinionRequest approve;
  approve.set_name(name);
  EXPECT_EQ(errors::Reason(review
                               .Try(&Handlers::ApproveOpinion,
                                    review.host().Person(Role::kReviewer, "expert-2"), approve)
                               .status()),
            "SEPARATION_OF_DUTIES");
}

TEST(Departments, AreAskedOnceAndAnswerOnce) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ASSESSED);
  v1::AskDepartmentRequest ask;
  ask.set_name(name);
  ask.set_department("市工信局");
  ask.set_question("是否符合产业方向");
  review.Do(&Handlers::AskDepartment, review.reviewer(), ask);
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::AskDepartment, review.reviewer(), ask).status()),
            "ALREADY_EXISTS");
  const auto outcome = [&] {
    v1::CheckCaseRequest check;
    check.set_name(name);
    const auto prepared =
        review.Do(&Handlers::PrepareOpinion, review.reviewer(),
                  review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD));
    for (const auto& finding : prepared.findings()) {
      if (finding.rule_id() == "opinion.department-opinions") return finding.outcome();
    }
    return common::v1::OUTCOME_UNSPECIFIED;
  };
  EXPECT_EQ(outcome(), common::v1::OUTCOME_REMARK);  // asked, not come
  v1::RecordDepartmentOpinionRequest record;
  record.set_name(name);
  record.set_department("市财政局");
  record.set_opinion("无意见");
  const auto recorded = [&] {
    return review.Try(&Handlers::RecordDepartmentOpinion, review.reviewer(), record);
  };
  EXPECT_EQ(errors::Reason(recorded().status()), "INVALID_FIELD");  // not asked
  record.set_department("市工信局");
  *record.mutable_received_on() = DayToProto(review.host().today() - 1);
  EXPECT_EQ(errors::Reason(recorded().status()), "INVALID_FIELD");  // before it was asked
  record.clear_received_on();
  const auto done = recorded();
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(done->department_opinions(0).opinion(), "无意见");
  EXPECT_EQ(errors::Reason(recorded().status()), "ALREADY_EXISTS");
  EXPECT_EQ(outcome(), common::v1::OUTCOME_SATISFIED);
}

TEST(Queue, TellsLastDaysOverdueOnesFirst) {
  TestReview review;
  const std::string old = review.OpenCase();
  const Day since = review.host().today();
  ASSERT_TRUE(review.host().clock().Advance(absl::Hours(24 * 40)).ok());
  const std::string fresh = review.CaseIn(v1::CASE_STATE_ASSESSED);
  review.CaseIn(v1::CASE_STATE_RECOMMENDED);  // waits for the meeting, not for the opinion
  v1::ListQueueRequest request;
  request.set_page_size(1);
  std::vector<v1::Case> queue;
  do {
    const auto page = review.Do(&Handlers::ListQueue, review.reviewer(), request);
    queue.insert(queue.end(), page.cases().begin(), page.cases().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  ASSERT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue[0].name(), old);
  EXPECT_TRUE(queue[0].overdue());
  const auto rules = review.rulebook().At(review.host().clock().Now());
  EXPECT_EQ(DayFromProto(queue[0].due_on()),
            rules->calendar->AddWorkingDays(since, rules->policy.review().opinion_working_days())
                .day);
  EXPECT_EQ(queue[0].due_calendar_digest(), rules->calendar->digest());
  EXPECT_EQ(queue[1].name(), fresh);
  EXPECT_FALSE(queue[1].overdue());
}

TEST(Queue, ACaseIsAssignedAndTakenToAnotherWithAReason) {
  TestReview review;
  const std::string name = review.OpenCase();
  review.OpenCase();
  v1::AssignCaseRequest request;
  request.set_name(name);
  request.set_assignee("reviewer-1");
  review.Do(&Handlers::AssignCase, review.head(), request);
  const auto assign = [&] { return review.Try(&Handlers::AssignCase, review.head(), request); };
  EXPECT_EQ(errors::Reason(assign().status()), "ALREADY_EXISTS");
  request.set_assignee("reviewer-3");
  EXPECT_EQ(errors::Reason(assign().status()), "INVALID_FIELD");
  request.set_reason("原经办人出差");
  ASSERT_TRUE(assign().ok());
  v1::ListQueueRequest queue;
  queue.set_assignee("reviewer-3");
  const auto mine = review.Do(&Handlers::ListQueue, review.reviewer(), queue);
  ASSERT_EQ(mine.cases_size(), 1);
  EXPECT_EQ(mine.cases(0).name(), name);
  queue.set_assignee("reviewer-1");
  EXPECT_EQ(review.Do(&Handlers::ListQueue, review.reviewer(), queue).cases_size(), 0);
}

}  // namespace
}  // namespace yuezhan::review
