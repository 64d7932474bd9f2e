#include "services/yz/files.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"

namespace yuezhan::yz {

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  return content.str();
}

absl::Status WriteFile(const std::string& path, const std::string& content) {
  const std::string draft = absl::StrCat(path, ".new");
  const int file = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written =
      file >= 0 &&
      write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()) &&
      fsync(file) == 0;
  if (file >= 0) close(file);
  if (written && std::rename(draft.c_str(), path.c_str()) == 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot write ", path, ": ", std::strerror(errno)));
}

absl::StatusOr<std::string> KeptFile(const std::string& path,
                                     const std::function<absl::StatusOr<std::string>()>& make) {
  if (std::filesystem::exists(path)) return ReadFile(path);
  absl::StatusOr<std::string> content = make();
  if (!content.ok()) return content;
  if (absl::Status status = WriteFile(path, *content); !status.ok()) return status;
  return content;
}

std::string NewSecret() {
  unsigned char bytes[16];
  RAND_bytes(bytes, sizeof bytes);
  return ToHex({reinterpret_cast<char*>(bytes), sizeof bytes});
}

}  // namespace yuezhan::yz
