#include "common/auth/tokens.h"
#include "common/base/clocks.h"
#include "common/base/text.h"

namespace yuezhan::auth {
namespace {

constexpr absl::Duration kLife = absl::Hours(1);

Caller ServiceCaller(std::string_view service) {
  return {.subject = Concat({"service:", service}),
          .name = std::string(service),
          .roles = {Role::kService},
          .host_unit = ""};
}

}  // namespace

ServiceToken::ServiceToken(IssuerOptions options, std::string_view service)
    : options_(std::move(options)), caller_(ServiceCaller(service)) {}

absl::StatusOr<std::shared_ptr<ServiceToken>> ServiceToken::Create(IssuerOptions options,
                                                                   std::string_view service) {
  const auto probe = IssueToken(options, ServiceCaller(service), WallNow(), kLife);
  if (!probe.ok()) return probe.status();
  return std::shared_ptr<ServiceToken>(new ServiceToken(std::move(options), service));
}

std::string ServiceToken::Get() {
  const absl::Time now = WallNow();
  absl::MutexLock lock(&mutex_);
  if (now >= renew_at_) {
    // A key that signed at Create signs again; if not, the old token goes on until it expires.
    if (auto token = IssueToken(options_, caller_, now, kLife); token.ok()) {
      token_ = *std::move(token);
      renew_at_ = now + kLife / 2;
    }
  }
  return token_;
}

}  // namespace yuezhan::auth
