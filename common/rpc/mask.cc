#include "common/rpc/mask.h"

#include <algorithm>
#include <vector>

#include "common/rpc/plans.h"
#include "google/protobuf/message.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void Mask(Message* message, const MessagePlan& plan);

// A field that hides itself, or whose kind has no shorter form, is left out: never shown by
// mistake.
void MaskField(Message* message, const FieldPlan& plan) {
  const Reflection* reflection = message->GetReflection();
  const auto kind = plan.rules.personal();
  const bool text = plan.field->type() == FieldDescriptor::TYPE_STRING;
  if (!text || kind == common::v1::PERSONAL_HIDDEN) {
    return reflection->ClearField(message, plan.field);
  }
  const auto masked = [kind](const std::string& value) {
    return kind == common::v1::PERSONAL_PHONE ? MaskPhone(value) : MaskAccount(value);
  };
  if (!plan.field->is_repeated()) {
    const std::string value = reflection->GetString(*message, plan.field);
    if (!value.empty()) reflection->SetString(message, plan.field, masked(value));
    return;
  }
  for (int i = 0; i < reflection->FieldSize(*message, plan.field); ++i) {
    const std::string value = reflection->GetRepeatedString(*message, plan.field, i);
    reflection->SetRepeatedString(message, plan.field, i, masked(value));
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

void Mask(Message* message, const MessagePlan& plan) {
  for (const FieldPlan& field : plan.fields) {
    if (field.rules.personal() != common::v1::PERSONAL_UNSPECIFIED) {
      MaskField(message, field);
    } else if (field.child != nullptr && field.child->holds_personal) {
      MaskChild(message, field);
    }
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
          std::vector<std::string>* resources) {
  if (std::string own = ResourceName(message); !own.empty()) resource = std::move(own);
  const Reflection* reflection = message.GetReflection();
  bool here = false, below = false;
  for (const FieldPlan& field : plan.fields) {
    if (field.rules.personal() != common::v1::PERSONAL_UNSPECIFIED) {
      here |= Present(message, field.field);
    } else if (field.child == nullptr || !field.child->holds_personal) {
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
