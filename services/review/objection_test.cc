// Objections: articles 5.3 and 5.4.
#include <set>
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

TEST(Objection, HoldsItsOwnAwardAndNoOther) {
  TestReview review;
  const std::string held = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string free = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string elsewhere = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  review.Issue({held, free});
  const std::string objection = review.Object(held);  // before the sites are live: it is seen
  EXPECT_TRUE(review.GetObjection(objection).holds());
  EXPECT_EQ(review.Get(held).state(), v1::CASE_STATE_OBJECTED);
  EXPECT_THAT(review.Get(held).open_objections(), ElementsAre(objection));
  EXPECT_EQ(review.Get(free).state(), v1::CASE_STATE_IN_NOTICE);
  auto wrong = review.ObjectionTo(held);
  wrong.mutable_objection()->set_case_name(elsewhere);
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::FileObjection, review.citizen(), wrong).status()),
            "INVALID_FIELD");
}

TEST(Objection, LateAnonymousOrUnsealedIsRecordedAndHoldsNothing) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  auto anonymous = review.ObjectionTo(name);
  anonymous.mutable_objection()->set_objector_kind(rules::v1::OBJECTOR_KIND_ANONYMOUS);
  auto nameless = review.ObjectionTo(name);
  nameless.mutable_objection()->clear_objector_name();
  auto unsealed = review.ObjectionTo(name);
  unsealed.mutable_objection()->set_objector_kind(rules::v1::OBJECTOR_KIND_UNIT);
  for (const auto& request : {anonymous, nameless, unsealed}) {
    const auto recorded = review.Do(&Handlers::FileObjection, review.citizen(), request);
    EXPECT_FALSE(recorded.holds());
    EXPECT_EQ(recorded.state(), v1::OBJECTION_STATE_RECEIVED);
    v1::AdmitObjectionRequest admit;
    admit.set_name(recorded.name());
    admit.set_accepted(true);
    admit.set_reason("受理");
    EXPECT_EQ(
        errors::Reason(review.Try(&Handlers::AdmitObjection, review.secretary(), admit).status()),
        "REFUSED");
    review.Admit(recorded.name(), false);
  }
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_IN_NOTICE);
  const auto last_day = DayFromProto(review.GetNotice(review.Get(name).notice()).last_day());
  ASSERT_TRUE(review.host().clock().SetTo(BeijingMidnight(*last_day + 1)).ok());
  const auto late = review.Do(&Handlers::FileObjection, review.citizen(), review.ObjectionTo(name));
  EXPECT_FALSE(late.holds());
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_IN_NOTICE);
  review.Admit(late.name(), false);
  v1::AnswerObjectionRequest answer;
  answer.set_name(late.name());
  answer.set_answer("逾期收到，另行答复。（演示）");
  review.Do(&Handlers::AnswerObjection, review.secretary(), answer);
}

TEST(Objection, IsNumberedOnItsNoticeAndSaysLateOrLead) {
  TestReview review;
  const std::string first = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string second = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string notice = review.Issue({first, second});
  review.PostAll(notice);
  EXPECT_EQ(review.GetObjection(review.Object(second)).number(), 1);
  auto anonymous = review.ObjectionTo(first);
  anonymous.mutable_objection()->set_objector_kind(rules::v1::OBJECTOR_KIND_ANONYMOUS);
  const auto lead = review.Do(&Handlers::FileObjection, review.citizen(), anonymous);
  EXPECT_EQ(lead.number(), 2);
  EXPECT_TRUE(lead.lead());
  EXPECT_FALSE(lead.late());
  EXPECT_FALSE(lead.holds());
  const auto last_day = DayFromProto(review.GetNotice(notice).last_day());
  ASSERT_TRUE(review.host().clock().SetTo(BeijingMidnight(*last_day + 1)).ok());
  const auto late =
      review.Do(&Handlers::FileObjection, review.citizen(), review.ObjectionTo(first));
  EXPECT_EQ(late.number(), 3);
  EXPECT_TRUE(late.late());
  // Eight at once: numbers without gap or double.
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { review.Object(first); });
  for (auto& thread : threads) thread.join();
  v1::ListObjectionsRequest list;
  list.set_parent(notice);
  std::set<int> numbers;
  const auto listed = review.Do(&Handlers::ListObjections, review.secretary(), list);
  for (const auto& one : listed.objections()) numbers.insert(one.number());
  EXPECT_EQ(numbers.size(), 11u);
  EXPECT_EQ(*numbers.rbegin(), 11);
}

TEST(Objection, OverdueOnesLeadTheQueue) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const std::string examined = review.Object(name);
  review.Admit(examined, true);
  review.Examine(examined);  // waits for the meeting, which has no last day
  const std::string accepted = review.Object(name);
  review.Admit(accepted, true);
  ASSERT_TRUE(review.host().clock().Advance(absl::Hours(24)).ok());
  const std::string received = review.Object(name);
  const auto queue = [&] {
    std::vector<std::string> names;
    const auto listed = review.Do(&Handlers::ListObjectionQueue, review.secretary(),
                                  v1::ListObjectionQueueRequest());
    for (const auto& one : listed.objections())
      names.push_back(absl::StrCat(one.name() == received ? "received" : "accepted",
                                   one.overdue() ? " overdue" : ""));
    return names;
  };
  // Three working days to accept, fifteen to examine.
  EXPECT_THAT(queue(), ElementsAre("received", "accepted"));
  ASSERT_TRUE(review.host().clock().Advance(absl::Hours(24 * 7)).ok());
  EXPECT_THAT(queue(), ElementsAre("received overdue", "accepted"));
  EXPECT_EQ(review.GetObjection(received).due_calendar_digest(),
            policy::Calendar::Builtin().digest());
}

TEST(Objection, TheDayOfReceiptIsTodayUnlessAnOfficerReceivedIt) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  ASSERT_TRUE(review.host().clock().Advance(absl::Hours(24)).ok());
  auto request = review.ObjectionTo(name);
  const auto reason = [&](const Context& who) {
    return errors::Reason(review.Try(&Handlers::FileObjection, who, request).status());
  };
  *request.mutable_objection()->mutable_received_on() = DayToProto(review.host().today() - 1);
  EXPECT_EQ(reason(review.citizen()), "INVALID_FIELD");
  EXPECT_EQ(reason(review.secretary()), "INVALID_FIELD");  // without the channel
  request.mutable_objection()->set_channel("letter");
  EXPECT_EQ(reason(review.citizen()), "INVALID_FIELD");
  *request.mutable_objection()->mutable_received_on() = DayToProto(review.host().today() + 1);
  EXPECT_EQ(reason(review.secretary()), "INVALID_FIELD");
  *request.mutable_objection()->mutable_received_on() = DayToProto(review.host().today() - 1);
  EXPECT_EQ(reason(review.secretary()), "");
}

// A call that waited for a free thread over midnight was received the day before.
TEST(Objection, IsReceivedWhenItWasAdmitted) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const auto last_day = DayFromProto(review.GetNotice(review.Get(name).notice()).last_day());
  ASSERT_TRUE(review.host().clock().SetTo(BeijingMidnight(*last_day + 1) + absl::Seconds(5)).ok());
  Context who = review.citizen();
  who.arrived = WallNow() - absl::Seconds(6);
  EXPECT_TRUE(review.Do(&Handlers::FileObjection, who, review.ObjectionTo(name)).holds());
}

TEST(Objection, TheObjectorIsHiddenFromFeedAndMaskedForWhoDoesNotExamine) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  // A host unit objects to another's award: its name stays as hidden as a citizen's.
  const Context host = review.host().Person(Role::kHostUnit, "rival-clerk", "hostUnits/x");
  for (const Context& who : {review.citizen(), host}) {
    auto objection = review.Do(&Handlers::FileObjection, who, review.ObjectionTo(name));
    const auto emitted = review.AllEmitted<v1::ObjectionAdvanced>().back();
    EXPECT_EQ(emitted.event.objection(), objection.name());
    EXPECT_EQ(emitted.subject, "");
    rpc::MaskPersonal(&objection);
    EXPECT_EQ(objection.objector_name(), "");
    EXPECT_EQ(objection.objector_contact(), "");
  }
  auto session = review.host().database().pool().Acquire(WallNow() + absl::Seconds(10)).value();
  for (const db::Row& row : session->Query("SELECT public_part FROM journal")) {
    for (const char* secret : {"群众甲", "0730-0000001", "citizen-1", "rival-clerk"})
      EXPECT_THAT(row.Bytes(0), Not(HasSubstr(secret)));
  }
  for (const db::Row& row : session->Query("SELECT sealed FROM objections"))
    EXPECT_THAT(row.Bytes(0), Not(HasSubstr("群众甲")));
}

TEST(Objection, IsExaminedByWhoTookNoPartInTheAward) {
  TestReview review;
  const std::string objection = review.Object(review.CaseIn(v1::CASE_STATE_IN_NOTICE));
  review.Admit(objection, true);
  v1::ReportExaminationRequest request;
  request.set_name(objection);
  request.set_report("经核查");
  // Prepared, approved, assessed, decided.
  for (const char* person : {"reviewer-1", "reviewer-2", "assessor-1", "director-1"}) {
    const auto refused = review.Try(&Handlers::ReportExamination,
                                    review.host().Person(Role::kReviewer, person), request);
    EXPECT_EQ(errors::Reason(refused.status()), "SEPARATION_OF_DUTIES") << person;
  }
  review.Examine(objection);
  // And who examined does not decide.
  auto closing = review.Closing(review.Convene({objection}));
  closing.mutable_items(0)->set_objection_resolution(v1::OBJECTION_RESOLUTION_MAINTAIN);
  closing.mutable_facts()->add_present("reviewer-3");
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::CloseMeeting, review.secretary(), closing).status()),
      "SEPARATION_OF_DUTIES");
}

TEST(Objection, TheMeetingMayDeferItAndMeetsOnItOnlyOnceAtATime) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const std::string objection = review.Object(name);
  review.Admit(objection, true);
  review.Examine(objection);
  const std::string meeting = review.Convene({objection});
  v1::ConveneMeetingRequest second;
  second.add_items()->set_case_name(name);
  second.mutable_items(0)->set_objection(objection);
  EXPECT_EQ(
      errors::Reason(review.Try(&Handlers::ConveneMeeting, review.secretary(), second).status()),
      "ALREADY_EXISTS");
  auto closing = review.Closing(meeting);
  closing.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_DEFER);
  review.Do(&Handlers::CloseMeeting, review.secretary(), closing);
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_OBJECTED);
  EXPECT_TRUE(review.GetObjection(objection).holds());
  review.ResolveObjection(objection, v1::OBJECTION_RESOLUTION_MAINTAIN);
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_IN_NOTICE);
  EXPECT_EQ(review.GetObjection(objection).resolution(), v1::OBJECTION_RESOLUTION_MAINTAIN);
}

TEST(Objection, AChangedAmountIsReservedAndPublishedAnewForTheWholePeriod) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const std::string before = review.Get(name).line_digest();
  const std::string objection = review.Object(name);
  review.Admit(objection, true);
  review.Examine(objection);
  auto raise = review.Closing(review.Convene({objection}));
  raise.mutable_items(0)->set_objection_resolution(v1::OBJECTION_RESOLUTION_CHANGE_AMOUNT);
  const auto reason = [&](int64_t fen) {
    *raise.mutable_items(0)->mutable_amount() = MoneyOf(fen);
    return errors::Reason(review.Try(&Handlers::CloseMeeting, review.secretary(), raise).status());
  };
  EXPECT_EQ(reason(5'000'000), "INVALID_FIELD");  // the same
  EXPECT_EQ(reason(0), "INVALID_FIELD");
  EXPECT_EQ(reason(5'000'001), "REFUSED");  // above the policy's
  EXPECT_EQ(reason(3'000'000), "");
  const v1::Case changed = review.Get(name);
  EXPECT_EQ(changed.state(), v1::CASE_STATE_AWARDED);
  EXPECT_FALSE(changed.reserved());
  EXPECT_NE(changed.line_digest(), before);
  EXPECT_EQ(review.StepsOf(name).back().amount_fen(), 3'000'000);
  EXPECT_EQ(
      errors::Reason(
          review.Try(&Handlers::IssueNotice, review.secretary(), review.NoticeOn({name})).status()),
      "REFUSED");
  review.Reserve(name);
  ASSERT_TRUE(review.host().clock().Advance(absl::Hours(24)).ok());
  const std::string anew = review.Issue({name});
  review.PostAll(anew);
  EXPECT_EQ(DayFromProto(review.GetNotice(anew).last_day()), Day(2021, 4, 14));
  review.PassPeriod(anew);
  review.Tend();
  review.SignBoth(anew);
  EXPECT_EQ(review.StepsOf(name).back().clearance().published_amount_fen(), 3'000'000);
}

TEST(Objection, ACancelledAwardLeavesNothingHeld) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const std::string first = review.Object(name);
  const std::string second = review.Object(name);
  for (const std::string& objection : {first, second}) {
    review.Admit(objection, true);
    review.Examine(objection);
  }
  review.ResolveObjection(first, v1::OBJECTION_RESOLUTION_CANCEL);
  const v1::Case cancelled = review.Get(name);
  EXPECT_EQ(cancelled.state(), v1::CASE_STATE_CANCELLED);
  EXPECT_THAT(cancelled.open_objections(), IsEmpty());
  EXPECT_FALSE(review.GetObjection(second).holds());
  // No meeting has anything to resolve of the second one; its objector is answered.
  v1::AnswerObjectionRequest answer;
  answer.set_name(second);
  answer.set_answer("该项资助已取消。（演示）");
  EXPECT_EQ(review.Do(&Handlers::AnswerObjection, review.secretary(), answer).state(),
            v1::OBJECTION_STATE_ANSWERED);
}

TEST(Objection, AWithdrawnCaseIsHeldByNothing) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const std::string objection = review.Object(name);
  review.RequestWithdrawal(name);
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_WITHDRAWN);
  EXPECT_FALSE(review.GetObjection(objection).holds());
  EXPECT_TRUE(review.AllEmitted<v1::WithdrawalDecided>().back().event.withdrawn());
  const auto later =
      review.Do(&Handlers::FileObjection, review.citizen(), review.ObjectionTo(name));
  EXPECT_FALSE(later.holds());
}

TEST(Objection, StepsHaveTheirDaysByPolicy) {
  TestReview review;
  const std::string objection = review.Object(review.CaseIn(v1::CASE_STATE_IN_NOTICE));
  EXPECT_EQ(DayFromProto(review.GetObjection(objection).due_on()), Day(2021, 4, 9));
  review.Admit(objection, true);
  // 15 working days from the 6th: Sunday the 25th is worked, the holiday from 1 to 5 May is not.
  EXPECT_EQ(DayFromProto(review.GetObjection(objection).due_on()), Day(2021, 4, 26));
  review.Examine(objection);
  EXPECT_FALSE(review.GetObjection(objection).has_due_on());
  review.ResolveObjection(objection, v1::OBJECTION_RESOLUTION_MAINTAIN);
  EXPECT_EQ(DayFromProto(review.GetObjection(objection).due_on()), Day(2021, 4, 13));
}

}  // namespace
}  // namespace yuezhan::review
