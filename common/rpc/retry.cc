#include "common/rpc/retry.h"

#include <algorithm>
#include <string>

#include "common/errors/errors.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/message.h"

namespace yuezhan::rpc {

using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::MethodOptions;

bool IsSafeToRepeat(std::string_view method, const google::protobuf::Message& request) {
  const FieldDescriptor* id = request.GetDescriptor()->FindFieldByName("request_id");
  if (id != nullptr && id->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !id->is_repeated()) {
    return !request.GetReflection()->GetString(request, id).empty();
  }
  std::string name(method);
  std::replace(name.begin(), name.end(), '/', '.');
  const auto* contract = DescriptorPool::generated_pool()->FindMethodByName(name);
  return contract != nullptr &&
         contract->options().idempotency_level() != MethodOptions::IDEMPOTENCY_UNKNOWN;
}

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return true;
    case absl::StatusCode::kAborted:
      return errors::Reason(status) == "CONFLICT";
    case absl::StatusCode::kResourceExhausted:  // ours says when; gRPC's own is about sizes
      return errors::RetryAfter(status) > absl::ZeroDuration();
    default:
      return false;
  }
}

absl::Duration Backoff(int attempt, absl::Duration first, double jitter,
                       const absl::Status& status) {
  constexpr absl::Duration kMost = absl::Seconds(2);
  const absl::Duration doubled = first * (1 << std::min(attempt - 1, 10));
  const absl::Duration wait = std::min(doubled, kMost) * (0.5 + jitter / 2);
  return std::max(wait, errors::RetryAfter(status));
}

}  // namespace yuezhan::rpc
