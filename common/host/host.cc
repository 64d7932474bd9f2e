#include "common/host/host.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "common/auth/tokens.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/base/loop.h"
#include "common/base/text.h"
#include "common/db/pool.h"
#include "common/db/session.h"
#include "common/host/clear_reads.h"
#include "common/host/flags.h"
#include "common/journal/follower.h"
#include "common/journal/schema.h"
#include "common/journal/sequencer.h"
#include "common/journal/service.h"
#include "common/journal/signer.h"
#include "common/journal/vault.h"
#include "common/metrics/metrics.h"
#include "common/rpc/chain.h"
#include "common/rpc/feed_client.h"
#include "common/rpc/server.h"

namespace yuezhan {
namespace {

// Connections beside those of the calls: sequencer, each follower, timers and the health probe.
constexpr int kBackgroundConnections = 6;
// Shorter than Prometheus looks, so that no look finds the same twice.
constexpr absl::Duration kBetweenSamples = absl::Seconds(5);
// As the alert CertificateExpires.
constexpr absl::Duration kCertificateNotice = absl::Hours(14 * 24);
enum class CertificateStage { kGood, kEndsSoon, kExpired };

[[noreturn]] void Fail(std::string_view what, const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", std::string(what).c_str(),
               std::string(status.message()).c_str());
  std::exit(1);
}

template <typename T>
T Need(std::string_view what, absl::StatusOr<T> value) {
  if (!value.ok()) Fail(what, value.status());
  return *std::move(value);
}

db::Options DatabaseOptions(const std::string& flag) {
  return Need("database", db::ParseUrl(Need("database", ReadSecret(flag))));
}

std::vector<db::Migration> AllMigrations(const HostSpec& spec) {
  std::vector<db::Migration> all = {journal::JournalMigration()};
  all.insert(all.end(), spec.migrations.begin(), spec.migrations.end());
  return all;
}

journal::VerifyingKeys KnownKeys(const journal::Signer& signer) {
  journal::VerifyingKeys keys;
  Need("journal_key", keys.Add(signer.public_key()));
  for (auto hex :
       absl::StrSplit(absl::GetFlag(FLAGS_former_journal_keys), ',', absl::SkipEmpty())) {
    Need("former_journal_keys", keys.Add(Need("former_journal_keys", FromHex(std::string(hex)))));
  }
  return keys;
}

}  // namespace

struct Host::Impl {
  explicit Impl(HostSpec s)
      : spec(std::move(s)),
        holder(NewUuid()),
        clocks(Need("simulated_clock", OpenClocks(absl::GetFlag(FLAGS_simulated_clock)))),
        vault(Need("vault_keys", journal::Vault::Load([] {
                     return ReadSecret(absl::GetFlag(FLAGS_vault_keys));
                   }))),
        signer(
            Need("journal_key", journal::Signer::FromPem(Need(
                                    "journal_key", ReadSecret(absl::GetFlag(FLAGS_journal_key)))))),
        rulebook(
            Need("policy", policy::Policies::LoadFileOrBuiltin(absl::GetFlag(FLAGS_policy))),
            Need("calendar", policy::Calendar::LoadFileOrBuiltin(absl::GetFlag(FLAGS_calendar)))),
        verifier(Need("token_keys",
                      auth::TokenVerifier::Create({.key_directory = absl::GetFlag(FLAGS_token_keys),
                                                   .issuer = absl::GetFlag(FLAGS_token_issuer)}))),
        pool(DatabaseOptions(absl::GetFlag(FLAGS_database)),
             absl::GetFlag(FLAGS_connections) + kBackgroundConnections),
        journal(pool, vault, clocks, spec.name,
                [this] {
                  if (sequencer_loop) sequencer_loop->Wake();
                }),
        sequencer(pool, signer, spec.name, holder) {}

  void Migrate() {
    // A service that can never answer must not look as if it had started.
    try {
      const db::Session session(pool.options());
    } catch (const db::Error& e) {
      Fail(Concat({"database ", pool.options().Describe()}), absl::UnavailableError(e.Line()));
    }
    const auto migrations = AllMigrations(spec);
    const std::string url = absl::GetFlag(FLAGS_migrate_database);
    const absl::Status status =
        url.empty() ? db::CheckSchema(pool, migrations)
                    : db::Migrate(DatabaseOptions(url), pool.options().user, migrations);
    if (!status.ok()) Fail("schema", status);
  }

  void ReloadCalendar() {
    const std::string path = absl::GetFlag(FLAGS_calendar);
    if (path.empty()) return;
    const absl::StatusOr<bool> reloaded = rulebook.ReloadCalendar(path);
    if (!reloaded.ok()) {
      Log(LogLevel::kError, "calendar_not_reloaded",
          {{"why", std::string(reloaded.status().message())}});
    } else if (*reloaded) {
      Log(LogLevel::kInfo, "calendar_reloaded", {{"digest", rulebook.calendar()->digest()}});
    }
  }

  // A word that is no level leaves things as they are: logging must not stop a service.
  static void ReloadLogLevel() {
    const absl::StatusOr<LogLevel> level = LogLevelFromFlags();
    if (level.ok()) SetLogLevel(*level);
  }

  // Says once that the certificate ends soon, that it has ended, and that a new one is there.
  void WatchCertificate() {
    const absl::StatusOr<absl::Time> end = metrics::CertificateExpiry(absl::GetFlag(FLAGS_tls_cert));
    if (!end.ok()) return;
    const absl::Duration left = *end - WallNow();
    const auto stage = left <= absl::ZeroDuration() ? CertificateStage::kExpired
                       : left < kCertificateNotice  ? CertificateStage::kEndsSoon
                                                    : CertificateStage::kGood;
    if (stage == certificate_stage) return;
    certificate_stage = stage;
    constexpr std::pair<LogLevel, const char*> kSaid[] = {
        {LogLevel::kInfo, "certificate in date"},
        {LogLevel::kWarning, "certificate expires soon: replace it, it is read again by itself"},
        {LogLevel::kError,
         "certificate expired, nobody can connect: replace it, it is read again by itself"}};
    const auto& [level, event] = kSaid[static_cast<int>(stage)];
    Log(level, event,
        {{"file", absl::GetFlag(FLAGS_tls_cert)},
         {"until", absl::FormatTime(absl::RFC3339_sec, *end, absl::UTCTimeZone())}});
  }

  rpc::TerminationSignals signals;  // first: threads inherit the blocked signals
  const HostSpec spec;
  const std::string holder;
  const Clocks clocks;
  const journal::Vault vault;
  const std::shared_ptr<const journal::Signer> signer;
  Rulebook rulebook;
  std::unique_ptr<auth::TokenVerifier> verifier;
  db::Pool pool;
  std::unique_ptr<BackgroundLoop> sequencer_loop;
  journal::Journal journal;
  journal::Sequencer sequencer;
  std::map<std::string, std::unique_ptr<rpc::Channel>, std::less<>> channels;
  std::vector<std::unique_ptr<rpc::FeedClient>> feeds;
  std::vector<std::unique_ptr<journal::Follower>> followers;
  struct Timer {
    std::string name;
    BackgroundLoop::Step step;
    std::shared_ptr<std::atomic<BackgroundLoop*>> loop;  // null: not running
  };
  std::vector<Timer> timers;
  CertificateStage certificate_stage = CertificateStage::kGood;
};

Host::Host(int argc, char** argv, HostSpec spec) {
  const std::string usage = absl::StrCat("The ", spec.name, " service of Yuezhan (岳站).");
  ParseSettings(argc, argv, usage, FlagChecks(spec.peers));
  SetLogLevel(LogLevelFromFlags().value_or(LogLevel::kInfo));
  // Distributions build Abseil, and gRPC upon it, as for debugging: each lock of each mutex would
  // be entered in one graph that all threads share. Tests keep it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  impl_ = std::make_unique<Impl>(std::move(spec));
  impl_->Migrate();
}

Host::~Host() = default;

journal::Journal& Host::journal() { return impl_->journal; }
const journal::Vault& Host::vault() { return impl_->vault; }
const Rulebook& Host::rulebook() { return impl_->rulebook; }
const Clocks& Host::clocks() { return impl_->clocks; }

rpc::Channel& Host::ChannelTo(std::string_view service) {
  auto& channel = impl_->channels[std::string(service)];
  if (channel == nullptr) {
    const std::string target = TargetFromFlags(service);
    if (target.empty())
      Fail(service, absl::InternalError("not among the peers that this service names"));
    channel = Need(service, rpc::Connect(ChannelOptionsFromFlags(target, impl_->spec.name)));
  }
  return *channel;
}

void Host::Follow(std::string_view service, const journal::EventHandlers& handlers) {
  Impl& impl = *impl_;
  impl.feeds.push_back(std::make_unique<rpc::FeedClient>(ChannelTo(service)));
  impl.followers.push_back(std::make_unique<journal::Follower>(
      impl.journal, *impl.feeds.back(), std::string(service), handlers, impl.holder));
  journal::Follower* follower = impl.followers.back().get();
  follower->on_stopped = [source = std::string(service)](int64_t seq, const std::string& why) {
    Log(LogLevel::kError, "follower_stopped", {{"source", source}, {"seq", seq}, {"why", why}});
  };
  follower->on_contradiction = [source = std::string(service)](const std::string& why) {
    Log(LogLevel::kError, "journal_contradicts_witness", {{"source", source}, {"why", why}});
  };
  Every(Concat({"follow/", service}), [follower] { return follower->Step(); });
}

std::function<void()> Host::Every(std::string name,
                                  std::function<absl::StatusOr<absl::Duration>()> step) {
  auto loop = std::make_shared<std::atomic<BackgroundLoop*>>(nullptr);
  impl_->timers.push_back({std::move(name), std::move(step), loop});
  return [loop] {
    if (BackgroundLoop* running = *loop) running->Wake();
  };
}

int Host::Serve(std::vector<rpc::Service> services) {
  Impl& impl = *impl_;
  journal::JournalService journal_service(impl.journal, impl.vault, KnownKeys(*impl.signer),
                                          impl.signer->key_id());
  rpc::ServerOptions options = ServerOptionsFromFlags();
  const std::string metrics_listen = absl::GetFlag(FLAGS_metrics_listen);
  const auto metrics =
      Need("metrics_listen", metrics::Metrics::Open(metrics_listen, impl.spec.name));
  Samples samples(impl.pool, *metrics, absl::GetFlag(FLAGS_tls_cert), impl.spec.measures);
  options.on_call = [&metrics](const rpc::CallRecord& call) {
    rpc::LogCall(call);
    metrics->CountCall(call.method, call.code, call.elapsed, call.queued);
  };
  ClearReads clear_reads(impl.journal);
  options.on_clear_read = [&clear_reads](const Context& context, const rpc::ClearRead& read) {
    return clear_reads.Record(context, read);
  };
  options.probe = [&impl, &samples] {
    const bool serving = impl.pool.Probe().ok();
    samples.SetServing(serving);
    return serving;
  };
  rpc::Server server(std::move(options), impl.verifier.get());
  for (rpc::Service& service : services) server.Add(std::move(service));
  rpc::Service journal_methods("yuezhan.journal.v1.JournalService");
  journal_methods.Add("ReadEntries", &journal::JournalService::ReadEntries, &journal_service)
      .Add("GetHead", &journal::JournalService::GetHead, &journal_service)
      .Add("VerifyJournal", &journal::JournalService::VerifyJournal, &journal_service)
      .Add("ListFollowers", &journal::JournalService::ListFollowers, &journal_service)
      .Add("SkipEntry", &journal::JournalService::SkipEntry, &journal_service)
      .Add("ResumeFollower", &journal::JournalService::ResumeFollower, &journal_service);
  server.Add(std::move(journal_methods));
  impl.sequencer_loop = std::make_unique<BackgroundLoop>(
      "sequencer", [&impl] { return impl.sequencer.Step(); }, journal::kBatchInterval);
  if (const absl::Status status = server.Start(); !status.ok()) Fail("serve", status);

  std::vector<std::unique_ptr<BackgroundLoop>> loops;
  for (const Impl::Timer& timer : impl.timers) {
    loops.push_back(std::make_unique<BackgroundLoop>(timer.name, timer.step));
    *timer.loop = loops.back().get();
  }
  loops.push_back(
      std::make_unique<BackgroundLoop>("reload", [&impl]() -> absl::StatusOr<absl::Duration> {
        impl.ReloadCalendar();
        Impl::ReloadLogLevel();
        impl.WatchCertificate();
        if (const absl::Status keys = impl.vault.Reload(); !keys.ok()) return keys;
        if (const absl::Status keys = impl.verifier->ReloadIfChanged(); !keys.ok()) return keys;
        return absl::Seconds(2);
      }));
  if (!metrics_listen.empty()) {
    loops.push_back(std::make_unique<BackgroundLoop>(
        "samples", [&samples, &server]() -> absl::StatusOr<absl::Duration> {
          samples.TakeLoad(server.load());
          const absl::Status taken = samples.Take();
          if (!taken.ok()) return taken;
          return kBetweenSamples;
        }));
  }
  Log(LogLevel::kInfo, "serving", {{"service", impl.spec.name}, {"port", server.port()}});

  impl.signals.Wait();
  Log(LogLevel::kInfo, "stopping", {{"service", impl.spec.name}});
  // Followers and timers first: when all services stop together, whom they call is still there.
  for (auto& loop : loops) loop->Stop();
  server.Stop();
  for (const Impl::Timer& timer : impl.timers) *timer.loop = nullptr;
  impl.sequencer_loop->Stop();
  for (auto& follower : impl.followers) follower->Release();
  impl.sequencer.Release();
  return 0;
}

}  // namespace yuezhan
