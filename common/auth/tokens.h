#ifndef YUEZHAN_COMMON_AUTH_TOKENS_H_
#define YUEZHAN_COMMON_AUTH_TOKENS_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/caller.h"

// Identity tokens: JWT, ES256 always (the token has no say in the algorithm). Claims:
//   sub   stable id of the person or system, 1 to 100 characters; "service:review" for a service
//   name  as printed, 1 to 100 characters
//   roles list of role words (RoleName); unknown words are passed over
//   host_unit  "hostUnits/…", where the caller acts for one
//   iss, aud, exp, and nbf where given (seconds); header: alg, kid
namespace yuezhan::auth {

struct VerifierOptions {
  // Directory of public keys, one PEM file "<kid>.pem" each (P-256). Removing a file revokes the
  // key at the next reload.
  std::string key_directory;
  std::string issuer;
  std::string audience = "yuezhan";
  // How far the issuer's clock may be ahead of ours when nbf is checked.
  absl::Duration leeway = absl::Seconds(5);
  // Longest that a token may still be good: one that leaks is not good for years.
  absl::Duration max_life = absl::Hours(24 * 31);
};

// Verifies tokens; any thread. A token seen before costs a look-up until it expires or the keys are
// reloaded.
class TokenVerifier {
 public:
  // Reads the keys; fails when there is none or one is no P-256 public key.
  static absl::StatusOr<std::unique_ptr<TokenVerifier>> Create(VerifierOptions options);
  ~TokenVerifier();

  // The caller that the token speaks for, or errors::Unauthenticated with the fault. `now` is the
  // wall clock.
  absl::StatusOr<std::shared_ptr<const Caller>> Verify(std::string_view token, absl::Time now);

  // Reads the key set again and forgets every verified token. On failure the old keys stay.
  absl::Status Reload();
  // Reload if a file was added, removed or changed since.
  absl::Status ReloadIfChanged();

 private:
  struct Impl;
  explicit TokenVerifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Issues tokens from a private key: `yz token`, tests, and services among themselves where there is
// no TLS. In production the city's identity provider issues those of persons.
struct IssuerOptions {
  std::string private_key_pem;  // the key itself, PEM
  std::string key_id;           // kid: name of the public key's file
  std::string issuer;
  std::string audience = "yuezhan";
};
absl::StatusOr<std::string> IssueToken(const IssuerOptions& options, const Caller& caller,
                                       absl::Time not_before, absl::Duration life);

// The token of a service ("service:review", role service) for its calls to others, good for an hour
// and renewed when half of that is over. Any thread.
class ServiceToken {
 public:
  // Fails when the key cannot sign.
  static absl::StatusOr<std::shared_ptr<ServiceToken>> Create(IssuerOptions options,
                                                              std::string_view service);
  std::string Get();

 private:
  ServiceToken(IssuerOptions options, std::string_view service);

  const IssuerOptions options_;
  const Caller caller_;
  absl::Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  absl::Time renew_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

// A new P-256 key pair for demonstrations and tests.
struct KeyPair {
  std::string private_pem;
  std::string public_pem;
};
absl::StatusOr<KeyPair> MakeKeyPair();

}  // namespace yuezhan::auth

#endif  // YUEZHAN_COMMON_AUTH_TOKENS_H_
