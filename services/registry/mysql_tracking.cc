#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/db/lists.h"
#include "common/list/statement.h"
#include "services/registry/mysql_rows.h"
#include "services/registry/store.h"

// Activities, subsidies, evaluations, reports.
namespace yuezhan::registry {
namespace {

// A row's message as its version has it.
template <typename Message>
Message Read(const std::string& body, int64_t version) {
  Message message;
  message.ParseFromString(body);
  message.set_etag(absl::StrCat(version));
  return message;
}

std::string After(const Page& page) {
  return page.after.empty() ? std::string(16, '\0') : Bin(page.after);
}

}  // namespace

// ---- activities ----

void Store::InsertActivities(db::Session& sql,
                             const std::vector<const v1::Activity*>& activities) const {
  std::vector<std::string> owned;  // what the parameters point to
  owned.reserve(activities.size() * 3);
  std::vector<db::Param> rows, versions;
  for (const v1::Activity* activity : activities) {
    const auto ids = IdsOf("stations/*/activities/*", activity->name()).value();
    const Day day = *DayFromProto(activity->date());
    const db::Bytes station(owned.emplace_back(Bin(ids[0]))), id(owned.emplace_back(Bin(ids[1]))),
        body(owned.emplace_back(activity->SerializeAsString()));
    rows.insert(rows.end(), {station, id, activity->kind(), Number(day), day.year(),
                             activity->participants(), activity->version(), body});
    versions.insert(versions.end(), {station, id, activity->version(), body});
  }
  sql.ExecuteList(db::InsertMany("INSERT INTO activities (station, id, kind, day, year, "
                                 "participants, version, body)",
                                 8, activities.size()),
                  rows);
  sql.ExecuteList(
      db::InsertMany("INSERT INTO activity_versions (station, id, version, body)", 4,
                     activities.size()),
      versions);
}

bool Store::UpdateActivity(db::Session& sql, const v1::Activity& activity) const {
  const auto ids = IdsOf("stations/*/activities/*", activity.name()).value();
  const Day day = *DayFromProto(activity.date());
  const std::string body = activity.SerializeAsString();
  if (sql.Execute("UPDATE activities SET kind = ?, day = ?, year = ?, participants = ?, version = "
                  "?, body = ? WHERE station = ? AND id = ? AND version = ?",
                  activity.kind(), Number(day), day.year(), activity.participants(),
                  activity.version(), db::Bytes(body), db::Bytes(Bin(ids[0])),
                  db::Bytes(Bin(ids[1])), activity.version() - 1) != 1) {
    return false;
  }
  sql.Execute("INSERT INTO activity_versions (station, id, version, body) VALUES (?, ?, ?, ?)",
              db::Bytes(Bin(ids[0])), db::Bytes(Bin(ids[1])), activity.version(), db::Bytes(body));
  return true;
}

std::optional<v1::Activity> Store::Activity(db::Session& sql, std::string_view station,
                                            std::string_view id, int version) const {
  const db::Rows rows =
      version == 0
          ? sql.Query("SELECT body FROM activities WHERE station = ? AND id = ?",
                      db::Bytes(Bin(station)), db::Bytes(Bin(id)))
          : sql.Query("SELECT body FROM activity_versions WHERE station = ? AND id = ? AND version "
                      "= ?",
                      db::Bytes(Bin(station)), db::Bytes(Bin(id)), version);
  if (rows.empty()) return std::nullopt;
  v1::Activity activity;
  activity.ParseFromString(rows[0].Bytes(0));
  return activity;
}

Found<v1::Activity> Store::Activities(db::Session& sql, std::string_view station,
                                      const Page& page) const {
  Found<v1::Activity> found;
  for (const db::Row& row : sql.Query(
           "SELECT id, body FROM activities WHERE station = ? AND id > ? ORDER BY id LIMIT ?",
           db::Bytes(Bin(station)), db::Bytes(After(page)), page.limit)) {
    found.rows.Add()->ParseFromString(row.Bytes(1));
    found.last_key = Text(row.Bytes(0));
  }
  return found;
}

std::vector<v1::ActivitySum> Store::ActivitySums(db::Session& sql, std::string_view station,
                                                 int first_year, int last_year) const {
  constexpr std::string_view kSelect =
      "SELECT year, kind, COUNT(*), SUM(participants) FROM activities WHERE ";
  constexpr std::string_view kYears = "year >= ? AND year <= ? GROUP BY year, kind ORDER BY 1, 2";
  const int last = last_year == 0 ? 9999 : last_year;
  std::vector<v1::ActivitySum> sums;
  for (const db::Row& row :
       station.empty() ? sql.Query(Concat({kSelect, kYears}), first_year, last)
                       : sql.Query(Concat({kSelect, "station = ? AND ", kYears}),
                                   db::Bytes(Bin(station)), first_year, last)) {
    v1::ActivitySum& sum = sums.emplace_back();
    sum.set_year(static_cast<int>(row.Int(0)));
    sum.set_kind(static_cast<common::v1::WorkKind>(row.Int(1)));
    sum.set_activities(row.Int(2));
    sum.set_participants(row.Int(3));
  }
  return sums;
}

// ---- subsidies ----

bool Store::InsertSubsidy(db::Session& sql, std::string_view station, std::string_view payment_id,
                          const rules::v1::SubsidyFacts& subsidy) const {
  const std::string payment = Bin(payment_id);
  const std::string lineage = LineageOf(sql, station);
  // Whoever files a station of the lineage waits, and then sees the subsidy.
  auto& marked = sql.OfTransaction<Subsidized>().lineages;
  if (!marked.contains(lineage)) sql.Query(kLockedLineage, db::Bytes(lineage));
  if (!sql.Query(kPaidSubsidy, db::Bytes(payment)).empty()) return false;
  static const db::RowShape kRows =
      db::NewRows("subsidies", "payment, lineage, station, level, source, paid_on");
  sql.Hold(kRows, db::Bytes(payment), db::Bytes(lineage), db::Bytes(Bin(station)), subsidy.level(),
           subsidy.source(), Number(subsidy.paid_on()));
  if (marked.insert(lineage).second) {
    sql.Execute("UPDATE stations SET subsidized = 1 WHERE lineage = ?", db::Bytes(lineage));
  }
  return true;
}

bool Store::RemoveSubsidy(db::Session& sql, std::string_view station,
                          std::string_view payment_id) const {
  const std::string payment = Bin(payment_id);
  const std::string lineage = LineageOf(sql, station);
  sql.Query(kLockedLineage, db::Bytes(lineage));
  sql.OfTransaction<Subsidized>().lineages.erase(lineage);
  if (sql.Execute("DELETE FROM subsidies WHERE payment = ?", db::Bytes(payment)) == 0) return false;
  sql.Execute("UPDATE stations SET subsidized = EXISTS (SELECT 1 FROM subsidies WHERE lineage = ?) "
              "WHERE lineage = ?",
              db::Bytes(lineage), db::Bytes(lineage));
  sql.Execute("DELETE FROM use_reports WHERE payment = ? AND state = ?", db::Bytes(payment),
              v1::USE_REPORT_STATE_DUE);
  return true;
}

Found<rules::v1::SubsidyFacts> Store::Subsidies(db::Session& sql, const Page& page) const {
  Found<rules::v1::SubsidyFacts> found;
  for (const db::Row& row :
       sql.Query("SELECT payment, station, level, source, paid_on FROM subsidies WHERE payment > ? "
                 "ORDER BY payment LIMIT ?",
                 db::Bytes(After(page)), page.limit)) {
    rules::v1::SubsidyFacts& subsidy = *found.rows.Add();
    subsidy.set_station(Name("stations", Text(row.Bytes(1))));
    subsidy.set_level(static_cast<common::v1::StationLevel>(row.Int(2)));
    subsidy.set_source(row.Text(3));
    *subsidy.mutable_paid_on() = DayToProto(DayOf(row.Int(4)));
    found.last_key = Text(row.Bytes(0));
  }
  return found;
}

// ---- evaluations ----

namespace {

std::optional<int> InForce(const v1::Evaluation& evaluation) {
  if (evaluation.state() == v1::EVALUATION_STATE_SUPERSEDED) return std::nullopt;
  return 1;
}
// The day that a timer waits for; none where the calendar does not know it yet.
std::optional<int64_t> Ends(const v1::Evaluation& evaluation) {
  return evaluation.review_until_provisional() ? std::nullopt
                                               : Number(evaluation.review_until());
}

}  // namespace

std::string Store::EvaluationInForce(db::Session& sql, std::string_view station, int year) const {
  const db::Rows found =
      sql.Query("SELECT id FROM evaluations WHERE station = ? AND year = ? AND in_force = 1",
                db::Bytes(Bin(station)), year);
  return found.empty() ? "" : Name("stations", station, "evaluations", Text(found[0].Bytes(0)));
}

bool Store::InsertEvaluation(db::Session& sql, v1::Evaluation* evaluation,
                             std::string* existing) const {
  const auto ids = IdsOf("stations/*/evaluations/*", evaluation->name()).value();
  const std::string station = Bin(ids[0]);
  *existing = EvaluationInForce(sql, ids[0], evaluation->year());
  if (!existing->empty()) return false;
  evaluation->set_etag("1");
  sql.Execute(
      "INSERT INTO evaluations (id, station, host_unit, year, state, grade, in_force, "
      "review_until, version, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
      db::Bytes(Bin(ids[1])), db::Bytes(station),
      db::Bytes(BinOf("hostUnits/*", evaluation->host_unit())), evaluation->year(),
      evaluation->state(), evaluation->grade(), InForce(*evaluation), Ends(*evaluation),
      db::Bytes(evaluation->SerializeAsString()));
  return true;
}

bool Store::UpdateEvaluation(db::Session& sql, v1::Evaluation* evaluation) const {
  const int64_t version = VersionOf(evaluation->etag());
  evaluation->set_etag(absl::StrCat(version + 1));
  return sql.Execute("UPDATE evaluations SET state = ?, grade = ?, in_force = ?, review_until = ?, "
                     "version = ?, body = ? WHERE id = ? AND version = ?",
                     evaluation->state(), evaluation->grade(), InForce(*evaluation),
                     Ends(*evaluation), version + 1, db::Bytes(evaluation->SerializeAsString()),
                     db::Bytes(BinOf("stations/*/evaluations/*", evaluation->name())),
                     version) == 1;
}

std::optional<v1::Evaluation> Store::Evaluation(db::Session& sql, std::string_view id,
                                                bool lock) const {
  const db::Rows rows = sql.Query(Concat({"SELECT version, body FROM evaluations WHERE id = ?",
                                          lock ? " FOR UPDATE" : ""}),
                                  db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  return Read<v1::Evaluation>(rows[0].Bytes(1), rows[0].Int(0));
}

absl::StatusOr<Found<v1::Evaluation>> Store::Evaluations(db::Session& sql, const list::Query& query,
                                                         const Page& page) const {
  YZ_ASSIGN_OR_RETURN(const auto select,
                      list::Page(query, "e.version, e.body", page.after, page.limit));
  Found<v1::Evaluation> found;
  for (const db::Row& row : sql.QueryList(select.sql, select.Params())) {
    found.rows.Add(Read<v1::Evaluation>(row.Bytes(1), row.Int(0)));
    found.last_key = list::KeyOf(query, row, 2);
  }
  return found;
}

std::vector<std::string> Store::EndedEvaluations(db::Session& sql, Day today, int limit) const {
  std::vector<std::string> names;
  for (const db::Row& row :
       sql.Query("SELECT station, id FROM evaluations WHERE state = ? AND review_until < ? ORDER "
                 "BY review_until LIMIT ?",
                 v1::EVALUATION_STATE_PROVISIONAL, Number(today), limit)) {
    names.push_back(Name("stations", Text(row.Bytes(0)), "evaluations", Text(row.Bytes(1))));
  }
  return names;
}

// ---- reports on the use of the money ----

namespace {

bool Awaited(const v1::UseReport& report) {
  return report.state() == v1::USE_REPORT_STATE_DUE ||
         report.state() == v1::USE_REPORT_STATE_RETURNED;
}

}  // namespace

bool Store::InsertUseReport(db::Session& sql, std::string_view payment_id,
                            v1::UseReport* report) const {
  const auto ids = IdsOf("stations/*/useReports/*", report->name()).value();
  const std::string payment = Bin(payment_id);
  if (!sql.Query(kReportOfPayment, db::Bytes(payment)).empty()) return false;
  report->set_etag("1");
  static const db::RowShape kRows = db::NewRows(
      "use_reports", "id, payment, station, host_unit, state, awaited, due, version, body");
  sql.Hold(kRows, db::Bytes(Bin(ids[1])), db::Bytes(payment), db::Bytes(Bin(ids[0])),
           db::Bytes(BinOf("hostUnits/*", report->host_unit())), report->state(), Awaited(*report),
           Number(report->due_on()), 1, db::Bytes(report->SerializeAsString()));
  return true;
}

bool Store::UpdateUseReport(db::Session& sql, v1::UseReport* report) const {
  const int64_t version = VersionOf(report->etag());
  report->set_etag(absl::StrCat(version + 1));
  return sql.Execute("UPDATE use_reports SET state = ?, awaited = ?, due = ?, version = ?, body = "
                     "? WHERE id = ? AND version = ?",
                     report->state(), Awaited(*report), Number(report->due_on()), version + 1,
                     db::Bytes(report->SerializeAsString()),
                     db::Bytes(BinOf("stations/*/useReports/*", report->name())), version) == 1;
}

std::optional<v1::UseReport> Store::UseReport(db::Session& sql, std::string_view station,
                                              std::string_view id, bool lock) const {
  const db::Rows rows =
      sql.Query(Concat({"SELECT version, body FROM use_reports WHERE id = ? AND station = ?",
                        lock ? " FOR UPDATE" : ""}),
                db::Bytes(Bin(id)), db::Bytes(Bin(station)));
  if (rows.empty()) return std::nullopt;
  return Read<v1::UseReport>(rows[0].Bytes(1), rows[0].Int(0));
}

absl::StatusOr<Found<v1::UseReport>> Store::UseReports(db::Session& sql, const list::Query& query,
                                                       const Page& page) const {
  YZ_ASSIGN_OR_RETURN(const auto select,
                      list::Page(query, "u.version, u.body", page.after, page.limit));
  Found<v1::UseReport> found;
  for (const db::Row& row : sql.QueryList(select.sql, select.Params())) {
    found.rows.Add(Read<v1::UseReport>(row.Bytes(1), row.Int(0)));
    found.last_key = list::KeyOf(query, row, 2);
  }
  return found;
}

}  // namespace yuezhan::registry
