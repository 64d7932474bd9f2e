#include "common/db/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace yuezhan::db {
namespace {

// How often a thread looks whether the proxy is being taken down.
constexpr int kPollMs = 50;
constexpr int kAnswerMs = 20000;
constexpr unsigned char kQuit = 0x01, kSendLongData = 0x18,
                        kCloseStatement = 0x19;  // commands without an answer

bool Readable(int fd, int timeout_ms) {
  pollfd waited{fd, POLLIN, 0};
  return poll(&waited, 1, timeout_ms) > 0;
}

bool SendAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

sockaddr_in Address(const std::string& host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host.c_str(), &address.sin_addr);
  return address;
}

int Connect(const std::string& host, int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Address(host, port);
  const int no_delay = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

size_t PacketSize(const std::string& bytes) {
  const auto at = [&](size_t i) {
    return static_cast<size_t>(static_cast<unsigned char>(bytes[i]));
  };
  return 4 + (at(0) | at(1) << 8 | at(2) << 16);
}

// The login's packets are numbered on from the server's greeting; a command begins a new exchange,
// with number 0.
bool IsCommand(const std::string& packet) {
  if (packet.size() < 5 || packet[3] != 0) return false;
  const auto command = static_cast<unsigned char>(packet[4]);
  return command != kQuit && command != kSendLongData && command != kCloseStatement;
}

}  // namespace

CuttingProxy::CuttingProxy(const std::string& host, int port) : host_(host), server_port_(port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Address("127.0.0.1", 0);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::abort();  // a test machine without sockets
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

CuttingProxy::~CuttingProxy() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  acceptor_.join();
  for (auto& link : links_) link->thread.join();
  close(listener_);
}

void CuttingProxy::CutAt(int n, When when, absl::Duration linger) {
  absl::MutexLock lock(&mutex_);
  at_ = n;
  when_ = when;
  linger_ = linger;
  count_ = 0;
  cut_ = false;
}

int CuttingProxy::commands() const {
  absl::MutexLock lock(&mutex_);
  return count_;
}

bool CuttingProxy::cut() const {
  absl::MutexLock lock(&mutex_);
  return cut_;
}

void CuttingProxy::Accept() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
    }
    if (!Readable(listener_, kPollMs)) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const int server = Connect(host_, server_port_);
    if (server < 0) {
      close(client);
      continue;
    }
    links_.push_back(std::make_unique<Link>(Link{client, server, "", {}}));
    Link& link = *links_.back();
    link.thread = std::thread([this, &link] { Serve(link); });
  }
}

void CuttingProxy::Serve(Link& link) {
  char buffer[65536];
  bool open = true;
  while (open) {
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) break;
    }
    pollfd waited[2] = {{link.client, POLLIN, 0}, {link.server, POLLIN, 0}};
    if (poll(waited, 2, kPollMs) <= 0) continue;
    if (waited[1].revents != 0) {
      const ssize_t got = recv(link.server, buffer, sizeof buffer, 0);
      open = got > 0 && SendAll(link.client, buffer, static_cast<size_t>(got));
    }
    if (open && waited[0].revents != 0) open = FromClient(link);
  }
  // The client's side may be closed already by a cut.
  if (link.client >= 0) close(link.client);
  close(link.server);
}

// Forwards the whole packets that have come. False: the connection is at its end.
bool CuttingProxy::FromClient(Link& link) {
  char buffer[65536];
  const ssize_t got = recv(link.client, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  link.from_client.append(buffer, static_cast<size_t>(got));
  while (link.from_client.size() >= 4 && link.from_client.size() >= PacketSize(link.from_client)) {
    const std::string packet = link.from_client.substr(0, PacketSize(link.from_client));
    link.from_client.erase(0, packet.size());
    if (Judge(packet) == Verdict::kCut) {
      Cut(link, packet);
      return false;
    }
    if (!SendAll(link.server, packet.data(), packet.size())) return false;
  }
  return true;
}

CuttingProxy::Verdict CuttingProxy::Judge(const std::string& packet) {
  if (!IsCommand(packet)) return Verdict::kPass;
  absl::MutexLock lock(&mutex_);
  if (++count_ != at_) return Verdict::kPass;
  cut_ = true;
  return Verdict::kCut;
}

void CuttingProxy::Cut(Link& link, const std::string& packet) {
  When when;
  absl::Duration linger;
  {
    absl::MutexLock lock(&mutex_);
    when = when_;
    linger = linger_;
  }
  const auto run = [&] {
    // Its answer shows that the server ran it; nobody else shall see it.
    if (SendAll(link.server, packet.data(), packet.size())) Readable(link.server, kAnswerMs);
  };
  if (when == When::kAfter) run();
  close(link.client);
  link.client = -1;
  {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&stopping_), linger);
  }
  if (when == When::kLate) run();
}

}  // namespace yuezhan::db
