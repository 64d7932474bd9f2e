// What races at the very second of the deadline has one consistent outcome. YUEZHAN_RACES says how
// often (default 20); YUEZHAN_SEED begins the series anew where one failed.
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/money.h"
#include "common/base/time_proto.h"
#include "gtest/gtest.h"
#include "services/payment/test_payment.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

int FromEnvironment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  int value = 0;
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

// Of one race: the objection that was filed, or why not.
struct Race {
  std::string award;
  std::string notice;
  Day last_day;
  absl::StatusOr<v1::Objection> objection;
  absl::Status withdrawn_notice;
  absl::StatusOr<v1::Notice> taken_down = absl::UnknownError("not tried");
};

void RunRace(TestReview& review, Handlers& second, std::mt19937& random, Race* race) {
  std::vector<std::thread> threads;
  const auto start = [&](auto act) {
    const auto delay = absl::Microseconds(random() % 3000);
    threads.emplace_back([act, delay] {
      absl::SleepFor(delay);
      act();
    });
  };
  start([&] {
    race->objection =
        review.Try(&Handlers::FileObjection, review.citizen(), review.ObjectionTo(race->award));
  });
  start([&] {
    // A long step of the clock over midnight, while an objection may be on its way.
    EXPECT_TRUE(
        review.host().clock().SetTo(BeijingMidnight(race->last_day + 1) + absl::Seconds(31)).ok());
  });
  for (Handlers* handlers : {&review.handlers(), &second}) {
    start([&, handlers] {
      for (int i = 0; i < 200 && review.GetNotice(race->notice).state() == v1::NOTICE_STATE_RUNNING;
           ++i) {
        const auto wait = handlers->TendNotices();
        EXPECT_TRUE(wait.ok()) << wait.status();
      }
    });
  }
  for (const auto office : {v1::OFFICE_ASSOCIATION, v1::OFFICE_TALENT_OFFICE}) {
    start([&, office] {
      for (int i = 0; i < 20; ++i) {
        if (review.Sign(race->notice, office).ok()) break;
        absl::SleepFor(absl::Milliseconds(1));
      }
    });
  }
  const int other = static_cast<int>(random() % 4);
  if (other == 3) {
    start([&] {
      race->taken_down = review.Try(&Handlers::RecordPostingDown, review.secretary(),
                                    review.DownOf(race->notice, "talent"));
    });
  }
  if (other == 1) start([&] { review.RequestWithdrawal(race->award); });
  if (other == 2) {
    start([&] {
      v1::WithdrawNoticeRequest request;
      request.set_name(race->notice);
      request.set_reason("名单有误");
      race->withdrawn_notice =
          review.Try(&Handlers::WithdrawNotice, review.secretary(), request).status();
    });
  }
  for (auto& thread : threads) thread.join();
}

void Check(TestReview& review, const Race& race) {
  const v1::Case award = review.Get(race.award);
  const v1::Notice notice = review.GetNotice(race.notice);
  int cleared = 0, ended = 0;
  v1::CaseState before = v1::CASE_STATE_UNSPECIFIED;
  for (const auto& step : review.StepsOf(race.award)) {
    EXPECT_EQ(step.from(), before) << "the journal tells one history";
    before = step.state();
    cleared += step.state() == v1::CASE_STATE_CLEARED;
  }
  EXPECT_EQ(before, award.state());
  EXPECT_LE(cleared, 1);
  bool over = false;
  for (const auto& emitted : review.AllEmitted<v1::NoticeAdvanced>()) {
    if (emitted.event.notice() != race.notice) continue;
    ended += emitted.event.state() == v1::NOTICE_STATE_ENDED &&
             emitted.event.from() == v1::NOTICE_STATE_RUNNING;
    over |= emitted.event.state() == v1::NOTICE_STATE_ENDED;
  }
  EXPECT_EQ(ended, over ? 1 : 0);
  if (race.objection.ok()) {
    const v1::Objection objection = review.GetObjection(race.objection->name());
    const bool in_time = *DayFromProto(objection.received_on()) <= race.last_day;
    const bool gone =
        award.state() == v1::CASE_STATE_WITHDRAWN || award.state() == v1::CASE_STATE_CLEARED;
    // In time, it holds its award, unless that was gone before; late, it holds nothing. What comes
    // while the period stands still is in time whatever the day.
    if (notice.state() != v1::NOTICE_STATE_SUSPENDED || in_time) {
      EXPECT_EQ(objection.holds(), in_time && !gone);
    }
    EXPECT_EQ(award.state() == v1::CASE_STATE_OBJECTED, objection.holds());
    EXPECT_EQ(award.open_objections_size(), objection.holds() ? 1 : 0);
  } else {
    EXPECT_EQ(notice.state(), v1::NOTICE_STATE_WITHDRAWN) << race.objection.status();
  }
  // Taken down within the period it breaks it until it is back; after it, it does nothing.
  if (race.taken_down.ok()) {
    const absl::Time down = FromProto(
        review.GetNotice(race.notice).postings(1).downs(0).down_time());
    const bool broke = BeijingDay(down) <= race.last_day;
    EXPECT_EQ(race.taken_down->state() == v1::NOTICE_STATE_SUSPENDED, broke);
    EXPECT_EQ(notice.state() == v1::NOTICE_STATE_SUSPENDED, broke);
    // Told after the end it reopens the period, unless payment has the award already.
    if (broke) {
      EXPECT_EQ(cleared, 0);
    } else {
      EXPECT_EQ(ended, 1);
    }
  }
  if (award.state() == v1::CASE_STATE_CLEARED) {
    EXPECT_EQ(notice.state(), v1::NOTICE_STATE_CONCLUDED);
  }
  if (notice.state() == v1::NOTICE_STATE_WITHDRAWN) {
    EXPECT_EQ(cleared, 0);
  }
}

// Payment, told in the order of review's journal, stands where review stands.
void CheckPayment(TestReview& review, payment::TestPayment& payment, const Race& race) {
  for (const auto& step : review.StepsOf(race.award)) {
    const absl::Status status = payment.Apply(step);
    EXPECT_TRUE(status.ok()) << status;
  }
  payment::TestCase paid;
  paid.case_name = race.award;
  const payment::v1::Award award = payment.GetAward(paid);
  const v1::Case decided = review.Get(race.award);
  EXPECT_EQ(award.line_digest(), decided.line_digest());
  EXPECT_EQ(FenOf(award.amount()).value_or(0), FenOf(decided.awarded_amount()).value_or(0));
  const auto state = decided.state();
  EXPECT_EQ(award.state(), state == v1::CASE_STATE_CLEARED     ? payment::v1::AWARD_STATE_CLEARED
                           : state == v1::CASE_STATE_WITHDRAWN ? payment::v1::AWARD_STATE_RELEASED
                                                               : payment::v1::AWARD_STATE_RESERVED)
      << v1::CaseState_Name(state);
}

TEST(Races, AtTheSecondOfTheDeadlineHaveOneOutcomeEach) {
  const int races = FromEnvironment("YUEZHAN_RACES", 20);
  const int seed = FromEnvironment("YUEZHAN_SEED", static_cast<int>(std::random_device{}()));
  RecordProperty("seed", seed);
  std::mt19937 random(static_cast<unsigned>(seed));
  std::map<v1::CaseState, int> outcomes;
  for (int i = 0; i < races;) {
    // A database for some races: the calendar's years are many, but not endless.
    TestReview review;
    TestReview::Replica replica = review.NewReplica();
    payment::TestPayment payment;
    payment.Fund(5'000'000 * 50, 2021);
    for (int k = 0; k < 50 && i < races; ++k, ++i) {
      SCOPED_TRACE(absl::StrCat("YUEZHAN_SEED=", seed, ", race ", i));
      Race race;
      race.award = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
      race.notice = review.Get(race.award).notice();
      race.last_day = *DayFromProto(review.GetNotice(race.notice).last_day());
      ASSERT_TRUE(review.host()
                      .clock()
                      .SetTo(BeijingMidnight(race.last_day + 1) - absl::Milliseconds(1))
                      .ok());
      RunRace(review, *replica.handlers, random, &race);
      Check(review, race);
      CheckPayment(review, payment, race);
      ++outcomes[review.Get(race.award).state()];
      if (HasFailure()) return;
    }
  }
  for (const auto& [state, count] : outcomes) RecordProperty(v1::CaseState_Name(state), count);
}

}  // namespace
}  // namespace yuezhan::review
