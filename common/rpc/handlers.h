#ifndef YUEZHAN_COMMON_RPC_HANDLERS_H_
#define YUEZHAN_COMMON_RPC_HANDLERS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/base/context.h"

namespace google::protobuf {
class Message;
}

namespace yuezhan::rpc {

// The handlers of one service of the contract. A handler is a plain function that knows nothing of
// gRPC:
//
//   rpc::Service service("yuezhan.registry.v1.RegistryService");
//   service.Add("GetStation", &Handlers::GetStation, &handlers);
//   absl::Status Handlers::GetStation(Context& context, const GetStationRequest& request,
//                                     Station* answer);
//
// What the server has done when it runs: the caller is known (context.caller) and has a role for
// the method, the request keeps its field rules (output-only fields are cleared), context.deadline
// is finite. What it does after: masks personal values, gives the status its details, logs. The
// object outlives the server; handlers run in many threads at once. An exception that leaves one is
// answered INTERNAL.
class Service {
 public:
  // The service's full name; its generated code must be linked in (the start tells when it is not).
  explicit Service(std::string_view full_name) : name_(full_name) {}

  template <typename T, typename Request, typename Answer>
  Service& Add(std::string_view method,
               absl::Status (T::*handler)(Context&, const Request&, Answer*), T* object) {
    return AddMethod({std::string(method), &Request::default_instance(),
                      &Answer::default_instance(),
                      [object, handler](Context& context, const google::protobuf::Message& request,
                                        google::protobuf::Message* answer) {
                        return (object->*handler)(context, static_cast<const Request&>(request),
                                                  static_cast<Answer*>(answer));
                      }});
  }

  // One method without its types, for what serves a whole contract alike (tests, proxies).
  struct Method {
    std::string name;                          // "GetStation"
    const google::protobuf::Message* request;  // default instances: the types
    const google::protobuf::Message* answer;
    std::function<absl::Status(Context&, const google::protobuf::Message&,
                               google::protobuf::Message*)>
        run;
  };
  Service& AddMethod(Method method) {
    methods_.push_back(std::move(method));
    return *this;
  }

  const std::string& name() const { return name_; }
  const std::vector<Method>& methods() const { return methods_; }

 private:
  std::string name_;
  std::vector<Method> methods_;
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_HANDLERS_H_
