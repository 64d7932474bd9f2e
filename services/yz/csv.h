// What lists become as tables for a spreadsheet (common/base/csv.h).
#ifndef YUEZHAN_SERVICES_YZ_CSV_H_
#define YUEZHAN_SERVICES_YZ_CSV_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace yuezhan::yz {

// A column: the fields that lead to its value, "form.requested_amount".
struct CsvColumn {
  std::string path;
  std::vector<const google::protobuf::FieldDescriptor*> fields;
};

// All single values of a message, in the order of the contract; money, dates and times are values.
std::vector<CsvColumn> AllCsvColumns(const google::protobuf::Descriptor* type);
// Those of the paths; INVALID_ARGUMENT names one that is none, with those that are.
absl::StatusOr<std::vector<CsvColumn>> CsvColumns(const google::protobuf::Descriptor* type,
                                                  const std::vector<std::string>& paths);
// The column's value as a person reads it: yuan with two decimals, a day, Beijing time, an enum's
// name; "" where it is not set.
std::string CsvValue(const google::protobuf::Message& message, const CsvColumn& column);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_CSV_H_
