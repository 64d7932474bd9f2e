#ifndef YUEZHAN_COMMON_DB_OPTIONS_H_
#define YUEZHAN_COMMON_DB_OPTIONS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace yuezhan::db {

// Where a database is and who asks.
struct Options {
  std::string host = "127.0.0.1";
  int port = 3306;
  std::string user;
  std::string password;
  std::string schema;  // may be empty for an administrator
  // File of the authority that signed the server's certificate. Given: TLS with a verified host
  // name, or no connection. Not given: no TLS, for a server on the same host or a private network.
  std::string tls_ca;
  absl::Duration connect_timeout = absl::Seconds(5);
  // Longest wait for one statement's answer; above innodb_lock_wait_timeout (5 s), or a lock wait
  // looks like a dead server.
  absl::Duration read_timeout = absl::Seconds(20);
  absl::Duration write_timeout = absl::Seconds(10);

  // "mysql://user@host:port/schema": without the password, for logs.
  std::string Describe() const;
  // As Parse reads it, the password included.
  std::string Url() const;
};

// Reads mysql://user:password@host:port/schema?tls_ca=/path/ca.pem; port (3306), schema and tls_ca
// may be left out; percent-encoding in each part. INVALID_ARGUMENT says which part is wrong, never
// showing the password.
absl::StatusOr<Options> ParseUrl(std::string_view url);

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_OPTIONS_H_
