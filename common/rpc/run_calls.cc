#include "common/rpc/run_calls.h"

#include <algorithm>
#include <deque>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "common/rpc/retry.h"
#include "google/protobuf/message.h"
#include "google/rpc/status.pb.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::Message;

// Most items of a list in one transaction: what its locks hold up for others stays short.
constexpr size_t kMostInTransaction = 50;

absl::Status RunAlone(const Service::Method& method, const Service::Called& call) {
  const LogTrace trace(call.context.trace_id);
  call.answer->Clear();
  return Guarded([&] { return method.run(call.context, call.request, call.answer); });
}

}  // namespace

bool IsOutage(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status);
}

std::vector<absl::Status> RunCalls(const Service::Method& method,
                                   absl::Span<const Service::Called> calls) {
  std::vector<absl::Status> statuses;
  if (calls.size() > 1 && method.run_together != nullptr) {
    const absl::Status together = Guarded([&] { return method.run_together(calls); });
    if (together.ok() || IsOutage(together)) return {calls.size(), together};
  }
  for (const Service::Called& call : calls) statuses.push_back(RunAlone(method, call));
  return statuses;
}

absl::Status Service::RunBatch(const Method& one, std::string_view service, const Batch& batch) {
  Context context = batch.context;
  context.method = Concat({service, "/", one.name});
  const auto* requests = batch.request.GetDescriptor()->FindFieldByNumber(1);
  const auto* answers = batch.answer->GetDescriptor()->FindFieldByNumber(1);
  const int size = batch.request.GetReflection()->FieldSize(batch.request, requests);
  std::deque<Context> contexts;  // a handler may change its own
  std::vector<Called> calls;
  for (int i = 0; i < size; ++i) {
    calls.push_back({contexts.emplace_back(context),
                     batch.request.GetReflection()->GetRepeatedMessage(batch.request, requests, i),
                     batch.answer->GetReflection()->AddMessage(batch.answer, answers)});
  }
  for (size_t begin = 0; begin < calls.size(); begin += kMostInTransaction) {
    const auto part = absl::MakeConstSpan(calls).subspan(begin, kMostInTransaction);
    const std::vector<absl::Status> statuses = RunCalls(one, part);
    for (size_t i = 0; i < part.size(); ++i) {
      if (statuses[i].ok()) continue;
      // Not an answer to this item alone: the whole list is to be sent again.
      const bool of_service = IsTransient(statuses[i]) || absl::IsDeadlineExceeded(statuses[i]) ||
                              absl::IsInternal(statuses[i]) || absl::IsDataLoss(statuses[i]);
      if (of_service || errors::Reason(statuses[i]).empty()) return statuses[i];
      Log(LogLevel::kInfo, "batch_item",
          {{"method", context.method},
           {"place", begin + i},
           {"code", absl::StatusCodeToString(statuses[i].code())},
           {"reason", errors::Reason(statuses[i])}});
      part[i].answer->Clear();
      (*batch.failed)[static_cast<int>(begin + i)] = errors::Details(statuses[i]);
    }
  }
  return absl::OkStatus();
}

}  // namespace yuezhan::rpc
