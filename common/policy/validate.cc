#include "common/policy/validate.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/text.h"

namespace yuezhan::policy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Tree = google::protobuf::TextFormat::ParseInfoTree;
using google::protobuf::TextFormat;

// Strings that may be left out, and enums whose zero means something.
constexpr std::string_view kMayBeEmpty[] = {
    "yuezhan.policy.v1.Document.effective_to", "yuezhan.policy.v1.Application.newly_built_from",
    "yuezhan.policy.v1.Material.article", "yuezhan.policy.v1.Basis.why",
    "yuezhan.policy.v1.Level.contract_party"};

// Least and greatest value of each number; a number that is not here may be 0 to 1000.
struct Range {
  std::string_view field;
  int64_t least;
  int64_t greatest;
};
constexpr Range kRanges[] = {
    {"yuezhan.policy.v1.Level.subsidy_fen", 0, 99'999'999'999'999},
    {"yuezhan.policy.v1.Filing.late_after_days", 0, 36'500},
    {"yuezhan.policy.v1.Filing.decision_working_days", 1, 250},
    {"yuezhan.policy.v1.Application.full_years", 0, 50},
    {"yuezhan.policy.v1.Application.max_materials", 1, 200},
    {"yuezhan.policy.v1.Application.upload_expiry_hours", 1, 8'784},
    {"yuezhan.policy.v1.Application.correction_working_days", 1, 250},
    {"yuezhan.policy.v1.Round.subsidy_year", 1949, 9999},
    // 64 MiB: a scan of a whole case file; more would not fit a request's memory.
    {"yuezhan.policy.v1.Material.max_bytes", 1, 67'108'864},
    {"yuezhan.policy.v1.Material.max_files", 1, 200},
    {"yuezhan.policy.v1.ScoredItem.weight", 1, 1000},
    {"yuezhan.policy.v1.Assessment.pass_score", 0, 100},
    {"yuezhan.policy.v1.Assessment.min_assessors", 1, 50},
    {"yuezhan.policy.v1.Review.opinion_working_days", 1, 250},
    {"yuezhan.policy.v1.Review.meeting_quorum", 1, 50},
    {"yuezhan.policy.v1.Notice.working_days", 1, 250},
    {"yuezhan.policy.v1.Notice.objection_acceptance_working_days", 1, 250},
    {"yuezhan.policy.v1.Notice.objection_examination_working_days", 1, 250},
    {"yuezhan.policy.v1.Notice.objection_answer_working_days", 1, 250},
    {"yuezhan.policy.v1.Payment.receipt_due_days", 1, 3650},
    {"yuezhan.policy.v1.Payment.use_report_due_months", 1, 240},
    {"yuezhan.policy.v1.Payment.use_mainly_percent", 0, 99},
    {"yuezhan.policy.v1.Evaluation.review_working_days", 1, 250},
    {"yuezhan.policy.v1.Evaluation.debarment_years", 0, 99},
    {"yuezhan.policy.v1.Grade.min_score", 0, 100},
    {"yuezhan.policy.v1.Retention.payment_records_years", 1, 100},
};

// Lists that may be empty: no round, nothing mapped, nothing excepted, any articles' own forms.
constexpr std::string_view kMayBeEmptyList[] = {"yuezhan.policy.v1.Application.rounds",
                                                "yuezhan.policy.v1.HostKinds.mappings",
                                                "yuezhan.policy.v1.Filing.exceptable_rules"};

// Rules that hold "as a rule" (原则上) and those an officer may accept by name.
constexpr std::string_view kExceptableRules[] = {"filing.host-kind", "filing.contract-party",
                                                 "filing.society-rank", "filing.industry-tie"};

constexpr std::string_view kMediaTypes[] = {"application/pdf", "application/ofd", "image/jpeg",
                                            "image/png"};

template <class List>
bool In(const List& list, std::string_view value) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

bool IsCode(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool IsDateField(const std::string& name) {
  return absl::EndsWith(name, "_on") || absl::EndsWith(name, "_from") || name == "effective_to";
}

// A place in the file: a message, where it was read, and its own line.
struct At {
  const Tree* tree = nullptr;
  TextFormat::ParseLocation location{0, 0};
  std::string path;
};

class Validator {
 public:
  explicit Validator(std::string_view name) : name_(name) {}

  void Shape(const Message& message, const At& at);
  void Set(const v1::PolicySet& set, const At& at);

  std::vector<std::string> errors;

 private:
  void Add(const At& at, std::string_view what) {
    errors.push_back(absl::StrCat(Abs(name_), ":", at.location.line + 1, ":",
                                  at.location.column + 1, ": ", at.path,
                                  at.path.empty() ? "" : ": ", Abs(what)));
  }
  // The place of a field, or of its message where it was not written.
  At Place(const At& parent, const FieldDescriptor* field, int index = -1) const;
  At Place(const At& parent, const Message& message, const char* field, int index = -1) const {
    return Place(parent, message.GetDescriptor()->FindFieldByName(field), index);
  }
  void Scalar(const Message& message, const FieldDescriptor* field, const At& at);
  void Text(const FieldDescriptor* field, const std::string& value, const At& at);
  void UniqueCodes(const Message& message, const FieldDescriptor* field, const At& parent);
  void Bases(const Message& message, const At& at);

  void Version(const v1::Policy& policy, const At& at);
  void Levels(const v1::Policy& policy, const At& at);
  void Kinds(const v1::Policy& policy, const At& at);
  void Application(const v1::Application& application, const At& at);
  void Evaluation(const v1::Evaluation& evaluation, const At& at);
  void Separation(const v1::Policy& policy, const At& at);

  std::string_view name_;
};

At Validator::Place(const At& parent, const FieldDescriptor* field, int index) const {
  At at;
  at.path = absl::StrCat(parent.path, parent.path.empty() ? "" : ".", field->name());
  if (index >= 0) absl::StrAppend(&at.path, "[", index, "]");
  if (parent.tree != nullptr) {
    at.location = parent.tree->GetLocation(field, index);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && at.location.line >= 0) {
      at.tree = parent.tree->GetTreeForNested(field, index);
    }
  }
  if (at.location.line < 0 || parent.tree == nullptr) at.location = parent.location;
  return at;
}

void Validator::Text(const FieldDescriptor* field, const std::string& value, const At& at) {
  if (value.empty()) {
    if (!In(kMayBeEmpty, field->full_name())) Add(at, "missing");
  } else if (IsDateField(field->name()) && !ParseDay(value)) {
    Add(at, absl::StrCat("not a date as 2021-03-22: ", value));
  } else if (field->name() == "code" && !IsCode(value)) {
    Add(at, absl::StrCat("a code has lower-case letters, digits and hyphens: ", value));
  }
}

void Validator::Scalar(const Message& message, const FieldDescriptor* field, const At& at) {
  const Reflection* reflection = message.GetReflection();
  if (field->has_optional_keyword() && !reflection->HasField(message, field)) {
    return Add(at, "missing");
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return Text(field, reflection->GetString(message, field), at);
    case FieldDescriptor::CPPTYPE_ENUM:
      if (reflection->GetEnumValue(message, field) == 0 && !In(kMayBeEmpty, field->full_name())) {
        Add(at, "missing");
      } else if (field->enum_type()->FindValueByNumber(reflection->GetEnumValue(message, field)) ==
                 nullptr) {
        Add(at, "unknown value");
      }
      return;
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64: {
      const int64_t value = field->cpp_type() == FieldDescriptor::CPPTYPE_INT32
                                ? reflection->GetInt32(message, field)
                                : reflection->GetInt64(message, field);
      Range range{"", 0, 1000};
      for (const Range& known : kRanges) {
        if (known.field == field->full_name()) range = known;
      }
      if (value < range.least || value > range.greatest) {
        Add(at, absl::StrCat(value, " is not in ", range.least, " to ", range.greatest));
      }
      return;
    }
    default:
      return;
  }
}

void Validator::UniqueCodes(const Message& message, const FieldDescriptor* field,
                            const At& parent) {
  const FieldDescriptor* code = field->message_type()->FindFieldByName("code");
  if (code == nullptr) return;
  std::set<std::string> seen;
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    const Message& entry = reflection->GetRepeatedMessage(message, field, i);
    const std::string value = entry.GetReflection()->GetString(entry, code);
    if (!seen.insert(value).second) Add(Place(parent, field, i), absl::StrCat("twice: ", value));
  }
}

// Article 8: both offices interpret, so every value says whether it is the text's or an
// interpretation.
void Validator::Bases(const Message& message, const At& at) {
  const Descriptor* descriptor = message.GetDescriptor();
  const Reflection* reflection = message.GetReflection();
  const FieldDescriptor* bases = descriptor->FindFieldByName("basis");
  std::set<std::string> covered;
  for (int i = 0; i < reflection->FieldSize(message, bases); ++i) {
    const auto& basis =
        static_cast<const v1::Basis&>(reflection->GetRepeatedMessage(message, bases, i));
    const At place = Place(at, bases, i);
    for (const std::string& of : basis.of()) {
      if (descriptor->FindFieldByName(of) == nullptr || of == "basis") {
        Add(place, absl::StrCat("no such field: ", of));
      } else if (!covered.insert(of).second) {
        Add(place, absl::StrCat("a second basis of ", of));
      }
    }
    if (basis.article() == "interpretation" && basis.why().empty()) {
      Add(place, "an interpretation must say why");
    }
  }
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const bool may_be_absent = In(kMayBeEmpty, field->full_name()) || field->is_repeated();
    const bool present = field->is_repeated() ? reflection->FieldSize(message, field) > 0
                                              : reflection->HasField(message, field);
    if (field == bases || (may_be_absent && !present)) continue;
    if (covered.count(field->name()) == 0) {
      Add(Place(at, field, field->is_repeated() ? 0 : -1),
          "no basis names its article or interpretation");
    }
  }
}

void Validator::Shape(const Message& message, const At& at) {
  const Descriptor* descriptor = message.GetDescriptor();
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (field->is_repeated()) {
      const int size = reflection->FieldSize(message, field);
      if (size == 0 && !In(kMayBeEmptyList, field->full_name())) {
        Add(at, absl::StrCat(field->name(), ": missing"));
      }
      for (int k = 0; is_message && k < size; ++k) {
        Shape(reflection->GetRepeatedMessage(message, field, k), Place(at, field, k));
      }
      if (is_message) UniqueCodes(message, field, at);
    } else if (!is_message) {
      Scalar(message, field, Place(at, field));
    } else if (reflection->HasField(message, field)) {
      Shape(reflection->GetMessage(message, field), Place(at, field));
    } else {
      Add(Place(at, field), "missing");
    }
  }
  if (descriptor->FindFieldByName("basis") != nullptr) Bases(message, at);
}

void Validator::Levels(const v1::Policy& policy, const At& at) {
  std::set<int> seen, kinds, mapped;
  for (const v1::HostKind& kind : policy.host_kinds().kinds()) kinds.insert(kind.kind());
  for (const v1::HostKindMapping& mapping : policy.host_kinds().mappings())
    mapped.insert(mapping.kind());
  for (int i = 0; i < policy.levels_size(); ++i) {
    const v1::Level& level = policy.levels(i);
    const At place = Place(at, policy, "levels", i);
    if (!seen.insert(level.level()).second)
      Add(Place(place, level, "level"), "the level stands here twice");
    for (int k = 0; k < level.host_kinds_size(); ++k) {
      const At kind = Place(place, level, "host_kinds", k);
      if (kinds.count(level.host_kinds(k)) == 0) Add(kind, "the kind has no entry in host_kinds");
      if (mapped.count(level.host_kinds(k)) != 0)
        Add(kind, "the kind is taken for another by a mapping");
    }
  }
}

void Validator::Kinds(const v1::Policy& policy, const At& at) {
  const v1::HostKinds& section = policy.host_kinds();
  const At host_kinds = Place(at, policy, "host_kinds");
  std::set<int> seen, mapped;
  for (int i = 0; i < section.kinds_size(); ++i) {
    if (!seen.insert(section.kinds(i).kind()).second) {
      Add(Place(host_kinds, section, "kinds", i), "the kind stands here twice");
    }
  }
  for (const auto& mapping : section.mappings()) mapped.insert(mapping.kind());
  if (static_cast<int>(mapped.size()) != section.mappings_size()) {
    Add(host_kinds, "a kind is mapped twice");
  }
  for (int i = 0; i < section.mappings_size(); ++i) {
    if (mapped.count(section.mappings(i).taken_for()) != 0) {
      Add(Place(host_kinds, section, "mappings", i), "taken for a kind that is itself mapped");
    }
  }
  seen.clear();
  for (int i = 0; i < policy.work().kinds_size(); ++i) {
    if (!seen.insert(policy.work().kinds(i).kind()).second) {
      Add(Place(Place(at, policy, "work"), policy.work(), "kinds", i),
          "the kind stands here twice");
    }
  }
  const auto& chains = policy.industry().chains();
  if (std::none_of(chains.begin(), chains.end(),
                   [](const auto& c) { return c.counts_for_article_1(); })) {
    Add(Place(at, policy, "industry"),
        "no chain counts for article 1, so no station could be filed");
  }
  const At filing = Place(at, policy, "filing");
  for (int i = 0; i < policy.filing().exceptable_rules_size(); ++i) {
    if (!In(kExceptableRules, policy.filing().exceptable_rules(i))) {
      Add(Place(filing, policy.filing(), "exceptable_rules", i),
          absl::StrCat("no rule that can be excepted: ", policy.filing().exceptable_rules(i)));
    }
  }
}

void Validator::Application(const v1::Application& application, const At& at) {
  std::set<int> years;
  for (int i = 0; i < application.rounds_size(); ++i) {
    const v1::Round& round = application.rounds(i);
    const At place = Place(at, application, "rounds", i);
    if (!years.insert(round.subsidy_year()).second) Add(place, "a second round of the year");
    if (round.closes_on() < round.opens_on()) Add(place, "closes before it opens");
  }
  int required = 0;
  for (int i = 0; i < application.materials_size(); ++i) {
    const v1::Material& material = application.materials(i);
    required += material.required();
    for (int k = 0; k < material.media_types_size(); ++k) {
      if (!In(kMediaTypes, material.media_types(k))) {
        Add(Place(Place(at, application, "materials", i), material, "media_types", k),
            absl::StrCat("unknown media type: ", material.media_types(k)));
      }
    }
  }
  if (required > application.max_materials()) {
    Add(Place(at, application, "max_materials"), "less than the required materials");
  }
}

void Validator::Evaluation(const v1::Evaluation& evaluation, const At& at) {
  for (int i = 0; i < evaluation.grades_size(); ++i) {
    const v1::Grade& grade = evaluation.grades(i);
    const At place = Place(at, evaluation, "grades", i);
    if (i > 0 && grade.min_score() >= evaluation.grades(i - 1).min_score()) {
      Add(place, "grades go from the best down");
    }
    if (i > 0 && grade.passes() && !evaluation.grades(i - 1).passes()) {
      Add(place, "passes though a better grade fails");
    }
    if (i + 1 == evaluation.grades_size() && grade.min_score() != 0) {
      Add(place, "the last grade must start at 0");
    }
  }
  if (!evaluation.failure_debars() && evaluation.debarment_years() != 0) {
    Add(Place(at, evaluation, "debarment_years"), "contradicts failure_debars: false");
  }
  if (!evaluation.failure_debars() && evaluation.municipal_failure_debars()) {
    Add(Place(at, evaluation, "municipal_failure_debars"), "contradicts failure_debars: false");
  }
}

void Validator::Separation(const v1::Policy& policy, const At& at) {
  using common::v1::Act;
  const v1::Separation& separation = policy.separation();
  const At place = Place(at, policy, "separation");
  std::set<std::pair<int, int>> pairs;
  for (int i = 0; i < separation.incompatible_size(); ++i) {
    const int first = separation.incompatible(i).first();
    const int second = separation.incompatible(i).second();
    if (!pairs.emplace(std::min(first, second), std::max(first, second)).second) {
      Add(Place(place, separation, "incompatible", i), "the pair stands here twice");
    }
  }
  if (policy.review().opinion_by_two_officers() &&
      pairs.count({Act::ACT_PREPARE, Act::ACT_APPROVE}) == 0) {
    Add(place, "review.opinion_by_two_officers needs the pair ACT_PREPARE, ACT_APPROVE");
  }
  if (policy.payment().by_two_officers() && pairs.count({Act::ACT_PREPARE, Act::ACT_PAY}) == 0) {
    Add(place, "payment.by_two_officers needs the pair ACT_PREPARE, ACT_PAY");
  }
}

void Validator::Version(const v1::Policy& policy, const At& at) {
  const v1::Document& document = policy.document();
  if (!document.effective_to().empty() && document.effective_to() < document.effective_from()) {
    Add(Place(Place(at, policy, "document"), document, "effective_to"), "before effective_from");
  }
  Levels(policy, at);
  Kinds(policy, at);
  Application(policy.application(), Place(at, policy, "application"));
  Evaluation(policy.evaluation(), Place(at, policy, "evaluation"));
  Separation(policy, at);
  if (!policy.notice().changed_list_published_anew()) {
    // Article 5.3 publishes amounts: money that nobody was shown is not paid.
    Add(Place(Place(at, policy, "notice"), policy.notice(), "changed_list_published_anew"),
        "must be true: article 5.3 has amounts published, changed ones too");
  }
}

void Validator::Set(const v1::PolicySet& set, const At& at) {
  std::set<std::string> names;
  for (int i = 0; i < set.versions_size(); ++i) {
    const At place = Place(at, set, "versions", i);
    Version(set.versions(i), place);
    if (!names.insert(set.versions(i).version()).second)
      Add(place, "a second version of that name");
    if (i == 0) continue;
    const v1::Document& before = set.versions(i - 1).document();
    if (before.effective_to().empty() ||
        before.effective_to() >= set.versions(i).document().effective_from()) {
      Add(Place(place, set.versions(i), "document"),
          "effective_from must be after effective_to of the version before");
    }
  }
}

}  // namespace

std::vector<std::string> Validate(const v1::PolicySet& set, const Tree& places,
                                  std::string_view name) {
  Validator validator(name);
  At root;
  root.tree = &places;
  validator.Shape(set, root);
  if (validator.errors.empty()) validator.Set(set, root);
  return validator.errors;
}

}  // namespace yuezhan::policy
