#ifndef YUEZHAN_COMMON_BASE_SETTINGS_H_
#define YUEZHAN_COMMON_BASE_SETTINGS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace yuezhan {

// Settings are Abseil flags (ABSL_FLAG in the binary). Each can be given as --name=value (or --name
// value), or by the environment variable YUEZHAN_NAME; the command line wins.

// What must hold of a setting. `problem` says what is wrong with it, or returns "".
struct SettingCheck {
  std::string_view flag;
  std::function<std::string()> problem;
};

// Reads the environment and the command line and runs the checks. Prints every mistake at once,
// each with the name of its flag, and exits 2. --help prints all flags of this project and exits.
// Returns the words that are no flags.
std::vector<std::string> ParseSettings(int argc, char** argv, std::string_view usage,
                                       const std::vector<SettingCheck>& checks = {});

// The same without exiting and printing, for tests: mistakes are appended to `mistakes`.
std::vector<std::string> ReadSettings(const std::vector<std::string>& args,
                                      const std::vector<SettingCheck>& checks,
                                      std::vector<std::string>* mistakes);

// A secret as a flag gives it: "@FILE" is the content of FILE without its last line end, anything
// else is taken as it stands. Files keep secrets out of process lists. NOT_FOUND when the file
// cannot be read, INVALID_ARGUMENT when empty.
absl::StatusOr<std::string> ReadSecret(std::string_view flag_value);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_SETTINGS_H_
