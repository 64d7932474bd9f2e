// The end of a period: never early, exactly once, by the calendar (article 5.3).
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

// A notice on all sites on `day`; its name.
std::string NoticeLiveOn(TestReview& review, Day day) {
  const std::string name = review.CaseIn(v1::CASE_STATE_AWARDED);
  const absl::Status moved = review.host().clock().SetTo(BeijingMidnight(day) + absl::Hours(9));
  EXPECT_TRUE(moved.ok()) << moved;
  const std::string notice = review.Issue({name});
  review.PostAll(notice);
  return notice;
}

int Endings(TestReview& review, const std::string& notice) {
  int endings = 0;
  for (const auto& emitted : review.AllEmitted<v1::NoticeAdvanced>()) {
    endings += emitted.event.notice() == notice && emitted.event.state() == v1::NOTICE_STATE_ENDED;
  }
  return endings;
}

TEST(NoticePeriod, RunsByTheStateCouncilsCalendar) {
  const struct {
    Day live, last;
  } kPeriods[] = {
      {Day(2021, 9, 15), Day(2021, 9, 23)},  // Mid-Autumn, a make-up Saturday
      {Day(2021, 9, 28), Day(2021, 10, 11)},  // National Day, a make-up Saturday
      {Day(2022, 1, 26), Day(2022, 2, 7)},   // Spring Festival, two make-up days
      {Day(2024, 2, 6), Day(2024, 2, 19)},   // Spring Festival, a make-up Sunday
      {Day(2025, 4, 25), Day(2025, 5, 6)},   // Labour Day, a make-up Sunday
      {Day(2026, 9, 18), Day(2026, 9, 24)},
  };
  TestReview review;
  for (const auto& period : kPeriods) {
    SCOPED_TRACE(FormatDay(period.live));
    const std::string notice = NoticeLiveOn(review, period.live);
    EXPECT_EQ(DayFromProto(review.GetNotice(notice).last_day()), period.last);
    const absl::Time end = BeijingMidnight(period.last + 1);
    ASSERT_TRUE(review.host().clock().SetTo(end + absl::Milliseconds(30'999)).ok());
    review.Tend();
    EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_RUNNING);  // never early
    ASSERT_TRUE(review.host().clock().SetTo(end + absl::Seconds(31)).ok());
    review.Tend();
    EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_ENDED);
    review.Tend();
    EXPECT_EQ(Endings(review, notice), 1);
  }
}

TEST(NoticePeriod, IsNotClosedOnDaysThatNoNoticeHasDecided) {
  TestReview review;
  const std::string notice = NoticeLiveOn(review, Day(2026, 12, 28));
  const v1::Notice provisional = review.GetNotice(notice);
  EXPECT_TRUE(provisional.provisional());
  EXPECT_EQ(DayFromProto(provisional.last_day()), Day(2027, 1, 4));  // of the plain week
  ASSERT_TRUE(review.host().clock().SetTo(BeijingMidnight(Day(2027, 1, 6))).ok());
  review.Tend();
  EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_RUNNING);
  EXPECT_TRUE(review.GetNotice(notice).open_for_objection());
  EXPECT_TRUE(review
                  .Do(&Handlers::FileObjection, review.citizen(),
                      review.ObjectionTo(provisional.lines(0).case_name()))
                  .holds());

  // The notice of the State Council comes: 1 to 3 January off, Sunday the 3rd too.
  review.rulebook().Replace(policy::Calendar::Parse("date,kind,holiday,notice_year\n"
                                                    "2026-01-01,off,元旦,2026\n"
                                                    "2027-01-01,off,元旦,2027\n"
                                                    "2027-01-04,off,元旦,2027\n",
                                                    "later")
                                .value());
  review.Tend();
  const v1::Notice counted = review.GetNotice(notice);
  EXPECT_FALSE(counted.provisional());
  EXPECT_EQ(DayFromProto(counted.last_day()), Day(2027, 1, 6));
  EXPECT_EQ(counted.calendar_digest(), review.rulebook().calendar()->digest());
  const auto recounted = review.AllEmitted<v1::NoticeAdvanced>().back().event;
  EXPECT_EQ(recounted.from(), v1::NOTICE_STATE_RUNNING);
  EXPECT_EQ(recounted.last_day(), "2027-01-06");
  const size_t events = review.AllEmitted<v1::NoticeAdvanced>().size();
  review.Tend();  // once is enough
  EXPECT_EQ(review.AllEmitted<v1::NoticeAdvanced>().size(), events);
  review.PassPeriod(notice);
  review.Tend();
  EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_ENDED);
}

absl::Time WallAhead() { return WallNow() + absl::Milliseconds(1'200); }
absl::Time WallBehind() { return WallNow() - absl::Milliseconds(1'200); }

TEST(NoticePeriod, IsNotClosedWhileMachineAndDatabaseDisagreeOnTheTime) {
  TestReview review;
  const std::string notice = NoticeLiveOn(review, Day(2021, 4, 12));
  review.PassPeriod(notice);
  for (absl::Time (*wall)() : {&WallAhead, &WallBehind}) {
    Clocks clocks = review.host().journal().clocks();
    clocks.wall = wall;
    journal::Journal journal(review.host().database().pool(), review.host().vault(), clocks,
                             "review");
    Handlers skewed(journal, review.host().vault(), review.rulebook(), review.registry());
    EXPECT_FALSE(skewed.TendNotices().ok());
    EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_RUNNING);
  }
  review.Tend();
  EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_ENDED);
}

TEST(NoticePeriod, TwoReplicasEndEachNoticeOnce) {
  TestReview review;
  std::vector<std::string> notices;
  for (int i = 0; i < 10; ++i) notices.push_back(NoticeLiveOn(review, Day(2021, 4, 12)));
  review.PassPeriod(notices[0]);
  TestReview::Replica replica = review.NewReplica();
  std::vector<std::thread> threads;
  for (Handlers* handlers : {&review.handlers(), replica.handlers.get()}) {
    for (int k = 0; k < 2; ++k) {
      threads.emplace_back([handlers] {
        const auto wait = handlers->TendNotices();
        EXPECT_TRUE(wait.ok()) << wait.status();
      });
    }
  }
  for (auto& thread : threads) thread.join();
  for (const std::string& notice : notices) {
    EXPECT_EQ(Endings(review, notice), 1);
    const v1::Notice ended = review.GetNotice(notice);
    EXPECT_EQ(ended.state(), v1::NOTICE_STATE_ENDED);
    EXPECT_EQ(review.Get(ended.lines(0).case_name()).state(), v1::CASE_STATE_NOTICE_ENDED);
  }
}

}  // namespace
}  // namespace yuezhan::review
