// The regulation as pure functions: facts, policy and day in, findings out. No I/O, no clock.
// One file per group of articles declares the questions a service asks; a refusal is its findings.
#ifndef YUEZHAN_COMMON_RULES_RULES_H_
#define YUEZHAN_COMMON_RULES_RULES_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/civil_time.h"
#include "common/policy/calendar.h"
#include "common/policy/policy.h"
#include "yuezhan/common/v1/types.pb.h"
#include "yuezhan/rules/v1/facts.pb.h"

namespace yuezhan::rules {

using common::v1::Finding;
using Findings = std::vector<Finding>;

// No finding is violated: what was asked may be done.
bool Allows(const Findings& findings);
// The violated ones, in order: what a refusal carries as details.
Findings Violations(const Findings& findings);
// The finding of that rule; nullptr when it was not judged.
const Finding* Find(const Findings& findings, std::string_view rule_id);
// The day on which every violation that time alone can lift is lifted; nothing when one needs more
// than time, or nothing is violated.
std::optional<absl::CivilDay> AllowedFrom(const Findings& findings);

// What documentation and tests know of a rule.
struct RuleInfo {
  std::string_view id;       // stable, for example "application.two-full-years"
  std::string_view article;  // "5", "5.1", "interpretation"
  std::string_view
      reads;  // policy fields, separated by spaces, for example "application.full_years"
  std::string_view enforced;  // where, for example "CheckFiling AcceptFiling"
};

// Every rule of the product, in the order of the articles.
const std::vector<RuleInfo>& AllRules();

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_RULES_H_
