// Assessment, preliminary opinion, directors' meeting: articles 5 and 5.2.
#include "absl/strings/str_cat.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {
namespace {

using Stations = std::vector<const DemoStation*>;

absl::StatusOr<std::string> Assess(Stage& stage, const Stations& stations) {
  review::v1::BatchRecordAssessmentsRequest batch;
  for (const DemoStation* station : stations) {
    review::v1::RecordAssessmentRequest& request = *batch.add_requests();
    request.set_name(stage.names[station->key].review_case);
    *request.mutable_scores() = stage.scenario.assessment.scores();
    request.set_qualified(stage.scenario.assessment.qualified());
    *request.mutable_assessors() = stage.scenario.assessment.assessors();
  }
  YZ_RETURN_IF_ERROR(stage
                         .CallBatch<review::v1::BatchRecordAssessmentsResponse>(
                             stage.Person("reviewer"), "review", "BatchRecordAssessments",
                             "RecordAssessment", batch, KeysOf(stations))
                         .status());
  return absl::StrCat("考核认定合格，共", stations.size(), "家");
}

absl::StatusOr<std::string> ConfirmScans(Stage& stage, const Stations& stations) {
  application::v1::BatchConfirmScansRequest batch;
  std::vector<std::string> keys;
  for (const DemoStation* station : stations) {
    for (const auto& [code, material] : stage.names[station->key].materials) {
      if (code == "approval-reply") continue;  // no sealed scan of our form
      application::v1::ConfirmScanRequest& request = *batch.add_requests();
      request.set_name(material);
      request.mutable_confirmation()->set_confirmed(true);
      request.mutable_confirmation()->set_reason("盖章扫描件与填报数据逐项核对一致。");
      keys.push_back(absl::StrCat(station->key, "-", code));
    }
  }
  YZ_RETURN_IF_ERROR(stage
                         .CallBatch<application::v1::BatchConfirmScansResponse>(
                             stage.Person("reviewer"), "application", "BatchConfirmScans",
                             "ConfirmScan", batch, keys)
                         .status());
  return absl::StrCat("核对一致，共", keys.size(), "份");
}

absl::StatusOr<std::string> PrepareOpinions(Stage& stage, const Stations& stations) {
  review::v1::BatchCheckCasesRequest checks;
  for (const DemoStation* station : stations) {
    checks.add_requests()->set_name(stage.names[station->key].review_case);
  }
  YZ_ASSIGN_OR_RETURN(const auto checked,
                      stage.CallBatch<review::v1::BatchCheckCasesResponse>(
                          stage.Person("reviewer"), "review", "BatchCheckCases", checks));
  review::v1::BatchPrepareOpinionsRequest batch;
  int confirmed = 0;
  for (int i = 0; i < checks.requests_size(); ++i) {
    review::v1::PrepareOpinionRequest& request = *batch.add_requests();
    request.set_name(checks.requests(i).name());
    for (const auto& finding : checked.checks(i).findings()) {
      review::v1::FindingReview& review = *request.add_finding_reviews();
      review.set_rule_id(finding.rule_id());
      review.set_confirmed(true);
    }
    confirmed += checked.checks(i).findings_size();
    request.set_recommendation(rules::v1::RECOMMENDATION_AWARD);
    request.set_reason("材料齐全，符合申报条件。");
  }
  YZ_RETURN_IF_ERROR(stage
                         .CallBatch<review::v1::BatchPrepareOpinionsResponse>(
                             stage.Person("reviewer"), "review", "BatchPrepareOpinions",
                             "PrepareOpinion", batch, KeysOf(stations))
                         .status());
  return absl::StrCat("逐项确认", confirmed, "项，建议给予资助，共", stations.size(), "家");
}

absl::StatusOr<std::string> ApproveOpinions(Stage& stage, const Stations& stations) {
  review::v1::BatchApproveOpinionsRequest batch;
  for (const DemoStation* station : stations) {
    batch.add_requests()->set_name(stage.names[station->key].review_case);
  }
  YZ_RETURN_IF_ERROR(stage
                         .CallBatch<review::v1::BatchApproveOpinionsResponse>(
                             stage.Person("review-head"), "review", "BatchApproveOpinions",
                             "ApproveOpinion", batch, KeysOf(stations))
                         .status());
  return absl::StrCat("同意，提请主任会议审定，共", stations.size(), "家");
}

absl::StatusOr<std::string> Convene(Stage& stage) {
  review::v1::ConveneMeetingRequest request;
  for (const DemoStation* station : Awarded(stage)) {
    request.add_items()->set_case_name(stage.names[station->key].review_case);
  }
  YZ_ASSIGN_OR_RETURN(const auto meeting,
                      stage.Call<review::v1::Meeting>(stage.Person("secretary"), "review",
                                                      "ConveneMeeting", request, "first"));
  stage.meeting = meeting.name();
  return absl::StrCat("议题", meeting.items_size(), "项");
}

absl::StatusOr<std::string> Close(Stage& stage) {
  review::v1::CloseMeetingRequest request;
  request.set_name(stage.meeting);
  *request.mutable_facts() = stage.scenario.meeting;
  AddAttending(stage, &request);
  for (const DemoStation* station : Awarded(stage)) {
    review::v1::MeetingItem& item = *request.add_items();
    item.set_case_name(stage.names[station->key].review_case);
    item.set_resolution(rules::v1::RESOLUTION_AWARD);
    *item.mutable_amount() = station->application.requested_amount();
    item.set_opinion_text("同意给予一次性资助。");
  }
  YZ_ASSIGN_OR_RETURN(const auto meeting,
                      stage.Call<review::v1::Meeting>(stage.Person("secretary"), "review",
                                                      "CloseMeeting", request, "first"));
  return absl::StrCat("一致同意资助", meeting.items_size(), "家，纪要",
                      meeting.facts().minutes_number());
}

// Payment reserves the awards of a meeting in their order, and review learns it.
absl::StatusOr<std::string> AwaitReserved(Stage& stage) {
  const Stations awarded = Awarded(stage);
  review::v1::GetCaseRequest last;
  last.set_name(stage.names[awarded.back()->key].review_case);
  last.set_wait_ms(2000);
  last.set_wait_for_state(review::v1::CASE_STATE_AWARDED);
  YZ_RETURN_IF_ERROR(
      stage
          .Await<review::v1::Case>(stage.Person("secretary"), "review", "GetCase", last,
                                   [](const review::v1::Case& answer) {
                                     return answer.reserved() ||
                                            answer.state() > review::v1::CASE_STATE_AWARDED;
                                   })
          .status());
  int64_t total_fen = 0;
  for (const DemoStation* station : awarded) {
    total_fen += FenOf(station->application.requested_amount()).value_or(0);
  }
  return absl::StrCat("已在专项资金中预留", FormatYuan(total_fen), "元");
}

}  // namespace

void AddReview(Stage& stage, std::vector<DemoStep>* steps) {
  struct Act {
    const char* name;
    const char* article;
    const char* person;
    const char* what;
    absl::StatusOr<std::string> (*act)(Stage&, const Stations&);
  };
  const auto add = [&](const Act& row) {
    steps->push_back({row.name, row.article, stage.Person(row.person).name, row.what,
                      [&stage, act = row.act] { return act(stage, Awarded(stage)); }});
  };
  AddDay(stage, "assess", "考核认定", steps);
  add({"RecordAssessment", "5", "reviewer", "组织考核认定", &Assess});
  add({"ConfirmScan", "5.1", "reviewer", "核对盖章扫描件", &ConfirmScans});
  AddDay(stage, "opinion", "初审", steps);
  add({"PrepareOpinion", "5.2", "reviewer", "提出初审意见", &PrepareOpinions});
  add({"ApproveOpinion", "5.2", "review-head", "审核初审意见", &ApproveOpinions});
  AddDay(stage, "meeting", "主任会议", steps);
  steps->push_back({"ConveneMeeting", "5.2", stage.Person("secretary").name, "召集主任会议",
                    [&stage] { return Convene(stage); }});
  steps->push_back({"CloseMeeting", "5.2", stage.Person("chair").name, "主持主任会议审定",
                    [&stage] { return Close(stage); }});
  steps->push_back(
      {"Reserved", "5.4", "资金服务", "预留资助资金", [&stage] { return AwaitReserved(stage); }});
}

}  // namespace yuezhan::yz
