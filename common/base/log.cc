#include "common/base/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/base/clocks.h"

namespace yuezhan {
namespace {

constexpr std::array<const char*, 4> kWords = {"debug", "info", "warning", "error"};
std::atomic<LogLevel> g_level{LogLevel::kInfo};
thread_local std::string_view t_trace;

// Length of the well-formed UTF-8 character at the start of `s`, or 0.
size_t Utf8Length(std::string_view s) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || s.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((first == 0xE0 && at(1) < 0xA0) || (first == 0xED && at(1) > 0x9F) ||
      (first == 0xF0 && at(1) < 0x90) || (first == 0xF4 && at(1) > 0x8F)) {
    return 0;
  }
  return size;
}

// RFC 3339 with milliseconds, UTC. Lines of the same second share its text.
std::string TimeStamp(absl::Time time) {
  thread_local int64_t second = -1;
  thread_local std::string text;
  const int64_t ms = absl::ToUnixMillis(time);
  if (ms / 1000 != second) {
    second = ms / 1000;
    text = absl::FormatTime("%Y-%m-%dT%H:%M:%S.", time, absl::UTCTimeZone());
  }
  return absl::StrCat(text, absl::Dec(ms % 1000, absl::kZeroPad3), "Z");
}

// Lines on their way out. A thread that answers calls must not wait for a file that all threads
// write to: what is told is written together with what others tell within kPatience, by a thread of
// its own; a warning or an error at once, with what waits.
class Output {
 public:
  static Output& Get() {
    static Output& output = *[] {
      std::atexit([] { Get().Flush(); });
      return new Output;
    }();
    return output;
  }

  void Write(LogLevel level, std::string_view line) {
    bool too_much = false;
    {
      absl::MutexLock lock(&mutex_);
      waiting_ += line;
      too_much = waiting_.size() > kMostBytes;
      if (!std::exchange(started_, true)) std::thread([this] { FlushForever(); }).detach();
    }
    // Where nobody takes the lines, who makes them waits, and memory does not grow.
    if (level >= LogLevel::kWarning || too_much) Flush();
  }

  void Flush() {
    absl::MutexLock writing(&writing_);  // one batch after the other
    std::string batch;
    {
      absl::MutexLock lock(&mutex_);
      batch.swap(waiting_);
    }
    for (std::string_view left = batch; !left.empty();) {
      const ssize_t written = write(STDERR_FILENO, left.data(), left.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return;  // nobody to tell
      left.remove_prefix(static_cast<size_t>(written));
    }
  }

 private:
  void FlushForever() {
    while (true) {
      mutex_.LockWhen(absl::Condition(
          +[](std::string* waiting) { return !waiting->empty(); }, &waiting_));
      mutex_.Unlock();
      absl::SleepFor(kPatience);
      Flush();
    }
  }

  static constexpr absl::Duration kPatience = absl::Milliseconds(20);
  static constexpr size_t kMostBytes = 1 << 20;
  absl::Mutex writing_;
  absl::Mutex mutex_;
  std::string waiting_ ABSL_GUARDED_BY(mutex_);
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
};

struct ValueWriter {
  std::string* line;
  void operator()(bool v) const { *line += v ? "true" : "false"; }
  void operator()(int64_t v) const { absl::StrAppend(line, v); }
  void operator()(double v) const {
    std::isfinite(v) ? absl::StrAppend(line, v) : absl::StrAppend(line, "null");
  }
  void operator()(std::string_view v) const { *line += JsonString(v); }
};

}  // namespace

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  out.reserve(text.size() + 2);
  const auto plain = [](unsigned char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  };
  while (!text.empty()) {
    const size_t run = static_cast<size_t>(
        std::find_if_not(text.begin(), text.end(), plain) - text.begin());
    out += text.substr(0, run);
    text.remove_prefix(run);
    if (text.empty()) break;
    const size_t size = Utf8Length(text);
    const unsigned char c = static_cast<unsigned char>(text[0]);
    if (size == 0) {
      out += "\uFFFD";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += text[0];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      absl::StrAppendFormat(&out, "\\u%04x", c);
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out += '"';
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!LogEnabled(level)) return;
  std::string line =
      absl::StrCat("{\"time\":\"", TimeStamp(WallNow()), "\",\"level\":\"",
                   kWords[static_cast<size_t>(level)], "\",\"event\":", JsonString(event));
  for (const LogField& field : fields) {
    absl::StrAppend(&line, ",", JsonString(field.key), ":");
    std::visit(ValueWriter{&line}, field.value);
  }
  if (!t_trace.empty()) absl::StrAppend(&line, ",\"trace\":", JsonString(t_trace));
  line += "}\n";
  Output::Get().Write(level, line);
}

void FlushLog() { Output::Get().Flush(); }

LogTrace::LogTrace(std::string_view trace_id) { t_trace = trace_id; }
LogTrace::~LogTrace() { t_trace = {}; }

void SetLogLevel(LogLevel level) { g_level.store(level, std::memory_order_relaxed); }
bool LogEnabled(LogLevel level) { return level >= g_level.load(std::memory_order_relaxed); }

bool ParseLogLevel(std::string_view word, LogLevel* level) {
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (word == kWords[i]) {
      *level = static_cast<LogLevel>(i);
      return true;
    }
  }
  return false;
}

}  // namespace yuezhan
