// The registry service: host units, stations, tracking (articles 1 to 6). Wiring only.
#include "absl/flags/flag.h"
#include "common/files/scanner.h"
#include "common/host/flags.h"
#include "common/host/host.h"
#include "common/journal/follower.h"
#include "services/registry/handlers.h"
#include "services/registry/measures.h"
#include "services/registry/schema.h"

int main(int argc, char** argv) {
  yuezhan::Host host(argc, argv,
                     {"registry", yuezhan::registry::Schema(), yuezhan::registry::Measures(),
                      {"payment"}});
  // Checked with the other settings.
  const auto scanner = yuezhan::files::Scanner::At(absl::GetFlag(FLAGS_virus_scanner));
  yuezhan::registry::Handlers handlers(host.journal(), host.vault(), host.rulebook(),
                                       scanner.ok() ? &*scanner : nullptr);
  const auto on_payment = handlers.OnPayment();
  host.Follow("payment", on_payment);
  host.Every("evaluations", [&] { return handlers.FinalizeEvaluations(); });
  host.Every("uploads-expire", [&] { return handlers.RemoveExpiredUploads(); });
  return host.Serve({handlers.Methods()});
}
