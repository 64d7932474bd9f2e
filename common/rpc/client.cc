#include "common/rpc/client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/rpc_method.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "absl/random/random.h"
#include "absl/time/clock.h"
#include "common/base/clocks.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/rpc/identity.h"
#include "common/rpc/retry.h"
#include "common/rpc/wire.h"
#include "google/protobuf/message.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::Message;
using google::protobuf::MessageLite;

constexpr size_t kConnections = 8;

grpc::ChannelArguments Arguments(const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.max_message_bytes);
  arguments.SetMaxSendMessageSize(-1);  // the server tells what is too large, with its limit
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // ours know the contract
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // no connection is shared
  // Over all replicas that the target's name gives, and past one that ended.
  arguments.SetLoadBalancingPolicyName("round_robin");
  // A replica that came back has another address: half a minute is too long to go on with the old ones.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  // A server that restarts is back within a second; gRPC would look again after up to two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2'000);  // time for one attempt to connect
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  if (!options.tls_name.empty()) {
    arguments.SetString(GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, options.tls_name);
  }
  return arguments;
}

class GrpcChannel : public Channel {
 public:
  GrpcChannel(ChannelOptions options, const std::shared_ptr<grpc::ChannelCredentials>& credentials)
      : options_(std::move(options)) {
    for (auto& channel : channels_) {
      channel = grpc::CreateCustomChannel(options_.target, credentials, Arguments(options_));
    }
  }

  absl::Status Call(std::string_view method, const Message& request, Message* answer,
                    const CallOptions& options) override {
    const absl::Time deadline = std::min(options.deadline, WallNow() + options_.timeout);
    const bool repeatable = IsSafeToRepeat(method, request);
    absl::Status before;  // the attempt before: why this one waits
    for (int attempt = 1;; ++attempt) {
      absl::Status status =
          Attempt(method, request, answer, options, deadline, options.wait || attempt > 1);
      // Waited for a connection until the end: that it cannot be reached tells more, and is as safe
      // to repeat.
      if (absl::IsDeadlineExceeded(status) && absl::IsUnavailable(before)) return before;
      if (status.ok() || !repeatable || attempt >= options_.max_attempts || !IsTransient(status)) {
        return status;
      }
      const double jitter = absl::Uniform(absl::BitGen(), 0.0, 1.0);
      const absl::Duration wait = Backoff(attempt, options_.first_backoff, jitter, status);
      if (WallNow() + wait >= deadline) return status;
      options_.sleep ? options_.sleep(wait) : absl::SleepFor(wait);
      before = std::move(status);
    }
  }

 private:
  absl::Status Attempt(std::string_view method, const Message& request, Message* answer,
                       const CallOptions& options, absl::Time deadline, bool wait) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline));
    // Who cannot be reached is told at once the first time. Later attempts wait for the connection:
    // gRPC works on one only while a call waits (else every five seconds), and a handshake would
    // starve between our attempts.
    context.set_wait_for_ready(wait);
    const std::string token =
        options.token.empty() && options_.token ? options_.token() : options.token;
    if (!token.empty()) context.AddMetadata("authorization", Concat({"Bearer ", token}));
    if (!options.trace_id.empty()) {
      context.AddMetadata("traceparent", TraceParent(options.trace_id));
    }
    answer->Clear();
    const std::string path = Concat({"/", method});
    const grpc::internal::RpcMethod rpc(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
    return FromGrpc(grpc::internal::BlockingUnaryCall<MessageLite, MessageLite>(
        Own().get(), rpc, &context, request, answer));
  }

  // The same for all calls of a thread.
  const std::shared_ptr<grpc::Channel>& Own() const {
    static std::atomic<size_t> threads = 0;
    thread_local const size_t thread = threads++;
    return channels_[thread % channels_.size()];
  }

  const ChannelOptions options_;
  // A thread that waits for its answer polls for all that wait on the same connection, and wakes
  // them: with a connection of its own it is woken by none. Connected when first called.
  std::array<std::shared_ptr<grpc::Channel>, kConnections> channels_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Channel>> Connect(ChannelOptions options) {
  YZ_ASSIGN_OR_RETURN(auto credentials, MakeChannelCredentials(options));
  return std::unique_ptr<Channel>(new GrpcChannel(std::move(options), credentials));
}

}  // namespace yuezhan::rpc
