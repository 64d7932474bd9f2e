// Assessment, preliminary opinion, directors' meeting: articles 5 and 5.2.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {
namespace {

absl::StatusOr<std::string> Assess(Stage& stage, const DemoStation& station) {
  review::v1::RecordAssessmentRequest request;
  request.set_name(stage.names[station.key].review_case);
  *request.mutable_scores() = stage.scenario.assessment.scores();
  request.set_qualified(stage.scenario.assessment.qualified());
  *request.mutable_assessors() = stage.scenario.assessment.assessors();
  YZ_RETURN_IF_ERROR(stage
                         .Call<review::v1::Case>(stage.Person("reviewer"), "review",
                                                 "RecordAssessment", request, station.key)
                         .status());
  return std::string("考核认定合格");
}

absl::StatusOr<std::string> ConfirmScans(Stage& stage, const DemoStation& station) {
  application::v1::ListMaterialsRequest list;
  list.set_parent(stage.names[station.key].application);
  YZ_ASSIGN_OR_RETURN(const auto there,
                      stage.Call<application::v1::ListMaterialsResponse>(
                          stage.Person("reviewer"), "application", "ListMaterials", list));
  int confirmed = 0;
  for (const application::v1::Material& material : there.materials()) {
    if (material.code() == "approval-reply") continue;  // no sealed scan of our form
    application::v1::ConfirmScanRequest request;
    request.set_name(material.name());
    request.mutable_confirmation()->set_confirmed(true);
    request.mutable_confirmation()->set_reason("盖章扫描件与填报数据逐项核对一致。");
    YZ_RETURN_IF_ERROR(stage
                           .Call<application::v1::Material>(
                               stage.Person("reviewer"), "application", "ConfirmScan", request,
                               absl::StrCat(station.key, "-", material.code()))
                           .status());
    ++confirmed;
  }
  return absl::StrCat("核对一致，共", confirmed, "份");
}

absl::StatusOr<std::string> PrepareOpinion(Stage& stage, const DemoStation& station) {
  review::v1::CheckCaseRequest check;
  check.set_name(stage.names[station.key].review_case);
  YZ_ASSIGN_OR_RETURN(const auto checked,
                      stage.Call<review::v1::CheckCaseResponse>(stage.Person("reviewer"), "review",
                                                                "CheckCase", check));
  review::v1::PrepareOpinionRequest request;
  request.set_name(check.name());
  for (const auto& finding : checked.findings()) {
    review::v1::FindingReview& review = *request.add_finding_reviews();
    review.set_rule_id(finding.rule_id());
    review.set_confirmed(true);
  }
  request.set_recommendation(rules::v1::RECOMMENDATION_AWARD);
  request.set_reason("材料齐全，符合申报条件。");
  YZ_RETURN_IF_ERROR(stage
                         .Call<review::v1::Case>(stage.Person("reviewer"), "review",
                                                 "PrepareOpinion", request, station.key)
                         .status());
  return absl::StrCat("逐项确认", checked.findings_size(), "项，建议给予资助");
}

absl::StatusOr<std::string> ApproveOpinion(Stage& stage, const DemoStation& station) {
  review::v1::ApproveOpinionRequest request;
  request.set_name(stage.names[station.key].review_case);
  YZ_RETURN_IF_ERROR(stage
                         .Call<review::v1::Case>(stage.Person("review-head"), "review",
                                                 "ApproveOpinion", request, station.key)
                         .status());
  return std::string("同意，提请主任会议审定");
}

absl::StatusOr<std::string> Convene(Stage& stage) {
  review::v1::ConveneMeetingRequest request;
  for (const DemoStation& station : stage.scenario.stations) {
    if (station.Awarded()) {
      request.add_items()->set_case_name(stage.names[station.key].review_case);
    }
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
  for (const DemoStation& station : stage.scenario.stations) {
    if (!station.Awarded()) continue;
    review::v1::MeetingItem& item = *request.add_items();
    item.set_case_name(stage.names[station.key].review_case);
    item.set_resolution(rules::v1::RESOLUTION_AWARD);
    *item.mutable_amount() = station.application.requested_amount();
    item.set_opinion_text("同意给予一次性资助。");
  }
  YZ_ASSIGN_OR_RETURN(const auto meeting,
                      stage.Call<review::v1::Meeting>(stage.Person("secretary"), "review",
                                                      "CloseMeeting", request, "first"));
  return absl::StrCat("一致同意资助", meeting.items_size(), "家，纪要",
                      meeting.facts().minutes_number());
}

// Payment reserves each award, and review learns it.
absl::StatusOr<std::string> AwaitReserved(Stage& stage) {
  // The last one, then the others, which are reserved before it as a rule.
  review::v1::GetCaseRequest last;
  for (const DemoStation& station : stage.scenario.stations) {
    if (station.Awarded()) last.set_name(stage.names[station.key].review_case);
  }
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
  review::v1::ListCasesRequest request;
  request.set_state(review::v1::CASE_STATE_AWARDED);
  request.set_page_size(1000);
  YZ_ASSIGN_OR_RETURN(const auto awards,
                      stage.Await<review::v1::ListCasesResponse>(
                          stage.Person("secretary"), "review", "ListCases", request,
                          [](const review::v1::ListCasesResponse& answer) {
                            return std::all_of(
                                answer.cases().begin(), answer.cases().end(),
                                [](const review::v1::Case& award) { return award.reserved(); });
                          }));
  if (awards.cases().empty()) return std::string("此前已预留");
  int64_t total_fen = 0;
  for (const review::v1::Case& award : awards.cases())
    total_fen += FenOf(award.awarded_amount()).value_or(0);
  return absl::StrCat("已在专项资金中预留", FormatYuan(total_fen), "元");
}

}  // namespace

void AddReview(Stage& stage, std::vector<DemoStep>* steps) {
  struct Act {
    const char* name;
    const char* article;
    const char* person;
    const char* what;
    absl::StatusOr<std::string> (*act)(Stage&, const DemoStation&);
  };
  const auto add = [&](const Act& row) {
    for (const DemoStation& station : stage.scenario.stations) {
      if (!station.Awarded()) continue;
      steps->push_back({absl::StrCat(row.name, "-", station.key), row.article,
                        stage.Person(row.person).name,
                        absl::StrCat(row.what, " ", station.form.display_name()),
                        [&stage, &station, act = row.act] { return act(stage, station); }});
    }
  };
  AddDay(stage, "assess", "考核认定", steps);
  add({"RecordAssessment", "5", "reviewer", "组织考核认定", &Assess});
  add({"ConfirmScan", "5.1", "reviewer", "核对盖章扫描件", &ConfirmScans});
  AddDay(stage, "opinion", "初审", steps);
  add({"PrepareOpinion", "5.2", "reviewer", "提出初审意见", &PrepareOpinion});
  add({"ApproveOpinion", "5.2", "review-head", "审核初审意见", &ApproveOpinion});
  AddDay(stage, "meeting", "主任会议", steps);
  steps->push_back({"ConveneMeeting", "5.2", stage.Person("secretary").name, "召集主任会议",
                    [&stage] { return Convene(stage); }});
  steps->push_back({"CloseMeeting", "5.2", stage.Person("chair").name, "主持主任会议审定",
                    [&stage] { return Close(stage); }});
  steps->push_back(
      {"Reserved", "5.4", "资金服务", "预留资助资金", [&stage] { return AwaitReserved(stage); }});
}

}  // namespace yuezhan::yz
