#ifndef YUEZHAN_SERVICES_REGISTRY_MYSQL_ROWS_H_
#define YUEZHAN_SERVICES_REGISTRY_MYSQL_ROWS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "common/base/dates.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/db/session.h"

// What the files of registry's SQL share: how values stand in columns.
namespace yuezhan::registry {

// Ids come from our own resource names, checked by then: a bad one is a fault of ours.
inline std::string Bin(std::string_view id) { return UuidToBytes(id).value(); }
inline std::string BinOf(std::string_view pattern, std::string_view name) {
  return Bin(IdOf(pattern, name).value());
}
inline std::string Text(const std::string& bytes) { return UuidFromBytes(bytes).value(); }

inline int64_t Number(Day day) { return day - Day(1970, 1, 1); }
inline Day DayOf(int64_t number) { return Day(1970, 1, 1) + number; }
// Absent for a date that is not given.
inline std::optional<int64_t> Number(const google::type::Date& date) {
  const auto day = DayFromProto(date);
  return day ? std::optional(Number(*day)) : std::nullopt;
}

// Where a station's message is sealed to.
inline std::string StationPlace(std::string_view id) { return Concat({"stations|", id}); }
// A station "s".
inline constexpr std::string_view kStationColumns =
    "s.id, s.version, s.sealed, s.wrapped_key, s.subsidized, s.lineage";
constexpr int kStationColumnCount = 6;
// A host unit "u", and whether it has debarments: most have none, and none are asked for then.
inline constexpr std::string_view kHostUnitColumns =
    "u.id, u.version, u.sealed, u.wrapped_key, EXISTS(SELECT 1 FROM debarments d WHERE "
    "d.host_unit = u.id)";

// Asked for one key each, or for many ahead (db::Session::Know).
inline const std::string kLockedStation =
    Concat({"SELECT ", kStationColumns, " FROM stations s WHERE s.id = ? FOR UPDATE"});
inline const std::string kHostUnitById =
    Concat({"SELECT ", kHostUnitColumns, " FROM host_units u WHERE u.id = ?"});
inline constexpr char kLineageOf[] = "SELECT lineage FROM stations WHERE id = ?";
inline constexpr char kLockedLineage[] =
    "SELECT lineage FROM lineages WHERE lineage = ? FOR UPDATE";
inline constexpr char kPaidSubsidy[] = "SELECT payment FROM subsidies WHERE payment = ?";
inline constexpr char kReportOfPayment[] = "SELECT payment FROM use_reports WHERE payment = ?";

// Of a transaction: the lineages that it locked and whose stations it marked as subsidized,
struct Subsidized {
  std::set<std::string> lineages;
};
// and the last number of each year and level that it took some of.
struct LastNumbers {
  std::map<std::pair<int, int>, int64_t> last;
};

inline int64_t VersionOf(const std::string& etag) {
  int64_t version = 0;
  return absl::SimpleAtoi(etag, &version) ? version : 0;
}

// "x'…', x'…'" for an IN list of ids or digests.
inline std::string HexList(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) {
    list += Concat({list.empty() ? "" : ",", "x'", ToHex(value), "'"});
  }
  return list;
}

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_MYSQL_ROWS_H_
