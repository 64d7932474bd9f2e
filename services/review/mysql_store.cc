#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/lists.h"
#include "common/host/sealed_message.h"
#include "services/review/store.h"

namespace yuezhan::review {
namespace {

// Ids come from our own resource names, checked by then: a bad one is a fault of ours.
std::string Bin(std::string_view id) { return UuidToBytes(id).value(); }
std::string IdIn(std::string_view pattern, std::string_view name) {
  return IdOf(pattern, name).value();
}
std::string Text(const std::string& bytes) { return UuidFromBytes(bytes).value(); }

// The least id, before all others: where a list begins.
std::string After(const Page& page) {
  return page.after.empty() ? std::string(16, '\0') : Bin(page.after);
}

// The bytes of a hex digest, or of an id in a name; NULL where it is not there yet. Two steps,
// since a statement's argument points into the caller's value.
std::optional<std::string> DigestOrNull(const std::string& hex) {
  if (hex.empty()) return std::nullopt;
  return FromHex(hex).value();
}
std::optional<std::string> IdOrNull(std::string_view pattern, const std::string& name) {
  if (name.empty()) return std::nullopt;
  return Bin(IdIn(pattern, name));
}
db::Param BytesOrNull(const std::optional<std::string>& bytes) {
  return bytes ? db::Param(db::Bytes(*bytes)) : db::Param(nullptr);
}

std::optional<int64_t> DayOrNull(const google::type::Date& date) {
  const auto day = DayFromProto(date);
  if (!day) return std::nullopt;
  return *day - Day(1970, 1, 1);
}

// While the case waits for the association's opinion, its day of submission.
std::optional<int64_t> WaitingSince(const v1::Case& review_case) {
  const auto state = review_case.state();
  const bool waits = state == v1::CASE_STATE_OPEN || state == v1::CASE_STATE_ASSESSED ||
                     state == v1::CASE_STATE_OPINION_PREPARED;
  return waits ? DayOrNull(review_case.submitted_on()) : std::nullopt;
}

std::optional<std::string> TextOrNull(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

int64_t VersionOf(const std::string& etag) {
  int64_t version = 0;
  return absl::SimpleAtoi(etag, &version) ? version : 0;
}

std::string Place(std::string_view table, std::string_view id) { return Concat({table, "|", id}); }

// "SELECT id, version, sealed, wrapped_key FROM cases WHERE …": what Opened reads.
std::string Select(std::string_view table, std::string_view where) {
  return Concat({"SELECT id, version, sealed, wrapped_key FROM ", table, " WHERE ", where});
}
constexpr std::string_view kLock = " FOR UPDATE";

template <typename Message>
absl::StatusOr<std::vector<Message>> Opened(const journal::Vault& vault, std::string_view table,
                                            const db::Rows& rows) {
  std::vector<Message> messages;
  for (const db::Row& row : rows) {
    YZ_ASSIGN_OR_RETURN(auto message, OpenMessage<Message>(vault, Place(table, Text(row.Bytes(0))),
                                                           row.Bytes(2), row.Bytes(3)));
    message.set_etag(absl::StrCat(row.Int(1)));
    messages.push_back(std::move(message));
  }
  return messages;
}

template <typename Message>
absl::StatusOr<std::optional<Message>> OpenedOne(const journal::Vault& vault,
                                                 std::string_view table, const db::Rows& rows) {
  YZ_ASSIGN_OR_RETURN(auto messages, Opened<Message>(vault, table, rows));
  if (messages.empty()) return std::nullopt;
  return std::optional<Message>(std::move(messages[0]));
}

// The next version's etag is part of what is sealed.
template <typename Message>
journal::Sealed SealNext(const journal::Vault& vault, std::string_view place, int64_t version,
                         Message* message) {
  message->set_etag(absl::StrCat(version));
  return SealMessage(vault, place, *message);
}

}  // namespace

void Store::InsertCase(db::Session& sql, v1::Case* review_case) const {
  const std::string id = IdIn("cases/*", review_case->name());
  const journal::Sealed sealed = SealNext(vault_, Place("cases", id), 1, review_case);
  sql.Execute(
      "INSERT INTO cases (id, application, state, amount_fen, reserved, waiting_since, version, "
      "sealed, wrapped_key) VALUES (?, ?, ?, 0, 0, ?, 1, ?, ?)",
      db::Bytes(Bin(id)), db::Bytes(Bin(IdIn("applications/*", review_case->application()))),
      review_case->state(), WaitingSince(*review_case), db::Bytes(sealed.bytes),
      db::Bytes(sealed.wrapped_key));
}

void Store::UpdateCase(db::Session& sql, v1::Case* review_case) const {
  static const db::RowShape kRows =
      db::ChangedRows("cases", "id, application",
                      "state, notice, amount_fen, line_digest, reserved, assignee, waiting_since, "
                      "sealed, wrapped_key");
  const std::string id = IdIn("cases/*", review_case->name());
  const int64_t version = VersionOf(review_case->etag());
  const journal::Sealed sealed = SealNext(vault_, Place("cases", id), version + 1, review_case);
  const auto notice = IdOrNull("notices/*", review_case->notice());
  const auto line_digest = DigestOrNull(review_case->line_digest());
  const auto assignee = TextOrNull(review_case->assignment().assignee());
  sql.Hold(kRows, db::Bytes(Bin(id)),
           db::Bytes(Bin(IdIn("applications/*", review_case->application()))), version + 1,
           review_case->state(), BytesOrNull(notice),
           FenOf(review_case->awarded_amount()).value_or(0), BytesOrNull(line_digest),
           review_case->reserved(), assignee, WaitingSince(*review_case), db::Bytes(sealed.bytes),
           db::Bytes(sealed.wrapped_key));
}

absl::StatusOr<std::optional<v1::Case>> Store::Case(db::Session& sql, std::string_view id,
                                                    bool lock) const {
  return OpenedOne<v1::Case>(
      vault_, "cases",
      sql.Query(Concat({Select("cases", "id = ?"), lock ? kLock : ""}), db::Bytes(Bin(id))));
}

absl::StatusOr<std::map<std::string, v1::Case>> Store::CasesByName(
    db::Session& sql, const std::vector<std::string>& names) const {
  std::map<std::string, v1::Case> found;
  YZ_ASSIGN_OR_RETURN(
      auto cases,
      Opened<v1::Case>(vault_, "cases",
                       db::RowsByKey(sql, "SELECT id, version, sealed, wrapped_key FROM cases ",
                                     db::KeysOf("cases/*", names))));
  for (v1::Case& review_case : cases) {
    const std::string name = review_case.name();
    found[name] = std::move(review_case);
  }
  return found;
}

void Store::PrefetchCases(db::Session& sql, const std::vector<std::string>& names) const {
  sql.Prefetch(Concat({Select("cases", "id = ?"), kLock}), db::KeysOf("cases/*", names));
}

absl::StatusOr<std::optional<v1::Case>> Store::CaseOf(db::Session& sql,
                                                      std::string_view application_id,
                                                      bool lock) const {
  return OpenedOne<v1::Case>(
      vault_, "cases",
      sql.Query(Concat({Select("cases", "application = ?"), lock ? kLock : ""}),
                db::Bytes(Bin(application_id))));
}

absl::StatusOr<std::vector<v1::Case>> Store::LockCasesOn(db::Session& sql,
                                                         std::string_view notice_id) const {
  return Opened<v1::Case>(vault_, "cases",
                          sql.Query(Concat({Select("cases", "notice = ? ORDER BY id"), kLock}),
                                    db::Bytes(Bin(notice_id))));
}

absl::StatusOr<std::vector<v1::Case>> Store::Cases(db::Session& sql, int state,
                                                   const Page& page) const {
  const std::string after = After(page);
  // One statement per combination of filters, so that each uses its index.
  return Opened<v1::Case>(
      vault_, "cases",
      state == 0
          ? sql.Query(Select("cases", "id > ? ORDER BY id LIMIT ?"), db::Bytes(after), page.limit)
          : sql.Query(Select("cases", "state = ? AND id > ? ORDER BY id LIMIT ?"), state,
                      db::Bytes(after), page.limit));
}

absl::StatusOr<std::vector<v1::Case>> Store::WaitingCases(db::Session& sql,
                                                          const std::string& assignee,
                                                          const QueuePage& page) const {
  constexpr std::string_view kAfter =
      "(waiting_since > ? OR (waiting_since = ? AND id > ?)) ORDER BY waiting_since, id LIMIT ?";
  const std::string after = After({page.after_id, page.limit});
  return Opened<v1::Case>(
      vault_, "cases",
      assignee.empty()
          ? sql.Query(Select("cases", kAfter), page.after_since, page.after_since,
                      db::Bytes(after), page.limit)
          : sql.Query(Select("cases", Concat({"assignee = ? AND ", kAfter})), assignee,
                      page.after_since, page.after_since, db::Bytes(after), page.limit));
}

void Store::AddToTrail(db::Session& sql, std::string_view case_name,
                       const std::string& entry) const {
  static const db::RowShape kRows = db::NewRowsUnlessThere("case_trail", "case_id, request_key");
  sql.Hold(kRows, db::Bytes(Bin(IdIn("cases/*", case_name))), db::Bytes(entry));
}

std::vector<TrailRow> Store::Trail(db::Session& sql, std::string_view case_id, int64_t after_id,
                                   int limit, bool chained) const {
  std::vector<TrailRow> trail;
  for (const db::Row& row : sql.Query(
           Concat({"SELECT j.id, COALESCE(c.seq, 0), j.request_key, j.public_part, "
                   "j.private_part, j.wrapped_key FROM case_trail t JOIN journal j ON "
                   "j.request_key = t.request_key ",
                   chained ? "" : "LEFT ",
                   "JOIN journal_chain c ON c.journal_id = j.id WHERE t.case_id = ? AND j.id > ? "
                   "ORDER BY j.id LIMIT ?"}),
           db::Bytes(Bin(case_id)), after_id, limit)) {
    trail.push_back({row.Int(0), row.Int(1), row.Bytes(2), row.Bytes(3), row.Bytes(4),
                     row.Bytes(5)});
  }
  return trail;
}

void Store::InsertMeeting(db::Session& sql, v1::Meeting* meeting) const {
  const std::string id = IdIn("meetings/*", meeting->name());
  const journal::Sealed sealed = SealNext(vault_, Place("meetings", id), 1, meeting);
  sql.Execute(
      "INSERT INTO meetings (id, state, version, sealed, wrapped_key) VALUES (?, ?, 1, ?, ?)",
      db::Bytes(Bin(id)), meeting->state(), db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

bool Store::UpdateMeeting(db::Session& sql, v1::Meeting* meeting) const {
  const std::string id = IdIn("meetings/*", meeting->name());
  const int64_t version = VersionOf(meeting->etag());
  const journal::Sealed sealed = SealNext(vault_, Place("meetings", id), version + 1, meeting);
  const auto minutes = DigestOrNull(meeting->minutes_digest());
  // A closed meeting is immutable, whatever the handler thinks.
  return sql.Execute(
             "UPDATE meetings SET state = ?, minutes_digest = ?, version = ?, sealed = ?, "
             "wrapped_key = ? WHERE id = ? AND version = ? AND minutes_digest IS NULL",
             meeting->state(), BytesOrNull(minutes), version + 1, db::Bytes(sealed.bytes),
             db::Bytes(sealed.wrapped_key), db::Bytes(Bin(id)), version) == 1;
}

absl::StatusOr<std::optional<v1::Meeting>> Store::Meeting(db::Session& sql, std::string_view id,
                                                          bool lock) const {
  return OpenedOne<v1::Meeting>(
      vault_, "meetings",
      sql.Query(Concat({Select("meetings", "id = ?"), lock ? kLock : ""}), db::Bytes(Bin(id))));
}

void Store::InsertNotice(db::Session& sql, v1::Notice* notice) const {
  const std::string id = IdIn("notices/*", notice->name());
  const journal::Sealed sealed = SealNext(vault_, Place("notices", id), 1, notice);
  sql.Execute(
      "INSERT INTO notices (id, state, list_digest, total_fen, provisional, version, sealed, "
      "wrapped_key) VALUES (?, ?, ?, ?, 0, 1, ?, ?)",
      db::Bytes(Bin(id)), notice->state(), db::Bytes(FromHex(notice->list_digest()).value()),
      FenOf(notice->total_amount()).value(), db::Bytes(sealed.bytes),
      db::Bytes(sealed.wrapped_key));
}

bool Store::UpdateNotice(db::Session& sql, v1::Notice* notice) const {
  const std::string id = IdIn("notices/*", notice->name());
  const int64_t version = VersionOf(notice->etag());
  const journal::Sealed sealed = SealNext(vault_, Place("notices", id), version + 1, notice);
  const auto calendar = DigestOrNull(notice->calendar_digest());
  return sql.Execute(
             "UPDATE notices SET state = ?, last_day = ?, provisional = ?, calendar_digest = ?, "
             "version = ?, sealed = ?, wrapped_key = ? WHERE id = ? AND version = ?",
             notice->state(), DayOrNull(notice->last_day()), notice->provisional(),
             BytesOrNull(calendar), version + 1, db::Bytes(sealed.bytes),
             db::Bytes(sealed.wrapped_key), db::Bytes(Bin(id)), version) == 1;
}

absl::StatusOr<std::optional<v1::Notice>> Store::Notice(db::Session& sql, std::string_view id,
                                                        bool lock) const {
  return OpenedOne<v1::Notice>(
      vault_, "notices",
      sql.Query(Concat({Select("notices", "id = ?"), lock ? kLock : ""}), db::Bytes(Bin(id))));
}

absl::StatusOr<std::vector<v1::Notice>> Store::Notices(db::Session& sql, const Page& page) const {
  return Opened<v1::Notice>(vault_, "notices",
                            sql.Query(Select("notices", "id > ? ORDER BY id LIMIT ?"),
                                      db::Bytes(After(page)), page.limit));
}

std::vector<RunningNotice> Store::RunningNotices(db::Session& sql) const {
  std::vector<RunningNotice> notices;
  for (const db::Row& row : sql.Query(
           "SELECT id, version, last_day, provisional, calendar_digest FROM notices WHERE state = "
           "? ORDER BY id",
           v1::NOTICE_STATE_RUNNING)) {
    notices.push_back({Name("notices", Text(row.Bytes(0))), row.Int(1),
                       Day(1970, 1, 1) + row.Int(2), row.Int(3) != 0, ToHex(row.Bytes(4))});
  }
  return notices;
}

void Store::InsertObjection(db::Session& sql, v1::Objection* objection) const {
  const auto ids = IdsOf("notices/*/objections/*", objection->name()).value();
  const journal::Sealed sealed = SealNext(vault_, Place("objections", ids[1]), 1, objection);
  sql.Execute(
      "INSERT INTO objections (id, notice, case_id, number, state, holds, waiting_since, version, "
      "sealed, wrapped_key) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)",
      db::Bytes(Bin(ids[1])), db::Bytes(Bin(ids[0])),
      db::Bytes(Bin(IdIn("cases/*", objection->case_name()))), objection->number(),
      objection->state(), objection->holds(), DayOrNull(objection->waiting_since()),
      db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

bool Store::UpdateObjection(db::Session& sql, v1::Objection* objection) const {
  const std::string id = IdIn("notices/*/objections/*", objection->name());
  const int64_t version = VersionOf(objection->etag());
  const journal::Sealed sealed = SealNext(vault_, Place("objections", id), version + 1, objection);
  return sql.Execute(
             "UPDATE objections SET state = ?, holds = ?, waiting_since = ?, version = ?, sealed = "
             "?, wrapped_key = ? WHERE id = ? AND version = ?",
             objection->state(), objection->holds(), DayOrNull(objection->waiting_since()),
             version + 1, db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key),
             db::Bytes(Bin(id)), version) == 1;
}

absl::StatusOr<std::optional<v1::Objection>> Store::Objection(db::Session& sql,
                                                              std::string_view name,
                                                              bool lock) const {
  YZ_ASSIGN_OR_RETURN(const auto ids, IdsOf("notices/*/objections/*", name));
  return OpenedOne<v1::Objection>(
      vault_, "objections",
      sql.Query(Concat({Select("objections", "id = ? AND notice = ?"), lock ? kLock : ""}),
                db::Bytes(Bin(ids[1])), db::Bytes(Bin(ids[0]))));
}

absl::StatusOr<std::vector<v1::Objection>> Store::Objections(db::Session& sql,
                                                             std::string_view notice_id,
                                                             const Page& page) const {
  return Opened<v1::Objection>(
      vault_, "objections",
      sql.Query(Select("objections", "notice = ? AND id > ? ORDER BY id LIMIT ?"),
                db::Bytes(Bin(notice_id)), db::Bytes(After(page)), page.limit));
}

int Store::CountObjections(db::Session& sql, std::string_view notice_id) const {
  return static_cast<int>(sql.Query("SELECT COUNT(*) FROM objections WHERE notice = ?",
                                    db::Bytes(Bin(notice_id)))[0]
                              .Int(0));
}

absl::StatusOr<std::vector<v1::Objection>> Store::WaitingObjections(db::Session& sql,
                                                                    int limit) const {
  return Opened<v1::Objection>(
      vault_, "objections",
      sql.Query(Select("objections", "waiting_since > 0 ORDER BY waiting_since, id LIMIT ?"),
                limit));
}

void Store::InsertDelegation(db::Session& sql, const std::string& entry,
                             v1::Delegation* delegation) const {
  const std::string id = IdIn("delegations/*", delegation->name());
  const journal::Sealed sealed = SealNext(vault_, Place("delegations", id), 1, delegation);
  sql.Execute(
      "INSERT INTO delegations (id, delegator, delegate, first_day, last_day, revoked, entry, "
      "version, sealed, wrapped_key) VALUES (?, ?, ?, ?, ?, 0, ?, 1, ?, ?)",
      db::Bytes(Bin(id)), delegation->delegator(), delegation->delegate(),
      DayOrNull(delegation->first_day()), DayOrNull(delegation->last_day()), db::Bytes(entry),
      db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

bool Store::UpdateDelegation(db::Session& sql, v1::Delegation* delegation) const {
  const std::string id = IdIn("delegations/*", delegation->name());
  const int64_t version = VersionOf(delegation->etag());
  const journal::Sealed sealed =
      SealNext(vault_, Place("delegations", id), version + 1, delegation);
  return sql.Execute(
             "UPDATE delegations SET revoked = ?, version = ?, sealed = ?, wrapped_key = ? WHERE "
             "id = ? AND version = ?",
             delegation->has_revoke_time(), version + 1, db::Bytes(sealed.bytes),
             db::Bytes(sealed.wrapped_key), db::Bytes(Bin(id)), version) == 1;
}

absl::StatusOr<std::optional<v1::Delegation>> Store::Delegation(db::Session& sql,
                                                                std::string_view id,
                                                                bool lock) const {
  return OpenedOne<v1::Delegation>(
      vault_, "delegations",
      sql.Query(Concat({Select("delegations", "id = ?"), lock ? kLock : ""}), db::Bytes(Bin(id))));
}

absl::StatusOr<std::vector<v1::Delegation>> Store::Delegations(db::Session& sql,
                                                               const Page& page) const {
  return Opened<v1::Delegation>(vault_, "delegations",
                                sql.Query(Select("delegations", "id > ? ORDER BY id LIMIT ?"),
                                          db::Bytes(After(page)), page.limit));
}

absl::StatusOr<std::vector<v1::Delegation>> Store::DelegationsInForce(db::Session& sql,
                                                                      const std::string& delegator,
                                                                      const std::string& delegate,
                                                                      Day day) const {
  const int64_t number = day - Day(1970, 1, 1);
  return Opened<v1::Delegation>(
      vault_, "delegations",
      sql.Query(Concat({Select("delegations",
                               "delegate = ? AND delegator = ? AND first_day <= ? AND last_day >= "
                               "? AND revoked = 0 ORDER BY id"),
                        kLock}),
                delegate, delegator, number, number));
}

std::string Store::DelegationEntry(db::Session& sql, std::string_view id) const {
  return sql.Query("SELECT entry FROM delegations WHERE id = ?", db::Bytes(Bin(id))).at(0).Bytes(0);
}

absl::Time Store::DatabaseNow(db::Session& sql) const {
  return sql.Query("SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)")[0].Time(0);
}

}  // namespace yuezhan::review
