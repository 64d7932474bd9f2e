#include "services/yz/profile.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "services/yz/files.h"

namespace yuezhan::yz {
namespace {

struct Field {
  const char* key;
  std::string Profile::*value;
};
constexpr Field kFields[] = {
    {"tls_ca", &Profile::tls_ca},
    {"token_key", &Profile::token_key},
    {"token_key_id", &Profile::token_key_id},
    {"token_issuer", &Profile::token_issuer},
    {"simulated_clock", &Profile::simulated_clock},
};

}  // namespace

absl::StatusOr<Profile> ReadProfile(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  if (!text.ok()) return text.status();
  google::protobuf::Struct json;
  if (!google::protobuf::util::JsonStringToMessage(*text, &json).ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not JSON"));
  }
  Profile profile;
  auto& fields = *json.mutable_fields();
  for (const auto& [service, target] : fields["targets"].struct_value().fields()) {
    profile.targets[service] = target.string_value();
  }
  for (const Field& field : kFields) profile.*field.value = fields[field.key].string_value();
  if (profile.targets.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " names no targets"));
  }
  return profile;
}

absl::Status WriteProfile(const Profile& profile, const std::string& path) {
  google::protobuf::Struct json;
  auto& fields = *json.mutable_fields();
  for (const Field& field : kFields) fields[field.key].set_string_value(profile.*field.value);
  auto& targets = *fields["targets"].mutable_struct_value()->mutable_fields();
  for (const auto& [service, target] : profile.targets) targets[service].set_string_value(target);
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  std::string text;
  (void)google::protobuf::util::MessageToJsonString(json, &text, options);
  return WriteFile(path, text);
}

}  // namespace yuezhan::yz
