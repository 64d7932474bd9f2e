// A posting that is taken down: the period stands still and goes on as the policy says (article 5.3).
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

// The clock at this hour of a day in April 2021.
void GoTo(TestReview& review, int day, int hour) {
  const absl::Status moved =
      review.host().clock().SetTo(BeijingMidnight(Day(2021, 4, day)) + absl::Hours(hour));
  ASSERT_TRUE(moved.ok()) << moved;
}

v1::Notice Down(TestReview& review, const std::string& notice, std::string_view site) {
  return review.Do(&Handlers::RecordPostingDown, review.secretary(), review.DownOf(notice, site));
}
v1::Notice Back(TestReview& review, const std::string& notice, std::string_view site) {
  return review.Do(&Handlers::RecordPostingBack, review.secretary(), review.BackOf(notice, site));
}

TEST(Postings, DownItStandsStillAndTheDaysLostAreAddedOrCountedAnew) {
  const struct {
    const char* handling;
    Day last;
  } kCases[] = {{"INTERRUPTION_HANDLING_RESUME", Day(2021, 4, 15)},
                {"INTERRUPTION_HANDLING_RESTART", Day(2021, 4, 16)}};
  for (const auto& policy : kCases) {
    SCOPED_TRACE(policy.handling);
    const std::string& text = policy::Policies::Builtin().text();
    const char* now = text.find(kCases[0].handling) != std::string::npos ? kCases[0].handling
                                                                         : kCases[1].handling;
    TestReview review(TestReview::Changed(now, policy.handling));
    // Live on Tuesday 2021-04-06: 7 to 13 April. Down on the 8th, back on the 9th.
    const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
    const std::string notice = review.Get(name).notice();
    ASSERT_EQ(DayFromProto(review.GetNotice(notice).last_day()), Day(2021, 4, 13));
    GoTo(review, 8, 10);
    const v1::Notice down = Down(review, notice, "talent");
    EXPECT_EQ(down.state(), v1::NOTICE_STATE_SUSPENDED);
    EXPECT_FALSE(down.has_last_day());
    EXPECT_TRUE(down.open_for_objection());
    review.Tend();
    GoTo(review, 9, 10);
    const v1::Notice back = Back(review, notice, "talent");
    EXPECT_EQ(back.state(), v1::NOTICE_STATE_RUNNING);
    EXPECT_EQ(DayFromProto(back.last_day()), policy.last);
    EXPECT_EQ(back.calendar_digest(), review.rulebook().calendar()->digest());
    EXPECT_EQ(review.AllEmitted<v1::NoticeAdvanced>().back().event.last_day(),
              FormatDay(policy.last));
    review.PassPeriod(notice);
    review.Tend();
    EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_ENDED);
    review.SignBoth(notice);
    EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_CLEARED);
    EXPECT_EQ(review.StepsOf(name).back().clearance().period().postings(1).down_size(), 1);
  }
}

TEST(Postings, ASuspendedPeriodEndsOnNoDay) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const std::string notice = review.Get(name).notice();
  GoTo(review, 13, 23);
  Down(review, notice, "hongxing");
  GoTo(review, 28, 9);
  review.Tend();
  EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_SUSPENDED);
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_IN_NOTICE);
  // It holds: the period is not over.
  EXPECT_TRUE(review.Do(&Handlers::FileObjection, review.citizen(), review.ObjectionTo(name))
                  .holds());
}

TEST(Postings, OnceOnEverySiteAgainItRuns) {
  TestReview review;
  const std::string notice = review.Issue({review.CaseIn(v1::CASE_STATE_AWARDED)});
  const v1::Notice issued = review.GetNotice(notice);
  const auto post = [&](const char* site) {
    return review
        .Do(&Handlers::RecordPosting, review.secretary(), review.PostingOn(issued, site))
        .state();
  };
  EXPECT_EQ(post("hongxing"), v1::NOTICE_STATE_ISSUED);
  EXPECT_EQ(Down(review, notice, "hongxing").state(), v1::NOTICE_STATE_ISSUED);
  EXPECT_EQ(post("talent"), v1::NOTICE_STATE_ISSUED);
  EXPECT_EQ(post("association"), v1::NOTICE_STATE_ISSUED);  // not on all three at once
  GoTo(review, 7, 9);
  EXPECT_EQ(Back(review, notice, "hongxing").state(), v1::NOTICE_STATE_RUNNING);
  EXPECT_EQ(DayFromProto(review.GetNotice(notice).first_day()), Day(2021, 4, 8));
  EXPECT_EQ(Down(review, notice, "talent").state(), v1::NOTICE_STATE_SUSPENDED);
  EXPECT_EQ(Down(review, notice, "association").state(), v1::NOTICE_STATE_SUSPENDED);
  EXPECT_EQ(Back(review, notice, "talent").state(), v1::NOTICE_STATE_SUSPENDED);
  EXPECT_EQ(Back(review, notice, "association").state(), v1::NOTICE_STATE_RUNNING);
}

TEST(Postings, WhatGoesDownAfterTheLastDayBreaksNothing) {
  TestReview review;
  const std::string notice = review.Get(review.CaseIn(v1::CASE_STATE_IN_NOTICE)).notice();
  ASSERT_TRUE(
      review.host().clock().SetTo(BeijingMidnight(Day(2021, 4, 14)) + absl::Seconds(5)).ok());
  const v1::Notice down = Down(review, notice, "talent");
  EXPECT_EQ(down.state(), v1::NOTICE_STATE_RUNNING);
  EXPECT_EQ(DayFromProto(down.last_day()), Day(2021, 4, 13));
  review.PassPeriod(notice);
  review.Tend();
  EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_ENDED);
}

v1::RecordPostingDownRequest DownAt(TestReview& review, const std::string& notice, Day day) {
  auto request = review.DownOf(notice, "talent");
  *request.mutable_down_time() = ToProto(BeijingMidnight(day) + absl::Hours(10));
  return request;
}

// Found only after the end: the period is not short, whoever signed already.
TEST(Postings, FoundDownAfterTheEndThePeriodIsReopenedAndRunsOut) {
  for (const bool concluded : {false, true}) {
    SCOPED_TRACE(concluded);
    TestReview review;
    const std::string held = review.CaseIn(v1::CASE_STATE_AWARDED);
    const std::string free = review.CaseIn(v1::CASE_STATE_AWARDED);
    const std::string notice = review.Issue(concluded ? std::vector{held} : std::vector{held, free});
    review.PostAll(notice);  // on Tuesday 2021-04-06: 7 to 13 April
    review.Object(held);
    GoTo(review, 14, 9);
    review.Tend();
    const std::string late = review.Object(held);
    ASSERT_TRUE(review.GetObjection(late).late());
    ASSERT_FALSE(review.GetObjection(late).holds());
    if (concluded) review.SignBoth(notice);
    ASSERT_EQ(review.GetNotice(notice).state(),
              concluded ? v1::NOTICE_STATE_CONCLUDED : v1::NOTICE_STATE_ENDED);
    // What went down after the last day changes nothing; nor does it stand in the way.
    ASSERT_TRUE(review.Try(&Handlers::RecordPostingDown, review.secretary(),
                           review.DownOf(notice, "association"))
                    .ok());
    const v1::Notice unchanged = review.GetNotice(notice);
    EXPECT_EQ(DayFromProto(unchanged.last_day()), Day(2021, 4, 13));
    EXPECT_EQ(unchanged.has_statement(), concluded);
    const auto down = review.Do(&Handlers::RecordPostingDown, review.secretary(),
                                DownAt(review, notice, Day(2021, 4, 8)));
    EXPECT_EQ(down.state(), v1::NOTICE_STATE_SUSPENDED);
    EXPECT_FALSE(down.has_statement());
    EXPECT_TRUE(down.open_for_objection());
    EXPECT_EQ(review.Get(held).state(), v1::CASE_STATE_OBJECTED);
    EXPECT_EQ(review.Get(held).open_objections_size(), 2);
    EXPECT_FALSE(review.GetObjection(late).late());
    EXPECT_EQ(review.Get(free).state(),
              concluded ? v1::CASE_STATE_AWARDED : v1::CASE_STATE_IN_NOTICE);
    EXPECT_EQ(errors::Reason(review.Sign(notice, v1::OFFICE_ASSOCIATION).status()), "STATE_FORBIDS");
    // Back on the 9th, two days are lost: it runs to the 15th, and ends a second time.
    auto back = review.BackOf(notice, "talent");
    *back.mutable_back_time() = ToProto(BeijingMidnight(Day(2021, 4, 9)) + absl::Hours(10));
    const auto running = review.Do(&Handlers::RecordPostingBack, review.secretary(), back);
    EXPECT_EQ(running.state(), v1::NOTICE_STATE_SUSPENDED);  // the other site went down since
    review.Do(&Handlers::RecordPostingBack, review.secretary(),
              review.BackOf(notice, "association"));
    EXPECT_EQ(DayFromProto(review.GetNotice(notice).last_day()), Day(2021, 4, 16));
    review.Tend();
    EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_RUNNING);
    review.PassPeriod(notice);
    review.Tend();
    EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_ENDED);
    if (concluded) continue;
    EXPECT_EQ(review.Get(free).state(), v1::CASE_STATE_NOTICE_ENDED);
    review.SignBoth(notice);
    EXPECT_EQ(review.Get(free).state(), v1::CASE_STATE_CLEARED);
    EXPECT_EQ(review.Get(held).state(), v1::CASE_STATE_OBJECTED);
    int cleared = 0;
    for (const auto& step : review.StepsOf(free)) cleared += step.state() == v1::CASE_STATE_CLEARED;
    EXPECT_EQ(cleared, 1);
  }
}

TEST(Postings, OnceAnAwardIsClearedThePeriodIsReopenedNoMore) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_CLEARED);
  const std::string notice = review.Get(name).notice();
  const v1::Notice before = review.GetNotice(notice);
  const auto refused = review.Try(&Handlers::RecordPostingDown, review.secretary(),
                                  DownAt(review, notice, Day(2021, 4, 8)));
  EXPECT_EQ(errors::Reason(refused.status()), "STATE_FORBIDS") << refused.status();
  EXPECT_EQ(review.GetNotice(notice).SerializeAsString(), before.SerializeAsString());
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_CLEARED);
  // That the site took the list down in the end is recorded all the same.
  EXPECT_EQ(Down(review, notice, "talent").state(), v1::NOTICE_STATE_CONCLUDED);
}

TEST(Postings, TimesAndDigestsAreChecked) {
  TestReview review;
  const std::string notice = review.Get(review.CaseIn(v1::CASE_STATE_IN_NOTICE)).notice();
  GoTo(review, 8, 10);
  const absl::Time now = review.host().clock().Now();
  const auto down = [&](absl::Time time, const char* site) {
    auto request = review.DownOf(notice, site);
    *request.mutable_down_time() = ToProto(time);
    return errors::Reason(
        review.Try(&Handlers::RecordPostingDown, review.secretary(), request).status());
  };
  EXPECT_EQ(down(now + absl::Seconds(1), "talent"), "INVALID_FIELD");
  EXPECT_EQ(down(now - absl::Hours(24 * 5), "talent"), "INVALID_FIELD");  // before it was live
  EXPECT_EQ(down(now, "elsewhere"), "INVALID_FIELD");
  EXPECT_EQ(down(now - absl::Hours(1), "talent"), "");
  EXPECT_EQ(down(now, "talent"), "ALREADY_EXISTS");
  const auto back = [&](absl::Time time, bool other_list) {
    auto request = review.BackOf(notice, "talent");
    *request.mutable_back_time() = ToProto(time);
    if (other_list) request.mutable_list_digest()->back() ^= 1;
    return errors::Reason(
        review.Try(&Handlers::RecordPostingBack, review.secretary(), request).status());
  };
  EXPECT_EQ(back(now - absl::Hours(2), false), "INVALID_FIELD");
  EXPECT_EQ(back(now, true), "INVALID_FIELD");  // another list is shown: not back
  EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_SUSPENDED);
  EXPECT_EQ(back(now, false), "");
  EXPECT_EQ(back(now, false), "INVALID_FIELD");  // it is not down
  EXPECT_EQ(down(now - absl::Minutes(1), "talent"), "INVALID_FIELD");  // before it was back
}

}  // namespace
}  // namespace yuezhan::review
