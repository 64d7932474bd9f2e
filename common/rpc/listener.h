#ifndef YUEZHAN_COMMON_RPC_LISTENER_H_
#define YUEZHAN_COMMON_RPC_LISTENER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

namespace yuezhan::rpc {

// Accepts connections for gRPC, which cannot itself: cap their number, or hang up on one client.
// Keeps a second descriptor of each connection, so that it can be shut down from outside.
class Listener {
 public:
  // Binds host:port (port 0: a free one); UNAVAILABLE when it is taken.
  static absl::StatusOr<std::unique_ptr<Listener>> Bind(const std::string& address,
                                                        int max_connections);
  ~Listener();  // Stop()

  int port() const { return port_; }

  // Accepts from now on and hands each connection to `accept`, which owns the descriptor it gets.
  void Start(std::function<void(int descriptor)> accept);
  // Accepts no more. Connections that there are stay.
  void Stop();

  int connections();

  // Hangs up on a client, by its name in gRPC ("ipv4:10.0.0.1:51000"). False: not known.
  bool HangUp(const std::string& peer);

 private:
  Listener(int socket, int max_connections);
  void Run();
  void AcceptOne();
  void Forget(int watch);

  const int socket_;
  const int max_connections_;
  int port_ = 0;
  int events_ = -1;  // epoll: the socket, the wake-up, the watched connections
  int wake_ = -1;
  std::function<void(int)> accept_;
  std::thread thread_;

  absl::Mutex mutex_;
  std::map<int, std::string> peers_ ABSL_GUARDED_BY(mutex_);  // by the second descriptor
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_LISTENER_H_
