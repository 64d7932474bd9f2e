#include "common/documents/documents.h"

#include "common/base/time_proto.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/application/test_application.h"

namespace yuezhan::application {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Documents : public testing::Test {
 protected:
  absl::StatusOr<common::v1::PrintedDocument> Try(const std::string& name, v1::DocumentKind kind,
                                                  int submission = 0) {
    v1::PrintDocumentRequest request;
    request.set_name(name);
    request.set_kind(kind);
    request.set_submission(submission);
    return test_.Try(&Handlers::PrintDocument, request);
  }
  common::v1::PrintedDocument Print(const std::string& name, v1::DocumentKind kind,
                                    int submission = 0) {
    const auto document = Try(name, kind, submission);
    EXPECT_TRUE(document.ok()) << document.status();
    return document.value_or(common::v1::PrintedDocument());
  }
  common::v1::PrintedDocument Form(const std::string& name, int submission = 0) {
    return Print(name, v1::DOCUMENT_KIND_APPLICATION_FORM, submission);
  }
  v1::Application Update(const v1::Application& application, const std::string& main_content) {
    v1::UpdateApplicationRequest update;
    update.set_request_id(NewUuid());
    update.set_name(application.name());
    *update.mutable_form() = application.form();
    update.mutable_form()->set_main_content(main_content);
    update.set_etag(test_.Get(application.name()).etag());
    const auto updated = test_.Try(&Handlers::UpdateApplication, update);
    EXPECT_TRUE(updated.ok()) << updated.status();
    return updated.value_or(v1::Application());
  }
  // Uploads a sealed scan that bears `form`'s number and digest.
  absl::StatusOr<v1::Material> Scan(const std::string& name, const std::string& code,
                                    const common::v1::PrintedDocument& form) {
    const std::string bytes = TestApplication::Pdf(form.digest());
    const auto upload = test_.Start(name, code, bytes.size());
    EXPECT_TRUE(upload.ok()) << upload.status();
    EXPECT_TRUE(test_.Try(&Handlers::WriteChunk,
                          TestApplication::ChunkRequest(upload->name(), 0, bytes))
                    .ok());
    v1::FinishUploadRequest finish = TestApplication::FinishRequest(upload->name(), bytes);
    finish.set_form_number(form.number());
    finish.set_form_digest(form.digest());
    return test_.Try(&Handlers::FinishUpload, finish);
  }

  TestApplication test_;
};

// Rows in the order of Annex 1.
TEST_F(Documents, Annex1IsPrintedAsTheRegulationPrintsIt) {
  const v1::Application draft = Update(test_.Create(), "一、攻关\n二、<b>交流</b>");
  const auto form = Form(draft.name());
  size_t at = 0;
  for (const std::string_view part :
       {"附件 1", "国家级/省级学会服务站建站资助申请表", "学会服务站名称", "绿色化工服务站（演示）", "资助类别",
        "☐ 国家级", "☑ 省级", "申请资助经费", "（2026年度）", "¥ 50,000.00；大写 伍万元。", "建站单位名称",
        "云溪区绿色化工园区科协（演示）", "基本账户、账号", "演示银行岳阳分行　6222000000000001",
        "建站主要内容：（具体材料另附纸）", "<p>一、攻关</p><p>二、&lt;b&gt;交流&lt;/b&gt;</p>", "（盖章）",
        "年　　月　　日", "岳阳市科学技术协会意见：", "（盖章）", "中共岳阳市委人才工作领导小组办公室意见：", "（盖章）"}) {
    const size_t found = form.content().find(part, at);
    ASSERT_NE(found, std::string::npos) << part << "\n" << form.content();
    at = found + part.size();
  }
  EXPECT_THAT(form.content(), Not(HasSubstr("元整元")));
  EXPECT_THAT(form.number(), testing::MatchesRegex("SQB-2026-[0-9A-F]{12}"));
  EXPECT_THAT(form.content(), HasSubstr(form.digest()));
  EXPECT_EQ(Form(draft.name()).SerializeAsString(), form.SerializeAsString());
  EXPECT_NE(Form(Update(draft, "别的").name()).digest(), form.digest());
  EXPECT_EQ(test_.TryAs(test_.other_applicant(), &Handlers::PrintDocument, [&] {
                  v1::PrintDocumentRequest request;
                  request.set_name(draft.name());
                  request.set_kind(v1::DOCUMENT_KIND_APPLICATION_FORM);
                  return request;
                }()).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Try(draft.name(), v1::DOCUMENT_KIND_APPLICATION_FORM, 1).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(Documents, Annex1BearsBothOfficesOpinionsOnceTheyExist) {
  const v1::Application application = test_.Submitted();
  const auto handed_in = Form(application.name());
  ASSERT_TRUE(test_.Review(application, review::v1::CASE_STATE_OPEN).ok());
  auto& of_case = test_.review().of_case;
  of_case.set_name(test_.case_name());
  of_case.mutable_opinion()->set_recommendation(rules::v1::RECOMMENDATION_AWARD);
  of_case.mutable_opinion()->set_prepared_by("reviewer");
  EXPECT_EQ(Form(application.name()).digest(), handed_in.digest()) << "not approved: no opinion yet";

  of_case.mutable_opinion()->set_approved_by("reviewer-2");
  review::v1::CaseAdvanced recommended;
  recommended.set_case_name(test_.case_name());
  recommended.set_application(application.name());
  recommended.set_submission(1);
  recommended.set_from(review::v1::CASE_STATE_OPINION_PREPARED);
  recommended.set_state(review::v1::CASE_STATE_RECOMMENDED);
  ASSERT_TRUE(test_.Apply(test_.handlers().OnReview(), recommended).ok());
  const std::string opinion_day = FormatDayZh(BeijingDay(test_.host().clock().Now()));
  auto form = Form(application.name());
  EXPECT_THAT(form.content(), HasSubstr("岳阳市科学技术协会意见：<p>经考核认定合格，初审同意，报请市委人才办主任会议审定。</p>"));
  EXPECT_THAT(form.content(), HasSubstr("（盖章）　　" + opinion_day));

  of_case.set_meeting(Name("meetings", NewUuid()));
  of_case.set_resolution(rules::v1::RESOLUTION_AWARD);
  *of_case.mutable_awarded_amount() = MoneyOf(5'000'000);
  test_.review().meeting.set_state(review::v1::MEETING_STATE_CLOSED);
  *test_.review().meeting.mutable_facts()->mutable_held_on() = DayToProto(Day(2026, 11, 3));
  form = Form(application.name(), 1);
  EXPECT_THAT(form.content(), HasSubstr("办公室意见：<p>经主任会议审定，同意给予一次性资助人民币伍万元整。</p>"));
  EXPECT_THAT(form.content(), HasSubstr("（盖章）　　2026年11月3日"));
  auto* item = test_.review().meeting.add_items();
  item->set_case_name(of_case.name());
  item->set_opinion_text("同意资助。");
  EXPECT_THAT(Form(application.name()).content(), HasSubstr("办公室意见：<p>同意资助。</p>"));

  test_.review().status = absl::PermissionDeniedError("not the caller's fault");
  EXPECT_EQ(errors::Reason(Try(application.name(), v1::DOCUMENT_KIND_APPLICATION_FORM).status()),
            "UNAVAILABLE");
}

TEST_F(Documents, TheCorrectionNoticeOfEachReturnStays) {
  v1::Application application = test_.Submitted();
  const std::string name = application.name();
  EXPECT_EQ(errors::Reason(Try(name, v1::DOCUMENT_KIND_CORRECTION_NOTICE).status()),
            "STATE_FORBIDS");
  std::vector<common::v1::PrintedDocument> notices;
  for (int round = 1; round <= 2; ++round) {
    const std::string point = "第" + std::to_string(round) + "点";
    ASSERT_TRUE(test_.Review(application, review::v1::CASE_STATE_RETURNED, {point, "另一点"}).ok());
    notices.push_back(Print(name, v1::DOCUMENT_KIND_CORRECTION_NOTICE));
    EXPECT_THAT(notices.back().content(), HasSubstr("<p>1. " + point + "</p>\n<p>2. 另一点</p>"));
    EXPECT_THAT(notices.back().number(), testing::EndsWith("-" + std::to_string(round)));
    ASSERT_TRUE(test_.host().clock().Advance(absl::Hours(48)).ok());
    v1::SubmitApplicationRequest submit = TestApplication::SubmitRequest(name);
    submit.add_answers("已改");
    submit.add_answers("已改");
    const auto again = test_.Try(&Handlers::SubmitApplication, submit);
    ASSERT_TRUE(again.ok()) << again.status();
    application = *again;
    EXPECT_EQ(Print(name, v1::DOCUMENT_KIND_CORRECTION_NOTICE, round).SerializeAsString(),
              notices.back().SerializeAsString())
        << "as it was on its day";
  }
  EXPECT_EQ(Print(name, v1::DOCUMENT_KIND_CORRECTION_NOTICE, 1).digest(), notices[0].digest());
  EXPECT_EQ(Print(name, v1::DOCUMENT_KIND_CORRECTION_NOTICE).digest(), notices[1].digest());

  const auto index = Print(name, v1::DOCUMENT_KIND_CASE_FILE_INDEX);
  for (const auto& notice : notices) EXPECT_THAT(index.content(), HasSubstr(notice.number()));
  EXPECT_THAT(index.content(), HasSubstr("岳科协〔2024〕8号"));
  EXPECT_THAT(index.content(), HasSubstr("保管期限：30年"));
  EXPECT_THAT(index.content(), HasSubstr("<td class=\"center\">5</td>")) << "three materials, two notices";
  EXPECT_THAT(index.content(), Not(HasSubstr("<td class=\"center\">6</td>")));
}

// Another policy took its place while the host corrects: what was submitted stays as it was, the
// form that will be judged by the new one is printed by it.
TEST(Form, IsPrintedByThePolicyOfItsSubmission) {
  TestApplication test(nullptr, TestHost::FollowedPolicy(Day(2026, 9, 16), "name_zh: \"省级\"",
                                                         "name_zh: \"新省级\""));
  const v1::Application application = test.Submitted();
  ASSERT_TRUE(test.Review(application, review::v1::CASE_STATE_RETURNED, {"一"}).ok());
  ASSERT_TRUE(test.host().clock().Advance(absl::Hours(48)).ok());
  v1::PrintDocumentRequest request;
  request.set_name(application.name());
  request.set_kind(v1::DOCUMENT_KIND_APPLICATION_FORM);
  const auto draft = test.Try(&Handlers::PrintDocument, request);
  ASSERT_TRUE(draft.ok()) << draft.status();
  EXPECT_THAT(draft->content(), HasSubstr("新省级"));
  request.set_submission(1);
  const auto submitted = test.Try(&Handlers::PrintDocument, request);
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  EXPECT_THAT(submitted->content(), Not(HasSubstr("新省级")));
}

// What is sealed is what is submitted.
TEST_F(Documents, AScanBearsTheFormAsItStands) {
  const v1::Application draft = test_.Create();
  const std::string& name = draft.name();
  auto form = Form(name);
  auto wrong = form;
  wrong.set_digest(ToHex(Sha256("another")));
  EXPECT_EQ(errors::Reason(Scan(name, "application-form", wrong).status()), "INVALID_FIELD");
  wrong = form;
  wrong.set_number("SQB-2026-000000000000");
  EXPECT_EQ(errors::Reason(Scan(name, "application-form", wrong).status()), "INVALID_FIELD");
  EXPECT_EQ(errors::Reason(Scan(name, "approval-reply", form).status()), "INVALID_FIELD");
  EXPECT_THAT(test_.Materials(name), IsEmpty());

  const auto scan = Scan(name, "application-form", form);
  ASSERT_TRUE(scan.ok()) << scan.status();
  EXPECT_EQ(scan->form_number(), form.number());
  test_.registry().filing_form.set_number("BAB-0123456789AB");
  test_.registry().filing_form.set_digest(ToHex(Sha256("filing form")));
  EXPECT_EQ(errors::Reason(Scan(name, "filing-form", form).status()), "INVALID_FIELD");
  ASSERT_TRUE(Scan(name, "filing-form", test_.registry().filing_form).ok());
  test_.Put(name, "approval-reply", TestApplication::Pdf("reply"));

  // Changed after it was sealed: not submitted before it is sealed anew.
  Update(draft, "改了");
  const absl::Status stale = test_.Submit(name).status();
  EXPECT_EQ(stale.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Details(stale), HasSubstr("materials[application-form]"));
  form = Form(name);
  ASSERT_TRUE(Scan(name, "application-form", form).ok());
  const auto submitted = test_.Submit(name);
  ASSERT_TRUE(submitted.ok()) << submitted.status();

  // The officer's word does not take number and digest away; the submission kept them.
  const std::string material = test_.Materials(name)[0].name();
  v1::ConfirmScanRequest confirm;
  confirm.set_request_id(NewUuid());
  confirm.set_name(material);
  confirm.mutable_confirmation()->set_confirmed(true);
  confirm.mutable_confirmation()->set_reason("一致");
  const auto confirmed = test_.TryAs(test_.officer(), &Handlers::ConfirmScan, confirm);
  ASSERT_TRUE(confirmed.ok()) << confirmed.status();
  EXPECT_EQ(test_.Materials(name)[0].form_digest(), form.digest());
  EXPECT_TRUE(test_.Materials(name)[0].scan_agrees().confirmed());
  v1::GetSubmissionRequest get;
  get.set_application(name);
  EXPECT_EQ(test_.Try(&Handlers::GetSubmission, get)->materials(0).form_digest(), form.digest());
  EXPECT_EQ(Form(name, 1).digest(), form.digest());
}

TEST_F(Documents, OneViewTellsWhatComesNextByWhomAndByWhen) {
  ASSERT_TRUE(test_.host().clock().SetTo(BeijingMidnight(Day(2026, 11, 2))).ok());
  const v1::Application application = test_.Submitted();
  EXPECT_EQ(application.next_step_owner_zh(), "市科协");
  // 20 working days after Monday, 2 November: without holidays four weeks.
  EXPECT_EQ(FormatDay(*DayFromProto(application.next_step_due())), "2026-11-30");
  ASSERT_TRUE(test_.Review(application, review::v1::CASE_STATE_OPEN).ok());
  ASSERT_TRUE(test_.Review(application, review::v1::CASE_STATE_RETURNED, {"一"}).ok());
  v1::Application now = test_.Get(application.name());
  EXPECT_EQ(now.next_step_owner_zh(), application.host_name());
  EXPECT_EQ(FormatDay(*DayFromProto(now.next_step_due())), "2026-11-30");
  ASSERT_THAT(now.history(), SizeIs(4));
  EXPECT_EQ(now.history(0).state(), v1::APPLICATION_STATE_DRAFT);
  EXPECT_EQ(now.history(3).state(), v1::APPLICATION_STATE_RETURNED);

  const v1::Application other = [&] {
    EXPECT_TRUE(test_.Withdraw(application.name()).ok());
    return test_.Submitted();
  }();
  review::v1::CaseAdvanced event;
  event.set_case_name(test_.case_name());
  event.set_application(other.name());
  event.set_submission(1);
  event.set_state(review::v1::CASE_STATE_IN_NOTICE);
  event.set_notice(Name("notices", NewUuid()));
  ASSERT_TRUE(test_.Apply(test_.handlers().OnReview(), event).ok());
  now = test_.Get(other.name());
  EXPECT_FALSE(now.has_next_step_due()) << "not on every site yet";
  *test_.review().notice.mutable_last_day() = DayToProto(Day(2026, 11, 9));
  now = test_.Get(other.name());
  EXPECT_EQ(FormatDay(*DayFromProto(now.next_step_due())), "2026-11-09");
  EXPECT_EQ(now.next_step_owner_zh(), "市科协、市委人才办");
  test_.review().status = absl::UnavailableError("away");
  EXPECT_FALSE(test_.Get(other.name()).has_next_step_due()) << "the rest is shown all the same";
}

}  // namespace
}  // namespace yuezhan::application
