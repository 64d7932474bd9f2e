#ifndef YUEZHAN_SERVICES_YZ_INSTALLATION_H_
#define YUEZHAN_SERVICES_YZ_INSTALLATION_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace yuezhan::yz {

// A deployed installation's keys, certificates and passwords, as files. Each container gets one
// folder of it, at /run/yuezhan, and no other: registry/ application/ review/ payment/ bank/ mysql/
// operator/; beside them authority/ (that signs the certificates), tokens/ (whose tokens are
// trusted), and clock/ and books/ of a demonstration.
struct InstallationOptions {
  std::string directory;
  // Names and addresses by which clients reach the services, beside the services' own names.
  std::vector<std::string> hosts;
  std::string database;  // host:port
  // Where the simulated business clock begins; infinite past: the real clock.
  absl::Time clock_start = absl::InfinitePast();
};

// Makes what is missing and changes nothing that is there. INVALID_ARGUMENT for a host that is
// neither name nor address; UNAVAILABLE when a file cannot be written; FAILED_PRECONDITION when a
// key of an installation that was whole is gone.
absl::Status MakeInstallation(const InstallationOptions& options);

// Makes the schemas and accounts of the installation in its database, with the passwords in its
// files, and sets them where they differ. Idempotent. A database that cannot be reached, as when a
// network of containers does not know its name yet, is tried again each second until `patience` is
// over, and standard error says once that and why it waits. `sleep` waits between two attempts.
absl::Status MakeInstalledSchemas(
    const std::string& directory, absl::Duration patience,
    absl::FunctionRef<void(absl::Duration)> sleep = absl::SleepFor);

// A simulated clock's file that begins at `start`; one that is there stays.
absl::Status StartClock(const std::string& path, absl::Time start);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_INSTALLATION_H_
