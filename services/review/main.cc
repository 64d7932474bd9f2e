// The review service: cases, meetings, public notices, objections (articles 5.2 to 5.4). Wiring
// only.
#include "common/host/host.h"
#include "common/journal/follower.h"
#include "services/review/handlers.h"
#include "services/review/measures.h"
#include "services/review/schema.h"

int main(int argc, char** argv) {
  yuezhan::Host host(argc, argv,
                     {"review", yuezhan::review::Schema(), yuezhan::review::Measures()});
  yuezhan::review::Handlers handlers(host.journal(), host.vault(), host.rulebook(),
                                     host.ChannelTo("registry"));
  const auto on_application = handlers.OnApplication();
  const auto on_payment = handlers.OnPayment();
  host.Follow("application", on_application);
  host.Follow("payment", on_payment);
  host.Every("notices", [&] { return handlers.TendNotices(); });
  host.Every("uploads-expire", [&] { return handlers.RemoveExpiredUploads(); });
  return host.Serve({handlers.Methods()});
}
