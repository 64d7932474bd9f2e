#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/base/time_proto.h"
#include "common/db/lists.h"
#include "common/host/sealed_message.h"
#include "common/list/statement.h"
#include "services/application/store.h"

namespace yuezhan::application {
namespace {

// Ids come from our own resource names, checked by then: a bad one is a fault of ours.
std::string Bin(std::string_view id) { return UuidToBytes(id).value(); }
std::string BinOf(std::string_view pattern, std::string_view name) {
  return Bin(IdOf(pattern, name).value());
}
std::string Text(const std::string& bytes) { return UuidFromBytes(bytes).value(); }

std::string ApplicationPlace(std::string_view id) { return Concat({"applications|", id}); }
std::string SubmissionPlace(std::string_view id, int64_t number) {
  return Concat({"submissions|", id, "|", std::to_string(number)});
}

int64_t VersionOf(const std::string& etag) {
  int64_t version = 0;
  return absl::SimpleAtoi(etag, &version) ? version : 0;
}

constexpr std::string_view kApplicationColumns =
    "SELECT id, version, sealed, wrapped_key FROM applications ";
constexpr std::string_view kLockedApplication =
    "SELECT id, version, sealed, wrapped_key FROM applications WHERE id = ? FOR UPDATE";

using list::Kind;

constexpr std::string_view kAnyOrder = "= < <= > >=";
const list::Field kListFields[] = {
    {"host_unit", Kind::kName, "a.host_unit", "=", nullptr, "hostUnits/*"},
    {"station", Kind::kName, "a.station", "=", nullptr, "stations/*"},
    {"state", Kind::kEnum, "a.state", "=", v1::ApplicationState_descriptor()},
    {"level", Kind::kEnum, "a.category", "=", common::v1::StationLevel_descriptor()},
    {"subsidy_year", Kind::kInteger, "a.subsidy_year", "="},
    {"requested_amount_fen", Kind::kInteger, "a.requested_amount_fen", kAnyOrder},
    {"submit_time", Kind::kTime, "a.submit_time", kAnyOrder},
};

// A station, a host unit and a year of one city have few applications: any other condition is
// looked at row by row.
const list::Plan kListPlans[] = {
    {"applications a FORCE INDEX (station)", {{"station", ""}}, "", "a.id", true},
    {"applications a FORCE INDEX (station)", {{"station", ""}}, "submit_time", "a.id", true},
    {"applications a FORCE INDEX (host_unit)", {{"host_unit", ""}}, "", "a.id", true},
    {"applications a FORCE INDEX (host_unit)", {{"host_unit", ""}}, "submit_time", "a.id", true},
    {"applications a FORCE INDEX (host_unit)", {{"host_unit", ""}}, "requested_amount_fen", "a.id",
     true},
    {"applications a FORCE INDEX (subsidy_year)", {{"subsidy_year", ""}}, "", "a.id", true},
    {"applications a FORCE INDEX (subsidy_year)", {{"subsidy_year", ""}}, "submit_time", "a.id",
     true},
    {"applications a FORCE INDEX (subsidy_year)", {{"subsidy_year", ""}}, "requested_amount_fen",
     "a.id", true},
    {"applications a FORCE INDEX (PRIMARY)", {}, "", "a.id"},
    {"applications a FORCE INDEX (state)", {{"state", ""}}, "", "a.id"},
    {"applications a FORCE INDEX (category)", {{"level", ""}}, "", "a.id"},
    {"applications a FORCE INDEX (submitted)", {}, "submit_time", "a.id"},
    {"applications a FORCE INDEX (state_submitted)", {{"state", ""}}, "submit_time", "a.id"},
    {"applications a FORCE INDEX (category_submitted)", {{"level", ""}}, "submit_time", "a.id"},
    {"applications a FORCE INDEX (amount)", {}, "requested_amount_fen", "a.id"},
};

constexpr std::string_view kSubmissionColumns =
    "SELECT application, number, sealed, wrapped_key FROM submissions ";

}  // namespace

const list::Table& ApplicationLists() {
  static const list::Table table{kListFields, kListPlans};
  return table;
}

void Store::InsertApplication(db::Session& sql, v1::Application* application) const {
  const std::string id = IdOf("applications/*", application->name()).value();
  application->set_etag("1");
  const journal::Sealed sealed = SealMessage(vault_, ApplicationPlace(id), *application);
  const v1::ApplicationForm& form = application->form();
  static const db::RowShape kRows = db::NewRows(
      "applications",
      "id, host_unit, station, state, category, subsidy_year, requested_amount_fen, submissions, "
      "submit_time, version, sealed, wrapped_key");
  sql.Hold(kRows, db::Bytes(Bin(id)), db::Bytes(BinOf("hostUnits/*", application->host_unit())),
           db::Bytes(BinOf("stations/*", form.station())), application->state(), form.category(),
           form.subsidy_year(), FenOf(form.requested_amount()).value(), 0, 0, 1,
           db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

void Store::UpdateApplication(db::Session& sql, v1::Application* application) const {
  static const db::RowShape kRows =
      db::ChangedRows("applications", "id, host_unit, station",
                      "state, category, subsidy_year, requested_amount_fen, submissions, "
                      "submit_time, sealed, wrapped_key");
  const std::string id = IdOf("applications/*", application->name()).value();
  const int64_t version = VersionOf(application->etag());
  application->set_etag(absl::StrCat(version + 1));
  const journal::Sealed sealed = SealMessage(vault_, ApplicationPlace(id), *application);
  const v1::ApplicationForm& form = application->form();
  sql.Hold(kRows, db::Bytes(Bin(id)), db::Bytes(BinOf("hostUnits/*", application->host_unit())),
           db::Bytes(BinOf("stations/*", form.station())), version + 1, application->state(),
           form.category(), form.subsidy_year(), FenOf(form.requested_amount()).value(),
           application->submissions(), FromProto(application->submit_time()),
           db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

absl::StatusOr<v1::Application> Store::ReadApplication(const db::Row& row) const {
  YZ_ASSIGN_OR_RETURN(auto application,
                      OpenMessage<v1::Application>(vault_, ApplicationPlace(Text(row.Bytes(0))),
                                                   row.Bytes(2), row.Bytes(3)));
  application.set_etag(absl::StrCat(row.Int(1)));
  return application;
}

absl::StatusOr<std::optional<v1::Application>> Store::Application(db::Session& sql,
                                                                  std::string_view id,
                                                                  bool lock) const {
  const db::Rows rows =
      lock ? sql.Query(kLockedApplication, db::Bytes(Bin(id)))
           : sql.Query(Concat({kApplicationColumns, "WHERE id = ?"}), db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  YZ_ASSIGN_OR_RETURN(auto application, ReadApplication(rows[0]));
  return application;
}

void Store::PrefetchApplications(db::Session& sql, const std::vector<std::string>& names) const {
  sql.Prefetch(kLockedApplication, db::KeysOf("applications/*", names));
}

absl::StatusOr<std::map<std::string, v1::Application>> Store::ApplicationsById(
    db::Session& sql, const std::vector<std::string>& ids, bool lock) const {
  const auto in = db::KeyList::OfIds(ids);
  std::map<std::string, v1::Application> found;
  for (const db::Row& row :
       sql.QueryList(Concat({kApplicationColumns, "FORCE INDEX (PRIMARY) WHERE id IN ", in.marks(),
                             lock ? " ORDER BY id FOR UPDATE" : ""}),
                     in.params())) {
    YZ_ASSIGN_OR_RETURN(auto application, ReadApplication(row));
    found.emplace(Text(row.Bytes(0)), std::move(application));
  }
  return found;
}

std::map<std::string, std::string> Store::HostUnitsOf(db::Session& sql,
                                                      const std::vector<std::string>& ids) const {
  const auto in = db::KeyList::OfIds(ids);
  std::map<std::string, std::string> hosts;
  for (const db::Row& row :
       sql.QueryList(Concat({"SELECT id, host_unit FROM applications WHERE id IN ", in.marks()}),
                     in.params())) {
    hosts[Text(row.Bytes(0))] = Name("hostUnits", Text(row.Bytes(1)));
  }
  return hosts;
}

absl::StatusOr<ListPage> Store::Applications(db::Session& sql, const list::Query& query,
                                             std::string_view after, int limit) const {
  YZ_ASSIGN_OR_RETURN(const auto statement,
                      list::Page(query, "a.id, a.version, a.sealed, a.wrapped_key", after, limit));
  ListPage page;
  for (const db::Row& row : sql.QueryList(statement.sql, statement.Params())) {
    YZ_ASSIGN_OR_RETURN(auto application, ReadApplication(row));
    page.applications.push_back(std::move(application));
    page.last = list::KeyOf(query, row, 4);
  }
  return page;
}

void Store::InsertSubmissions(db::Session& sql,
                              const std::vector<v1::Submission>& submissions) const {
  std::vector<std::string> owned;  // what the parameters point to
  owned.reserve(submissions.size() * 3);
  const auto bytes = [&](std::string value) {
    return db::Bytes(owned.emplace_back(std::move(value)));
  };
  std::vector<db::Param> rows;
  for (const v1::Submission& submission : submissions) {
    const std::string id = IdOf("applications/*", submission.application()).value();
    journal::Sealed sealed =
        SealMessage(vault_, SubmissionPlace(id, submission.number()), submission);
    rows.insert(rows.end(), {bytes(Bin(id)), submission.number(),
                             FromProto(submission.submit_time()),
                             submission.facts().standing().station().registry_sequence(),
                             bytes(std::move(sealed.bytes)), bytes(std::move(sealed.wrapped_key))});
  }
  sql.ExecuteList(db::InsertMany("INSERT INTO submissions (application, number, time, "
                                 "registry_sequence, sealed, wrapped_key)",
                                 6, submissions.size()),
                  rows);
}

absl::StatusOr<v1::Submission> Store::ReadSubmission(const db::Row& row) const {
  const std::string place = SubmissionPlace(Text(row.Bytes(0)), row.Int(1));
  return OpenMessage<v1::Submission>(vault_, place, row.Bytes(2), row.Bytes(3));
}

absl::StatusOr<std::vector<std::optional<v1::Submission>>> Store::SubmissionsAt(
    db::Session& sql, const std::vector<std::pair<std::string, int>>& places) const {
  std::vector<std::string> ids;
  for (const auto& [id, number] : places) ids.push_back(id);
  const auto in = db::KeyList::OfIds(ids);
  const db::Rows rows = sql.QueryList(Concat({kSubmissionColumns, "WHERE application IN ",
                                              in.marks(), " ORDER BY application, number DESC"}),
                                      in.params());
  std::vector<std::optional<v1::Submission>> found;
  for (const auto& place : places) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const db::Row& each) {
      return Text(each.Bytes(0)) == place.first &&
             (place.second == 0 || each.Int(1) == place.second);
    });
    found.emplace_back();
    if (row == rows.end()) continue;
    YZ_ASSIGN_OR_RETURN(found.back(), ReadSubmission(*row));
  }
  return found;
}

absl::StatusOr<std::vector<v1::Submission>> Store::Submissions(db::Session& sql,
                                                               std::string_view id) const {
  std::vector<v1::Submission> submissions;
  for (const db::Row& row :
       sql.Query(Concat({kSubmissionColumns, "WHERE application = ? ORDER BY number"}),
                 db::Bytes(Bin(id)))) {
    YZ_ASSIGN_OR_RETURN(auto submission, ReadSubmission(row));
    submissions.push_back(std::move(submission));
  }
  return submissions;
}

std::string Store::ClaimLineage(db::Session& sql, std::string_view lineage,
                                std::string_view id) const {
  try {
    sql.Execute("INSERT INTO live_lineages (lineage, application) VALUES (?, ?)",
                db::Bytes(lineage), db::Bytes(Bin(id)));
    return std::string(id);
  } catch (const db::Error& error) {
    if (!error.IsDuplicate()) throw;
  }
  // Empty: it ended just now.
  return LiveOf(sql, {std::string(lineage)})[std::string(lineage)];
}

std::map<std::string, std::string> Store::LiveOf(db::Session& sql,
                                                 const std::vector<std::string>& lineages) const {
  const db::KeyList in(lineages);
  std::map<std::string, std::string> live;
  for (const db::Row& row : sql.QueryList(
           Concat({"SELECT lineage, application FROM live_lineages WHERE lineage IN ", in.marks()}),
           in.params())) {
    live[row.Bytes(0)] = Text(row.Bytes(1));
  }
  return live;
}

void Store::FreeLineage(db::Session& sql, std::string_view id) const {
  sql.Execute("DELETE FROM live_lineages WHERE application = ?", db::Bytes(Bin(id)));
}

void Store::PutScan(db::Session& sql, std::string_view id, std::string_view material,
                    const v1::Material& scan) const {
  v1::Material kept;
  kept.set_form_number(scan.form_number());
  kept.set_form_digest(scan.form_digest());
  if (scan.has_scan_agrees()) *kept.mutable_scan_agrees() = scan.scan_agrees();
  const std::string body = kept.SerializeAsString();
  static const db::RowShape kRows = db::PutRows("scans", "application, material", "body");
  sql.Hold(kRows, db::Bytes(Bin(id)), db::Bytes(Bin(material)), db::Bytes(body));
}

std::map<std::string, v1::Material> Store::Scans(db::Session& sql,
                                                 const std::vector<std::string>& ids) const {
  const auto in = db::KeyList::OfIds(ids);
  std::map<std::string, v1::Material> scans;
  for (const db::Row& row : sql.QueryList(
           Concat({"SELECT material, body FROM scans WHERE application IN ", in.marks()}),
           in.params())) {
    scans[Text(row.Bytes(0))].ParseFromString(row.Bytes(1));
  }
  return scans;
}

}  // namespace yuezhan::application
