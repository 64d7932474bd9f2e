// Full flows per second: the demonstration's acts for many stations at once, from filing to paid.
// Several lists go at once, each with its meeting and its notice, after as many that warm up.
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
constexpr absl::Duration kWarmUp = absl::Hours(28 * 24);  // of the business clock; same weekdays
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

// Act by act, each for the stations of all lists. `after` is told of each act that is through.
absl::Status RunLists(const std::vector<List>& lists,
                      const std::function<void(const std::string& act)>& after) {
  for (size_t i = 0; i < lists.front().acts.size(); ++i) {
    std::vector<const yz::DemoStep*> steps;
    for (const List& list : lists) {
      for (const yz::DemoStep& step : list.acts[i].steps) steps.push_back(&step);
    }
    YZ_RETURN_IF_ERROR(InParallel(static_cast<int>(steps.size()), kPersons, [&](int step) {
      return RunStep(*steps[static_cast<size_t>(step)]);
    }));
    after(lists.front().acts[i].name);
  }
  return absl::OkStatus();
}

// Of the database's process; zero where it is none of this machine's.
absl::Duration DatabaseCpu(db::Session& session) {
  std::ifstream file(session.QueryText("SELECT @@pid_file")[0].Text(0));
  pid_t pid = 0;
  return file >> pid ? CpuOf(pid) : absl::ZeroDuration();
}

// What an act took, and whose CPU: of each process in the order of kProcesses.
struct Spent {
  std::string act;
  absl::Duration wall;
  std::vector<absl::Duration> cpu;
};

constexpr const char* kProcesses[] = {"registry", "application", "review", "payment",
                                      "bank",     "database",    "persons"};

std::vector<absl::Duration> CpuOfAll(World& world) {
  static_assert(std::size(kProcesses) == 7);
  std::vector<absl::Duration> cpu;
  for (const char* service : {"registry", "application", "review", "payment", "bank"}) {
    cpu.push_back(CpuOf(world.stack().Pid(service)));
  }
  db::Session session(world.DataOf("registry").database);
  cpu.push_back(DatabaseCpu(session));
  cpu.push_back(CpuOf(getpid()));
  return cpu;
}

// Follows the acts as they pass.
class Meter {
 public:
  explicit Meter(World& world) : world_(world), at_(MonotonicNow()), cpu_(CpuOfAll(world)) {}
  void Passed(const std::string& act) {
    const absl::Duration now = MonotonicNow();
    std::vector<absl::Duration> cpu = CpuOfAll(world_);
    Spent spent{act, now - at_, {}};
    for (size_t i = 0; i < cpu.size(); ++i) spent.cpu.push_back(cpu[i] - cpu_[i]);
    acts_.push_back(std::move(spent));
    at_ = MonotonicNow();
    cpu_ = std::move(cpu);
  }
  const std::vector<Spent>& acts() const { return acts_; }

 private:
  World& world_;
  absl::Duration at_;
  std::vector<absl::Duration> cpu_;
  std::vector<Spent> acts_;
};

struct Counters {
  int64_t questions = 0, commits = 0, calls = 0;
  absl::Duration database_cpu = absl::ZeroDuration();  // where it runs on this machine

  Counters operator-(const Counters& before) const {
    return {questions - before.questions, commits - before.commits, calls - before.calls,
            database_cpu - before.database_cpu};
  }
};

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
                      std::vector<Counters>* costs, std::vector<Spent>* acts) {
  YZ_ASSIGN_OR_RETURN(const std::unique_ptr<World> world, World::Make(run.world));
  YZ_RETURN_IF_ERROR(world->stack().StartAll());
  YZ_ASSIGN_OR_RETURN(const yz::Scenario built_in, yz::BuiltInScenario());
  YZ_ASSIGN_OR_RETURN(auto clock, SimulatedClock::Open(world->File("clock")));
  const auto lists_of = [&](const yz::Scenario& scenario, const std::string& series) {
    std::vector<List> lists;
    for (int i = 0; i < kLists; ++i) {
      lists.push_back(ListOf(*world, clock,
                             ScenarioOf(scenario, absl::StrCat(series, i, "s"), run.effort.flows)));
    }
    return lists;
  };
  yz::Scenario weeks_later = built_in;
  for (auto& [name, day] : weeks_later.days) day += kWarmUp;
  const std::vector<List> first = lists_of(built_in, "warmup");
  const std::vector<List> lists = lists_of(weeks_later, "list");
  std::vector<yz::DemoStep> funding;
  AddDay(*first.front().stage, "start", "", &funding);
  AddFunding(*first.front().stage, &funding);
  for (const yz::DemoStep& step : funding) YZ_RETURN_IF_ERROR(RunStep(step));
  YZ_RETURN_IF_ERROR(RunLists(first, [](const std::string&) {}));
  const Counters before = CountersOf(*world);
  Meter meter(*world);
  const absl::Duration begin = MonotonicNow();
  YZ_RETURN_IF_ERROR(RunLists(lists, [&](const std::string& act) { meter.Passed(act); }));
  const double seconds = absl::ToDoubleSeconds(MonotonicNow() - begin);
  const double flows = run.effort.flows * kLists;
  rates->push_back(flows / seconds);
  costs->push_back(CountersOf(*world) - before);
  *acts = meter.acts();
  limits->push_back(
      LimitOf(run.methods, flows, costs->back(), ConnectorCpu(world->DataOf("registry").database)));
  return absl::OkStatus();
}

}  // namespace

// Where the last round's time went.
void ReportActs(Report& report, std::vector<Spent> acts) {
  std::stable_sort(acts.begin(), acts.end(),
                   [](const Spent& a, const Spent& b) { return a.wall > b.wall; });
  const auto ms = [](absl::Duration time) {
    return absl::StrFormat("%.0f", absl::ToDoubleMilliseconds(time));
  };
  Spent all{"all", absl::ZeroDuration(), std::vector<absl::Duration>(std::size(kProcesses))};
  for (const Spent& act : acts) {
    all.wall += act.wall;
    for (size_t i = 0; i < act.cpu.size(); ++i) all.cpu[i] += act.cpu[i];
  }
  acts.insert(acts.begin(), all);
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

absl::Status RunFlows(const Run& run) {
  std::vector<double> rates, limits;
  std::vector<Counters> costs;
  std::vector<Spent> acts;
  for (int round = 0; round < run.effort.rounds; ++round) {
    YZ_RETURN_IF_ERROR(OneRound(run, &rates, &limits, &costs, &acts));
    std::cerr << "." << std::flush;
  }
  const double flows = run.effort.flows * kLists;
  const double calls = static_cast<double>(costs.back().calls) / flows;
  const double statements = static_cast<double>(costs.back().questions) / flows;
  const double commits = static_cast<double>(costs.back().commits) / flows;
  const double database_ms = absl::ToDoubleMilliseconds(costs.back().database_cpu) / flows;
  const double limit = Median(limits);
  const auto cell = [](double value) { return absl::StrFormat("%.1f", value); };
  run.report.Add("Full flows, filing to paid", "flows",
                 {{"flows per second", "at once", "RPCs a flow", "statements a flow",
                   "commits a flow", "database CPU ms", "limit"},
                  {cell(Median(rates)), absl::StrCat(run.effort.flows * kLists), cell(calls),
                   cell(statements), cell(commits), cell(database_ms), cell(limit)}},
                 {{"per_s", rates},
                  {"at_once", run.effort.flows * kLists},
                  {"rpcs", calls},
                  {"statements", statements},
                  {"commits", commits},
                  {"database_cpu_ms", database_ms},
                  {"limit_per_s", limit}});
  ReportActs(run.report, std::move(acts));
  run.report.Promise("full flows per second", Median(rates), 40, true);
  if (limit > 0) {
    run.report.Promise("full flows, share of the limit of their calls and statements",
                       Median(rates) / limit, 0.60, true);
  }
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
