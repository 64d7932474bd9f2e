// Lists that are filtered and ordered: the AIP-160 subset "comparison AND comparison …" and the
// AIP-132 order_by, over combinations that a service declares, each with its index. What is not
// declared is refused with a list of what is.
#ifndef YUEZHAN_COMMON_LIST_LIST_H_
#define YUEZHAN_COMMON_LIST_LIST_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "google/protobuf/descriptor.h"

namespace yuezhan::list {

enum class Kind {
  kText,     // "…"; with a * at the end, where `prefix` allows it: what begins so
  kInteger,  // 100000
  kBool,     // true, false
  kEnum,     // NATIONAL or STATION_LEVEL_NATIONAL
  kDay,      // 2021-03-22
  kTime,     // 2021-03-22T09:30:00+08:00, or a day: its midnight in Beijing
  kName,     // resource name, "hostUnits/{id}"
};

// A field that a list can be filtered or ordered by.
struct Field {
  std::string_view name;       // as in filter and order_by: "county"
  Kind kind;
  std::string_view column;     // "s.county": text, integer, unix days or milliseconds, BINARY(16)
  std::string_view operators;  // those it knows, separated by spaces: "= < <= > >="
  const google::protobuf::EnumDescriptor* values = nullptr;  // kEnum
  std::string_view pattern = "";                             // kName: "hostUnits/*"
  bool prefix = false;                                       // kText: "绿色*" is allowed
  std::string (*spelling)(std::string_view) = nullptr;       // kText: as the column spells it
};

// A combination that an index serves: rows with `equal` in the order of `order`.
struct Plan {
  std::string_view from;  // "stations s FORCE INDEX (county)"
  // Fields given with =, and the column of each where it is another than the field's.
  std::vector<std::pair<std::string_view, std::string_view>> equal;
  std::string_view order = "";      // the field; "": the order of the ids alone
  std::string_view id = "id";       // column of the id, last in the index
  // So few rows fit `equal` that any other condition may be looked at row by row.
  bool few = false;
};

struct Table {
  absl::Span<const Field> fields;
  absl::Span<const Plan> plans;
};

// A value as its column holds it.
struct Binary {
  std::string bytes;
  auto operator<=>(const Binary&) const = default;
};
using Value = std::variant<int64_t, std::string, Binary>;

struct Condition {
  const Field* field;
  std::string_view op;  // "=", "<", "<=", ">", ">="
  Value value;
};

// What a List method is asked for, matched with the plan that serves it.
struct Query {
  const Plan* plan = nullptr;
  const Field* order = nullptr;  // of the plan
  bool descending = false;
  std::vector<Condition> conditions;
};

// `own`: conditions that the service adds, {field, text of the value} (what the caller may see).
// INVALID_ARGUMENT at "filter" or "order_by": it does not parse; an unknown field or operator, with
// those that are known; a value that is none of the field's; a combination without a plan, with
// those that have one.
absl::StatusOr<Query> Parse(
    const Table& table, std::string_view filter, std::string_view order_by,
    const std::vector<std::pair<std::string_view, std::string_view>>& own = {});

}  // namespace yuezhan::list

#endif  // YUEZHAN_COMMON_LIST_LIST_H_
