#include "tests/bench/compare.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/clocks.h"
#include "common/base/loop.h"
#include "common/base/status_macros.h"
#include "common/journal/sequencer.h"
#include "common/journal/signer.h"

namespace yuezhan::bench {
namespace {

constexpr double kShareOfPeak = 0.7;
constexpr int kPeakInFlight = 16;
// A tail of few calls is that of one hiccup.
constexpr int64_t kLatencyRounds = 10;

// This binary again, as the server of bare calls.
class Echo {
 public:
  static absl::StatusOr<Echo> Start(World& world) {
    Echo echo;
    YZ_ASSIGN_OR_RETURN(echo.port_, yz::ReservedPort::Take());
    echo.target_ = absl::StrCat("127.0.0.1:", echo.port_->number());
    std::vector<std::string> arguments = {"--echo=" + echo.target_};
    if (world.tls()) {
      arguments.push_back("--echo_key=" + world.File("tls/registry.key"));
      arguments.push_back("--echo_certificate=" + world.File("tls/registry.pem"));
    }
    YZ_ASSIGN_OR_RETURN(echo.process_, yz::Process::Start("/proc/self/exe", arguments,
                                                          world.File("logs/echo.log")));
    LoadOptions ping{.target = echo.target_, .tls = world.tls(), .connections = 1, .in_flight = 1};
    const Call call{"/bench/0", "", ""};
    const absl::Time end = absl::Now() + absl::Seconds(10);
    while (!RunLoad(ping, 1, [&](int64_t) -> const Call& { return call; }).ok()) {
      if (absl::Now() > end) return absl::DeadlineExceededError("the echo does not start");
      absl::SleepFor(absl::Milliseconds(20));
    }
    return echo;
  }
  const std::string& target() const { return target_; }
  pid_t pid() const { return process_->pid(); }

 private:
  std::string target_;
  std::unique_ptr<yz::ReservedPort> port_;
  std::unique_ptr<yz::Process> process_;
};

// A sequencer over the copy that bare SQL writes to, as a service has one.
class Sequencing {
 public:
  Sequencing(World& world, const std::string& service)
      : pool_(world.DataOf(service, "_sequenced").database, 2),
        signer_(journal::Signer::FromPem(journal::Signer::NewPem()).value()),
        sequencer_(pool_, signer_, service, "bench"),
        loop_("sequencer", [this] { return sequencer_.Step(); }) {}

 private:
  db::Pool pool_;
  std::shared_ptr<const journal::Signer> signer_;
  journal::Sequencer sequencer_;
  BackgroundLoop loop_;
};

absl::Duration OwnCpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

double MicrosecondsPerCall(absl::Duration cpu, int64_t calls) {
  return absl::ToDoubleMicroseconds(cpu) / static_cast<double>(std::max<int64_t>(1, calls));
}

// One method's calls, in order, some for each round.
class Comparer {
 public:
  Comparer(World& world, const Echo& echo, const Prepared& prepared)
      : world_(world), echo_(echo), prepared_(prepared) {
    for (const Call& call : prepared.calls) {
      echo_calls_.push_back({absl::StrCat("/bench/", prepared.answer_bytes), "", call.body});
    }
    std::map<std::string, db::Options> bare, sequenced;
    for (const char* service : kBenchServices) {
      bare[service] = world.DataOf(service, "_bare").database;
      sequenced[service] = world.DataOf(service, "_sequenced").database;
    }
    bare_ = std::make_unique<Replay>(bare, world.options().connections);
    sequenced_ = std::make_unique<Replay>(sequenced, world.options().connections);
    if (writes()) sequencing_ = std::make_unique<Sequencing>(world, prepared.method.service);
  }

  // A round of all kinds; appends to `into`.
  absl::Status Round(int in_flight, int64_t count, Comparison* into) {
    LoadOptions load{.target = echo_.target(), .tls = world_.tls(),
                     .connections = std::min(in_flight, 4), .in_flight = in_flight};
    absl::Duration cpu = CpuOf(echo_.pid());
    YZ_ASSIGN_OR_RETURN(const LoadResult echo, Load(load, echo_calls_, count));
    into->echo_cpu_us.push_back(MicrosecondsPerCall(CpuOf(echo_.pid()) - cpu, count));
    into->echo.push_back(echo.per_second());

    cpu = OwnCpu();
    YZ_ASSIGN_OR_RETURN(const ReplayResult sql, Sql(*bare_, in_flight, count));
    into->connector_cpu_us.push_back(MicrosecondsPerCall(OwnCpu() - cpu, count));
    into->sql.push_back(sql.per_second());
    if (writes()) {
      YZ_ASSIGN_OR_RETURN(const ReplayResult also, Sql(*sequenced_, in_flight, count));
      into->sequenced_sql.push_back(also.per_second());
    }

    load.target = world_.TargetOf(prepared_.method.service);
    cpu = ServicesCpu();
    YZ_ASSIGN_OR_RETURN(const LoadResult call, Load(load, prepared_.calls, count));
    into->call_cpu_us.push_back(MicrosecondsPerCall(ServicesCpu() - cpu, count));
    into->call.push_back(call.per_second());
    if (writes()) next_ += count;
    return absl::OkStatus();
  }

  // Calls alone, open loop, in rounds that take turns with the bare echo's, which shows what tails
  // the machine itself has.
  absl::StatusOr<Latency> AtRates(double rate, double echo_rate, int64_t count, int rounds) {
    LoadOptions load{.target = world_.TargetOf(prepared_.method.service), .tls = world_.tls(),
                     .connections = 4, .rate = rate};
    LoadOptions echo_load = load;
    echo_load.target = echo_.target();
    echo_load.rate = echo_rate;
    Latency latency{prepared_.method.ShortName(), world_.tls(), rate};
    for (int round = 0; round < rounds; ++round) {
      YZ_ASSIGN_OR_RETURN(const LoadResult echo, Load(echo_load, echo_calls_, count / rounds));
      latency.echo_spread.push_back(echo.Spread());
      YZ_ASSIGN_OR_RETURN(const LoadResult call, Load(load, prepared_.calls, count / rounds));
      if (writes()) next_ += count / rounds;
      latency.p50_us.push_back(absl::ToDoubleMicroseconds(call.Quantile(0.5)));
      latency.p90_us.push_back(absl::ToDoubleMicroseconds(call.Quantile(0.9)));
      latency.p99_us.push_back(absl::ToDoubleMicroseconds(call.Quantile(0.99)));
      latency.spread.push_back(call.Spread());
    }
    return latency;
  }

  // Writes that are left.
  int64_t left() const { return static_cast<int64_t>(prepared_.calls.size()) - next_; }

 private:
  bool writes() const { return prepared_.method.writes; }

  absl::StatusOr<LoadResult> Load(const LoadOptions& options, const std::vector<Call>& calls,
                                  int64_t count) {
    YZ_ASSIGN_OR_RETURN(LoadResult result, RunLoad(options, count, [&](int64_t i) -> const Call& {
                          return calls[static_cast<size_t>(next_ + i) % calls.size()];
                        }));
    // Open loop, a machine that stood still for a moment fills the queue: who was refused counts as
    // one who waited for the whole round.
    const auto refused = static_cast<int64_t>(result.refused_latencies.size());
    const bool open_loop = options.rate > 0;
    if (open_loop) result.latencies.insert(result.latencies.end(), refused, result.elapsed);
    if (result.ok() + (open_loop ? refused : 0) == count) return result;
    std::string codes;
    for (const auto& [code, calls_with] : result.codes) {
      absl::StrAppend(&codes, " ", code, ":", calls_with);
    }
    return absl::InternalError(absl::StrCat(prepared_.method.ShortName(), " at ", options.target,
                                            ": not all were answered OK:", codes));
  }

  absl::StatusOr<ReplayResult> Sql(Replay& replay, int in_flight, int64_t count) {
    const auto size = static_cast<int64_t>(prepared_.statements.size());
    ReplayResult whole;
    // Reads come round again; writes never do.
    for (int64_t done = 0; done < count;) {
      const int64_t begin = (next_ + done) % size;
      const int64_t part = std::min(count - done, size - begin);
      YZ_ASSIGN_OR_RETURN(const ReplayResult result,
                          replay.Run(prepared_.statements, static_cast<size_t>(begin),
                                     static_cast<size_t>(begin + part),
                                     std::min(in_flight, world_.options().connections)));
      whole.calls += result.calls;
      whole.elapsed += result.elapsed;
      whole.errors += result.errors;
      done += part;
    }
    if (whole.errors > 0) {
      return absl::InternalError(absl::StrCat(prepared_.method.ShortName(), ": ", whole.errors,
                                              " calls' statements failed when sent again"));
    }
    return whole;
  }

  absl::Duration ServicesCpu() {
    absl::Duration cpu;
    for (const char* service : kBenchServices) cpu += CpuOf(world_.stack().Pid(service));
    return cpu;
  }

  World& world_;
  const Echo& echo_;
  const Prepared& prepared_;
  std::vector<Call> echo_calls_;
  std::unique_ptr<Replay> bare_, sequenced_;
  std::unique_ptr<Sequencing> sequencing_;
  int64_t next_ = 0;
};

// Takes the last call away.
Cost CostOf(Prepared& prepared) {
  Cost cost;
  cost.method = prepared.method.ShortName();
  cost.rpcs = prepared.rpcs;
  cost.request_bytes = prepared.calls.front().body.size();
  cost.answer_bytes = prepared.answer_bytes;
  // Of a later call: a first one may find things missing that all others find.
  cost.statements = std::move(prepared.statements.back());
  prepared.statements.pop_back();
  prepared.calls.pop_back();
  for (const Statement& statement : cost.statements) {
    ++cost.round_trips;
    using Kind = db::Statement::Kind;
    if (statement.kind == Kind::kExecute || statement.kind == Kind::kQuery) ++cost.prepared;
    if (statement.sql == "COMMIT") ++cost.commits;
  }
  return cost;
}

bool UsesUp(const Method& method) {
  return method.writes && method.ShortName() != "RecordActivity";
}

int64_t Sum(const std::map<int, int64_t>& calls) {
  int64_t sum = 0;
  for (const auto& [in_flight, count] : calls) sum += count;
  return sum;
}

}  // namespace

Effort Effort::Smoke() {
  Effort effort;
  effort.rounds = 1;
  effort.stations = 60;
  effort.calls = {{4, 20}};
  effort.dear_calls = {{4, 8}};
  effort.warm_up = effort.dear_warm_up = 4;
  effort.latency_calls = 20;
  effort.flows = 2;
  effort.overload_time = absl::Milliseconds(500);
  effort.connections = 20;
  return effort;
}

void Effort::Hasten() {
  calls = {*calls.find(kPeakInFlight)};
  dear_calls = {*dear_calls.find(kPeakInFlight)};
  plain = false;
}

bool Effort::Chooses(const std::string& method) const {
  return methods.empty() || std::find(methods.begin(), methods.end(), method) != methods.end();
}

// Rounds, warm-up, one for the count of statements, and what tails are told of.
int64_t Effort::DearCalls() const {
  // A check of drafts needs a few.
  if (!Chooses("SubmitApplication") && !Chooses("AuthorizePayment")) return dear_warm_up;
  const int64_t peak = dear_calls.count(16) > 0 ? dear_calls.at(16) : dear_calls.begin()->second;
  return rounds * Sum(dear_calls) + dear_warm_up + 1 + kLatencyRounds * peak;
}
int64_t Effort::DearCallsPlain() const {
  return std::max(dear_warm_up, DearCalls() - rounds * (Sum(dear_calls) / 2));
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<double> Comparison::Composite(bool sequenced) const {
  const std::vector<double>& of_sql = sequenced ? sequenced_sql : sql;
  std::vector<double> limits;
  for (size_t i = 0; i < of_sql.size(); ++i) {
    limits.push_back(1 / (static_cast<double>(rpcs) / echo[i] + 1 / of_sql[i]));
  }
  return limits;
}

std::vector<double> Comparison::Ratio(bool sequenced) const {
  std::vector<double> ratios = Composite(sequenced);
  for (size_t i = 0; i < ratios.size(); ++i) ratios[i] = call[i] / ratios[i];
  return ratios;
}

absl::Duration CpuOf(pid_t pid) {
  // Fields 14 and 15 of /proc/PID/stat, user and system time in ticks; the second may hold spaces.
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  const size_t end = stat.rfind(')');
  if (end == std::string::npos) return absl::ZeroDuration();
  const std::vector<std::string> fields = absl::StrSplit(stat.substr(end + 2), ' ');
  int64_t user = 0, system = 0;
  if (fields.size() < 13 || !absl::SimpleAtoi(fields[11], &user) ||
      !absl::SimpleAtoi(fields[12], &system)) {
    return absl::ZeroDuration();
  }
  return absl::Seconds(static_cast<double>(user + system) /
                       static_cast<double>(sysconf(_SC_CLK_TCK)));
}

absl::Status CompareMethods(World& world, const std::vector<Method>& methods, const Effort& effort,
                            int64_t* begin, MethodResults* results) {
  YZ_ASSIGN_OR_RETURN(const Echo echo, Echo::Start(world));
  const std::unique_ptr<InProcess> recorder = world.NewInProcess("_recorded");
  const int64_t dear = world.tls() ? effort.DearCalls() : effort.DearCallsPlain();
  for (const Method& method : methods) {
    if (!effort.Chooses(method.ShortName())) continue;
    const bool uses_up = UsesUp(method);
    const auto& counts = uses_up ? effort.dear_calls : effort.calls;
    // A page of 50 costs as much as some tens of other reads.
    const int64_t share = method.ShortName() == "ListStations" ? 4 : 1;
    const int64_t warm_up = uses_up ? effort.dear_warm_up : effort.warm_up;
    const int64_t written = effort.rounds * Sum(counts) + warm_up + 1 + effort.latency_calls;
    const int64_t total = uses_up ? dear : method.writes ? written : 1000;
    auto hurry = std::make_unique<Hurry>(world);
    YZ_ASSIGN_OR_RETURN(Prepared prepared, Prepare(method, world, *recorder,
                                                   uses_up ? *begin : 0, total));
    hurry.reset();
    const Cost cost = CostOf(prepared);
    if (world.tls()) results->costs.push_back(cost);
    Comparer comparer(world, echo, prepared);
    const auto rows = [&](const char* suffix) {
      return world.Count(method.service, "journal", suffix);
    };
    const int64_t ahead = rows("") - rows("_bare");
    Comparison ignored;
    YZ_RETURN_IF_ERROR(comparer.Round(16, warm_up, &ignored));
    std::map<int, Comparison> by_level;
    for (int round = 0; round < effort.rounds; ++round) {
      for (const auto& [in_flight, count] : counts) {
        // Without TLS one level tells the difference.
        if (!world.tls() && in_flight != kPeakInFlight && counts.size() > 1) continue;
        Comparison& into = by_level[in_flight];
        into.method = method.ShortName();
        into.tls = world.tls();
        into.writes = method.writes;
        into.in_flight = in_flight;
        into.rpcs = prepared.rpcs;
        YZ_RETURN_IF_ERROR(comparer.Round(in_flight, count / share, &into));
      }
    }
    if (rows("") - rows("_bare") != ahead) {
      return absl::InternalError(absl::StrCat(method.ShortName(), ": calls and bare SQL left ",
                                              "different numbers of rows"));
    }
    double peak = 0, echo_peak = 0;
    for (auto& [in_flight, comparison] : by_level) {
      peak = std::max(peak, Median(comparison.call));
      echo_peak = std::max(echo_peak, Median(comparison.echo));
      results->comparisons.push_back(std::move(comparison));
    }
    const int64_t calls = uses_up ? comparer.left() : effort.latency_calls / share;
    YZ_ASSIGN_OR_RETURN(auto latency,
                        comparer.AtRates(std::max(1.0, kShareOfPeak * peak),
                                         std::max(1.0, kShareOfPeak * echo_peak), calls,
                                         effort.rounds));
    results->latencies.push_back(std::move(latency));
    std::cerr << "." << std::flush;
  }
  *begin += dear;
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
