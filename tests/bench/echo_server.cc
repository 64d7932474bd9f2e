#include "tests/bench/echo_server.h"

#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "common/rpc/server.h"

namespace yuezhan::bench {
namespace {

// As our own server has them.
constexpr int kPollers = 2;
constexpr int kPostedCalls = 256;

struct EchoCall {
  enum class State { kPosted, kReading, kEnding } state = State::kPosted;
  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream{&context};
  grpc::ByteBuffer request;
};

std::string FileText(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const EchoOptions& options) {
  if (options.tls_cert.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({FileText(options.tls_key), FileText(options.tls_cert)});
  return grpc::SslServerCredentials(tls);
}

class EchoServer {
 public:
  bool Start(const EchoOptions& options) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(options.listen, Credentials(options));
    builder.RegisterAsyncGenericService(&service_);
    queue_ = builder.AddCompletionQueue();
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return false;
    for (int i = 0; i < kPostedCalls; ++i) Post();
    for (int i = 0; i < kPollers; ++i) pollers_.emplace_back([this] { Poll(); });
    return true;
  }
  void Stop() {
    server_->Shutdown(std::chrono::system_clock::now());
    queue_->Shutdown();
    for (std::thread& poller : pollers_) poller.join();
  }

 private:
  void Post() {
    auto* call = new EchoCall;
    service_.RequestCall(&call->context, &call->stream, queue_.get(), queue_.get(), call);
  }
  void Poll() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_->Next(&tag, &ok)) Step(static_cast<EchoCall*>(tag), ok);
  }
  void Step(EchoCall* call, bool ok) {
    if (!ok || call->state == EchoCall::State::kEnding) {
      delete call;
      return;
    }
    if (call->state == EchoCall::State::kPosted) {
      Post();
      call->state = EchoCall::State::kReading;
      return call->stream.Read(&call->request, call);
    }
    const std::string& path = call->context.method();  // "/bench/612"
    const std::string answer(std::strtoul(path.c_str() + path.rfind('/') + 1, nullptr, 10), 'x');
    const grpc::Slice slice(answer);
    call->state = EchoCall::State::kEnding;
    call->stream.WriteAndFinish(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(),
                                grpc::Status::OK, call);
  }

  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::thread> pollers_;
};

}  // namespace

int ServeEcho(const EchoOptions& options) {
  rpc::TerminationSignals signals;
  EchoServer server;
  if (!server.Start(options)) {
    std::fprintf(stderr, "the echo does not start on %s\n", options.listen.c_str());
    return 1;
  }
  signals.Wait();
  server.Stop();
  return 0;
}

}  // namespace yuezhan::bench
