#include "common/host/sealed_message.h"

#include <algorithm>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wire_format_lite.h"

namespace yuezhan {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

bool ParseMessage(std::string_view bytes, Aside aside, google::protobuf::Message* message) {
  const int size = static_cast<int>(bytes.size());
  if (aside.size() == 0) return message->ParseFromArray(bytes.data(), size);
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()), size);
  google::protobuf::UnknownFieldSet kept;
  std::string others;
  while (true) {
    const int begin = in.CurrentPosition();
    const uint32_t tag = in.ReadTag();
    if (tag == 0) break;
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    if (std::find(aside.begin(), aside.end(), number) != aside.end()) {
      uint32_t length = 0;
      if (!in.ReadVarint32(&length) ||
          !in.ReadString(kept.AddLengthDelimited(number), static_cast<int>(length))) {
        return false;
      }
      continue;
    }
    if (!WireFormatLite::SkipField(&in, tag)) return false;
    others +=
        bytes.substr(static_cast<size_t>(begin), static_cast<size_t>(in.CurrentPosition() - begin));
  }
  if (!in.ConsumedEntireMessage() || !message->ParseFromString(others)) return false;
  message->GetReflection()->MutableUnknownFields(message)->MergeFrom(kept);
  return true;
}

}  // namespace yuezhan
