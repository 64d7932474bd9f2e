#include "common/policy/policy.h"

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/dates.h"
#include "common/base/digest.h"
#include "common/base/text.h"
#include "common/policy/validate.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"

namespace yuezhan::embedded {
extern const char kYueyang2021[];
}

namespace yuezhan::policy {
namespace {

class Errors : public google::protobuf::io::ErrorCollector {
 public:
  explicit Errors(std::string_view name) : name_(name) {}
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    lines.push_back(absl::StrCat(Abs(name_), ":", line + 1, ":", column + 1, ": ", message));
  }
  std::vector<std::string> lines;

 private:
  std::string_view name_;
};

}  // namespace

absl::StatusOr<Policies> Policies::Parse(std::string_view text, std::string_view name) {
  auto set = std::make_shared<v1::PolicySet>();
  Errors errors(name);
  google::protobuf::TextFormat::ParseInfoTree places;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.WriteLocationsTo(&places);
  if (parser.ParseFromString(std::string(text), set.get())) {
    errors.lines = Validate(*set, places, name);
  }
  if (!errors.lines.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(errors.lines, "\n"));
  }
  Policies policies;
  policies.text_ = std::make_shared<const std::string>(text);
  for (const v1::Policy& version : set->versions()) {
    policies.versions_.push_back(&version);
    common::v1::PolicyReference& reference = policies.references_.emplace_back();
    reference.set_version(version.version());
    reference.set_digest(PolicyDigest(version));
  }
  policies.set_ = std::move(set);
  return policies;
}

absl::StatusOr<Policies> Policies::LoadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::NotFoundError(absl::StrCat("cannot read the policy ", path));
  }
  return Parse(text.str(), path);
}

const Policies& Policies::Builtin() {
  static const Policies* const policies =
      new Policies(Parse(embedded::kYueyang2021, "yueyang_2021.textproto").value());
  return *policies;
}

absl::StatusOr<Policies> Policies::LoadFileOrBuiltin(const std::string& path) {
  if (path.empty()) return Builtin();
  return LoadFile(path);
}

absl::StatusOr<const v1::Policy*> Policies::InForceOn(absl::CivilDay day) const {
  for (const v1::Policy* version : versions_) {
    const v1::Document& document = version->document();
    if (day < *ParseDay(document.effective_from())) continue;
    if (document.effective_to().empty() || day <= *ParseDay(document.effective_to()))
      return version;
  }
  const std::string known =
      absl::StrJoin(versions_, ", ", [](std::string* out, const v1::Policy* p) {
        absl::StrAppend(out, p->version(), " ", p->document().effective_from(), "..",
                        p->document().effective_to());
      });
  return absl::FailedPreconditionError(
      absl::StrCat(FormatDayZh(day), "没有施行中的资助办法（已有：", known,
                   "）。No policy is in force on ", FormatDay(day), " (there are: ", known, ")."));
}

absl::StatusOr<const v1::Policy*> Policies::ByVersion(std::string_view version) const {
  for (const v1::Policy* policy : versions_) {
    if (policy->version() == version) return policy;
  }
  return absl::NotFoundError(absl::StrCat("no policy version ", Abs(version)));
}

const common::v1::PolicyReference& Policies::ReferenceTo(const v1::Policy& policy) const {
  size_t at = 0;
  while (at + 1 < versions_.size() && versions_[at] != &policy) ++at;
  return references_[at];
}

std::string PolicyDigest(const v1::Policy& policy) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    policy.SerializeToCodedStream(&coded);
  }
  return ToHex(Sha256(bytes));
}

namespace {

template <class Entries>
const typename Entries::value_type* FindCode(const Entries& entries, std::string_view code) {
  for (const auto& entry : entries) {
    if (entry.code() == code) return &entry;
  }
  return nullptr;
}

const v1::HostKind* FindKind(const v1::Policy& policy, common::v1::HostUnitKind kind) {
  for (const v1::HostKind& entry : policy.host_kinds().kinds()) {
    if (entry.kind() == kind) return &entry;
  }
  return nullptr;
}

}  // namespace

const v1::Level* FindLevel(const v1::Policy& policy, common::v1::StationLevel level) {
  for (const v1::Level& entry : policy.levels()) {
    if (entry.level() == level) return &entry;
  }
  return nullptr;
}

const v1::IndustryChain* FindChain(const v1::Policy& policy, std::string_view code) {
  return FindCode(policy.industry().chains(), code);
}

const v1::Material* FindMaterial(const v1::Policy& policy, std::string_view code) {
  return FindCode(policy.application().materials(), code);
}

const v1::NoticeSite* FindSite(const v1::Policy& policy, std::string_view code) {
  return FindCode(policy.notice().sites(), code);
}

const v1::Round* FindRound(const v1::Policy& policy, int subsidy_year) {
  for (const v1::Round& round : policy.application().rounds()) {
    if (round.subsidy_year() == subsidy_year) return &round;
  }
  return nullptr;
}

common::v1::HostUnitKind TakenFor(const v1::Policy& policy, common::v1::HostUnitKind kind) {
  for (const v1::HostKindMapping& mapping : policy.host_kinds().mappings()) {
    if (mapping.kind() == kind) return mapping.taken_for();
  }
  return kind;
}

std::string_view HostKindZh(const v1::Policy& policy, common::v1::HostUnitKind kind) {
  const v1::HostKind* entry = FindKind(policy, kind);
  return entry == nullptr ? std::string_view() : entry->name_zh();
}

std::string_view HostKindEn(const v1::Policy& policy, common::v1::HostUnitKind kind) {
  const v1::HostKind* entry = FindKind(policy, kind);
  return entry == nullptr ? std::string_view() : entry->name_en();
}

}  // namespace yuezhan::policy
