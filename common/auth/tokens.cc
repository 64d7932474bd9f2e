#include "common/auth/tokens.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>

#include "absl/container/flat_hash_map.h"
#include "common/auth/jwt.h"
#include "common/auth/key_set.h"
#include "common/auth/permissions.h"
#include "common/base/text.h"
#include "common/errors/errors.h"

namespace yuezhan::auth {
namespace {

using errors::AuthFault;

constexpr size_t kMaxTokenBytes = 4096;
constexpr size_t kMaxWordBytes = 300;  // 100 characters
constexpr size_t kShards = 16;
constexpr size_t kMaxPerShard = 512;  // then it starts anew: memory stays bounded whoever calls

struct Verified {
  std::shared_ptr<const Caller> caller;
  absl::Time not_before;
  absl::Time expires;
};

// Fits a name or an id: given, not long, no control characters (it goes to logs and prints).
bool IsWord(const std::string& text) {
  return !text.empty() && text.size() <= kMaxWordBytes &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<AuthFault> CheckTime(const Verified& verified, absl::Time now,
                                   const VerifierOptions& options) {
  if (now >= verified.expires) return AuthFault::kExpired;
  if (now + options.leeway < verified.not_before) return AuthFault::kNotYetValid;
  return std::nullopt;
}

std::optional<AuthFault> CheckClaims(const Claims& claims, absl::Time now,
                                     const VerifierOptions& options) {
  if (claims.iss != options.issuer) return AuthFault::kIssuer;
  if (std::find(claims.aud.begin(), claims.aud.end(), options.audience) == claims.aud.end()) {
    return AuthFault::kAudience;
  }
  if (absl::FromUnixSeconds(claims.exp) > now + options.max_life) return AuthFault::kClaims;
  if (!IsWord(claims.sub) || !IsWord(claims.name)) return AuthFault::kClaims;
  if (!claims.host_unit.empty() &&
      (!IsWord(claims.host_unit) || !claims.host_unit.starts_with("hostUnits/"))) {
    return AuthFault::kClaims;
  }
  return std::nullopt;
}

Caller CallerOf(const Claims& claims) {
  Caller caller{claims.sub, claims.name, {}, claims.host_unit};
  for (const std::string& word : claims.roles) {
    if (const auto role = RoleFromName(word)) caller.roles.Add(*role);
  }
  return caller;
}

}  // namespace

struct TokenVerifier::Impl {
  explicit Impl(VerifierOptions o) : options(std::move(o)) {}

  struct Shard {
    absl::Mutex mutex;
    absl::flat_hash_map<std::string, Verified> tokens ABSL_GUARDED_BY(mutex);
  };

  absl::Status Load() {
    auto read = ReadKeySet(options.key_directory);
    if (!read.ok()) return read.status();
    {
      absl::MutexLock lock(&keys_mutex);
      keys = std::make_shared<const KeySet>(*std::move(read));
    }
    // After the change: a token verified by a removed key must not come back into the cache.
    generation.fetch_add(1);
    for (Shard& shard : shards) {
      absl::MutexLock lock(&shard.mutex);
      shard.tokens.clear();
    }
    return absl::OkStatus();
  }

  std::shared_ptr<const KeySet> Keys() {
    absl::MutexLock lock(&keys_mutex);
    return keys;
  }

  Shard& ShardOf(std::string_view token) {
    return shards[std::hash<std::string_view>()(token) % kShards];
  }

  const VerifierOptions options;
  absl::Mutex keys_mutex;
  std::shared_ptr<const KeySet> keys ABSL_GUARDED_BY(keys_mutex);
  std::atomic<uint64_t> generation = 0;
  std::array<Shard, kShards> shards;
};

TokenVerifier::TokenVerifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TokenVerifier::~TokenVerifier() = default;

absl::StatusOr<std::unique_ptr<TokenVerifier>> TokenVerifier::Create(VerifierOptions options) {
  if (options.issuer.empty()) return absl::InvalidArgumentError("the token issuer must be given");
  auto impl = std::make_unique<Impl>(std::move(options));
  if (const absl::Status status = impl->Load(); !status.ok()) return status;
  return std::unique_ptr<TokenVerifier>(new TokenVerifier(std::move(impl)));
}

absl::Status TokenVerifier::Reload() { return impl_->Load(); }

absl::Status TokenVerifier::ReloadIfChanged() {
  if (KeySetFingerprint(impl_->options.key_directory) == impl_->Keys()->fingerprint) {
    return absl::OkStatus();
  }
  return Reload();
}

absl::StatusOr<std::shared_ptr<const Caller>> TokenVerifier::Verify(std::string_view token,
                                                                    absl::Time now) {
  if (token.empty()) return errors::Unauthenticated(AuthFault::kMissing);
  if (token.size() > kMaxTokenBytes) return errors::Unauthenticated(AuthFault::kMalformed);

  const uint64_t generation = impl_->generation.load();
  Impl::Shard& shard = impl_->ShardOf(token);
  {
    absl::MutexLock lock(&shard.mutex);
    const auto known = shard.tokens.find(Abs(token));
    if (known != shard.tokens.end()) {
      if (const auto fault = CheckTime(known->second, now, impl_->options)) {
        return errors::Unauthenticated(*fault);
      }
      return known->second.caller;
    }
  }

  const std::shared_ptr<const KeySet> keys = impl_->Keys();
  const Decoded decoded = DecodeJwt(token, [&](const std::string& kid) -> const std::string* {
    const auto key = keys->pem_by_kid.find(kid);
    return key == keys->pem_by_kid.end() ? nullptr : &key->second;
  });
  if (decoded.fault) return errors::Unauthenticated(*decoded.fault);
  if (const auto fault = CheckClaims(decoded.claims, now, impl_->options)) {
    return errors::Unauthenticated(*fault);
  }
  const Verified verified{std::make_shared<const Caller>(CallerOf(decoded.claims)),
                          absl::FromUnixSeconds(decoded.claims.nbf),
                          absl::FromUnixSeconds(decoded.claims.exp)};
  if (const auto fault = CheckTime(verified, now, impl_->options)) {
    return errors::Unauthenticated(*fault);
  }
  absl::MutexLock lock(&shard.mutex);
  if (impl_->generation.load() == generation) {
    if (shard.tokens.size() >= kMaxPerShard) shard.tokens.clear();
    shard.tokens.emplace(std::string(token), verified);
  }
  return verified.caller;
}

absl::StatusOr<std::string> IssueToken(const IssuerOptions& options, const Caller& caller,
                                       absl::Time not_before, absl::Duration life) {
  Claims claims{.sub = caller.subject,
                .name = caller.name,
                .host_unit = caller.host_unit,
                .roles = {},
                .iss = options.issuer,
                .aud = {options.audience},
                .exp = absl::ToUnixSeconds(not_before + life),
                .nbf = absl::ToUnixSeconds(not_before)};
  for (int i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    if (caller.roles.Has(role)) claims.roles.emplace_back(RoleName(role));
  }
  return EncodeJwt(claims, options.key_id, options.private_key_pem);
}

}  // namespace yuezhan::auth
