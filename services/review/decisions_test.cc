// Every decision keeps what it rests on: findings, policy and facts, in its entry of the journal.
#include <map>
#include <set>

#include "common/base/time_proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

using Kinds = std::set<std::string>;

// What each method judges by, and those that judge nothing: they record what happened or was said.
const std::map<std::string, Kinds> kDecisions = {
    {"RecordAssessment", {"AssessmentFacts", "SeparationFacts"}},
    {"RecordDeclaration", {"SeparationFacts"}},
    {"RecordInspection", {"SeparationFacts"}},
    {"PrepareOpinion", {"CaseFacts", "SeparationFacts"}},
    {"ApproveOpinion", {"CaseFacts", "SeparationFacts"}},
    {"ConveneMeeting", {"CaseFacts"}},
    {"CloseMeeting", {"CaseFacts"}},
    {"IssueNotice", {"NoticeFacts"}},
    {"RecordPostingDown", {"ObjectionFacts"}},  // where it reopens the period
    {"FileObjection", {"ObjectionFacts"}},
    {"AdmitObjection", {"ObjectionFacts"}},
    {"ReportExamination", {"SeparationFacts"}},
    {"timer/notice-ends", {"NoticePeriodFacts"}},
    {"SignNoticeResult", {"PaymentFacts"}},
};
const Kinds kRecords = {"AssignCase",       "AskDepartment",     "RecordDepartmentOpinion",
                        "CallInspection",   "RecordPosting",     "RecordPostingBack",
                        "WithdrawNotice",   "AnswerObjection",   "CreateDelegation",
                        "RevokeDelegation", "StartUpload",       "FinishUpload"};

std::string AfterLast(char mark, const std::string& text) {
  return text.substr(text.rfind(mark) + 1);
}

// A case all the way, with an inspection, an objection that comes late by an end that is none, and
// the statement.
void Walk(TestReview& review) {
  const std::string name = review.CaseIn(v1::CASE_STATE_OPEN);
  review.CallInspection(name);
  for (const auto& [expert, interest] : {std::pair("expert-1", false), {"expert-2", true}}) {
    review.Do(&Handlers::RecordDeclaration, review.reviewer(),
              review.DeclarationOf(name, expert, interest));
  }
  review.Do(&Handlers::RecordInspection, review.reviewer(), review.InspectionOf(name));
  review.Assess(name);
  review.Prepare(name, rules::v1::RECOMMENDATION_AWARD);
  review.Approve(name);
  review.Convene({name});
  review.Resolve(name, rules::v1::RESOLUTION_AWARD);
  review.Reserve(name);
  const std::string notice = review.Issue({name});
  review.PostAll(notice);
  review.PassPeriod(notice);
  review.Tend();
  const std::string objection = review.Object(name);
  auto down = review.DownOf(notice, "talent");
  *down.mutable_down_time() = ToProto(review.host().clock().Now() - absl::Hours(12));
  review.Do(&Handlers::RecordPostingDown, review.secretary(), down);
  review.Admit(objection, true);
  review.Examine(objection);
  review.ResolveObjection(objection, v1::OBJECTION_RESOLUTION_MAINTAIN);
  review.Do(&Handlers::RecordPostingBack, review.secretary(), review.BackOf(notice, "talent"));
  review.PassPeriod(notice);
  review.Tend();
  review.SignBoth(notice);
  EXPECT_EQ(review.Get(name).state(), v1::CASE_STATE_CLEARED);
}

TEST(Decisions, KeepFindingsPolicyAndFacts) {
  TestReview review;
  Walk(review);
  const auto sealed = review.host().PrivateParts();
  const auto rows = review.PublicParts();
  ASSERT_EQ(sealed.size(), rows.size());
  const auto reference = review.rulebook().At(review.host().clock().Now())->reference;
  std::map<std::string, Kinds> kept;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string& whole = rows[i].method();
    const std::string method = whole.starts_with("yuezhan.") ? AfterLast('/', whole) : whole;
    const auto& events = sealed[i].events();
    for (int k = 0; k < events.size(); ++k) {
      v1::Judged judged;
      if (!events[k].UnpackTo(&judged)) continue;
      SCOPED_TRACE(method);
      EXPECT_GT(judged.findings_size(), 0);
      EXPECT_EQ(judged.policy().version(), reference.version());
      EXPECT_EQ(judged.policy().digest(), reference.digest());
      ASSERT_LT(k + 1, events.size()) << "no facts";
      const std::string type = AfterLast('.', events[k + 1].type_url());
      EXPECT_THAT(events[k + 1].type_url(), testing::HasSubstr("yuezhan.rules.v1."));
      EXPECT_FALSE(events[k + 1].value().empty());
      kept[method].insert(type);
    }
  }
  EXPECT_EQ(kept, kDecisions);
}

// A method that is new says here what it judges by, or that it judges nothing.
TEST(Decisions, AreAllMethodsThatChangeSomethingAndJudge) {
  const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      "yuezhan.review.v1.ReviewService");
  ASSERT_NE(service, nullptr);
  for (int i = 0; i < service->method_count(); ++i) {
    const auto* method = service->method(i);
    if (method->input_type()->FindFieldByName("request_id") == nullptr) continue;
    const std::string name(method->name());
    EXPECT_NE(kDecisions.contains(name), kRecords.contains(name)) << name;
  }
}

}  // namespace
}  // namespace yuezhan::review
