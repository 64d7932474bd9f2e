#ifndef YUEZHAN_COMMON_BASE_DIGEST_H_
#define YUEZHAN_COMMON_BASE_DIGEST_H_

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace yuezhan {

inline constexpr size_t kDigestBytes = 32;

// SHA-256 (32 raw bytes) over the parts, each preceded by its length as 8 bytes big endian, so that
// {"ab", "c"} and
// {"a", "bc"} differ. What the journal, digests of lists and request keys are made of.
std::string Digest(std::initializer_list<std::string_view> parts);

// Plain SHA-256 of `data`, as other programs compute it (files, policies).
std::string Sha256(std::string_view data);

// Lower-case hex, and back (INVALID_ARGUMENT for anything else).
std::string ToHex(std::string_view bytes);
absl::StatusOr<std::string> FromHex(std::string_view hex);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_DIGEST_H_
