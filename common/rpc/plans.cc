#include "common/rpc/plans.h"

#include <unordered_map>

#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Plans = std::unordered_map<const Descriptor*, std::unique_ptr<MessagePlan>>;

constexpr uint32_t kMaxCharacters = 200;
constexpr uint32_t kMaxBytes = 1 << 20;
constexpr uint32_t kMaxItems = 100;

// max_length of a repeated string is of the list; its items keep the default.
uint32_t DefaultLength(const FieldDescriptor& field) {
  if (field.is_repeated()) return kMaxItems;
  return field.type() == FieldDescriptor::TYPE_BYTES ? kMaxBytes : kMaxCharacters;
}

FieldPlan MakeField(const FieldDescriptor* field) {
  FieldPlan plan{field, field->options().GetExtension(common::v1::field), 0, {}, nullptr};
  plan.max_length = plan.rules.max_length() > 0 ? plan.rules.max_length() : DefaultLength(*field);
  if (!plan.rules.resource().empty()) {
    for (absl::string_view pattern : absl::StrSplit(plan.rules.resource(), '|')) {
      plan.resources.push_back(absl::StrSplit(pattern, '/'));
    }
  }
  return plan;
}

MessagePlan* Make(const Descriptor* type, Plans& plans) {
  auto& slot = plans[type];
  if (slot != nullptr) return slot.get();
  slot = std::make_unique<MessagePlan>();
  MessagePlan* plan = slot.get();
  plan->type = type;
  for (int i = 0; i < type->field_count(); ++i) {
    plan->fields.push_back(MakeField(type->field(i)));
  }
  for (FieldPlan& field : plan->fields) {
    if (field.field->message_type() != nullptr) {
      field.child = Make(field.field->message_type(), plans);
    }
  }
  return plan;
}

// Until nothing changes: types may hold one another.
void SpreadPersonal(Plans& plans) {
  for (bool changed = true; changed;) {
    changed = false;
    for (auto& [type, plan] : plans) {
      for (const FieldPlan& field : plan->fields) {
        const bool holds = field.rules.personal() != common::v1::PERSONAL_UNSPECIFIED ||
                           (field.child != nullptr && field.child->holds_personal);
        if (holds && !plan->holds_personal) changed = plan->holds_personal = true;
      }
    }
  }
}

}  // namespace

const MessagePlan& PlanOf(const Descriptor* type) {
  static absl::Mutex mutex(absl::kConstInit);
  static Plans* const plans = new Plans;
  {
    absl::ReaderMutexLock lock(&mutex);
    const auto found = plans->find(type);
    if (found != plans->end()) return *found->second;
  }
  absl::MutexLock lock(&mutex);
  const MessagePlan* plan = Make(type, *plans);
  SpreadPersonal(*plans);
  return *plan;
}

}  // namespace yuezhan::rpc
