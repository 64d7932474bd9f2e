// Objections are examined by someone who took no part, and the meeting resolves: articles 5.3, 5.4.
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {
namespace {

absl::StatusOr<std::string> File(Stage& stage, const DemoObjection& input) {
  review::v1::FileObjectionRequest request;
  request.set_parent(stage.notice);
  *request.mutable_objection() = input.objection;
  request.mutable_objection()->set_case_name(stage.names[input.station].review_case);
  YZ_ASSIGN_OR_RETURN(const auto filed,
                      stage.Call<review::v1::Objection>(stage.Person("citizen"), "review",
                                                        "FileObjection", request, input.station));
  stage.names[input.station].objection = filed.name();
  return std::string(filed.holds() ? "已收到，该项资助暂停" : "已收到");
}

absl::StatusOr<std::string> Admit(Stage& stage, const DemoObjection& input) {
  review::v1::AdmitObjectionRequest request;
  request.set_name(stage.names[input.station].objection);
  request.set_accepted(true);
  request.set_reason(input.admission);
  YZ_RETURN_IF_ERROR(stage
                         .Call<review::v1::Objection>(stage.Person("review-head"), "review",
                                                      "AdmitObjection", request, input.station)
                         .status());
  return absl::StrCat("受理：", input.admission);
}

absl::StatusOr<std::string> Report(Stage& stage, const DemoObjection& input) {
  review::v1::ReportExaminationRequest request;
  request.set_name(stage.names[input.station].objection);
  request.set_report(input.report);
  YZ_RETURN_IF_ERROR(stage
                         .Call<review::v1::Objection>(stage.Person("examiner"), "review",
                                                      "ReportExamination", request, input.station)
                         .status());
  return input.report;
}

absl::StatusOr<std::string> ConveneOnObjection(Stage& stage) {
  review::v1::ConveneMeetingRequest request;
  for (const DemoObjection& input : stage.scenario.objections) {
    review::v1::MeetingItem& item = *request.add_items();
    item.set_case_name(stage.names[input.station].review_case);
    item.set_objection(stage.names[input.station].objection);
  }
  YZ_ASSIGN_OR_RETURN(const auto meeting,
                      stage.Call<review::v1::Meeting>(stage.Person("secretary"), "review",
                                                      "ConveneMeeting", request, "second"));
  stage.second_meeting = meeting.name();
  return absl::StrCat("议题", meeting.items_size(), "项");
}

absl::StatusOr<std::string> CloseOnObjection(Stage& stage) {
  review::v1::CloseMeetingRequest request;
  request.set_name(stage.second_meeting);
  *request.mutable_facts() = stage.scenario.second_meeting;
  AddAttending(stage, &request);
  std::string result;
  for (const DemoObjection& input : stage.scenario.objections) {
    review::v1::MeetingItem& item = *request.add_items();
    item.set_case_name(stage.names[input.station].review_case);
    item.set_objection(stage.names[input.station].objection);
    item.set_objection_resolution(input.resolution);
    absl::StrAppend(
        &result, result.empty() ? "" : "；",
        stage.scenario.Station(input.station).form.display_name(),
        input.resolution == review::v1::OBJECTION_RESOLUTION_CANCEL ? "取消资助" : "维持资助");
  }
  YZ_RETURN_IF_ERROR(stage
                         .Call<review::v1::Meeting>(stage.Person("secretary"), "review",
                                                    "CloseMeeting", request, "second")
                         .status());
  return result;
}

absl::StatusOr<std::string> Answer(Stage& stage, const DemoObjection& input) {
  review::v1::AnswerObjectionRequest request;
  request.set_name(stage.names[input.station].objection);
  request.set_answer(input.answer);
  YZ_RETURN_IF_ERROR(stage
                         .Call<review::v1::Objection>(stage.Person("review-head"), "review",
                                                      "AnswerObjection", request, input.station)
                         .status());
  return input.answer;
}

// The cancelled award's money is free again.
absl::StatusOr<std::string> AwaitReleased(Stage& stage) {
  for (const DemoStation& station : stage.scenario.stations) {
    if (station.story != Story::kObjectionCancelled) continue;
    payment::v1::GetAwardRequest request;
    request.set_case_name(stage.names[station.key].review_case);
    request.set_wait_ms(2000);
    request.set_wait_for_state(payment::v1::AWARD_STATE_RELEASED);
    YZ_RETURN_IF_ERROR(stage
                           .Await<payment::v1::Award>(
                               stage.Person("payment-officer"), "payment", "GetAward", request,
                               [](const payment::v1::Award& award) {
                                 return award.state() == payment::v1::AWARD_STATE_RELEASED;
                               })
                           .status());
  }
  payment::v1::GetFundRequest request;
  request.set_name(stage.fund);
  YZ_ASSIGN_OR_RETURN(const auto fund,
                      stage.Call<payment::v1::Fund>(stage.Person("payment-officer"), "payment",
                                                    "GetFund", request));
  return absl::StrCat("预留资金已退回，可用", Yuan(fund.free()), "，预留", Yuan(fund.reserved()));
}

}  // namespace

void AddObjections(Stage& stage, std::vector<DemoStep>* steps) {
  struct Act {
    const char* name;
    const char* person;
    const char* what;
    absl::StatusOr<std::string> (*act)(Stage&, const DemoObjection&);
  };
  const auto add = [&](const Act& row) {
    for (const DemoObjection& input : stage.scenario.objections) {
      const DemoStation& station = stage.scenario.Station(input.station);
      steps->push_back({absl::StrCat(row.name, "-", input.station), "5.3",
                        stage.Person(row.person).name,
                        absl::StrCat(row.what, " ", station.form.display_name()),
                        [&stage, &input, act = row.act] { return act(stage, input); }});
    }
  };
  AddDay(stage, "objection", "公示期内", steps);
  add({"FileObjection", "citizen", "提出异议", &File});
  AddDay(stage, "admission", "节后第一个工作日", steps);
  add({"AdmitObjection", "review-head", "审查异议", &Admit});
  AddDay(stage, "examination", "核查异议", steps);
  add({"ReportExamination", "examiner", "报告核查结果", &Report});
  AddDay(stage, "second-meeting", "主任会议", steps);
  steps->push_back({"ConveneMeeting-objections", "5.2", stage.Person("secretary").name,
                    "召集主任会议研究异议", [&stage] { return ConveneOnObjection(stage); }});
  steps->push_back({"CloseMeeting-objections", "5.2", stage.Person("chair").name,
                    "主持主任会议研究异议", [&stage] { return CloseOnObjection(stage); }});
  add({"AnswerObjection", "review-head", "答复异议人", &Answer});
  steps->push_back({"Released", "5.4", "资金服务", "释放被取消的资助",
                    [&stage] { return AwaitReleased(stage); }});
}

}  // namespace yuezhan::yz
