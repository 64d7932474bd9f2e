// The payment service: funds, ledger, awards, orders, transfers (article 5.4). Wiring only.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/host/host.h"
#include "common/journal/follower.h"
#include "services/payment/handlers.h"
#include "services/payment/measures.h"
#include "services/payment/schema.h"
#include "services/payment/transfers.h"

ABSL_FLAG(std::string, hold, "",
          "While this file exists, nothing is sent to the bank and nothing is asked of it: after a "
          "restore, until the bank's books are reconciled.");

namespace {

// How soon an end of the hold is seen.
constexpr absl::Duration kHeld = absl::Seconds(2);

bool Held() {
  const std::string file = absl::GetFlag(FLAGS_hold);
  std::error_code error;
  // A folder that cannot be looked into holds too.
  return !file.empty() && (std::filesystem::exists(file, error) || error);
}

// Transfers under way at once: a bank that does not answer one holds up a quarter of the others.
constexpr int kLanes = 4;

}  // namespace

int main(int argc, char** argv) {
  yuezhan::Host host(argc, argv,
                     {"payment", yuezhan::payment::Schema(), yuezhan::payment::Measures()});
  yuezhan::payment::Handlers handlers(
      host.journal(), host.vault(), host.rulebook(),
      {host.ChannelTo("registry"), host.ChannelTo("application"), host.ChannelTo("bank")});
  const auto on_review = handlers.OnReview();
  host.Follow("review", on_review);
  host.Every("reserve", [&] { return handlers.ReserveStep(); });
  std::vector<std::unique_ptr<yuezhan::payment::Transfers>> lanes;
  for (int lane = 0; lane < kLanes; ++lane) {
    lanes.push_back(std::make_unique<yuezhan::payment::Transfers>(
        host.journal(), host.vault(), host.ChannelTo("bank"), lane, kLanes));
    host.Every(absl::StrCat("transfers/", lane),
               [transfers = lanes.back().get()]() -> absl::StatusOr<absl::Duration> {
                 return Held() ? kHeld : transfers->Step();
               });
  }
  return host.Serve({handlers.Methods()});
}
