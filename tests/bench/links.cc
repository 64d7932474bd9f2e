// What each link of the call chain takes of one thread, without gRPC.
#include <fcntl.h>
#include <unistd.h>

#include <ctime>

#include "absl/strings/str_format.h"
#include "common/auth/permissions.h"
#include "common/auth/tokens.h"
#include "common/base/clocks.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/metrics/metrics.h"
#include "common/rpc/chain.h"
#include "common/rpc/identity.h"
#include "common/rpc/mask.h"
#include "common/rpc/server.h"
#include "common/rpc/validation.h"
#include "tests/bench/sections.h"

namespace yuezhan::bench {
namespace {

absl::Duration ThreadCpu() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return absl::DurationFromTimespec(now);
}

// Microseconds of CPU that one run takes, by the thread that runs it.
double CpuOfOne(int times, const std::function<void()>& link) {
  link();
  const absl::Duration before = ThreadCpu();
  for (int i = 0; i < times; ++i) link();
  return absl::ToDoubleMicroseconds(ThreadCpu() - before) / times;
}

// Log lines go where they cost what a file costs, and not to the terminal. They are written by
// another thread, which is not counted.
double CostOfLogging(int times, const rpc::CallRecord& record, const std::string& file) {
  const int terminal = dup(STDERR_FILENO);
  const int log = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(log, STDERR_FILENO);
  SetLogLevel(LogLevel::kInfo);
  const double cost = CpuOfOne(times, [&] { rpc::LogCall(record); });
  SetLogLevel(LogLevel::kError);
  FlushLog();
  dup2(terminal, STDERR_FILENO);
  close(log);
  close(terminal);
  return cost;
}

}  // namespace

absl::Status RunLinks(const Run& run) {
  YZ_ASSIGN_OR_RETURN(const std::unique_ptr<World> world, World::Make(run.world));
  YZ_RETURN_IF_ERROR(world->stack().Start("registry"));
  YZ_RETURN_IF_ERROR(world->stack().Start("application"));
  YZ_RETURN_IF_ERROR(world->stack().Start("payment"));
  const std::unique_ptr<InProcess> in = world->NewInProcess();
  YZ_ASSIGN_OR_RETURN(const Seeds seeds, Seed(*in, 60, 1, 1, 4));
  auth::VerifierOptions verifying;
  verifying.key_directory = world->File("keys/tokens");
  verifying.issuer = "yuezhan";
  YZ_ASSIGN_OR_RETURN(const auto verifier, auth::TokenVerifier::Create(verifying));
  YZ_ASSIGN_OR_RETURN(const auto metrics, metrics::Metrics::Open("", "bench"));
  const int times = run.effort.rounds > 1 ? 20'000 : 50;
  const int dear_times = run.effort.rounds > 1 ? 2'000 : 10;

  std::vector<std::vector<std::string>> rows = {
      {"CPU us", "token", "permission", "parse", "check", "handler with SQL", "mask", "serialize",
       "log line", "metrics"}};
  Json json = Json::array();
  double worst = 0;
  for (const Method& method : MakeMethods(seeds, *in)) {
    if (method.service != "registry") continue;
    YZ_ASSIGN_OR_RETURN(const std::string token, world->stack().client().Token(method.caller));
    const rpc::Credentials credentials{"Bearer " + token, {}};
    const std::string bytes = method.request(0)->SerializeAsString();
    const auto request = method.request(0);
    const auto& handler = in->MethodOf(method.name);
    const std::unique_ptr<google::protobuf::Message> answer(handler.answer->New());
    absl::Status called;
    int64_t next = 0;
    std::string out;
    const rpc::CallRecord record{.method = method.name, .subject = method.caller.subject,
                                 .resource = seeds.stations[0],
                                 .trace_id = "0123456789abcdef0123456789abcdef", .code = "OK",
                                 .reason = "", .incident = "", .fault = "",
                                 .queued = absl::Microseconds(12),
                                 .elapsed = absl::Microseconds(345),
                                 .request_bytes = bytes.size(), .answer_bytes = 1000};
    const double costs[] = {
        CpuOfOne(times, [&] {
          called.Update(rpc::Identify(credentials, verifier.get(), false, WallNow()).status());
        }),
        CpuOfOne(times, [&] {
          const auth::Permission* row = auth::FindPermission(method.name);
          if (row == nullptr || !method.caller.roles.Intersects(row->roles)) {
            called = absl::PermissionDeniedError(method.name);
          }
        }),
        CpuOfOne(times, [&] { request->ParseFromString(bytes); }),
        CpuOfOne(times, [&] { called.Update(rpc::CheckRequest(request.get())); }),
        CpuOfOne(dear_times, [&] {
          const auto each = method.request(next++);
          called.Update(in->Call(method.caller, method.name, *each, answer.get()));
        }),
        CpuOfOne(dear_times, [&] { rpc::MaskPersonal(answer.get()); }),
        CpuOfOne(dear_times, [&] { answer->SerializeToString(&out); }),
        CostOfLogging(times, record, world->File("logs/links.log")),
        CpuOfOne(times, [&] {
          metrics->CountCall(method.name, "OK", absl::Microseconds(345), absl::Microseconds(12));
        })};
    YZ_RETURN_IF_ERROR(called);
    rows.push_back({method.ShortName()});
    Json row = {{"method", method.ShortName()}};
    for (size_t i = 0; i < std::size(costs); ++i) {
      rows.back().push_back(absl::StrFormat("%.2f", costs[i]));
      row[rows.front()[i + 1]] = costs[i];
    }
    json.push_back(row);
    worst = std::max(worst, costs[0] + costs[1]);
  }
  run.report.Add("Links of the chain", "links", rows, json);
  run.report.Promise("token and permission together, us", worst, 10, false);
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
