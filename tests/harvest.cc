#include "tests/harvest.h"

#include <set>

#include "absl/strings/str_split.h"
#include "common/base/ids.h"
#include "tests/sample_request.h"
#include "yuezhan/common/v1/options.pb.h"

namespace yuezhan::tests {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;

// Calls `visit` with each string value of the message and its field, at any depth.
void VisitStrings(const Message& message,
                  const std::function<void(const FieldDescriptor&, const std::string&)>& visit) {
  std::vector<const FieldDescriptor*> fields;
  const auto& reflection = *message.GetReflection();
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
        visit(*field, field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                           : reflection.GetString(message, field));
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        VisitStrings(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                          : reflection.GetMessage(message, field),
                     visit);
      }
    }
  }
}

std::string PatternOf(const FieldDescriptor& field) {
  return field.options().GetExtension(common::v1::field).resource();
}

void Call(TestStack& stack, const Caller& caller, const MethodDescriptor& method,
          const Message& request, Harvest* harvest) {
  const auto answer = NewAnswer(method);
  if (!stack.client()
           .CallAt(ServerOf(method), caller, PathOf(method), request, answer.get())
           .ok()) {
    return;
  }
  harvest->answers.push_back(answer->SerializeAsString());
  VisitStrings(*answer, [&](const FieldDescriptor& field, const std::string& value) {
    if (field.name() == "name" && value.find('/') != std::string::npos) {
      harvest->names.insert(value);
    }
  });
}

}  // namespace

std::string ServerOf(const MethodDescriptor& method) {
  const std::string service = yz::ServiceOf(PathOf(method));
  return service.empty() ? "registry" : service;
}

std::unique_ptr<Message> NewRequest(const MethodDescriptor& method) {
  return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()
                                      ->GetPrototype(method.input_type())
                                      ->New());
}

std::unique_ptr<Message> NewAnswer(const MethodDescriptor& method) {
  return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()
                                      ->GetPrototype(method.output_type())
                                      ->New());
}

bool FitsPattern(const std::string& name, const std::string& pattern) {
  const std::vector<std::string> parts = absl::StrSplit(name, '/');
  const std::vector<std::string> alternatives = absl::StrSplit(pattern, '|');
  for (const std::string& alternative : alternatives) {
    const std::vector<std::string> wanted = absl::StrSplit(alternative, '/');
    bool fits = parts.size() == wanted.size();
    for (size_t i = 0; fits && i < parts.size(); ++i) {
      fits = wanted[i] == "*" || wanted[i] == parts[i];
    }
    if (fits) return true;
  }
  return false;
}

std::string AbsentName(const std::string& pattern) {
  std::string name;
  for (char c : pattern.substr(0, pattern.find('|'))) {
    c == '*' ? name += NewUuid() : name += c;
  }
  return name;
}

void SetResources(Message* request,
                  const std::function<std::string(const std::string& pattern)>& choose) {
  const auto& reflection = *request->GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(*request, &fields);
  for (int i = 0; i < request->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = request->GetDescriptor()->field(i);
    const std::string pattern = PatternOf(*field);
    if (!pattern.empty() && !field->is_repeated()) {
      // Optional filters too: they name what a caller may not see.
      reflection.SetString(request, field, choose(pattern));
    } else if (!pattern.empty()) {
      for (int k = 0; k < reflection.FieldSize(*request, field); ++k) {
        reflection.SetRepeatedString(request, field, k, choose(pattern));
      }
    }
  }
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(*request, field) : 1;
    for (int k = 0; k < count; ++k) {
      SetResources(field->is_repeated() ? reflection.MutableRepeatedMessage(request, field, k)
                                        : reflection.MutableMessage(request, field),
                   choose);
    }
  }
}

Harvest ListEverything(TestStack& stack, const Caller& caller) {
  Harvest harvest;
  for (int round = 0; round < 2; ++round) {  // resources, and what is below them
    const std::set<std::string> known = harvest.names;
    for (const MethodDescriptor* method : AllMethods()) {
      if (!IsRead(*method) || method->name().rfind("List", 0) != 0) continue;
      const auto request = NewRequest(*method);
      const auto* parent = method->input_type()->FindFieldByName("parent");
      if (parent == nullptr || PatternOf(*parent).empty()) {
        Call(stack, caller, *method, *request, &harvest);
        continue;
      }
      for (const std::string& name : known) {
        if (!FitsPattern(name, PatternOf(*parent))) continue;
        request->GetReflection()->SetString(request.get(), parent, name);
        Call(stack, caller, *method, *request, &harvest);
      }
    }
  }
  // And each resource by itself.
  for (const MethodDescriptor* method : AllMethods()) {
    const auto* field = method->input_type()->FindFieldByName("name");
    if (!IsRead(*method) || field == nullptr || PatternOf(*field).empty()) continue;
    const auto request = NewRequest(*method);
    for (const std::string& name : std::set<std::string>(harvest.names)) {
      if (!FitsPattern(name, PatternOf(*field))) continue;
      request->GetReflection()->SetString(request.get(), field, name);
      Call(stack, caller, *method, *request, &harvest);
    }
  }
  return harvest;
}

}  // namespace yuezhan::tests
