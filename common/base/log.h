#ifndef YUEZHAN_COMMON_BASE_LOG_H_
#define YUEZHAN_COMMON_BASE_LOG_H_

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "absl/strings/string_view.h"

namespace yuezhan {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// One value of a log line. Personal values (mobile and account numbers, objectors) never become
// one: mask before.
struct LogField {
  using Value = std::variant<bool, int64_t, double, std::string_view>;
  std::string_view key;
  Value value;

  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, std::integral auto v) : key(k), value(static_cast<int64_t>(v)) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
};

// Writes one JSON line to standard error: {"time":"…Z","level":"info","event":"…",fields…}. Lines
// of several threads do not mix. A warning or an error is written before this returns; others
// follow within 20 ms, at the process's exit at the latest, so that no caller waits for the file: a
// process that is killed may lose them.
//   Log(LogLevel::kInfo, "served", {{"method", method}, {"ms", 12}});
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// Writes what waits.
void FlushLog();

// While it lives, each line that this thread logs carries the trace id, as "trace".
class LogTrace {
 public:
  explicit LogTrace(std::string_view trace_id);
  ~LogTrace();
  LogTrace(const LogTrace&) = delete;
  LogTrace& operator=(const LogTrace&) = delete;
};

// Lines below `level` are left out, from now on. Changeable at run time; starts at kInfo.
void SetLogLevel(LogLevel level);
bool LogEnabled(LogLevel level);

// "debug", "info", "warning", "error"; false for any other word.
bool ParseLogLevel(std::string_view word, LogLevel* level);

// The JSON string of `text`, with quotes; bytes that are no UTF-8 become U+FFFD.
std::string JsonString(std::string_view text);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_LOG_H_
