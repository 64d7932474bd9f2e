// A serving installation under an operator's hands: restarts under load, traces, the log's level.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/db/session.h"
#include "common/journal/feed.h"
#include "common/journal/vault.h"
#include "common/metrics/test_scrape.h"
#include "common/rpc/test_support.h"
#include "services/yz/process.h"
#include "tests/callers.h"
#include "tests/sample_request.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::tests {
namespace {

using testing::HasSubstr;

TEST(Operation, ARollingRestartUnderLoadLosesNoCall) {
  TestStack stack({});
  Load load(stack.client());
  std::atomic<bool> told = false;
  absl::Status flow;
  std::thread demonstration([&] {
    flow = RunDemo(stack);
    told = true;
  });
  int restarts = 0;
  for (int round = 0; round < 2 || !told; ++round) {
    for (std::string_view each : yz::kServices) {
      const std::string service(each);
      // Stop wants exit code 0: SIGTERM ends what runs, and then the process.
      const absl::Status stopped = stack.stack().Stop(service);
      EXPECT_TRUE(stopped.ok()) << stopped;
      const absl::Status started = stack.stack().Start(service);
      ASSERT_TRUE(started.ok()) << started;
      ++restarts;
    }
  }
  demonstration.join();
  load.Stop();
  EXPECT_TRUE(flow.ok()) << flow;
  std::cout << restarts << " restarts, " << load.written() << " writes, " << load.read()
            << " reads\n";
  // Each write that was answered is there once, and no other is.
  EXPECT_EQ(stack.Count("payment", "funds", "year = 2030"), load.written());
  EXPECT_GT(load.written(), restarts);
}

TEST(Operation, TheTraceIdStandsOnTheLogLinesOfAllWhoServeTheCallAndInTheJournal) {
  TestStack stack({.tls = false});
  constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
  const Caller host{"host", "建站单位", {Role::kHostUnit}, "hostUnits/" + NewUuid()};
  application::v1::CreateApplicationRequest request;
  FillSample(&request);
  const auto answer = rpc::CallRaw(
      stack.TargetOf("application"), "/yuezhan.application.v1.ApplicationService/CreateApplication",
      request.SerializeAsString(),
      {{"authorization", "Bearer " + stack.client().Token(host).value()},
       {"traceparent", absl::StrCat("00-", kTrace, "-00f067aa0ba902b7-01")}});
  // Application asks registry about the station, which is not there.
  for (const char* service : {"application", "registry"}) {
    const std::string log = stack.stack().LogFile(service);
    EXPECT_TRUE(Await([&] {
      return absl::StrContains(Content(log), absl::StrCat("\"trace\":\"", kTrace));
    })) << service
        << " " << answer.code << " " << answer.message;
  }
  const auto made = rpc::CallRaw(
      stack.TargetOf("payment"), absl::StrCat("/", kCreateFund), FundRequest(1).SerializeAsString(),
      {{"authorization", "Bearer " + stack.client().Token(Payer()).value()},
       {"traceparent", absl::StrCat("00-", kTrace, "-00f067aa0ba902b7-01")}});
  ASSERT_EQ(made.code, 0) << made.message;
  // It stands in the part of the entry that is sealed.
  const auto vault = journal::Vault::Parse(Content(stack.KeyFile("payment") + ".vault")).value();
  db::Session payment(stack.stack().Database("payment"));
  const db::Row row = payment
                          .QueryText("SELECT request_key, private_part, wrapped_key FROM journal "
                                     "ORDER BY id DESC LIMIT 1")
                          .at(0);
  const auto opened = vault.Open(journal::PrivatePartPlace(row.Bytes(0)),
                                 {std::string(row.Bytes(1)), std::string(row.Bytes(2))});
  journal::v1::PrivatePart entry;
  ASSERT_TRUE(opened.ok() && entry.ParseFromString(*opened)) << opened.status();
  EXPECT_EQ(entry.trace_id(), kTrace);
}

// An alert on a name that nobody serves would never fire.
TEST(Operation, WhatAlertsAndDashboardReadIsServed) {
  std::map<std::string, std::unique_ptr<yz::ReservedPort>> ports;
  TestStack::Options options;
  for (std::string_view service : yz::kServices) {
    auto& port = ports[std::string(service)] = yz::ReservedPort::Take().value();
    options.settings[std::string(service)] = {
        absl::StrCat("--metrics_listen=127.0.0.1:", port->number())};
  }
  TestStack stack(std::move(options));
  ASSERT_TRUE(RunDemo(stack).ok());
  const std::string observe = std::string(std::getenv("YUEZHAN_SOURCE")) + "/deploy/observe/";
  const std::string read =
      absl::StrCat(Content(observe + "alerts.yml"), Content(observe + "dashboard.json"));
  std::set<std::string> names;
  const std::regex name("yuezhan_[a-z_]+");
  for (std::sregex_iterator it(read.begin(), read.end(), name), end; it != end; ++it) {
    names.insert(it->str());
  }
  EXPECT_GT(names.size(), 20u);
  std::string served;
  EXPECT_TRUE(Await([&] {
    served.clear();
    for (const auto& [service, port] : ports) {
      absl::StrAppend(&served, metrics::Scrape(port->number()));
    }
    return std::all_of(names.begin(), names.end(), [&](const std::string& one) {
      return absl::StrContains(served, absl::StrCat("\n", one, "{"));
    });
  }));
  for (const std::string& one : names) {
    EXPECT_THAT(served, HasSubstr(absl::StrCat("\n", one, "{")));
  }
}

TEST(Operation, TheLogLevelChangesWhileItServes) {
  const std::string level =
      absl::StrCat(std::filesystem::temp_directory_path().string(), "/yuezhan-level-", NewUuid());
  const auto set = [&](const std::string& word) { std::ofstream(level) << word << "\n"; };
  set("error");
  TestStack stack({.settings = {{"registry", {"--log_level=@" + level}}}});
  const std::string log = stack.stack().LogFile("registry");
  EXPECT_TRUE(ListStations(stack.client()).ok());
  EXPECT_THAT(Content(log), testing::Not(HasSubstr("ListStations")));
  set("debug");
  EXPECT_TRUE(Await([&] {
    EXPECT_TRUE(ListStations(stack.client()).ok());
    return absl::StrContains(Content(log), "grpc.health.v1.Health/Check") ||
           absl::StrContains(Content(log), "ListStations");
  }));
  set("nonsense");  // stays as it is
  std::filesystem::remove(level);
  EXPECT_TRUE(ListStations(stack.client()).ok());
}

}  // namespace
}  // namespace yuezhan::tests
