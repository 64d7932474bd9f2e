#include "common/host/sealed_message.h"

#include <algorithm>
#include <map>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/unknown_field_set.h"
#include "google/protobuf/wire_format_lite.h"

namespace yuezhan {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

namespace {

// The fields of a message, parted by what becomes of them.
struct Parted {
  google::protobuf::UnknownFieldSet aside;
  std::map<int, std::string> within;  // what comes twice is one message, its parts in a row
  std::string others;
};

bool Holds(const std::vector<int>& numbers, int number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

bool Part(std::string_view bytes, const Aside& aside, Parted* parted) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()),
                      static_cast<int>(bytes.size()));
  const auto position = [&in] { return static_cast<size_t>(in.CurrentPosition()); };
  const auto is_within = [&aside](int number) {
    return std::any_of(aside.within.begin(), aside.within.end(),
                       [number](const auto& each) { return each.first == number; });
  };
  while (true) {
    const size_t begin = position();
    const uint32_t tag = in.ReadTag();
    if (tag == 0) return in.ConsumedEntireMessage();
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    const bool kept = Holds(aside.fields, number);
    if (!kept && !is_within(number)) {
      if (!WireFormatLite::SkipField(&in, tag)) return false;
      parted->others += bytes.substr(begin, position() - begin);
      continue;
    }
    uint32_t length = 0;
    if (!in.ReadVarint32(&length)) return false;
    const size_t value = position();
    if (!in.Skip(static_cast<int>(length))) return false;
    if (kept) {
      parted->aside.AddLengthDelimited(number)->assign(bytes.substr(value, length));
    } else {
      parted->within[number] += bytes.substr(value, length);
    }
  }
}

}  // namespace

bool ParseMessage(std::string_view bytes, const Aside& aside, google::protobuf::Message* message) {
  if (aside.fields.empty() && aside.within.empty()) {
    return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  }
  Parted parted;
  if (!Part(bytes, aside, &parted) || !message->ParseFromString(parted.others)) return false;
  const auto* reflection = message->GetReflection();
  for (const auto& [number, fields] : aside.within) {
    const auto found = parted.within.find(number);
    if (found == parted.within.end()) continue;
    const auto* field = message->GetDescriptor()->FindFieldByNumber(number);
    auto* child = reflection->MutableMessage(message, field);
    if (!ParseMessage(found->second, {fields}, child)) return false;
  }
  // Into the empty set: what it held before is parsed, or was unknown and goes behind.
  auto* unknown = reflection->MutableUnknownFields(message);
  parted.aside.MergeFrom(*unknown);
  unknown->Swap(&parted.aside);
  return true;
}

void HandOn(int field, std::string bytes, google::protobuf::Message* message) {
  message->GetReflection()->MutableUnknownFields(message)->AddLengthDelimited(field)->swap(bytes);
}

}  // namespace yuezhan
