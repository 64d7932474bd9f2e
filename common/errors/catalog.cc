#include "common/errors/errors.h"

namespace yuezhan::errors {
namespace {

using absl::StatusCode;

// Reasons are part of the contract: never renamed, never used for another meaning.
constexpr ErrorKind kCatalog[] = {
    {"INVALID_FIELD", StatusCode::kInvalidArgument, "One or more fields break their rule.",
     "BadRequest: a violation per field, with its path", "Correct the named fields."},
    {"MALFORMED", StatusCode::kInvalidArgument, "The bytes are not a message of the method's type.",
     "", "Encode the request with this version of the contract."},
    {"PAGE_TOKEN_INVALID", StatusCode::kInvalidArgument,
     "The page token is garbled, or belongs to another method or other filters.",
     "BadRequest: page_token", "List again from the first page."},
    {"REQUEST_ID_REUSED", StatusCode::kInvalidArgument,
     "The request_id was used before, with other content.",
     "BadRequest: the first field that differs",
     "Use a new request_id for a new request, the old one only to repeat the same."},
    {"TOO_LARGE", StatusCode::kInvalidArgument, "More than the limit.",
     "metadata: what, limit, unit", "Send less, or in parts."},
    {"NOT_FOUND", StatusCode::kNotFound,
     "The resource does not exist, or the caller may not see it.", "ResourceInfo: its name",
     "Check the name; ask as someone who may see it."},
    {"ALREADY_EXISTS", StatusCode::kAlreadyExists, "Another resource holds what must be unique.",
     "ResourceInfo: its name; metadata: field", "Use the one that exists."},
    {"METHOD_UNKNOWN", StatusCode::kUnimplemented, "No such method on this server.", "",
     "Check the method's name and the service's address."},
    {"STATE_FORBIDS", StatusCode::kFailedPrecondition,
     "The resource is in a state from which the method does not start.",
     "PreconditionFailure: type STATE; metadata: state, allowed_states, method that leads there",
     "Read the resource; call the method named first, where one is."},
    {"REFUSED", StatusCode::kFailedPrecondition, "The regulation says no.",
     "PreconditionFailure: a violation per finding, type = rule id; metadata: article, changes_on",
     "Meet the condition named, wait for the day named, or ask for an exception where the rule "
     "allows one."},
    {"SEPARATION_OF_DUTIES", StatusCode::kPermissionDenied,
     "The person did an incompatible act in the same case.",
     "PreconditionFailure: a violation per finding, type = rule id; metadata: article",
     "Let another person act."},
    {"ETAG_MISMATCH", StatusCode::kAborted, "The resource changed since it was read.",
     "ResourceInfo: its name", "Read it again, decide again."},
    {"CONFLICT", StatusCode::kAborted, "The work lost a race again and again; nothing happened.",
     "RetryInfo", "Send it again with the same request_id."},
    {"UNAUTHENTICATED", StatusCode::kUnauthenticated,
     "The token or certificate is missing or not accepted.", "metadata: cause",
     "Get a new token from the identity provider."},
    {"PERMISSION_DENIED", StatusCode::kPermissionDenied,
     "The caller's roles do not include the method, whatever the request names.",
     "metadata: method", "Call as someone with the role."},
    {"OVERLOADED", StatusCode::kResourceExhausted,
     "More calls at once than the server takes; nothing happened.", "RetryInfo",
     "Send it again after the delay."},
    {"RATE_LIMITED", StatusCode::kResourceExhausted,
     "More calls than the caller may make in this time; nothing happened.", "RetryInfo",
     "Send it again after the delay."},
    {"UNAVAILABLE", StatusCode::kUnavailable, "Something that the call needs cannot be reached.",
     "RetryInfo; metadata: what", "Send it again after the delay with the same request_id."},
    {"DEADLINE_EXCEEDED", StatusCode::kDeadlineExceeded,
     "The time was up before the answer was known.", "",
     "Send it again with the same request_id: the answer tells what happened."},
    {"DATA_LOSS", StatusCode::kDataLoss, "Stored data fails its own check.", "metadata: what",
     "Tell the operator."},
    {"INTERNAL", StatusCode::kInternal, "A fault of the server.", "metadata: incident",
     "Tell the operator the incident; the log knows it."},
};

}  // namespace

absl::Span<const ErrorKind> Catalog() { return kCatalog; }

}  // namespace yuezhan::errors
