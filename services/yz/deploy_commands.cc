#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/yz/client.h"
#include "services/yz/commands.h"
#include "services/yz/demo/demo.h"
#include "services/yz/installation.h"
#include "services/yz/settings.h"

ABSL_FLAG(std::string, database_host, "mysql:3306",
          "The database's host:port as the services reach it. 数据库地址。");

namespace yuezhan::yz {

absl::Status Install(const Words& words) {
  InstallationOptions options;
  options.directory = words.at(0);
  options.hosts.assign(words.begin() + 1, words.end());
  options.database = absl::GetFlag(FLAGS_database_host);
  if (absl::GetFlag(FLAGS_demo)) options.clock_start = Demo::Start();
  return MakeInstallation(options);
}

absl::Status InstallSchemas(const Words& words) {
  return MakeInstalledSchemas(words.at(0), absl::Seconds(30));
}

absl::Status Health(const Words& words) {
  Profile profile;
  profile.targets["it"] = words.at(0);
  if (words.size() > 1) profile.tls_ca = words.at(1);
  Client client(std::move(profile));
  const absl::StatusOr<bool> healthy = client.Healthy("it", absl::Now() + absl::Seconds(3));
  if (!healthy.ok()) return healthy.status();
  if (!*healthy) return absl::UnavailableError(absl::StrCat(words.at(0), " is not serving"));
  std::puts("serving");
  return absl::OkStatus();
}

}  // namespace yuezhan::yz
