#ifndef YUEZHAN_TESTS_BENCH_SECTIONS_H_
#define YUEZHAN_TESTS_BENCH_SECTIONS_H_

#include <vector>

#include "absl/status/status.h"
#include "tests/bench/report.h"

namespace yuezhan::bench {

// What each section gets.
struct Run {
  const Effort& effort;
  const WorldOptions world;
  Report& report;
  MethodResults& methods;  // of the section methods, once it ran
};

// A part of the benchmark that can be run alone.
struct Section {
  const char* name;
  const char* what;
  absl::Status (*run)(const Run&);
  bool longer = false;
};
const std::vector<Section>& Sections();

absl::Status RunMethods(const Run& run);   // sections.cc
absl::Status RunLinks(const Run& run);     // links.cc
absl::Status RunFlows(const Run& run);     // flows.cc
absl::Status RunOverload(const Run& run);  // stress.cc, and the following
absl::Status RunMemory(const Run& run);
absl::Status RunLag(const Run& run);
absl::Status RunReplicas(const Run& run);
absl::Status RunGrowth(const Run& run);  // growth.cc

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_SECTIONS_H_
