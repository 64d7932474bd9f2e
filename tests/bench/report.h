#ifndef YUEZHAN_TESTS_BENCH_REPORT_H_
#define YUEZHAN_TESTS_BENCH_REPORT_H_

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "tests/bench/compare.h"

namespace yuezhan::bench {

using Json = nlohmann::ordered_json;

// What a run found: lines for people as they come, and the same for machines at the end.
class Report {
 public:
  explicit Report(std::ostream& out) : out_(out) {}

  void Add(const MethodResults& results);
  // A table of its own: rows of cells, the first is the head.
  void Add(const std::string& title, const std::string& key,
           const std::vector<std::vector<std::string>>& rows, Json json);
  // A promise with what was measured of it.
  void Promise(const std::string& what, double measured, double limit, bool at_least);

  // The promises as a last table; whether all were kept.
  bool Finish();
  const Json& json() const { return json_; }

 private:
  std::ostream& out_;
  Json json_;
  std::vector<std::vector<std::string>> promises_ = {{"it must hold", "measured", "limit", ""}};
  bool kept_ = true;
};

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_REPORT_H_
