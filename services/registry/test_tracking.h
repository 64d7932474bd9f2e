#ifndef YUEZHAN_SERVICES_REGISTRY_TEST_TRACKING_H_
#define YUEZHAN_SERVICES_REGISTRY_TEST_TRACKING_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "gtest/gtest.h"
#include "services/registry/test_registry.h"

namespace yuezhan::registry {

// Evaluations and reports of a station in operation.
class Tracking : public testing::Test {
 protected:
  std::string Station() {
    const std::string name = registry_.File().name();
    EXPECT_TRUE(registry_.Accept(name).ok());
    return name;
  }
  // One of several, of a society of its own.
  std::string Station(int number) {
    v1::FileStationRequest request = registry_.FileRequest();
    request.mutable_form()->set_display_name(Concat({"服务站", std::to_string(number)}));
    request.mutable_form()->mutable_society()->set_name(Concat({"学会", std::to_string(number)}));
    const std::string name = registry_.File(request).name();
    EXPECT_TRUE(registry_.Accept(name).ok());
    return name;
  }
  // All six dimensions alike.
  template <typename Request>
  void Score(int points, Request* request) {
    for (const char* code : {"support-system", "talent-introduction", "technical-cooperation",
                             "technical-service", "academic-exchange", "results"}) {
      auto* score = request->add_scores();
      score->set_code(code);
      score->set_score_hundredths(points * 100);
    }
  }
  absl::StatusOr<v1::Evaluation> Evaluate(const std::string& station, int points,
                                          bool told = false, int year = 2025) {
    v1::RecordEvaluationRequest request;
    request.set_request_id(NewUuid());
    request.set_parent(station);
    request.set_year(year);
    Score(points, &request);
    if (told) *request.mutable_told_on() = DayToProto(registry_.today());
    v1::Evaluation evaluation;
    const auto status =
        registry_.Call(&Handlers::RecordEvaluation, "RecordEvaluation", request, &evaluation);
    if (!status.ok()) return status;
    return evaluation;
  }
  absl::StatusOr<v1::Evaluation> AskForReview(const std::string& name) {
    auto request = With<v1::RequestEvaluationReviewRequest>(name);
    request.set_reason("有三项成果未计入");
    v1::Evaluation evaluation;
    const auto status = registry_.CallAs(registry_.host_unit(registry_.unit().name()),
                                         &Handlers::RequestEvaluationReview,
                                         "RequestEvaluationReview", request, &evaluation);
    if (!status.ok()) return status;
    return evaluation;
  }
  absl::StatusOr<v1::Evaluation> Decide(const std::string& name, int points,
                                        std::string_view subject) {
    auto request = With<v1::DecideEvaluationReviewRequest>(name);
    request.set_reason("已复核材料");
    Score(points, &request);
    v1::Evaluation evaluation;
    const auto status =
        registry_.CallAs(registry_.person(Role::kReviewer, subject),
                         &Handlers::DecideEvaluationReview, "DecideEvaluationReview", request,
                         &evaluation);
    if (!status.ok()) return status;
    return evaluation;
  }
  absl::StatusOr<v1::Evaluation> Supersede(const std::string& name, int points) {
    auto request = With<v1::SupersedeEvaluationRequest>(name);
    request.set_reason("评分录入有误");
    Score(points, &request);
    v1::Evaluation evaluation;
    const auto status =
        registry_.Call(&Handlers::SupersedeEvaluation, "SupersedeEvaluation", request, &evaluation);
    if (!status.ok()) return status;
    return evaluation;
  }
  absl::Status Notify(const std::string& name) {
    auto request = With<v1::NotifyEvaluationRequest>(name);
    *request.mutable_told_on() = DayToProto(registry_.today());
    v1::Evaluation ignored;
    return registry_.Call(&Handlers::NotifyEvaluation, "NotifyEvaluation", request, &ignored);
  }
  v1::Evaluation Get(const std::string& name) {
    v1::GetEvaluationRequest request;
    request.set_name(name);
    v1::Evaluation evaluation;
    EXPECT_TRUE(
        registry_.Call(&Handlers::GetEvaluation, "GetEvaluation", request, &evaluation).ok());
    return evaluation;
  }
  v1::HostUnit Host() {
    v1::GetHostUnitRequest request;
    request.set_name(registry_.unit().name());
    v1::HostUnit unit;
    EXPECT_TRUE(registry_.Call(&Handlers::GetHostUnit, "GetHostUnit", request, &unit).ok());
    return unit;
  }
  int Debarred() {
    v1::ListHostUnitsRequest request;
    request.set_filter("debarred = true");
    v1::ListHostUnitsResponse answer;
    EXPECT_TRUE(registry_.Call(&Handlers::ListHostUnits, "ListHostUnits", request, &answer).ok());
    return answer.host_units_size();
  }
  v1::UseReport Report(const std::string& station) {
    registry_.Apply(registry_.Settled(station));
    v1::ListUseReportsRequest request;
    request.set_filter(Concat({"station = ", station}));
    v1::ListUseReportsResponse answer;
    EXPECT_TRUE(registry_.Call(&Handlers::ListUseReports, "ListUseReports", request, &answer).ok());
    EXPECT_EQ(answer.use_reports_size(), 1);
    return answer.use_reports(0);
  }
  absl::Status Submit(const std::string& name, int64_t on_station_fen, int64_t spent_fen) {
    auto request = With<v1::SubmitUseReportRequest>(name);
    *request.mutable_use()->mutable_spent_on_station() = MoneyOf(on_station_fen);
    *request.mutable_use()->mutable_spent() = MoneyOf(spent_fen);
    request.mutable_use()->set_description("专家工作补贴");
    v1::UseReport ignored;
    return registry_.CallAs(registry_.host_unit(registry_.unit().name()),
                            &Handlers::SubmitUseReport, "SubmitUseReport", request, &ignored);
  }
  absl::Status Review(const std::string& name, bool accepted) {
    auto request = With<v1::ReviewUseReportRequest>(name);
    request.set_accepted(accepted);
    request.set_reason("已核");
    v1::UseReport ignored;
    return registry_.Call(&Handlers::ReviewUseReport, "ReviewUseReport", request, &ignored);
  }

  TestRegistry registry_;
};

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_TEST_TRACKING_H_
