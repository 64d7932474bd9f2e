#include <functional>

#include "common/base/digest.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/registry/test_tracking.h"
#include "services/registry/transitions.h"

namespace yuezhan::registry {
namespace {

using testing::HasSubstr;

TEST_F(Tracking, AFailureIsProvisionalUntilAnotherOfficerDecidedItsReview) {
  const std::string station = Station();
  const auto failed = Evaluate(station, 50);
  ASSERT_TRUE(failed.ok()) << failed.status();
  EXPECT_EQ(failed->state(), v1::EVALUATION_STATE_PROVISIONAL);
  EXPECT_EQ(failed->grade(), "fail");
  EXPECT_EQ(Host().debarments_size(), 0);
  EXPECT_EQ(errors::Reason(Evaluate(station, 90).status()), "ALREADY_EXISTS");

  EXPECT_FALSE(AskForReview(failed->name()).ok()) << "not told yet";
  ASSERT_TRUE(Notify(failed->name()).ok());
  const auto asked = AskForReview(failed->name());
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->state(), v1::EVALUATION_STATE_UNDER_REVIEW);

  const auto same = Decide(failed->name(), 50, registry_.officer().caller.subject);
  EXPECT_EQ(errors::Reason(same.status()), "REFUSED");
  EXPECT_EQ(Get(failed->name()).state(), v1::EVALUATION_STATE_UNDER_REVIEW);
  const auto decided = Decide(failed->name(), 55, "another-officer");
  ASSERT_TRUE(decided.ok()) << decided.status();
  EXPECT_EQ(decided->state(), v1::EVALUATION_STATE_FINAL);
  EXPECT_EQ(decided->review().former_scores(0).score_hundredths(), 5000);
  ASSERT_EQ(Host().debarments_size(), 1);
  EXPECT_EQ(Host().debarments(0).evaluation(), failed->name());
  EXPECT_EQ(Debarred(), 1);

  auto lift = With<v1::LiftDebarmentRequest>(decided->debarment());
  lift.set_reason("整改合格");
  v1::Debarment lifted;
  ASSERT_TRUE(registry_.Call(&Handlers::LiftDebarment, "LiftDebarment", lift, &lifted).ok());
  EXPECT_EQ(lifted.lifted_by(), registry_.officer().caller.subject);
  EXPECT_EQ(Debarred(), 0);
  lift.set_request_id(NewUuid());
  const auto twice = registry_.Call(&Handlers::LiftDebarment, "LiftDebarment", lift, &lifted);
  EXPECT_EQ(errors::Reason(twice), "STATE_FORBIDS");
}

TEST_F(Tracking, AReviewThatPassesDebarsNobody) {
  const auto failed = Evaluate(Station(), 50, true);
  ASSERT_TRUE(AskForReview(failed->name()).ok());
  const auto decided = Decide(failed->name(), 70, "another-officer");
  ASSERT_TRUE(decided.ok()) << decided.status();
  EXPECT_TRUE(decided->passed());
  EXPECT_EQ(decided->state(), v1::EVALUATION_STATE_FINAL);
  EXPECT_EQ(Host().debarments_size(), 0);
}

TEST_F(Tracking, AFailureThatNobodyAskedToReviewBecomesFinalByItself) {
  const auto failed = Evaluate(Station(), 50, true);
  ASSERT_TRUE(failed.ok());
  ASSERT_TRUE(registry_.handlers().FinalizeEvaluations().ok());
  EXPECT_EQ(Get(failed->name()).state(), v1::EVALUATION_STATE_PROVISIONAL);
  const Day until = *DayFromProto(failed->review_until());
  registry_.Advance(static_cast<int>(until - registry_.today()));
  ASSERT_TRUE(registry_.handlers().FinalizeEvaluations().ok());
  EXPECT_EQ(Get(failed->name()).state(), v1::EVALUATION_STATE_PROVISIONAL) << "the last day is his";
  registry_.Advance(1);
  // Late, though the timer did not come by yet.
  EXPECT_EQ(errors::Reason(AskForReview(failed->name()).status()), "REFUSED");
  ASSERT_TRUE(registry_.handlers().FinalizeEvaluations().ok());
  ASSERT_TRUE(registry_.handlers().FinalizeEvaluations().ok());
  const auto final = Get(failed->name());
  EXPECT_EQ(final.state(), v1::EVALUATION_STATE_FINAL);
  ASSERT_EQ(Host().debarments_size(), 1);
  EXPECT_EQ(*DayFromProto(Host().debarments(0).from()), until + 1);
}

TEST_F(Tracking, AnEvaluationIsCorrectedByOneThatSupersedesIt) {
  const std::string station = Station();
  const auto failed = Evaluate(station, 50, true);
  registry_.Advance(60);
  ASSERT_TRUE(registry_.handlers().FinalizeEvaluations().ok());
  EXPECT_EQ(Debarred(), 1);
  ASSERT_TRUE(Supersede(failed->name(), 85).ok());
  const auto old = Get(failed->name());
  EXPECT_EQ(old.state(), v1::EVALUATION_STATE_SUPERSEDED);
  const auto now = Get(old.superseded_by());
  EXPECT_EQ(now.supersedes(), failed->name());
  EXPECT_EQ(now.reason(), "评分录入有误");
  EXPECT_EQ(now.grade(), "good");
  EXPECT_EQ(Debarred(), 0);
  EXPECT_TRUE(Host().debarments(0).has_lifted_on());
  v1::ListEvaluationsRequest list;
  list.set_parent(station);
  v1::ListEvaluationsResponse all;
  ASSERT_TRUE(registry_.Call(&Handlers::ListEvaluations, "ListEvaluations", list, &all).ok());
  EXPECT_EQ(all.evaluations_size(), 2);
}

// Every method in every state: allowed just where the tables say so, refused with what to do.
TEST_F(Tracking, TransitionsNoneBesideTheTables) {
  const auto check = [](const Transitions& table, int from, std::string_view method,
                        const absl::Status& status) {
    bool allowed = false;
    for (const Transition& t : table.table()) allowed |= t.from == from && t.method == method;
    if (allowed) {
      EXPECT_TRUE(status.ok()) << method << " from " << from << ": " << status;
      return;
    }
    EXPECT_EQ(errors::Reason(status), "STATE_FORBIDS") << method << " from " << from;
    EXPECT_EQ(errors::Metadata(status, "state"), table.StateName(from)) << method;
    EXPECT_FALSE(errors::Metadata(status, "allowed_states").empty()) << method;
  };
  using Step = std::function<absl::Status(const std::string&)>;
  const std::map<std::string_view, Step> evaluation = {
      {"NotifyEvaluation", [&](const std::string& name) { return Notify(name); }},
      {"RequestEvaluationReview",
       [&](const std::string& name) { return AskForReview(name).status(); }},
      {"DecideEvaluationReview",
       [&](const std::string& name) { return Decide(name, 50, "another-officer").status(); }},
      {"SupersedeEvaluation",
       [&](const std::string& name) { return Supersede(name, 90).status(); }},
  };
  const std::map<int, std::vector<std::string_view>> ways = {
      {v1::EVALUATION_STATE_PROVISIONAL, {}},
      {v1::EVALUATION_STATE_UNDER_REVIEW, {"RequestEvaluationReview"}},
      {v1::EVALUATION_STATE_FINAL, {"RequestEvaluationReview", "DecideEvaluationReview"}},
      {v1::EVALUATION_STATE_SUPERSEDED, {"SupersedeEvaluation"}},
  };
  const std::string station = Station();
  int year = 2024;
  for (const auto& [state, way] : ways) {
    for (const auto& [method, step] : evaluation) {
      // Told where the method needs it, not yet where it tells.
      const bool told = method != "NotifyEvaluation" || state != v1::EVALUATION_STATE_PROVISIONAL;
      const std::string name = Evaluate(year == 2024 ? station : Station(), 50, told, 2024)->name();
      ++year;
      for (const auto each : way) ASSERT_TRUE(evaluation.at(each)(name).ok()) << each;
      ASSERT_EQ(Get(name).state(), state);
      check(EvaluationTransitions(), state, method, step(name));
    }
  }
  const std::map<std::string_view, Step> report = {
      {"SubmitUseReport", [&](const std::string& name) { return Submit(name, 1000, 1000); }},
      {"ReviewUseReport", [&](const std::string& name) { return Review(name, true); }},
  };
  for (const int state : {v1::USE_REPORT_STATE_DUE, v1::USE_REPORT_STATE_SUBMITTED,
                          v1::USE_REPORT_STATE_RETURNED, v1::USE_REPORT_STATE_ACCEPTED}) {
    for (const auto& [method, step] : report) {
      const std::string name = Report(Station()).name();
      absl::Status way;
      if (state != v1::USE_REPORT_STATE_DUE) way.Update(Submit(name, 1000, 1000));
      if (state == v1::USE_REPORT_STATE_RETURNED) way.Update(Review(name, false));
      if (state == v1::USE_REPORT_STATE_ACCEPTED) way.Update(Review(name, true));
      ASSERT_TRUE(way.ok()) << way;
      const absl::Status status = step(name);
      check(UseReportTransitions(), state, method, status);
      if (state == v1::USE_REPORT_STATE_DUE && method == "ReviewUseReport") {
        EXPECT_EQ(errors::Metadata(status, "method"), "SubmitUseReport") << "the way there";
      }
    }
  }
}

TEST_F(Tracking, AReportIsDueAYearAfterPaymentAndListedWhenItIsOverdue) {
  const v1::UseReport due = Report(Station());
  EXPECT_EQ(due.state(), v1::USE_REPORT_STATE_DUE);
  EXPECT_EQ(*DayFromProto(due.due_on()), Day(2027, 9, 15));
  const auto overdue = [&] {
    v1::ListUseReportsRequest request;
    request.set_overdue(true);
    v1::ListUseReportsResponse answer;
    EXPECT_TRUE(registry_.Call(&Handlers::ListUseReports, "ListUseReports", request, &answer).ok());
    return answer.use_reports_size();
  };
  registry_.Advance(365);
  EXPECT_EQ(overdue(), 0);
  registry_.Advance(1);
  EXPECT_EQ(overdue(), 1);
  // Most of it went elsewhere: handed in, but not accepted.
  ASSERT_TRUE(Submit(due.name(), 1'000'000, 4'000'000).ok());
  EXPECT_EQ(overdue(), 0);
  EXPECT_EQ(errors::Reason(Review(due.name(), true)), "REFUSED");
  ASSERT_TRUE(Review(due.name(), false).ok());
  EXPECT_EQ(overdue(), 1);
  ASSERT_TRUE(Submit(due.name(), 4'000'000, 4'000'000).ok());
  ASSERT_TRUE(Review(due.name(), true).ok());
  EXPECT_EQ(overdue(), 0);
}

// Calls that are answered together: all or none, each with its row of the journal.
TEST_F(Tracking, ActivitiesAreRecordedTogetherOrNoneIs) {
  std::vector<v1::RecordActivityRequest> requests(3);
  for (size_t i = 0; i < requests.size(); ++i) {
    requests[i].set_request_id(NewUuid());
    requests[i].set_parent(Station(static_cast<int>(i)));
    requests[i].mutable_activity()->set_kind(common::v1::WORK_KIND_ACADEMIC_EXCHANGE);
    *requests[i].mutable_activity()->mutable_date() = DayToProto(Day(2025, 5, 1));
    requests[i].mutable_activity()->set_title(absl::StrCat("技术交流会", i));
  }
  std::vector<v1::Activity> answers(requests.size());
  Context context = registry_.officer();
  context.method = "yuezhan.registry.v1.RegistryService/RecordActivity";
  const auto record = [&] {
    rpc::AskedList<v1::RecordActivityRequest, v1::Activity> asked;
    for (size_t i = 0; i < requests.size(); ++i) {
      asked.push_back({context, requests[i], &answers[i]});
    }
    return registry_.handlers().RecordActivity(asked);
  };
  const int64_t rows = registry_.Count("journal");
  *requests[1].mutable_activity()->mutable_date() = DayToProto(registry_.today() + 1);
  EXPECT_EQ(errors::Reason(record()), "REFUSED");
  EXPECT_EQ(registry_.Count("activities"), 0);
  EXPECT_EQ(registry_.Count("journal"), rows);
  *requests[1].mutable_activity()->mutable_date() = DayToProto(Day(2025, 5, 1));
  ASSERT_TRUE(record().ok());
  EXPECT_EQ(registry_.Count("activities"), 3);
  EXPECT_EQ(registry_.Count("activity_versions"), 3);
  EXPECT_EQ(registry_.Count("journal"), rows + 3);
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(answers[i].title(), requests[i].activity().title());
    EXPECT_EQ(answers[i].name().find(requests[i].parent()), 0u);
  }
}

TEST_F(Tracking, StandingsOfSeveralComeInTheirOrder) {
  const std::string a = Station(1), b = Station(2);
  v1::BatchGetStandingsRequest request;
  for (const std::string& station : {b, a, b}) request.add_stations(station);
  v1::BatchGetStandingsResponse answer;
  const auto get = [&] {
    return registry_.Call(&Handlers::BatchGetStandings, "BatchGetStandings", request, &answer);
  };
  ASSERT_TRUE(get().ok());
  ASSERT_EQ(answer.standings_size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(answer.standings(i).station().station(), request.stations(i));
    v1::GetStandingRequest one;
    one.set_station(request.stations(i));
    rules::v1::StandingFacts alone;
    ASSERT_TRUE(registry_.Call(&Handlers::GetStanding, "GetStanding", one, &alone).ok());
    EXPECT_EQ(answer.standings(i).SerializeAsString(), alone.SerializeAsString());
  }
  request.add_stations(Name("stations", NewUuid()));
  EXPECT_EQ(get().code(), absl::StatusCode::kNotFound);
}

TEST_F(Tracking, CorrectedActivitiesKeepTheirEarlierVersions) {
  const std::string station = Station();
  v1::RecordActivityRequest record;
  record.set_request_id(NewUuid());
  record.set_parent(station);
  record.mutable_activity()->set_kind(common::v1::WORK_KIND_ACADEMIC_EXCHANGE);
  *record.mutable_activity()->mutable_date() = DayToProto(Day(2025, 5, 1));
  record.mutable_activity()->set_title("技术交流会");
  record.mutable_activity()->set_participants(30);
  v1::Activity first;
  ASSERT_TRUE(registry_.Call(&Handlers::RecordActivity, "RecordActivity", record, &first).ok());

  auto correct = With<v1::CorrectActivityRequest>(first.name());
  *correct.mutable_activity() = record.activity();
  correct.mutable_activity()->set_participants(300);
  correct.set_reason("人数有误");
  correct.set_version(1);
  v1::Activity second;
  ASSERT_TRUE(registry_.Call(&Handlers::CorrectActivity, "CorrectActivity", correct, &second).ok());
  EXPECT_EQ(second.version(), 2);
  correct.set_request_id(NewUuid());
  EXPECT_EQ(errors::Reason(registry_.Call(&Handlers::CorrectActivity, "CorrectActivity", correct,
                                          &second)),
            "ETAG_MISMATCH");
  v1::GetActivityRequest get;
  get.set_name(first.name());
  v1::Activity read;
  ASSERT_TRUE(registry_.Call(&Handlers::GetActivity, "GetActivity", get, &read).ok());
  EXPECT_EQ(read.participants(), 300);
  get.set_version(1);
  ASSERT_TRUE(registry_.Call(&Handlers::GetActivity, "GetActivity", get, &read).ok());
  EXPECT_EQ(read.participants(), 30);

  v1::SumActivitiesResponse sums;
  v1::SumActivitiesRequest sum;
  sum.set_parent(station);
  ASSERT_TRUE(registry_.Call(&Handlers::SumActivities, "SumActivities", sum, &sums).ok());
  ASSERT_EQ(sums.sums_size(), 1);
  EXPECT_EQ(sums.sums(0).year(), 2025);
  EXPECT_EQ(sums.sums(0).participants(), 300);
}

TEST_F(Tracking, EvidenceBelongsToItsStation) {
  const std::string station = Station(), other = Station();
  const std::string bytes = "%PDF-1.7\n" + std::string(2000, 'x') + "\n%%EOF\n";
  v1::StartEvidenceRequest start;
  start.set_request_id(NewUuid());
  start.set_parent(station);
  start.set_file_name("签到表.pdf");
  start.set_size_bytes(static_cast<int64_t>(bytes.size()));
  v1::EvidenceUpload upload;
  ASSERT_TRUE(registry_.Call(&Handlers::StartEvidence, "StartEvidence", start, &upload).ok());
  v1::WriteEvidenceRequest write;
  write.set_upload(upload.name());
  write.set_data(bytes);
  ASSERT_TRUE(registry_.Call(&Handlers::WriteEvidence, "WriteEvidence", write, &upload).ok());
  auto finish = With<v1::FinishEvidenceRequest>(upload.name());
  finish.set_sha256(ToHex(Sha256(bytes)));
  v1::Evidence evidence;
  const auto finished =
      registry_.Call(&Handlers::FinishEvidence, "FinishEvidence", finish, &evidence);
  ASSERT_TRUE(finished.ok()) << finished;
  EXPECT_EQ(evidence.media_type(), "application/pdf");
  v1::ReadEvidenceRequest read;
  read.set_name(evidence.name());
  v1::ReadEvidenceResponse chunk;
  ASSERT_TRUE(registry_.Call(&Handlers::ReadEvidence, "ReadEvidence", read, &chunk).ok());
  EXPECT_EQ(chunk.data(), bytes);
  const Context stranger = registry_.host_unit(Name("hostUnits", NewUuid()));
  EXPECT_EQ(errors::Reason(registry_.CallAs(stranger, &Handlers::ReadEvidence, "ReadEvidence", read,
                                            &chunk)),
            "NOT_FOUND");

  v1::RecordActivityRequest record;
  record.mutable_activity()->set_kind(common::v1::WORK_KIND_ACADEMIC_EXCHANGE);
  *record.mutable_activity()->mutable_date() = DayToProto(Day(2025, 5, 1));
  record.mutable_activity()->set_title("技术交流会");
  record.mutable_activity()->add_evidence(evidence.name());
  v1::Activity activity;
  for (const auto& [parent, ok] : {std::pair{station, true}, {other, false}}) {
    record.set_request_id(NewUuid());
    record.set_parent(parent);
    const auto status =
        registry_.Call(&Handlers::RecordActivity, "RecordActivity", record, &activity);
    EXPECT_EQ(status.ok(), ok) << status;
    if (!ok) {
      EXPECT_THAT(std::string(status.message()), HasSubstr("activity.evidence[0]"));
    }
  }
}

}  // namespace
}  // namespace yuezhan::registry
