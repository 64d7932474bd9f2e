#ifndef YUEZHAN_COMMON_RPC_STANDARD_SERVICES_H_
#define YUEZHAN_COMMON_RPC_STANDARD_SERVICES_H_

#include <atomic>

#include "absl/status/status.h"
#include "common/base/context.h"
#include "common/rpc/methods.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace yuezhan::rpc {

// What gRPC's tools expect of any server: health and reflection, for everyone. Served by our own
// pool, not by the library's services: those bring threads of their own, which take in calls faster
// than they can be refused (60,000 resets of one connection left the process at 1 GB).
class StandardServices {
 public:
  explicit StandardServices(const Methods& methods) : methods_(methods) {}

  // Adds them; the object outlives the methods' calls.
  void Bind(Methods& methods, bool reflection);

  void SetServing(bool serving) { serving_ = serving; }

  absl::Status Check(Context& context, const grpc::health::v1::HealthCheckRequest& request,
                     grpc::health::v1::HealthCheckResponse* answer);
  absl::Status Reflect(Context& context,
                       const grpc::reflection::v1alpha::ServerReflectionRequest& request,
                       grpc::reflection::v1alpha::ServerReflectionResponse* answer);

 private:
  const Methods& methods_;
  std::atomic<bool> serving_ = false;
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_STANDARD_SERVICES_H_
