// Full flows per second: the demonstration's acts for many stations at once, from filing to paid.
// Several lists go at once, each with its meeting and its notice, after two turns that warm up.
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
#include "common/base/clocks.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/db/session.h"
#include "services/yz/demo/stage.h"
#include "tests/bench/sections.h"

namespace yuezhan::bench {
namespace {

constexpr int kLists = 4;
constexpr int kPersons = 32;  // who work at once
constexpr int kTurns = 3;     // the last is measured
// Between two turns of the business clock; the same weekdays.
constexpr absl::Duration kBetweenTurns = absl::Hours(35 * 24);
constexpr int64_t kFundYuan = 100'000'000;

// Stations of hosts of their own that are all awarded.
yz::Scenario ScenarioOf(yz::Scenario scenario, const std::string& series, int stations) {
  const yz::DemoStation model = scenario.stations.front();
  scenario.series = series;
  scenario.stations.assign(static_cast<size_t>(stations), model);
  scenario.objections.clear();
  for (int i = 0; i < stations; ++i) {
    yz::DemoStation& station = scenario.stations[static_cast<size_t>(i)];
    station.key = absl::StrCat(series, i);
    station.host.set_display_name(absl::StrCat(model.host.display_name(), station.key));
    station.host.mutable_account()->set_holder(station.host.display_name());
    station.form.set_display_name(absl::StrCat(model.form.display_name(), station.key));
  }
  scenario.meeting.set_minutes_number(absl::StrCat(scenario.meeting.minutes_number(), series));
  scenario.fund_amount.set_units(kFundYuan);
  return scenario;
}

absl::Status RunStep(const yz::DemoStep& step) {
  const auto result = step.act();
  if (result.ok()) return absl::OkStatus();
  return absl::Status(result.status().code(),
                      absl::StrCat(step.name, ": ", std::string(result.status().message())));
}

// What is done to each station is done to all before what comes next, as offices work.
struct Act {
  std::string name;
  std::vector<yz::DemoStep> steps;
};

// The acts of a list and all that its steps need. An act whose name ends with a station's key is
// that station's; the others are for the whole list, and wait for what comes before them.
struct List {
  std::unique_ptr<yz::Stage> stage;
  std::vector<Act> acts;
};

void AddActs(List* list, std::vector<yz::DemoStep> steps) {
  size_t begin = 0;  // of the acts that a station's next may be one of
  for (yz::DemoStep& step : steps) {
    const size_t dash = step.name.rfind('-');
    const bool one =
        dash != std::string::npos && list->stage->names.count(step.name.substr(dash + 1)) > 0;
    const std::string name = one ? step.name.substr(0, dash) : step.name;
    auto& acts = list->acts;
    auto act = std::find_if(acts.begin() + static_cast<std::ptrdiff_t>(begin), acts.end(),
                            [&](const Act& each) { return each.name == name; });
    if (!one || act == acts.end()) act = acts.insert(acts.end(), {name, {}});
    act->steps.push_back(std::move(step));
    if (!one) begin = acts.size();
  }
}

List ListOf(World& world, const std::shared_ptr<SimulatedClock>& clock, yz::Scenario scenario) {
  List list{std::make_unique<yz::Stage>(world.stack().client(), std::move(scenario), clock), {}};
  yz::Stage& stage = *list.stage;
  for (const yz::DemoStation& station : stage.scenario.stations) stage.names[station.key];
  std::vector<yz::DemoStep> steps;
  AddDay(stage, "start", "", &steps);
  AddFiling(stage, &steps);
  AddDay(stage, "apply", "", &steps);
  AddApplications(stage, &steps);
  AddReview(stage, &steps);
  AddNotice(stage, &steps);
  AddNoticeResult(stage, &steps);
  AddPayment(stage, &steps);
  AddActs(&list, std::move(steps));
  return list;
}

// What an act took, and whose CPU: of each process in the order of kProcesses.
struct Spent {
  std::string act;
  absl::Duration wall;
  std::vector<absl::Duration> cpu;
};

constexpr const char* kProcesses[] = {"registry", "application", "review", "payment",
                                      "bank",     "database",    "persons"};

constexpr size_t kDatabase = 5;  // its place among them

// Their ids; none for a database that is not on this machine.
std::vector<pid_t> Processes(World& world) {
  static_assert(std::size(kProcesses) == 7);
  std::vector<pid_t> pids;
  for (const char* service : {"registry", "application", "review", "payment", "bank"}) {
    pids.push_back(world.stack().Pid(service));
  }
  db::Session session(world.DataOf("registry").database);
  std::ifstream file(session.QueryText("SELECT @@pid_file")[0].Text(0));
  pid_t database = 0;
  file >> database;
  pids.push_back(database);
  pids.push_back(getpid());
  return pids;
}

// What acts take, each from Begin to End; what is between two is not counted.
class Meter {
 public:
  explicit Meter(World& world) : pids_(Processes(world)) {}
  void Begin() {
    cpu_ = Cpu();
    begin_ = MonotonicNow();
  }
  void End(const std::string& act) {
    Spent spent{act, MonotonicNow() - begin_, Cpu()};
    all_.wall += spent.wall;
    all_.cpu.resize(spent.cpu.size());
    for (size_t i = 0; i < spent.cpu.size(); ++i) {
      spent.cpu[i] -= cpu_[i];
      all_.cpu[i] += spent.cpu[i];
    }
    acts_.push_back(std::move(spent));
  }
  const std::vector<Spent>& acts() const { return acts_; }
  const Spent& all() const { return all_; }

 private:
  std::vector<absl::Duration> Cpu() const {
    std::vector<absl::Duration> cpu;
    for (const pid_t pid : pids_) cpu.push_back(pid > 0 ? CpuOf(pid) : absl::ZeroDuration());
    return cpu;
  }

  const std::vector<pid_t> pids_;
  absl::Duration begin_;
  std::vector<absl::Duration> cpu_;
  std::vector<Spent> acts_;
  Spent all_{"all", absl::ZeroDuration(), {}};
};

// Hosts have their tokens when they act: those who issue them are none of ours.
absl::Status SignIn(const List& list) {
  for (const auto& [key, names] : list.stage->names) {
    YZ_RETURN_IF_ERROR(list.stage->client().Token(list.stage->Host(key)).status());
  }
  return absl::OkStatus();
}

// Act by act, each for the stations of all lists.
absl::Status RunLists(const std::vector<List>& lists, Meter* meter) {
  for (size_t i = 0; i < lists.front().acts.size(); ++i) {
    const std::string& name = lists.front().acts[i].name;
    std::vector<const yz::DemoStep*> steps;
    for (const List& list : lists) {
      for (const yz::DemoStep& step : list.acts[i].steps) steps.push_back(&step);
    }
    meter->Begin();
    YZ_RETURN_IF_ERROR(InParallel(static_cast<int>(steps.size()), kPersons, [&](int step) {
      return RunStep(*steps[static_cast<size_t>(step)]);
    }));
    meter->End(name);
    if (name != "CreateHostUnit") continue;
    for (const List& list : lists) YZ_RETURN_IF_ERROR(SignIn(list));
  }
  return absl::OkStatus();
}

struct Counters {
  int64_t questions = 0, commits = 0, prepared = 0, calls = 0;

  Counters operator-(const Counters& before) const {
    return {questions - before.questions, commits - before.commits, prepared - before.prepared,
            calls - before.calls};
  }
};

Counters CountersOf(World& world) {
  Counters counters;
  db::Session session(world.DataOf("registry").database);
  for (const db::Row& row :
       session.QueryText("SHOW GLOBAL STATUS WHERE variable_name IN ('Questions', 'Com_commit', "
                         "'Com_stmt_prepare')")) {
    (row.Text(0) == "Questions"    ? counters.questions
     : row.Text(0) == "Com_commit" ? counters.commits
                                   : counters.prepared) = row.Int(1);
  }
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
               absl::Duration database_cpu, absl::Duration connector) {
  const double processors = std::thread::hardware_concurrency();
  double call = 0;  // CPU seconds
  for (const Comparison& c : methods.comparisons) {
    if (c.tls && c.in_flight == 16 && c.method == "RecordActivity")
      call = processors / Median(c.echo);
  }
  if (call == 0 || database_cpu == absl::ZeroDuration()) return 0;
  const double cpu = absl::ToDoubleSeconds(database_cpu) +
                     static_cast<double>(cost.questions) * absl::ToDoubleSeconds(connector) +
                     static_cast<double>(cost.calls) * call;
  return flows * processors / cpu;
}

// What a round found.
struct Found {
  double per_s = 0, limit_per_s = 0;
  Counters cost;
  Spent all;
  std::vector<Spent> acts;
};

absl::StatusOr<Found> OneRound(const Run& run) {
  YZ_ASSIGN_OR_RETURN(const std::unique_ptr<World> world, World::Make(run.world));
  YZ_RETURN_IF_ERROR(world->stack().StartAll());
  YZ_ASSIGN_OR_RETURN(const yz::Scenario built_in, yz::BuiltInScenario());
  YZ_ASSIGN_OR_RETURN(auto clock, SimulatedClock::Open(world->File("clock")));
  const double flows = run.effort.flows * kLists;
  Found found;
  // The last is measured; what is prepared and kept once is not part of a flow.
  for (int turn = 0; turn < kTurns; ++turn) {
    yz::Scenario scenario = built_in;
    for (auto& [name, day] : scenario.days) day += turn * kBetweenTurns;
    std::vector<List> lists;
    for (int i = 0; i < kLists; ++i) {
      lists.push_back(ListOf(
          *world, clock,
          ScenarioOf(scenario, absl::StrCat("turn", turn, "list", i, "s"), run.effort.flows)));
    }
    if (turn == 0) {
      std::vector<yz::DemoStep> funding;
      AddDay(*lists.front().stage, "start", "", &funding);
      AddFunding(*lists.front().stage, &funding);
      for (const yz::DemoStep& step : funding) YZ_RETURN_IF_ERROR(RunStep(step));
    }
    Meter meter(*world);
    const Counters before = CountersOf(*world);
    YZ_RETURN_IF_ERROR(RunLists(lists, &meter));
    found.per_s = flows / absl::ToDoubleSeconds(meter.all().wall);
    found.cost = CountersOf(*world) - before;
    found.all = meter.all();
    found.acts = meter.acts();
  }
  found.limit_per_s = LimitOf(run.methods, flows, found.cost, found.all.cpu[kDatabase],
                              ConnectorCpu(world->DataOf("registry").database));
  return found;
}

// Where the last round's time went.
void ReportActs(Report& report, const Found& found) {
  std::vector<Spent> acts = found.acts;
  std::stable_sort(acts.begin(), acts.end(),
                   [](const Spent& a, const Spent& b) { return a.wall > b.wall; });
  const auto ms = [](absl::Duration time) {
    return absl::StrFormat("%.0f", absl::ToDoubleMilliseconds(time));
  };
  acts.insert(acts.begin(), found.all);
  std::vector<std::vector<std::string>> rows = {{"act", "ms"}};
  rows[0].insert(rows[0].end(), std::begin(kProcesses), std::end(kProcesses));
  Json json = Json::array();
  for (const Spent& act : acts) {
    rows.push_back({act.act, ms(act.wall)});
    Json one = {{"act", act.act}, {"ms", absl::ToDoubleMilliseconds(act.wall)}};
    for (size_t i = 0; i < act.cpu.size(); ++i) {
      rows.back().push_back(ms(act.cpu[i]));
      one[absl::StrCat(kProcesses[i], "_cpu_ms")] = absl::ToDoubleMilliseconds(act.cpu[i]);
    }
    json.push_back(std::move(one));
  }
  report.Add("Where the time of the flows goes: acts, and CPU ms of each process", "flow_acts",
             rows, std::move(json));
}

}  // namespace

absl::Status RunFlows(const Run& run) {
  std::vector<double> rates, limits;
  Found last;
  for (int round = 0; round < run.effort.rounds; ++round) {
    YZ_ASSIGN_OR_RETURN(last, OneRound(run));
    rates.push_back(last.per_s);
    limits.push_back(last.limit_per_s);
    std::cerr << "." << std::flush;
  }
  const double flows = run.effort.flows * kLists;
  const auto of_one = [&](double all) { return all / flows; };
  const double calls = of_one(static_cast<double>(last.cost.calls));
  const double statements = of_one(static_cast<double>(last.cost.questions));
  const double commits = of_one(static_cast<double>(last.cost.commits));
  const double prepared = of_one(static_cast<double>(last.cost.prepared));
  const double database_ms = of_one(absl::ToDoubleMilliseconds(last.all.cpu[kDatabase]));
  const double limit = Median(limits);
  const auto cell = [](double value) { return absl::StrFormat("%.1f", value); };
  run.report.Add(
      "Full flows, filing to paid", "flows",
      {{"flows per second", "at once", "RPCs a flow", "statements a flow", "commits a flow",
        "prepared a flow", "database CPU ms", "limit"},
       {cell(Median(rates)), absl::StrCat(run.effort.flows * kLists), cell(calls), cell(statements),
        cell(commits), cell(prepared), cell(database_ms), cell(limit)}},
      {{"per_s", rates},
       {"at_once", run.effort.flows * kLists},
       {"rpcs", calls},
       {"statements", statements},
       {"commits", commits},
       {"prepared", prepared},
       {"database_cpu_ms", database_ms},
       {"limit_per_s", limit}});
  ReportActs(run.report, last);
  run.report.Promise("full flows per second", Median(rates), 40, true);
  if (limit > 0) {
    run.report.Promise("full flows, share of the limit of their calls and statements",
                       Median(rates) / limit, 0.60, true);
  }
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
