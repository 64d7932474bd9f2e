#include <functional>

#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

// What was true at the submission is looked at again at each later step: the case of a station that
// closed in the meantime goes no further, and nothing changes.
TEST(Standing, IsJudgedAgainAtOpinionResolutionAndPublication) {
  TestReview review;
  const struct {
    v1::CaseState in;
    std::function<absl::Status(const std::string&)> next;
  } kSteps[] = {
      {v1::CASE_STATE_ASSESSED,
       [&](const std::string& name) {
         return review
             .Try(&Handlers::PrepareOpinion, review.reviewer(),
                  review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD))
             .status();
       }},
      {v1::CASE_STATE_OPINION_PREPARED,
       [&](const std::string& name) {
         v1::ApproveOpinionRequest request;
         request.set_name(name);
         return review.Try(&Handlers::ApproveOpinion, review.head(), request).status();
       }},
      {v1::CASE_STATE_RECOMMENDED,
       [&](const std::string& name) {
         v1::ConveneMeetingRequest request;
         request.add_items()->set_case_name(name);
         return review.Try(&Handlers::ConveneMeeting, review.secretary(), request).status();
       }},
      {v1::CASE_STATE_ON_AGENDA,
       [&](const std::string& name) {
         v1::CloseMeetingRequest request = review.Closing(review.Get(name).meeting());
         request.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
         return review.Try(&Handlers::CloseMeeting, review.secretary(), request).status();
       }},
      {v1::CASE_STATE_AWARDED,
       [&](const std::string& name) {
         return review.Try(&Handlers::IssueNotice, review.secretary(), review.NoticeOn({name}))
             .status();
       }},
  };
  for (const auto& step : kSteps) {
    const std::string name = review.CaseIn(step.in);
    const std::string before = review.Get(name).SerializeAsString();
    rules::v1::StandingFacts& standing = review.registry().standings[review.Get(name).station()];
    standing.mutable_station()->set_level(common::v1::STATION_LEVEL_PROVINCIAL);
    *standing.mutable_station()->mutable_closed_on() = DayToProto(review.host().today());
    const absl::Status refused = step.next(name);
    EXPECT_EQ(errors::Reason(refused), "REFUSED") << v1::CaseState_Name(step.in) << refused;
    EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("The station is closed"));
    EXPECT_EQ(review.Get(name).SerializeAsString(), before);
    // Open again: the same step goes through.
    review.registry().standings.erase(review.Get(name).station());
    EXPECT_TRUE(step.next(name).ok()) << v1::CaseState_Name(step.in);
  }
}

}  // namespace
}  // namespace yuezhan::review
