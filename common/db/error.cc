#include "common/db/error.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/errors/errors.h"

namespace yuezhan::db {
namespace {

// Roll back and run the whole unit again: lock wait, deadlock, Galera's certification (1020, 1047),
// TiDB's (8002 8022 8028 9007).
constexpr std::array kConflicts = {1020, 1047, 1205, 1213, 8002, 8022, 8028, 9007};
// 1053 shutdown, 1290 the server turned read-only (failover), 1927 and 4031 killed or idle too
// long, 1158-1161 network, 2xxx of the client library: no connection, lost, out of step, unknown
// statement.
// 2026: what a read over TLS that takes too long comes as.
constexpr std::array kLost = {1053, 1152, 1158, 1159, 1160, 1161, 1290, 1317, 1927,
                              2002, 2003, 2005, 2006, 2013, 2014, 2026, 2027, 2030, 2055, 4031};
// No room: in a table space, on the disk, for a temporary file.
constexpr std::array kFull = {1021, 1026, 1114};
struct Cause {
  std::array<int, 4> codes;
  std::string_view way_out;
};
constexpr Cause kCauses[] = {
    {{1045, 1698, 0, 0},
     "the password in the address is not the account's: correct the address, or give the account "
     "the password of the address with `yz schemas`"},
    {{1044, 1049, 1142, 0}, "the schema or its account is not there: make them with `yz schemas`"},
    {{2002, 2003, 2005, 2013},
     "the database does not answer there: start it, or correct the address"},
    {{2026, 2012, 0, 0},
     "TLS with the database fails: its certificate must be in date and of the authority that the "
     "address names"},
};
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

bool Error::IsFull() const {
  // 28 is the operating system's "no space left", said by the storage engine.
  return Contains(kFull, code_) ||
         (code_ == 1030 && std::string_view(what()).find("error 28") != std::string_view::npos);
}

std::string_view Error::WayOut() const {
  if (IsFull()) return "the database's disk is full: make room there, and it goes on by itself";
  for (const Cause& cause : kCauses) {
    if (Contains(cause.codes, code_)) return cause.way_out;
  }
  return {};
}

std::string Error::Line() const {
  const std::string_view way_out = WayOut();
  return way_out.empty() ? what() : Concat({what(), "; ", way_out});
}

absl::Status ToStatus(const Error& error) {
  if (error.IsConflict()) return errors::Conflict();
  if (error.IsConnectionLost()) return errors::Unavailable("database");
  if (error.IsDuplicate()) return errors::AlreadyExists(KeyName(error.what()), "");
  if (error.IsFull()) {
    Log(LogLevel::kError, "database full", {{"code", error.code()}, {"error", error.Line()}});
    return errors::Unavailable("database");
  }
  const std::string incident = NewUuid();
  Log(LogLevel::kError, "database error",
      {{"incident", incident}, {"code", error.code()}, {"error", error.what()}});
  return errors::Internal(incident);
}

}  // namespace yuezhan::db
