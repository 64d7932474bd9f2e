#include "services/yz/client.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/auth/tokens.h"
#include "common/base/clocks.h"
#include "common/base/text.h"
#include "google/protobuf/wrappers.pb.h"
#include "services/yz/files.h"

namespace yuezhan::yz {
namespace {

constexpr absl::Duration kTokenLife = absl::Hours(12);

}  // namespace

std::string ServiceOf(std::string_view method) {
  const std::vector<std::string> parts = absl::StrSplit(Abs(method), '.');
  const std::string package = parts.size() > 1 && parts[0] == "yuezhan" ? parts[1] : "";
  return package == "journal" ? "" : package;
}

Client::Client(Profile profile) : profile_(std::move(profile)) {}

void Client::SetTarget(const std::string& service, const std::string& target) {
  absl::MutexLock lock(&mutex_);
  if (profile_.targets[service] == target) return;
  profile_.targets[service] = target;
  channels_.erase(service);
}

absl::StatusOr<std::shared_ptr<rpc::Channel>> Client::ChannelTo(const std::string& service) {
  absl::MutexLock lock(&mutex_);
  if (const auto it = channels_.find(service); it != channels_.end()) return it->second;
  const auto target = profile_.targets.find(service);
  if (target == profile_.targets.end()) {
    return absl::InvalidArgumentError(absl::StrCat("the profile names no service ", service));
  }
  rpc::ChannelOptions options;
  options.target = target->second;
  options.plaintext = profile_.tls_ca.empty();
  options.tls_ca = profile_.tls_ca;
  options.timeout = absl::Seconds(20);
  options.max_attempts = 20;
  absl::StatusOr<std::unique_ptr<rpc::Channel>> channel = rpc::Connect(std::move(options));
  if (!channel.ok()) return channel.status();
  return channels_[service] = *std::move(channel);
}

absl::Status Client::Call(const Caller& caller, std::string_view method,
                          const google::protobuf::Message& request,
                          google::protobuf::Message* answer) {
  return CallAt(ServiceOf(method), caller, method, request, answer);
}

absl::Status Client::CallAt(const std::string& service, const Caller& caller,
                            std::string_view method, const google::protobuf::Message& request,
                            google::protobuf::Message* answer, absl::Time deadline) {
  absl::StatusOr<std::string> token = Token(caller);
  if (!token.ok()) return token.status();
  absl::StatusOr<std::shared_ptr<rpc::Channel>> channel = ChannelTo(service);
  if (!channel.ok()) return channel.status();
  rpc::CallOptions options;
  options.token = *std::move(token);
  options.deadline = deadline;
  return (*channel)->Call(method, request, answer, options);
}

absl::StatusOr<bool> Client::Healthy(const std::string& service, absl::Time deadline) {
  absl::StatusOr<std::shared_ptr<rpc::Channel>> channel = ChannelTo(service);
  if (!channel.ok()) return channel.status();
  // On the wire, HealthCheckRequest { string service = 1 } and HealthCheckResponse { enum status =
  // 1 } are these; the protocol is gRPC's own and its messages are in no package of ours.
  const google::protobuf::StringValue whole_server;
  google::protobuf::Int32Value status;
  constexpr int kServing = 1;
  rpc::CallOptions options;
  options.deadline = deadline;
  options.wait = true;
  if (absl::Status called =
          (*channel)->Call("grpc.health.v1.Health/Check", whole_server, &status, options);
      !called.ok()) {
    return called;
  }
  return status.value() == kServing;
}

absl::StatusOr<std::string> Client::Token(const Caller& caller) {
  const std::string key =
      absl::StrCat(caller.subject, "|", caller.roles.bits, "|", caller.host_unit);
  const absl::Time now = WallNow();
  absl::MutexLock lock(&mutex_);
  Kept& kept = tokens_[key];
  if (kept.token.empty() || now >= kept.renew) {
    absl::StatusOr<std::string> token = NewToken(caller, kTokenLife);
    if (!token.ok()) return token;
    kept = {*std::move(token), now + kTokenLife / 2};
  }
  return kept.token;
}

absl::StatusOr<std::string> Client::NewToken(const Caller& caller, absl::Duration life) {
  const absl::StatusOr<std::string> key = ReadFile(profile_.token_key);
  if (!key.ok()) return key.status();
  auth::IssuerOptions issuer;
  issuer.private_key_pem = *key;
  issuer.key_id = profile_.token_key_id;
  issuer.issuer = profile_.token_issuer;
  return auth::IssueToken(issuer, caller, WallNow(), life);
}

}  // namespace yuezhan::yz
