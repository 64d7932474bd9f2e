#include "common/base/settings.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace yuezhan {
namespace {

bool IsOurs(absl::string_view file) { return !absl::StrContains(file, "absl/"); }

void ReadEnvironment(std::vector<std::string>* mistakes) {
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (!IsOurs(flag->Filename())) continue;
    const std::string variable = absl::StrCat("YUEZHAN_", absl::AsciiStrToUpper(name));
    const char* value = std::getenv(variable.c_str());
    std::string error;
    if (value != nullptr && !flag->ParseFrom(value, &error)) {
      mistakes->push_back(absl::StrCat(variable, ": ", error));
    }
  }
}

// Abseil's own parser exits at its first mistake of a kind; an operator wants them all.
class ArgumentReader {
 public:
  ArgumentReader(const std::vector<std::string>& args, std::vector<std::string>* mistakes)
      : args_(args), mistakes_(mistakes) {}

  std::vector<std::string> Read() {
    for (; at_ < args_.size(); ++at_) {
      std::string_view arg = args_[at_];
      if (arg == "--") {
        words_.insert(words_.end(), args_.begin() + static_cast<ptrdiff_t>(at_) + 1, args_.end());
        break;
      }
      if (arg.size() < 2 || arg[0] != '-') {
        words_.emplace_back(arg);
        continue;
      }
      arg.remove_prefix(arg.substr(0, 2) == "--" ? 2 : 1);
      ReadFlag(arg);
    }
    return std::move(words_);
  }

 private:
  void ReadFlag(std::string_view arg) {
    const size_t equals = arg.find('=');
    std::string name(arg.substr(0, equals));
    absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    bool negated = false;
    if (flag == nullptr && equals == std::string_view::npos && name.substr(0, 2) == "no") {
      flag = absl::FindCommandLineFlag(name.substr(2));
      negated = flag != nullptr && flag->IsOfType<bool>();
      if (!negated) flag = nullptr;
    }
    if (flag == nullptr || !IsOurs(flag->Filename())) {
      mistakes_->push_back(absl::StrCat("--", name, ": there is no such setting"));
      return;
    }
    std::string value;
    if (equals != std::string_view::npos) {
      value = std::string(arg.substr(equals + 1));
    } else if (flag->IsOfType<bool>()) {
      value = negated ? "false" : "true";
    } else if (at_ + 1 < args_.size()) {
      value = args_[++at_];
    } else {
      mistakes_->push_back(absl::StrCat("--", name, ": needs a value"));
      return;
    }
    std::string error;
    if (!flag->ParseFrom(value, &error))
      mistakes_->push_back(absl::StrCat("--", name, ": ", error));
  }

  const std::vector<std::string>& args_;
  std::vector<std::string>* mistakes_;
  std::vector<std::string> words_;
  size_t at_ = 0;
};

}  // namespace

std::vector<std::string> ReadSettings(const std::vector<std::string>& args,
                                      const std::vector<SettingCheck>& checks,
                                      std::vector<std::string>* mistakes) {
  ReadEnvironment(mistakes);
  std::vector<std::string> words = ArgumentReader(args, mistakes).Read();
  for (const SettingCheck& check : checks) {
    const std::string problem = check.problem();
    if (!problem.empty())
      mistakes->push_back(absl::StrCat("--", std::string(check.flag), ": ", problem));
  }
  return words;
}

std::vector<std::string> ParseSettings(int argc, char** argv, std::string_view usage,
                                       const std::vector<SettingCheck>& checks) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  for (const std::string& arg : args) {
    if (arg != "--help" && arg != "-h" && arg != "-help") continue;
    absl::SetProgramUsageMessage(absl::StrCat(std::string(usage),
                                              "\n\nEach setting is also read from the environment "
                                              "variable YUEZHAN_<NAME>, in upper case; the "
                                              "command line wins."));
    absl::FlagsUsageConfig config;
    config.contains_help_flags = [](absl::string_view file) { return IsOurs(file); };
    config.contains_helpshort_flags = config.contains_help_flags;
    // Source paths of the machine that built it are no help to a reader.
    config.normalize_filename = [](absl::string_view file) {
      return IsOurs(file) ? std::string("settings") : std::string(file);
    };
    absl::SetFlagsUsageConfig(config);
    char help[] = "--help";
    char* help_argv[] = {argv[0], help, nullptr};
    absl::ParseCommandLine(2, help_argv);
    std::exit(0);
  }
  std::vector<std::string> mistakes;
  std::vector<std::string> words = ReadSettings(args, checks, &mistakes);
  if (mistakes.empty()) return words;
  for (const std::string& mistake : mistakes)
    std::fprintf(stderr, "%s: %s\n", argv[0], mistake.c_str());
  std::fprintf(stderr, "%s: --help lists the settings\n", argv[0]);
  std::exit(2);
}

absl::StatusOr<std::string> ReadSecret(std::string_view flag_value) {
  std::string secret(flag_value);
  if (!secret.empty() && secret[0] == '@') {
    const std::string path = secret.substr(1);
    std::ifstream file(path, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
    secret = content.str();
    if (!secret.empty() && secret.back() == '\n') secret.pop_back();
    if (!secret.empty() && secret.back() == '\r') secret.pop_back();
  }
  if (secret.empty()) return absl::InvalidArgumentError("is empty");
  return secret;
}

}  // namespace yuezhan
