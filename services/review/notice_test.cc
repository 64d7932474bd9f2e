// Public notice and statement of its result: articles 5.3 and 5.4.
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/money.h"
#include "common/base/time_proto.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/mask.h"
#include "common/rules/payment.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/facts.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Changes a case's row behind the handlers' back.
void Tamper(TestReview& review, const std::string& name,
            absl::FunctionRef<void(v1::Case*)> change) {
  const Store store(review.host().vault());
  const absl::Status status = db::Transact(
      review.host().database().pool(), WallNow() + absl::Seconds(10),
      [&](db::Session& sql) -> absl::Status {
        auto review_case = store.Case(sql, IdOf("cases/*", name).value(), true).value();
        change(&*review_case);
        store.UpdateCase(sql, &*review_case);
        return absl::OkStatus();
      });
  ASSERT_TRUE(status.ok()) << status;
}

TEST(Notice, ListsTheAwardsInOrderWithTotalPeriodAndWhereToObject) {
  TestReview review;
  const std::string first = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string second = review.CaseIn(v1::CASE_STATE_AWARDED);
  const v1::Notice notice = review.GetNotice(review.Issue({second, first}));
  EXPECT_EQ(notice.lines(0).case_name(), second);
  EXPECT_EQ(notice.lines(1).number(), 2);
  EXPECT_EQ(FenOf(notice.total_amount()).value(), 10'000'000);
  EXPECT_EQ(notice.list_digest(), ListDigest(notice));
  EXPECT_EQ(notice.lines(0).line_digest(), review.Get(second).line_digest());
  EXPECT_EQ(review.Get(first).state(), v1::CASE_STATE_IN_NOTICE);
  EXPECT_EQ(review.StepsOf(first).back().notice(), notice.name());
  // 2021-04-06 is a Tuesday: five working days from the 7th.
  for (const char* words :
       {"岳人才办发〔2021〕8号", "绿色化工服务站（演示）\t省级\t湖南省化工学会", "50,000.00",
        "合计\t\t\t\t\t100,000.00", "2021年4月7日至2021年4月13日", "异议受理电话：0730-0000000",
        "中共岳阳市委人才工作领导小组办公室\n岳阳市科学技术协会\n2021年4月6日",
        "岳阳红星网、岳阳人才信息网、市科协网站"}) {
    EXPECT_THAT(notice.text(), HasSubstr(words));
  }
}

TEST(Notice, IsNotIssuedForWhatIsNotReservedOrNotWhatWasResolved) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
  review.Resolve(name, rules::v1::RESOLUTION_AWARD);
  const auto issue = [&] {
    return review.Try(&Handlers::IssueNotice, review.secretary(), review.NoticeOn({name})).status();
  };
  EXPECT_EQ(errors::Reason(issue()), "REFUSED");
  EXPECT_THAT(std::string(issue().message()), HasSubstr("reserved"));
  review.Reserve(name);
  Tamper(review, name, [](v1::Case* row) { row->set_station_name("绿色化工服务站（演示)"); });
  EXPECT_EQ(errors::Reason(issue()), "REFUSED");  // one character
  Tamper(review, name, [](v1::Case* row) { row->set_station_name("绿色化工服务站（演示）"); });
  Tamper(review, name, [](v1::Case* row) { *row->mutable_awarded_amount() = MoneyOf(4'999'999); });
  EXPECT_EQ(errors::Reason(issue()), "REFUSED");  // one fen
  Tamper(review, name, [](v1::Case* row) { *row->mutable_awarded_amount() = MoneyOf(5'000'000); });
  auto mobile = review.NoticeOn({name});
  mobile.set_objection_phone("13800001234");
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::IssueNotice, review.secretary(), mobile).status()),
            "REFUSED");  // no mobile number in public
  auto twice = review.NoticeOn({name, name});
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::IssueNotice, review.secretary(), twice).status()),
            "INVALID_FIELD");
  EXPECT_TRUE(issue().ok());
}

TEST(Notice, RunsFromTheLastOfTheThreeSites) {
  TestReview review;
  const std::string name = review.Issue({review.CaseIn(v1::CASE_STATE_AWARDED)});
  const v1::Notice issued = review.GetNotice(name);
  const auto post = [&](v1::RecordPostingRequest request) {
    request.clear_request_id();
    return review.Try(&Handlers::RecordPosting, review.secretary(), request);
  };
  auto wrong = review.PostingOn(issued, "hongxing");
  wrong.mutable_posting()->mutable_list_digest()->back() ^= 1;
  EXPECT_EQ(errors::Reason(post(wrong).status()), "INVALID_FIELD");
  auto future = review.PostingOn(issued, "hongxing");
  *future.mutable_posting()->mutable_live_time() =
      ToProto(review.host().clock().Now() + absl::Seconds(1));
  EXPECT_EQ(errors::Reason(post(future).status()), "INVALID_FIELD");
  auto early = review.PostingOn(issued, "hongxing");
  *early.mutable_posting()->mutable_live_time() =
      ToProto(review.host().clock().Now() - absl::Seconds(1));
  EXPECT_EQ(errors::Reason(post(early).status()), "INVALID_FIELD");
  EXPECT_EQ(errors::Reason(post(review.PostingOn(issued, "elsewhere")).status()), "INVALID_FIELD");
  EXPECT_EQ(post(review.PostingOn(issued, "hongxing"))->state(), v1::NOTICE_STATE_ISSUED);
  EXPECT_EQ(errors::Reason(post(review.PostingOn(issued, "hongxing")).status()), "ALREADY_EXISTS");
  EXPECT_EQ(post(review.PostingOn(issued, "talent"))->state(), v1::NOTICE_STATE_ISSUED);
  ASSERT_TRUE(review.host().clock().Advance(absl::Hours(48)).ok());  // Thursday
  const auto running = post(review.PostingOn(issued, "association"));
  ASSERT_TRUE(running.ok()) << running.status();
  EXPECT_EQ(running->state(), v1::NOTICE_STATE_RUNNING);
  EXPECT_EQ(DayFromProto(running->first_day()), Day(2021, 4, 9));
  EXPECT_EQ(DayFromProto(running->last_day()), Day(2021, 4, 15));
  EXPECT_EQ(running->calendar_digest(), policy::Calendar::Builtin().digest());
  EXPECT_TRUE(running->open_for_objection());
  const auto event = review.AllEmitted<v1::NoticeAdvanced>().back().event;
  EXPECT_EQ(event.last_day(), "2021-04-15");
  EXPECT_EQ(event.list_digest(), issued.list_digest());
}

TEST(Notice, ThePublicSeesListAndPeriodOnly) {
  TestReview review;
  const std::string case_name = review.CaseIn(v1::CASE_STATE_NOTICE_ENDED);
  const std::string notice = review.Get(case_name).notice();
  ASSERT_TRUE(review.Sign(notice, v1::OFFICE_ASSOCIATION).ok());
  v1::GetNoticeRequest request;
  request.set_name(notice);
  const auto seen = review.Do(&Handlers::GetNotice, review.citizen(), request);
  EXPECT_THAT(seen.text(), Not(IsEmpty()));
  EXPECT_FALSE(seen.open_for_objection());
  EXPECT_EQ(seen.findings_size(), 0);
  EXPECT_FALSE(seen.has_statement());
  EXPECT_TRUE(review.GetNotice(notice).has_statement());
  const auto list = review.Do(&Handlers::ListNotices, review.citizen(), v1::ListNoticesRequest());
  EXPECT_EQ(list.notices_size(), 1);
  EXPECT_EQ(list.notices(0).findings_size(), 0);
}

TEST(Notice, WithdrawnItsAwardsArePublishedAnew) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  v1::WithdrawNoticeRequest request;
  request.set_name(review.Get(name).notice());
  request.set_reason("站名有误");
  EXPECT_EQ(review.Do(&Handlers::WithdrawNotice, review.secretary(), request).state(),
            v1::NOTICE_STATE_WITHDRAWN);
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_AWARDED);
  EXPECT_TRUE(review.Get(name).reserved());
  const std::string anew = review.Issue({name});
  EXPECT_NE(anew, request.name());
  // The first one's period ends nothing.
  review.PostAll(anew);
  review.PassPeriod(anew);
  review.Tend();
  EXPECT_EQ(review.GetNotice(request.name()).state(), v1::NOTICE_STATE_WITHDRAWN);
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_NOTICE_ENDED);
}

TEST(Statement, ByTwoPersonsOfTwoOfficesClearsWithAllThatProvesIt) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_NOTICE_ENDED);
  const std::string notice = review.Get(name).notice();
  v1::SignNoticeResultRequest request;
  request.set_name(notice);
  request.set_office(v1::OFFICE_TALENT_OFFICE);
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::SignNoticeResult, review.head(), request).status()),
      "PERMISSION_DENIED");
  Context both = review.host().Person(Role::kReviewer, "one-person");
  both.caller.roles.Add(Role::kDirector);
  review.Do(&Handlers::SignNoticeResult, both, request);
  EXPECT_EQ(errors::Reason(review
                               .Try(&Handlers::SignNoticeResult,
                                    review.host().Person(Role::kSecretary, "another"), request)
                               .status()),
            "ALREADY_EXISTS");
  request.set_office(v1::OFFICE_ASSOCIATION);
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::SignNoticeResult, both, request).status()),
            "SEPARATION_OF_DUTIES");
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_NOTICE_ENDED);
  EXPECT_EQ(review.Do(&Handlers::SignNoticeResult, review.head(), request).state(),
            v1::NOTICE_STATE_CONCLUDED);
  const auto cleared = review.StepsOf(name).back();
  ASSERT_EQ(cleared.state(), v1::CASE_STATE_CLEARED);
  const auto& clearance = cleared.clearance();
  EXPECT_TRUE(clearance.qualified());
  EXPECT_EQ(clearance.published_amount_fen(), 5'000'000);
  EXPECT_EQ(clearance.published_line_digest(), cleared.line_digest());
  EXPECT_EQ(clearance.period().postings_size(), 3);
  EXPECT_EQ(clearance.statement().talent_office_officer(), "one-person");
  EXPECT_GT(cleared.acts_size(), 0);
  const auto rules = review.rulebook().At(review.host().clock().Now());
  EXPECT_TRUE(
      rules::Allows(rules::CheckPayment(rules->policy, *rules->calendar, clearance, rules->today)));
}

TEST(Statement, ARowChangedBehindItsBackClearsNothing) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_NOTICE_ENDED);
  Tamper(review, name, [](v1::Case* row) { row->set_host_name("别的单位（演示）"); });
  const std::string notice = review.Get(name).notice();
  ASSERT_TRUE(review.Sign(notice, v1::OFFICE_ASSOCIATION).ok());
  EXPECT_EQ(errors::Reason(review.Sign(notice, v1::OFFICE_TALENT_OFFICE).status()), "DATA_LOSS");
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_NOTICE_ENDED);
}

TEST(Statement, AnAwardReleasedLaterNeedsBothOfficesAgain) {
  TestReview review;
  const std::string held = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string free = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string notice = review.Issue({held, free});
  review.PostAll(notice);
  const std::string objection = review.Object(held);
  review.Admit(objection, true);
  review.Examine(objection);
  review.PassPeriod(notice);
  review.Tend();
  review.SignBoth(notice);
  EXPECT_EQ(review.Get(free).state(), v1::CASE_STATE_CLEARED);
  EXPECT_EQ(review.Get(held).state(), v1::CASE_STATE_OBJECTED);
  review.ResolveObjection(objection, v1::OBJECTION_RESOLUTION_MAINTAIN);
  EXPECT_EQ(review.Get(held).state(), v1::CASE_STATE_NOTICE_ENDED);
  EXPECT_EQ(review.GetNotice(notice).state(), v1::NOTICE_STATE_ENDED);
  EXPECT_FALSE(review.GetNotice(notice).has_statement());
  ASSERT_TRUE(review.Sign(notice, v1::OFFICE_ASSOCIATION).ok());
  EXPECT_EQ(review.Get(held).state(), v1::CASE_STATE_NOTICE_ENDED);
  ASSERT_TRUE(review.Sign(notice, v1::OFFICE_TALENT_OFFICE).ok());
  EXPECT_EQ(review.Get(held).state(), v1::CASE_STATE_CLEARED);
  EXPECT_THAT(review.StepsOf(held).back().clearance().maintained_objections(),
              ElementsAre(objection));
  int cleared = 0;
  for (const auto& step : review.StepsOf(free)) cleared += step.state() == v1::CASE_STATE_CLEARED;
  EXPECT_EQ(cleared, 1);
}

// A letter that came in time and is entered between the two signatures: the first officer signed
// without knowing of it.
TEST(Statement, AnObjectionBetweenTheSignaturesTakesTheFirstBack) {
  TestReview review;
  const std::string held = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string free = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string notice = review.Issue({held, free});
  review.PostAll(notice);
  const Day received = review.host().today();
  review.PassPeriod(notice);
  review.Tend();
  ASSERT_TRUE(review.Sign(notice, v1::OFFICE_ASSOCIATION).ok());
  auto letter = review.ObjectionTo(held);
  letter.mutable_objection()->set_channel("letter");
  *letter.mutable_objection()->mutable_received_on() = DayToProto(received);
  EXPECT_TRUE(review.Do(&Handlers::FileObjection, review.secretary(), letter).holds());
  EXPECT_FALSE(review.GetNotice(notice).has_statement());
  ASSERT_TRUE(review.Sign(notice, v1::OFFICE_TALENT_OFFICE).ok());
  EXPECT_EQ(review.Get(free).state(), v1::CASE_STATE_NOTICE_ENDED);
  ASSERT_TRUE(review.Sign(notice, v1::OFFICE_ASSOCIATION).ok());
  EXPECT_EQ(review.Get(free).state(), v1::CASE_STATE_CLEARED);
  EXPECT_EQ(review.Get(held).state(), v1::CASE_STATE_OBJECTED);
}

}  // namespace
}  // namespace yuezhan::review
