// docs/regulation-to-code.md, made of the rules, the policy and the source tree.
#ifndef YUEZHAN_COMMON_RULES_REGULATION_DOC_H_
#define YUEZHAN_COMMON_RULES_REGULATION_DOC_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace yuezhan::rules {

// The articles and annexes of the regulation, in order, and "interpretation" last; what each says,
// in short.
struct Article {
  std::string_view number;
  std::string_view says;
};
const std::vector<Article>& Articles();

// The document for the source tree at `source`, with the built-in policy. FailedPrecondition with
// one line for each article without a rule, rule without an article, a test, a question that
// exists, or with a policy value that does not.
absl::StatusOr<std::string> RegulationToCode(const std::string& source);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_REGULATION_DOC_H_
