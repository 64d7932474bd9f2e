#include "tests/bench/in_process.h"

#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/journal/vault.h"
#include "services/application/handlers.h"
#include "services/payment/handlers.h"
#include "services/registry/handlers.h"
#include "services/yz/client.h"
#include "tests/bench/statements.h"

namespace yuezhan::bench {
namespace {

thread_local int64_t nested_calls = 0;

// What a service is to its handlers.
struct Service {
  Service(const std::string& name, const ServiceData& data, std::shared_ptr<BusinessClock> clock,
          int connections)
      : pool(data.database, connections),
        vault(journal::Vault::Parse(data.vault_keys).value()),
        journal(pool, vault, Clocks{.business = std::move(clock)}, name) {}
  db::Pool pool;
  journal::Vault vault;
  journal::Journal journal;
};

}  // namespace

struct InProcess::Impl : rpc::Channel {
  Impl(const std::map<std::string, ServiceData>& data, const std::shared_ptr<BusinessClock>& clock,
       int connections)
      : rulebook(policy::Policies::Builtin(), policy::Calendar::Builtin()),
        registry("registry", data.at("registry"), clock, connections),
        application("application", data.at("application"), clock, connections),
        payment("payment", data.at("payment"), clock, connections),
        of_registry(registry.journal, registry.vault, rulebook),
        of_application(application.journal, application.vault, rulebook, *this, *this),
        of_payment(payment.journal, payment.vault, rulebook, {*this, *this, *this}),
        on_review(of_payment.OnReview()) {
    for (const rpc::Service& service :
         {of_registry.Methods(), of_application.Methods(), of_payment.Methods()}) {
      for (const rpc::Service::Method& method : service.methods()) {
        methods.emplace(Concat({service.name(), "/", method.name}), method);
      }
    }
  }

  absl::Status Run(const Caller& caller, std::string_view method,
                   const google::protobuf::Message& request, google::protobuf::Message* answer) {
    Context context;
    context.caller = caller;
    context.method = std::string(method);
    context.trace_id = "0123456789abcdef0123456789abcdef";
    context.deadline = WallNow() + absl::Seconds(20);
    const std::string before = RecordAs(yz::ServiceOf(method));
    const absl::Status status = methods.at(std::string(method)).run(context, request, answer);
    RecordAs(before);
    if (!status.ok()) return status;
    // As it is sent: with what the handler left as bytes.
    return answer->ParseFromString(answer->SerializeAsString())
               ? absl::OkStatus()
               : absl::InternalError(Concat({method, ": an answer that cannot be read"}));
  }
  // As one service to another.
  absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* answer, const rpc::CallOptions&) override {
    ++nested_calls;
    return Run({"service:bench", "bench", {Role::kService}, ""}, method, request, answer);
  }

  Rulebook rulebook;
  Service registry, application, payment;
  registry::Handlers of_registry;
  application::Handlers of_application;
  payment::Handlers of_payment;
  const journal::EventHandlers on_review;
  std::map<std::string, rpc::Service::Method> methods;
};

InProcess::InProcess(const std::map<std::string, ServiceData>& data,
                     std::shared_ptr<BusinessClock> clock, int connections)
    : impl_(std::make_unique<Impl>(data, clock, connections)) {}
InProcess::~InProcess() = default;

absl::Status InProcess::Call(const Caller& caller, std::string_view method,
                             const google::protobuf::Message& request,
                             google::protobuf::Message* answer) {
  return impl_->Run(caller, method, request, answer);
}

absl::Status InProcess::Apply(const review::v1::CaseAdvanced& event, int64_t seq) {
  journal::EventOrigin origin;
  origin.seq = seq;
  return impl_->payment.journal.WriteInternal(
      "bench/follow", NewUuid(), WallNow() + absl::Seconds(30),
      [&](journal::Unit& unit) { return impl_->on_review.Apply(event, unit, origin); });
}

int64_t InProcess::NestedCalls() { return nested_calls; }

const rpc::Service::Method& InProcess::MethodOf(std::string_view method) const {
  return impl_->methods.at(std::string(method));
}
const Rulebook& InProcess::rulebook() const { return impl_->rulebook; }

}  // namespace yuezhan::bench
