#include "common/rpc/mask.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "common/rpc/plans.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wire_format_lite.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

void Mask(Message* message, const MessagePlan& plan);

bool IsPersonal(const FieldPlan& plan) {
  return plan.rules.personal() != common::v1::PERSONAL_UNSPECIFIED;
}
bool HoldsPersonalBelow(const FieldPlan& plan) {
  return plan.child != nullptr && plan.child->holds_personal;
}

// A field that hides itself, or whose kind has no shorter form, is left out: never shown by
// mistake.
bool IsLeftOut(const FieldPlan& plan) {
  return plan.field->type() != FieldDescriptor::TYPE_STRING ||
         plan.rules.personal() == common::v1::PERSONAL_HIDDEN;
}
std::string Masked(const FieldPlan& plan, std::string_view value) {
  return plan.rules.personal() == common::v1::PERSONAL_PHONE ? MaskPhone(value)
                                                             : MaskAccount(value);
}

void MaskField(Message* message, const FieldPlan& plan) {
  const Reflection* reflection = message->GetReflection();
  if (IsLeftOut(plan)) return reflection->ClearField(message, plan.field);
  if (!plan.field->is_repeated()) {
    const std::string value = reflection->GetString(*message, plan.field);
    if (!value.empty()) reflection->SetString(message, plan.field, Masked(plan, value));
    return;
  }
  for (int i = 0; i < reflection->FieldSize(*message, plan.field); ++i) {
    const std::string value = reflection->GetRepeatedString(*message, plan.field, i);
    reflection->SetRepeatedString(message, plan.field, i, Masked(plan, value));
  }
}

void MaskChild(Message* message, const FieldPlan& plan) {
  const Reflection* reflection = message->GetReflection();
  if (!plan.field->is_repeated()) {
    if (reflection->HasField(*message, plan.field)) {
      Mask(reflection->MutableMessage(message, plan.field), *plan.child);
    }
    return;
  }
  for (int i = 0; i < reflection->FieldSize(*message, plan.field); ++i) {
    Mask(reflection->MutableRepeatedMessage(message, plan.field, i), *plan.child);
  }
}

const FieldPlan* PersonalField(const MessagePlan& plan, int number) {
  for (const FieldPlan& each : plan.fields) {
    if (each.field->number() == number && (IsPersonal(each) || HoldsPersonalBelow(each))) {
      return &each;
    }
  }
  return nullptr;
}

std::optional<std::string> MaskBytes(std::string_view bytes, const MessagePlan& plan);

// The bytes of such a field as they may be shown; none: it is left out.
std::optional<std::string> Shown(const FieldPlan& field, std::string_view value) {
  if (!IsPersonal(field)) return MaskBytes(value, *field.child);
  if (IsLeftOut(field)) return std::nullopt;
  return Masked(field, value);
}

void AppendVarint(uint32_t value, std::string* out) {
  uint8_t bytes[5];
  const uint8_t* end = CodedOutputStream::WriteVarint32ToArray(value, bytes);
  out->append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(end - bytes));
}

// A message that is bytes, masked: what is not personal stays as it came. None: not such a message.
std::optional<std::string> MaskBytes(std::string_view bytes, const MessagePlan& plan) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  const auto position = [&in] { return static_cast<size_t>(in.CurrentPosition()); };
  std::string masked;
  masked.reserve(bytes.size() + 16);  // a mask may be longer than what it hides
  size_t copied = 0;
  while (true) {
    const size_t begin = position();
    const uint32_t tag = in.ReadTag();
    if (tag == 0) break;
    const FieldPlan* field = PersonalField(plan, WireFormatLite::GetTagFieldNumber(tag));
    if (field == nullptr) {
      if (!WireFormatLite::SkipField(&in, tag)) return std::nullopt;
      continue;
    }
    masked.append(bytes, copied, begin - copied);
    std::optional<std::string> shown;
    if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      uint32_t length = 0;
      if (!in.ReadVarint32(&length)) return std::nullopt;
      const std::string_view value = bytes.substr(position(), length);
      if (!in.Skip(static_cast<int>(length))) return std::nullopt;
      shown = Shown(*field, value);
    } else if (!WireFormatLite::SkipField(&in, tag)) {
      return std::nullopt;
    }
    copied = position();
    if (!shown.has_value()) continue;
    AppendVarint(tag, &masked);
    AppendVarint(static_cast<uint32_t>(shown->size()), &masked);
    masked.append(*shown);
  }
  if (!in.ConsumedEntireMessage()) return std::nullopt;
  masked.append(bytes, copied);
  return masked;
}

// Fields of a message that a handler left as bytes (sealed_message.h).
void MaskAside(UnknownFieldSet* aside, const MessagePlan& plan) {
  for (int i = 0; i < aside->field_count();) {
    UnknownField* each = aside->mutable_field(i);
    const FieldPlan* field = PersonalField(plan, each->number());
    if (field == nullptr) {
      ++i;
      continue;
    }
    std::optional<std::string> shown;
    if (each->type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      shown = Shown(*field, each->length_delimited());
    }
    if (shown.has_value()) {
      each->mutable_length_delimited()->swap(*shown);
      ++i;
    } else {
      aside->DeleteSubrange(i, 1);
    }
  }
}

void Mask(Message* message, const MessagePlan& plan) {
  for (const FieldPlan& field : plan.fields) {
    if (IsPersonal(field)) {
      MaskField(message, field);
    } else if (HoldsPersonalBelow(field)) {
      MaskChild(message, field);
    }
  }
  const Reflection* reflection = message->GetReflection();
  if (!reflection->GetUnknownFields(*message).empty()) {
    MaskAside(reflection->MutableUnknownFields(message), plan);
  }
}

// The bytes where characters start: a name typed into a number's field is still cut between
// characters.
std::vector<size_t> Starts(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

// The first `head` and last `tail` characters and stars between, `stars` of them (0: as many as
// were there). A text too short for that shows at most its last third.
std::string Stars(std::string_view text, size_t head, size_t tail, size_t stars) {
  const std::vector<size_t> starts = Starts(text);
  const size_t count = starts.size() - 1;
  if (count < head + tail + 4) {
    head = 0;
    tail = std::min(tail, count / 3);
  }
  if (stars == 0) stars = count - head - tail;
  return std::string(text.substr(0, starts[head])) + std::string(stars, '*') +
         std::string(text.substr(starts[count - tail]));
}

}  // namespace

std::string MaskPhone(std::string_view number) { return Stars(number, 3, 4, 4); }

std::string MaskAccount(std::string_view number) { return Stars(number, 0, 4, 0); }

void MaskPersonal(Message* message) {
  const MessagePlan& plan = PlanOf(message->GetDescriptor());
  if (plan.holds_personal) Mask(message, plan);
}

namespace {

// "stations/…": names of persons, which a field `name` may hold too, have no slash.
std::string ResourceName(const Message& message) {
  const FieldDescriptor* name = message.GetDescriptor()->FindFieldByName("name");
  if (name == nullptr || name->is_repeated() || name->type() != FieldDescriptor::TYPE_STRING) {
    return "";
  }
  const std::string value = message.GetReflection()->GetString(message, name);
  return value.find('/') == std::string::npos ? "" : value;
}

bool Present(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  return field->is_repeated() ? reflection->FieldSize(message, field) > 0
                              : reflection->HasField(message, field);
}

bool Find(const Message& message, const MessagePlan& plan, std::string resource,
          std::vector<std::string>* resources);

// In what a handler left as bytes. What cannot be read is taken for personal.
bool FindAside(const UnknownFieldSet& aside, const Message& message, const MessagePlan& plan,
               const std::string& resource, std::vector<std::string>* resources) {
  bool found = false;
  for (int i = 0; i < aside.field_count(); ++i) {
    const FieldPlan* field = PersonalField(plan, aside.field(i).number());
    if (field == nullptr) continue;
    if (field->child == nullptr || aside.field(i).type() != UnknownField::TYPE_LENGTH_DELIMITED) {
      found = true;
      continue;
    }
    const std::unique_ptr<Message> read(
        message.GetReflection()->GetMessageFactory()->GetPrototype(field->child->type)->New());
    found |= !read->ParseFromString(aside.field(i).length_delimited()) ||
             Find(*read, *field->child, resource, resources);
  }
  return found;
}

bool Find(const Message& message, const MessagePlan& plan, std::string resource,
          std::vector<std::string>* resources) {
  if (std::string own = ResourceName(message); !own.empty()) resource = std::move(own);
  const Reflection* reflection = message.GetReflection();
  bool here = false;
  bool below = FindAside(reflection->GetUnknownFields(message), message, plan, resource, resources);
  for (const FieldPlan& field : plan.fields) {
    if (IsPersonal(field)) {
      here |= Present(message, field.field);
    } else if (!HoldsPersonalBelow(field)) {
      continue;
    } else if (!field.field->is_repeated()) {
      below |= Present(message, field.field) &&
               Find(reflection->GetMessage(message, field.field), *field.child, resource, resources);
    } else {
      for (int i = 0; i < reflection->FieldSize(message, field.field); ++i) {
        below |= Find(reflection->GetRepeatedMessage(message, field.field, i), *field.child,
                      resource, resources);
      }
    }
  }
  if (here && !resource.empty() &&
      std::find(resources->begin(), resources->end(), resource) == resources->end()) {
    resources->push_back(resource);
  }
  return here || below;
}

}  // namespace

bool FindPersonal(const Message& message, std::vector<std::string>* resources) {
  const MessagePlan& plan = PlanOf(message.GetDescriptor());
  return plan.holds_personal && Find(message, plan, "", resources);
}

std::vector<std::string> ResourcesNamed(const Message& request) {
  std::vector<std::string> names;
  for (const FieldPlan& field : PlanOf(request.GetDescriptor()).fields) {
    if (field.resources.empty()) continue;
    const Reflection* reflection = request.GetReflection();
    if (field.field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(request, field.field); ++i) {
        names.push_back(reflection->GetRepeatedString(request, field.field, i));
      }
    } else if (Present(request, field.field)) {
      names.push_back(reflection->GetString(request, field.field));
    }
  }
  return names;
}

bool HoldsPersonal(const google::protobuf::Descriptor* type) { return PlanOf(type).holds_personal; }

}  // namespace yuezhan::rpc
