#include "services/yz/installation.h"

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/auth/tokens.h"
#include "common/base/clocks.h"
#include "common/base/status_macros.h"
#include "common/db/bootstrap.h"
#include "common/db/options.h"
#include "common/journal/signer.h"
#include "common/journal/vault.h"
#include "services/yz/certificates.h"
#include "services/yz/client.h"
#include "services/yz/files.h"
#include "services/yz/profile.h"

namespace yuezhan::yz {
namespace {

namespace fs = std::filesystem;

// Where a container finds its folder, and the ports inside the private network.
constexpr char kMounted[] = "/run/yuezhan";
constexpr int kPort = 7443;
constexpr char kOperatorsKeyId[] = "local";

std::string Schema(std::string_view service) {
  return absl::StrCat("yuezhan_", std::string(service));
}

class Maker {
 public:
  explicit Maker(const InstallationOptions& options) : options_(options) {}

  absl::Status Make() {
    YZ_RETURN_IF_ERROR(MakeFolders());
    YZ_RETURN_IF_ERROR(MakeAuthorityFiles());
    for (std::string_view service : kServices) YZ_RETURN_IF_ERROR(MakeService(service));
    YZ_RETURN_IF_ERROR(MakeCertificateOf(std::string(kBank), {}));
    YZ_RETURN_IF_ERROR(MakeDatabase());
    YZ_RETURN_IF_ERROR(MakeOperator());
    if (options_.clock_start == absl::InfinitePast()) return absl::OkStatus();
    return StartClock(Path("clock/clock"), options_.clock_start);
  }

 private:
  std::string Path(const std::string& name) const {
    return absl::StrCat(options_.directory, "/", name);
  }

  template <typename Make>
  absl::Status Keep(const std::string& name, Make make) const {
    return KeptFile(Path(name), make).status();
  }

  absl::Status MakeFolders() const {
    std::vector<std::string> folders = {"authority", "tokens", "mysql", "bank",
                                        "operator",  "clock",  "books", "files"};
    folders.insert(folders.end(), std::begin(kServices), std::end(kServices));
    for (const std::string& folder : folders) {
      std::error_code error;
      fs::create_directories(Path(folder), error);
      if (error) return absl::UnavailableError(absl::StrCat(Path(folder), ": ", error.message()));
    }
    return absl::OkStatus();
  }

  absl::Status MakeAuthorityFiles() {
    if (!fs::exists(Path("authority/ca.pem"))) {
      YZ_ASSIGN_OR_RETURN(const Certificate made, MakeAuthority("yuezhan private authority"));
      YZ_RETURN_IF_ERROR(WriteFile(Path("authority/ca.key"), made.key));
      YZ_RETURN_IF_ERROR(WriteFile(Path("authority/ca.pem"), made.certificate));
    }
    YZ_ASSIGN_OR_RETURN(authority_.certificate, ReadFile(Path("authority/ca.pem")));
    YZ_ASSIGN_OR_RETURN(authority_.key, ReadFile(Path("authority/ca.key")));
    return absl::OkStatus();
  }

  // tls.pem, tls.key and the authority's ca.pem in the folder `name`, which is its common name too.
  absl::Status MakeCertificateOf(const std::string& name,
                                 const std::vector<std::string>& hosts) const {
    YZ_RETURN_IF_ERROR(Keep(name + "/ca.pem", [&] { return authority_.certificate; }));
    if (fs::exists(Path(name + "/tls.pem"))) return absl::OkStatus();
    std::vector<std::string> names = {name};
    names.insert(names.end(), hosts.begin(), hosts.end());
    YZ_ASSIGN_OR_RETURN(const Certificate made, MakeCertificate(authority_, name, names));
    YZ_RETURN_IF_ERROR(WriteFile(Path(name + "/tls.key"), made.key));
    return WriteFile(Path(name + "/tls.pem"), made.certificate);
  }

  absl::Status KeepUrl(const std::string& file, const std::string& user, const std::string& schema,
                       const std::string& password, const std::string& ca) const {
    return Keep(file, [&]() -> absl::StatusOr<std::string> {
      YZ_ASSIGN_OR_RETURN(db::Options url,
                          db::ParseUrl(absl::StrCat("mysql://", user, "@", options_.database)));
      url.schema = schema;
      url.password = password;
      url.tls_ca = ca;
      return url.Url();
    });
  }

  // What sealed and signed the data that are there cannot be made anew: a file that was lost must
  // come back from its copy.
  absl::Status CheckWhole(const std::string& name) const {
    if (!fs::exists(Path(name + "/installed"))) return absl::OkStatus();
    for (const char* file : {"/journal.key", "/vault.keys", "/serve.url", "/migrate.url"}) {
      if (fs::exists(Path(name + file))) continue;
      return absl::FailedPreconditionError(
          absl::StrCat(Path(name + file),
                       " is missing, and a new one would not fit the data: bring it back from "
                       "the copy of this folder"));
    }
    return absl::OkStatus();
  }

  absl::Status MakeService(std::string_view service) const {
    const std::string name(service);
    YZ_RETURN_IF_ERROR(CheckWhole(name));
    YZ_RETURN_IF_ERROR(MakeCertificateOf(name, options_.hosts));
    YZ_RETURN_IF_ERROR(Keep(name + "/journal.key", [] { return journal::Signer::NewPem(); }));
    YZ_RETURN_IF_ERROR(
        Keep(name + "/vault.keys", [] { return journal::Vault::NewKeyLine("first"); }));
    YZ_RETURN_IF_ERROR(Keep(name + "/log_level", [] { return std::string("info\n"); }));
    const std::string schema = Schema(service);
    const std::string ca = absl::StrCat(kMounted, "/ca.pem");
    const db::SchemaAccounts accounts = db::AccountsFor(schema, NewSecret(), NewSecret());
    YZ_RETURN_IF_ERROR(
        KeepUrl(name + "/serve.url", accounts.serve_user, schema, accounts.serve_password, ca));
    YZ_RETURN_IF_ERROR(KeepUrl(name + "/migrate.url", accounts.migrate_user, schema,
                               accounts.migrate_password, ca));
    return Keep(name + "/installed", [] { return std::string("yes\n"); });
  }

  absl::Status MakeDatabase() const {
    YZ_RETURN_IF_ERROR(MakeCertificateOf("mysql", {}));
    YZ_ASSIGN_OR_RETURN(const std::string password,
                        KeptFile(Path("mysql/root.password"), [] { return NewSecret(); }));
    // The database's own user reads these; the folder above keeps the others out.
    for (const char* file :
         {"mysql/root.password", "mysql/ca.pem", "mysql/tls.pem", "mysql/tls.key"}) {
      std::error_code error;
      fs::permissions(Path(file), fs::perms(0444), error);
      if (error) return absl::UnavailableError(absl::StrCat(Path(file), ": ", error.message()));
    }
    return KeepUrl("authority/administrator.url", "root", "", password, Path("authority/ca.pem"));
  }

  absl::Status MakeOperator() const {
    if (!fs::exists(Path("operator/persons.key"))) {
      YZ_ASSIGN_OR_RETURN(const auth::KeyPair pair, auth::MakeKeyPair());
      YZ_RETURN_IF_ERROR(WriteFile(Path("operator/persons.key"), pair.private_pem));
      YZ_RETURN_IF_ERROR(
          WriteFile(Path(absl::StrCat("tokens/", kOperatorsKeyId, ".pem")), pair.public_pem));
    }
    YZ_RETURN_IF_ERROR(Keep("operator/ca.pem", [&] { return authority_.certificate; }));
    if (fs::exists(Path("operator/yz.json"))) return absl::OkStatus();
    Profile profile;
    for (std::string_view service : kServices) {
      profile.targets[std::string(service)] = absl::StrCat(std::string(service), ":", kPort);
    }
    profile.targets[std::string(kBank)] = absl::StrCat(std::string(kBank), ":", kPort);
    profile.tls_ca = absl::StrCat(kMounted, "/ca.pem");
    profile.token_key = absl::StrCat(kMounted, "/persons.key");
    profile.token_key_id = kOperatorsKeyId;
    profile.token_issuer = "yuezhan";
    if (options_.clock_start != absl::InfinitePast()) profile.simulated_clock = "/clock/clock";
    return WriteProfile(profile, Path("operator/yz.json"));
  }

  const InstallationOptions& options_;
  Certificate authority_;
};

absl::StatusOr<db::Options> ReadUrl(const std::string& path) {
  YZ_ASSIGN_OR_RETURN(const std::string url, ReadFile(path));
  absl::StatusOr<db::Options> options = db::ParseUrl(url);
  if (options.ok()) return options;
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", options.status().message()));
}

absl::Status MakeSchemasOnce(const std::string& directory) {
  YZ_ASSIGN_OR_RETURN(const db::Options administrator,
                      ReadUrl(absl::StrCat(directory, "/authority/administrator.url")));
  for (std::string_view each : kServices) {
    const std::string folder = absl::StrCat(directory, "/", std::string(each));
    YZ_ASSIGN_OR_RETURN(const db::Options serve, ReadUrl(folder + "/serve.url"));
    YZ_ASSIGN_OR_RETURN(const db::Options migrate, ReadUrl(folder + "/migrate.url"));
    YZ_RETURN_IF_ERROR(db::Bootstrap(
        administrator, {serve.schema, migrate.user, migrate.password, serve.user, serve.password}));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MakeInstallation(const InstallationOptions& options) { return Maker(options).Make(); }

absl::Status MakeInstalledSchemas(const std::string& directory, absl::Duration patience,
                                  absl::FunctionRef<void(absl::Duration)> sleep) {
  const absl::Duration end = MonotonicNow() + patience;
  for (bool said = false;; said = true) {
    absl::Status made = MakeSchemasOnce(directory);
    if (!absl::IsUnavailable(made) || MonotonicNow() >= end) return made;
    if (!said) {
      std::fprintf(stderr, "waiting for the database, %s at most: %s\n",
                   absl::FormatDuration(patience).c_str(), std::string(made.message()).c_str());
    }
    sleep(absl::Seconds(1));
  }
}

absl::Status StartClock(const std::string& path, absl::Time start) {
  return KeptFile(path,
                  [start] {
                    // As SimulatedClock keeps it; a file that it makes itself would begin at the
                    // wall clock.
                    uint64_t unix_ms = static_cast<uint64_t>(absl::ToUnixMillis(start));
                    std::string bytes(sizeof unix_ms, '\0');
                    for (char& byte : bytes) {
                      byte = static_cast<char>(unix_ms & 0xff);
                      unix_ms >>= 8;
                    }
                    return bytes;
                  })
      .status();
}

}  // namespace yuezhan::yz
