#ifndef YUEZHAN_COMMON_METRICS_TEST_SCRAPE_H_
#define YUEZHAN_COMMON_METRICS_TEST_SCRAPE_H_

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

namespace yuezhan::metrics {

// /metrics of a port of this machine, as Prometheus reads it; "" when nobody listens.
inline std::string Scrape(int port) {
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string text;
  if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string_view request = "GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n";
    (void)!write(connection, request.data(), request.size());
    char part[4096];
    for (ssize_t n; (n = read(connection, part, sizeof part)) > 0;) text.append(part, n);
  }
  close(connection);
  return text;
}

}  // namespace yuezhan::metrics

#endif  // YUEZHAN_COMMON_METRICS_TEST_SCRAPE_H_
