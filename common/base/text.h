#ifndef YUEZHAN_COMMON_BASE_TEXT_H_
#define YUEZHAN_COMMON_BASE_TEXT_H_

#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace yuezhan {

// Debian builds Abseil for C++14, where absl::string_view is a type of its own that does not convert from the standard
// one: StrCat(std::string_view) does not compile. Abs() goes across.
inline absl::string_view Abs(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view Std(absl::string_view text) { return {text.data(), text.size()}; }

// The parts, one after the other.
inline std::string Concat(std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (std::string_view part : parts) size += part.size();
  std::string out;
  out.reserve(size);
  for (std::string_view part : parts) out += part;
  return out;
}

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_TEXT_H_
