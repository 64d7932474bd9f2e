// Whether a parsed policy file says everything, and nothing twice or against itself.
#ifndef YUEZHAN_COMMON_POLICY_VALIDATE_H_
#define YUEZHAN_COMMON_POLICY_VALIDATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/text_format.h"
#include "yuezhan/policy/v1/policy.pb.h"

namespace yuezhan::policy {

// Every mistake as "name:line:column: field: what". `places` is what the parser wrote while reading
// `set`.
std::vector<std::string> Validate(const v1::PolicySet& set,
                                  const google::protobuf::TextFormat::ParseInfoTree& places,
                                  std::string_view name);

}  // namespace yuezhan::policy

#endif  // YUEZHAN_COMMON_POLICY_VALIDATE_H_
