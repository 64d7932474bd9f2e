// Every decision keeps the facts that it rests on in its entry of the journal, with findings and
// policy beside it.
#include <map>
#include <set>

#include "gtest/gtest.h"
#include "services/registry/test_tracking.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {
namespace {

// By request, and what is judged of it.
const std::map<std::string, std::string> kFactsOf = {
    {"AcceptFilingRequest", "FilingFacts"},
    {"RefuseFilingRequest", "FilingFacts"},
    {"CorrectStationRequest", "FilingFacts"},
    {"RecordActivityRequest", "ActivityFacts"},
    {"CorrectActivityRequest", "ActivityFacts"},
    {"RecordEvaluationRequest", "EvaluationFacts"},
    {"NotifyEvaluationRequest", "EvaluationFacts"},
    {"RequestEvaluationReviewRequest", "EvaluationFacts"},
    {"DecideEvaluationReviewRequest", "EvaluationFacts"},
    {"SupersedeEvaluationRequest", "EvaluationFacts"},
    {"SubmitUseReportRequest", "UseOfMoneyFacts"},
    {"ReviewUseReportRequest", "UseOfMoneyFacts"},
};

std::string TypeOf(const google::protobuf::Any& any) {
  return any.type_url().substr(any.type_url().rfind('.') + 1);
}

class Decisions : public Tracking {
 protected:
  void RefuseAndCorrect(const std::string& station) {
    auto refuse = With<v1::RefuseFilingRequest>(registry_.File().name());
    refuse.set_reason("材料不实");
    v1::Station ignored;
    EXPECT_TRUE(registry_.Call(&Handlers::RefuseFiling, "RefuseFiling", refuse, &ignored).ok());
    const v1::Station before = registry_.Get(station);
    auto correct = With<v1::CorrectStationRequest>(station);
    *correct.mutable_form() = before.form();
    correct.mutable_form()->set_office_address("岳阳市云溪区演示路2号");
    correct.set_etag(before.etag());
    correct.set_reason("地址变更");
    const auto status =
        registry_.Call(&Handlers::CorrectStation, "CorrectStation", correct, &ignored);
    EXPECT_TRUE(status.ok()) << status;
  }
  void RecordAndCorrectActivity(const std::string& station) {
    v1::RecordActivityRequest record;
    record.set_request_id(NewUuid());
    record.set_parent(station);
    record.mutable_activity()->set_kind(common::v1::WORK_KIND_ACADEMIC_EXCHANGE);
    *record.mutable_activity()->mutable_date() = DayToProto(Day(2025, 5, 1));
    record.mutable_activity()->set_title("技术交流会");
    v1::Activity activity;
    EXPECT_TRUE(
        registry_.Call(&Handlers::RecordActivity, "RecordActivity", record, &activity).ok());
    auto correct = With<v1::CorrectActivityRequest>(activity.name());
    *correct.mutable_activity() = record.activity();
    correct.set_reason("人数有误");
    correct.set_version(1);
    EXPECT_TRUE(
        registry_.Call(&Handlers::CorrectActivity, "CorrectActivity", correct, &activity).ok());
  }
};

TEST_F(Decisions, KeepTheirFacts) {
  const std::string station = Station();
  RefuseAndCorrect(station);
  RecordAndCorrectActivity(station);
  const auto failed = Evaluate(station, 50);
  ASSERT_TRUE(failed.ok()) << failed.status();
  ASSERT_TRUE(Notify(failed->name()).ok());
  ASSERT_TRUE(AskForReview(failed->name()).ok());
  ASSERT_TRUE(Decide(failed->name(), 70, "reviewer-2").ok());
  ASSERT_TRUE(Supersede(failed->name(), 80).ok());
  const v1::UseReport report = Report(station);
  ASSERT_TRUE(Submit(report.name(), 4'000'000, 4'000'000).ok());
  ASSERT_TRUE(Review(report.name(), true).ok());
  std::set<std::string> seen;
  for (const auto& part : registry_.host().PrivateParts()) {
    const auto facts = kFactsOf.find(TypeOf(part.request()));
    if (facts == kFactsOf.end()) continue;
    seen.insert(facts->first);
    int kept = 0;
    for (const auto& any : part.events()) kept += TypeOf(any) == facts->second;
    EXPECT_EQ(kept, 1) << facts->first;
  }
  EXPECT_EQ(seen.size(), kFactsOf.size());
  const auto judged = registry_.host().PrivateEvents<v1::ActivityJudged>();
  ASSERT_EQ(judged.size(), 2u);
  for (const auto& each : judged) {
    EXPECT_GT(each.findings_size(), 0);
    EXPECT_EQ(each.policy().version(), "yueyang-2021");
    EXPECT_EQ(each.policy().digest().size(), 64u);
  }
  EXPECT_EQ(judged[1].version(), 2);
}

}  // namespace
}  // namespace yuezhan::registry
