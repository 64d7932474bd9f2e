// One step of the flow each, and the way of a case up to any state.
#include "common/base/digest.h"
#include "common/base/money.h"
#include "common/base/time_proto.h"
#include "services/review/test_review.h"

namespace yuezhan::review {

v1::RecordAssessmentRequest TestReview::AssessmentOf(const std::string& case_name, bool qualified) {
  v1::RecordAssessmentRequest request;
  request.set_name(case_name);
  request.set_qualified(qualified);
  for (const auto& item : rulebook_.At(host_.clock().Now())->policy.assessment().items()) {
    auto* score = request.add_scores();
    score->set_code(item.code());
    score->set_score_hundredths(qualified ? 8500 : 4000);
  }
  request.add_assessors("reviewer-1");
  request.add_assessors("assessor-1");
  return request;
}

void TestReview::Assess(const std::string& case_name) {
  Do(&Handlers::RecordAssessment, reviewer(), AssessmentOf(case_name));
}

v1::PrepareOpinionRequest TestReview::OpinionOn(const std::string& case_name,
                                                rules::v1::Recommendation recommendation) {
  v1::PrepareOpinionRequest request;
  request.set_name(case_name);
  request.set_recommendation(recommendation);
  request.set_reason("经初审");
  if (recommendation == rules::v1::RECOMMENDATION_RETURN) request.add_points("补充建站批复");
  v1::CheckCaseRequest check;
  check.set_name(case_name);
  const auto checked = Try(&Handlers::CheckCase, reviewer(), check);
  if (recommendation != rules::v1::RECOMMENDATION_AWARD || !checked.ok()) return request;
  for (const auto& finding : checked->findings()) {
    auto* word = request.add_finding_reviews();
    word->set_rule_id(finding.rule_id());
    word->set_confirmed(true);
  }
  return request;
}

void TestReview::CallInspection(const std::string& case_name) {
  v1::CallInspectionRequest request;
  request.set_name(case_name);
  request.set_reason("核实设备到位情况");
  for (const char* subject : {"expert-1", "expert-2"}) {
    auto* expert = request.add_experts();
    expert->set_subject(subject);
    expert->set_display_name(Concat({"专家", subject}));
  }
  Do(&Handlers::CallInspection, reviewer(), request);
}

v1::RecordDeclarationRequest TestReview::DeclarationOf(const std::string& case_name,
                                                       std::string_view expert, bool interest) {
  v1::RecordDeclarationRequest request;
  request.set_name(case_name);
  request.set_expert(std::string(expert));
  request.set_declaration(interest ? v1::INTEREST_DECLARATION_INTEREST
                                   : v1::INTEREST_DECLARATION_NONE);
  if (interest) request.set_statement("与建站单位有合作");
  return request;
}

v1::RecordInspectionRequest TestReview::InspectionOf(const std::string& case_name) {
  v1::RecordInspectionRequest request;
  request.set_name(case_name);
  *request.mutable_done_on() = DayToProto(host_.today());
  request.add_attended("expert-1");
  auto* item = request.add_items();
  item->set_item("办公场所");
  item->set_seen("有固定办公室两间（演示）");
  item->set_agrees(true);
  request.set_conclusion("与申报材料一致");
  return request;
}

v1::EvidenceFile TestReview::Upload(const Context& who, const std::string& parent,
                                    std::string_view code, const std::string& data) {
  v1::StartUploadRequest start;
  start.set_parent(parent);
  start.set_code(std::string(code));
  start.set_file_name("照片.png");
  start.set_size_bytes(static_cast<int64_t>(data.size()));
  v1::EvidenceFile file = Do(&Handlers::StartUpload, who, start);
  v1::WriteChunkRequest chunk;
  chunk.set_name(file.name());
  chunk.set_data(data);
  Do(&Handlers::WriteChunk, who, chunk);
  v1::FinishUploadRequest finish;
  finish.set_name(file.name());
  finish.set_sha256(ToHex(Sha256(data)));
  return Do(&Handlers::FinishUpload, who, finish);
}

void TestReview::Prepare(const std::string& case_name, rules::v1::Recommendation recommendation) {
  Do(&Handlers::PrepareOpinion, reviewer(), OpinionOn(case_name, recommendation));
}

void TestReview::Approve(const std::string& case_name) {
  v1::ApproveOpinionRequest request;
  request.set_name(case_name);
  Do(&Handlers::ApproveOpinion, head(), request);
}

std::string TestReview::Convene(const std::vector<std::string>& items) {
  v1::ConveneMeetingRequest request;
  for (const std::string& name : items) {
    v1::MeetingItem* item = request.add_items();
    const bool is_case = name.starts_with("cases/");
    item->set_case_name(is_case ? name : GetObjection(name).case_name());
    if (!is_case) item->set_objection(name);
  }
  return Do(&Handlers::ConveneMeeting, secretary(), request).name();
}

v1::CloseMeetingRequest TestReview::Closing(const std::string& meeting) {
  v1::GetMeetingRequest get;
  get.set_name(meeting);
  v1::CloseMeetingRequest request;
  request.set_name(meeting);
  *request.mutable_items() = Do(&Handlers::GetMeeting, secretary(), get).items();
  auto* facts = request.mutable_facts();
  facts->set_chair("director-1");
  for (const char* member : {"director-1", "director-2", "director-3"}) facts->add_present(member);
  facts->set_recorder("secretary-1");
  request.add_attending("secretary-1");
  request.add_attending("reviewer-2");
  facts->set_signer("director-1");
  facts->set_association_attends(true);
  facts->set_minutes_number("岳人才办纪〔2021〕7号（演示）");
  return request;
}

void TestReview::Resolve(const std::string& case_name, rules::v1::Resolution resolution) {
  v1::CloseMeetingRequest request = Closing(Get(case_name).meeting());
  request.mutable_items(0)->set_resolution(resolution);
  request.mutable_items(0)->set_opinion_text("经会议研究");
  Do(&Handlers::CloseMeeting, secretary(), request);
}

void TestReview::ResolveObjection(const std::string& objection, v1::ObjectionResolution resolution,
                                  int64_t new_fen) {
  v1::CloseMeetingRequest request = Closing(Convene({objection}));
  v1::MeetingItem* item = request.mutable_items(0);
  item->set_objection_resolution(resolution);
  if (new_fen != 0) *item->mutable_amount() = MoneyOf(new_fen);
  Do(&Handlers::CloseMeeting, secretary(), request);
}

v1::IssueNoticeRequest TestReview::NoticeOn(const std::vector<std::string>& cases) {
  v1::IssueNoticeRequest request;
  for (const std::string& name : cases) request.add_cases(name);
  request.set_objection_address("岳阳市岳阳楼区（演示地址）");
  request.set_objection_phone("0730-0000000");
  return request;
}

std::string TestReview::Issue(const std::vector<std::string>& cases) {
  return Do(&Handlers::IssueNotice, secretary(), NoticeOn(cases)).name();
}

v1::RecordPostingRequest TestReview::PostingOn(const v1::Notice& notice, std::string_view site) {
  v1::RecordPostingRequest request;
  request.set_name(notice.name());
  request.mutable_posting()->set_site(std::string(site));
  request.mutable_posting()->set_url(Concat({"https://", site, ".example/1"}));
  *request.mutable_posting()->mutable_live_time() = ToProto(host_.clock().Now());
  request.mutable_posting()->set_list_digest(notice.list_digest());
  return request;
}

void TestReview::PostAll(const std::string& name) {
  const v1::Notice notice = GetNotice(name);
  for (const char* site : {"hongxing", "talent", "association"})
    Do(&Handlers::RecordPosting, secretary(), PostingOn(notice, site));
}

v1::RecordPostingDownRequest TestReview::DownOf(const std::string& notice, std::string_view site) {
  v1::RecordPostingDownRequest request;
  request.set_name(notice);
  request.set_site(std::string(site));
  *request.mutable_down_time() = ToProto(host_.clock().Now());
  request.set_reason("网站检修");
  return request;
}

v1::RecordPostingBackRequest TestReview::BackOf(const std::string& notice, std::string_view site) {
  v1::RecordPostingBackRequest request;
  request.set_name(notice);
  request.set_site(std::string(site));
  *request.mutable_back_time() = ToProto(host_.clock().Now());
  request.set_list_digest(GetNotice(notice).list_digest());
  return request;
}

v1::FileObjectionRequest TestReview::ObjectionTo(const std::string& case_name) {
  v1::FileObjectionRequest request;
  request.set_parent(Get(case_name).notice());
  v1::Objection* objection = request.mutable_objection();
  objection->set_case_name(case_name);
  objection->set_objector_kind(rules::v1::OBJECTOR_KIND_PERSON);
  objection->set_objector_name("群众甲");
  objection->set_objector_contact("0730-0000001");
  objection->set_content("该站未按协议开展服务，请核查。（演示）");
  return request;
}

std::string TestReview::Object(const std::string& case_name) {
  return Do(&Handlers::FileObjection, citizen(), ObjectionTo(case_name)).name();
}

void TestReview::Admit(const std::string& objection, bool accepted) {
  v1::AdmitObjectionRequest request;
  request.set_name(objection);
  request.set_accepted(accepted);
  request.set_reason("经审查");
  Do(&Handlers::AdmitObjection, secretary(), request);
}

void TestReview::Examine(const std::string& objection) {
  v1::ReportExaminationRequest request;
  request.set_name(objection);
  request.set_report("经核查（演示）");
  Do(&Handlers::ReportExamination, examiner(), request);
}

void TestReview::PassPeriod(const std::string& notice) {
  const auto last_day = DayFromProto(GetNotice(notice).last_day());
  ASSERT_TRUE(last_day.has_value());
  const absl::Status moved =
      host_.clock().SetTo(BeijingMidnight(*last_day + 1) + absl::Seconds(31));
  ASSERT_TRUE(moved.ok()) << moved;
}

absl::StatusOr<v1::Notice> TestReview::Sign(const std::string& notice, v1::Office office) {
  v1::SignNoticeResultRequest request;
  request.set_name(notice);
  request.set_office(office);
  return Try(&Handlers::SignNoticeResult, office == v1::OFFICE_ASSOCIATION ? head() : secretary(),
             request);
}

void TestReview::SignBoth(const std::string& notice) {
  for (const auto office : {v1::OFFICE_ASSOCIATION, v1::OFFICE_TALENT_OFFICE}) {
    const auto answer = Sign(notice, office);
    EXPECT_TRUE(answer.ok()) << answer.status();
  }
}

std::string TestReview::CaseIn(v1::CaseState state) {
  const auto from = [&](v1::CaseState before, auto step) {
    std::string name = CaseIn(before);
    step(name);
    return name;
  };
  switch (state) {
    case v1::CASE_STATE_ASSESSED:
      return from(v1::CASE_STATE_OPEN, [&](const auto& name) { Assess(name); });
    case v1::CASE_STATE_OPINION_PREPARED:
      return from(v1::CASE_STATE_ASSESSED,
                  [&](const auto& name) { Prepare(name, rules::v1::RECOMMENDATION_AWARD); });
    case v1::CASE_STATE_RECOMMENDED:
      return from(v1::CASE_STATE_OPINION_PREPARED, [&](const auto& name) { Approve(name); });
    case v1::CASE_STATE_RETURNED:
    case v1::CASE_STATE_REFUSED:
      return from(v1::CASE_STATE_ASSESSED, [&](const auto& name) {
        Prepare(name, state == v1::CASE_STATE_RETURNED ? rules::v1::RECOMMENDATION_RETURN
                                                       : rules::v1::RECOMMENDATION_REFUSE);
        Approve(name);
      });
    case v1::CASE_STATE_ON_AGENDA:
      return from(v1::CASE_STATE_RECOMMENDED, [&](const auto& name) { Convene({name}); });
    case v1::CASE_STATE_AWARDED:
      return from(v1::CASE_STATE_ON_AGENDA, [&](const auto& name) {
        Resolve(name, rules::v1::RESOLUTION_AWARD);
        Reserve(name);
      });
    case v1::CASE_STATE_IN_NOTICE:
      return from(v1::CASE_STATE_AWARDED, [&](const auto& name) { PostAll(Issue({name})); });
    case v1::CASE_STATE_OBJECTED:
      return from(v1::CASE_STATE_IN_NOTICE, [&](const auto& name) { Object(name); });
    case v1::CASE_STATE_NOTICE_ENDED:
      return from(v1::CASE_STATE_IN_NOTICE, [&](const auto& name) {
        PassPeriod(Get(name).notice());
        Tend();
      });
    case v1::CASE_STATE_CLEARED:
      return from(v1::CASE_STATE_NOTICE_ENDED,
                  [&](const auto& name) { SignBoth(Get(name).notice()); });
    case v1::CASE_STATE_PAID:
      return from(v1::CASE_STATE_CLEARED, [&](const auto& name) { Settle(name); });
    case v1::CASE_STATE_CANCELLED:
      return from(v1::CASE_STATE_IN_NOTICE, [&](const auto& name) {
        const std::string objection = Object(name);
        Admit(objection, true);
        Examine(objection);
        ResolveObjection(objection, v1::OBJECTION_RESOLUTION_CANCEL);
      });
    case v1::CASE_STATE_WITHDRAWN:
      return from(v1::CASE_STATE_OPEN, [&](const auto& name) { RequestWithdrawal(name); });
    default:
      return OpenCase();
  }
}

}  // namespace yuezhan::review
