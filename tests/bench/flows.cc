// Full flows per second: the demonstration's acts for many stations at once, from filing to paid.
#include <ctime>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/clocks.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/db/session.h"
#include "services/yz/demo/stage.h"
#include "tests/bench/sections.h"

namespace yuezhan::bench {
namespace {

constexpr int kPersons = 32;  // who work at once
constexpr int64_t kFundYuan = 100'000'000;

// Stations of hosts of their own that are all awarded.
yz::Scenario ScenarioOf(yz::Scenario scenario, int stations) {
  const yz::DemoStation model = scenario.stations.front();
  scenario.stations.assign(static_cast<size_t>(stations), model);
  scenario.objections.clear();
  for (int i = 0; i < stations; ++i) {
    yz::DemoStation& station = scenario.stations[static_cast<size_t>(i)];
    station.key = absl::StrCat("s", i);
    station.host.set_display_name(absl::StrCat(model.host.display_name(), i));
    station.host.mutable_account()->set_holder(station.host.display_name());
    station.form.set_display_name(absl::StrCat(model.form.display_name(), i));
  }
  scenario.fund_amount.set_units(kFundYuan);
  return scenario;
}

absl::Status RunStep(const yz::DemoStep& step) {
  const auto result = step.act();
  if (result.ok()) return absl::OkStatus();
  return absl::Status(result.status().code(),
                      absl::StrCat(step.name, ": ", std::string(result.status().message())));
}

// One act for all stations that have it, some at once.
struct Act {
  std::string name;
  std::vector<const yz::DemoStep*> steps;
};

absl::Status RunActs(std::vector<Act>* acts) {
  for (const Act& act : *acts) {
    YZ_RETURN_IF_ERROR(InParallel(static_cast<int>(act.steps.size()), kPersons, [&](int i) {
      return RunStep(*act.steps[static_cast<size_t>(i)]);
    }));
  }
  acts->clear();
  return absl::OkStatus();
}

// As offices work: what is done to each station is done to all before what comes next. An act whose
// name ends with a station's key is that station's; the others wait for all before them.
absl::Status RunSteps(const std::vector<yz::DemoStep>& steps, const yz::Stage& stage) {
  std::vector<Act> acts;
  for (const yz::DemoStep& step : steps) {
    const size_t dash = step.name.rfind('-');
    if (dash == std::string::npos || stage.names.count(step.name.substr(dash + 1)) == 0) {
      YZ_RETURN_IF_ERROR(RunActs(&acts));
      YZ_RETURN_IF_ERROR(RunStep(step));
      continue;
    }
    const std::string name = step.name.substr(0, dash);
    auto act = std::find_if(acts.begin(), acts.end(),
                            [&](const Act& each) { return each.name == name; });
    if (act == acts.end()) act = acts.insert(acts.end(), {name, {}});
    act->steps.push_back(&step);
  }
  return RunActs(&acts);
}

struct Counters {
  int64_t questions = 0, commits = 0, calls = 0;
  absl::Duration database_cpu = absl::ZeroDuration();  // where it runs on this machine
};

// Of the database's process; zero where it is none of this machine's.
absl::Duration DatabaseCpu(db::Session& session) {
  std::ifstream file(session.QueryText("SELECT @@pid_file")[0].Text(0));
  pid_t pid = 0;
  return file >> pid ? CpuOf(pid) : absl::ZeroDuration();
}

Counters CountersOf(World& world) {
  Counters counters;
  db::Session session(world.DataOf("registry").database);
  for (const db::Row& row : session.QueryText(
           "SHOW GLOBAL STATUS WHERE variable_name IN ('Questions', 'Com_commit')")) {
    (row.Text(0) == "Questions" ? counters.questions : counters.commits) = row.Int(1);
  }
  counters.database_cpu = DatabaseCpu(session);
  for (const char* service : {"registry", "application", "review", "payment", "bank"}) {
    std::ifstream log(world.stack().LogFile(service));
    for (std::string line; std::getline(log, line);) {
      if (absl::StrContains(line, "\"event\":\"call\"")) ++counters.calls;
    }
  }
  return counters;
}

// The CPU of a statement in the connector alone.
absl::Duration ConnectorCpu(const db::Options& options) {
  constexpr int kTimes = 2000;
  db::Session session(options);
  const auto ask = [&] { session.Query("SELECT seq FROM journal_head WHERE id = ?", 1); };
  ask();
  timespec before{}, after{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  for (int i = 0; i < kTimes; ++i) ask();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  return (absl::DurationFromTimespec(after) - absl::DurationFromTimespec(before)) / kTimes;
}

// Flows per second if everything of ours were free: all processors at what the database spent on
// the flows' statements, the connector on as many small ones, and bare gRPC on as many calls.
double LimitOf(const MethodResults& methods, double flows, const Counters& cost,
               absl::Duration connector) {
  const double processors = std::thread::hardware_concurrency();
  double call = 0;  // CPU seconds
  for (const Comparison& c : methods.comparisons) {
    if (c.tls && c.in_flight == 16 && c.method == "RecordActivity")
      call = processors / Median(c.echo);
  }
  if (call == 0 || cost.database_cpu == absl::ZeroDuration()) return 0;
  const double cpu = absl::ToDoubleSeconds(cost.database_cpu) +
                     static_cast<double>(cost.questions) * absl::ToDoubleSeconds(connector) +
                     static_cast<double>(cost.calls) * call;
  return flows * processors / cpu;
}

absl::Status OneRound(const Run& run, std::vector<double>* rates, std::vector<double>* limits,
                      std::vector<Counters>* costs) {
  YZ_ASSIGN_OR_RETURN(const std::unique_ptr<World> world, World::Make(run.world));
  YZ_RETURN_IF_ERROR(world->stack().StartAll());
  YZ_ASSIGN_OR_RETURN(yz::Scenario built_in, yz::BuiltInScenario());
  YZ_ASSIGN_OR_RETURN(auto clock, SimulatedClock::Open(world->File("clock")));
  yz::Stage stage(world->stack().client(), ScenarioOf(std::move(built_in), run.effort.flows),
                  clock);
  for (const yz::DemoStation& station : stage.scenario.stations) stage.names[station.key];
  std::vector<yz::DemoStep> steps;
  AddDay(stage, "start", "", &steps);
  AddFunding(stage, &steps);
  YZ_RETURN_IF_ERROR(RunSteps(steps, stage));
  steps.clear();
  AddFiling(stage, &steps);
  AddDay(stage, "apply", "", &steps);
  AddApplications(stage, &steps);
  AddReview(stage, &steps);
  AddNotice(stage, &steps);
  AddNoticeResult(stage, &steps);
  AddPayment(stage, &steps);
  const Counters before = CountersOf(*world);
  const absl::Duration begin = MonotonicNow();
  YZ_RETURN_IF_ERROR(RunSteps(steps, stage));
  const double seconds = absl::ToDoubleSeconds(MonotonicNow() - begin);
  const Counters after = CountersOf(*world);
  const double flows = run.effort.flows;
  rates->push_back(flows / seconds);
  costs->push_back({after.questions - before.questions, after.commits - before.commits,
                    after.calls - before.calls, after.database_cpu - before.database_cpu});
  limits->push_back(
      LimitOf(run.methods, flows, costs->back(), ConnectorCpu(world->DataOf("registry").database)));
  return absl::OkStatus();
}

}  // namespace

absl::Status RunFlows(const Run& run) {
  std::vector<double> rates, limits;
  std::vector<Counters> costs;
  for (int round = 0; round < run.effort.rounds; ++round) {
    YZ_RETURN_IF_ERROR(OneRound(run, &rates, &limits, &costs));
    std::cerr << "." << std::flush;
  }
  const double flows = run.effort.flows;
  const double calls = static_cast<double>(costs.back().calls) / flows;
  const double statements = static_cast<double>(costs.back().questions) / flows;
  const double commits = static_cast<double>(costs.back().commits) / flows;
  const double database_ms = absl::ToDoubleMilliseconds(costs.back().database_cpu) / flows;
  const double limit = Median(limits);
  const auto cell = [](double value) { return absl::StrFormat("%.1f", value); };
  run.report.Add("Full flows, filing to paid", "flows",
                 {{"flows per second", "at once", "RPCs a flow", "statements a flow",
                   "commits a flow", "database CPU ms", "limit"},
                  {cell(Median(rates)), absl::StrCat(run.effort.flows), cell(calls),
                   cell(statements), cell(commits), cell(database_ms), cell(limit)}},
                 {{"per_s", rates},
                  {"at_once", run.effort.flows},
                  {"rpcs", calls},
                  {"statements", statements},
                  {"commits", commits},
                  {"database_cpu_ms", database_ms},
                  {"limit_per_s", limit}});
  run.report.Promise("full flows per second", Median(rates), 40, true);
  if (limit > 0) {
    run.report.Promise("full flows, share of the limit of their calls and statements",
                       Median(rates) / limit, 0.60, true);
  }
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
