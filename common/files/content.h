// What a file is, by its bytes and not by its name.
#ifndef YUEZHAN_COMMON_FILES_CONTENT_H_
#define YUEZHAN_COMMON_FILES_CONTENT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace yuezhan::files {

// Bytes of a file from `offset` on: as many as the reader likes to give at once, empty at the end.
using ReadAt = absl::FunctionRef<absl::StatusOr<std::string>(int64_t offset)>;

// "application/pdf", "application/ofd", "image/jpeg" or "image/png"; "" for anything else. An OFD
// is a zip with OFD.xml (GB/T 33190): its directory is read, nothing is unpacked.
// INVALID_ARGUMENT, with the reason, for a zip that would harm who opens it: names that lead out
// of their folder, archives in it, more unpacked bytes than such a document has. Errors of `read`
// pass. Uses about 1 MiB of memory at most, whatever the size.
absl::StatusOr<std::string> MediaTypeByContent(int64_t size_bytes, ReadAt read);

// The media type that a file name's ending promises; "" when it promises none of the four.
std::string_view MediaTypeByName(std::string_view file_name);

}  // namespace yuezhan::files

#endif  // YUEZHAN_COMMON_FILES_CONTENT_H_
