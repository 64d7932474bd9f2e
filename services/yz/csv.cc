#include "services/yz/csv.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/base/dates.h"
#include "common/base/money.h"
#include "common/base/time_proto.h"
#include "google/type/date.pb.h"
#include "google/type/money.pb.h"

namespace yuezhan::yz {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool IsValue(const FieldDescriptor& field) {
  const Descriptor* type = field.message_type();
  return type == nullptr || type == google::type::Money::descriptor() ||
         type == google::type::Date::descriptor() ||
         type == google::protobuf::Timestamp::descriptor();
}

void AddColumns(const Descriptor* type, const CsvColumn& parent, std::vector<CsvColumn>* columns) {
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* field = type->field(i);
    // A message inside itself would have no end.
    const bool seen = std::any_of(
        parent.fields.begin(), parent.fields.end(),
        [&](const FieldDescriptor* each) { return each->message_type() == field->message_type(); });
    if (field->is_repeated() || (field->message_type() != nullptr && seen)) continue;
    CsvColumn column = parent;
    absl::StrAppend(&column.path, column.path.empty() ? "" : ".", field->name());
    column.fields.push_back(field);
    if (IsValue(*field)) {
      columns->push_back(std::move(column));
    } else {
      AddColumns(field->message_type(), column, columns);
    }
  }
}

std::string MessageText(const Message& value) {
  if (const auto* money = dynamic_cast<const google::type::Money*>(&value)) {
    return absl::StrReplaceAll(FormatYuan(FenOf(*money).value_or(0)), {{",", ""}});
  }
  if (const auto* date = dynamic_cast<const google::type::Date*>(&value)) {
    const auto day = DayFromProto(*date);
    return day ? FormatDay(*day) : "";
  }
  return absl::FormatTime("%Y-%m-%d %H:%M:%S",
                          FromProto(static_cast<const google::protobuf::Timestamp&>(value)),
                          Beijing());
}

std::string FieldText(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->GetString(message, field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->GetEnumValue(message, field) == 0
                 ? ""
                 : reflection->GetEnum(message, field)->name();
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection->GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection->GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(reflection->GetUInt32(message, field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(reflection->GetUInt64(message, field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return absl::StrCat(reflection->GetDouble(message, field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return absl::StrCat(reflection->GetFloat(message, field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return reflection->HasField(message, field)
                 ? MessageText(reflection->GetMessage(message, field))
                 : "";
  }
  return "";
}

}  // namespace

std::vector<CsvColumn> AllCsvColumns(const Descriptor* type) {
  std::vector<CsvColumn> columns;
  AddColumns(type, {}, &columns);
  return columns;
}

absl::StatusOr<std::vector<CsvColumn>> CsvColumns(const Descriptor* type,
                                                  const std::vector<std::string>& paths) {
  const std::vector<CsvColumn> all = AllCsvColumns(type);
  std::vector<CsvColumn> columns;
  for (const std::string& path : paths) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const CsvColumn& each) { return each.path == path; });
    if (found == all.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--columns: no column ", path, "; there are: ",
          absl::StrJoin(all, ",", [](std::string* out, const CsvColumn& each) {
            *out += each.path;
          })));
    }
    columns.push_back(*found);
  }
  return columns;
}

std::string CsvValue(const Message& message, const CsvColumn& column) {
  const Message* at = &message;
  for (size_t i = 0; i + 1 < column.fields.size(); ++i) {
    at = &at->GetReflection()->GetMessage(*at, column.fields[i]);
  }
  return FieldText(*at, column.fields.back());
}

}  // namespace yuezhan::yz
