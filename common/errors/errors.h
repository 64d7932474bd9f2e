#ifndef YUEZHAN_COMMON_ERRORS_ERRORS_H_
#define YUEZHAN_COMMON_ERRORS_ERRORS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace yuezhan::common::v1 {
class Finding;
}
namespace google::rpc {
class Status;
}

// Every error that the product can return, one factory each. An error carries a google.rpc.Status
// with ErrorInfo (reason, domain "yuezhan"), LocalizedMessage (zh-CN) and what its kind adds; the
// message itself is English. docs/errors.md lists them for callers, from the table in catalog.cc.
//
// Texts never hold personal values: give paths, resource names and rule ids, not what was in them.
namespace yuezhan::errors {

// One field that broke a rule. Sentences say what must hold, for example "不得为空" / "must be
// given".
struct FieldViolation {
  std::string path;  // as in a field mask: "station.chains[1]"
  std::string zh;
  std::string en;
};

// ---- the request itself (INVALID_ARGUMENT; nothing to retry before it is changed) ----

// BadRequest with one violation per field.
absl::Status InvalidFields(const std::vector<FieldViolation>& violations);
absl::Status InvalidField(std::string_view path, std::string_view zh, std::string_view en);
// The bytes are not a message of the method's type.
absl::Status Malformed(std::string_view message_type);
// The page token is garbled, or belongs to another method or other filters.
absl::Status PageTokenInvalid();
// The request_id was used before with other content; `field` is the first path that differs.
absl::Status RequestIdReused(std::string_view field);
// More than `limit` of `unit` ("bytes", "items") in `what`.
absl::Status TooLarge(std::string_view what, int64_t limit, std::string_view unit);

// ---- what is there (NOT_FOUND, ALREADY_EXISTS) ----

// The resource does not exist, or the caller may not see it: one and the same answer for both, so
// that an answer never tells that something exists. Use it for an object of another host unit too.
absl::Status NotFound(std::string_view resource_name);
// Another resource holds what must be unique; `existing` is its name, or "" when the caller may not
// see it.
absl::Status AlreadyExists(std::string_view field, std::string_view existing);
// No such method on this server (UNIMPLEMENTED).
absl::Status MethodUnknown(std::string_view method);

// ---- what the state or the regulation forbids (FAILED_PRECONDITION, ABORTED) ----

// The resource is in `state`; the method needs one of `states`, and `method` leads there ("" when
// none does). PreconditionFailure, type STATE.
absl::Status StateForbids(std::string_view resource_name, std::string_view state,
                          absl::Span<const std::string_view> states, std::string_view method);
// The etag given is not the resource's: read it again, decide again (ABORTED).
absl::Status EtagMismatch(std::string_view resource_name);
// The regulation says no. One PreconditionFailure violation per violated finding: type = rule id,
// subject, description = the Chinese sentence. ErrorInfo's metadata: "article" and, where time
// alone changes the answer, "changes_on" (the latest of the days, YYYY-MM-DD). Findings that are
// not violated are left out.
absl::Status Refused(absl::Span<const common::v1::Finding> findings, std::string_view subject);
// This person did an incompatible act in the same case (PERMISSION_DENIED): another person must
// act.
absl::Status SeparationOfDuties(absl::Span<const common::v1::Finding> findings,
                                std::string_view subject);
// The work lost a race again and again (ABORTED). Nothing happened; may be sent again.
absl::Status Conflict();

// ---- who calls ----

// Why a token or certificate was not accepted, for ErrorInfo's metadata "cause".
enum class AuthFault {
  kMissing,
  kMalformed,
  kAlgorithm,
  kUnknownKey,
  kSignature,
  kExpired,
  kNotYetValid,
  kIssuer,
  kAudience,
  kClaims,
  kCertificate,
};
std::string_view AuthFaultName(AuthFault fault);  // "EXPIRED"
absl::Status Unauthenticated(AuthFault fault);
// The caller's roles do not include this method; the same whatever the request names. For an object
// that the caller may not see use NotFound.
absl::Status PermissionDenied(std::string_view method);

// ---- limits and failures of the system ----

// Too much at once (RESOURCE_EXHAUSTED) with RetryInfo. Nothing happened.
absl::Status Overloaded(absl::Duration retry_after);
// The caller's own rate is used up (RESOURCE_EXHAUSTED) with RetryInfo. Nothing happened.
absl::Status RateLimited(absl::Duration retry_after);
// `what` ("database", "registry") cannot be reached (UNAVAILABLE) with RetryInfo. Safe to send
// again with the same request_id.
absl::Status Unavailable(std::string_view what, absl::Duration retry_after = absl::Seconds(1));
// The time was up before the answer was known. Send again with the same request_id to learn it.
absl::Status DeadlineExceeded();
// Stored data fails its own check (DATA_LOSS): an operator must look. `what` names it.
absl::Status DataLoss(std::string_view what);
// A fault of ours. `incident` is the id under which the log tells more; nothing else is told.
absl::Status Internal(std::string_view incident);

// ---- reading and carrying ----

// Type URL of the payload that holds the serialized google.rpc.Status.
inline constexpr std::string_view kDetailsUrl = "type.googleapis.com/google.rpc.Status";
// Most bytes of it: details travel in a header, and 9,000 bytes never arrived.
inline constexpr size_t kMaxDetailsBytes = 4096;

// ErrorInfo.reason, or "" when the status has no details.
std::string Reason(const absl::Status& status);
// One value of ErrorInfo.metadata, or "".
std::string Metadata(const absl::Status& status, std::string_view key);
// The Chinese sentence, or "".
std::string MessageZh(const absl::Status& status);
// RetryInfo's delay, or zero.
absl::Duration RetryAfter(const absl::Status& status);
// The details; empty message when there are none.
google::rpc::Status Details(const absl::Status& status);
// A status of the code and message in `details`, with them as payload.
absl::Status FromDetails(const google::rpc::Status& details);

// One row of docs/errors.md.
struct ErrorKind {
  std::string_view reason;  // UPPER_SNAKE
  absl::StatusCode code;
  std::string_view meaning;
  std::string_view details;  // beyond ErrorInfo and LocalizedMessage
  std::string_view way_out;  // what the caller does next
};
absl::Span<const ErrorKind> Catalog();

}  // namespace yuezhan::errors

#endif  // YUEZHAN_COMMON_ERRORS_ERRORS_H_
