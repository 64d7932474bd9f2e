#ifndef YUEZHAN_TESTS_HARVEST_H_
#define YUEZHAN_TESTS_HARVEST_H_

#include <functional>
#include <set>
#include <string>

#include "common/base/caller.h"
#include "google/protobuf/message.h"
#include "tests/test_stack.h"

namespace yuezhan::tests {

// What a caller finds by listing: every List method of the contract, below every resource that was
// found before. Reads the descriptors, so that new methods are found too.
struct Harvest {
  std::set<std::string> names;       // of resources: "stations/…"
  std::vector<std::string> answers;  // serialized, in no order
};
Harvest ListEverything(TestStack& stack, const Caller& caller);

// Whether a resource name fits a pattern of the contract ("stations/*|hostUnits/*").
bool FitsPattern(const std::string& name, const std::string& pattern);

// The pattern with a new id for each star: names nothing.
std::string AbsentName(const std::string& pattern);

// Sets each field of the request, at any depth, that the contract says names a resource.
void SetResources(google::protobuf::Message* request,
                  const std::function<std::string(const std::string& pattern)>& choose);

// The service that answers a method.
std::string ServerOf(const google::protobuf::MethodDescriptor& method);

std::unique_ptr<google::protobuf::Message> NewRequest(
    const google::protobuf::MethodDescriptor& method);
std::unique_ptr<google::protobuf::Message> NewAnswer(
    const google::protobuf::MethodDescriptor& method);

}  // namespace yuezhan::tests

#endif  // YUEZHAN_TESTS_HARVEST_H_
