#include "common/base/ids.h"

#include <openssl/rand.h>

#include <cstdint>
#include <cstdlib>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "common/base/clocks.h"
#include "common/base/digest.h"
#include "common/base/text.h"

namespace yuezhan {
namespace {

// Milliseconds and a 12 bit counter in rand_a's place (RFC 9562, 6.2 method 1): two ids of one
// process compare as they were made, also when the wall clock steps back.
struct Stamp {
  absl::Mutex mutex;
  uint64_t value ABSL_GUARDED_BY(mutex) = 0;  // ms << 12 | counter
};

uint64_t NextStamp() {
  static Stamp& stamp = *new Stamp;
  const uint64_t now = static_cast<uint64_t>(absl::ToUnixMillis(WallNow())) << 12;
  absl::MutexLock lock(&stamp.mutex);
  stamp.value = stamp.value < now ? now : stamp.value + 1;
  return stamp.value;
}

std::string Dashed(std::string_view bytes) {
  std::string text = ToHex(bytes);
  for (size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
  return text;
}

}  // namespace

std::string NewUuid() {
  unsigned char b[16];
  // Without randomness no id of the process would be safe any more: nothing to go on with.
  if (RAND_bytes(b, sizeof b) != 1) std::abort();
  const uint64_t stamp = NextStamp();
  for (int i = 0; i < 6; ++i) b[i] = static_cast<unsigned char>(stamp >> (12 + 8 * (5 - i)));
  b[6] = static_cast<unsigned char>(0x70 | (stamp >> 8 & 0x0f));
  b[7] = static_cast<unsigned char>(stamp);
  b[8] = static_cast<unsigned char>(0x80 | (b[8] & 0x3f));
  return Dashed({reinterpret_cast<const char*>(b), sizeof b});
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

absl::StatusOr<std::string> UuidToBytes(std::string_view text) {
  if (!IsUuid(text)) return absl::InvalidArgumentError("not a UUID in lower case");
  std::string hex(text);
  std::erase(hex, '-');
  return FromHex(hex);
}

absl::StatusOr<std::string> UuidFromBytes(std::string_view bytes) {
  if (bytes.size() != 16) return absl::InvalidArgumentError("a UUID has 16 bytes");
  return Dashed(bytes);
}

absl::StatusOr<std::vector<std::string>> IdsOf(std::string_view pattern, std::string_view name) {
  const std::vector<std::string> wanted = absl::StrSplit(Abs(pattern), '/');
  const std::vector<std::string> given = absl::StrSplit(Abs(name), '/');
  std::vector<std::string> ids;
  bool fits = wanted.size() == given.size();
  for (size_t i = 0; fits && i < wanted.size(); ++i) {
    if (wanted[i] == "*") {
      fits = IsUuid(given[i]);
      ids.push_back(given[i]);
    } else {
      fits = wanted[i] == given[i];
    }
  }
  if (!fits) return absl::InvalidArgumentError(Concat({"not a name of the form ", pattern}));
  return ids;
}

absl::StatusOr<std::string> IdOf(std::string_view pattern, std::string_view name) {
  auto ids = IdsOf(pattern, name);
  if (!ids.ok()) return ids.status();
  return ids->back();
}

std::string Name(std::string_view collection, std::string_view id) {
  return Concat({collection, "/", id});
}

std::string Name(std::string_view collection, std::string_view id,
                 std::string_view child_collection, std::string_view child_id) {
  return Name(Name(collection, id), Name(child_collection, child_id));
}

}  // namespace yuezhan
