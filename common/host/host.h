#ifndef YUEZHAN_COMMON_HOST_HOST_H_
#define YUEZHAN_COMMON_HOST_HOST_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clocks.h"
#include "common/db/migrate.h"
#include "common/host/rulebook.h"
#include "common/host/samples.h"
#include "common/journal/journal.h"
#include "common/rpc/client.h"
#include "common/rpc/handlers.h"

namespace yuezhan::journal {
class EventHandlers;
class Vault;
}  // namespace yuezhan::journal

namespace yuezhan {

// What one of the four services is, beside its handlers.
struct HostSpec {
  std::string name;                            // "registry"
  std::vector<db::Migration> migrations;       // 2, 3 …; the journal's 1 is put before them
  std::vector<DatabaseMeasure> measures = {};  // of its schema, for --metrics_listen
  std::vector<std::string> peers = {};         // that it calls or follows: addresses must be given
};

// Everything that the four processes have in common: settings, database, migrations, journal with
// its sequencer, followers, timers, identity, server, health and the end on SIGTERM. A main.cc
// makes one, hands its parts to the handlers, and calls Serve.
class Host {
 public:
  // Reads the settings (common/host/flags.cc has them all), migrates, opens what is needed. On any
  // mistake it prints it and exits: 2 for settings, 1 for the rest.
  Host(int argc, char** argv, HostSpec spec);
  ~Host();

  journal::Journal& journal();
  const journal::Vault& vault();
  const Rulebook& rulebook();
  const Clocks& clocks();

  // Another server by its setting: "registry", "application", "review", "payment", "bank". Our own
  // identity goes with each call that names none.
  rpc::Channel& ChannelTo(std::string_view service);

  // Applies the journal of `service` to ours by `handlers`, from now until the end.
  void Follow(std::string_view service, const journal::EventHandlers& handlers);

  // Runs `step` again and again from Serve until the end; it returns how long to wait. What is
  // returned ends such a wait, from any thread; without effect while nothing is served.
  std::function<void()> Every(std::string name,
                              std::function<absl::StatusOr<absl::Duration>()> step);

  // Serves the handlers, the journal's own among them, until SIGTERM or SIGINT. Returns the exit
  // code.
  int Serve(std::vector<rpc::Service> services);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_HOST_H_
