#include "tests/bench/sections.h"

#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/db/session.h"

namespace yuezhan::bench {

const std::vector<Section>& Sections() {
  static const auto& sections = *new std::vector<Section>{
      {"methods", "reads and writes against echo and SQL, with TLS and without", &RunMethods},
      {"links", "CPU of each link of the chain", &RunLinks},
      {"flows", "full flows per second, from filing to paid", &RunFlows},
      {"overload", "three times more calls than are served", &RunOverload},
      {"memory", "a thousand TLS connections", &RunMemory},
      {"lag", "sequencer and followers at 70% load", &RunLag},
      {"replicas", "CPU a call of two replicas", &RunReplicas},
      {"growth", "what calls cost with a million stations", &RunGrowth, /*longer=*/true},
  };
  return sections;
}

namespace {

// Waits until all that was written stands in the chain.
absl::Status AwaitSequenced(World& world) {
  const absl::Time end = absl::Now() + absl::Seconds(60);
  for (const char* service : kBenchServices) {
    db::Session session(world.DataOf(service).database);
    const std::string behind = "SELECT (SELECT COUNT(*) FROM journal) - seq FROM journal_head";
    while (session.QueryText(behind)[0].Int(0) > 0) {
      if (absl::Now() > end) return absl::DeadlineExceededError("the sequencer does not keep up");
      absl::SleepFor(absl::Milliseconds(20));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunMethods(const Run& run) {
  const Effort& effort = run.effort;
  YZ_ASSIGN_OR_RETURN(const std::unique_ptr<World> world, World::Make(run.world));
  const auto start = [&] {
    absl::Status first;
    for (const char* service : kBenchServices) first.Update(world->stack().Start(service));
    return first;
  };
  YZ_RETURN_IF_ERROR(start());  // makes the tables
  const auto dear = static_cast<int>(effort.DearCalls() + effort.DearCallsPlain());
  auto hurry = std::make_unique<Hurry>(*world);
  std::unique_ptr<InProcess> in = world->NewInProcess();
  YZ_ASSIGN_OR_RETURN(const Seeds seeds, Seed(*in, effort.stations, dear, dear, 16));
  YZ_RETURN_IF_ERROR(AwaitSequenced(*world));
  for (const char* copy : {"_recorded", "_bare", "_sequenced"}) {
    YZ_RETURN_IF_ERROR(world->Copy(copy));
  }
  const std::vector<Method> methods = MakeMethods(seeds, *in);
  in.reset();
  hurry.reset();
  MethodResults& results = run.methods;
  int64_t begin = 0;
  YZ_RETURN_IF_ERROR(CompareMethods(*world, methods, effort, &begin, &results));
  if (effort.plain) {
    YZ_RETURN_IF_ERROR(world->Open(/*tls=*/false));
    YZ_RETURN_IF_ERROR(start());
    YZ_RETURN_IF_ERROR(CompareMethods(*world, methods, effort, &begin, &results));
  }
  run.report.Add(results);
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
