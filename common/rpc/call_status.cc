#include "common/auth/peers.h"
#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/errors/errors.h"
#include "common/rpc/chain.h"

namespace yuezhan::rpc {

absl::Status WithDetails(absl::Status status, CallRecord* record) {
  if (status.ok() || !errors::Reason(status).empty()) return status;
  // What libraries below the handlers (transactions, clients, names) say in plain codes.
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return errors::InvalidField("request", "请求内容有误", std::string(status.message()));
    case absl::StatusCode::kDeadlineExceeded:
      return errors::DeadlineExceeded();
    case absl::StatusCode::kUnavailable:
      record->fault = std::string(status.message());
      return errors::Unavailable("service");
    case absl::StatusCode::kAborted:
      record->fault = std::string(status.message());
      return errors::Conflict();
    case absl::StatusCode::kResourceExhausted:
      record->fault = std::string(status.message());
      return errors::Overloaded(absl::Seconds(1));
    default:
      record->incident = NewUuid();
      record->fault = status.ToString();
      return errors::Internal(record->incident);
  }
}

namespace {

// What comes several times a second while nothing happens: health checks, and the followers' looks
// for entries that are not there yet.
bool IsRoutine(const CallRecord& record) {
  if (record.method.starts_with("grpc.")) return true;
  return record.method == "yuezhan.journal.v1.JournalService/ReadEntries" && record.code == "OK" &&
         auth::PeerFromSubject(record.subject).has_value();
}

}  // namespace

void LogCall(const CallRecord& record) {
  const bool ours = record.code == "INTERNAL" || record.code == "DATA_LOSS";
  const bool routine = IsRoutine(record);
  const LogLevel level = ours ? LogLevel::kError : routine ? LogLevel::kDebug : LogLevel::kInfo;
  if (!LogEnabled(level)) return;
  Log(level, "call",
      {{"method", record.method},
       {"caller", record.subject},
       {"resource", record.resource},
       {"code", record.code},
       {"reason", record.reason},
       {"queued_ms", absl::ToDoubleMilliseconds(record.queued)},
       {"ms", absl::ToDoubleMilliseconds(record.elapsed)},
       {"request_bytes", record.request_bytes},
       {"answer_bytes", record.answer_bytes},
       {"trace", record.trace_id},
       {"incident", record.incident},
       {"fault", record.fault}});
}

}  // namespace yuezhan::rpc
