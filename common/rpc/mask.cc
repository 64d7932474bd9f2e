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

bool HoldsPersonal(const google::protobuf::Descriptor* type) { return PlanOf(type).holds_personal; }

}  // namespace yuezhan::rpc
