#include "tests/bench/http2_load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/clocks.h"
#include "common/base/status_macros.h"

namespace yuezhan::bench {
namespace {

constexpr int kWindow = 8 << 20;  // answers never wait for a window update
constexpr absl::Duration kPatience = absl::Seconds(30);

struct Stream {
  std::string request;  // with gRPC's five bytes before the message
  size_t sent = 0;
  absl::Duration due;  // monotonic
  int status = -1;
  bool details = false;
};

using OnDone = std::function<void(const Stream&)>;

// One HTTP/2 connection. Not thread-safe.
class Connection {
 public:
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& target, SSL_CTX* tls,
                                                          OnDone done) {
    std::unique_ptr<Connection> connection(new Connection(target, std::move(done)));
    YZ_RETURN_IF_ERROR(connection->Connect(tls));
    return connection;
  }
  ~Connection() {
    nghttp2_session_del(session_);
    SSL_free(ssl_);
    if (socket_ >= 0) close(socket_);
  }

  int socket() const { return socket_; }
  int in_flight() const { return in_flight_; }
  bool wants_write() const { return !out_.empty(); }

  void Submit(const Call& call, absl::Duration due) {
    auto* stream = new Stream;
    stream->due = due;
    stream->request.assign(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) {
      stream->request += static_cast<char>(call.body.size() >> shift & 0xFF);
    }
    stream->request += call.body;
    const std::string authorization = "Bearer " + call.token;
    const nghttp2_nv headers[] = {
        Header(":method", "POST"),      Header(":scheme", ssl_ != nullptr ? "https" : "http"),
        Header(":path", call.path),     Header(":authority", target_),
        Header("te", "trailers"),       Header("content-type", "application/grpc"),
        Header("grpc-timeout", "20S"), Header("authorization", authorization)};
    nghttp2_data_provider body{};
    body.source.ptr = stream;
    body.read_callback = &Connection::ReadBody;
    ++in_flight_;
    nghttp2_submit_request(session_, nullptr, headers, call.token.empty() ? 7 : 8, &body, stream);
  }

  // Sends what is there, as far as the socket takes it.
  absl::Status Flush() {
    while (true) {
      if (out_.size() < (64 << 10)) {
        const uint8_t* data = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_, &data);
        if (size < 0) return absl::InternalError(nghttp2_strerror(static_cast<int>(size)));
        out_.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
        if (size > 0) continue;
      }
      if (out_.empty()) return absl::OkStatus();
      const ssize_t sent = Write(out_.data(), out_.size());
      if (sent == 0) return absl::OkStatus();
      if (sent < 0) return absl::UnavailableError("the connection broke");
      out_.erase(0, static_cast<size_t>(sent));
    }
  }

  // Reads what is there. UNAVAILABLE when the server hung up.
  absl::Status Receive() {
    char buffer[32 << 10];
    while (true) {
      const ssize_t size = Read(buffer, sizeof(buffer));
      if (size == 0) return absl::OkStatus();
      if (size < 0) return absl::UnavailableError("the server hung up");
      const ssize_t taken = nghttp2_session_mem_recv(
          session_, reinterpret_cast<const uint8_t*>(buffer), static_cast<size_t>(size));
      if (taken < 0) return absl::InternalError(nghttp2_strerror(static_cast<int>(taken)));
      if (static_cast<size_t>(size) < sizeof(buffer) && ssl_ == nullptr) return absl::OkStatus();
    }
  }

 private:
  Connection(std::string target, OnDone done)
      : target_(std::move(target)), done_(std::move(done)) {}

  static nghttp2_nv Header(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }

  absl::Status Connect(SSL_CTX* tls) {
    const size_t colon = target_.rfind(':');
    int port = 0;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (colon == std::string::npos || !absl::SimpleAtoi(target_.substr(colon + 1), &port) ||
        inet_pton(AF_INET, target_.substr(0, colon).c_str(), &address.sin_addr) != 1) {
      return absl::InvalidArgumentError(absl::StrCat(target_, " is no host:port"));
    }
    address.sin_port = htons(static_cast<uint16_t>(port));
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      return absl::UnavailableError(absl::StrCat(target_, ": ", strerror(errno)));
    }
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (tls != nullptr) {
      ssl_ = SSL_new(tls);
      SSL_set_fd(ssl_, socket_);
      if (SSL_connect(ssl_) != 1) return absl::UnavailableError("the TLS handshake failed");
    }
    fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);

    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &Connection::OnHeader);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &Connection::OnClose);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindow}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 1);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindow);
    return Flush();
  }

  // Both: how many bytes, 0 when the socket would block, -1 when it broke.
  ssize_t Write(const char* data, size_t size) {
    if (ssl_ != nullptr) return OfSsl(SSL_write(ssl_, data, static_cast<int>(size)));
    return OfSocket(send(socket_, data, size, MSG_NOSIGNAL));
  }
  ssize_t Read(char* data, size_t size) {
    if (ssl_ != nullptr) return OfSsl(SSL_read(ssl_, data, static_cast<int>(size)));
    const ssize_t count = recv(socket_, data, size, 0);
    return count == 0 ? -1 : OfSocket(count);
  }
  ssize_t OfSsl(int result) {
    if (result > 0) return result;
    const int error = SSL_get_error(ssl_, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }
  static ssize_t OfSocket(ssize_t result) {
    if (result >= 0) return result;
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t, uint8_t* buffer, size_t size, uint32_t* flags,
                          nghttp2_data_source* source, void*) {
    auto& stream = *static_cast<Stream*>(source->ptr);
    const size_t part = std::min(size, stream.request.size() - stream.sent);
    std::memcpy(buffer, stream.request.data() + stream.sent, part);
    stream.sent += part;
    if (stream.sent == stream.request.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(part);
  }
  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t, void*) {
    auto* stream = static_cast<Stream*>(
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
    if (stream == nullptr) return 0;
    const std::string_view header(reinterpret_cast<const char*>(name), name_size);
    const std::string_view text(reinterpret_cast<const char*>(value), value_size);
    if (header == "grpc-status" && !absl::SimpleAtoi({text.data(), text.size()}, &stream->status)) {
      stream->status = -1;
    }
    stream->details |= header == "grpc-status-details-bin";
    return 0;
  }
  static int OnClose(nghttp2_session* session, int32_t id, uint32_t, void* self) {
    auto& connection = *static_cast<Connection*>(self);
    const std::unique_ptr<Stream> stream(
        static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id)));
    --connection.in_flight_;
    if (stream != nullptr) connection.done_(*stream);
    return 0;
  }

  const std::string target_;
  const OnDone done_;
  int socket_ = -1;
  SSL* ssl_ = nullptr;
  nghttp2_session* session_ = nullptr;
  std::string out_;  // serialized, not yet taken by the socket
  int in_flight_ = 0;
};

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

TlsContext MakeContext(bool tls) {
  TlsContext context(tls ? SSL_CTX_new(TLS_client_method()) : nullptr, &SSL_CTX_free);
  if (context != nullptr) {
    static constexpr unsigned char kProtocols[] = "\x02h2";
    SSL_CTX_set_alpn_protos(context.get(), kProtocols, 3);
    // What the socket did not take is offered again from another place in memory.
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  return context;
}

// One run over some connections.
class Load {
 public:
  Load(const LoadOptions& options, int64_t count,
       const std::function<const Call&(int64_t)>& calls)
      : options_(options), count_(count), calls_(calls), context_(MakeContext(options.tls)) {}

  absl::Status Connect() {
    for (int i = 0; i < options_.connections; ++i) {
      YZ_ASSIGN_OR_RETURN(auto connection,
                          Connection::Open(options_.target, context_.get(),
                                           [this](const Stream& stream) { Done(stream); }));
      connections_.push_back(std::move(connection));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<LoadResult> Run() {
    const absl::Duration begin = MonotonicNow();
    begin_ = begin;
    absl::Duration last_answer = begin;
    int64_t before = 0;
    while (true) {
      const absl::Duration now = MonotonicNow();
      const bool over = options_.time > absl::ZeroDuration() && now - begin >= options_.time;
      if (!over) SendDue(now);
      if (result_.answered == sent_ && (over || sent_ == count_)) break;
      if (result_.answered != before) last_answer = now;
      before = result_.answered;
      if (sent_ > result_.answered && now - last_answer > kPatience) {
        return absl::DeadlineExceededError("the server does not answer");
      }
      YZ_RETURN_IF_ERROR(Turn(now));
    }
    result_.elapsed = MonotonicNow() - begin;
    std::sort(result_.latencies.begin(), result_.latencies.end());
    std::sort(result_.refused_latencies.begin(), result_.refused_latencies.end());
    return std::move(result_);
  }

 private:
  // When call number `i` should go; closed: now.
  absl::Duration DueOf(int64_t i, absl::Duration now) const {
    return options_.rate > 0 ? begin_ + absl::Seconds(static_cast<double>(i) / options_.rate) : now;
  }

  void SendDue(absl::Duration now) {
    while (sent_ < count_) {
      const absl::Duration due = DueOf(sent_, now);
      if (options_.rate > 0 ? due > now : sent_ - result_.answered >= options_.in_flight) return;
      Connection& connection = **std::min_element(
          connections_.begin(), connections_.end(),
          [](const auto& a, const auto& b) { return a->in_flight() < b->in_flight(); });
      connection.Submit(calls_(sent_++), due);
    }
  }

  // Writes, waits for the sockets or for the next call's time, reads.
  absl::Status Turn(absl::Duration now) {
    polls_.clear();
    for (const auto& connection : connections_) {
      YZ_RETURN_IF_ERROR(connection->Flush());
      const short events = connection->wants_write() ? POLLIN | POLLOUT : POLLIN;
      polls_.push_back({connection->socket(), events, 0});
    }
    absl::Duration wait = absl::Milliseconds(100);
    if (options_.rate > 0 && sent_ < count_) {
      wait = std::clamp(DueOf(sent_, now) - MonotonicNow(), absl::ZeroDuration(), wait);
    }
    const timespec timeout = absl::ToTimespec(wait);
    if (ppoll(polls_.data(), polls_.size(), &timeout, nullptr) <= 0) return absl::OkStatus();
    for (size_t i = 0; i < polls_.size(); ++i) {
      if (polls_[i].revents == 0) continue;
      YZ_RETURN_IF_ERROR(connections_[i]->Receive());
    }
    return absl::OkStatus();
  }

  void Done(const Stream& stream) {
    constexpr int kResourceExhausted = 8;
    ++result_.answered;
    ++result_.codes[stream.status];
    const absl::Duration latency = MonotonicNow() - stream.due;
    if (stream.status == 0) result_.latencies.push_back(latency);
    if (stream.status == kResourceExhausted) {
      result_.refused_latencies.push_back(latency);
      if (stream.details) ++result_.refused_with_time;
    }
  }

  const LoadOptions& options_;
  const int64_t count_;
  const std::function<const Call&(int64_t)>& calls_;
  const TlsContext context_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<pollfd> polls_;
  absl::Duration begin_;
  int64_t sent_ = 0;
  LoadResult result_;
};

}  // namespace

absl::Duration QuantileOf(const std::vector<absl::Duration>& sorted, double q) {
  if (sorted.empty()) return absl::ZeroDuration();
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

int64_t LoadResult::ok() const {
  const auto found = codes.find(0);
  return found == codes.end() ? 0 : found->second;
}
double LoadResult::per_second() const {
  return static_cast<double>(ok()) / absl::ToDoubleSeconds(elapsed);
}
absl::Duration LoadResult::Quantile(double q) const { return QuantileOf(latencies, q); }
double LoadResult::Spread() const {
  return absl::FDivDuration(Quantile(0.99), std::max(Quantile(0.5), absl::Nanoseconds(1)));
}

absl::StatusOr<LoadResult> RunLoad(const LoadOptions& options, int64_t count,
                                   const std::function<const Call&(int64_t)>& calls) {
  Load load(options, count, calls);
  YZ_RETURN_IF_ERROR(load.Connect());
  return load.Run();
}

absl::Status WithConnections(const LoadOptions& options, const Call& call,
                             const std::function<void()>& then) {
  const std::function<const Call&(int64_t)> same = [&call](int64_t) -> const Call& { return call; };
  Load load(options, options.connections, same);
  YZ_RETURN_IF_ERROR(load.Connect());
  YZ_ASSIGN_OR_RETURN(const LoadResult result, load.Run());
  if (result.ok() != options.connections) return absl::InternalError("a connection got no answer");
  then();
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
