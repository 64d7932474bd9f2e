#ifndef YUEZHAN_SERVICES_REGISTRY_STORE_H_
#define YUEZHAN_SERVICES_REGISTRY_STORE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/base/dates.h"
#include "common/db/session.h"
#include "common/journal/vault.h"
#include "common/list/list.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::registry {

// A page of a list: rows after `after` (a key, "" from the start).
struct Page {
  std::string after;
  int limit = 50;
};

// Rows of a page, and the key of its last row.
template <typename Message>
struct Found {
  google::protobuf::RepeatedPtrField<Message> rows;  // goes into an answer without a copy
  std::string last_key;
};

// What lists can be filtered and ordered by, and the combinations that have an index
// (mysql_search.cc).
const list::Table& HostUnitList();
const list::Table& StationList();
const list::Table& EvaluationList();
const list::Table& UseReportList();

// All SQL of the service: mysql_store.cc (host units, stations), mysql_tracking.cc (the rest),
// mysql_search.cc (lists). Resources are read and written whole; etag is the row's version. Update…
// writes a resource if its row still has the version of its etag, gives it the next one, and says
// false otherwise. Ids are UUID text. `lock` keeps the row until the transaction ends. Methods throw
// db::Error; DATA_LOSS when a sealed row does not open.
class Store {
 public:
  explicit Store(const journal::Vault& vault) : vault_(vault) {}

  // ---- host units ----
  // False when a unit with that name and credit code is there; `existing` is its resource name.
  bool InsertHostUnit(db::Session& sql, v1::HostUnit* unit, std::string* existing) const;
  // The columns of its stations follow. kTaken: another unit has that name and code.
  enum class Updated { kDone, kConflict, kTaken };
  Updated UpdateHostUnit(db::Session& sql, v1::HostUnit* unit) const;
  // Reads them by one statement; HostUnit without lock then has them at hand, each once.
  void PrefetchHostUnits(db::Session& sql, const std::vector<std::string>& names) const;
  // With its debarments. Absent when there is none.
  absl::StatusOr<std::optional<v1::HostUnit>> HostUnit(db::Session& sql, std::string_view id,
                                                       bool lock = false) const;
  // Of all units with these names and codes: identity → id.
  std::map<std::string, std::string> HostUnitsByIdentity(
      db::Session& sql, const std::vector<std::string>& identities) const;
  // The same units themselves, without their debarments: identity → unit.
  absl::StatusOr<std::map<std::string, v1::HostUnit>> HostUnitsWith(
      db::Session& sql, const std::vector<std::string>& identities) const;
  absl::StatusOr<Found<v1::HostUnit>> HostUnits(db::Session& sql, const list::Query& query,
                                                const Page& page) const;
  void InsertAccountChange(db::Session& sql, const v1::HostUnit& unit,
                           const v1::AccountChange& change) const;
  absl::StatusOr<std::vector<v1::AccountChange>> AccountChanges(db::Session& sql,
                                                                std::string_view host_unit) const;

  // ---- stations ----
  // Files stations, each of the host unit beside it, with the change that made it. Their lineages
  // are locked from here on.
  struct NewStation {
    v1::Station station;
    const v1::HostUnit* host;
    v1::StationChange change;
  };
  void InsertStations(db::Session& sql, std::vector<NewStation>* stations) const;
  // `form`: whether the form is another one now, and may lead to another lineage (it does not once
  // it is accepted).
  enum class Form { kSame, kCorrected, kResubmitted };
  bool UpdateStation(db::Session& sql, v1::Station* station, Form form) const;
  // A society of an accepted station is called otherwise: the new name leads to the lineage too.
  // False when it is another lineage's.
  bool RenameLineage(db::Session& sql, const v1::FilingForm& before,
                     const v1::FilingForm& after) const;
  // How a station is read. kListed: to be sent to others, masked, or for the facts that are decided
  // by; what neither looks at, most of its bytes, is only handed on and seen by nobody here. kShown:
  // all but findings and policy of its last decision. kWhole: with them. kForChange: whole, its row
  // locked.
  enum class Reading { kListed, kShown, kWhole, kForChange };
  // With the subsidies of its lineage.
  absl::StatusOr<std::optional<v1::Station>> Station(db::Session& sql, std::string_view id,
                                                     Reading reading) const;
  // Several at once, as listed: id → station. Those that are not there are left out.
  absl::StatusOr<std::map<std::string, v1::Station>> StationsById(
      db::Session& sql, const std::vector<std::string>& ids) const;
  std::string LineageOf(db::Session& sql, std::string_view station) const;
  absl::StatusOr<Found<v1::Station>> Stations(db::Session& sql, const list::Query& query,
                                              const Page& page) const;
  // The same as the bytes that they are sent as. A station's message is parsed only while it is
  // FILED; what `complete` sets of it then (due_on, overdue) goes with it.
  struct StationBytes {
    std::vector<std::string> stations;
    std::string last_key;  // as Found's
  };
  absl::StatusOr<StationBytes> StationsAsBytes(
      db::Session& sql, const list::Query& query, const Page& page,
      absl::FunctionRef<absl::Status(v1::Station*)> complete) const;
  // Of all stations with these identities: identity → id. Refused ones are left out.
  std::map<std::string, std::string> StationsByIdentity(
      db::Session& sql, const std::vector<std::string>& identities) const;
  void InsertStationChange(db::Session& sql, const v1::Station& station,
                           const v1::StationChange& change) const;
  absl::StatusOr<std::vector<v1::StationChange>> StationChanges(db::Session& sql,
                                                                std::string_view station) const;
  // Takes `count` filing numbers of a year and level and returns the first, from 1. Locks the count
  // until the transaction ends: call it late.
  int64_t TakeFilingNumbers(db::Session& sql, int year, int level, int64_t count) const;
  // Locks what accepting several filings will lock, in one order for all: the stations by their
  // ids, then the year's counts by their levels; and reads their host units. Nothing where one at
  // most is named.
  void LockFilings(db::Session& sql, const std::vector<std::string>& names, int year) const;

  // Until the transaction ends, no other import.
  void LockImports(db::Session& sql) const;

  // All rows that fit.
  int64_t Count(db::Session& sql, const list::Query& query) const;

  // ---- activities ----
  void InsertActivities(db::Session& sql,
                        const std::vector<const v1::Activity*>& activities) const;
  // Writes the next version; the earlier one remains.
  bool UpdateActivity(db::Session& sql, const v1::Activity& activity) const;
  // `version` 0: the current one.
  std::optional<v1::Activity> Activity(db::Session& sql, std::string_view station,
                                       std::string_view id, int version) const;
  Found<v1::Activity> Activities(db::Session& sql, std::string_view station,
                                 const Page& page) const;
  // `station` "": of all; years 0: all.
  std::vector<v1::ActivitySum> ActivitySums(db::Session& sql, std::string_view station,
                                            int first_year, int last_year) const;

  // ---- subsidies ----
  // Locks by few statements what InsertSubsidy and InsertUseReport will ask for, of stations that
  // are subsidized by these payments, and marks the stations. Nothing where one at most is named.
  void LockSubsidized(db::Session& sql, const std::vector<std::string>& stations,
                      const std::vector<std::string>& payments) const;
  // Enters a subsidy of the station's lineage; false when the payment is entered already.
  bool InsertSubsidy(db::Session& sql, std::string_view station, std::string_view payment_id,
                     const rules::v1::SubsidyFacts& subsidy) const;
  // Takes it out again, with the report that was awaited for it; false when there is none.
  bool RemoveSubsidy(db::Session& sql, std::string_view station, std::string_view payment_id) const;
  // All, in the order of their payments' ids.
  Found<rules::v1::SubsidyFacts> Subsidies(db::Session& sql, const Page& page) const;

  // ---- evaluations and debarments ----
  // False when the station and year has one that is not superseded; `existing` is its name.
  bool InsertEvaluation(db::Session& sql, v1::Evaluation* evaluation, std::string* existing) const;
  // The name of that one; "": none.
  std::string EvaluationInForce(db::Session& sql, std::string_view station, int year) const;
  bool UpdateEvaluation(db::Session& sql, v1::Evaluation* evaluation) const;
  std::optional<v1::Evaluation> Evaluation(db::Session& sql, std::string_view id, bool lock) const;
  absl::StatusOr<Found<v1::Evaluation>> Evaluations(db::Session& sql, const list::Query& query,
                                                    const Page& page) const;
  // Names of provisional ones whose review period ended before `today`.
  std::vector<std::string> EndedEvaluations(db::Session& sql, Day today, int limit) const;
  // False when an equal one is there.
  bool InsertDebarment(db::Session& sql, const v1::Debarment& debarment) const;
  void UpdateDebarment(db::Session& sql, const v1::Debarment& debarment) const;
  std::optional<v1::Debarment> Debarment(db::Session& sql, std::string_view host_unit,
                                         std::string_view id, bool lock) const;
  // `host_unit` "": of all.
  Found<v1::Debarment> Debarments(db::Session& sql, std::string_view host_unit,
                                  const Page& page) const;

  // ---- reports on the use of the money ----
  bool InsertUseReport(db::Session& sql, std::string_view payment_id, v1::UseReport* report) const;
  bool UpdateUseReport(db::Session& sql, v1::UseReport* report) const;
  std::optional<v1::UseReport> UseReport(db::Session& sql, std::string_view station,
                                         std::string_view id, bool lock) const;
  absl::StatusOr<Found<v1::UseReport>> UseReports(db::Session& sql, const list::Query& query,
                                                  const Page& page) const;

  // A station to be looked at with its host unit (absent: none such), and the largest sequence
  // number of the journal that was chained then: all of one moment.
  struct Standing {
    v1::Station station;
    std::optional<v1::HostUnit> host;
    std::string lineage;
    int64_t sequence = 0;
  };
  // Of at least one station: id → standing. Stations that are not there are left out.
  absl::StatusOr<std::map<std::string, Standing>> StandingsOf(
      db::Session& sql, const std::vector<std::string>& stations) const;

 private:
  absl::StatusOr<v1::Station> ReadStation(const db::Row& row, Reading reading) const;
  // Of kHostUnitColumns, the first of them `first`.
  absl::StatusOr<v1::HostUnit> ReadHostUnit(db::Session& sql, const db::Row& row, int first) const;
  void ReadSubsidies(db::Session& sql, const db::Rows& rows,
                     google::protobuf::RepeatedPtrField<v1::Station>* stations) const;
  void ReadDebarments(db::Session& sql,
                      google::protobuf::RepeatedPtrField<v1::HostUnit>* units) const;
  void RefreshDebarred(db::Session& sql, std::string_view host_unit) const;
  // The lineage that each form belongs to, its row locked.
  std::vector<std::string> LockLineages(db::Session& sql,
                                        const std::vector<std::string>& keys) const;

  const journal::Vault& vault_;
};

// A name as it is compared: without blanks of any width, full-width forms as half-width ones.
std::string Spelling(std::string_view name);
// What makes two host units the same: name and credit code. 32 bytes.
std::string HostUnitIdentity(std::string_view display_name, std::string_view credit_code);
// What makes two stations the same for an import: name and host unit. 32 bytes.
std::string StationIdentity(const v1::FilingForm& form);
// What leads to the lineage of a station: its society, whatever spelling, at its host unit. 32
// bytes.
std::string LineageKey(const v1::FilingForm& form);

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_STORE_H_
