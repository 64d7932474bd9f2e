#ifndef YUEZHAN_COMMON_FILES_TEST_CLAMD_H_
#define YUEZHAN_COMMON_FILES_TEST_CLAMD_H_

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace yuezhan::files {

// A clamd that speaks INSTREAM on a free port: finds "EICAR" in what it is sent. One connection
// after the other.
class TestClamd {
 public:
  enum class Mode { kScan, kSilent, kHangsUp, kError };

  TestClamd() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 64), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~TestClamd() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::atomic<Mode> mode = Mode::kScan;
  std::atomic<int64_t> bytes_scanned = 0;

 private:
  static bool ReadAll(int fd, char* data, size_t size) {
    for (size_t at = 0; at < size;) {
      const ssize_t got = recv(fd, data + at, size - at, 0);
      if (got <= 0) return false;
      at += static_cast<size_t>(got);
    }
    return true;
  }

  void Serve() {
    for (int fd; (fd = accept(listener_, nullptr, nullptr)) >= 0; close(fd)) {
      char command[10];
      if (mode == Mode::kHangsUp || !ReadAll(fd, command, sizeof command)) continue;
      EXPECT_EQ(std::string(command, 10), std::string("zINSTREAM\0", 10));
      std::string file;
      unsigned char size[4];
      bool whole = false;
      while (!whole && ReadAll(fd, reinterpret_cast<char*>(size), 4)) {
        std::string chunk(size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3], '\0');
        whole = chunk.empty();
        if (!ReadAll(fd, chunk.data(), chunk.size())) break;
        file += chunk;
      }
      bytes_scanned += static_cast<int64_t>(file.size());
      if (!whole) continue;
      if (mode == Mode::kSilent) {
        char never;  // until the other side gives up
        ReadAll(fd, &never, 1);
        continue;
      }
      std::string answer = file.find("EICAR") == std::string::npos
                               ? "stream: OK"
                               : "stream: Eicar-Test-Signature FOUND";
      if (mode == Mode::kError) answer = "INSTREAM size limit exceeded. ERROR";
      answer += '\0';
      send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  const int listener_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace yuezhan::files

#endif  // YUEZHAN_COMMON_FILES_TEST_CLAMD_H_
