#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/db/options.h"
#include "common/journal/rotate.h"
#include "common/journal/vault.h"
#include "services/yz/client.h"
#include "services/yz/commands.h"
#include "services/yz/files.h"

namespace yuezhan::yz {
namespace {

std::string KeysFile(const std::string& directory, const std::string& service) {
  return absl::StrCat(directory, "/", service, "/vault.keys");
}

// The words after the folder, or all four services.
Words Chosen(const Words& words) {
  if (words.size() > 1) return Words(words.begin() + 1, words.end());
  return Words(std::begin(kServices), std::end(kServices));
}

// "k" and the minute: at most one a minute, in the order of their making.
std::string NewKeyId() {
  return absl::FormatTime("k%Y%m%d-%H%M", absl::Now(), absl::UTCTimeZone());
}

}  // namespace

absl::Status VaultNewKey(const Words& words) {
  const std::string id = NewKeyId();
  for (const std::string& service : Chosen(words)) {
    const std::string file = KeysFile(words[0], service);
    YZ_ASSIGN_OR_RETURN(const std::string before, ReadFile(file));
    const std::string after = absl::StrCat(journal::Vault::NewKeyLine(id), before);
    if (const auto read = journal::Vault::Parse(after); !read.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(file, ": ", read.status().message()));
    }
    YZ_RETURN_IF_ERROR(WriteFile(file, after));
    std::printf("%-12s %s\n", service.c_str(), id.c_str());
  }
  return absl::OkStatus();
}

absl::Status VaultRewrap(const Words& words) {
  for (const std::string& service : Chosen(words)) {
    const std::string folder = absl::StrCat(words[0], "/", service);
    YZ_ASSIGN_OR_RETURN(const std::string keys, ReadFile(KeysFile(words[0], service)));
    YZ_ASSIGN_OR_RETURN(const journal::Vault vault, journal::Vault::Parse(keys));
    YZ_ASSIGN_OR_RETURN(const std::string url, ReadFile(folder + "/migrate.url"));
    YZ_ASSIGN_OR_RETURN(db::Options migrate, db::ParseUrl(url));
    // The address was written for the service's container; the authority lies beside it.
    if (!migrate.tls_ca.empty()) migrate.tls_ca = folder + "/ca.pem";
    YZ_ASSIGN_OR_RETURN(const int64_t count, journal::RewrapSchema(migrate, vault));
    std::printf("%-12s %lld rows wrapped anew\n", service.c_str(), static_cast<long long>(count));
  }
  return absl::OkStatus();
}

}  // namespace yuezhan::yz
