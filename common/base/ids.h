#ifndef YUEZHAN_COMMON_BASE_IDS_H_
#define YUEZHAN_COMMON_BASE_IDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace yuezhan {

// A new UUIDv7, "0190163d-8694-739b-aea5-966c26f8ad91": ordered by the wall clock, and within one
// process by the order of the calls. Public ids are these, never a number that counts.
std::string NewUuid();

// Whether `text` is a UUID as NewUuid writes it (8-4-4-4-12, lower case).
bool IsUuid(std::string_view text);

// The 16 bytes that a BINARY(16) column keeps, and back. INVALID_ARGUMENT when it is not a UUID, or
// not 16 bytes.
absl::StatusOr<std::string> UuidToBytes(std::string_view text);
absl::StatusOr<std::string> UuidFromBytes(std::string_view bytes);

// The ids of a resource name by its pattern: IdsOf("stations/*/activities/*",
// "stations/a…/activities/b…") = {a…, b…}. INVALID_ARGUMENT, naming the pattern, when the name does
// not fit it or an id is not a UUID.
absl::StatusOr<std::vector<std::string>> IdsOf(std::string_view pattern, std::string_view name);

// The last of them: IdOf("stations/*", "stations/a…") = a….
absl::StatusOr<std::string> IdOf(std::string_view pattern, std::string_view name);

// Name("stations", id) = "stations/{id}".
std::string Name(std::string_view collection, std::string_view id);
// Name("stations", id, "activities", child) = "stations/{id}/activities/{child}".
std::string Name(std::string_view collection, std::string_view id,
                 std::string_view child_collection, std::string_view child_id);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_IDS_H_
