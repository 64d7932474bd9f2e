// Overload, many connections, lag of what follows, and two replicas.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/clocks.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/db/session.h"
#include "tests/bench/sections.h"
#include "yuezhan/application/v1/application.pb.h"

namespace yuezhan::bench {
namespace {

std::string Millis(absl::Duration value) {
  return absl::StrFormat("%.1f", absl::ToDoubleMilliseconds(value));
}

// A stack with some stations, and calls for it.
struct Ready {
  std::unique_ptr<World> world;
  std::unique_ptr<InProcess> in;
  Seeds seeds;
  std::vector<Method> methods;

  const Method& MethodNamed(std::string_view name) const {
    return *std::find_if(methods.begin(), methods.end(),
                         [name](const Method& m) { return m.ShortName() == name; });
  }
  absl::StatusOr<std::vector<Call>> Calls(const Method& method, int64_t count) {
    YZ_ASSIGN_OR_RETURN(const std::string token, world->stack().client().Token(method.caller));
    std::vector<Call> calls;
    for (int64_t i = 0; i < count; ++i) {
      calls.push_back({"/" + method.name, token, method.request(i)->SerializeAsString()});
    }
    return calls;
  }
  absl::StatusOr<LoadResult> Load(const std::vector<Call>& calls, LoadOptions options) {
    if (options.target.empty()) options.target = world->TargetOf("registry");
    options.tls = true;
    return RunLoad(options, static_cast<int64_t>(calls.size()),
                   [&](int64_t i) -> const Call& { return calls[static_cast<size_t>(i)]; });
  }
};

absl::Status Prepare(const Run& run, Ready* ready) {
  YZ_ASSIGN_OR_RETURN(ready->world, World::Make(run.world));
  YZ_RETURN_IF_ERROR(ready->world->stack().StartAll());
  ready->in = ready->world->NewInProcess();
  const Hurry hurry(*ready->world);
  YZ_ASSIGN_OR_RETURN(ready->seeds, Seed(*ready->in, std::min(200, run.effort.stations), 1, 1, 16));
  ready->methods = MakeMethods(ready->seeds, *ready->in);
  return absl::OkStatus();
}

// Kilobytes of memory that a process has in use now.
int64_t ResidentKib(pid_t pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == "VmRSS:" && status >> kib) return kib;
  }
  return 0;
}

absl::StatusOr<double> PeakOf(Ready& ready, const std::vector<Call>& calls,
                              const std::string& target = "") {
  YZ_ASSIGN_OR_RETURN(const LoadResult result,
                      ready.Load(calls, {.target = target, .in_flight = 16}));
  if (result.ok() != static_cast<int64_t>(calls.size())) return absl::InternalError("calls failed");
  return result.per_second();
}

}  // namespace

absl::Status RunOverload(const Run& run) {
  Ready ready;
  YZ_RETURN_IF_ERROR(Prepare(run, &ready));
  const Method& method = ready.MethodNamed("RecordActivity");
  const int64_t some = run.effort.calls.rbegin()->second;
  YZ_ASSIGN_OR_RETURN(const auto warm, ready.Calls(method, some));
  YZ_RETURN_IF_ERROR(PeakOf(ready, warm).status());
  YZ_ASSIGN_OR_RETURN(const auto calm, ready.Calls(method, some));
  YZ_ASSIGN_OR_RETURN(const double peak, PeakOf(ready, calm));
  const auto for_time = [&](double rate) {
    return static_cast<int64_t>(rate * absl::ToDoubleSeconds(run.effort.overload_time)) + 1;
  };
  YZ_ASSIGN_OR_RETURN(const auto many, ready.Calls(method, for_time(3 * peak)));
  YZ_ASSIGN_OR_RETURN(const auto few, ready.Calls(method, for_time(peak / 2)));
  YZ_ASSIGN_OR_RETURN(const LoadResult burst,
                      ready.Load(many, {.connections = 16, .rate = 3 * peak}));
  YZ_ASSIGN_OR_RETURN(const LoadResult after,
                      ready.Load(few, {.connections = 4, .rate = peak / 2}));
  const auto refused = [](const LoadResult& r) {
    return static_cast<int64_t>(r.refused_latencies.size());
  };
  const auto number = [](double value) { return absl::StrFormat("%.0f", value); };
  const double refusal_ms =
      absl::ToDoubleMilliseconds(QuantileOf(burst.refused_latencies, 0.99));
  const int64_t other = burst.answered - burst.ok() - refused(burst);
  run.report.Add("Three times more than it can serve", "overload",
                 {{"RecordActivity", "offered/s", "served/s", "refused", "of these with a time",
                   "p99 of a refusal ms", "other errors", "refused after"},
                  {"peak", number(peak), number(peak), "0", "0", "", "0", ""},
                  {"burst", number(3 * peak), number(burst.per_second()),
                   absl::StrCat(refused(burst)), absl::StrCat(burst.refused_with_time),
                   Millis(QuantileOf(burst.refused_latencies, 0.99)), absl::StrCat(other),
                   absl::StrCat(refused(after))}},
                 {{"peak_per_s", peak},
                  {"served_per_s", burst.per_second()},
                  {"refused", refused(burst)},
                  {"refused_with_time", burst.refused_with_time},
                  {"refusal_p99_ms", refusal_ms},
                  {"other_errors", other},
                  {"refused_after", refused(after)}});
  run.report.Promise("under three times the load, share of the peak that goes through",
                     burst.per_second() / peak, 0.80, true);
  run.report.Promise("under three times the load, calls that end otherwise",
                     static_cast<double>(other), 0, false);
  run.report.Promise("refusals without a time to come back",
                     static_cast<double>(refused(burst) - burst.refused_with_time), 0, false);
  // Half the peak right after the burst: who is served at once finds it recovered.
  run.report.Promise("refused right after the burst", static_cast<double>(refused(after)), 0,
                     false);
  return absl::OkStatus();
}

absl::Status RunMemory(const Run& run) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  Ready ready;
  YZ_RETURN_IF_ERROR(Prepare(run, &ready));
  YZ_ASSIGN_OR_RETURN(const auto calls, ready.Calls(ready.MethodNamed("RecordActivity"),
                                                    run.effort.calls.rbegin()->second));
  const Call health{"/grpc.health.v1.Health/Check", "", ""};
  std::vector<std::vector<std::string>> rows = {{"resident MiB", "without", "with connections"}};
  Json json = Json::array();
  for (const char* name : {"registry", "application", "review", "payment"}) {
    const std::string service = name;
    const pid_t pid = ready.world->stack().Pid(service);
    const double before = static_cast<double>(ResidentKib(pid)) / 1024;
    double with = 0;
    absl::Status loaded;
    LoadOptions options{.target = ready.world->TargetOf(service), .tls = true,
                        .connections = run.effort.connections, .in_flight = run.effort.connections};
    YZ_RETURN_IF_ERROR(WithConnections(options, health, [&] {
      if (service == "registry") loaded = PeakOf(ready, calls).status();
      with = static_cast<double>(ResidentKib(pid)) / 1024;
    }));
    YZ_RETURN_IF_ERROR(loaded);
    rows.push_back({service, absl::StrFormat("%.0f", before), absl::StrFormat("%.0f", with)});
    json.push_back({{"service", service}, {"connections", run.effort.connections},
                    {"before_mib", before}, {"with_mib", with}});
    run.report.Promise(absl::StrCat(service, ", resident MiB with ", run.effort.connections,
                                    " TLS connections"),
                       with, 256, false);
  }
  run.report.Add("Memory", "memory", rows, json);
  return absl::OkStatus();
}

namespace {

// Where a count stood when; ordered by both.
using Track = std::vector<std::pair<absl::Duration, int64_t>>;

// How long each new count of `ahead` took until `behind` had it.
std::vector<absl::Duration> LagsOf(const Track& ahead, const Track& behind) {
  std::vector<absl::Duration> lags;
  size_t at = 0;
  int64_t before = ahead.empty() ? 0 : ahead.front().second;
  for (const auto& [time, count] : ahead) {
    if (count == before) continue;  // nothing was added: nothing is late
    before = count;
    while (at < behind.size() && behind[at].second < count) ++at;
    if (at == behind.size()) break;
    lags.push_back(std::max(absl::ZeroDuration(), behind[at].first - time));
  }
  std::sort(lags.begin(), lags.end());
  return lags;
}

}  // namespace

absl::Status RunLag(const Run& run) {
  Ready ready;
  YZ_RETURN_IF_ERROR(Prepare(run, &ready));
  const Seeds& seeds = ready.seeds;
  Method create{"application", "yuezhan.application.v1.ApplicationService/CreateApplication", true,
                seeds.host, [&](int64_t i) {
                  auto request = std::make_unique<application::v1::CreateApplicationRequest>();
                  request->set_request_id(NewUuid());
                  *request->mutable_form() = seeds.scenario.stations.front().application;
                  const size_t station = static_cast<size_t>(i) % seeds.stations.size();
                  request->mutable_form()->set_station(seeds.stations[station]);
                  return request;
                }};
  const int64_t count = run.effort.calls.rbegin()->second;
  const std::string target = ready.world->TargetOf("application");
  YZ_ASSIGN_OR_RETURN(const auto warm, ready.Calls(create, count));
  YZ_RETURN_IF_ERROR(PeakOf(ready, warm, target).status());
  YZ_ASSIGN_OR_RETURN(const auto calm, ready.Calls(create, count));
  YZ_ASSIGN_OR_RETURN(const double peak, PeakOf(ready, calm, target));
  YZ_ASSIGN_OR_RETURN(const auto calls, ready.Calls(create, 3 * count));
  absl::SleepFor(absl::Seconds(1));  // what is behind catches up

  Track written, chained, followed;
  std::atomic<bool> over = false;
  const int64_t missing = ready.world->Count("application", "journal", "");
  std::thread watcher([&] {
    db::Session application(ready.world->DataOf("application").database);
    db::Session review(ready.world->DataOf("review").database);
    const auto ask = [](db::Session& session, const char* sql) {
      return session.QueryText(sql)[0].Int(0);
    };
    constexpr char kLast[] = "SELECT MAX(id) FROM journal";
    constexpr char kHead[] = "SELECT seq FROM journal_head";
    constexpr char kCursor[] = "SELECT seq FROM journal_cursor WHERE source = 'application'";
    const int64_t gap = ask(application, kLast) - missing;
    while (!over) {
      // Before one asks for what leads, after for what follows: the lag is never told too short.
      const absl::Duration before = MonotonicNow();
      written.emplace_back(before, ask(application, kLast) - gap);
      const int64_t seq = ask(application, kHead);
      chained.emplace_back(MonotonicNow(), seq);
      const int64_t cursor = ask(review, kCursor);
      followed.emplace_back(MonotonicNow(), cursor);
      absl::SleepFor(absl::Milliseconds(4));
    }
  });
  const auto result = ready.Load(calls, {.target = target, .rate = 0.7 * peak});
  absl::SleepFor(absl::Seconds(1));
  over = true;
  watcher.join();
  YZ_RETURN_IF_ERROR(result.status());
  const auto sequencer = LagsOf(written, chained);
  const auto follower = LagsOf(chained, followed);
  const auto row = [](const char* name, const std::vector<absl::Duration>& lags) {
    return std::vector<std::string>{name, Millis(QuantileOf(lags, 0.5)),
                                    Millis(QuantileOf(lags, 0.99))};
  };
  const auto p99 = [](const std::vector<absl::Duration>& lags) {
    return absl::ToDoubleMilliseconds(QuantileOf(lags, 0.99));
  };
  run.report.Add(absl::StrFormat("Lag at 70%% load, %.0f CreateApplication a second", 0.7 * peak),
                 "lag",
                 {{"ms behind", "p50", "p99"}, row("sequencer (application)", sequencer),
                  row("follower (review of application)", follower)},
                 {{"rate", 0.7 * peak},
                  {"sequencer_p50_ms", absl::ToDoubleMilliseconds(QuantileOf(sequencer, 0.5))},
                  {"sequencer_p99_ms", p99(sequencer)},
                  {"follower_p50_ms", absl::ToDoubleMilliseconds(QuantileOf(follower, 0.5))},
                  {"follower_p99_ms", p99(follower)}});
  run.report.Promise("sequencer's lag at 70% load, p99 ms", p99(sequencer), 200, false);
  run.report.Promise("follower's lag at 70% load, p99 ms", p99(follower), 200, false);
  return absl::OkStatus();
}

absl::Status RunReplicas(const Run& run) {
  Ready ready;
  YZ_RETURN_IF_ERROR(Prepare(run, &ready));
  yz::Stack& stack = ready.world->stack();
  YZ_RETURN_IF_ERROR(stack.Start("registry-2"));
  const Method& method = ready.MethodNamed("RecordActivity");
  const int64_t count = run.effort.calls.rbegin()->second / 2;
  const auto cpu = [&] { return CpuOf(stack.Pid("registry")) + CpuOf(stack.Pid("registry-2")); };
  const int64_t rows = ready.world->Count("registry", "activities", "");
  int64_t sent = 0;
  // CPU a call with so many in flight at the first replica and at the second.
  const auto measure = [&](int first, int second) -> absl::StatusOr<double> {
    YZ_ASSIGN_OR_RETURN(const auto own_calls, ready.Calls(method, count));
    YZ_ASSIGN_OR_RETURN(const auto other_calls, ready.Calls(method, second > 0 ? count : 0));
    const absl::Duration before = cpu();
    absl::StatusOr<LoadResult> other = LoadResult();
    std::thread beside([&] {
      if (second == 0) return;
      other = ready.Load(other_calls,
                         {.target = ready.world->TargetOf("registry-2"), .in_flight = second});
    });
    const auto own = ready.Load(own_calls, {.in_flight = first});
    beside.join();
    YZ_RETURN_IF_ERROR(own.status());
    YZ_RETURN_IF_ERROR(other.status());
    const int64_t calls = own->ok() + other->ok();
    sent += calls;
    return absl::ToDoubleMicroseconds(cpu() - before) / static_cast<double>(calls);
  };
  struct Kind {
    const char* name;
    int first, second;
    std::vector<double> us = {};
  };
  Kind kinds[] = {{"one, 16 in flight", 16, 0}, {"both, 16 each", 16, 16}, {"both, 8 each", 8, 8}};
  for (int round = 0; round <= run.effort.rounds; ++round) {  // the first warms up
    for (Kind& kind : kinds) {
      YZ_ASSIGN_OR_RETURN(const double us, measure(kind.first, kind.second));
      if (round > 0) kind.us.push_back(us);
    }
  }
  const int64_t made = ready.world->Count("registry", "activities", "") - rows;
  std::vector<std::vector<std::string>> table = {{"RecordActivity", "CPU us a call"}};
  for (const Kind& kind : kinds) {
    table.push_back({kind.name, absl::StrFormat("%.0f", Median(kind.us))});
  }
  run.report.Add("Two replicas over one database", "replicas", table,
                 {{"alone_cpu_us", kinds[0].us},
                  {"both_16_each_cpu_us", kinds[1].us},
                  {"both_8_each_cpu_us", kinds[2].us},
                  {"calls", sent},
                  {"effects", made}});
  const double alone = Median(kinds[0].us);
  run.report.Promise("CPU a call of two replicas over one's, as many callers at each",
                     Median(kinds[1].us) / alone, 1.15, false);
  run.report.Promise("CPU a call of two replicas over one's, as many callers in all",
                     Median(kinds[2].us) / alone, 1.15, false);
  run.report.Promise("effects lost or doubled", std::abs(static_cast<double>(made - sent)), 0,
                     false);
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
