#include "common/rpc/wire.h"

#include "common/base/text.h"
#include "common/errors/errors.h"
#include "google/rpc/status.pb.h"

namespace yuezhan::rpc {
namespace {

// What a status without details is to a caller of ours.
absl::Status Plain(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE: {
      const bool tls = status.error_message().find("certificate verify failed") != std::string::npos;
      return errors::Unavailable(
          tls ? "server (its certificate is expired, or of another authority)" : "server",
          absl::Milliseconds(100));
    }
    // We never cancel: a server that stops says it of calls that it had not taken up.
    case grpc::StatusCode::CANCELLED:
      return errors::Unavailable("server", absl::Milliseconds(100));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return errors::DeadlineExceeded();
    default:
      return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                          status.error_message());
  }
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto details = status.GetPayload(Abs(errors::kDetailsUrl));
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      details ? std::string(*details) : "");
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status details;
  if (status.error_details().empty() || !details.ParseFromString(status.error_details()) ||
      details.code() != static_cast<int>(status.error_code())) {
    return Plain(status);
  }
  return errors::FromDetails(details);
}

}  // namespace yuezhan::rpc

#ifdef YUEZHAN_SANITIZED
// gRPC's resolver (c-ares) keeps some host names to the end of the process.
extern "C" const char* __lsan_default_suppressions() { return "leak:libcares"; }
#endif
