// The review service: cases, meetings, public notices, objections (articles 5.2 to 5.4). Wiring
// only.
#include "absl/flags/flag.h"
#include "common/files/scanner.h"
#include "common/host/flags.h"
#include "common/host/host.h"
#include "common/journal/follower.h"
#include "services/review/handlers.h"
#include "services/review/measures.h"
#include "services/review/schema.h"

int main(int argc, char** argv) {
  yuezhan::Host host(argc, argv,
                     {"review", yuezhan::review::Schema(), yuezhan::review::Measures(),
                      {"registry", "application", "payment"}});
  // Checked with the other settings.
  const auto scanner = yuezhan::files::Scanner::At(absl::GetFlag(FLAGS_virus_scanner));
  yuezhan::review::Handlers handlers(host.journal(), host.vault(), host.rulebook(),
                                     host.ChannelTo("registry"),
                                     scanner.ok() ? &*scanner : nullptr);
  const auto on_application = handlers.OnApplication();
  const auto on_payment = handlers.OnPayment();
  host.Follow("application", on_application);
  host.Follow("payment", on_payment);
  host.Every("notices", [&] { return handlers.TendNotices(); });
  host.Every("uploads-expire", [&] { return handlers.RemoveExpiredUploads(); });
  return host.Serve({handlers.Methods()});
}
