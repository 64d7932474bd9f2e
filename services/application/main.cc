// The application service: form, materials, eligibility (articles 5 and 5.1). Wiring only.
#include "absl/flags/flag.h"
#include "common/files/scanner.h"
#include "common/host/flags.h"
#include "common/host/host.h"
#include "common/journal/follower.h"
#include "services/application/handlers.h"
#include "services/application/measures.h"
#include "services/application/schema.h"

int main(int argc, char** argv) {
  yuezhan::Host host(argc, argv,
                     {"application", yuezhan::application::Schema(),
                      yuezhan::application::Measures(), {"registry", "review", "payment"}});
  // Checked with the other settings.
  const auto scanner = yuezhan::files::Scanner::At(absl::GetFlag(FLAGS_virus_scanner));
  yuezhan::application::Handlers handlers(host.journal(), host.vault(), host.rulebook(),
                                          host.ChannelTo("registry"), host.ChannelTo("review"),
                                          scanner.ok() ? &*scanner : nullptr);
  const auto on_review = handlers.OnReview();
  const auto on_payment = handlers.OnPayment();
  host.Follow("review", on_review);
  host.Follow("payment", on_payment);
  host.Every("uploads-expire", [&handlers] { return handlers.RemoveExpiredUploads(); });
  return host.Serve({handlers.Methods()});
}
