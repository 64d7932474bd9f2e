// An office too small to keep duties apart delegates on record (article 7).
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Delegation, TheActCountsForBothAndIsShown) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_OPINION_PREPARED);
  const Context deputy = review.host().Person(Role::kReviewer, "deputy-1");
  v1::ApproveOpinionRequest approve;
  approve.set_name(name);
  approve.set_on_behalf_of("reviewer-2");
  const auto approved = [&](const Context& who) {
    return errors::Reason(review.Try(&Handlers::ApproveOpinion, who, approve).status());
  };
  EXPECT_EQ(approved(deputy), "INVALID_FIELD");  // nothing on record
  v1::CreateDelegationRequest request;
  request.set_delegate("deputy-1");
  request.add_acts(common::v1::ACT_PREPARE);
  request.set_reason("本处只有两人，负责人外出（演示）");
  *request.mutable_last_day() = DayToProto(review.host().today() + 7);
  review.Do(&Handlers::CreateDelegation, review.head(), request);
  EXPECT_EQ(approved(deputy), "INVALID_FIELD");  // of another act
  request.set_acts(0, common::v1::ACT_APPROVE);
  // For who prepared the opinion nobody approves it.
  review.Do(&Handlers::CreateDelegation, review.reviewer(), request);
  approve.set_on_behalf_of("reviewer-1");
  EXPECT_EQ(approved(deputy), "SEPARATION_OF_DUTIES");
  const auto delegation = review.Do(&Handlers::CreateDelegation, review.head(), request);
  approve.set_on_behalf_of("reviewer-2");
  EXPECT_EQ(approved(review.examiner()), "INVALID_FIELD");  // not the delegate
  EXPECT_EQ(approved(deputy), "");
  const v1::Case done = review.Get(name);
  EXPECT_THAT(done.delegations(), ElementsAre(delegation.name()));
  EXPECT_EQ(done.acts(done.acts_size() - 1).on_behalf_of(), "reviewer-2");
  // Payment learns of both: neither may pay.
  const auto event = review.StepsOf(name).back();
  EXPECT_EQ(event.acts(event.acts_size() - 1).on_behalf_of(), "reviewer-2");
  // The history shows the act with it, and holds the delegation itself.
  v1::GetCaseHistoryRequest history;
  history.set_name(name);
  const auto told = review.Do(&Handlers::GetCaseHistory, review.reviewer(), history);
  const auto& last = told.steps(told.steps_size() - 1);
  EXPECT_EQ(last.method(), "ApproveOpinion");
  EXPECT_EQ(last.actor(), "deputy-1");
  EXPECT_EQ(last.on_behalf_of(), "reviewer-2");
  EXPECT_EQ(last.delegation(), delegation.name());
  bool recorded = false;
  for (const auto& step : told.steps()) recorded |= step.method() == "CreateDelegation";
  EXPECT_TRUE(recorded);
}

TEST(Delegation, EndsWithItsLastDayOrWhenRevoked) {
  TestReview review;
  v1::CreateDelegationRequest request;
  request.set_delegate("deputy-1");
  request.add_acts(common::v1::ACT_PREPARE);
  request.set_reason("负责人外出（演示）");
  *request.mutable_last_day() = DayToProto(review.host().today());
  const auto create = [&] {
    return review.Try(&Handlers::CreateDelegation, review.head(), request);
  };
  auto assessment = review.AssessmentOf(review.OpenCase());
  assessment.set_on_behalf_of("reviewer-2");
  assessment.set_assessors(0, "deputy-1");
  const Context deputy = review.host().Person(Role::kReviewer, "deputy-1");
  const auto assessed = [&] {
    return errors::Reason(review.Try(&Handlers::RecordAssessment, deputy, assessment).status());
  };
  ASSERT_TRUE(create().ok());
  ASSERT_TRUE(review.host().clock().Advance(absl::Hours(24)).ok());
  EXPECT_EQ(assessed(), "INVALID_FIELD");
  EXPECT_EQ(errors::Reason(create().status()), "INVALID_FIELD");  // its last day is over
  *request.mutable_last_day() = DayToProto(review.host().today() + 1);
  request.add_acts(common::v1::ACT_DECIDE);
  EXPECT_EQ(errors::Reason(create().status()), "INVALID_FIELD");  // a vote is one's own
  request.mutable_acts()->RemoveLast();
  const auto delegation = create();
  ASSERT_TRUE(delegation.ok()) << delegation.status();
  v1::RevokeDelegationRequest revoke;
  revoke.set_name(delegation->name());
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::RevokeDelegation, review.reviewer(), revoke).status()),
      "NOT_FOUND");  // a stranger to it
  EXPECT_TRUE(
      review.Do(&Handlers::RevokeDelegation, review.head(), revoke).has_revoke_time());
  EXPECT_EQ(assessed(), "INVALID_FIELD");
  ASSERT_TRUE(create().ok());
  EXPECT_EQ(assessed(), "");
  EXPECT_EQ(
      review.Do(&Handlers::ListDelegations, review.reviewer(), v1::ListDelegationsRequest())
          .delegations_size(),
      3);
}

// The statement of a notice's result, signed for an officer who is away.
TEST(Delegation, SignsTheStatementAndCountsForBothOffices) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_NOTICE_ENDED);
  const std::string notice = review.Get(name).notice();
  v1::CreateDelegationRequest request;
  request.set_delegate("deputy-1");
  request.add_acts(common::v1::ACT_APPROVE);
  request.set_reason("负责人外出（演示）");
  *request.mutable_last_day() = DayToProto(review.host().today() + 7);
  const auto delegation = review.Do(&Handlers::CreateDelegation, review.secretary(), request);
  const auto signed_by = [&](const Context& who, v1::Office office, const char* on_behalf_of) {
    v1::SignNoticeResultRequest sign;
    sign.set_name(notice);
    sign.set_office(office);
    sign.set_on_behalf_of(on_behalf_of);
    return errors::Reason(review.Try(&Handlers::SignNoticeResult, who, sign).status());
  };
  const Context deputy = review.host().Person(Role::kSecretary, "deputy-1");
  const Context both = review.host().Person(Role::kReviewer, "secretary-1");
  EXPECT_EQ(signed_by(deputy, v1::OFFICE_TALENT_OFFICE, "director-1"), "INVALID_FIELD");
  EXPECT_EQ(signed_by(review.host().Person(Role::kReviewer, "deputy-1"),
                      v1::OFFICE_TALENT_OFFICE, "secretary-1"),
            "PERMISSION_DENIED");  // the role is the delegate's own
  EXPECT_EQ(signed_by(deputy, v1::OFFICE_TALENT_OFFICE, "secretary-1"), "");
  // Who is represented at one office does not sign for the other.
  EXPECT_EQ(signed_by(both, v1::OFFICE_ASSOCIATION, ""), "INVALID_FIELD");
  EXPECT_EQ(signed_by(review.head(), v1::OFFICE_ASSOCIATION, ""), "");
  const v1::Notice shown = review.GetNotice(notice);
  EXPECT_EQ(shown.state(), v1::NOTICE_STATE_CONCLUDED);
  ASSERT_EQ(shown.delegated_signatures_size(), 1);
  EXPECT_EQ(shown.delegated_signatures(0).on_behalf_of(), "secretary-1");
  EXPECT_EQ(shown.delegated_signatures(0).delegation(), delegation.name());
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_CLEARED);
  v1::GetCaseHistoryRequest history;
  history.set_name(name);
  bool told = false;
  const auto steps = review.Do(&Handlers::GetCaseHistory, review.head(), history);
  for (const auto& step : steps.steps())
    told |= step.delegation() == delegation.name() && step.on_behalf_of() == "secretary-1";
  EXPECT_TRUE(told);
  v1::PrintDocumentRequest print;
  print.set_name(notice);
  print.set_kind(v1::DOCUMENT_KIND_NOTICE_RESULT);
  EXPECT_THAT(review.Do(&Handlers::PrintDocument, review.head(), print).content(),
              HasSubstr("委托）"));
}

}  // namespace
}  // namespace yuezhan::review
