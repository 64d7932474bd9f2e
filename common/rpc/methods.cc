#include "common/rpc/methods.h"

#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/rpc/mask.h"
#include "common/rpc/validation.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/message.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

absl::Status Mistake(std::initializer_list<std::string_view> parts) {
  return absl::FailedPreconditionError(Concat(parts));
}

const Service::Method* HandlerOf(const Service& service, const std::string& method) {
  for (const Service::Method& handler : service.methods()) {
    if (handler.name == method) return &handler;
  }
  return nullptr;
}

absl::Status CheckTypes(const MethodDescriptor& method, const Service::Method& handler) {
  if (method.client_streaming() || method.server_streaming()) {
    return Mistake({method.full_name(), " is a stream: methods of ours are unary"});
  }
  if (handler.request->GetDescriptor() == method.input_type() &&
      handler.answer->GetDescriptor() == method.output_type()) {
    return absl::OkStatus();
  }
  return Mistake({method.full_name(), " has a handler of other types: ",
                  handler.request->GetTypeName(), " → ", handler.answer->GetTypeName()});
}

}  // namespace

absl::Status Methods::Bind(const Service& service, FindPermission find_permission) {
  const ServiceDescriptor* contract =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service.name());
  if (contract == nullptr) return Mistake({service.name(), " is not in the contract linked in"});
  for (const Service::Method& handler : service.methods()) {
    if (contract->FindMethodByName(handler.name) == nullptr) {
      return Mistake({service.name(), " has no method ", handler.name, " for a handler"});
    }
  }
  for (int i = 0; i < contract->method_count(); ++i) {
    const MethodDescriptor& method = *contract->method(i);
    const Service::Method* handler = HandlerOf(service, method.name());
    if (handler == nullptr) return Mistake({method.full_name(), " has no handler"});
    YZ_RETURN_IF_ERROR(CheckTypes(method, *handler));
    const std::string name = Concat({service.name(), "/", method.name()});
    const auth::Permission* permission = find_permission(name);
    if (permission == nullptr) return Mistake({name, " has no row in the permission table"});
    const bool masks = HoldsPersonal(method.output_type());
    const bool reads = method.options().idempotency_level() ==
                       google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
    if (!Insert({name, *handler, permission, masks, reads, /*streams=*/false})) {
      return Mistake({name, " is bound twice"});
    }
  }
  services_.push_back(service.name());
  return absl::OkStatus();
}

void Methods::BindOpen(const Service& service, bool streams) {
  for (const Service::Method& handler : service.methods()) {
    Insert({Concat({service.name(), "/", handler.name}), handler, nullptr, /*masks=*/false,
            /*reads=*/true, streams});
  }
}

bool Methods::Insert(BoundMethod method) {
  PrepareCheck(method.handler.request->GetDescriptor());
  methods_.push_back(std::make_unique<BoundMethod>(std::move(method)));
  return by_name_.emplace(methods_.back()->name, methods_.back().get()).second;
}

const BoundMethod* Methods::Find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

}  // namespace yuezhan::rpc
