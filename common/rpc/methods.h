#ifndef YUEZHAN_COMMON_RPC_METHODS_H_
#define YUEZHAN_COMMON_RPC_METHODS_H_

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "common/auth/permissions.h"
#include "common/rpc/handlers.h"

namespace yuezhan::rpc {

// A method that can be called: its handler, its row of the permission table, its types.
struct BoundMethod {
  std::string name;  // "yuezhan.registry.v1.RegistryService/GetStation"
  Service::Method handler;
  const auth::Permission* permission;  // null: for everyone, without a token
  bool masks;                          // the answer can hold personal values
  bool reads;                          // the contract declares it free of side effects
  bool streams;                        // answers each message of a stream as if it were a call
};

// All methods of a server. Filled at start, then only read.
class Methods {
 public:
  using FindPermission = const auth::Permission* (*)(std::string_view method);
  // Fails, naming it, when a method of the service's contract has no handler, one of other types or
  // no permission row, or when a handler has no method in the contract.
  absl::Status Bind(const Service& service, FindPermission find_permission = &auth::FindPermission);

  // Binds the handlers that a standard service has, for everyone.
  void BindOpen(const Service& service, bool streams);

  const BoundMethod* Find(std::string_view name) const;
  // The services of ours.
  const std::vector<std::string>& services() const { return services_; }

 private:
  bool Insert(BoundMethod method);  // false: the name is taken

  std::vector<std::string> services_;
  std::unordered_map<std::string_view, const BoundMethod*>
      by_name_;  // views of the methods' own names
  std::vector<std::unique_ptr<BoundMethod>> methods_;
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_METHODS_H_
