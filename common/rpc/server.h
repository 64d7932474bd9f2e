#ifndef YUEZHAN_COMMON_RPC_SERVER_H_
#define YUEZHAN_COMMON_RPC_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rpc/handlers.h"

namespace yuezhan::auth {
class TokenVerifier;
}

namespace yuezhan::rpc {

// One finished call, for the log line and the metrics. Holds no request and no answer.
struct CallRecord {
  std::string method;    // "yuezhan.registry.v1.RegistryService/GetStation", as the client sent it
  std::string subject;   // of the caller, "" when unknown
  std::string resource;  // "stations/…" that the request names, "" when none
  std::string trace_id;
  std::string code;      // "OK", "NOT_FOUND"
  std::string reason;    // of the error, "" when OK
  std::string incident;  // id of an INTERNAL error, with `fault`: what happened, for the log alone
  std::string fault;
  absl::Duration queued;   // waited for a handler thread
  absl::Duration elapsed;  // from arrival to the answer
  size_t request_bytes = 0;
  size_t answer_bytes = 0;
};

// What one caller may take of one replica. A rate of 0 is none; see CallerLimits.
struct CallerLimitOptions {
  double rate = 200;         // calls a second of a person or system
  double public_rate = 10;   // of one who has only Role::kPublic
  double service_rate = 0;   // of another service of ours
  absl::Duration burst = absl::Seconds(5);  // so much of the rate may come at once
  // Calls that run at once. 0: half of the handlers for a caller, so that nobody takes them all; a
  // quarter for the public, all its callers together; as many as there are for a service.
  int calls = 0;
  int public_calls = 0;
  int service_calls = 0;
};

// Personal values that are about to be answered unmasked.
struct ClearRead {
  std::vector<std::string> resources;  // whose values they are
};

// Every limit has a default that fits a small machine; see docs/security.md for the reasons.
struct ServerOptions {
  std::string listen = "127.0.0.1:0";  // host:port; port 0: one that is free
  std::string port_file;               // where the chosen port is written once serving; "": nowhere

  // PEM files, read again when they change. Client certificates are asked for, and verified against
  // tls_ca when given.
  std::string tls_cert;
  std::string tls_key;
  std::string tls_ca;
  bool plaintext = false;  // without TLS: demonstrations and tests only; logged as a warning
  int handler_threads = 16;              // as many as database connections: each call needs one
  int queue_length = 256;                // calls that wait for a handler; the excess is refused
  // Calls that are answered together: so long they wait for a handler that is at others of their
  // method; then another takes them.
  absl::Duration together_patience = absl::Milliseconds(100);
  int posted_calls = 256;                // calls that gRPC may hand over at once
  int max_calls = 1024;                  // calls in any state, half-sent ones too
  int max_connections = 2000;            // an idle one with TLS holds about 80 KB
  int max_streams_per_connection = 100;  // so that one client cannot fill the server
  // Calls that one connection may open in ten seconds without sending a request, before it is hung
  // up on: honest clients do so now and then, floods of resets do nothing else.
  int max_hollow_calls = 200;
  int max_message_bytes = 4 << 20;
  int max_queued_bytes = 64 << 20;  // of all requests that wait for a handler
  int max_metadata_bytes = 16 << 10;
  absl::Duration max_deadline = absl::Seconds(30);  // also for a request that names none
  // Beyond max_deadline: how long a client may take to take its answer, or to send its request.
  absl::Duration slow_client = absl::Seconds(10);
  absl::Duration drain = absl::Seconds(10);  // how long Stop waits for running calls
  CallerLimitOptions callers;
  // Memory that the transport may hold for connections and messages; beyond it it slows and refuses.
  size_t transport_bytes = 128 << 20;
  absl::Duration handshake_timeout = absl::Seconds(10);
  absl::Duration keepalive = absl::Seconds(60);  // finds peers that vanished
  absl::Duration keepalive_timeout = absl::Seconds(20);
  absl::Duration max_idle = absl::Minutes(10);      // of a connection without a call
  absl::Duration ping_interval = absl::Seconds(10);  // pings that come faster are strikes
  int max_ping_strikes = 2;                          // then the connection is closed
  bool reflection = true;                           // lists the services for grpcurl and the like

  // Asked every `probe_interval`: whether the service can work (the database answers). Health says
  // SERVING or NOT_SERVING by it. Null: always.
  std::function<bool()> probe;
  absl::Duration probe_interval = absl::Seconds(1);
  // Run at the start and end of each handler thread (the database driver wants it).
  std::function<void()> on_thread_start;
  std::function<void()> on_thread_stop;
  // Asked before personal values are answered in clear to a person who reads; when it fails, the
  // call does, and shows nothing. A method that changes something is journaled anyhow, and what a
  // service reads no person sees. Null: nothing is asked.
  std::function<absl::Status(const Context&, const ClearRead&)> on_clear_read;
  // Called after each call, from many threads. Null: one log line a call.
  std::function<void(const CallRecord&)> on_call;
};

// What a server has to do right now, beside the limits.
struct ServerLoad {
  int handlers = 0;
  int handlers_busy = 0;
  int queued = 0;  // calls that wait for a handler
  int queue_length = 0;
  int calls = 0;  // in any state
  int max_calls = 0;
  int connections = 0;
  int max_connections = 0;
};

// A gRPC server for handlers: admission → deadline → identity → permission → validation → handler →
// status with details → log line.
class Server {
 public:
  // `verifier` outlives the server.
  Server(ServerOptions options, auth::TokenVerifier* verifier);
  ~Server();  // Stop()

  void Add(Service service);

  // Fails, naming it, when a method of an added service has no handler, one of other types, or no
  // row in the permission table; when the port is taken or a file cannot be read. Then serves.
  absl::Status Start();
  int port() const;
  ServerLoad load() const;

  // Health says NOT_SERVING, new calls are refused with UNAVAILABLE, running calls finish (at most
  // `drain`), the port closes. Any thread but a signal handler; a second call does nothing.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Waits for SIGTERM or SIGINT as a service's main does. Make it first thing in main: it blocks the
// two signals, and the threads started later inherit that.
class TerminationSignals {
 public:
  TerminationSignals();
  int Wait();  // the signal
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_SERVER_H_
