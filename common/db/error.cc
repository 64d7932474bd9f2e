#include "common/db/error.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/errors/errors.h"

namespace yuezhan::db {
namespace {

// Roll back and run the whole unit again: lock wait, deadlock, Galera's certification (1020, 1047),
// TiDB's (8002 8022 8028 9007).
constexpr std::array kConflicts = {1020, 1047, 1205, 1213, 8002, 8022, 8028, 9007};
// 1053 shutdown, 1290 the server turned read-only (failover), 1927 and 4031 killed or idle too
// long, 1158-1161 network, 2xxx of the client library: no connection, lost, out of step, unknown
// statement.
constexpr std::array kLost = {1053, 1152, 1158, 1159, 1160, 1161, 1290, 1317, 1927,
                              2002, 2003, 2006, 2013, 2014, 2027, 2030, 2055, 4031};
// Their messages quote the value, which may be personal.
constexpr std::array kQuotesValue = {1062, 1264, 1292, 1366, 1411, 1525, 3854};

template <size_t N>
bool Contains(const std::array<int, N>& codes, int code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

std::string WithoutValue(int code, const std::string& message) {
  if (!Contains(kQuotesValue, code)) return message;
  const size_t value = message.find('\'');
  const size_t rest = message.rfind(" for ");
  if (value == std::string::npos) return message;
  return message.substr(0, value) + "…" +
         (rest == std::string::npos || rest < value ? "" : message.substr(rest));
}

// "… for key 'stations.code'" (MySQL) or "… for key 'code'" (MariaDB): code.
std::string_view KeyName(std::string_view message) {
  if (message.empty() || message.back() != '\'') return {};
  message.remove_suffix(1);
  const size_t begin = message.find_last_of("'.");
  return begin == std::string_view::npos ? std::string_view() : message.substr(begin + 1);
}

}  // namespace

Error::Error(int code, const std::string& message)
    : std::runtime_error(WithoutValue(code, message)), code_(code) {}

bool Error::IsConflict() const { return Contains(kConflicts, code_); }
bool Error::IsConnectionLost() const { return Contains(kLost, code_); }
bool Error::IsDuplicate(const std::string& key) const {
  return IsDuplicate() && KeyName(what()) == key;
}

absl::Status ToStatus(const Error& error) {
  if (error.IsConflict()) return errors::Conflict();
  if (error.IsConnectionLost()) return errors::Unavailable("database");
  if (error.IsDuplicate()) return errors::AlreadyExists(KeyName(error.what()), "");
  const std::string incident = NewUuid();
  Log(LogLevel::kError, "database error",
      {{"incident", incident}, {"code", error.code()}, {"error", error.what()}});
  return errors::Internal(incident);
}

}  // namespace yuezhan::db
