// The policy in force: versions of one file, chosen by date, each with a digest.
#ifndef YUEZHAN_COMMON_POLICY_POLICY_H_
#define YUEZHAN_COMMON_POLICY_POLICY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "yuezhan/common/v1/types.pb.h"
#include "yuezhan/policy/v1/policy.pb.h"

namespace yuezhan::policy {

// One valid policy file, immutable; copies share it. A pointer into it lives as long as any copy.
class Policies {
 public:
  // Parses and validates. Every mistake is told at once, one a line, as "name:line:column: what".
  // InvalidArgument on unknown, missing or contradictory values.
  static absl::StatusOr<Policies> Parse(std::string_view text, std::string_view name);
  // The same of a file; NotFound when it can't be read.
  static absl::StatusOr<Policies> LoadFile(const std::string& path);
  // Yueyang 2021, built in.
  static const Policies& Builtin();
  // LoadFile(path), or Builtin() when `path` is empty: what the flag --policy means.
  static absl::StatusOr<Policies> LoadFileOrBuiltin(const std::string& path);

  // The version that judges a case of that day. FailedPrecondition when none is in force: says in
  // both languages which versions there are.
  absl::StatusOr<const v1::Policy*> InForceOn(absl::CivilDay day) const;
  // The version of that name, for a decision that was made under it; NotFound.
  absl::StatusOr<const v1::Policy*> ByVersion(std::string_view version) const;
  // Name and digest to keep with a decision. `policy` must be one of versions().
  const common::v1::PolicyReference& ReferenceTo(const v1::Policy& policy) const;

  const std::vector<const v1::Policy*>& versions() const { return versions_; }
  // The text it was read from, for evidence.
  const std::string& text() const { return *text_; }

 private:
  std::shared_ptr<const v1::PolicySet> set_;
  std::shared_ptr<const std::string> text_;
  std::vector<const v1::Policy*> versions_;
  std::vector<common::v1::PolicyReference> references_;
};

// SHA-256, lower-case hex, of a policy's deterministic serialization.
std::string PolicyDigest(const v1::Policy& policy);

// Look-ups in one policy; nullptr when it has no such entry.
const v1::Level* FindLevel(const v1::Policy& policy, common::v1::StationLevel level);
const v1::IndustryChain* FindChain(const v1::Policy& policy, std::string_view code);
const v1::Material* FindMaterial(const v1::Policy& policy, std::string_view code);
const v1::NoticeSite* FindSite(const v1::Policy& policy, std::string_view code);
const v1::Round* FindRound(const v1::Policy& policy, int subsidy_year);
// The kind a host unit is taken for (development zones by the policy's mapping; others themselves).
common::v1::HostUnitKind TakenFor(const v1::Policy& policy, common::v1::HostUnitKind kind);
// Names as sentences print them; "" where the policy has none.
std::string_view HostKindZh(const v1::Policy& policy, common::v1::HostUnitKind kind);
std::string_view HostKindEn(const v1::Policy& policy, common::v1::HostUnitKind kind);

}  // namespace yuezhan::policy

#endif  // YUEZHAN_COMMON_POLICY_POLICY_H_
