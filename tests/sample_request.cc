#include "tests/sample_request.h"

#include "absl/strings/str_replace.h"
#include "common/base/ids.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/common/v1/options.pb.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/payment/v1/reconciliation.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::tests {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string SampleText(const FieldDescriptor& field, const common::v1::FieldRules& rules) {
  if (!rules.resource().empty()) return absl::StrReplaceAll(rules.resource(), {{"*", NewUuid()}});
  if (field.name() == "request_id") return NewUuid();
  if (field.name() == "page_token") return "";
  return "1";
}

void FillField(Message* message, const FieldDescriptor& field,
               const common::v1::FieldRules& rules) {
  const auto& reflection = *message->GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      many ? reflection.AddString(message, &field, SampleText(field, rules))
           : reflection.SetString(message, &field, SampleText(field, rules));
      return;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* first = field.enum_type()->value(1);
      many ? reflection.AddEnum(message, &field, first)
           : reflection.SetEnum(message, &field, first);
      return;
    }
    case FieldDescriptor::CPPTYPE_INT32:
      if (!many) reflection.SetInt32(message, &field, static_cast<int32_t>(rules.min()));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      if (!many) reflection.SetInt64(message, &field, rules.min());
      return;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      FillSample(many ? reflection.AddMessage(message, &field)
                      : reflection.MutableMessage(message, &field));
      return;
    default:
      return;
  }
}

}  // namespace

void FillSample(Message* message) {
  const auto& type = *message->GetDescriptor();
  if (type.full_name() == "google.type.Money") {
    message->GetReflection()->SetString(message, type.FindFieldByName("currency_code"), "CNY");
    message->GetReflection()->SetInt64(message, type.FindFieldByName("units"), 100000);
    return;
  }
  if (type.full_name() == "google.type.Date") {
    for (const auto& [name, value] : {std::pair{"year", 2024}, {"month", 2}, {"day", 29}}) {
      message->GetReflection()->SetInt32(message, type.FindFieldByName(name), value);
    }
    return;
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& rules = type.field(i)->options().GetExtension(common::v1::field);
    if (rules.required()) FillField(message, *type.field(i), rules);
  }
}

std::vector<const google::protobuf::MethodDescriptor*> AllMethods() {
  std::vector<const google::protobuf::MethodDescriptor*> methods;
  for (const auto* file :
       {registry::v1::Station::descriptor()->file(),
        application::v1::Application::descriptor()->file(), review::v1::Case::descriptor()->file(),
        payment::v1::Payment::descriptor()->file(), payment::v1::Statement::descriptor()->file(),
        journal::v1::Entry::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m)
        methods.push_back(file->service(s)->method(m));
    }
  }
  return methods;
}

std::string PathOf(const google::protobuf::MethodDescriptor& method) {
  return method.service()->full_name() + "/" + method.name();
}

bool IsRead(const google::protobuf::MethodDescriptor& method) {
  return method.options().idempotency_level() == google::protobuf::MethodOptions::NO_SIDE_EFFECTS;
}

}  // namespace yuezhan::tests
