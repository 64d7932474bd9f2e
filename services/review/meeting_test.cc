// The directors' meeting: article 5.2.
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

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// Article 5's amount at the day of the submission, though another policy took its place meanwhile.
TEST(Meeting, JudgesACaseByThePolicyOfItsDay) {
  TestReview review(
      TestHost::FollowedPolicy(Day(2021, 5, 1), "subsidy_fen: 5000000", "subsidy_fen: 6000000"));
  const std::string before = review.CaseIn(v1::CASE_STATE_RECOMMENDED);
  ASSERT_TRUE(review.host().clock().SetTo(BeijingMidnight(Day(2021, 5, 6)) + absl::Hours(9)).ok());
  const std::string after = review.CaseIn(v1::CASE_STATE_RECOMMENDED);
  const std::string meeting = review.Convene({before, after});
  auto request = review.Closing(meeting);
  for (auto& item : *request.mutable_items()) item.set_resolution(rules::v1::RESOLUTION_AWARD);
  review.Do(&Handlers::CloseMeeting, review.secretary(), request);
  EXPECT_EQ(FenOf(review.Get(before).awarded_amount()).value(), 5'000'000);
  EXPECT_EQ(review.Get(before).policy().version(), "yueyang-2021");
  EXPECT_EQ(FenOf(review.Get(after).awarded_amount()).value(), 6'000'000);
  EXPECT_EQ(review.Get(after).policy().version(), "second");
  for (const std::string& name : {before, after}) review.Reserve(name);
  // One list has one policy: what it says on times and objections holds for each of its awards.
  const auto mixed =
      review.Try(&Handlers::IssueNotice, review.secretary(), review.NoticeOn({before, after}));
  EXPECT_EQ(errors::Reason(mixed.status()), "INVALID_FIELD");
  const auto notice =
      review.Do(&Handlers::IssueNotice, review.secretary(), review.NoticeOn({before}));
  EXPECT_EQ(notice.policy().version(), "yueyang-2021");
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

TEST(Meeting, SaysWhoWasThereAndAsWhat) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
  auto whole = review.Closing(review.Get(name).meeting());
  whole.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
  whole.add_absent("director-4");
  auto* chair = whole.add_names();
  chair->set_subject("director-1");
  chair->set_display_name("主任甲");
  const auto reason = [&](auto change) {
    v1::CloseMeetingRequest request = whole;
    change(request);
    return errors::Reason(
        review.Try(&Handlers::CloseMeeting, review.secretary(), request).status());
  };
  EXPECT_EQ(reason([](auto& request) { request.add_absent("director-1"); }), "INVALID_FIELD");
  EXPECT_EQ(reason([](auto& request) { request.add_attending("director-1"); }), "INVALID_FIELD");
  EXPECT_EQ(reason([](auto& request) { request.mutable_facts()->set_recorder("stranger"); }),
            "INVALID_FIELD");
  EXPECT_EQ(reason([](auto& request) { request.mutable_facts()->set_signer("director-4"); }),
            "INVALID_FIELD");
  EXPECT_EQ(reason([](auto& request) {
              request.clear_attending();
              request.mutable_facts()->set_recorder("director-2");
            }),
            "INVALID_FIELD");  // nobody of the association
  EXPECT_EQ(reason([](auto& request) { *request.add_names() = request.names(0); }),
            "INVALID_FIELD");
  EXPECT_EQ(reason([](auto& request) { request.mutable_names(0)->set_subject("stranger"); }),
            "INVALID_FIELD");
  EXPECT_EQ(reason([](auto&) {}), "");
  v1::PrintDocumentRequest print;
  print.set_name(whole.name());
  print.set_kind(v1::DOCUMENT_KIND_MINUTES_EXTRACT);
  EXPECT_THAT(review.Do(&Handlers::PrintDocument, review.secretary(), print).content(),
              AllOf(HasSubstr("主任甲"), HasSubstr("（director-4）")));
  v1::GetMeetingRequest get;
  get.set_name(whole.name());
  auto closed = review.Do(&Handlers::GetMeeting, review.secretary(), get);
  EXPECT_THAT(closed.absent(), ElementsAre("director-4"));
  EXPECT_EQ(closed.minutes_digest(), MinutesDigest(closed));
  closed.set_absent(0, "director-5");
  EXPECT_NE(closed.minutes_digest(), MinutesDigest(closed));
}

TEST(Meeting, ACorrectionIsANewResolutionThatCitesTheOld) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_AWARDED);
  const v1::Case before = review.Get(name);
  v1::ConveneMeetingRequest convene;
  convene.add_items()->set_case_name(name);
  const auto convened = [&] {
    return review.Try(&Handlers::ConveneMeeting, review.secretary(), convene);
  };
  EXPECT_EQ(errors::Reason(convened().status()), "INVALID_FIELD");  // cites nothing
  convene.mutable_items(0)->set_corrects(Name("meetings", NewUuid()));
  EXPECT_EQ(errors::Reason(convened().status()), "INVALID_FIELD");  // another meeting
  convene.mutable_items(0)->set_corrects(before.meeting());
  const auto meeting = convened();
  ASSERT_TRUE(meeting.ok()) << meeting.status();
  EXPECT_EQ(errors::Reason(convened().status()), "ALREADY_EXISTS");
  // Until it is corrected the award goes on no list.
  EXPECT_EQ(
      errors::Reason(
          review.Try(&Handlers::IssueNotice, review.secretary(), review.NoticeOn({name})).status()),
      "STATE_FORBIDS");
  auto closing = review.Closing(meeting->name());
  const auto reason = [&] {
    return errors::Reason(
        review.Try(&Handlers::CloseMeeting, review.secretary(), closing).status());
  };
  EXPECT_EQ(reason(), "INVALID_FIELD");  // must be resolved
  closing.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_DEFER);
  EXPECT_EQ(reason(), "STATE_FORBIDS");
  closing.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
  *closing.mutable_items(0)->mutable_amount() = MoneyOf(4'000'000);
  EXPECT_EQ(reason(), "INVALID_FIELD");
  closing.mutable_items(0)->clear_amount();
  closing.mutable_items(0)->set_opinion_text("同意资助，更正原纪要表述。（演示）");
  EXPECT_EQ(reason(), "");
  const v1::Case after = review.Get(name);
  EXPECT_EQ(after.meeting(), meeting->name());
  EXPECT_EQ(after.line_digest(), before.line_digest());
  EXPECT_TRUE(after.reserved());
  EXPECT_TRUE(review.Try(&Handlers::IssueNotice, review.secretary(), review.NoticeOn({name})).ok());
  v1::GetMeetingRequest get;
  get.set_name(meeting->name());
  EXPECT_EQ(review.Do(&Handlers::GetMeeting, review.secretary(), get).items(0).corrects(),
            before.meeting());
}

// What is published is not corrected behind the public's back: the notice is withdrawn first.
TEST(Meeting, OfAnAwardOnAListTheNoticeIsWithdrawnBeforeItIsCorrected) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  v1::ConveneMeetingRequest convene;
  convene.add_items()->set_case_name(name);
  convene.mutable_items(0)->set_corrects(review.Get(name).meeting());
  const auto refused = review.Try(&Handlers::ConveneMeeting, review.secretary(), convene);
  EXPECT_EQ(errors::Reason(refused.status()), "STATE_FORBIDS");
  EXPECT_EQ(errors::Metadata(refused.status(), "method"), "WithdrawNotice");
  v1::WithdrawNoticeRequest withdraw;
  withdraw.set_name(review.Get(name).notice());
  withdraw.set_reason("纪要表述有误");
  review.Do(&Handlers::WithdrawNotice, review.secretary(), withdraw);
  auto closing =
      review.Closing(review.Do(&Handlers::ConveneMeeting, review.secretary(), convene).name());
  closing.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
  review.Do(&Handlers::CloseMeeting, review.secretary(), closing);
  EXPECT_EQ(review.Get(name).meeting(), closing.name());
  review.PostAll(review.Issue({name}));  // anew, for the whole period
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_IN_NOTICE);
}

// An award that is objected to while it waits for its correction is the objection's.
TEST(Meeting, ACorrectionDoesNotReachWhatAnObjectionHolds) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const std::string notice = review.Get(name).notice();
  const Day received = review.host().today();
  const std::string first = review.Object(name);
  review.Admit(first, true);
  review.Examine(first);
  review.ResolveObjection(first, v1::OBJECTION_RESOLUTION_CHANGE_AMOUNT, 3'000'000);
  v1::ConveneMeetingRequest convene;
  convene.add_items()->set_case_name(name);
  convene.mutable_items(0)->set_corrects(review.Get(name).meeting());
  auto closing =
      review.Closing(review.Do(&Handlers::ConveneMeeting, review.secretary(), convene).name());
  auto letter = review.ObjectionTo(name);
  letter.mutable_objection()->set_channel("letter");
  *letter.mutable_objection()->mutable_received_on() = DayToProto(received);
  ASSERT_TRUE(review.Do(&Handlers::FileObjection, review.secretary(), letter).holds());
  closing.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::CloseMeeting, review.secretary(), closing).status()),
      "STATE_FORBIDS");
  closing.mutable_items(0)->clear_resolution();
  review.Do(&Handlers::CloseMeeting, review.secretary(), closing);
  const v1::Case held = review.Get(name);
  EXPECT_EQ(held.state(), v1::CASE_STATE_OBJECTED);
  EXPECT_EQ(held.correction(), "");
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

}  // namespace
}  // namespace yuezhan::review
