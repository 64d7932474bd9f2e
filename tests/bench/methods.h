#ifndef YUEZHAN_TESTS_BENCH_METHODS_H_
#define YUEZHAN_TESTS_BENCH_METHODS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "tests/bench/http2_load.h"
#include "tests/bench/statements.h"
#include "tests/bench/world.h"

namespace yuezhan::bench {

// One method of the contract as the benchmark calls it.
struct Method {
  std::string service;  // "registry"
  std::string name;     // "yuezhan.registry.v1.RegistryService/GetStation"
  bool writes = false;
  Caller caller;
  // The i-th request; those of a read come round again after `distinct`, a write's never do.
  std::function<std::unique_ptr<google::protobuf::Message>(int64_t)> request;
  int64_t distinct = 0;  // reads: different requests; writes: as many as there are

  std::string ShortName() const { return name.substr(name.rfind('/') + 1); }
};

// The reads and writes that are measured. Requests of writes that use something up begin at
// `begin` of what was seeded.
std::vector<Method> MakeMethods(const Seeds& seeds, InProcess& in);

// A method's calls with what each of them sends to the database.
struct Prepared {
  Method method;
  std::vector<Call> calls;
  std::vector<Statements> statements;
  size_t answer_bytes = 0;  // of the first answer
  int64_t rpcs = 1;         // a call and those that it makes of other services
};

// Makes `count` requests from `begin` on, and runs each through the handlers of `recorder`, over a
// copy of the data. An error names the call that fails.
absl::StatusOr<Prepared> Prepare(const Method& method, World& world, InProcess& recorder,
                                 int64_t begin, int64_t count);

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_METHODS_H_
