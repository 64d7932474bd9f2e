#include "common/rpc/chain.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "common/auth/tokens.h"
#include "common/base/clocks.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "common/rpc/mask.h"
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

absl::Status Chain::Run(const Incoming& call, google::protobuf::io::ZeroCopyInputStream* bytes,
                        std::unique_ptr<Message>* answer, CallRecord* record) const {
  record->method = call.method;
  record->trace_id = call.trace_id;
  const LogTrace trace(call.trace_id);
  absl::Status status;
  try {
    status = Steps(call, bytes, answer, record);
  } catch (const std::exception& fault) {
    status = absl::InternalError(fault.what());
  } catch (...) {
    status = absl::InternalError("an exception of unknown type");
  }
  status = WithDetails(std::move(status), record);
  if (!status.ok()) answer->reset();
  record->code = absl::StatusCodeToString(status.code());
  record->reason = errors::Reason(status);
  return status;
}

absl::Status Chain::Steps(const Incoming& call, google::protobuf::io::ZeroCopyInputStream* bytes,
                          std::unique_ptr<Message>* answer, CallRecord* record) const {
  const BoundMethod* method = call.bound;
  if (method == nullptr) return errors::MethodUnknown(call.method);

  const absl::Time now = WallNow();
  Context context;
  context.method = method->name;
  context.trace_id = call.trace_id;
  context.arrived = call.arrived;
  context.deadline = std::min(call.deadline, call.arrived + options_.max_deadline);
  if (context.deadline <= now) return errors::DeadlineExceeded();

  std::optional<CallerLimits::Ticket> ticket;
  if (method->permission != nullptr) {
    YZ_ASSIGN_OR_RETURN(context.caller,
                        Identify(call.credentials, verifier_, options_.plaintext, now));
    record->subject = context.caller.subject;
    YZ_ASSIGN_OR_RETURN(auto admitted, limits_->Admit(context.caller, MonotonicNow()));
    ticket.emplace(std::move(admitted));
    if (!method->permission->Admits(context.caller)) {
      return errors::PermissionDenied(method->name);
    }
  }

  const std::unique_ptr<Message> request(method->handler.request->New());
  if (!request->ParseFromZeroCopyStream(bytes)) return errors::Malformed(request->GetTypeName());
  YZ_RETURN_IF_ERROR(CheckRequest(request.get()));
  record->resource = ResourceOf(*request);

  answer->reset(method->handler.answer->New());
  YZ_RETURN_IF_ERROR(method->handler.run(context, *request, answer->get()));

  if (method->masks) return MaskOrRecord(context, *method, *request, answer->get());
  return absl::OkStatus();
}

// A service's reading shows nobody anything: what it takes in clear stands sealed in its own rows,
// and who reads it there is recorded there. A method that changes something leaves a journal entry
// with its answer anyhow.
absl::Status Chain::MaskOrRecord(const Context& context, const BoundMethod& method,
                                 const Message& request, Message* answer) const {
  if (!context.caller.roles.Intersects(method.permission->clear_roles)) {
    MaskPersonal(answer);
    return absl::OkStatus();
  }
  if (!method.reads || !options_.on_clear_read || context.caller.roles.Has(Role::kService)) {
    return absl::OkStatus();
  }
  ClearRead read;
  if (!FindPersonal(*answer, &read.resources)) return absl::OkStatus();
  if (read.resources.empty()) read.resources = ResourcesNamed(request);
  return options_.on_clear_read(context, read);
}

}  // namespace yuezhan::rpc
