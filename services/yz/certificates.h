#ifndef YUEZHAN_SERVICES_YZ_CERTIFICATES_H_
#define YUEZHAN_SERVICES_YZ_CERTIFICATES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace yuezhan::yz {

// A certificate with its private key, PEM both.
struct Certificate {
  std::string certificate;
  std::string key;
};

// The authority of one installation on one machine: P-256, good for ten years.
absl::StatusOr<Certificate> MakeAuthority(const std::string& common_name);

// A certificate by that authority for a server on this machine (127.0.0.1, localhost) and by
// `hosts` (names and addresses), and for its calls to others: its common name tells which service
// it is. INVALID_ARGUMENT for a host that is neither name nor address. `life`: ten years; tests make
// one that has ended.
constexpr absl::Duration kCertificateLife = absl::Hours(10 * 365 * 24);
absl::StatusOr<Certificate> MakeCertificate(const Certificate& authority,
                                            const std::string& common_name,
                                            const std::vector<std::string>& hosts = {},
                                            absl::Duration life = kCertificateLife);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_CERTIFICATES_H_
