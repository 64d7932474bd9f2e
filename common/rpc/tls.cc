#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/rpc/wire.h"

namespace yuezhan::rpc {
namespace {

using grpc::experimental::FileWatcherCertificateProvider;

// How soon a new certificate is taken up. Reading three small files costs nothing.
constexpr unsigned kRefreshSeconds = 1;

// The provider takes a missing file in silence and then fails every handshake.
absl::Status CheckReadable(std::string_view setting, const std::string& file) {
  if (file.empty()) return absl::InvalidArgumentError(Concat({setting, " must be given"}));
  if (access(file.c_str(), R_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(Concat({setting, ": cannot read ", file}));
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const ServerOptions& options) {
  if (options.plaintext) {
    Log(LogLevel::kWarning, "plaintext",
        {{"note", "no TLS: anyone on the network reads and changes what is sent"}});
    return grpc::InsecureServerCredentials();
  }
  YZ_RETURN_IF_ERROR(CheckReadable("tls_cert", options.tls_cert));
  YZ_RETURN_IF_ERROR(CheckReadable("tls_key", options.tls_key));
  YZ_RETURN_IF_ERROR(CheckReadable("tls_ca", options.tls_ca));
  grpc::experimental::TlsServerCredentialsOptions tls(
      std::make_shared<FileWatcherCertificateProvider>(options.tls_key, options.tls_cert,
                                                       options.tls_ca, kRefreshSeconds));
  tls.watch_identity_key_cert_pairs();
  tls.watch_root_certs();
  // Persons come with a token and no certificate; a certificate that comes must verify.
  tls.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(tls);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(
    const ChannelOptions& options) {
  if (options.plaintext) return grpc::InsecureChannelCredentials();
  YZ_RETURN_IF_ERROR(CheckReadable("tls_ca", options.tls_ca));
  grpc::experimental::TlsChannelCredentialsOptions tls;
  if (options.tls_cert.empty()) {
    tls.set_certificate_provider(
        std::make_shared<FileWatcherCertificateProvider>(options.tls_ca, kRefreshSeconds));
  } else {
    YZ_RETURN_IF_ERROR(CheckReadable("tls_cert", options.tls_cert));
    YZ_RETURN_IF_ERROR(CheckReadable("tls_key", options.tls_key));
    tls.set_certificate_provider(std::make_shared<FileWatcherCertificateProvider>(
        options.tls_key, options.tls_cert, options.tls_ca, kRefreshSeconds));
    tls.watch_identity_key_cert_pairs();
  }
  tls.watch_root_certs();
  return grpc::experimental::TlsCredentials(tls);
}

}  // namespace yuezhan::rpc
