#ifndef YUEZHAN_SERVICES_YZ_COMMANDS_H_
#define YUEZHAN_SERVICES_YZ_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace yuezhan::yz {

// What stands behind the words of a command. Each prints its result to standard output and returns
// what went wrong; main prints that and makes the exit code of it.
using Words = std::vector<std::string>;

absl::Status Up(const Words& words);
absl::Status RunDemo(const Words& words);
absl::Status Install(const Words& words);
absl::Status InstallSchemas(const Words& words);
absl::Status Health(const Words& words);
absl::Status Reconcile(const Words& words);
absl::Status ClockShow(const Words& words);
absl::Status ClockSet(const Words& words);
absl::Status ClockAdvance(const Words& words);
absl::Status Token(const Words& words);
absl::Status Call(const Words& words);
absl::Status Import(const Words& words);
absl::Status Export(const Words& words);
absl::Status Csv(const Words& words);
absl::Status Evidence(const Words& words);
absl::Status EvidenceVerify(const Words& words);
absl::Status JournalVerify(const Words& words);
absl::Status JournalHead(const Words& words);
absl::Status JournalFollowers(const Words& words);
absl::Status JournalSkip(const Words& words);
absl::Status JournalResume(const Words& words);
absl::Status VaultNewKey(const Words& words);
absl::Status VaultRewrap(const Words& words);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_COMMANDS_H_
