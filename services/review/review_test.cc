// From the submission to the resolution: articles 5, 5.2 and 7.
#include <set>
#include <thread>
#include <vector>

#include "common/auth/permissions.h"
#include "common/base/money.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/facts.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Opening, ASubmissionOpensOneCase) {
  TestReview review;
  const std::string application = Name("applications", NewUuid());
  const std::string name = review.Submit(application, 1);
  const v1::Case opened = review.Get(name);
  EXPECT_EQ(opened.state(), v1::CASE_STATE_OPEN);
  EXPECT_EQ(opened.submission(), 1);
  EXPECT_EQ(opened.society_name(), "湖南省化工学会");
  EXPECT_EQ(DayFromProto(opened.submitted_on()), review.host().today());
  EXPECT_EQ(review.Submit(application, 1), name);  // told again
  EXPECT_EQ(review.StepsOf(name).size(), 1u);
  EXPECT_EQ(review.Get(name).etag(), opened.etag());
}

TEST(Opening, AResubmissionReopensTheCaseWithoutItsJudgements) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_RETURNED);
  const auto returned = review.StepsOf(name).back();
  EXPECT_THAT(returned.points(), ElementsAre("补充建站批复"));
  EXPECT_EQ(returned.reason(), "经初审");
  review.Submit(review.Get(name).application(), 2);
  const v1::Case reopened = review.Get(name);
  EXPECT_EQ(reopened.state(), v1::CASE_STATE_OPEN);
  EXPECT_EQ(reopened.submission(), 2);
  EXPECT_FALSE(reopened.has_assessment());
  EXPECT_FALSE(reopened.has_opinion());
  EXPECT_THAT(reopened.earlier_points(), ElementsAre("补充建站批复"));
  EXPECT_GT(reopened.acts_size(), 0);  // who took part stays who took part
}

TEST(Opening, AReturnedApplicationWithdrawnByItsHostEndsTheCase) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_RETURNED);
  application::v1::ApplicationAdvanced event;
  event.set_application(review.Get(name).application());
  event.set_state(application::v1::APPLICATION_STATE_WITHDRAWN);
  event.set_submission(1);
  ASSERT_TRUE(review.Apply(review.handlers().OnApplication(), event).ok());
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_WITHDRAWN);
  EXPECT_TRUE(review.AllEmitted<v1::WithdrawalDecided>().empty());  // nobody asked
}

TEST(Assessment, IncompleteIsRefusedByItsRule) {
  TestReview review;
  const std::string name = review.OpenCase();
  auto few = review.AssessmentOf(name);
  few.mutable_assessors()->RemoveLast();
  auto gap = review.AssessmentOf(name);
  gap.mutable_scores()->RemoveLast();
  auto contradiction = review.AssessmentOf(name, false);
  contradiction.set_qualified(true);
  for (const auto& request : {few, gap, contradiction}) {
    const auto refused = review.Try(&Handlers::RecordAssessment, review.reviewer(), request);
    EXPECT_EQ(errors::Reason(refused.status()), "REFUSED") << refused.status();
  }
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_OPEN);
}

TEST(Assessment, NotQualifiedIsAConclusionThatOnlyARefusalFollows) {
  TestReview review;
  const std::string name = review.OpenCase();
  const auto assessed =
      review.Do(&Handlers::RecordAssessment, review.reviewer(), review.AssessmentOf(name, false));
  EXPECT_FALSE(assessed.assessment().qualified());
  const auto award = review.Try(&Handlers::PrepareOpinion, review.reviewer(),
                                review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD));
  EXPECT_EQ(errors::Reason(award.status()), "REFUSED");
  review.Prepare(name, rules::v1::RECOMMENDATION_REFUSE);
  review.Approve(name);
  const auto refused = review.StepsOf(name).back();
  EXPECT_EQ(refused.state(), v1::CASE_STATE_REFUSED);
  EXPECT_EQ(refused.reason(), "经初审");
}

TEST(Opinion, IsApprovedByAnotherPersonWhateverTheRoles) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_OPINION_PREPARED);
  v1::ApproveOpinionRequest request;
  request.set_name(name);
  // Who prepared it, and an assessor.
  for (const auto* person : {"reviewer-1", "assessor-1"}) {
    const auto refused = review.Try(&Handlers::ApproveOpinion,
                                    review.host().Person(Role::kReviewer, person), request);
    EXPECT_EQ(errors::Reason(refused.status()), "SEPARATION_OF_DUTIES") << person;
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kPermissionDenied);
  }
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_OPINION_PREPARED);
  review.Approve(name);
  const v1::Case approved = review.Get(name);
  EXPECT_EQ(approved.opinion().approved_by(), "reviewer-2");
  EXPECT_EQ(approved.policy().version(), "yueyang-2021");
  EXPECT_GT(approved.findings_size(), 0);
}

TEST(Opinion, WithoutAnAssessmentACaseCanOnlyBeReturned) {
  TestReview review;
  const std::string name = review.OpenCase();
  const auto award = review.Try(&Handlers::PrepareOpinion, review.reviewer(),
                                review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD));
  EXPECT_EQ(errors::Reason(award.status()), "STATE_FORBIDS");
  auto no_points = review.OpinionOn(name, rules::v1::RECOMMENDATION_RETURN);
  no_points.clear_points();
  const auto refused = review.Try(&Handlers::PrepareOpinion, review.reviewer(), no_points);
  EXPECT_EQ(errors::Reason(refused.status()), "REFUSED");
  review.Prepare(name, rules::v1::RECOMMENDATION_RETURN);
}

TEST(Opinion, NewPointsInASecondReturnDrawAWarning) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_RETURNED);
  review.Submit(review.Get(name).application(), 2);
  auto second = review.OpinionOn(name, rules::v1::RECOMMENDATION_RETURN);
  second.add_points("又一事项");
  const auto prepared = review.Do(&Handlers::PrepareOpinion, review.reviewer(), second);
  bool warned = false;
  for (const auto& finding : prepared.findings()) {
    warned |= finding.rule_id() == "opinion.points-at-once" &&
              finding.outcome() == common::v1::OUTCOME_REMARK;
  }
  EXPECT_TRUE(warned);
}

TEST(Opinion, IsJudgedOnTodaysFactsOfTheRegistry) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_OPINION_PREPARED);
  rules::v1::StandingFacts closed;
  closed.mutable_station()->set_level(common::v1::STATION_LEVEL_PROVINCIAL);
  *closed.mutable_station()->mutable_closed_on() = DayToProto(review.host().today());
  review.registry().standings[review.Get(name).station()] = closed;
  v1::ApproveOpinionRequest request;
  request.set_name(name);
  const auto refused = review.Try(&Handlers::ApproveOpinion, review.head(), request);
  EXPECT_EQ(errors::Reason(refused.status()), "REFUSED");
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_OPINION_PREPARED);
}

TEST(Inspection, AnExpertWithAnInterestBlocksTheAward) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ASSESSED);
  v1::RecordInspectionRequest request;
  request.set_name(name);
  *request.mutable_inspection()->mutable_done_on() = DayToProto(review.host().today() + 1);
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::RecordInspection, review.reviewer(), request).status()),
      "INVALID_FIELD");
  *request.mutable_inspection()->mutable_done_on() = DayToProto(review.host().today());
  request.mutable_inspection()->set_conclusion("属实");
  request.mutable_inspection()->add_experts_with_interest("expert-1");
  review.Do(&Handlers::RecordInspection, review.reviewer(), request);
  const auto opinion = review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD);
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::PrepareOpinion, review.reviewer(), opinion).status()),
      "REFUSED");
  request.mutable_inspection()->clear_experts_with_interest();
  review.Do(&Handlers::RecordInspection, review.reviewer(), request);
  review.Do(&Handlers::PrepareOpinion, review.reviewer(), opinion);
}

TEST(Meeting, AwardsThePolicysAmountInOneImmutableSetOfMinutes) {
  TestReview review;
  const std::string first = review.CaseIn(v1::CASE_STATE_RECOMMENDED);
  const std::string second = review.CaseIn(v1::CASE_STATE_RECOMMENDED);
  const std::string meeting = review.Convene({second, first});
  auto request = review.Closing(meeting);
  for (auto& item : *request.mutable_items()) item.set_resolution(rules::v1::RESOLUTION_AWARD);
  *request.mutable_items(0)->mutable_amount() = MoneyOf(5'000'001);
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::CloseMeeting, review.secretary(), request).status()),
      "REFUSED");
  request.mutable_items(0)->clear_amount();
  const auto closed = review.Do(&Handlers::CloseMeeting, review.secretary(), request);
  EXPECT_EQ(closed.state(), v1::MEETING_STATE_CLOSED);
  EXPECT_EQ(closed.minutes_digest(), MinutesDigest(closed));
  EXPECT_EQ(FenOf(closed.items(0).amount()).value(), 5'000'000);
  for (const std::string& name : {first, second}) {
    const v1::Case award = review.Get(name);
    EXPECT_EQ(award.line_digest(), LineDigest(award, 5'000'000));
    EXPECT_FALSE(award.reserved());
    const auto event = review.StepsOf(name).back();
    EXPECT_EQ(event.amount_fen(), 5'000'000);
    EXPECT_EQ(event.line_digest(), award.line_digest());
    EXPECT_TRUE(event.qualified());
    std::set<std::string> deciders;
    for (const auto& act : event.acts())
      if (act.act() == common::v1::ACT_DECIDE) deciders.insert(act.person());
    EXPECT_THAT(deciders, ElementsAre("director-1", "director-2", "director-3"));
  }
  request.clear_request_id();
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::CloseMeeting, review.secretary(), request).status()),
      "STATE_FORBIDS");
}

TEST(Meeting, ResolvesEveryItemOfItsAgendaAndNoOther) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
  const std::string other = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
  auto request = review.Closing(review.Get(name).meeting());
  const auto reason = [&] {
    return errors::Reason(
        review.Try(&Handlers::CloseMeeting, review.secretary(), request).status());
  };
  EXPECT_EQ(reason(), "INVALID_FIELD");  // no resolution
  request.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
  request.add_items()->set_case_name(other);
  EXPECT_EQ(reason(), "INVALID_FIELD");  // of another meeting
  *request.mutable_items(1) = request.items(0);
  EXPECT_EQ(reason(), "INVALID_FIELD");  // twice
  request.mutable_items()->RemoveLast();
  request.mutable_facts()->mutable_present()->DeleteSubrange(1, 2);
  EXPECT_EQ(reason(), "REFUSED");  // the chair alone is no meeting
  request.mutable_facts()->add_present("director-2");
  request.mutable_facts()->set_association_attends(false);
  EXPECT_EQ(reason(), "REFUSED");
  request.mutable_facts()->set_association_attends(true);
  request.mutable_items(0)->set_votes_for(1);
  request.mutable_items(0)->set_votes_against(1);
  EXPECT_EQ(reason(), "REFUSED");  // no majority
  request.mutable_items(0)->set_votes_for(2);
  request.mutable_items(0)->set_votes_against(0);
  EXPECT_EQ(reason(), "");
}

TEST(Meeting, ARecusedMemberHasAnInterestAndDecidesNothing) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
  auto request = review.Closing(review.Get(name).meeting());
  request.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_DEFER);
  request.mutable_items(0)->add_recused("director-3");
  review.Do(&Handlers::CloseMeeting, review.secretary(), request);
  const v1::Case deferred = review.Get(name);
  for (const auto& act : deferred.acts()) {
    if (act.person() != "director-3") continue;
    EXPECT_EQ(act.act(), common::v1::ACT_INTEREST);
  }
  // At the next meeting it cannot be forgotten.
  review.Convene({name});
  auto again = review.Closing(review.Get(name).meeting());
  again.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
  const auto refused = review.Try(&Handlers::CloseMeeting, review.secretary(), again);
  EXPECT_EQ(errors::Reason(refused.status()), "REFUSED") << refused.status();
}

TEST(Meeting, AWithdrawnCaseTakesNoResolution) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_RECOMMENDED);
  const std::string withdrawn = review.CaseIn(v1::CASE_STATE_RECOMMENDED);
  auto request = review.Closing(review.Convene({name, withdrawn}));
  review.RequestWithdrawal(withdrawn);
  for (auto& item : *request.mutable_items()) item.set_resolution(rules::v1::RESOLUTION_AWARD);
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::CloseMeeting, review.secretary(), request).status()),
      "STATE_FORBIDS");
  request.mutable_items()->RemoveLast();
  const auto closed = review.Do(&Handlers::CloseMeeting, review.secretary(), request);
  EXPECT_EQ(closed.items(1).resolution(), rules::v1::RESOLUTION_UNSPECIFIED);
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_AWARDED);
  EXPECT_EQ(review.Get(withdrawn).state(), v1::CASE_STATE_WITHDRAWN);
}

// The case's row takes one of withdrawal and resolution, whoever comes first.
TEST(Meeting, WithdrawalAndResolutionAtOnceHaveOneOutcome) {
  TestReview review;
  for (int i = 0; i < 10; ++i) {
    const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
    auto request = review.Closing(review.Get(name).meeting());
    request.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_REFUSE);
    absl::Status closed;
    std::thread meeting([&] {
      closed = review.Try(&Handlers::CloseMeeting, review.secretary(), request).status();
    });
    std::thread host([&] { review.RequestWithdrawal(name); });
    meeting.join();
    host.join();
    const bool withdrawn = review.AllEmitted<v1::WithdrawalDecided>().back().event.withdrawn();
    EXPECT_NE(withdrawn, closed.ok()) << closed;
    EXPECT_EQ(review.Get(name).state(),
              withdrawn ? v1::CASE_STATE_WITHDRAWN : v1::CASE_STATE_REFUSED);
  }
}

TEST(Payment, OnlyAReservationOfTheLineCounts) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
  review.Resolve(name, rules::v1::RESOLUTION_AWARD);
  payment::v1::AwardAdvanced event;
  event.set_case_name(name);
  event.set_state(payment::v1::AWARD_STATE_RESERVED);
  event.set_line_digest(std::string(64, '0'));
  ASSERT_TRUE(review.Apply(review.handlers().OnPayment(), event).ok());
  EXPECT_FALSE(review.Get(name).reserved());
  review.Reserve(name);
  EXPECT_TRUE(review.Get(name).reserved());

  v1::GetCaseRequest request;
  request.set_name(name);
  request.set_wait_ms(2000);
  request.set_wait_for_state(v1::CASE_STATE_AWARDED);
  const absl::Duration start = MonotonicNow();
  review.Do(&Handlers::GetCase, review.reviewer(), request);
  EXPECT_LT(MonotonicNow() - start, absl::Seconds(1));  // it is there already
}

TEST(Requests, TheSameRequest32TimesAtOnceHasOneEffectAndOneAnswer) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
  auto request = review.Closing(review.Get(name).meeting());
  request.set_request_id(NewUuid());
  request.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
  std::vector<absl::StatusOr<v1::Meeting>> answers(32);
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back(
        [&] { answer = review.Try(&Handlers::CloseMeeting, review.secretary(), request); });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->SerializeAsString(), answers[0]->SerializeAsString());
  }
  EXPECT_EQ(review.StepsOf(name).back().from(), v1::CASE_STATE_ON_AGENDA);
  request.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_REFUSE);
  const auto other = review.Try(&Handlers::CloseMeeting, review.secretary(), request);
  EXPECT_EQ(errors::Reason(other.status()), "REQUEST_ID_REUSED");
  EXPECT_THAT(std::string(other.status().message()), HasSubstr("items[0].resolution"));
}

TEST(Lists, PagesHoldEveryCaseOnce) {
  TestReview review;
  std::set<std::string> opened, listed;
  for (int i = 0; i < 5; ++i) opened.insert(review.OpenCase());
  review.CaseIn(v1::CASE_STATE_ASSESSED);
  v1::ListCasesRequest request;
  request.set_page_size(2);
  request.set_state(v1::CASE_STATE_OPEN);
  do {
    const auto page = review.Do(&Handlers::ListCases, review.reviewer(), request);
    for (const auto& one : page.cases()) EXPECT_TRUE(listed.insert(one.name()).second);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, opened);
}

TEST(Lists, WhatIsNotThereIsNotFound) {
  TestReview review;
  const std::string id = NewUuid();
  v1::GetCaseRequest get_case;
  get_case.set_name(Name("cases", id));
  v1::GetNoticeRequest get_notice;
  get_notice.set_name(Name("notices", id));
  v1::GetMeetingRequest get_meeting;
  get_meeting.set_name(Name("meetings", id));
  v1::ListObjectionsRequest list;
  list.set_parent(get_notice.name());
  const Context who = review.secretary();
  for (const absl::Status& status :
       {review.Try(&Handlers::GetCase, who, get_case).status(),
        review.Try(&Handlers::GetNotice, who, get_notice).status(),
        review.Try(&Handlers::GetMeeting, who, get_meeting).status(),
        review.Try(&Handlers::ListObjections, who, list).status(),
        review
            .Try(&Handlers::PrepareOpinion, who,
                 review.OpinionOn(get_case.name(), rules::v1::RECOMMENDATION_AWARD))
            .status()}) {
    EXPECT_EQ(errors::Reason(status), "NOT_FOUND") << status;
  }
}

TEST(Permissions, ThePublicReadsNoticesAndObjectsAndNothingElse) {
  const std::set<std::string_view> open = {"GetNotice", "ListNotices", "FileObjection"};
  int methods = 0;
  for (const auto& row : auth::Permissions()) {
    constexpr std::string_view kService = "yuezhan.review.v1.ReviewService/";
    if (!row.method.starts_with(kService)) continue;
    ++methods;
    const std::string_view method = row.method.substr(kService.size());
    EXPECT_EQ(row.roles.Has(Role::kPublic), open.contains(method)) << std::string(method);
    EXPECT_EQ(row.roles.Has(Role::kHostUnit), open.contains(method)) << std::string(method);
    for (const Role role : {Role::kPublic, Role::kHostUnit, Role::kDirector, Role::kAuditor})
      EXPECT_FALSE(row.clear_roles.Has(role)) << std::string(method);
  }
  EXPECT_EQ(methods, 21);
}

}  // namespace
}  // namespace yuezhan::review
