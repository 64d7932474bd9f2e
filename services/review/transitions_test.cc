// The table of cases (transitions.h) against the handlers: every row is taken, everything else is
// refused and changes nothing.
#include "services/review/transitions.h"

#include <functional>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/time_proto.h"
#include "common/errors/errors.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

// What a case file takes in, in whatever state it does.
const std::map<std::string_view, std::function<void(TestReview&, const std::string&)>> kFileActs = {
    {"CallInspection",
     [](TestReview& review, const std::string& name) { review.CallInspection(name); }},
    {"RecordDeclaration",
     [](TestReview& review, const std::string& name) {
       review.CallInspection(name);
       review.Do(&Handlers::RecordDeclaration, review.reviewer(),
                 review.DeclarationOf(name, "expert-1", false));
     }},
    {"RecordInspection",
     [](TestReview& review, const std::string& name) {
       review.CallInspection(name);
       review.Do(&Handlers::RecordDeclaration, review.reviewer(),
                 review.DeclarationOf(name, "expert-1", false));
       EXPECT_TRUE(
           review.Do(&Handlers::RecordInspection, review.reviewer(), review.InspectionOf(name))
               .inspection()
               .has_done_on());
     }},
    {"AskDepartment",
     [](TestReview& review, const std::string& name) {
       v1::AskDepartmentRequest request;
       request.set_name(name);
       request.set_department("市工信局");
       request.set_question("该站是否符合产业方向");
       review.Do(&Handlers::AskDepartment, review.reviewer(), request);
     }},
    {"RecordDepartmentOpinion",
     [](TestReview& review, const std::string& name) {
       kFileActs.at("AskDepartment")(review, name);
       v1::RecordDepartmentOpinionRequest request;
       request.set_name(name);
       request.set_department("市工信局");
       request.set_opinion("符合");
       review.Do(&Handlers::RecordDepartmentOpinion, review.reviewer(), request);
     }},
    {"AssignCase",
     [](TestReview& review, const std::string& name) {
       v1::AssignCaseRequest request;
       request.set_name(name);
       request.set_assignee("reviewer-1");
       review.Do(&Handlers::AssignCase, review.head(), request);
     }},
    {"FinishUpload",
     [](TestReview& review, const std::string& name) {
       review.Upload(review.reviewer(), name, "inspection", std::string(kPicture));
     }},
};

// Brings a case to the state before, and acts: one function for each method of the table. The case.
struct Path {
  TestReview& review;
  TestReview& no_statement;  // under a policy without the statement of the result

  std::string Take(const Transition& row) {
    const auto from = static_cast<v1::CaseState>(row.from);
    const auto to = static_cast<v1::CaseState>(row.to);
    if (row.method == "event:SUBMITTED") return Submit(from);
    if (row.method == "event:WithdrawalRequested") {
      const std::string name = review.CaseIn(from);
      review.RequestWithdrawal(name);
      return name;
    }
    if (row.method == "event:SETTLED") return review.CaseIn(to);
    if (row.method == "RecordAssessment") {
      const std::string name = review.CaseIn(from);
      review.Assess(name);
      return name;
    }
    if (const auto act = kFileActs.find(row.method); act != kFileActs.end()) {
      const std::string name = review.CaseIn(from);
      act->second(review, name);
      return name;
    }
    if (row.method == "PrepareOpinion") {
      const std::string name = review.CaseIn(from);
      review.Prepare(name, from == v1::CASE_STATE_OPEN ? rules::v1::RECOMMENDATION_RETURN
                                                       : rules::v1::RECOMMENDATION_AWARD);
      return name;
    }
    if (row.method == "ApproveOpinion") return review.CaseIn(to);
    if (from == v1::CASE_STATE_AWARDED &&
        (row.method == "ConveneMeeting" || row.method == "CloseMeeting"))
      return Correct(row.method, to);
    if (row.method == "ConveneMeeting") return review.CaseIn(to);
    if (row.method == "IssueNotice") return review.CaseIn(to);
    if (row.method == "WithdrawNotice") return Withdraw(from);
    if (row.method == "RecordPostingDown") {
      const std::string name = review.CaseIn(from);
      auto request = review.DownOf(review.Get(name).notice(), "talent");
      *request.mutable_down_time() = ToProto(review.host().clock().Now() - absl::Hours(12));
      review.Do(&Handlers::RecordPostingDown, review.secretary(), request);
      return name;
    }
    if (row.method == "timer:NoticeEnds")
      return (to == v1::CASE_STATE_CLEARED ? no_statement : review)
          .CaseIn(v1::CASE_STATE_NOTICE_ENDED);
    if (row.method == "SignNoticeResult") return review.CaseIn(to);
    if (row.method == "FileObjection") return File(from);
    if (row.method == "AdmitObjection" || row.method == "CloseMeeting")
      return from == v1::CASE_STATE_ON_AGENDA ? Resolve(to) : Settle(row.method, to);
    ADD_FAILURE() << "no path for " << row.method;
    return "";
  }

  std::string Submit(v1::CaseState from) {
    if (from != v1::CASE_STATE_RETURNED) return review.OpenCase();
    const v1::Case returned = review.Get(review.CaseIn(from));
    EXPECT_EQ(review.Submit(returned.application(), 2), returned.name());
    return returned.name();
  }

  // A resolution that cites the one it corrects.
  std::string Correct(std::string_view method, v1::CaseState to) {
    const std::string name = review.CaseIn(v1::CASE_STATE_AWARDED);
    v1::ConveneMeetingRequest convene;
    convene.add_items()->set_case_name(name);
    convene.mutable_items(0)->set_corrects(review.Get(name).meeting());
    auto closing =
        review.Closing(review.Do(&Handlers::ConveneMeeting, review.secretary(), convene).name());
    if (method == "ConveneMeeting") return name;
    closing.mutable_items(0)->set_resolution(
        to == v1::CASE_STATE_AWARDED ? rules::v1::RESOLUTION_AWARD : rules::v1::RESOLUTION_REFUSE);
    review.Do(&Handlers::CloseMeeting, review.secretary(), closing);
    return name;
  }

  static void WithdrawNotice(TestReview& review, const std::string& notice) {
    v1::WithdrawNoticeRequest request;
    request.set_name(notice);
    request.set_reason("名单有误");
    review.Do(&Handlers::WithdrawNotice, review.secretary(), request);
  }

  std::string Withdraw(v1::CaseState from) {
    const std::string name = review.CaseIn(from);
    WithdrawNotice(review, review.Get(name).notice());
    return name;
  }

  std::string Resolve(v1::CaseState to) {
    const std::string name = review.CaseIn(v1::CASE_STATE_ON_AGENDA);
    review.Resolve(name, to == v1::CASE_STATE_AWARDED   ? rules::v1::RESOLUTION_AWARD
                         : to == v1::CASE_STATE_REFUSED ? rules::v1::RESOLUTION_REFUSE
                                                        : rules::v1::RESOLUTION_DEFER);
    return name;
  }

  std::string File(v1::CaseState from) {
    if (from == v1::CASE_STATE_IN_NOTICE || from == v1::CASE_STATE_OBJECTED) {
      const std::string name = review.CaseIn(from);
      review.Object(name);
      return name;
    }
    // By letter: received within the period, entered when the award is elsewhere already.
    std::string name;
    Day received;
    if (from == v1::CASE_STATE_NOTICE_ENDED) {
      name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
      received = review.host().today();
      review.PassPeriod(review.Get(name).notice());
      review.Tend();
    } else {
      name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
      received = review.host().today();
      const std::string first = review.Object(name);
      review.Admit(first, true);
      review.Examine(first);
      review.ResolveObjection(first, v1::OBJECTION_RESOLUTION_CHANGE_AMOUNT, 3'000'000);
    }
    EXPECT_EQ(review.Get(name).state(), from);
    v1::FileObjectionRequest request = review.ObjectionTo(name);
    request.mutable_objection()->set_channel("letter");
    *request.mutable_objection()->mutable_received_on() = DayToProto(received);
    review.Do(&Handlers::FileObjection, review.secretary(), request);
    return name;
  }

  // An objected case, and the objection settled so that it goes to `to`.
  std::string Settle(std::string_view method, v1::CaseState to) {
    TestReview& place = to == v1::CASE_STATE_CLEARED ? no_statement : review;
    const std::string name = place.CaseIn(v1::CASE_STATE_IN_NOTICE);
    const std::string notice = place.Get(name).notice();
    const std::string objection = place.Object(name);
    const bool by_meeting = method == "CloseMeeting";
    if (by_meeting) {
      place.Admit(objection, true);
      place.Examine(objection);
    }
    if (to == v1::CASE_STATE_OBJECTED) place.Object(name);
    if (to == v1::CASE_STATE_AWARDED) WithdrawNotice(place, notice);
    if (to == v1::CASE_STATE_NOTICE_ENDED || to == v1::CASE_STATE_CLEARED) {
      place.PassPeriod(notice);
      place.Tend();
    }
    EXPECT_EQ(place.Get(name).state(), v1::CASE_STATE_OBJECTED);
    if (!by_meeting) {
      place.Admit(objection, false);
    } else {
      place.ResolveObjection(objection, to == v1::CASE_STATE_CANCELLED
                                            ? v1::OBJECTION_RESOLUTION_CANCEL
                                            : v1::OBJECTION_RESOLUTION_MAINTAIN);
    }
    return name;
  }
};

TEST(Transitions, ACaseTakesEveryPathOfTheTable) {
  TestReview review;
  TestReview no_statement(
      TestReview::Changed("statement_required: true", "statement_required: false"));
  Path path{review, no_statement};
  for (const Transition& row : CaseTransitions().table()) {
    SCOPED_TRACE(absl::StrCat(std::string(CaseTransitions().StateName(row.from)), " → ",
                              std::string(CaseTransitions().StateName(row.to)), " by ",
                              std::string(row.method)));
    const std::string name = path.Take(row);
    const bool elsewhere = row.to == v1::CASE_STATE_CLEARED && row.method != "SignNoticeResult";
    TestReview& place = elsewhere ? no_statement : review;
    EXPECT_EQ(place.Get(name).state(), row.to);
    if (row.from != row.to) {
      const auto last = place.StepsOf(name).back();
      EXPECT_EQ(last.from(), row.from);
      EXPECT_EQ(last.state(), row.to);
    }
    if (testing::Test::HasFailure()) break;
  }
}

// Methods on cases as they would be called in any state.
absl::Status CallOn(TestReview& review, std::string_view method, const std::string& name) {
  if (method == "RecordAssessment")
    return review.Try(&Handlers::RecordAssessment, review.reviewer(), review.AssessmentOf(name))
        .status();
  if (method == "RecordInspection") {
    v1::RecordInspectionRequest request;
    request.set_name(name);
    return review.Try(&Handlers::RecordInspection, review.reviewer(), request).status();
  }
  if (method == "PrepareOpinion")
    return review
        .Try(&Handlers::PrepareOpinion, review.reviewer(),
             review.OpinionOn(name, rules::v1::RECOMMENDATION_AWARD))
        .status();
  if (method == "ApproveOpinion") {
    v1::ApproveOpinionRequest request;
    request.set_name(name);
    return review.Try(&Handlers::ApproveOpinion, review.head(), request).status();
  }
  if (method == "ConveneMeeting") {
    v1::ConveneMeetingRequest request;
    request.add_items()->set_case_name(name);
    return review.Try(&Handlers::ConveneMeeting, review.secretary(), request).status();
  }
  return review.Try(&Handlers::IssueNotice, review.secretary(), review.NoticeOn({name})).status();
}

TEST(Transitions, NoMethodStartsFromAStateThatTheTableDoesNotName) {
  TestReview review;
  const auto* states = v1::CaseState_descriptor();
  for (int i = 1; i < states->value_count(); ++i) {
    const auto state = static_cast<v1::CaseState>(states->value(i)->number());
    const std::string name = review.CaseIn(state);
    for (const std::string_view method : {"RecordAssessment", "RecordInspection", "PrepareOpinion",
                                          "ApproveOpinion", "ConveneMeeting", "IssueNotice"}) {
      if (CaseTransitions().Check(name, state, method).ok()) continue;
      SCOPED_TRACE(absl::StrCat(states->value(i)->name(), " ", std::string(method)));
      const std::string before = review.Get(name).SerializeAsString();
      EXPECT_EQ(errors::Reason(CallOn(review, method, name)), "STATE_FORBIDS");
      EXPECT_EQ(review.Get(name).SerializeAsString(), before);
    }
  }
}

TEST(Transitions, WithdrawalComesTooLateOnceAnAwardIsCleared) {
  TestReview review;
  for (const auto state : {v1::CASE_STATE_CLEARED, v1::CASE_STATE_PAID, v1::CASE_STATE_REFUSED,
                           v1::CASE_STATE_CANCELLED}) {
    const std::string name = review.CaseIn(state);
    review.RequestWithdrawal(name);
    EXPECT_EQ(review.Get(name).state(), state);
  }
}

}  // namespace
}  // namespace yuezhan::review
