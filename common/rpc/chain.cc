#include "common/rpc/chain.h"

#include <algorithm>
#include <optional>

#include "common/auth/tokens.h"
#include "common/base/clocks.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "common/rpc/mask.h"
#include "common/rpc/run_calls.h"
#include "common/rpc/validation.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "google/protobuf/message.h"

namespace yuezhan::rpc {

using google::protobuf::Message;

namespace {

// The resource that a request is about: its name, or the parent of what it makes or lists. Ids
// alone, checked before.
std::string ResourceOf(const Message& request) {
  for (const char* field : {"name", "parent"}) {
    const auto* found = request.GetDescriptor()->FindFieldByName(field);
    if (found != nullptr && !found->is_repeated() &&
        found->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
      return request.GetReflection()->GetString(request, found);
    }
  }
  return "";
}

}  // namespace

void Chain::Run(absl::Span<Passing> calls) const {
  std::vector<Passing*> begun;
  std::vector<Service::Called> called;
  for (Passing& call : calls) {
    call.record->method = call.incoming.method;
    call.record->trace_id = call.incoming.trace_id;
    const LogTrace trace(call.incoming.trace_id);
    call.status = Guarded([&] { return Begin(&call); });
    if (!call.status.ok()) continue;
    begun.push_back(&call);
    called.push_back({call.context, *call.request, call.answer.get()});
  }
  if (!begun.empty()) {
    std::vector<absl::Status> statuses = RunCalls(begun.front()->incoming.bound->handler, called);
    for (size_t i = 0; i < begun.size(); ++i) begun[i]->status = std::move(statuses[i]);
  }
  for (Passing& call : calls) {
    const LogTrace trace(call.incoming.trace_id);
    if (call.status.ok() && call.incoming.bound->masks) {
      call.status = Guarded([&] { return Mask(&call); });
    }
    call.ticket.reset();
    call.status = WithDetails(std::move(call.status), call.record);
    if (!call.status.ok()) call.answer.reset();
    call.record->code = absl::StatusCodeToString(call.status.code());
    call.record->reason = errors::Reason(call.status);
  }
}

absl::Status Chain::Begin(Passing* call) const {
  const Incoming& incoming = call->incoming;
  const BoundMethod* method = incoming.bound;
  if (method == nullptr) return errors::MethodUnknown(incoming.method);

  const absl::Time now = WallNow();
  Context& context = call->context;
  context.method = method->name;
  context.trace_id = incoming.trace_id;
  context.arrived = incoming.arrived;
  context.deadline = std::min(incoming.deadline, incoming.arrived + options_.max_deadline);
  if (context.deadline <= now) return errors::DeadlineExceeded();

  if (method->permission != nullptr) {
    YZ_ASSIGN_OR_RETURN(context.caller,
                        Identify(incoming.credentials, verifier_, options_.plaintext, now));
    call->record->subject = context.caller.subject;
    YZ_ASSIGN_OR_RETURN(auto admitted, limits_->Admit(context.caller, MonotonicNow()));
    call->ticket.emplace(std::move(admitted));
    if (!method->permission->Admits(context.caller)) {
      return errors::PermissionDenied(method->name);
    }
  }

  call->request.reset(method->handler.request->New());
  if (!call->request->ParseFromZeroCopyStream(call->bytes)) {
    return errors::Malformed(call->request->GetTypeName());
  }
  YZ_RETURN_IF_ERROR(CheckRequest(call->request.get()));
  call->record->resource = ResourceOf(*call->request);
  call->answer.reset(method->handler.answer->New());
  return absl::OkStatus();
}

// A service's reading shows nobody anything: what it takes in clear stands sealed in its own rows,
// and who reads it there is recorded there. A method that changes something leaves a journal entry
// with its answer anyhow.
absl::Status Chain::Mask(Passing* call) const {
  const BoundMethod& method = *call->incoming.bound;
  const Context& context = call->context;
  if (!context.caller.roles.Intersects(method.permission->clear_roles)) {
    MaskPersonal(call->answer.get());
    return absl::OkStatus();
  }
  if (!method.reads || !options_.on_clear_read || context.caller.roles.Has(Role::kService)) {
    return absl::OkStatus();
  }
  ClearRead read;
  if (!FindPersonal(*call->answer, &read.resources)) return absl::OkStatus();
  if (read.resources.empty()) read.resources = ResourcesNamed(*call->request);
  return options_.on_clear_read(context, read);
}

}  // namespace yuezhan::rpc
