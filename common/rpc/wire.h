#ifndef YUEZHAN_COMMON_RPC_WIRE_H_
#define YUEZHAN_COMMON_RPC_WIRE_H_

#include <grpcpp/support/status.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"

namespace grpc {
class ChannelCredentials;
class ServerCredentials;
}  // namespace grpc

// Between gRPC's types and ours; included by common/rpc's own .cc files alone.
namespace yuezhan::rpc {

grpc::Status ToGrpc(const absl::Status& status);
// With the server's details, or, where there are none (a proxy's answer, a broken connection),
// those of the code's own error.
absl::Status FromGrpc(const grpc::Status& status);

// TLS with files that are read again when they change, or plaintext. INVALID_ARGUMENT, naming the
// setting, when files are missing or do not fit.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const ServerOptions& options);
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(
    const ChannelOptions& options);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_WIRE_H_
