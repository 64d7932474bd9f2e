// The whole flow, from form to payment, over real processes: once, under SIGKILL at every step, and
// with two replicas of each service. What is counted at the end is counted in the databases and in
// the bank's books.
#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "services/yz/demo/demo.h"
#include "tests/test_stack.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/bank/v1/bank.pb.h"
#include "yuezhan/registry/v1/tracking_requests.pb.h"

namespace yuezhan::tests {
namespace {

constexpr const char* kServices[] = {"registry", "application", "review", "payment"};

struct Expected {
  int paid = 0;
  int64_t amount_fen = 0;
};

Expected ExpectedOf(const yz::Scenario& scenario) {
  Expected expected;
  for (const auto& station : scenario.stations) {
    if (!station.Paid()) continue;
    ++expected.paid;
    expected.amount_fen +=
        station.form.level() == common::v1::STATION_LEVEL_NATIONAL ? 10'000'000 : 5'000'000;
  }
  return expected;
}

// What must be true at the end, whatever happened on the way.
void ExpectCompleteOnce(TestStack& stack, yz::Demo& demo) {
  const auto result = demo.ReadBack();
  ASSERT_TRUE(result.ok()) << result.status();
  const yz::Scenario scenario = yz::BuiltInScenario().value();
  const Expected expected = ExpectedOf(scenario);
  EXPECT_TRUE(result->complete);
  EXPECT_TRUE(result->ledger_balanced);
  EXPECT_TRUE(result->journal_verified);
  EXPECT_EQ(result->paid, expected.paid);
  EXPECT_EQ(result->amount_paid_fen, expected.amount_fen);

  // Registry follows payment's journal: after a kill once the killed process's lease is over.
  const absl::Time end = absl::Now() + absl::Seconds(60);
  while (stack.Count("registry", "subsidies") < expected.paid && absl::Now() < end) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  // Nothing twice, in our books and in the bank's.
  EXPECT_EQ(stack.Count("registry", "subsidies"), expected.paid);
  EXPECT_EQ(stack.Count("registry", "host_units"), static_cast<int64_t>(scenario.stations.size()));
  bank::v1::ListTransfersResponse books;
  bank::v1::ListTransfersRequest list;
  list.set_page_size(1000);
  const Caller auditor{"auditor", "审计", {Role::kAuditor}, ""};
  const absl::Status listed = stack.client().CallAt(
      "bank", auditor, "yuezhan.bank.v1.BankService/ListTransfers", list, &books);
  ASSERT_TRUE(listed.ok()) << listed;
  int64_t moved_fen = 0;
  std::set<std::string> references;
  for (const auto& transfer : books.transfers()) {
    if (transfer.state() != bank::v1::TRANSFER_STATE_SETTLED) continue;
    references.insert(transfer.bank_reference());
    moved_fen += transfer.amount().units() * 100 + transfer.amount().nanos() / 10'000'000;
  }
  EXPECT_EQ(references.size(), static_cast<size_t>(expected.paid));
  EXPECT_EQ(moved_fen, expected.amount_fen);

  // Each of them, by the bank's number, is what applicant and station are shown.
  application::v1::ListApplicationsRequest paid;
  paid.set_filter("state = PAID");
  paid.set_page_size(1000);
  application::v1::ListApplicationsResponse applications;
  absl::Status shown = stack.client().Call(
      auditor, "yuezhan.application.v1.ApplicationService/ListApplications", paid, &applications);
  ASSERT_TRUE(shown.ok()) << shown;
  std::set<std::string> of_applications;
  for (const auto& application : applications.applications()) {
    EXPECT_TRUE(application.has_paid_on());
    of_applications.insert(application.bank_reference());
  }
  EXPECT_EQ(of_applications, references);
  registry::v1::ListUseReportsRequest of_money;
  of_money.set_page_size(1000);
  registry::v1::ListUseReportsResponse reports;
  shown = stack.client().Call(auditor, "yuezhan.registry.v1.RegistryService/ListUseReports",
                              of_money, &reports);
  ASSERT_TRUE(shown.ok()) << shown;
  std::set<std::string> of_stations;
  for (const auto& report : reports.use_reports()) of_stations.insert(report.bank_reference());
  EXPECT_EQ(of_stations, references);
}

uint64_t Seed() {
  const char* given = std::getenv("YUEZHAN_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "YUEZHAN_SEED=" << seed << std::endl;
  return seed;
}

TEST(Flow, FromFormToPayment) {
  TestStack stack({});
  std::ostringstream told;
  auto demo = yz::Demo::Create(stack.client(), told).value();
  for (const auto& step : demo->steps()) {
    const absl::Status status = demo->Run(step);
    ASSERT_TRUE(status.ok()) << status << "\n" << told.str();
  }
  ExpectCompleteOnce(stack, *demo);

  // The same once more, from the first act: every request is a replay, and nothing changes. What is
  // read in clear at another time leaves an entry of its own.
  constexpr char kActs[] = "INSTR(public_part, 'yuezhan.journal.v1.PersonalRead') = 0";
  const int64_t rows = stack.CountAll("journal", kActs);
  auto again = yz::Demo::Create(stack.client(), told).value();
  for (const auto& step : again->steps()) {
    const absl::Status status = again->Run(step);
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(stack.CountAll("journal", kActs), rows);
  ExpectCompleteOnce(stack, *again);
}

// While each act runs, one of the services is killed at a random moment; after it, each of the
// others.
TEST(Flow, SurvivesSigkillAtEveryStep) {
  std::mt19937_64 random(Seed());
  TestStack stack({});
  std::ostringstream told;
  auto demo = yz::Demo::Create(stack.client(), told).value();
  size_t turn = 0;
  for (const auto& step : demo->steps()) {
    const std::string victim = kServices[turn++ % std::size(kServices)];
    std::thread killer([&, delay = std::chrono::microseconds(random() % 30'000)] {
      std::this_thread::sleep_for(delay);  // the random moment itself, nothing is waited for
      stack.stack().Kill(victim);
      const absl::Status started = stack.stack().Start(victim);
      EXPECT_TRUE(started.ok()) << started;
    });
    const absl::Status status = demo->Run(step);
    killer.join();
    ASSERT_TRUE(status.ok()) << status << "\n" << told.str();
    for (const char* service : kServices) {
      if (service != victim) stack.stack().Kill(service);
    }
    const absl::Status started = stack.stack().StartAll();
    ASSERT_TRUE(started.ok()) << started;
  }
  ExpectCompleteOnce(stack, *demo);
}

// Two replicas of each service over one schema; each act goes to the other one in turn.
TEST(Flow, RunsOnTwoReplicasOfEachService) {
  TestStack stack({});
  std::map<std::string, std::string> first, second;
  for (const char* service : kServices) {
    const std::string replica = std::string(service) + "-2";
    ASSERT_TRUE(stack.stack().Start(replica).ok());
    first[service] = stack.TargetOf(service);
    second[service] = stack.TargetOf(replica);
  }
  std::ostringstream told;
  auto demo = yz::Demo::Create(stack.client(), told).value();
  bool other = false;
  for (const auto& step : demo->steps()) {
    for (const auto& [service, target] : other ? second : first)
      stack.client().SetTarget(service, target);
    other = !other;
    const absl::Status status = demo->Run(step);
    ASSERT_TRUE(status.ok()) << status << "\n" << told.str();
  }
  ExpectCompleteOnce(stack, *demo);
}

}  // namespace
}  // namespace yuezhan::tests
