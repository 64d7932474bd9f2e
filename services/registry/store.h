#ifndef YUEZHAN_SERVICES_REGISTRY_STORE_H_
#define YUEZHAN_SERVICES_REGISTRY_STORE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/dates.h"
#include "common/db/session.h"
#include "common/journal/vault.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::registry {

// A page of a list: rows after `after` (an id, "" from the start), in the order of their ids.
struct Page {
  std::string after;
  int limit = 50;
};

// All SQL of the service. Resources are read and written whole; etag is the row's version. Ids are
// UUID text. Methods throw db::Error; DATA_LOSS when a sealed row does not open.
class Store {
 public:
  explicit Store(const journal::Vault& vault) : vault_(vault) {}

  // False when a unit with that name and credit code is there; `existing` is its resource name.
  bool InsertHostUnit(db::Session& sql, v1::HostUnit* unit, std::string* existing) const;
  // Absent when there is none.
  absl::StatusOr<std::optional<v1::HostUnit>> HostUnit(db::Session& sql, std::string_view id) const;
  absl::StatusOr<std::vector<v1::HostUnit>> HostUnits(db::Session& sql, const Page& page) const;

  void InsertStation(db::Session& sql, v1::Station* station) const;
  // Writes the station if its row still has the version of station->etag(), and gives it the next
  // one. False otherwise.
  bool UpdateStation(db::Session& sql, v1::Station* station) const;
  // With the subsidies of its lineage. `lock`: keeps the row until the transaction ends.
  absl::StatusOr<std::optional<v1::Station>> Station(db::Session& sql, std::string_view id,
                                                     bool lock) const;
  // `host_unit` empty and `state` 0: any.
  absl::StatusOr<std::vector<v1::Station>> Stations(db::Session& sql, std::string_view host_unit,
                                                    int state, const Page& page) const;

  // The next filing number of a year and level, from 1. Locks the count until the transaction ends:
  // call it late.
  int64_t NextFilingNumber(db::Session& sql, int year, int level) const;

  void InsertActivity(db::Session& sql, const v1::Activity& activity) const;
  std::vector<v1::Activity> Activities(db::Session& sql, std::string_view station,
                                       const Page& page) const;

  // Enters a subsidy of the station's lineage; false when the payment is entered already.
  bool InsertSubsidy(db::Session& sql, const v1::Station& station, std::string_view payment_id,
                     const rules::v1::SubsidyFacts& subsidy) const;

  // The largest journal sequence number chained so far.
  int64_t JournalSequence(db::Session& sql) const;

 private:
  absl::StatusOr<v1::Station> ReadStation(const db::Row& row) const;
  void ReadSubsidies(db::Session& sql, std::vector<v1::Station>* stations) const;

  const journal::Vault& vault_;
};

// The lineage of a station: its society, whatever spelling (full-width forms, spaces), at its host
// unit. 32 bytes.
std::string Lineage(const v1::FilingForm& form);

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_STORE_H_
