#include "common/rpc/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "absl/time/clock.h"
#include "common/base/log.h"
#include "common/base/text.h"

namespace yuezhan::rpc {
namespace {

constexpr int kBacklog = 512;

absl::Status CannotListen(const std::string& address, std::string_view why) {
  return absl::UnavailableError(Concat({"cannot listen on ", address, ": ", why}));
}

// Two descriptors a connection: the usual soft limit of 1,024 would end at 500.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The peer's name as gRPC writes it.
std::string PeerName(int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return Concat({"ipv4:", text, ":", std::to_string(ntohs(v4.sin_port))});
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  const std::string port = std::to_string(ntohs(v6.sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof(text));
    return Concat({"ipv4:", text, ":", port});
  }
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  return Concat({"ipv6:%5B", text, "%5D:", port});
}

int PortOf(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size);
  return ntohs(storage.ss_family == AF_INET
                   ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                   : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

void Watch(int events, int descriptor, uint32_t mask) {
  epoll_event event{};
  event.events = mask;
  event.data.fd = descriptor;
  epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Bind(const std::string& address,
                                                         int max_connections) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return CannotListen(address, "must be host:port");
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int fault = getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                address.substr(colon + 1).c_str(), &hints, &found);
  if (fault != 0) return CannotListen(address, gai_strerror(fault));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> first(found, &freeaddrinfo);

  const int socket = ::socket(first->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return CannotListen(address, strerror(errno));
  const int on = 1;  // a server that restarts need not wait for the old one's connections to fade
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(socket, first->ai_addr, first->ai_addrlen) != 0 || listen(socket, kBacklog) != 0) {
    const std::string why = strerror(errno);
    close(socket);
    return CannotListen(address, why);
  }
  return std::unique_ptr<Listener>(new Listener(socket, max_connections));
}

Listener::Listener(int socket, int max_connections)
    : socket_(socket),
      max_connections_(max_connections),
      port_(PortOf(socket)),
      events_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC)) {
  Watch(events_, socket_, EPOLLIN);
  Watch(events_, wake_, EPOLLIN);
}

Listener::~Listener() {
  Stop();
  for (const auto& [watch, peer] : peers_) close(watch);
  close(wake_);
  close(events_);
}

void Listener::Start(std::function<void(int)> accept) {
  RaiseDescriptorLimit();
  accept_ = std::move(accept);
  thread_ = std::thread([this] { Run(); });
}

void Listener::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  (void)!write(wake_, &one, sizeof(one));
  thread_.join();
  close(socket_);
}

void Listener::Run() {
  epoll_event ready[64];
  while (true) {
    const int count = epoll_wait(events_, ready, 64, -1);
    for (int i = 0; i < count; ++i) {
      const int descriptor = ready[i].data.fd;
      if (descriptor == wake_) return;
      descriptor == socket_ ? AcceptOne() : Forget(descriptor);
    }
  }
}

void Listener::AcceptOne() {
  const int descriptor = accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) {
    // Out of descriptors: the connection stays in the backlog, so do not spin on it.
    if (errno == EMFILE || errno == ENFILE) absl::SleepFor(absl::Milliseconds(50));
    return;
  }
  const int on = 1;
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const int watch = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  {
    absl::MutexLock lock(&mutex_);
    if (watch < 0 || peers_.size() >= static_cast<size_t>(max_connections_)) {
      close(descriptor);
      if (watch >= 0) close(watch);
      return;
    }
    peers_[watch] = PeerName(descriptor);
  }
  // gRPC shuts a connection down before it closes it: that is seen here as a hang-up.
  Watch(events_, watch, EPOLLHUP);
  accept_(descriptor);
}

void Listener::Forget(int watch) {
  absl::MutexLock lock(&mutex_);
  if (peers_.erase(watch) == 0) return;
  // Closing alone would not end the watch while gRPC's descriptor of the same connection is open.
  epoll_ctl(events_, EPOLL_CTL_DEL, watch, nullptr);
  close(watch);
}

int Listener::connections() {
  absl::MutexLock lock(&mutex_);
  return static_cast<int>(peers_.size());
}

bool Listener::HangUp(const std::string& peer) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [watch, name] : peers_) {
    if (name == peer) return shutdown(watch, SHUT_RDWR) == 0;
  }
  return false;
}

}  // namespace yuezhan::rpc
