#ifndef YUEZHAN_COMMON_RPC_CLIENT_H_
#define YUEZHAN_COMMON_RPC_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/context.h"

namespace google::protobuf {
class Message;
}

namespace yuezhan::rpc {

struct CallOptions {
  absl::Time deadline = absl::InfiniteFuture();  // the channel's own timeout holds too
  std::string token = {};                        // who asks; "": the channel's token
  std::string trace_id = {};                     // 32 hex digits, or ""
  bool wait = false;  // for a server that is starting: waits for it, not failing at once

  // For a call made while serving another: its deadline and trace, the service's own identity.
  static CallOptions Within(const Context& context) {
    return {context.deadline, "", context.trace_id, false};
  }
};

// A way to call the methods of one server. An interface, so that tests answer without one.
class Channel {
 public:
  virtual ~Channel() = default;

  // Calls "yuezhan.registry.v1.RegistryService/GetStation" and waits. Errors carry the server's
  // details (common/errors reads them). UNAVAILABLE, ABORTED and RESOURCE_EXHAUSTED are tried
  // again, with jittered backoff and as RetryInfo says, when that is safe: the contract declares
  // the method free of side effects, or the request carries a request_id.
  virtual absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                            google::protobuf::Message* answer, const CallOptions& options = {}) = 0;
};

struct ChannelOptions {
  std::string target;  // host:port
  std::string tls_ca;  // PEM file of the authority; with tls_cert and tls_key: who we are
  std::string tls_cert;
  std::string tls_key;
  std::string tls_name;    // name in the server's certificate where it is not the target's host
  bool plaintext = false;  // as the server's
  // The identity of calls without one of their own, asked at every attempt; null: the certificate.
  std::function<std::string()> token;
  absl::Duration timeout = absl::Seconds(10);  // of a call with all its attempts
  int max_attempts = 5;
  absl::Duration first_backoff = absl::Milliseconds(50);  // doubled each time, up to 2 s
  int max_message_bytes = 4 << 20;
  std::function<void(absl::Duration)> sleep;  // for tests; null: sleeps
};

// Connects lazily and stays: a server that comes back is found again.
absl::StatusOr<std::unique_ptr<Channel>> Connect(ChannelOptions options);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_CLIENT_H_
