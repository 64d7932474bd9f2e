#include "common/rpc/page_token.h"

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "common/base/digest.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"

namespace yuezhan::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kListBytes = 8;   // which list
constexpr size_t kCheckBytes = 4;  // against garbling
// So that tokens of an older form are refused, not misread.
constexpr std::string_view kForm = "page-token-1";

const FieldDescriptor* Field(const Message& request, const char* name) {
  return request.GetDescriptor()->FindFieldByName(name);
}

std::string ListDigest(std::string_view method, const Message& request) {
  const std::unique_ptr<Message> filters(request.New());
  filters->CopyFrom(request);
  for (const char* name : {"page_size", "page_token"}) {
    if (const FieldDescriptor* field = Field(request, name)) {
      filters->GetReflection()->ClearField(filters.get(), field);
    }
  }
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    filters->SerializeToCodedStream(&coded);
  }
  return Digest({kForm, method, bytes}).substr(0, kListBytes);
}

std::string CheckBytes(std::string_view list, std::string_view key) {
  return Digest({kForm, list, key}).substr(0, kCheckBytes);
}

}  // namespace

std::string MakePageToken(std::string_view method, const Message& request,
                          std::string_view last_key) {
  const std::string list = ListDigest(method, request);
  std::string token;
  absl::WebSafeBase64Escape(Concat({list, CheckBytes(list, last_key), last_key}), &token);
  return token;
}

absl::StatusOr<std::string> ReadPageToken(std::string_view method, const Message& request) {
  const FieldDescriptor* field = Field(request, "page_token");
  const std::string token = request.GetReflection()->GetString(request, field);
  if (token.empty()) return "";
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() < kListBytes + kCheckBytes) {
    return errors::PageTokenInvalid();
  }
  const std::string list = bytes.substr(0, kListBytes);
  const std::string key = bytes.substr(kListBytes + kCheckBytes);
  if (list != ListDigest(method, request) ||
      bytes.substr(kListBytes, kCheckBytes) != CheckBytes(list, key)) {
    return errors::PageTokenInvalid();
  }
  return key;
}

int PageSize(const Message& request) {
  const int size = request.GetReflection()->GetInt32(request, Field(request, "page_size"));
  return size > 0 ? std::min(size, kMaxPageSize) : kDefaultPageSize;
}

}  // namespace yuezhan::rpc
