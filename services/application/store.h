#ifndef YUEZHAN_SERVICES_APPLICATION_STORE_H_
#define YUEZHAN_SERVICES_APPLICATION_STORE_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/db/session.h"
#include "common/list/list.h"
#include "common/journal/vault.h"
#include "yuezhan/application/v1/application.pb.h"

namespace yuezhan::application {

// What lists can be asked for, and the indexes that serve it.
const list::Table& ApplicationLists();

// A page of a list, and the key of its last row: what the next page begins after.
struct ListPage {
  std::vector<v1::Application> applications;
  std::string last;
};

// All SQL of the service but that on files (common/files). Resources are read and written whole;
// etag is the row's version. Ids are UUID text. Methods throw db::Error; DATA_LOSS when a sealed
// row does not open.
class Store {
 public:
  explicit Store(const journal::Vault& vault) : vault_(vault) {}

  void InsertApplication(db::Session& sql, v1::Application* application) const;
  // Writes a locked application, and gives it its next etag. Held until the transaction ends.
  void UpdateApplication(db::Session& sql, v1::Application* application) const;
  // Absent when there is none. `lock`: keeps the row until the transaction ends.
  absl::StatusOr<std::optional<v1::Application>> Application(db::Session& sql, std::string_view id,
                                                             bool lock) const;
  // Locks them by one statement; Application then has them at hand, once.
  void PrefetchApplications(db::Session& sql, const std::vector<std::string>& names) const;
  // Several at once, of at least one id: id → application. Those that are not there are left out.
  absl::StatusOr<std::map<std::string, v1::Application>> ApplicationsById(
      db::Session& sql, const std::vector<std::string>& ids, bool lock) const;
  // Whose they are, by id: "hostUnits/{id}".
  std::map<std::string, std::string> HostUnitsOf(db::Session& sql,
                                                 const std::vector<std::string>& ids) const;
  // `after`: key of the row before, "" from the start.
  absl::StatusOr<ListPage> Applications(db::Session& sql, const list::Query& query,
                                        std::string_view after, int limit) const;

  void InsertSubmissions(db::Session& sql,
                         const std::vector<v1::Submission>& submissions) const;
  // By application and number, 0: the last; nothing where there is none.
  absl::StatusOr<std::vector<std::optional<v1::Submission>>> SubmissionsAt(
      db::Session& sql, const std::vector<std::pair<std::string, int>>& places) const;
  // All of an application, from the first.
  absl::StatusOr<std::vector<v1::Submission>> Submissions(db::Session& sql,
                                                          std::string_view id) const;

  // Makes the application the live one of its lineage (32 bytes), unless another is. Returns the id
  // of the one that is; "" when that one ended at this very moment.
  std::string ClaimLineage(db::Session& sql, std::string_view lineage, std::string_view id) const;
  // The live ones of at least one lineage: lineage → id.
  std::map<std::string, std::string> LiveOf(db::Session& sql,
                                            const std::vector<std::string>& lineages) const;
  void FreeLineage(db::Session& sql, std::string_view id) const;

  // What is known of a sealed scan beside the file: form_number, form_digest and scan_agrees.
  void PutScan(db::Session& sql, std::string_view id, std::string_view material,
               const v1::Material& scan) const;
  // Of all scans of these applications, at least one, by their materials' ids.
  std::map<std::string, v1::Material> Scans(db::Session& sql,
                                            const std::vector<std::string>& ids) const;

 private:
  absl::StatusOr<v1::Application> ReadApplication(const db::Row& row) const;
  absl::StatusOr<v1::Submission> ReadSubmission(const db::Row& row) const;

  const journal::Vault& vault_;
};

}  // namespace yuezhan::application

#endif  // YUEZHAN_SERVICES_APPLICATION_STORE_H_
