#ifndef YUEZHAN_COMMON_HOST_FLAGS_H_
#define YUEZHAN_COMMON_HOST_FLAGS_H_

#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/status/statusor.h"
#include "common/base/log.h"
#include "common/base/settings.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"

// Settings that every server has; each can come from the environment as YUEZHAN_<NAME>.
ABSL_DECLARE_FLAG(std::string, database);
ABSL_DECLARE_FLAG(std::string, migrate_database);
ABSL_DECLARE_FLAG(int, connections);
ABSL_DECLARE_FLAG(std::string, policy);
ABSL_DECLARE_FLAG(std::string, calendar);
ABSL_DECLARE_FLAG(std::string, simulated_clock);
ABSL_DECLARE_FLAG(std::string, vault_keys);
ABSL_DECLARE_FLAG(std::string, journal_key);
ABSL_DECLARE_FLAG(std::string, former_journal_keys);
ABSL_DECLARE_FLAG(std::string, token_keys);
ABSL_DECLARE_FLAG(std::string, token_issuer);
ABSL_DECLARE_FLAG(std::string, log_level);
ABSL_DECLARE_FLAG(std::string, metrics_listen);
ABSL_DECLARE_FLAG(std::string, tls_cert);
ABSL_DECLARE_FLAG(std::string, virus_scanner);

namespace yuezhan {

// The server's settings as options of common/rpc.
rpc::ServerOptions ServerOptionsFromFlags();
// A channel to `target` with this process's certificate, or its service token where there is no
// TLS.
rpc::ChannelOptions ChannelOptionsFromFlags(const std::string& target, const std::string& service);
// The target of a server by the setting of its name.
std::string TargetFromFlags(std::string_view service);
// The log level of the moment.
absl::StatusOr<LogLevel> LogLevelFromFlags();
// What must hold of the settings of a server that calls or follows these others.
std::vector<SettingCheck> FlagChecks(const std::vector<std::string>& peers);

// The limits among them (limit_flags.cc).
void SetLimitsFromFlags(rpc::ServerOptions& options);
std::vector<SettingCheck> LimitChecks();

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_FLAGS_H_
