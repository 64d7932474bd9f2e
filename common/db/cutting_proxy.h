#ifndef YUEZHAN_COMMON_DB_CUTTING_PROXY_H_
#define YUEZHAN_COMMON_DB_CUTTING_PROXY_H_

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace yuezhan::db {

// A TCP proxy in front of a database, for tests: counts the commands that clients send after their
// login, over all connections (a prepare and an execute are one each; packets without an answer are
// none), and cuts the connection at one of them. Knows the frames of the MySQL protocol, so no TLS
// through it.
class CuttingProxy {
 public:
  enum class When {
    kBefore,  // the server never sees the command
    kAfter,   // the server has run it, the client does not learn
    kLate,    // the client is cut, and the server gets it after `linger`
  };

  // Listens on a free port of 127.0.0.1 and forwards to host:port.
  CuttingProxy(const std::string& host, int port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const { return port_; }
  // Counts from 1 anew and cuts at the n-th command, once; 0: never. The server's side of the cut
  // connection stays open for `linger`, as with a pulled cable: its session keeps its locks so
  // long.
  void CutAt(int n, When when, absl::Duration linger = absl::ZeroDuration());
  // Commands since the last CutAt.
  int commands() const;
  // Whether the cut has happened.
  bool cut() const;

 private:
  // What to do with one command.
  enum class Verdict { kPass, kCut };
  struct Link {
    int client;
    int server;
    std::string from_client;  // bytes that are no whole packet yet
    std::thread thread;
  };
  void Accept();
  void Serve(Link& link);
  bool FromClient(Link& link);
  Verdict Judge(const std::string& packet);
  void Cut(Link& link, const std::string& packet);

  const std::string host_;
  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  mutable absl::Mutex mutex_;
  int at_ ABSL_GUARDED_BY(mutex_) = 0;
  When when_ ABSL_GUARDED_BY(mutex_) = When::kBefore;
  absl::Duration linger_ ABSL_GUARDED_BY(mutex_);
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::unique_ptr<Link>> links_;  // of the accepting thread, until it has ended
  std::thread acceptor_;
};

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_CUTTING_PROXY_H_
