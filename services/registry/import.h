#ifndef YUEZHAN_SERVICES_REGISTRY_IMPORT_H_
#define YUEZHAN_SERVICES_REGISTRY_IMPORT_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "common/base/dates.h"
#include "common/policy/policy.h"
#include "yuezhan/registry/v1/registry.pb.h"

// Tables with Chinese headers: what import and export share.
namespace yuezhan::registry {

// The columns of a table, in the order that export writes them. Those of dimensions come from the
// policy.
std::vector<std::string> HeaderOf(v1::Table table, const policy::v1::Policy& policy);

// One row as its columns; notes what is wrong with it.
class RowReader {
 public:
  RowReader(const std::map<std::string, int, std::less<>>& columns, const v1::TableRow& row,
            v1::RowResult* result)
      : columns_(columns), row_(row), result_(result) {
    result_->set_row(row.row());
  }

  // A cell without blanks around it; "" where there is no such column.
  std::string Text(std::string_view column) const;
  // The same; a fault when it is empty.
  std::string Needed(std::string_view column);
  // 2021-03-22, 2021/3/22, 2021.3.22, 2021年3月22日; a fault when it is none.
  std::optional<Day> Date(std::string_view column);
  // Yuan, with decimals or without: fen; a fault when it is none.
  std::optional<int64_t> Fen(std::string_view column);
  std::optional<int> Number(std::string_view column);
  // Points with two decimals at most: hundredths.
  std::optional<int> Hundredths(std::string_view column);

  void Fault(std::string_view column, std::string_view zh, std::string_view en);
  bool good() const { return result_->faults_size() == 0; }

 private:
  const std::map<std::string, int, std::less<>>& columns_;
  const v1::TableRow& row_;
  v1::RowResult* result_;
};

// The contract's limits of a message that was read from a row (lengths, what must be given), as
// single calls have them. `columns`: paths of its fields and the columns they come from.
void CheckLimits(absl::Span<const std::pair<std::string_view, std::string_view>> columns,
                 google::protobuf::Message* message, RowReader* row);

// A value by its Chinese name.
struct Named {
  std::string_view zh;
  int value;
};
std::vector<Named> LevelNames(const policy::v1::Policy& policy);
std::vector<Named> HostKindNames(const policy::v1::Policy& policy);
absl::Span<const Named> SocietyRankNames();
absl::Span<const Named> ContractPartyNames();
// 0 and a fault with the names that are known when it is none of them.
int ValueOf(absl::Span<const Named> names, std::string_view column, RowReader* row);
std::string_view NameOf(absl::Span<const Named> names, int value);

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_IMPORT_H_
