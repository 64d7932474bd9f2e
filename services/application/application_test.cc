#include <atomic>
#include <set>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/application/test_application.h"

namespace yuezhan::application {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(Draft, TakesOverStationAndHostAsRegistered) {
  TestApplication test;
  const v1::Application draft = test.Create();
  EXPECT_EQ(draft.state(), v1::APPLICATION_STATE_DRAFT);
  EXPECT_EQ(draft.host_unit(), test.host_unit());
  EXPECT_EQ(draft.station_name(), "绿色化工服务站（演示）");
  EXPECT_EQ(draft.society_name(), "湖南省化学化工学会");
  EXPECT_EQ(draft.account().number(), "6222000000000001");
  EXPECT_EQ(draft.create_time().seconds(), absl::ToUnixSeconds(test.host().clock().Now()));
  EXPECT_THAT(draft.next_step_zh(), Not(IsEmpty()));
  EXPECT_EQ(test.Get(draft.name()).SerializeAsString(), draft.SerializeAsString());
}

TEST(Draft, IsRefusedForWhatTheApplicantMaySee) {
  TestApplication test;
  EXPECT_EQ(test.Try(&Handlers::CreateApplication, test.CreateRequest(Name("stations", NewUuid())))
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(test.TryAs(test.other_applicant(), &Handlers::CreateApplication,
                       test.CreateRequest(test.station()))
                .status()
                .code(),
            absl::StatusCode::kNotFound);
  v1::CreateApplicationRequest no_amount = test.CreateRequest(test.station());
  no_amount.mutable_form()->clear_requested_amount();
  EXPECT_EQ(errors::Reason(test.Try(&Handlers::CreateApplication, no_amount).status()),
            "INVALID_FIELD");
  test.registry().status = absl::PermissionDeniedError("not the caller's fault");
  EXPECT_EQ(
      errors::Reason(
          test.Try(&Handlers::CreateApplication, test.CreateRequest(test.station())).status()),
      "UNAVAILABLE");
  EXPECT_EQ(test.Count("applications"), 0);
}

TEST(Draft, IsChangedByItsEtag) {
  TestApplication test;
  const v1::Application draft = test.Create();
  v1::UpdateApplicationRequest request;
  request.set_request_id(NewUuid());
  request.set_name(draft.name());
  *request.mutable_form() = draft.form();
  request.mutable_form()->set_main_content("另一内容");
  request.set_etag(draft.etag());
  const auto updated = test.Try(&Handlers::UpdateApplication, request);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->form().main_content(), "另一内容");
  EXPECT_NE(updated->etag(), draft.etag());
  EXPECT_EQ(test.Try(&Handlers::UpdateApplication, request)->etag(), updated->etag()) << "replay";

  request.set_request_id(NewUuid());
  EXPECT_EQ(errors::Reason(test.Try(&Handlers::UpdateApplication, request).status()),
            "ETAG_MISMATCH");
  request.set_etag(updated->etag());
  request.mutable_form()->set_station(test.second_filing());
  EXPECT_EQ(errors::Reason(test.Try(&Handlers::UpdateApplication, request).status()),
            "INVALID_FIELD");
}

TEST(Submission, KeepsWhatItRestsOnAndTellsReview) {
  TestApplication test;
  const v1::Application submitted = test.Submitted();
  EXPECT_EQ(submitted.state(), v1::APPLICATION_STATE_SUBMITTED);
  EXPECT_EQ(submitted.submissions(), 1);
  EXPECT_FALSE(submitted.findings().empty());
  EXPECT_EQ(submitted.policy().version(), "yueyang-2021");

  v1::GetSubmissionRequest request;
  request.set_application(submitted.name());
  const auto submission = test.Try(&Handlers::GetSubmission, request);
  ASSERT_TRUE(submission.ok()) << submission.status();
  EXPECT_EQ(submission->number(), 1);
  EXPECT_EQ(submission->facts().standing().station().registry_sequence(), 7);
  EXPECT_EQ(submission->facts().form().account().number(), "6222000000000001");
  EXPECT_EQ(submission->facts().form().requested_amount_fen(), 5'000'000);
  EXPECT_THAT(submission->facts().materials(), SizeIs(3));
  EXPECT_EQ(submission->findings_size(), submitted.findings_size());
  request.set_number(2);
  EXPECT_EQ(test.Try(&Handlers::GetSubmission, request).status().code(),
            absl::StatusCode::kNotFound);

  const auto events = test.Events<v1::ApplicationAdvanced>();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0].state(), v1::APPLICATION_STATE_DRAFT);
  EXPECT_EQ(events[1].from(), v1::APPLICATION_STATE_DRAFT);
  EXPECT_EQ(events[1].state(), v1::APPLICATION_STATE_SUBMITTED);
  EXPECT_EQ(events[1].submission(), 1);
  EXPECT_EQ(events[1].station_name(), submitted.station_name());
  EXPECT_EQ(events[1].host_name(), submitted.host_name());
  EXPECT_EQ(events[1].society_name(), submitted.society_name());
  EXPECT_EQ(events[1].requested_amount_fen(), 5'000'000);
}

TEST(Submission, IsRefusedWithFindingsAndChangesNothing) {
  TestApplication test;
  const v1::Application draft = test.Create();
  test.Put(draft.name(), "application-form", TestApplication::Pdf("a"));
  auto& station = *test.registry().stations[test.station()].mutable_station();
  *station.mutable_established_on() = DayToProto(Day(2024, 10, 6));
  *station.mutable_approval_reply()->mutable_date() = DayToProto(Day(2024, 10, 6));
  const v1::SubmitApplicationRequest request = TestApplication::SubmitRequest(draft.name());
  const absl::Status refused = test.Try(&Handlers::SubmitApplication, request).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(refused), "REFUSED");
  EXPECT_THAT(Details(refused), testing::AllOf(HasSubstr("application.two-full-years"),
                                               HasSubstr("application.materials-present")));
  const v1::Application after = test.Get(draft.name());
  EXPECT_EQ(after.SerializeAsString(), draft.SerializeAsString());
  EXPECT_EQ(test.Count("submissions"), 0);
  EXPECT_EQ(test.Count("live_lineages"), 0);

  // The eligibility check says the same, by the same function.
  v1::CheckEligibilityRequest check;
  check.set_name(draft.name());
  auto eligibility = test.Try(&Handlers::CheckEligibility, check);
  ASSERT_TRUE(eligibility.ok()) << eligibility.status();
  EXPECT_FALSE(eligibility->eligible());
  std::set<std::string> violated;
  for (const auto& finding : eligibility->findings()) {
    if (finding.outcome() == common::v1::OUTCOME_VIOLATED) violated.insert(finding.rule_id());
  }
  EXPECT_THAT(violated, ElementsAre("application.materials-present", "application.two-full-years"));

  // Once the two years are full and the materials there, the same request goes through.
  for (const char* code : {"filing-form", "approval-reply"})
    test.Put(draft.name(), code, TestApplication::Pdf(code));
  ASSERT_TRUE(test.host().clock().SetTo(BeijingMidnight(Day(2026, 10, 7))).ok());
  EXPECT_TRUE(test.Try(&Handlers::CheckEligibility, check)->eligible());
  const auto submitted = test.Try(&Handlers::SubmitApplication, request);
  EXPECT_TRUE(submitted.ok()) << submitted.status();
}

TEST(Submission, TheSameRequestAtOnceHasOneEffectAndOneAnswer) {
  TestApplication test;
  const v1::SubmitApplicationRequest request =
      TestApplication::SubmitRequest(test.Complete().name());
  std::vector<v1::Application> answers(32);
  std::vector<std::thread> threads;
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      const auto submitted = test.Try(&Handlers::SubmitApplication, request);
      EXPECT_TRUE(submitted.ok()) << submitted.status();
      if (submitted.ok()) answer = *submitted;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers)
    EXPECT_EQ(answer.SerializeAsString(), answers[0].SerializeAsString());
  EXPECT_EQ(test.Count("submissions"), 1);
}

// 64 applications for one station and a second filing of its lineage, submitted at once.
TEST(Submission, OfOneLineageOneWinsAndTheOthersAreToldWhich) {
  TestApplication test;
  constexpr int kAtOnce = 64;
  std::vector<std::string> names(kAtOnce);
  std::vector<std::thread> threads;
  for (int i = 0; i < kAtOnce; ++i) {
    threads.emplace_back([&, i] {
      names[i] = test.Complete(i % 2 == 0 ? test.station() : test.second_filing()).name();
    });
  }
  for (auto& thread : threads) thread.join();
  threads.clear();
  std::vector<absl::Status> outcomes(kAtOnce);
  for (int i = 0; i < kAtOnce; ++i)
    threads.emplace_back([&, i] { outcomes[i] = test.Submit(names[i]).status(); });
  for (auto& thread : threads) thread.join();

  std::string winner;
  for (int i = 0; i < kAtOnce; ++i) {
    if (!outcomes[i].ok()) continue;
    EXPECT_THAT(winner, IsEmpty()) << "two won";
    winner = names[i];
  }
  ASSERT_THAT(winner, Not(IsEmpty()));
  for (int i = 0; i < kAtOnce; ++i) {
    if (outcomes[i].ok()) continue;
    EXPECT_EQ(errors::Reason(outcomes[i]), "REFUSED") << outcomes[i];
    const std::string details = Details(outcomes[i]);
    EXPECT_THAT(details, HasSubstr("application.one-at-a-time"));
    EXPECT_THAT(errors::MessageZh(outcomes[i]) + details, HasSubstr(winner));
    EXPECT_EQ(test.Get(names[i]).state(), v1::APPLICATION_STATE_DRAFT);
  }
  EXPECT_EQ(test.Count("live_lineages"), 1);
  EXPECT_EQ(test.Count("submissions"), 1);
}

TEST(Submission, OneOfManyRequestsForOneApplicationWins) {
  TestApplication test;
  const std::string name = test.Complete().name();
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] {
      const auto submitted = test.Submit(name);
      if (submitted.ok()) return void(++won);
      EXPECT_EQ(errors::Reason(submitted.status()), "STATE_FORBIDS") << submitted.status();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
}

TEST(Submission, AnotherMayBeMadeOnceTheLiveOneEndedUnpaid) {
  const review::v1::CaseState kEnds[] = {review::v1::CASE_STATE_REFUSED,
                                         review::v1::CASE_STATE_CANCELLED,
                                         review::v1::CASE_STATE_WITHDRAWN};
  TestApplication test;
  for (const auto end : kEnds) {
    const v1::Application first = test.Submitted();
    const std::string second = test.Complete(test.second_filing()).name();
    EXPECT_EQ(errors::Reason(test.Submit(second).status()), "REFUSED");
    ASSERT_TRUE(test.Review(first, end).ok());
    EXPECT_EQ(test.Count("live_lineages"), 0);
    const auto submitted = test.Submit(second);
    ASSERT_TRUE(submitted.ok()) << submitted.status();
    ASSERT_TRUE(test.Review(*submitted, review::v1::CASE_STATE_REFUSED).ok());
  }
}

TEST(Correction, EachVersionIsShownAsItWas) {
  TestApplication test;
  v1::Application application = test.Submitted();
  const std::string name = application.name();
  for (int round = 1; round <= 3; ++round) {
    const std::string point = Concat({"第", std::to_string(round), "次补正"});
    ASSERT_TRUE(test.Review(application, review::v1::CASE_STATE_RETURNED, {point}).ok());
    application = test.Get(name);
    EXPECT_EQ(application.state(), v1::APPLICATION_STATE_RETURNED);
    EXPECT_THAT(application.points(), ElementsAre(point));
    EXPECT_EQ(application.reason(), "材料有误");

    v1::UpdateApplicationRequest update;
    update.set_request_id(NewUuid());
    update.set_name(name);
    *update.mutable_form() = application.form();
    update.mutable_form()->set_main_content(point);
    update.set_etag(application.etag());
    ASSERT_TRUE(test.Try(&Handlers::UpdateApplication, update).ok());
    test.Put(name, "approval-reply", TestApplication::Pdf(point));

    v1::SubmitApplicationRequest submit = TestApplication::SubmitRequest(name);
    EXPECT_EQ(errors::Reason(test.Try(&Handlers::SubmitApplication, submit).status()),
              "INVALID_FIELD")
        << "each point is to be answered";
    submit.add_answers("已更换");
    const auto again = test.Try(&Handlers::SubmitApplication, submit);
    ASSERT_TRUE(again.ok()) << again.status();
    application = *again;
    EXPECT_THAT(application.points(), IsEmpty());
    EXPECT_EQ(application.submissions(), round + 1);
  }
  for (int number = 1; number <= 4; ++number) {
    v1::GetSubmissionRequest request;
    request.set_application(name);
    request.set_number(number);
    const auto submission = test.Try(&Handlers::GetSubmission, request);
    ASSERT_TRUE(submission.ok()) << submission.status();
    const std::string point = Concat({"第", std::to_string(number - 1), "次补正"});
    EXPECT_EQ(submission->facts().form().main_content(),
              number == 1 ? "开展技术攻关与学术交流" : point);
    EXPECT_EQ(submission->answers_size(), number == 1 ? 0 : 1);
    EXPECT_EQ(submission->points_size(), number == 1 ? 0 : 1);
    ASSERT_THAT(submission->materials(), SizeIs(3));
    EXPECT_EQ(submission->materials(1).code(), "approval-reply");
    EXPECT_EQ(test.Read(submission->materials(1).name()),
              TestApplication::Pdf(number == 1 ? "approval-reply" : point));
  }
  EXPECT_THAT(test.Materials(name), SizeIs(3));
}

TEST(Ownership, AHostUnitSeesItsOwn) {
  TestApplication test;
  const v1::Application application = test.Submitted();
  const v1::Material material = test.Materials(application.name())[0];
  const auto as_other = [&](auto method, auto request) {
    return test.TryAs(test.other_applicant(), method, request).status().code();
  };
  v1::GetApplicationRequest get;
  get.set_name(application.name());
  EXPECT_EQ(as_other(&Handlers::GetApplication, get), absl::StatusCode::kNotFound);
  EXPECT_TRUE(test.TryAs(test.officer(), &Handlers::GetApplication, get).ok());
  v1::CheckEligibilityRequest check;
  check.set_name(application.name());
  EXPECT_EQ(as_other(&Handlers::CheckEligibility, check), absl::StatusCode::kNotFound);
  EXPECT_EQ(
      as_other(&Handlers::SubmitApplication, TestApplication::SubmitRequest(application.name())),
      absl::StatusCode::kNotFound);
  v1::GetSubmissionRequest submission;
  submission.set_application(application.name());
  EXPECT_EQ(as_other(&Handlers::GetSubmission, submission), absl::StatusCode::kNotFound);
  v1::ListMaterialsRequest materials;
  materials.set_parent(application.name());
  EXPECT_EQ(as_other(&Handlers::ListMaterials, materials), absl::StatusCode::kNotFound);
  v1::ReadChunkRequest read;
  read.set_name(material.name());
  EXPECT_EQ(as_other(&Handlers::ReadChunk, read), absl::StatusCode::kNotFound);
  EXPECT_TRUE(test.TryAs(test.officer(), &Handlers::ReadChunk, read).ok());

  const v1::Application draft = test.Create();
  const auto upload = test.Start(draft.name(), "other", 10);
  ASSERT_TRUE(upload.ok());
  EXPECT_EQ(as_other(&Handlers::WriteChunk,
                     TestApplication::ChunkRequest(upload->name(), 0, "0123456789")),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(as_other(&Handlers::FinishUpload,
                     TestApplication::FinishRequest(upload->name(), "0123456789")),
            absl::StatusCode::kNotFound);
}

TEST(Lists, AreFilteredAndPagedInTheOrderOfCreation) {
  TestApplication test;
  std::vector<std::string> names;
  for (int i = 0; i < 5; ++i)
    names.push_back(test.Create(i < 3 ? test.station() : test.second_filing()).name());
  ASSERT_TRUE(test.Withdraw(names[1]).ok());
  const auto list = [&](const Context& context, v1::ListApplicationsRequest request) {
    std::vector<std::string> listed;
    do {
      const auto page = test.TryAs(context, &Handlers::ListApplications, request);
      EXPECT_TRUE(page.ok()) << page.status();
      for (const auto& application : page->applications()) listed.push_back(application.name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return listed;
  };
  v1::ListApplicationsRequest request;
  request.set_page_size(2);
  EXPECT_EQ(list(test.officer(), request), names);
  EXPECT_EQ(list(test.applicant(), request), names);
  EXPECT_THAT(list(test.other_applicant(), request), IsEmpty());
  const auto filtered = [&](const Context& context, const std::string& filter) {
    request.set_filter(filter);
    return list(context, request);
  };
  const std::string of_station = Concat({"station = \"", test.station(), "\""});
  EXPECT_THAT(filtered(test.applicant(), of_station), ElementsAre(names[0], names[1], names[2]));
  EXPECT_THAT(filtered(test.officer(), of_station + " AND state = DRAFT"),
              ElementsAre(names[0], names[2]));
  EXPECT_THAT(filtered(test.applicant(), "state = DRAFT"),
              ElementsAre(names[0], names[2], names[3], names[4]));
  EXPECT_THAT(filtered(test.other_applicant(), of_station), IsEmpty());
}

// By state, level, year, host, amount, and when it was submitted.
TEST(Lists, OfficersFindWhatTheyLookFor) {
  TestApplication test;
  const v1::Application draft = test.Create();
  ASSERT_TRUE(test.host().clock().SetTo(BeijingMidnight(Day(2026, 11, 2))).ok());
  const v1::Application early = test.Submitted();
  ASSERT_TRUE(test.Review(early, review::v1::CASE_STATE_REFUSED).ok());
  ASSERT_TRUE(test.host().clock().SetTo(BeijingMidnight(Day(2026, 11, 9))).ok());
  const v1::Application late = test.Submitted();
  const auto names = [&](const std::string& filter, const std::string& order = "") {
    std::vector<std::string> listed;
    v1::ListApplicationsRequest request;
    request.set_page_size(1);
    request.set_filter(filter);
    request.set_order_by(order);
    do {
      const auto page = test.TryAs(test.officer(), &Handlers::ListApplications, request);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return listed;
      for (const auto& application : page->applications()) listed.push_back(application.name());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return listed;
  };
  const std::string host = Concat({"host_unit = \"", test.host_unit(), "\""});
  EXPECT_THAT(names("level = PROVINCIAL"), ElementsAre(draft.name(), early.name(), late.name()));
  EXPECT_THAT(names("level = NATIONAL"), IsEmpty());
  EXPECT_THAT(names("state = SUBMITTED"), ElementsAre(late.name()));
  EXPECT_THAT(names("submit_time >= 2026-11-01 AND submit_time < 2026-11-08"),
              ElementsAre(early.name()));
  EXPECT_THAT(names("state = SUBMITTED AND submit_time < 2026-11-08"), IsEmpty());
  EXPECT_THAT(names("requested_amount_fen > 5000000"), IsEmpty());
  EXPECT_THAT(names("", "submit_time desc"), ElementsAre(late.name(), early.name(), draft.name()));
  EXPECT_THAT(names("subsidy_year = 2026 AND state = REFUSED AND level = PROVINCIAL AND " + host +
                        " AND requested_amount_fen <= 5000000 AND submit_time >= 2026-11-02",
                    "submit_time desc"),
              ElementsAre(early.name()));
  EXPECT_THAT(names(host + " AND subsidy_year = 2025"), IsEmpty());
  v1::ListApplicationsRequest wrong;
  wrong.set_filter("colour = red");
  EXPECT_EQ(errors::Reason(test.TryAs(test.officer(), &Handlers::ListApplications, wrong).status()),
            "INVALID_FIELD");
}

// Calls that are answered together: all or none, and two for one station are one too many.
TEST(Together, ApplicationsAreSubmittedAllOrNone) {
  TestApplication test;
  std::vector<v1::Application> drafts;
  for (const char* society : {"化学学会", "物理学会", "数学学会"}) {
    drafts.push_back(test.Complete(test.AddStation("服务站（演示）", society)));
  }
  Context context = test.applicant();
  context.method = "yuezhan.application.v1.ApplicationService/SubmitApplication";
  const auto submit = [&](const std::vector<std::string>& names) {
    std::vector<v1::SubmitApplicationRequest> requests;
    std::vector<v1::Application> answers(names.size());
    for (const std::string& name : names) requests.push_back(TestApplication::SubmitRequest(name));
    rpc::AskedList<v1::SubmitApplicationRequest, v1::Application> asked;
    for (size_t i = 0; i < names.size(); ++i) {
      asked.push_back({context, requests[i], &answers[i]});
    }
    const absl::Status status = test.handlers().SubmitApplication(asked);
    for (size_t i = 0; status.ok() && i < names.size(); ++i) {
      EXPECT_EQ(answers[i].name(), names[i]);
      EXPECT_EQ(answers[i].state(), v1::APPLICATION_STATE_SUBMITTED);
    }
    return status;
  };
  const int64_t rows = test.host().Count("journal");
  EXPECT_FALSE(submit({drafts[0].name(), drafts[0].name()}).ok());
  EXPECT_FALSE(submit({drafts[0].name(), Name("applications", NewUuid())}).ok());
  EXPECT_EQ(test.host().Count("submissions"), 0);
  EXPECT_EQ(test.host().Count("journal"), rows);
  ASSERT_TRUE(submit({drafts[0].name(), drafts[1].name(), drafts[2].name()}).ok());
  EXPECT_EQ(test.host().Count("submissions"), 3);
  EXPECT_EQ(test.host().Count("live_lineages"), 3);
  EXPECT_EQ(test.host().Count("journal"), rows + 3);
}

// One check of many is what each alone would be.
TEST(Together, EligibilityIsEachOnesOwn) {
  TestApplication test;
  const std::string complete = test.Complete().name();
  const std::string bare = test.Create(test.AddStation("站一（演示）")).name();
  std::vector<v1::CheckEligibilityRequest> requests(2);
  requests[0].set_name(complete);
  requests[1].set_name(bare);
  std::vector<v1::CheckEligibilityResponse> answers(2);
  Context context = test.applicant();
  ASSERT_TRUE(test.handlers()
                  .CheckEligibility({{context, requests[0], &answers[0]},
                                     {context, requests[1], &answers[1]}})
                  .ok());
  EXPECT_TRUE(answers[0].eligible());
  EXPECT_FALSE(answers[1].eligible());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(answers[i].SerializeAsString(),
              test.Try(&Handlers::CheckEligibility, requests[i])->SerializeAsString());
  }
}

}  // namespace
}  // namespace yuezhan::application
