#include "services/yz/stack.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/auth/tokens.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/bootstrap.h"
#include "common/journal/signer.h"
#include "common/journal/vault.h"
#include "services/yz/certificates.h"
#include "services/yz/files.h"
#include "services/yz/installation.h"

namespace yuezhan::yz {
namespace {

constexpr char kIssuer[] = "yuezhan";
constexpr char kPersonsKeyId[] = "local";
constexpr char kServicesKeyId[] = "service";

// "review-2" → "review".
std::string ServiceName(const std::string& instance) {
  return instance.substr(0, instance.find('-'));
}

std::vector<std::string> AllNames() {
  std::vector<std::string> names = {std::string(kBank)};
  for (std::string_view service : kServices) names.emplace_back(service);
  return names;
}

// Keeps both halves of a signing key: the private one in `private_file`, the public one where
// services look for keys that they trust.
absl::Status KeepKeyPair(const std::string& private_file, const std::string& public_file) {
  if (std::filesystem::exists(public_file)) return absl::OkStatus();
  YZ_ASSIGN_OR_RETURN(const auth::KeyPair pair, auth::MakeKeyPair());
  YZ_RETURN_IF_ERROR(WriteFile(private_file, pair.private_pem));
  return WriteFile(public_file, pair.public_pem);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Stack>> Stack::Open(StackOptions options) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  options.directory = std::filesystem::absolute(options.directory).string();
  std::unique_ptr<Stack> stack(new Stack(std::move(options)));
  YZ_RETURN_IF_ERROR(stack->Prepare());
  return stack;
}

Stack::~Stack() {
  (void)StopAll();
  if (lock_file_ >= 0) close(lock_file_);
}

std::string Stack::Path(const std::string& name) const {
  return absl::StrCat(options_.directory, "/", name);
}

std::string Stack::LogFile(const std::string& instance) const {
  return Path(absl::StrCat("logs/", instance, ".log"));
}

absl::Status Stack::Prepare() {
  std::error_code error;
  for (const char* folder : {"keys/tokens", "tls", "logs", "ports"}) {
    std::filesystem::create_directories(Path(folder), error);
    if (error) return absl::UnavailableError(absl::StrCat(Path(folder), ": ", error.message()));
  }
  std::filesystem::permissions(Path("keys"), std::filesystem::perms::owner_all, error);
  lock_file_ = open(Path("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_file_ < 0 || flock(lock_file_, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(options_.directory, " is in use by another `yz up`"));
  }
  YZ_ASSIGN_OR_RETURN(administrator_, db::ParseUrl(options_.mysql));
  for (absl::Status (Stack::*step)() :
       {&Stack::MakeKeys, &Stack::MakeCertificates, &Stack::MakeSchemas, &Stack::OpenClock}) {
    YZ_RETURN_IF_ERROR((this->*step)());
  }
  Profile profile;
  profile.tls_ca = options_.tls ? Path("tls/ca.pem") : "";
  profile.token_key = Path("keys/persons.key");
  profile.token_key_id = kPersonsKeyId;
  profile.token_issuer = kIssuer;
  profile.simulated_clock = Path("clock");
  for (const std::string& name : AllNames()) {
    YZ_ASSIGN_OR_RETURN(profile.targets[name], TargetOf(name));
  }
  client_ = std::make_unique<Client>(std::move(profile));
  return absl::OkStatus();
}

absl::Status Stack::MakeKeys() {
  const auto public_file = [&](const char* key_id) {
    return Path(absl::StrCat("keys/tokens/", key_id, ".pem"));
  };
  YZ_RETURN_IF_ERROR(KeepKeyPair(Path("keys/persons.key"), public_file(kPersonsKeyId)));
  if (options_.tls) {
    // Certificates tell who a service is: no token may.
    std::filesystem::remove(public_file(kServicesKeyId));
  } else {
    YZ_RETURN_IF_ERROR(KeepKeyPair(Path("keys/services.key"), public_file(kServicesKeyId)));
  }
  for (std::string_view service : kServices) {
    const std::string base = Path(absl::StrCat("keys/", std::string(service)));
    for (const auto& kept :
         {KeptFile(base + ".journal.key", [] { return journal::Signer::NewPem(); }),
          KeptFile(base + ".vault", [] { return journal::Vault::NewKeyLine("first"); }),
          KeptFile(base + ".migrate.password", [] { return NewSecret(); }),
          KeptFile(base + ".serve.password", [] { return NewSecret(); })}) {
      if (!kept.ok()) return kept.status();
    }
  }
  return absl::OkStatus();
}

absl::Status Stack::MakeCertificates() {
  if (!options_.tls) return absl::OkStatus();
  if (!std::filesystem::exists(Path("tls/ca.pem"))) {
    YZ_ASSIGN_OR_RETURN(const Certificate made, MakeAuthority("yuezhan private authority"));
    YZ_RETURN_IF_ERROR(WriteFile(Path("tls/ca.key"), made.key));
    YZ_RETURN_IF_ERROR(WriteFile(Path("tls/ca.pem"), made.certificate));
  }
  Certificate authority;
  YZ_ASSIGN_OR_RETURN(authority.certificate, ReadFile(Path("tls/ca.pem")));
  YZ_ASSIGN_OR_RETURN(authority.key, ReadFile(Path("tls/ca.key")));
  for (const std::string& name : AllNames()) {
    const std::string base = Path(absl::StrCat("tls/", name));
    if (std::filesystem::exists(base + ".pem")) continue;
    YZ_ASSIGN_OR_RETURN(const Certificate made, MakeCertificate(authority, name));
    YZ_RETURN_IF_ERROR(WriteFile(base + ".key", made.key));
    YZ_RETURN_IF_ERROR(WriteFile(base + ".pem", made.certificate));
  }
  return absl::OkStatus();
}

db::Options Stack::Database(const std::string& service) const {
  db::Options options = administrator_;
  options.schema = absl::StrCat("yuezhan_", options_.schema_prefix, service);
  return options;
}

absl::Status Stack::MakeSchemas() {
  for (std::string_view each : kServices) {
    const std::string service(each);
    const std::string base = Path(absl::StrCat("keys/", service));
    db::Options options = Database(service);
    YZ_ASSIGN_OR_RETURN(const std::string migrate, ReadFile(base + ".migrate.password"));
    YZ_ASSIGN_OR_RETURN(const std::string serve, ReadFile(base + ".serve.password"));
    const db::SchemaAccounts accounts = db::AccountsFor(options.schema, migrate, serve);
    YZ_RETURN_IF_ERROR(db::Bootstrap(administrator_, accounts));
    options.user = accounts.migrate_user;
    options.password = accounts.migrate_password;
    YZ_RETURN_IF_ERROR(WriteFile(base + ".migrate.url", options.Url()));
    options.user = accounts.serve_user;
    options.password = accounts.serve_password;
    YZ_RETURN_IF_ERROR(WriteFile(base + ".serve.url", options.Url()));
  }
  return absl::OkStatus();
}

absl::Status Stack::OpenClock() {
  YZ_RETURN_IF_ERROR(StartClock(Path("clock"), options_.clock_start));
  YZ_ASSIGN_OR_RETURN(clock_, SimulatedClock::Open(Path("clock")));
  return absl::OkStatus();
}

absl::Status Stack::DropSchemas() {
  absl::Status first;
  for (std::string_view each : kServices) {
    const std::string schema = Database(std::string(each)).schema;
    first.Update(db::Drop(administrator_, db::AccountsFor(schema, "", "")));
  }
  return first;
}

absl::StatusOr<std::string> Stack::TargetOf(const std::string& instance) {
  absl::MutexLock lock(&mutex_);
  std::unique_ptr<ReservedPort>& port = ports_[instance];
  if (port == nullptr) {
    YZ_ASSIGN_OR_RETURN(port, ReservedPort::Take());
  }
  return absl::StrCat("127.0.0.1:", port->number());
}

std::vector<std::string> Stack::Arguments(const std::string& instance) {
  const std::string service = ServiceName(instance);
  std::vector<std::string> arguments = {
      absl::StrCat("--listen=", *TargetOf(instance)),
      absl::StrCat("--port_file=", Path("ports/" + instance)),
      absl::StrCat("--token_keys=", Path("keys/tokens")),
      absl::StrCat("--token_issuer=", kIssuer),
      absl::StrCat("--simulated_clock=", Path("clock")),
  };
  if (options_.tls) {
    arguments.push_back(absl::StrCat("--tls_cert=", Path("tls/" + service + ".pem")));
    arguments.push_back(absl::StrCat("--tls_key=", Path("tls/" + service + ".key")));
    arguments.push_back(absl::StrCat("--tls_ca=", Path("tls/ca.pem")));
  } else {
    arguments.push_back("--plaintext");
  }
  if (service == kBank) {
    arguments.push_back(absl::StrCat("--books=", Path("bank.books")));
  } else {
    const std::string base = Path("keys/" + service);
    arguments.push_back(absl::StrCat("--database=@", base, ".serve.url"));
    arguments.push_back(absl::StrCat("--migrate_database=@", base, ".migrate.url"));
    arguments.push_back(absl::StrCat("--vault_keys=@", base, ".vault"));
    arguments.push_back(absl::StrCat("--journal_key=@", base, ".journal.key"));
    if (!options_.tls) {
      arguments.push_back(absl::StrCat("--service_key=@", Path("keys/services.key")));
      arguments.push_back(absl::StrCat("--service_key_id=", kServicesKeyId));
    }
    for (const std::string& name : AllNames()) {
      arguments.push_back(absl::StrCat("--", name, "=", *TargetOf(name)));
    }
  }
  if (const auto it = options_.settings.find(service); it != options_.settings.end()) {
    arguments.insert(arguments.end(), it->second.begin(), it->second.end());
  }
  return arguments;
}

absl::Status Stack::Spawn(const std::string& instance) {
  if (Running(instance)) return absl::OkStatus();
  YZ_ASSIGN_OR_RETURN(const std::string target, TargetOf(instance));
  client_->SetTarget(instance, target);
  std::filesystem::remove(Path("ports/" + instance));
  const std::string service = ServiceName(instance);
  const std::string program = service == kBank ? "bank-simulator" : service;
  YZ_ASSIGN_OR_RETURN(std::shared_ptr<Process> process,
                      Process::Start(absl::StrCat(options_.binaries, "/yuezhan-", program),
                                     Arguments(instance), LogFile(instance)));
  absl::MutexLock lock(&mutex_);
  processes_[instance] = std::move(process);
  return absl::OkStatus();
}

absl::Status Stack::AwaitServing(const std::string& instance, absl::Time end) {
  while (absl::Now() < end) {
    if (!Running(instance)) {
      return absl::AbortedError(absl::StrCat(instance, " ended:\n", EndOfLog(instance)));
    }
    if (std::filesystem::exists(Path("ports/" + instance)) &&
        client_->Healthy(instance, absl::Now() + absl::Seconds(2)).value_or(false)) {
      return absl::OkStatus();
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  return absl::DeadlineExceededError(
      absl::StrCat(instance, " does not begin to serve:\n", EndOfLog(instance)));
}

absl::Status Stack::StartAll(absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  for (const std::string& name : AllNames()) {
    YZ_RETURN_IF_ERROR(Spawn(name));
  }
  for (const std::string& name : AllNames()) {
    YZ_RETURN_IF_ERROR(AwaitServing(name, end));
  }
  return absl::OkStatus();
}

absl::Status Stack::Start(const std::string& instance, absl::Duration timeout) {
  YZ_RETURN_IF_ERROR(Spawn(instance));
  return AwaitServing(instance, absl::Now() + timeout);
}

bool Stack::Running(const std::string& instance) {
  absl::MutexLock lock(&mutex_);
  const auto it = processes_.find(instance);
  return it != processes_.end() && it->second->Running();
}

pid_t Stack::Pid(const std::string& instance) {
  absl::MutexLock lock(&mutex_);
  const auto it = processes_.find(instance);
  return it != processes_.end() && it->second->Running() ? it->second->pid() : 0;
}

void Stack::Kill(const std::string& instance) {
  absl::MutexLock lock(&mutex_);
  processes_.erase(instance);
}

absl::Status Stack::Stop(const std::string& instance) {
  std::shared_ptr<Process> process;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = processes_.find(instance);
    if (it == processes_.end()) return absl::OkStatus();
    process = it->second;
    processes_.erase(it);
  }
  process->Signal(SIGTERM);
  const std::optional<int> code = process->Wait(absl::Seconds(20));
  if (code == 0) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      instance, code.has_value() ? absl::StrCat(" ended with ", *code) : " had to be killed", "\n",
      EndOfLog(instance)));
}

absl::Status Stack::StopAll() {
  std::vector<std::string> running;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [instance, process] : processes_) {
      if (instance == kBank) continue;  // last: payment may be waiting for its answer
      process->Signal(SIGTERM);
      running.push_back(instance);
    }
  }
  absl::Status first;
  for (const std::string& instance : running) first.Update(Stop(instance));
  first.Update(Stop(std::string(kBank)));
  return first;
}

std::string Stack::EndOfLog(const std::string& instance) const {
  constexpr size_t kMost = 1500;
  std::string log = ReadFile(LogFile(instance)).value_or("");
  if (log.size() > kMost) log = log.substr(log.find('\n', log.size() - kMost) + 1);
  return log;
}

}  // namespace yuezhan::yz
