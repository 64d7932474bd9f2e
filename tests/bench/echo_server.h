#ifndef YUEZHAN_TESTS_BENCH_ECHO_SERVER_H_
#define YUEZHAN_TESTS_BENCH_ECHO_SERVER_H_

#include <string>

namespace yuezhan::bench {

// Where the key and certificate of a TLS server are; both empty: without TLS.
struct EchoOptions {
  std::string listen;  // host:port
  std::string tls_key;
  std::string tls_cert;
};

// What gRPC alone costs: a server of nothing but a completion queue, two threads and posted calls
// that answers "/bench/N" with N bytes. Serves until SIGTERM; the exit code.
int ServeEcho(const EchoOptions& options);

}  // namespace yuezhan::bench

#endif  // YUEZHAN_TESTS_BENCH_ECHO_SERVER_H_
