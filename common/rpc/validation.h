#ifndef YUEZHAN_COMMON_RPC_VALIDATION_H_
#define YUEZHAN_COMMON_RPC_VALIDATION_H_

#include "absl/status/status.h"

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace yuezhan::rpc {

// Checks a request against what the contract says of its fields (options.proto), before a handler
// sees it, and clears the fields that only the server sets. Beyond the options it holds everywhere:
// - no unknown fields: a client that means something by one must not be answered as if it did not
// - enum values are the contract's; strings hold no control characters but line feed and tab
// - dates are days of the calendar, timestamps and money are well-formed
// - request_id, where a request has one, is 1 to 64 printable ASCII characters
// - page_size is 0 (the default) to 1000, or to the field's own max
// All violations are told at once (up to 100). One plan per type is made at first use and kept.
absl::Status CheckRequest(google::protobuf::Message* request);

// Makes the plans of a request type, so that the first call does not wait for it.
void PrepareCheck(const google::protobuf::Descriptor* type);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_VALIDATION_H_
