#include "common/rpc/validation.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "common/rpc/page_token.h"
#include "common/rpc/plans.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/type/date.pb.h"
#include "google/type/money.pb.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kMaxViolations = 100;
constexpr uint32_t kMaxItemCharacters = 200;

struct Sentence {
  std::string zh;
  std::string en;
};
using Fault = std::optional<Sentence>;

class Checker {
 public:
  void CheckMessage(const std::string& path, Message* message, const MessagePlan& plan);
  std::vector<errors::FieldViolation> violations;

 private:
  void CheckUnknown(const std::string& path, const Message& message);
  void CheckField(const std::string& path, Message* message, const FieldPlan& plan);
  void CheckItems(const std::string& path, Message* message, const FieldPlan& plan);
  void Tell(const std::string& path, Sentence sentence) {
    if (violations.size() < kMaxViolations) {
      violations.push_back({path, std::move(sentence.zh), std::move(sentence.en)});
    }
  }
  void Tell(const std::string& path, Fault fault) {
    if (fault) Tell(path, *std::move(fault));
  }
};

std::string Join(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : Concat({path, ".", name});
}

// ---- strings ----

size_t Characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

bool FitsPattern(std::string_view name, const std::vector<std::string>& pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    const size_t slash = name.find('/');
    const bool last = i + 1 == pattern.size();
    if (last != (slash == std::string_view::npos)) return false;
    const std::string_view segment = name.substr(0, slash);
    if (pattern[i] == "*" ? !IsUuid(segment) : segment != pattern[i]) return false;
    if (!last) name.remove_prefix(slash + 1);
  }
  return true;
}

Fault CheckString(std::string_view text, const FieldPlan& plan, uint32_t max_characters) {
  if (text.size() > max_characters && Characters(text) > max_characters) {
    const std::string limit = std::to_string(max_characters);
    return Sentence{Concat({"最多 ", limit, " 个字符"}),
                    Concat({"must be at most ", limit, " characters"})};
  }
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return Sentence{"不得含控制字符", "must hold no control characters"};
  }
  if (!plan.resources.empty() && !text.empty() &&
      std::none_of(plan.resources.begin(), plan.resources.end(),
                   [&](const auto& pattern) { return FitsPattern(text, pattern); })) {
    return Sentence{Concat({"须为资源名称 ", plan.rules.resource()}),
                    Concat({"must be a resource name ", plan.rules.resource()})};
  }
  return std::nullopt;
}

// ---- numbers ----

Fault CheckRange(double value, const FieldPlan& plan) {
  const auto& rules = plan.rules;
  if (!std::isfinite(value)) return Sentence{"须为有限的数", "must be a finite number"};
  if (value < static_cast<double>(rules.min())) {
    const std::string least = std::to_string(rules.min());
    return Sentence{Concat({"不得小于 ", least}), Concat({"must be at least ", least})};
  }
  if (rules.max() > 0 && value > static_cast<double>(rules.max())) {
    const std::string most = std::to_string(rules.max());
    return Sentence{Concat({"不得大于 ", most}), Concat({"must be at most ", most})};
  }
  return std::nullopt;
}

Fault CheckEnum(int number, const FieldDescriptor& field) {
  if (field.enum_type()->FindValueByNumber(number) != nullptr) return std::nullopt;
  return Sentence{"不是规定的取值", "is no value of the enumeration"};
}

// Value of item `index` of a repeated field, or of a single one (index -1).
template <typename Single, typename Repeated>
auto Get(const Message& message, const FieldDescriptor* field, int index, Single single,
         Repeated repeated) {
  const Reflection* reflection = message.GetReflection();
  return index < 0 ? (reflection->*single)(message, field)
                   : (reflection->*repeated)(message, field, index);
}

Fault CheckValue(const Message& message, const FieldPlan& plan, int index) {
  const FieldDescriptor* field = plan.field;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const Reflection* reflection = message.GetReflection();
      const std::string& text =
          index < 0 ? reflection->GetStringReference(message, field, &scratch)
                    : reflection->GetRepeatedStringReference(message, field, index, &scratch);
      if (field->type() == FieldDescriptor::TYPE_STRING) {
        return CheckString(text, plan, index < 0 ? plan.max_length : kMaxItemCharacters);
      }
      if (index < 0 && text.size() > plan.max_length) {
        const std::string limit = std::to_string(plan.max_length);
        return Sentence{Concat({"最多 ", limit, " 字节"}),
                        Concat({"must be at most ", limit, " bytes"})};
      }
      return std::nullopt;
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      return CheckEnum(
          Get(message, field, index, &Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue),
          *field);
    case FieldDescriptor::CPPTYPE_INT32:
      return CheckRange(
          Get(message, field, index, &Reflection::GetInt32, &Reflection::GetRepeatedInt32), plan);
    case FieldDescriptor::CPPTYPE_INT64:
      return CheckRange(static_cast<double>(Get(message, field, index, &Reflection::GetInt64,
                                                &Reflection::GetRepeatedInt64)),
                        plan);
    case FieldDescriptor::CPPTYPE_UINT32:
      return CheckRange(
          Get(message, field, index, &Reflection::GetUInt32, &Reflection::GetRepeatedUInt32), plan);
    case FieldDescriptor::CPPTYPE_UINT64:
      return CheckRange(static_cast<double>(Get(message, field, index, &Reflection::GetUInt64,
                                                &Reflection::GetRepeatedUInt64)),
                        plan);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return CheckRange(
          Get(message, field, index, &Reflection::GetDouble, &Reflection::GetRepeatedDouble), plan);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return CheckRange(
          Get(message, field, index, &Reflection::GetFloat, &Reflection::GetRepeatedFloat), plan);
    default:
      return std::nullopt;
  }
}

// ---- presence ----

// Given: present where the field knows presence, else not empty, not zero.
bool IsGiven(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  if (field->is_repeated()) return reflection->FieldSize(message, field) > 0;
  if (!reflection->HasField(message, field)) return false;
  // An optional string that is there but empty tells nothing.
  return field->cpp_type() != FieldDescriptor::CPPTYPE_STRING ||
         !reflection->GetString(message, field).empty();
}

// ---- well-known types: checked whole, by name ----

Fault CheckDate(const Message& message) {
  google::type::Date date;
  date.CopyFrom(message);
  if (DayFromProto(date)) return std::nullopt;
  return Sentence{"不是有效的日期", "must be a day of the calendar"};
}

Fault CheckMoney(const Message& message) {
  google::type::Money money;
  money.CopyFrom(message);
  if (FenOf(money).ok()) return std::nullopt;
  return Sentence{"须为人民币金额，精确到分", "must be an amount in CNY, of whole fen"};
}

Fault CheckTimestamp(const Message& message) {
  google::protobuf::Timestamp time;
  time.CopyFrom(message);
  constexpr int64_t kYear1 = -62'135'596'800, kYear9999 = 253'402'300'799;
  if (time.seconds() >= kYear1 && time.seconds() <= kYear9999 && time.nanos() >= 0 &&
      time.nanos() < 1'000'000'000) {
    return std::nullopt;
  }
  return Sentence{"不是有效的时间", "must be a valid timestamp"};
}

struct WellKnown {
  std::string_view type;
  Fault (*check)(const Message&);
};
constexpr WellKnown kWellKnown[] = {
    {"google.type.Date", &CheckDate},
    {"google.type.Money", &CheckMoney},
    {"google.protobuf.Timestamp", &CheckTimestamp},
};

// ---- fields of the whole product, by name ----

bool IsRequestId(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Fault CheckRequestId(const Message& request, const FieldDescriptor* field) {
  if (IsRequestId(request.GetReflection()->GetString(request, field))) return std::nullopt;
  return Sentence{"须为 1 至 64 个可打印字符，例如 UUID",
                  "must be 1 to 64 printable characters, a UUID for example"};
}

Fault CheckPageSize(const Message& request, const FieldDescriptor* field) {
  const int size = request.GetReflection()->GetInt32(request, field);
  if (size <= kMaxPageSize) return std::nullopt;  // below zero: the range check tells
  const std::string most = std::to_string(kMaxPageSize);
  return Sentence{Concat({"不得大于 ", most}), Concat({"must be at most ", most})};
}

// ---- the walk ----

void Checker::CheckUnknown(const std::string& path, const Message& message) {
  const auto& unknown = message.GetReflection()->GetUnknownFields(message);
  for (int i = 0; i < std::min(unknown.field_count(), 10); ++i) {
    Tell(Join(path, std::to_string(unknown.field(i).number())),
         Sentence{"未知字段", "is no field of this message"});
  }
}

void Checker::CheckItems(const std::string& path, Message* message, const FieldPlan& plan) {
  const Reflection* reflection = message->GetReflection();
  const int size = reflection->FieldSize(*message, plan.field);
  if (static_cast<uint32_t>(size) > plan.max_length) {
    const std::string limit = std::to_string(plan.max_length);
    return Tell(path, Sentence{Concat({"最多 ", limit, " 项"}),
                               Concat({"must be at most ", limit, " items"})});
  }
  for (int i = 0; i < size; ++i) {
    const std::string item = Concat({path, "[", std::to_string(i), "]"});
    if (plan.child != nullptr) {
      CheckMessage(item, reflection->MutableRepeatedMessage(message, plan.field, i), *plan.child);
    } else {
      Tell(item, CheckValue(*message, plan, i));
    }
  }
}

void Checker::CheckField(const std::string& path, Message* message, const FieldPlan& plan) {
  const Reflection* reflection = message->GetReflection();
  if (plan.rules.output_only()) {
    reflection->ClearField(message, plan.field);
    return;
  }
  if (!IsGiven(*message, plan.field)) {
    if (plan.rules.required()) return Tell(path, Sentence{"不得为空", "must be given"});
    // Zero is a value too where the contract sets a least one above it and does not call it absent.
    if (plan.field->is_repeated() || plan.child != nullptr) return;
    if (plan.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) return;
  }
  if (plan.field->is_repeated()) return CheckItems(path, message, plan);
  if (plan.child != nullptr) {
    return CheckMessage(path, reflection->MutableMessage(message, plan.field), *plan.child);
  }
  if (plan.field->has_presence() && !reflection->HasField(*message, plan.field)) return;
  Tell(path, CheckValue(*message, plan, -1));
}

void Checker::CheckMessage(const std::string& path, Message* message, const MessagePlan& plan) {
  CheckUnknown(path, *message);
  for (const WellKnown& known : kWellKnown) {
    if (plan.type->full_name() == known.type) return Tell(path, known.check(*message));
  }
  for (const FieldPlan& field : plan.fields) {
    CheckField(Join(path, field.field->name()), message, field);
  }
}

}  // namespace

absl::Status CheckRequest(Message* request) {
  Checker checker;
  checker.CheckMessage("", request, PlanOf(request->GetDescriptor()));
  const auto add = [&](const std::string& of, const Message& message, const char* name,
                       FieldDescriptor::CppType type, auto check) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr || field->is_repeated() || field->cpp_type() != type) return;
    const std::string path = Join(of, name);
    const auto told = [&](const errors::FieldViolation& each) { return each.path == path; };
    if (std::any_of(checker.violations.begin(), checker.violations.end(), told)) return;
    if (Fault fault = check(message, field)) {
      checker.violations.push_back({path, fault->zh, fault->en});
    }
  };
  add("", *request, "request_id", FieldDescriptor::CPPTYPE_STRING, &CheckRequestId);
  add("", *request, "page_size", FieldDescriptor::CPPTYPE_INT32, &CheckPageSize);
  // Each of a list's requests is one by itself.
  const FieldDescriptor* items = request->GetDescriptor()->FindFieldByName("requests");
  if (items != nullptr && items->is_repeated() && items->message_type() != nullptr) {
    const Reflection& reflection = *request->GetReflection();
    for (int i = 0; i < reflection.FieldSize(*request, items); ++i) {
      add(Concat({"requests[", std::to_string(i), "]"}),
          reflection.GetRepeatedMessage(*request, items, i), "request_id",
          FieldDescriptor::CPPTYPE_STRING, &CheckRequestId);
    }
  }
  if (checker.violations.empty()) return absl::OkStatus();
  return errors::InvalidFields(checker.violations);
}

void PrepareCheck(const google::protobuf::Descriptor* type) { PlanOf(type); }

}  // namespace yuezhan::rpc
