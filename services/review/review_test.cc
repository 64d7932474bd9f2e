// From the submission to the opinion, and what is common to all: articles 5, 5.2 and 7.
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
  // Uploads: of evidence to an objection of one's own.
  const std::set<std::string_view> open = {"GetNotice",   "ListNotices", "FileObjection",
                                           "StartUpload", "WriteChunk",  "FinishUpload"};
  int methods = 0;
  for (const auto& row : auth::Permissions()) {
    constexpr std::string_view kService = "yuezhan.review.v1.ReviewService/";
    if (!row.method.starts_with(kService)) continue;
    ++methods;
    const std::string_view method = row.method.substr(kService.size());
    EXPECT_EQ(row.roles.Has(Role::kPublic), open.contains(method)) << std::string(method);
    EXPECT_EQ(row.roles.Has(Role::kHostUnit), open.contains(method)) << std::string(method);
    if (method == "PrintDocument") continue;  // checked by kind, where the data is
    for (const Role role : {Role::kPublic, Role::kHostUnit, Role::kDirector, Role::kAuditor})
      EXPECT_FALSE(row.clear_roles.Has(role)) << std::string(method);
  }
  EXPECT_EQ(methods, 46);
}

// Calls that are answered together: all, each on its own case, or none.
TEST(Together, OpinionsAreOnEachOnesCase) {
  TestReview review;
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i) names.push_back(review.CaseIn(v1::CASE_STATE_ASSESSED));
  std::vector<v1::Case> answers(3);
  const auto ask = [&](auto method, std::string_view name, const Context& who, auto* requests) {
    Context context = who;
    context.method = Concat({"yuezhan.review.v1.ReviewService/", name});
    rpc::AskedList<std::decay_t<decltype(requests->front())>, v1::Case> asked;
    for (size_t i = 0; i < requests->size(); ++i) {
      (*requests)[i].set_request_id(NewUuid());
      asked.push_back({context, (*requests)[i], &answers[i]});
    }
    return (review.handlers().*method)(asked);
  };
  std::vector<v1::PrepareOpinionRequest> opinions;
  for (const std::string& name : names)
    opinions.push_back(review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD));
  const auto reviews = opinions[1].finding_reviews();
  opinions[1].clear_finding_reviews();
  const int64_t rows = review.host().Count("journal");
  EXPECT_FALSE(ask(&Handlers::PrepareOpinion, "PrepareOpinion", review.reviewer(), &opinions).ok());
  EXPECT_EQ(review.host().Count("journal"), rows);
  *opinions[1].mutable_finding_reviews() = reviews;
  ASSERT_TRUE(ask(&Handlers::PrepareOpinion, "PrepareOpinion", review.reviewer(), &opinions).ok());
  std::vector<v1::ApproveOpinionRequest> approvals(3);
  for (int i = 0; i < 3; ++i) approvals[i].set_name(names[i]);
  ASSERT_TRUE(ask(&Handlers::ApproveOpinion, "ApproveOpinion", review.head(), &approvals).ok());
  EXPECT_EQ(review.host().Count("journal"), rows + 6);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(answers[i].name(), names[i]);
    const v1::Case decided = review.Get(names[i]);
    EXPECT_EQ(decided.SerializeAsString(), answers[i].SerializeAsString());
    EXPECT_EQ(decided.state(), v1::CASE_STATE_RECOMMENDED);
    EXPECT_EQ(review.StepsOf(names[i]).back().state(), v1::CASE_STATE_RECOMMENDED);
  }
}

// A list of an officer's: one that cannot be keeps no other from its effect, and the list may be
// sent again.
TEST(Batch, EachIsAsByItself) {
  TestReview review;
  v1::BatchApproveOpinionsRequest batch;
  for (const v1::CaseState state : {v1::CASE_STATE_OPINION_PREPARED, v1::CASE_STATE_ASSESSED,
                                    v1::CASE_STATE_OPINION_PREPARED}) {
    v1::ApproveOpinionRequest& request = *batch.add_requests();
    request.set_request_id(NewUuid());
    request.set_name(review.CaseIn(state));
  }
  const int64_t rows = review.host().Count("journal");
  for (int time = 0; time < 2; ++time) {
    v1::BatchApproveOpinionsResponse answer;
    ASSERT_TRUE(CallByName(review.handlers().Methods(), "BatchApproveOpinions", review.head(),
                           batch, &answer)
                    .ok());
    EXPECT_EQ(review.host().Count("journal"), rows + 2);
    ASSERT_EQ(answer.failed_requests().size(), 1u);
    EXPECT_EQ(errors::Reason(errors::FromDetails(answer.failed_requests().at(1))), "STATE_FORBIDS");
    for (const int i : {0, 2}) {
      EXPECT_EQ(answer.cases(i).name(), batch.requests(i).name());
      EXPECT_EQ(review.Get(batch.requests(i).name()).state(), v1::CASE_STATE_RECOMMENDED);
      v1::GetCaseHistoryRequest history;
      history.set_name(batch.requests(i).name());
      const auto told = review.Do(&Handlers::GetCaseHistory, review.reviewer(), history);
      EXPECT_EQ(told.steps().rbegin()->method(), "ApproveOpinion");
    }
  }
  EXPECT_EQ(review.Get(batch.requests(1).name()).state(), v1::CASE_STATE_ASSESSED);
}

}  // namespace
}  // namespace yuezhan::review
