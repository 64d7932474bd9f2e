#ifndef YUEZHAN_TESTS_SAMPLE_REQUEST_H_
#define YUEZHAN_TESTS_SAMPLE_REQUEST_H_

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace yuezhan::tests {

// Fills a request as its field rules want it, with names of things that do not exist: a request
// that passes validation and then meets the handler. Any method of the contract can be called with
// it.
void FillSample(google::protobuf::Message* message);

// Every method of the four services and of the journal.
std::vector<const google::protobuf::MethodDescriptor*> AllMethods();

// "yuezhan.registry.v1.RegistryService/GetStation"
std::string PathOf(const google::protobuf::MethodDescriptor& method);

// Whether the contract declares it free of side effects.
bool IsRead(const google::protobuf::MethodDescriptor& method);

}  // namespace yuezhan::tests

#endif  // YUEZHAN_TESTS_SAMPLE_REQUEST_H_
