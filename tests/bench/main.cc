// Measures the product against what gRPC alone and the database alone can do on the same machine.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "tests/bench/echo_server.h"
#include "tests/bench/report.h"
#include "tests/bench/sections.h"

ABSL_FLAG(bool, smoke, false, 
          "A few calls of everything, in seconds: shows that it works, measures nothing.");
ABSL_FLAG(bool, longer, false, 
          "Growth too: fills tables with millions of rows first; needs time and 20 GB of disk.");
ABSL_FLAG(std::string, only, "", "Sections, separated by commas; empty: all but growth.");
ABSL_FLAG(std::string, json, "", "File for the figures as JSON.");
ABSL_FLAG(int, rounds, 5, "Rounds that take turns; medians are told.");
ABSL_FLAG(std::string, methods, "",
          "Of the section methods these alone (GetStation,RecordActivity); empty: all.");
ABSL_FLAG(bool, quick, false, "Of the section methods 16 in flight with TLS alone.");
ABSL_FLAG(std::string, echo, "", 
          "Serves bare calls on this host:port instead; the benchmark starts itself so.");
ABSL_FLAG(std::string, echo_key, "", "With --echo: key of a TLS server.");
ABSL_FLAG(std::string, echo_certificate, "", "With --echo: its certificate.");

namespace yuezhan::bench {
namespace {

absl::Status RunSections(Report& report, const Effort& effort,
                         const std::vector<std::string>& only) {
  const char* mysql = std::getenv("YUEZHAN_MYSQL");
  if (mysql == nullptr) {
    return absl::InvalidArgumentError("YUEZHAN_MYSQL must be set: run tests/bench/run");
  }
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  MethodResults methods;
  WorldOptions world{self.parent_path().string(), mysql};
  if (absl::GetFlag(FLAGS_smoke)) world.connections = 4;  // a server that others use has few
  const Run run{effort, world, report, methods};
  for (const Section& section : Sections()) {
    const bool named = std::find(only.begin(), only.end(), section.name) != only.end();
    const bool chosen = only.empty() ? !section.longer || absl::GetFlag(FLAGS_longer) : named;
    if (!chosen) continue;
    std::cerr << section.name << " " << std::flush;
    const absl::Time begin = absl::Now();
    if (absl::Status status = section.run(run); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat(section.name, ": ", std::string(status.message())));
    }
    std::cerr << " " << absl::ToInt64Seconds(absl::Now() - begin) << " s" << std::endl;
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace yuezhan::bench

int main(int argc, char** argv) {
  using namespace yuezhan::bench;
  std::string usage = "Measures Yuezhan against bare gRPC and bare SQL. Sections:\n";
  for (const Section& section : Sections()) {
    absl::StrAppend(&usage, "  ", section.name, ": ", section.what, "\n");
  }
  absl::SetProgramUsageMessage(usage);
  absl::ParseCommandLine(argc, argv);
  // As a service does.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (const std::string echo = absl::GetFlag(FLAGS_echo); !echo.empty()) {
    return ServeEcho({echo, absl::GetFlag(FLAGS_echo_key), absl::GetFlag(FLAGS_echo_certificate)});
  }
  yuezhan::SetLogLevel(yuezhan::LogLevel::kError);
  const bool smoke = absl::GetFlag(FLAGS_smoke);
  Effort effort = smoke ? Effort::Smoke() : Effort();
  if (!smoke) effort.rounds = absl::GetFlag(FLAGS_rounds);
  effort.methods = absl::StrSplit(absl::GetFlag(FLAGS_methods), ',', absl::SkipEmpty());
  if (absl::GetFlag(FLAGS_quick)) effort.Hasten();
  Report report(std::cout);
  const std::vector<std::string> only =
      absl::StrSplit(absl::GetFlag(FLAGS_only), ',', absl::SkipEmpty());
  const absl::Status status = RunSections(report, effort, only);
  const bool kept = report.Finish();
  if (const std::string json = absl::GetFlag(FLAGS_json); !json.empty()) {
    std::ofstream(json) << report.json().dump(1) << "\n";
  }
  if (!status.ok()) {
    std::cerr << std::endl << status << std::endl;
    return 1;
  }
  // A smoke run tells whether it works; its figures say nothing.
  return kept || smoke ? 0 : 2;
}
