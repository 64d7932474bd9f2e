// The payment service: funds, ledger, awards, orders, transfers (article 5.4). Wiring only.
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/host/host.h"
#include "common/journal/follower.h"
#include "services/payment/handlers.h"
#include "services/payment/measures.h"
#include "services/payment/schema.h"
#include "services/payment/transfers.h"

namespace {

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
               [transfers = lanes.back().get()] { return transfers->Step(); });
  }
  return host.Serve({handlers.Methods()});
}
