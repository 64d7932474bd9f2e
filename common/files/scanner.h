// An optional virus scanner: clamd, by its socket. Where one is configured, no file is taken in
// that it did not find clean.
#ifndef YUEZHAN_COMMON_FILES_SCANNER_H_
#define YUEZHAN_COMMON_FILES_SCANNER_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/files/content.h"

namespace yuezhan::files {

class Scanner {
 public:
  // "unix:/run/clamav/clamd.ctl" or "127.0.0.1:3310". INVALID_ARGUMENT for anything else. Whether
  // it answers is seen when a file is scanned: it may start later than we do.
  static absl::StatusOr<Scanner> At(std::string_view address);

  // Streams a file to the scanner, one chunk at a time. INVALID_ARGUMENT: it is infected.
  // UNAVAILABLE: the scanner is away, silent for ten seconds, or answers anything but a finding.
  // Errors of `read` pass.
  absl::Status Scan(int64_t size_bytes, ReadAt read, absl::Time deadline) const;

 private:
  Scanner(std::string path, std::string host, int port)
      : path_(std::move(path)), host_(std::move(host)), port_(port) {}

  std::string path_;  // of a local socket; else host and port
  std::string host_;  // IPv4 address
  int port_;
};

}  // namespace yuezhan::files

#endif  // YUEZHAN_COMMON_FILES_SCANNER_H_
