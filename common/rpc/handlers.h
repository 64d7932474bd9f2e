#ifndef YUEZHAN_COMMON_RPC_HANDLERS_H_
#define YUEZHAN_COMMON_RPC_HANDLERS_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/base/context.h"

namespace google::protobuf {
class Message;
template <typename Key, typename T>
class Map;
}  // namespace google::protobuf
namespace google::rpc {
class Status;
}

namespace yuezhan::rpc {

// One of several calls that a handler answers together: the arguments of one that answers it alone.
template <typename Request, typename Answer>
struct Asked {
  Context& context;
  const Request& request;
  Answer* answer;
};
template <typename Request, typename Answer>
using AskedList = std::vector<Asked<Request, Answer>>;  // at least one

// Until when the last of their callers waits.
template <typename Request, typename Answer>
absl::Time LastDeadline(const AskedList<Request, Answer>& asked) {
  absl::Time last = absl::InfinitePast();
  for (const auto& each : asked) last = std::max(last, each.context.deadline);
  return last;
}

// The resources that calls are about, and who asks.
struct Named {
  const Context& context;
  const std::string& name;
};
template <typename Request, typename Answer>
std::vector<Named> NamesOf(const AskedList<Request, Answer>& asked) {
  std::vector<Named> named;
  for (const auto& each : asked) named.push_back({each.context, each.request.name()});
  return named;
}

// One call alone, by a handler of several.
template <typename T, typename Request, typename Answer>
absl::Status AskOne(T& object, absl::Status (T::*handler)(const AskedList<Request, Answer>&),
                    Context& context, const Request& request, Answer* answer) {
  return (object.*handler)({{context, request, answer}});
}

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
  // `joined` runs several handlers as one transaction (journal::Journal::WriteJoined).
  using Joined =
      std::function<absl::Status(absl::Time deadline, absl::FunctionRef<absl::Status()>)>;
  explicit Service(std::string_view full_name, Joined joined = nullptr)
      : name_(full_name), joined_(std::move(joined)) {}

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

  // A method whose calls are answered together: while as many threads as `handlers` are at some, the
  // others wait, and go together. What asks for one thing by its name is one statement then for all
  // of them, what writes is one transaction, and either is one change of thread. 1 is enough where
  // the statement is most of the work. The handler answers all, or fails: then each is asked alone,
  // but for a failure of the service itself (UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED),
  // which is every one's.
  template <typename T, typename Request, typename Answer>
  Service& Add(std::string_view method,
               absl::Status (T::*handler)(const AskedList<Request, Answer>&), T* object,
               int handlers = 2) {
    return AddMethod(
        {std::string(method), &Request::default_instance(), &Answer::default_instance(),
         [object, handler](Context& context, const google::protobuf::Message& request,
                           google::protobuf::Message* answer) {
           return AskOne(*object, handler, context, static_cast<const Request&>(request),
                         static_cast<Answer*>(answer));
         },
         [object, handler](absl::Span<const Called> calls) {
           AskedList<Request, Answer> asked;
           asked.reserve(calls.size());
           for (const Called& call : calls) {
             asked.push_back({call.context, static_cast<const Request&>(call.request),
                              static_cast<Answer*>(call.answer)});
           }
           return (object->*handler)(asked);
         },
         handlers});
  }

  // A method that writes, whose handler answers one call and knows of no others: calls that wait
  // for each other are handled one after the other in one transaction, by `joined`. A handler may
  // be run so if all that it does is done by the transaction, or asked of others and changes
  // nothing there. `ahead` is called first in that transaction, with the names in the requests:
  // what fetches and locks by one statement what the handlers need.
  template <typename T, typename Request, typename Answer>
  Service& AddJoined(std::string_view method,
                     absl::Status (T::*handler)(Context&, const Request&, Answer*), T* object,
                     absl::Status (T::*ahead)(const std::vector<std::string>& names) = nullptr) {
    Add(method, handler, object);
    Method& added = methods_.back();
    added.together = 2;
    added.run_together = [run = added.run, joined = joined_, object,
                          ahead](absl::Span<const Called> calls) {
      absl::Time deadline = absl::InfinitePast();
      std::vector<std::string> names;
      for (const Called& call : calls) {
        deadline = std::max(deadline, call.context.deadline);
        names.push_back(NameIn(static_cast<const Request&>(call.request)));
      }
      return joined(deadline, [&] {
        absl::Status status = ahead != nullptr ? (object->*ahead)(names) : absl::OkStatus();
        for (size_t i = 0; i < calls.size() && status.ok(); ++i) {
          calls[i].answer->Clear();
          status = run(calls[i].context, calls[i].request, calls[i].answer);
        }
        return status;
      });
    };
    return *this;
  }

  // "BatchApproveOpinions" does for a list what the method added last, "ApproveOpinion", does for
  // each, in as few transactions as it can. Each has its own answer, journal entry and request_id,
  // under the single method; what an item's state or rules forbid is told by its place and keeps no
  // other from its effect. A failure of the service fails the call; sent again it does what is
  // left. Requests are field 1 of Request, "requests"; answers field 1 of Answer.
  template <typename Request, typename Answer>
  Service& AddBatch(std::string_view method) {
    return AddMethod(
        {std::string(method), &Request::default_instance(), &Answer::default_instance(),
         [single = methods_.back(), service = name_](Context& context,
                                                     const google::protobuf::Message& request,
                                                     google::protobuf::Message* answer) {
           auto* failed = static_cast<Answer*>(answer)->mutable_failed_requests();
           return RunBatch(single, service, {context, request, answer, failed});
         }});
  }

  // One method without its types, for what serves a whole contract alike (tests, proxies).
  using Called = Asked<google::protobuf::Message, google::protobuf::Message>;
  struct Method {
    std::string name;                          // "GetStation"
    const google::protobuf::Message* request;  // default instances: the types
    const google::protobuf::Message* answer;
    std::function<absl::Status(Context&, const google::protobuf::Message&,
                               google::protobuf::Message*)>
        run;
    // Null: calls are answered one by one.
    std::function<absl::Status(absl::Span<const Called>)> run_together = nullptr;
    int together = 0;  // threads at once that run it
  };
  Service& AddMethod(Method method) {
    methods_.push_back(std::move(method));
    return *this;
  }

  const std::string& name() const { return name_; }
  const std::vector<Method>& methods() const { return methods_; }

 private:
  struct Batch {
    const Context& context;
    const google::protobuf::Message& request;
    google::protobuf::Message* answer;
    google::protobuf::Map<int32_t, google::rpc::Status>* failed;
  };
  static absl::Status RunBatch(const Method& one, std::string_view service, const Batch& batch);

  // The resource that a request changes, or adds something to; "" where it makes one.
  template <typename Request>
  static std::string NameIn(const Request& request) {
    if constexpr (requires { request.name(); }) {
      return request.name();
    } else if constexpr (requires { request.parent(); }) {
      return request.parent();
    } else {
      return "";
    }
  }

  std::string name_;
  Joined joined_;
  std::vector<Method> methods_;
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_HANDLERS_H_
