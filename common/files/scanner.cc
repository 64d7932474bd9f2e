#include "common/files/scanner.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "common/base/clocks.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/errors/errors.h"

namespace yuezhan::files {
namespace {

// A scanner that takes longer for a chunk, or for its answer, counts as silent.
constexpr absl::Duration kSilence = absl::Seconds(10);
// Longest answer that is read: "stream: NAME FOUND".
constexpr size_t kMaxAnswer = 1000;
constexpr size_t kMaxNameShown = 80;

absl::Status Silent(std::string_view why) {
  Log(LogLevel::kWarning, "virus_scanner_does_not_answer", {{"why", std::string(why)}});
  return errors::Unavailable("virus scanner");
}

// A connection to clamd that never waits longer than it may.
class Connection {
 public:
  explicit Connection(absl::Time deadline) : deadline_(deadline) {}
  ~Connection() {
    if (fd_ >= 0) close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  absl::Status Open(int family, const sockaddr* address, socklen_t size) {
    fd_ = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return Silent("socket");
    if (connect(fd_, address, size) != 0 && errno != EINPROGRESS) return Silent("connect");
    YZ_RETURN_IF_ERROR(Wait(POLLOUT));
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? absl::OkStatus() : Silent("connect");
  }

  absl::Status Send(std::string_view bytes) {
    while (!bytes.empty()) {
      YZ_RETURN_IF_ERROR(Wait(POLLOUT));
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (sent <= 0) return Silent("send");
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return absl::OkStatus();
  }

  // Up to the zero byte, or the end.
  absl::StatusOr<std::string> Receive() {
    std::string answer;
    while (answer.size() < kMaxAnswer) {
      YZ_RETURN_IF_ERROR(Wait(POLLIN));
      char buffer[256];
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got < 0) return Silent("receive");
      answer.append(buffer, static_cast<size_t>(got));
      const size_t end = answer.find('\0');
      if (end != std::string::npos) return answer.substr(0, end);
      if (got == 0) break;
    }
    return answer;
  }

 private:
  absl::Status Wait(short events) {  // NOLINT: poll's own type
    const absl::Time until = std::min(deadline_, WallNow() + kSilence);
    while (true) {
      const absl::Duration left = until - WallNow();
      if (left <= absl::ZeroDuration()) return Silent("time is up");
      pollfd waits{fd_, events, 0};
      const int ready =
          poll(&waits, 1, static_cast<int>(std::max<int64_t>(1, absl::ToInt64Milliseconds(left))));
      if (ready > 0) return absl::OkStatus();
      if (ready < 0 && errno != EINTR) return Silent("poll");
    }
  }

  const absl::Time deadline_;
  int fd_ = -1;
};

std::string BigEndian(size_t size) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xFF);
  return bytes;
}

// "stream: OK", "stream: NAME FOUND"; anything else is no finding, and lets nothing through.
absl::Status Judge(std::string_view answer) {
  absl::string_view word = Abs(answer);
  if (!absl::ConsumePrefix(&word, "stream: ")) return Silent(answer);
  if (word == "OK") return absl::OkStatus();
  if (!absl::ConsumeSuffix(&word, " FOUND")) return Silent(answer);
  std::string name(word.substr(0, kMaxNameShown));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !absl::ascii_isprint(c); }, '?');
  return errors::InvalidField("name", Concat({"文件含病毒（", name, "），不予接收"}),
                              Concat({"the file is infected (", name, ") and is not taken in"}));
}

}  // namespace

absl::StatusOr<Scanner> Scanner::At(std::string_view address) {
  absl::string_view rest = Abs(address);
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (absl::StartsWith(rest, "/") && rest.size() < sizeof(sockaddr_un::sun_path))
      return Scanner(std::string(rest), "", 0);
  } else if (const size_t colon = rest.rfind(':'); colon != absl::string_view::npos) {
    int port = 0;
    in_addr ip;
    const std::string host(rest.substr(0, colon));
    if (absl::SimpleAtoi(rest.substr(colon + 1), &port) && port > 0 && port < 65'536 &&
        inet_pton(AF_INET, host.c_str(), &ip) == 1) {
      return Scanner("", host, port);
    }
  }
  return absl::InvalidArgumentError("must be unix:/PATH or IP:PORT");
}

absl::Status Scanner::Scan(int64_t size_bytes, ReadAt read, absl::Time deadline) const {
  Connection connection(deadline);
  if (path_.empty()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port_));
    inet_pton(AF_INET, host_.c_str(), &address.sin_addr);
    YZ_RETURN_IF_ERROR(
        connection.Open(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  } else {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    YZ_RETURN_IF_ERROR(
        connection.Open(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  // INSTREAM: chunks, each behind its length; one of length zero ends the file.
  YZ_RETURN_IF_ERROR(connection.Send(std::string_view("zINSTREAM\0", 10)));
  for (int64_t offset = 0; offset < size_bytes;) {
    YZ_ASSIGN_OR_RETURN(const std::string bytes, read(offset));
    if (bytes.empty()) return errors::DataLoss("file");
    YZ_RETURN_IF_ERROR(connection.Send(BigEndian(bytes.size())));
    YZ_RETURN_IF_ERROR(connection.Send(bytes));
    offset += static_cast<int64_t>(bytes.size());
  }
  YZ_RETURN_IF_ERROR(connection.Send(BigEndian(0)));
  YZ_ASSIGN_OR_RETURN(const std::string answer, connection.Receive());
  return Judge(answer);
}

}  // namespace yuezhan::files
