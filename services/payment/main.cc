// The payment service: funds, ledger, awards, orders, transfers (article 5.4). Wiring only.
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/host/host.h"
#include "common/journal/follower.h"
#include "services/payment/handlers.h"
#include "services/payment/measures.h"
#include "services/payment/reconciliation.h"
#include "services/payment/schema.h"
#include "services/payment/transfers.h"

ABSL_FLAG(std::string, hold, "",
          "A file that a restore leaves: with each new content of it a hold begins, and nothing is "
          "sent to the bank or asked of it until statements are reconciled and EndHold ends it.");

ABSL_FLAG(absl::Duration, hold_least,
          yuezhan::payment::kTransferLife + yuezhan::payment::kClockTolerance,
          "How long after a restore a forgotten transfer may still be executed: statements count "
          "for the end of a hold when they were imported later.");

namespace {

// How soon an end of the hold is seen.
constexpr absl::Duration kHeld = absl::Seconds(1);

// Transfers under way at once: a bank that does not answer one holds up a quarter of the others.
constexpr int kLanes = 4;

}  // namespace

int main(int argc, char** argv) {
  yuezhan::Host host(argc, argv,
                     {"payment", yuezhan::payment::Schema(), yuezhan::payment::Measures(),
                      {"registry", "application", "review", "bank"}});
  yuezhan::payment::Handlers handlers(
      host.journal(), host.vault(), host.rulebook(),
      {host.ChannelTo("registry"), host.ChannelTo("application"), host.ChannelTo("bank")});
  yuezhan::payment::Reconciliation reconciliation(host.journal(), host.vault(), host.rulebook(),
                                                  absl::GetFlag(FLAGS_hold),
                                                  absl::GetFlag(FLAGS_hold_least));
  // Before anything moves: the hold covers the days since the last movement.
  if (const auto held = reconciliation.Held(); !held.ok()) {
    std::fprintf(stderr, "hold: %s\n", std::string(held.status().message()).c_str());
    return 1;
  }
  const auto on_review = handlers.OnReview();
  host.Follow("review", on_review);
  host.Every("reserve", [&] { return handlers.ReserveStep(); });
  host.Every("statements", [&] { return reconciliation.EnterStep(); });
  std::vector<std::unique_ptr<yuezhan::payment::Transfers>> lanes;
  std::vector<std::function<void()>> wake_lane;
  for (int lane = 0; lane < kLanes; ++lane) {
    lanes.push_back(std::make_unique<yuezhan::payment::Transfers>(
        host.journal(), host.vault(), host.ChannelTo("bank"), lane, kLanes));
    auto* transfers = lanes.back().get();
    wake_lane.push_back(
        host.Every(absl::StrCat("transfers/", lane),
                   [&reconciliation, transfers]() -> absl::StatusOr<absl::Duration> {
                     const absl::StatusOr<bool> held = reconciliation.Held();
                     if (!held.ok()) return held.status();
                     if (*held) return kHeld;
                     return transfers->Step();
                   }));
  }
  handlers.on_instructed = [&wake_lane](std::string_view transfer_id) {
    wake_lane[static_cast<size_t>(yuezhan::payment::LaneOf(transfer_id, kLanes))]();
  };
  return host.Serve({handlers.Methods(), reconciliation.Methods()});
}
