// The application service: form, materials, eligibility (articles 5 and 5.1). Wiring only.
#include "common/host/host.h"
#include "common/journal/follower.h"
#include "services/application/handlers.h"
#include "services/application/measures.h"
#include "services/application/schema.h"

int main(int argc, char** argv) {
  yuezhan::Host host(
      argc, argv,
      {"application", yuezhan::application::Schema(), yuezhan::application::Measures()});
  yuezhan::application::Handlers handlers(host.journal(), host.vault(), host.rulebook(),
                                          host.ChannelTo("registry"), host.ChannelTo("review"));
  const auto on_review = handlers.OnReview();
  const auto on_payment = handlers.OnPayment();
  host.Follow("review", on_review);
  host.Follow("payment", on_payment);
  host.Every("uploads-expire", [&handlers] { return handlers.RemoveExpiredUploads(); });
  return host.Serve({handlers.Methods()});
}
