#include "common/rpc/server.h"

#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <cstdio>
#include <fstream>

#include "common/auth/tokens.h"
#include "common/base/log.h"
#include "common/base/loop.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/rpc/call_pool.h"
#include "common/rpc/chain.h"
#include "common/rpc/listener.h"
#include "common/rpc/standard_services.h"
#include "common/rpc/wire.h"

namespace yuezhan::rpc {
namespace {

// Room above max_message_bytes in which the chain, not gRPC, tells that a request is too large:
// with the limit in the details.
constexpr int kMessageSlack = 2 << 20;
// What connections without a call get to close by themselves when the server stops.
constexpr absl::Duration kHangUp = absl::Milliseconds(100);

// gRPC's own complaints (failed handshakes mostly) as lines of our log.
void LogOfGrpc(gpr_log_func_args* line) {
  const LogLevel level =
      line->severity == GPR_LOG_SEVERITY_ERROR ? LogLevel::kWarning : LogLevel::kDebug;
  Log(level, "grpc", {{"text", line->message}});
}

absl::Status WritePort(const std::string& file, int port) {
  if (file.empty()) return absl::OkStatus();
  const std::string part = file + ".part";  // so that a reader never finds half of it
  std::ofstream(part) << port << "\n";
  if (std::rename(part.c_str(), file.c_str()) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(Concat({"cannot write port_file ", file}));
}

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.max_message_bytes + kMessageSlack);
  builder.SetMaxSendMessageSize(options.max_message_bytes);
  builder.SetResourceQuota(grpc::ResourceQuota("server").Resize(options.transport_bytes));
  const std::pair<const char*, int> arguments[] = {
      {GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_streams_per_connection},
      {GRPC_ARG_MAX_METADATA_SIZE, options.max_metadata_bytes},
      {GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Milliseconds(options.handshake_timeout)},
      {GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive)},
      {GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(options.keepalive_timeout)},
      {GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
      {GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, Milliseconds(options.ping_interval)},
      {GRPC_ARG_HTTP2_MAX_PING_STRIKES, options.max_ping_strikes},
      {GRPC_ARG_MAX_CONNECTION_IDLE_MS, Milliseconds(options.max_idle)},
  };
  for (const auto& [name, value] : arguments) builder.AddChannelArgument(name, value);
}

}  // namespace

struct Server::Impl {
  Impl(ServerOptions o, auth::TokenVerifier* v)
      : options(std::move(o)),
        verifier(v),
        standard(methods),
        chain(options, v),
        pool(methods, chain, options) {}

  absl::Status Serve();
  absl::StatusOr<absl::Duration> Probe();
  void SetHealth(bool serving);

  const ServerOptions options;
  auth::TokenVerifier* const verifier;
  std::vector<Service> services;
  Methods methods;
  StandardServices standard;
  const Chain chain;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<Listener> listener;
  CallPool pool;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<BackgroundLoop> probe;
  int serving = -1;  // as last told; -1: not yet
  bool stopped = false;
};

Server::Server(ServerOptions options, auth::TokenVerifier* verifier)
    : impl_(std::make_unique<Impl>(std::move(options), verifier)) {}
Server::~Server() { Stop(); }

void Server::Add(Service service) { impl_->services.push_back(std::move(service)); }
int Server::port() const { return impl_->listener == nullptr ? 0 : impl_->listener->port(); }

ServerLoad Server::load() const {
  ServerLoad load = impl_->pool.load();
  load.connections = impl_->listener == nullptr ? 0 : impl_->listener->connections();
  load.max_connections = impl_->options.max_connections;
  return load;
}

absl::Status Server::Start() {
  for (const Service& service : impl_->services) YZ_RETURN_IF_ERROR(impl_->methods.Bind(service));
  YZ_RETURN_IF_ERROR(impl_->Serve());
  // Health is right from the first answer on; then the probe keeps it so.
  (void)impl_->Probe();
  impl_->probe = std::make_unique<BackgroundLoop>("health", [this] { return impl_->Probe(); });
  return WritePort(impl_->options.port_file, port());
}

absl::Status Server::Impl::Serve() {
  YZ_ASSIGN_OR_RETURN(const auto credentials, MakeServerCredentials(options));
  gpr_set_log_function(&LogOfGrpc);
  YZ_ASSIGN_OR_RETURN(listener, Listener::Bind(options.listen, options.max_connections));
  standard.Bind(methods, options.reflection);
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  // From outside, so that connections can be counted and hung up on.
  acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  builder.RegisterAsyncGenericService(pool.service());
  auto events = builder.AddCompletionQueue();
  server = builder.BuildAndStart();
  if (server == nullptr) return absl::InternalError("the server does not start");
  pool.hang_up = [this](const std::string& peer) {
    if (listener->HangUp(peer)) Log(LogLevel::kWarning, "hung up on a flood", {{"peer", peer}});
  };
  pool.Start(std::move(events));
  listener->Start([this](int descriptor) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = descriptor;
    acceptor->HandleNewConnection(&connection);
  });
  return absl::OkStatus();
}

void Server::Impl::SetHealth(bool now_serving) {
  if (serving == static_cast<int>(now_serving)) return;
  serving = now_serving;
  standard.SetServing(now_serving);
  Log(now_serving ? LogLevel::kInfo : LogLevel::kWarning, "health", {{"serving", now_serving}});
}

absl::StatusOr<absl::Duration> Server::Impl::Probe() {
  SetHealth(!options.probe || options.probe());
  if (const absl::Status keys = verifier->ReloadIfChanged(); !keys.ok()) {
    Log(LogLevel::kError, "token keys not reloaded", {{"why", keys.ToString()}});
  }
  return options.probe_interval;
}

void Server::Stop() {
  if (impl_->stopped || impl_->server == nullptr) return;
  impl_->stopped = true;
  impl_->probe.reset();
  impl_->SetHealth(false);
  impl_->pool.Drain(absl::Now() + impl_->options.drain);
  impl_->listener->Stop();
  // Idle connections are not waited for: a client that is in no call looks at its connection every
  // five seconds only.
  impl_->server->Shutdown(absl::ToChronoTime(absl::Now() + kHangUp));
  impl_->pool.Stop();
  impl_->server->Wait();
}

}  // namespace yuezhan::rpc
