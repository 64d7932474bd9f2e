#ifndef YUEZHAN_SERVICES_YZ_SETTINGS_H_
#define YUEZHAN_SERVICES_YZ_SETTINGS_H_

#include <string>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/status/statusor.h"
#include "common/base/caller.h"
#include "services/yz/profile.h"

ABSL_DECLARE_FLAG(std::string, profile);
ABSL_DECLARE_FLAG(std::string, state);
ABSL_DECLARE_FLAG(std::string, mysql);
ABSL_DECLARE_FLAG(std::string, schema_prefix);
ABSL_DECLARE_FLAG(bool, tls);
ABSL_DECLARE_FLAG(bool, demo);
ABSL_DECLARE_FLAG(bool, once);
ABSL_DECLARE_FLAG(std::string, as);
ABSL_DECLARE_FLAG(std::string, subject);
ABSL_DECLARE_FLAG(std::string, display_name);
ABSL_DECLARE_FLAG(std::string, host_unit);
ABSL_DECLARE_FLAG(int, hours);
ABSL_DECLARE_FLAG(std::string, at);
ABSL_DECLARE_FLAG(std::string, columns);
ABSL_DECLARE_FLAG(std::string, reason);
ABSL_DECLARE_FLAG(bool, write);

namespace yuezhan::yz {

// The installation that the commands talk to: --profile, and what the flags put in its place.
absl::StatusOr<Profile> ProfileFromFlags();

// Who calls, by --as, --subject, --display_name and --host_unit. INVALID_ARGUMENT names an unknown
// role.
absl::StatusOr<Caller> CallerFromFlags(const std::string& default_roles);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_SETTINGS_H_
