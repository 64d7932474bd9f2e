#ifndef YUEZHAN_COMMON_RPC_PLANS_H_
#define YUEZHAN_COMMON_RPC_PLANS_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "yuezhan/common/v1/options.pb.h"

namespace yuezhan::rpc {

struct MessagePlan;

// What the contract says of one field, read once from its options.
struct FieldPlan {
  const google::protobuf::FieldDescriptor* field;
  common::v1::FieldRules rules;
  uint32_t max_length;                              // the default filled in
  std::vector<std::vector<std::string>> resources;  // patterns, by segment; "*" is an id
  const MessagePlan* child = nullptr;               // of a message field
};

struct MessagePlan {
  const google::protobuf::Descriptor* type;
  std::vector<FieldPlan> fields;
  bool holds_personal = false;  // a field here or below is marked as personal
};

// The plan of a type; made with those of all types below it at first use, kept for good. Any
// thread.
const MessagePlan& PlanOf(const google::protobuf::Descriptor* type);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_PLANS_H_
