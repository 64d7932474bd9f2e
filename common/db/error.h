#ifndef YUEZHAN_COMMON_DB_ERROR_H_
#define YUEZHAN_COMMON_DB_ERROR_H_

#include <stdexcept>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace yuezhan::db {

// A failed statement. Thrown by Session; caught by Transact and Read, so a unit of work lets it
// pass, but for a duplicate key where that is an answer: `catch (const db::Error& e) { if
// (!e.IsDuplicate("stations.code")) throw; }`.
class Error : public std::runtime_error {
 public:
  // Values that the server quotes in `message` are left out: they may be personal.
  Error(int code, const std::string& message);

  // The server's or the client library's number, for example 1062.
  int code() const { return code_; }
  // The transaction was undone, or must be, and the whole unit may be run again.
  bool IsConflict() const;
  // The connection is gone: what the last statement did is unknown.
  bool IsConnectionLost() const;
  // A unique key holds the value already (1062).
  bool IsDuplicate() const { return code_ == 1062; }
  // The same for one key, given as it is named in the schema ("code" or "PRIMARY").
  bool IsDuplicate(const std::string& key) const;
  // The database has no room for what was to be written, and wrote nothing of it.
  bool IsFull() const;
  // What an operator does about it, for the causes that come from outside; else "".
  std::string_view WayOut() const;
  // The message, with the way out where there is one: the line for an operator.
  std::string Line() const;

 private:
  int code_;
};

// What a caller is told: ABORTED (conflict), UNAVAILABLE (connection, full disk), ALREADY_EXISTS (1062),
// INTERNAL. The message is fit for logs.
absl::Status ToStatus(const Error& error);

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_ERROR_H_
