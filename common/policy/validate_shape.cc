#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/text.h"
#include "common/policy/validate.h"
#include "common/policy/validate_report.h"

namespace yuezhan::policy {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

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

bool IsCode(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool IsDateField(const std::string& name) {
  return absl::EndsWith(name, "_on") || absl::EndsWith(name, "_from") || name == "effective_to";
}

class Shape {
 public:
  explicit Shape(Report* report) : report_(*report) {}

  void Check(const Message& message, const At& at);

 private:
  void Add(const At& at, std::string_view what) { report_.Add(at, what); }
  void Scalar(const Message& message, const FieldDescriptor* field, const At& at);
  void Text(const FieldDescriptor* field, const std::string& value, const At& at);
  void UniqueCodes(const Message& message, const FieldDescriptor* field, const At& parent);
  void Bases(const Message& message, const At& at);

  Report& report_;
};

void Shape::Text(const FieldDescriptor* field, const std::string& value, const At& at) {
  if (value.empty()) {
    if (!In(kMayBeEmpty, field->full_name())) Add(at, "missing");
  } else if (IsDateField(field->name()) && !ParseDay(value)) {
    Add(at, absl::StrCat("not a date as 2021-03-22: ", value));
  } else if (field->name() == "code" && !IsCode(value)) {
    Add(at, absl::StrCat("a code has lower-case letters, digits and hyphens: ", value));
  }
}

void Shape::Scalar(const Message& message, const FieldDescriptor* field, const At& at) {
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

void Shape::UniqueCodes(const Message& message, const FieldDescriptor* field,
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
void Shape::Bases(const Message& message, const At& at) {
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

void Shape::Check(const Message& message, const At& at) {
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
        Check(reflection->GetRepeatedMessage(message, field, k), Place(at, field, k));
      }
      if (is_message) UniqueCodes(message, field, at);
    } else if (!is_message) {
      Scalar(message, field, Place(at, field));
    } else if (reflection->HasField(message, field)) {
      Check(reflection->GetMessage(message, field), Place(at, field));
    } else {
      Add(Place(at, field), "missing");
    }
  }
  if (descriptor->FindFieldByName("basis") != nullptr) Bases(message, at);
}

}  // namespace

void Report::Add(const At& at, std::string_view what) {
  errors.push_back(absl::StrCat(Abs(name_), ":", at.location.line + 1, ":", at.location.column + 1,
                                ": ", at.path, at.path.empty() ? "" : ": ", Abs(what)));
}

At Place(const At& parent, const FieldDescriptor* field, int index) {
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

At Place(const At& parent, const Message& message, const char* field, int index) {
  return Place(parent, message.GetDescriptor()->FindFieldByName(field), index);
}

void CheckShape(const Message& message, const At& at, Report* report) {
  Shape(report).Check(message, at);
}

}  // namespace yuezhan::policy
