// Limits of what callers may take of a server. Each holds for one replica.
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "common/host/flags.h"

ABSL_FLAG(double, caller_rate, 200, "Calls a second of one caller, on each replica. 0: no limit.");
ABSL_FLAG(double, public_rate, 10,
          "The same of a caller who has the role public alone. Whoever shares a token shares it.");
ABSL_FLAG(double, service_rate, 0, "The same of another of the four services.");
ABSL_FLAG(absl::Duration, rate_burst, absl::Seconds(5),
          "So much of a caller's rate may come at once.");
ABSL_FLAG(int, caller_calls, 0,
          "Calls of one caller that run at once. 0: half of --connections, so that nobody takes "
          "them all.");
ABSL_FLAG(int, public_calls, 0,
          "The same of all public callers together. 0: a quarter of --connections.");
ABSL_FLAG(int, service_calls, 0, "The same of another service. 0: --connections.");
ABSL_FLAG(int, queue_length, 256, "Calls that wait for a handler; the excess is refused at once.");
ABSL_FLAG(int, max_calls, 1024, "Calls in any state, half-sent ones too.");
ABSL_FLAG(int, max_connections, 2000,
          "Client connections; an idle one with TLS holds about 80 KB.");
ABSL_FLAG(int, max_streams, 100, "Calls at once on one connection.");
ABSL_FLAG(int, max_hollow_calls, 200,
          "Calls without a request that one connection may open in ten seconds before it is closed.");
ABSL_FLAG(int, max_message_bytes, 4 << 20, "Size of a request or an answer, bytes.");
ABSL_FLAG(int, max_metadata_bytes, 16 << 10, "Size of a call's headers, bytes.");
ABSL_FLAG(int, max_queued_bytes, 64 << 20, "Size of all requests that wait for a handler, bytes.");
ABSL_FLAG(int, max_transport_bytes, 128 << 20,
          "Memory for connections and messages under way, bytes; beyond it they are slowed.");
ABSL_FLAG(absl::Duration, max_deadline, absl::Seconds(30),
          "Longest time of a call, also of one that names none.");
ABSL_FLAG(absl::Duration, slow_client, absl::Seconds(10),
          "Beyond --max_deadline: how long a client may take to send its request or take its "
          "answer.");
ABSL_FLAG(absl::Duration, drain, absl::Seconds(10), "How long a stop waits for running calls.");
ABSL_FLAG(absl::Duration, handshake_timeout, absl::Seconds(10), "Time for a client's handshake.");
ABSL_FLAG(absl::Duration, keepalive, absl::Seconds(60),
          "A connection that is silent for so long is asked whether its client still lives.");
ABSL_FLAG(absl::Duration, keepalive_timeout, absl::Seconds(20), "Time for its answer.");
ABSL_FLAG(absl::Duration, max_idle, absl::Minutes(10),
          "A connection without a call for so long is closed.");
ABSL_FLAG(absl::Duration, ping_interval, absl::Seconds(10),
          "A client's pings that come faster are strikes.");
ABSL_FLAG(int, max_ping_strikes, 2, "More of them close the connection.");
ABSL_FLAG(bool, reflection, true, "Tell clients the contract (grpc.reflection).");

namespace yuezhan {
namespace {

SettingCheck AtLeast(std::string_view name, const absl::Flag<int>& flag, int least) {
  return {name, [&flag, least] {
            return absl::GetFlag(flag) >= least ? "" : absl::StrCat("must be at least ", least);
          }};
}

SettingCheck NotNegative(std::string_view name, const absl::Flag<double>& flag) {
  return {name, [&flag] { return absl::GetFlag(flag) >= 0 ? "" : "must not be negative"; }};
}

SettingCheck Positive(std::string_view name, const absl::Flag<absl::Duration>& flag) {
  return {name, [&flag] {
            const absl::Duration value = absl::GetFlag(flag);
            return value >= absl::Milliseconds(1) && value <= absl::Hours(24)
                       ? ""
                       : "must be 1ms to 24h";
          }};
}

}  // namespace

std::vector<SettingCheck> LimitChecks() {
  return {
      NotNegative("caller_rate", FLAGS_caller_rate),
      NotNegative("public_rate", FLAGS_public_rate),
      NotNegative("service_rate", FLAGS_service_rate),
      Positive("rate_burst", FLAGS_rate_burst),
      AtLeast("caller_calls", FLAGS_caller_calls, 0),
      AtLeast("public_calls", FLAGS_public_calls, 0),
      AtLeast("service_calls", FLAGS_service_calls, 0),
      AtLeast("queue_length", FLAGS_queue_length, 1),
      AtLeast("max_calls", FLAGS_max_calls, 1),
      AtLeast("max_connections", FLAGS_max_connections, 1),
      AtLeast("max_streams", FLAGS_max_streams, 1),
      AtLeast("max_hollow_calls", FLAGS_max_hollow_calls, 1),
      AtLeast("max_message_bytes", FLAGS_max_message_bytes, 2 << 20),  // a chunk of a file
      AtLeast("max_metadata_bytes", FLAGS_max_metadata_bytes, 8 << 10),  // a token, and details
      AtLeast("max_queued_bytes", FLAGS_max_queued_bytes, 4 << 20),
      AtLeast("max_transport_bytes", FLAGS_max_transport_bytes, 32 << 20),
      Positive("max_deadline", FLAGS_max_deadline),
      Positive("slow_client", FLAGS_slow_client),
      Positive("drain", FLAGS_drain),
      Positive("handshake_timeout", FLAGS_handshake_timeout),
      Positive("keepalive", FLAGS_keepalive),
      Positive("keepalive_timeout", FLAGS_keepalive_timeout),
      Positive("max_idle", FLAGS_max_idle),
      Positive("ping_interval", FLAGS_ping_interval),
      AtLeast("max_ping_strikes", FLAGS_max_ping_strikes, 1),
  };
}

void SetLimitsFromFlags(rpc::ServerOptions& options) {
  options.callers = {.rate = absl::GetFlag(FLAGS_caller_rate),
                     .public_rate = absl::GetFlag(FLAGS_public_rate),
                     .service_rate = absl::GetFlag(FLAGS_service_rate),
                     .burst = absl::GetFlag(FLAGS_rate_burst),
                     .calls = absl::GetFlag(FLAGS_caller_calls),
                     .public_calls = absl::GetFlag(FLAGS_public_calls),
                     .service_calls = absl::GetFlag(FLAGS_service_calls)};
  options.queue_length = absl::GetFlag(FLAGS_queue_length);
  options.max_calls = absl::GetFlag(FLAGS_max_calls);
  options.max_connections = absl::GetFlag(FLAGS_max_connections);
  options.max_streams_per_connection = absl::GetFlag(FLAGS_max_streams);
  options.max_hollow_calls = absl::GetFlag(FLAGS_max_hollow_calls);
  options.max_message_bytes = absl::GetFlag(FLAGS_max_message_bytes);
  options.max_metadata_bytes = absl::GetFlag(FLAGS_max_metadata_bytes);
  options.max_queued_bytes = absl::GetFlag(FLAGS_max_queued_bytes);
  options.transport_bytes = static_cast<size_t>(absl::GetFlag(FLAGS_max_transport_bytes));
  options.max_deadline = absl::GetFlag(FLAGS_max_deadline);
  options.slow_client = absl::GetFlag(FLAGS_slow_client);
  options.drain = absl::GetFlag(FLAGS_drain);
  options.handshake_timeout = absl::GetFlag(FLAGS_handshake_timeout);
  options.keepalive = absl::GetFlag(FLAGS_keepalive);
  options.keepalive_timeout = absl::GetFlag(FLAGS_keepalive_timeout);
  options.max_idle = absl::GetFlag(FLAGS_max_idle);
  options.ping_interval = absl::GetFlag(FLAGS_ping_interval);
  options.max_ping_strikes = absl::GetFlag(FLAGS_max_ping_strikes);
  options.reflection = absl::GetFlag(FLAGS_reflection);
}

}  // namespace yuezhan
