// What validate.cc (contents) and validate_shape.cc (shape) share.
#ifndef YUEZHAN_COMMON_POLICY_VALIDATE_REPORT_H_
#define YUEZHAN_COMMON_POLICY_VALIDATE_REPORT_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/text_format.h"

namespace yuezhan::policy {

// A place in the file: a message, where it was read, and its own line.
struct At {
  const google::protobuf::TextFormat::ParseInfoTree* tree = nullptr;
  google::protobuf::TextFormat::ParseLocation location{0, 0};
  std::string path;
};

template <class List>
bool In(const List& list, std::string_view value) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

// What is wrong with a policy file of that name, and where.
class Report {
 public:
  explicit Report(std::string_view name) : name_(name) {}

  void Add(const At& at, std::string_view what);

  std::vector<std::string> errors;

 private:
  std::string_view name_;
};

// The place of a field, or of its message where it was not written.
At Place(const At& parent, const google::protobuf::FieldDescriptor* field, int index = -1);
At Place(const At& parent, const google::protobuf::Message& message, const char* field,
         int index = -1);

// What each value must be by itself: there, of its range, a date, a code, each code once, and with
// its basis.
void CheckShape(const google::protobuf::Message& message, const At& at, Report* report);

}  // namespace yuezhan::policy

#endif  // YUEZHAN_COMMON_POLICY_VALIDATE_REPORT_H_
