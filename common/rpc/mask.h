#ifndef YUEZHAN_COMMON_RPC_MASK_H_
#define YUEZHAN_COMMON_RPC_MASK_H_

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Descriptor;
class Message;
}  // namespace google::protobuf

namespace yuezhan::rpc {

// "138****1234": the first three and last four characters of a telephone number. One shorter than
// eleven characters shows its last third at most.
std::string MaskPhone(std::string_view number);
// All but the last four characters of an account number, as stars; of a short one its last third.
std::string MaskAccount(std::string_view number);

// Masks every field of the message that the contract marks as personal (options.proto), at any
// depth; in fields that a handler left as bytes among the unknown ones (sealed_message.h) as well.
void MaskPersonal(google::protobuf::Message* message);
// Whether the message holds a personal value now; adds the names of the resources whose they are,
// each once (the field `name` of the innermost message around them that has one).
bool FindPersonal(const google::protobuf::Message& message, std::vector<std::string>* resources);
// The values of a request's own fields that name resources.
std::vector<std::string> ResourcesNamed(const google::protobuf::Message& request);
// Whether a message of this type can hold one at all.
bool HoldsPersonal(const google::protobuf::Descriptor* type);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_MASK_H_
