#ifndef YUEZHAN_SERVICES_YZ_FILES_H_
#define YUEZHAN_SERVICES_YZ_FILES_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace yuezhan::yz {

// The whole file. NOT_FOUND when it cannot be read.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Puts the file in place whole, readable by its owner alone: a kill leaves the old one or the new.
absl::Status WriteFile(const std::string& path, const std::string& content);

// The content of the file; made by `make` where there is none yet.
absl::StatusOr<std::string> KeptFile(const std::string& path,
                                     const std::function<absl::StatusOr<std::string>()>& make);

// A new secret, 32 hex digits.
std::string NewSecret();

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_FILES_H_
