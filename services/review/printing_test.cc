// Printed documents: each of its resource, escaped, with what the law asks to stand on it.
// YUEZHAN_PRINT=DIRECTORY keeps them there, to be looked at.
#include <cstdlib>
#include <fstream>

#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

absl::StatusOr<common::v1::PrintedDocument> Print(TestReview& review, v1::DocumentKind kind,
                                                  const std::string& name, const Context& who) {
  v1::PrintDocumentRequest request;
  request.set_kind(kind);
  request.set_name(name);
  const auto printed = review.Try(&Handlers::PrintDocument, who, request);
  if (const char* directory = std::getenv("YUEZHAN_PRINT"); directory != nullptr && printed.ok()) {
    std::ofstream(Concat({directory, "/", v1::DocumentKind_Name(kind), ".html"}))
        << printed->content();
  }
  return printed;
}

std::string Content(TestReview& review, v1::DocumentKind kind, const std::string& name) {
  const auto printed = Print(review, kind, name, review.secretary());
  EXPECT_TRUE(printed.ok()) << v1::DocumentKind_Name(kind) << " " << printed.status();
  return printed.ok() ? printed->content() : "";
}

TEST(Documents, OfTheWholeFlow) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ASSESSED);
  v1::AskDepartmentRequest ask;
  ask.set_name(name);
  ask.set_department("市工信局");
  ask.set_question("是否符合产业方向");
  review.Do(&Handlers::AskDepartment, review.reviewer(), ask);
  v1::RecordDepartmentOpinionRequest opinion;
  opinion.set_name(name);
  opinion.set_department("市工信局");
  opinion.set_opinion("符合<b>产业</b>方向");
  review.Do(&Handlers::RecordDepartmentOpinion, review.reviewer(), opinion);
  review.CallInspection(name);
  review.Do(&Handlers::RecordDeclaration, review.reviewer(),
            review.DeclarationOf(name, "expert-1", false));
  review.Do(&Handlers::RecordDeclaration, review.reviewer(),
            review.DeclarationOf(name, "expert-2", true));
  EXPECT_EQ(errors::Reason(Print(review, v1::DOCUMENT_KIND_INSPECTION_RECORD, name,
                                 review.secretary())
                               .status()),
            "STATE_FORBIDS");
  review.Do(&Handlers::RecordInspection, review.reviewer(), review.InspectionOf(name));
  const auto evidence = review.Upload(review.reviewer(), name, "inspection", kPicture);
  review.Prepare(name, rules::v1::RECOMMENDATION_AWARD);
  review.Approve(name);

  const std::string form = Content(review, v1::DOCUMENT_KIND_REVIEW_FORM, name);
  EXPECT_THAT(form, AllOf(HasSubstr("绿色化工服务站（演示）"), HasSubstr("省级"),
                          HasSubstr("85.00"), HasSubstr("确认"), HasSubstr("市工信局"),
                          HasSubstr("符合&lt;b&gt;产业&lt;/b&gt;方向"),
                          HasSubstr("建议给予资助"), HasSubstr("岳阳市科学技术协会")));
  EXPECT_THAT(Content(review, v1::DOCUMENT_KIND_INSPECTION_RECORD, name),
              AllOf(HasSubstr("办公场所"), HasSubstr("有利害关系，已回避"),
                    HasSubstr(evidence.sha256()), HasSubstr("与申报材料一致")));
  const std::string meeting = review.Convene({name});
  EXPECT_THAT(Content(review, v1::DOCUMENT_KIND_DECISION_REQUEST, meeting),
              AllOf(HasSubstr("请示"), HasSubstr("50,000.00"), HasSubstr("妥否，请批示")));
  EXPECT_EQ(errors::Reason(Print(review, v1::DOCUMENT_KIND_MINUTES_EXTRACT, meeting,
                                 review.secretary())
                               .status()),
            "STATE_FORBIDS");
  auto closing = review.Closing(meeting);
  closing.mutable_facts()->set_minutes_number("岳人才办纪〔2021〕7号（演示）");
  closing.mutable_items(0)->set_resolution(rules::v1::RESOLUTION_AWARD);
  closing.mutable_items(0)->set_opinion_text("同意给予一次性资助。");
  review.Do(&Handlers::CloseMeeting, review.secretary(), closing);
  review.Reserve(name);
  EXPECT_THAT(Content(review, v1::DOCUMENT_KIND_MINUTES_EXTRACT, meeting),
              AllOf(HasSubstr("岳人才办纪〔2021〕7号"), HasSubstr("（director-1）"),
                    HasSubstr("（一）绿色化工"), HasSubstr("一致同意：给予一次性资助"),
                    HasSubstr("伍万元整")));
  const std::string notice = review.Issue({name});
  review.PostAll(notice);
  const std::string published = Content(review, v1::DOCUMENT_KIND_PUBLIC_NOTICE, notice);
  EXPECT_THAT(published,
              AllOf(HasSubstr("2021年4月7日至2021年4月13日"), HasSubstr("0730-0000000"),
                    HasSubstr("岳阳红星网、岳阳人才信息网、市科协网站"), HasSubstr("合计"),
                    HasSubstr(review.GetNotice(notice).list_digest())));
  const std::string objection = review.Object(name);
  review.Upload(review.citizen(), objection, "objection", kPicture);
  review.Admit(objection, true);
  review.Upload(review.secretary(), objection, "examination", std::string(kPicture) + "2");
  review.Examine(objection);
  review.ResolveObjection(objection, v1::OBJECTION_RESOLUTION_MAINTAIN);
  v1::AnswerObjectionRequest answer;
  answer.set_name(objection);
  answer.set_answer("经核查，材料属实。（演示）");
  review.Do(&Handlers::AnswerObjection, review.secretary(), answer);
  EXPECT_THAT(Content(review, v1::DOCUMENT_KIND_OBJECTION_ADMISSION, objection),
              AllOf(HasSubstr("异议受理告知书"), HasSubstr("群众甲"), HasSubstr("第1号")));
  EXPECT_THAT(Content(review, v1::DOCUMENT_KIND_EXAMINATION_REPORT, objection),
              AllOf(HasSubstr("未按协议开展服务"), Not(HasSubstr("群众甲")),
                    Not(HasSubstr("0730-0000001"))));
  EXPECT_THAT(Content(review, v1::DOCUMENT_KIND_OBJECTION_ANSWER, objection),
              AllOf(HasSubstr("群众甲"), HasSubstr("维持资助决定")));
  EXPECT_EQ(errors::Reason(Print(review, v1::DOCUMENT_KIND_NOTICE_RESULT, notice,
                                 review.secretary())
                               .status()),
            "STATE_FORBIDS");
  review.PassPeriod(notice);
  review.Tend();
  review.SignBoth(notice);
  EXPECT_THAT(Content(review, v1::DOCUMENT_KIND_NOTICE_RESULT, notice),
              AllOf(HasSubstr("https://hongxing.example/1"), HasSubstr("收到异议1件"),
                    HasSubstr("维持资助决定，可以拨付")));
  // Nothing of the objector on what others see.
  for (const auto kind : {v1::DOCUMENT_KIND_PUBLIC_NOTICE, v1::DOCUMENT_KIND_NOTICE_RESULT})
    EXPECT_THAT(Content(review, kind, notice), Not(HasSubstr("群众甲")));
}

TEST(Documents, WhoDoesNotDealWithObjectionsPrintsNone) {
  TestReview review;
  const std::string objection = review.Object(review.CaseIn(v1::CASE_STATE_IN_NOTICE));
  review.Admit(objection, false);
  for (const Role role : {Role::kDirector, Role::kAuditor, Role::kFilingOfficer}) {
    EXPECT_EQ(errors::Reason(Print(review, v1::DOCUMENT_KIND_OBJECTION_ADMISSION, objection,
                                   review.host().Person(role, "somebody"))
                                 .status()),
              "NOT_FOUND");
  }
  EXPECT_THAT(Content(review, v1::DOCUMENT_KIND_OBJECTION_ADMISSION, objection),
              HasSubstr("异议不予受理告知书"));
  EXPECT_EQ(errors::Reason(
                Print(review, v1::DOCUMENT_KIND_REVIEW_FORM, objection, review.secretary())
                    .status()),
            "INVALID_FIELD");
}

}  // namespace
}  // namespace yuezhan::review
