#include "common/host/flags.h"

#include <algorithm>

#include "absl/flags/flag.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/auth/tokens.h"
#include "common/base/clocks.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/db/options.h"
#include "common/files/scanner.h"
#include "common/journal/signer.h"
#include "common/journal/vault.h"
#include "common/policy/calendar.h"
#include "common/policy/policy.h"

ABSL_FLAG(std::string, database, "",
          "The service's schema with the serving account, mysql://user:password@host:port/schema, "
          "or @FILE with it.");
ABSL_FLAG(std::string, migrate_database, "",
          "The same with the migrating account: the schema is brought up to date at the start. "
          "Empty: it is only checked.");
ABSL_FLAG(int, connections, 16,
          "Database connections for calls, and as many handler threads. 1 to 256.");
ABSL_FLAG(std::string, policy, "",
          "Policy file in protobuf text format. Empty: Yueyang 2021, built in.");
ABSL_FLAG(std::string, calendar, "",
          "Working-day calendar (CSV), read again when it changes. Empty: the built-in one.");
ABSL_FLAG(std::string, simulated_clock, "",
          "File of a simulated business clock shared with other processes: tests and "
          "demonstrations only.");
ABSL_FLAG(std::string, vault_keys, "",
          "Master keys that seal personal values, lines id:hex, the first one seals; @FILE, read "
          "again when it changes.");
ABSL_FLAG(std::string, journal_key, "",
          "Ed25519 private key (PEM) that signs the journal's chain; @FILE.");
ABSL_FLAG(std::string, former_journal_keys, "",
          "Former public signing keys, hex, separated by commas.");
ABSL_FLAG(std::string, token_keys, "",
          "Folder of public keys (KEY_ID.pem, P-256) that sign callers' tokens.");
ABSL_FLAG(std::string, token_issuer, "yuezhan", "Issuer that tokens must name.");
ABSL_FLAG(std::string, service_key, "",
          "Private key (PEM) that signs this service's own tokens where there is no TLS; @FILE.");
ABSL_FLAG(std::string, service_key_id, "service",
          "Key id of --service_key in the others' --token_keys.");
ABSL_FLAG(std::string, listen, "127.0.0.1:0",
          "Address to serve on, host:port; port 0 takes a free one.");
ABSL_FLAG(std::string, port_file, "", "File that the port is written to once serving.");
ABSL_FLAG(std::string, tls_cert, "", "Certificate (PEM), read again when it changes.");
ABSL_FLAG(std::string, tls_key, "", "Private key of --tls_cert (PEM).");
ABSL_FLAG(std::string, tls_ca, "",
          "Authority (PEM) of the other servers' and services' certificates.");
ABSL_FLAG(bool, plaintext, false, "Without TLS: demonstrations and tests on one machine only.");
ABSL_FLAG(std::string, log_level, "info",
          "debug, info, warning or error; or @FILE with it, read again every two seconds.");
ABSL_FLAG(std::string, metrics_listen, "",
          "Address of /metrics for Prometheus, host:port, without TLS: for a private network. "
          "Empty: none.");
ABSL_FLAG(std::string, virus_scanner, "",
          "clamd that looks at each file before it is taken in, unix:/PATH or IP:PORT. Empty: none.");
ABSL_FLAG(std::string, registry, "", "Registry, host:port.");
ABSL_FLAG(std::string, application, "", "Application, host:port.");
ABSL_FLAG(std::string, review, "", "Review, host:port.");
ABSL_FLAG(std::string, payment, "", "Payment, host:port.");
ABSL_FLAG(std::string, bank, "", "The bank's or treasury's adapter, host:port.");

namespace yuezhan {
namespace {

std::string UrlProblem(const std::string& value) {
  const auto secret = ReadSecret(value);
  if (!secret.ok()) return std::string(secret.status().message());
  const auto options = db::ParseUrl(*secret);
  return options.ok() ? "" : std::string(options.status().message());
}

std::string Problem(const absl::Status& status) {
  return status.ok() ? "" : std::string(status.message());
}

// What `parse` finds wrong with a secret, or that it cannot be read.
template <typename Parse>
std::string SecretProblem(const std::string& value, Parse parse) {
  const auto secret = ReadSecret(value);
  return Problem(secret.ok() ? parse(*secret).status() : secret.status());
}

std::string FormerKeysProblem() {
  for (auto hex :
       absl::StrSplit(absl::GetFlag(FLAGS_former_journal_keys), ',', absl::SkipEmpty())) {
    const auto key = FromHex(std::string(hex));
    if (!key.ok()) return Problem(key.status());
  }
  return "";
}

std::string AddressProblem(const std::string& value, bool needed = false) {
  if (needed && value.empty()) return "must be given";
  const size_t colon = value.rfind(':');
  int port = -1;
  const bool good = value.empty() || (colon != std::string::npos && colon > 0 &&
                                      absl::SimpleAtoi(value.substr(colon + 1), &port) &&
                                      port >= 0 && port <= 65535);
  return good ? "" : "must be host:port";
}

}  // namespace

std::vector<SettingCheck> FlagChecks(const std::vector<std::string>& peers) {
  std::vector<SettingCheck> checks = {
      {"database", [] { return UrlProblem(absl::GetFlag(FLAGS_database)); }},
      {"migrate_database",
       [] {
         const std::string url = absl::GetFlag(FLAGS_migrate_database);
         return url.empty() ? "" : UrlProblem(url);
       }},
      {"connections",
       [] {
         const int n = absl::GetFlag(FLAGS_connections);
         return n >= 1 && n <= 256 ? "" : "must be 1 to 256";
       }},
      {"policy",
       [] {
         return Problem(
             policy::Policies::LoadFileOrBuiltin(absl::GetFlag(FLAGS_policy)).status());
       }},
      {"calendar",
       [] {
         return Problem(
             policy::Calendar::LoadFileOrBuiltin(absl::GetFlag(FLAGS_calendar)).status());
       }},
      {"vault_keys",
       [] { return SecretProblem(absl::GetFlag(FLAGS_vault_keys), journal::Vault::Parse); }},
      {"journal_key",
       [] { return SecretProblem(absl::GetFlag(FLAGS_journal_key), journal::Signer::FromPem); }},
      {"former_journal_keys", FormerKeysProblem},
      {"token_keys",
       [] {
         if (absl::GetFlag(FLAGS_token_keys).empty()) return std::string("must be given");
         return Problem(auth::TokenVerifier::Create({.key_directory = absl::GetFlag(FLAGS_token_keys),
                                                     .issuer = absl::GetFlag(FLAGS_token_issuer)})
                            .status());
       }},
      {"listen", [] { return AddressProblem(absl::GetFlag(FLAGS_listen)); }},
      {"metrics_listen", [] { return AddressProblem(absl::GetFlag(FLAGS_metrics_listen)); }},
      {"tls_cert",
       [] {
         const bool tls = !absl::GetFlag(FLAGS_tls_cert).empty() &&
                          !absl::GetFlag(FLAGS_tls_key).empty() &&
                          !absl::GetFlag(FLAGS_tls_ca).empty();
         return tls || absl::GetFlag(FLAGS_plaintext)
                    ? ""
                    : "must be given with --tls_key and --tls_ca, or else --plaintext";
       }},
      {"virus_scanner",
       [] {
         const std::string address = absl::GetFlag(FLAGS_virus_scanner);
         const absl::Status status =
             address.empty() ? absl::OkStatus() : files::Scanner::At(address).status();
         return std::string(status.message());
       }},
      {"log_level",
       [] {
         const absl::StatusOr<LogLevel> level = LogLevelFromFlags();
         return level.ok() ? "" : std::string(level.status().message());
       }},
  };
  for (const char* peer : {"registry", "application", "review", "payment", "bank"}) {
    const bool needed = std::find(peers.begin(), peers.end(), peer) != peers.end();
    checks.push_back({peer, [=] { return AddressProblem(TargetFromFlags(peer), needed); }});
  }
  const std::vector<SettingCheck> limits = LimitChecks();
  checks.insert(checks.end(), limits.begin(), limits.end());
  return checks;
}

absl::StatusOr<LogLevel> LogLevelFromFlags() {
  const absl::StatusOr<std::string> word = ReadSecret(absl::GetFlag(FLAGS_log_level));
  if (!word.ok()) return word.status();
  LogLevel level;
  if (ParseLogLevel(*word, &level)) return level;
  return absl::InvalidArgumentError("must be debug, info, warning or error");
}

rpc::ServerOptions ServerOptionsFromFlags() {
  rpc::ServerOptions options;
  options.listen = absl::GetFlag(FLAGS_listen);
  options.port_file = absl::GetFlag(FLAGS_port_file);
  options.tls_cert = absl::GetFlag(FLAGS_tls_cert);
  options.tls_key = absl::GetFlag(FLAGS_tls_key);
  options.tls_ca = absl::GetFlag(FLAGS_tls_ca);
  options.plaintext = absl::GetFlag(FLAGS_plaintext);
  options.handler_threads = absl::GetFlag(FLAGS_connections);
  SetLimitsFromFlags(options);
  return options;
}

std::string TargetFromFlags(std::string_view service) {
  if (service == "registry") return absl::GetFlag(FLAGS_registry);
  if (service == "application") return absl::GetFlag(FLAGS_application);
  if (service == "review") return absl::GetFlag(FLAGS_review);
  if (service == "payment") return absl::GetFlag(FLAGS_payment);
  return absl::GetFlag(FLAGS_bank);
}

rpc::ChannelOptions ChannelOptionsFromFlags(const std::string& target, const std::string& service) {
  rpc::ChannelOptions options;
  options.target = target;
  options.plaintext = absl::GetFlag(FLAGS_plaintext);
  options.tls_ca = absl::GetFlag(FLAGS_tls_ca);
  options.tls_cert = absl::GetFlag(FLAGS_tls_cert);
  options.tls_key = absl::GetFlag(FLAGS_tls_key);
  const auto key = ReadSecret(absl::GetFlag(FLAGS_service_key));
  if (!key.ok()) return options;  // the certificate tells who we are
  const auth::IssuerOptions issuer{*key, absl::GetFlag(FLAGS_service_key_id),
                                   absl::GetFlag(FLAGS_token_issuer)};
  const Caller self{absl::StrCat("service:", service), service, {Role::kService}, ""};
  // One token serves for an hour of its two: signing one costs more than the call that carries it.
  struct Cached {
    absl::Mutex mutex;
    std::string token;
    absl::Time renew = absl::InfinitePast();
  };
  options.token = [issuer, self, cached = std::make_shared<Cached>()]() -> std::string {
    absl::MutexLock lock(&cached->mutex);
    const absl::Time now = WallNow();
    if (now >= cached->renew) {
      auto token = auth::IssueToken(issuer, self, now, absl::Hours(2));
      if (!token.ok()) return "";
      cached->token = *std::move(token);
      cached->renew = now + absl::Hours(1);
    }
    return cached->token;
  };
  return options;
}

}  // namespace yuezhan
