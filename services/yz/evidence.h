// The evidence of one case in one file, and its check by who has nothing but the file and the ids of
// keys that it trusts.
#ifndef YUEZHAN_SERVICES_YZ_EVIDENCE_H_
#define YUEZHAN_SERVICES_YZ_EVIDENCE_H_

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "yuezhan/review/v1/evidence.pb.h"

namespace yuezhan::yz {

// Calls a method of a service as an auditor.
using CallService =
    std::function<absl::Status(const std::string& service, std::string_view method,
                               const google::protobuf::Message&, google::protobuf::Message*)>;

// Collects what the journals of `services` (review among them) say of the case, with what proves it.
// Reads each journal from its first row to its head.
absl::StatusOr<review::v1::CaseEvidence> CollectEvidence(const CallService& call,
                                                         const std::vector<std::string>& services,
                                                         const std::string& case_name);

// What a check found.
struct EvidenceReport {
  int entries = 0;                       // proven to a signature
  int opened = 0;                        // of them with their private part
  int steps = 0;                         // of the history, told anew by the proven entries
  std::set<std::string> keys;            // ids of the keys that signed
  std::vector<std::string> remarks;      // what could not be looked at
  std::vector<std::string> faults;       // what is wrong; empty: nothing
};

// Checks it: each entry follows from its leaf to a signature, each private part is the one that was
// stored, the history is what the entries say, one step following from the other; amounts and
// digests of the award are the same from resolution to payment; the policy is the decisions', the
// calendar the period's, and the rules say again what they said. `trusted`: ids of the keys that
// count; empty: those in the file, which then prove only that it is consistent.
EvidenceReport VerifyEvidence(const review::v1::CaseEvidence& evidence,
                              const std::set<std::string>& trusted);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_EVIDENCE_H_
