#ifndef YUEZHAN_SERVICES_REVIEW_STORE_H_
#define YUEZHAN_SERVICES_REVIEW_STORE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/dates.h"
#include "common/db/session.h"
#include "common/journal/vault.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::review {

// A page of a list: rows after `after` (an id, "" from the start), in the order of their ids.
struct Page {
  std::string after;
  int limit = 50;
};

// A page of the queue: cases after this one, in the order of their waiting.
struct QueuePage {
  int64_t after_since = 0;  // days since 1970-01-01
  std::string after_id;     // "" from the start
  int limit = 50;
};

// A row of the journal in a case's history, as it is stored.
struct TrailRow {
  int64_t id = 0;
  int64_t seq = 0;  // 0: not chained yet
  std::string request_key;
  std::string public_part;
  std::string private_part;
  std::string wrapped_key;
};

// A notice whose period runs, as the timer looks at it.
struct RunningNotice {
  std::string name;
  int64_t version = 0;
  Day last_day;
  bool provisional = false;
  std::string calendar_digest;  // lower-case hex
};

// All SQL of the service. Resources are read and written whole; etag is the row's version. Ids are
// UUID text. `lock` keeps the row until the transaction ends; rows are locked in one order:
// meeting, notices, cases, objections, each by id. Update… writes the resource if its row still has
// the version of its etag, and gives it the next one; false otherwise. (A case is held until the
// transaction ends, which fails then.) Methods throw db::Error;
// DATA_LOSS when a sealed row does not open.
class Store {
 public:
  explicit Store(const journal::Vault& vault) : vault_(vault) {}

  void InsertCase(db::Session& sql, v1::Case* review_case) const;
  void UpdateCase(db::Session& sql, v1::Case* review_case) const;
  // Absent when there is none.
  absl::StatusOr<std::optional<v1::Case>> Case(db::Session& sql, std::string_view id,
                                               bool lock) const;
  // Those that are there, by name, as they are now.
  absl::StatusOr<std::map<std::string, v1::Case>> CasesByName(
      db::Session& sql, const std::vector<std::string>& names) const;
  // Locks them by one statement; Case then has them at hand, once.
  void PrefetchCases(db::Session& sql, const std::vector<std::string>& names) const;
  absl::StatusOr<std::optional<v1::Case>> CaseOf(db::Session& sql, std::string_view application_id,
                                                 bool lock) const;
  // Every case that is or was last on this notice, locked.
  absl::StatusOr<std::vector<v1::Case>> LockCasesOn(db::Session& sql,
                                                    std::string_view notice_id) const;
  // `state` 0: any.
  absl::StatusOr<std::vector<v1::Case>> Cases(db::Session& sql, int state, const Page& page) const;

  // Those that wait for an opinion, the longest waiting first; `assignee` "": anybody's.
  absl::StatusOr<std::vector<v1::Case>> WaitingCases(db::Session& sql, const std::string& assignee,
                                                     const QueuePage& page) const;
  // A journal row, by its request_key, belongs to the case's history. Told twice it stands once.
  void AddToTrail(db::Session& sql, std::string_view case_name, const std::string& entry) const;
  // Rows of a case's history after the row `after_id`, in the order of the journal; only those that
  // are chained when `chained`.
  std::vector<TrailRow> Trail(db::Session& sql, std::string_view case_id, int64_t after_id,
                              int limit, bool chained) const;

  void InsertMeeting(db::Session& sql, v1::Meeting* meeting) const;
  bool UpdateMeeting(db::Session& sql, v1::Meeting* meeting) const;
  absl::StatusOr<std::optional<v1::Meeting>> Meeting(db::Session& sql, std::string_view id,
                                                     bool lock) const;

  void InsertNotice(db::Session& sql, v1::Notice* notice) const;
  bool UpdateNotice(db::Session& sql, v1::Notice* notice) const;
  absl::StatusOr<std::optional<v1::Notice>> Notice(db::Session& sql, std::string_view id,
                                                   bool lock) const;
  absl::StatusOr<std::vector<v1::Notice>> Notices(db::Session& sql, const Page& page) const;
  // Those in state RUNNING.
  std::vector<RunningNotice> RunningNotices(db::Session& sql) const;

  void InsertObjection(db::Session& sql, v1::Objection* objection) const;
  bool UpdateObjection(db::Session& sql, v1::Objection* objection) const;
  // `name`: "notices/…/objections/…"; absent too when the objection is another notice's.
  absl::StatusOr<std::optional<v1::Objection>> Objection(db::Session& sql, std::string_view name,
                                                         bool lock) const;
  absl::StatusOr<std::vector<v1::Objection>> Objections(db::Session& sql,
                                                        std::string_view notice_id,
                                                        const Page& page) const;

  // How many objections the notice has, whose row is locked.
  int CountObjections(db::Session& sql, std::string_view notice_id) const;
  // Those that wait for a step with a last day, of all notices, the longest waiting first.
  absl::StatusOr<std::vector<v1::Objection>> WaitingObjections(db::Session& sql, int limit) const;

  // `entry`: request_key of the journal row that makes it.
  void InsertDelegation(db::Session& sql, const std::string& entry,
                        v1::Delegation* delegation) const;
  bool UpdateDelegation(db::Session& sql, v1::Delegation* delegation) const;
  absl::StatusOr<std::optional<v1::Delegation>> Delegation(db::Session& sql, std::string_view id,
                                                           bool lock) const;
  absl::StatusOr<std::vector<v1::Delegation>> Delegations(db::Session& sql, const Page& page) const;
  // Those from one to the other that hold on that day, locked: none is revoked meanwhile.
  absl::StatusOr<std::vector<v1::Delegation>> DelegationsInForce(db::Session& sql,
                                                                 const std::string& delegator,
                                                                 const std::string& delegate,
                                                                 Day day) const;
  std::string DelegationEntry(db::Session& sql, std::string_view id) const;

  // The database server's wall clock.
  absl::Time DatabaseNow(db::Session& sql) const;

 private:
  const journal::Vault& vault_;
};

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_STORE_H_
