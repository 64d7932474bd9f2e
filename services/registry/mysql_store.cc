#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/host/sealed_message.h"
#include "services/registry/store.h"

namespace yuezhan::registry {
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

std::string HostPlace(std::string_view id) { return Concat({"host_units|", id}); }
std::string StationPlace(std::string_view id) { return Concat({"stations|", id}); }

int64_t VersionOf(const std::string& etag) {
  int64_t version = 0;
  return absl::SimpleAtoi(etag, &version) ? version : 0;
}

constexpr std::string_view kStationColumns =
    "SELECT id, version, sealed, wrapped_key FROM stations ";

}  // namespace

std::string Lineage(const v1::FilingForm& form) {
  // Full-width ASCII (U+FF01 to U+FF5E) to ASCII, spaces of any width away.
  std::string name;
  const std::string& text = form.society().name();
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[k]); };
    if (i + 2 < text.size() && byte(i) == 0xEF && (byte(i + 1) == 0xBC || byte(i + 1) == 0xBD)) {
      const int code = (byte(i + 1) & 0x3F) << 6 | (byte(i + 2) & 0x3F);  // low 12 bits of U+Fxxx
      if (code >= 0xF01 && code <= 0xF5E) {
        name += static_cast<char>(code - 0xF01 + '!');
        i += 2;
        continue;
      }
    }
    if (text.compare(i, 3, "\u3000") == 0) {
      i += 2;
      continue;
    }
    if (text[i] != ' ' && text[i] != '\t') name += text[i];
  }
  return Digest({name, form.host_unit()});
}

bool Store::InsertHostUnit(db::Session& sql, v1::HostUnit* unit, std::string* existing) const {
  const std::string identity = Digest({unit->display_name(), unit->credit_code()});
  const db::Rows found =
      sql.Query("SELECT id FROM host_units WHERE identity = ?", db::Bytes(identity));
  if (!found.empty()) {
    *existing = Name("hostUnits", Text(found[0].Bytes(0)));
    return false;
  }
  const std::string id = IdIn("hostUnits/*", unit->name());
  unit->set_etag("1");
  const journal::Sealed sealed = SealMessage(vault_, HostPlace(id), *unit);
  sql.Execute(
      "INSERT INTO host_units (id, identity, version, sealed, wrapped_key) VALUES (?, ?, 1, ?, ?)",
      db::Bytes(Bin(id)), db::Bytes(identity), db::Bytes(sealed.bytes),
      db::Bytes(sealed.wrapped_key));
  return true;
}

absl::StatusOr<std::optional<v1::HostUnit>> Store::HostUnit(db::Session& sql,
                                                            std::string_view id) const {
  const db::Rows rows =
      sql.Query("SELECT sealed, wrapped_key FROM host_units WHERE id = ?", db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  return OpenMessage<v1::HostUnit>(vault_, HostPlace(id), rows[0].Bytes(0), rows[0].Bytes(1));
}

absl::StatusOr<std::vector<v1::HostUnit>> Store::HostUnits(db::Session& sql,
                                                           const Page& page) const {
  std::vector<v1::HostUnit> units;
  for (const db::Row& row :
       sql.Query("SELECT id, sealed, wrapped_key FROM host_units WHERE id > ? ORDER BY id LIMIT ?",
                 db::Bytes(After(page)), page.limit)) {
    YZ_ASSIGN_OR_RETURN(auto unit, OpenMessage<v1::HostUnit>(vault_, HostPlace(Text(row.Bytes(0))),
                                                             row.Bytes(1), row.Bytes(2)));
    units.push_back(std::move(unit));
  }
  return units;
}

void Store::InsertStation(db::Session& sql, v1::Station* station) const {
  const std::string id = IdIn("stations/*", station->name());
  station->set_etag("1");
  const journal::Sealed sealed = SealMessage(vault_, StationPlace(id), *station);
  sql.Execute(
      "INSERT INTO stations (id, host_unit, lineage, state, level, version, sealed, wrapped_key) "
      "VALUES (?, ?, ?, ?, ?, 1, ?, ?)",
      db::Bytes(Bin(id)), db::Bytes(Bin(IdIn("hostUnits/*", station->form().host_unit()))),
      db::Bytes(Lineage(station->form())), station->state(), station->form().level(),
      db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

bool Store::UpdateStation(db::Session& sql, v1::Station* station) const {
  const std::string id = IdIn("stations/*", station->name());
  const int64_t version = VersionOf(station->etag());
  station->set_etag(absl::StrCat(version + 1));
  v1::Station stored = *station;
  stored.clear_subsidies();  // rows of their own
  const journal::Sealed sealed = SealMessage(vault_, StationPlace(id), stored);
  const std::optional<std::string> number =
      station->filing_number().empty() ? std::nullopt : std::optional(station->filing_number());
  return sql.Execute(
             "UPDATE stations SET host_unit = ?, lineage = ?, state = ?, level = ?, filing_number "
             "= ?, version = ?, "
             "sealed = ?, wrapped_key = ? WHERE id = ? AND version = ?",
             db::Bytes(Bin(IdIn("hostUnits/*", station->form().host_unit()))),
             db::Bytes(Lineage(station->form())), station->state(), station->form().level(), number,
             version + 1, db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key),
             db::Bytes(Bin(id)), version) == 1;
}

absl::StatusOr<v1::Station> Store::ReadStation(const db::Row& row) const {
  YZ_ASSIGN_OR_RETURN(
      auto station, OpenMessage<v1::Station>(vault_, StationPlace(Text(row.Bytes(0))), row.Bytes(2),
                                             row.Bytes(3)));
  station.set_etag(absl::StrCat(row.Int(1)));
  return station;
}

void Store::ReadSubsidies(db::Session& sql, std::vector<v1::Station>* stations) const {
  std::map<std::string, v1::Station*> by_name;
  std::vector<std::string> ids;
  for (v1::Station& station : *stations) {
    by_name[station.name()] = &station;
    ids.push_back(absl::StrCat("x'", ToHex(Bin(IdIn("stations/*", station.name()))), "'"));
  }
  if (ids.empty()) return;
  for (const db::Row& row : sql.QueryText(absl::StrCat(
           "SELECT t.id, s.station, s.level, s.source, s.paid_on FROM stations t JOIN subsidies s "
           "ON s.lineage = t.lineage WHERE t.id IN (",
           absl::StrJoin(ids, ","), ")"))) {
    rules::v1::SubsidyFacts* subsidy =
        by_name.at(Name("stations", Text(row.Bytes(0))))->add_subsidies();
    subsidy->set_station(Name("stations", Text(row.Bytes(1))));
    subsidy->set_level(static_cast<common::v1::StationLevel>(row.Int(2)));
    subsidy->set_source(row.Text(3));
    *subsidy->mutable_paid_on() = DayToProto(Day(1970, 1, 1) + row.Int(4));
  }
}

absl::StatusOr<std::optional<v1::Station>> Store::Station(db::Session& sql, std::string_view id,
                                                          bool lock) const {
  const db::Rows rows =
      lock ? sql.Query(Concat({kStationColumns, "WHERE id = ? FOR UPDATE"}), db::Bytes(Bin(id)))
           : sql.Query(Concat({kStationColumns, "WHERE id = ?"}), db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  std::vector<v1::Station> stations(1);
  YZ_ASSIGN_OR_RETURN(stations[0], ReadStation(rows[0]));
  ReadSubsidies(sql, &stations);
  return stations[0];
}

absl::StatusOr<std::vector<v1::Station>> Store::Stations(db::Session& sql,
                                                         std::string_view host_unit, int state,
                                                         const Page& page) const {
  const std::string after = After(page);
  const std::string host = host_unit.empty() ? "" : Bin(host_unit);
  // One statement per combination of filters, so that each uses its index.
  const auto select = [](std::string_view where) {
    return Concat({kStationColumns, "WHERE ", where, "id > ? ORDER BY id LIMIT ?"});
  };
  db::Rows rows;
  if (host.empty() && state == 0) {
    rows = sql.Query(select(""), db::Bytes(after), page.limit);
  } else if (host.empty()) {
    rows = sql.Query(select("state = ? AND "), state, db::Bytes(after), page.limit);
  } else if (state == 0) {
    rows = sql.Query(select("host_unit = ? AND "), db::Bytes(host), db::Bytes(after), page.limit);
  } else {
    rows = sql.Query(select("host_unit = ? AND state = ? AND "), db::Bytes(host), state,
                     db::Bytes(after), page.limit);
  }
  std::vector<v1::Station> stations;
  for (const db::Row& row : rows) {
    YZ_ASSIGN_OR_RETURN(auto station, ReadStation(row));
    stations.push_back(std::move(station));
  }
  ReadSubsidies(sql, &stations);
  return stations;
}

int64_t Store::NextFilingNumber(db::Session& sql, int year, int level) const {
  sql.Execute(
      "INSERT INTO filing_numbers (year, level, last) VALUES (?, ?, 1) ON DUPLICATE KEY UPDATE "
      "last = last + 1",
      year, level);
  return sql.Query("SELECT last FROM filing_numbers WHERE year = ? AND level = ?", year, level)[0]
      .Int(0);
}

void Store::InsertActivity(db::Session& sql, const v1::Activity& activity) const {
  const auto ids = IdsOf("stations/*/activities/*", activity.name()).value();
  const Day day = *DayFromProto(activity.date());
  sql.Execute("INSERT INTO activities (station, id, kind, day, body) VALUES (?, ?, ?, ?, ?)",
              db::Bytes(Bin(ids[0])), db::Bytes(Bin(ids[1])), activity.kind(),
              day - Day(1970, 1, 1), db::Bytes(activity.SerializeAsString()));
}

std::vector<v1::Activity> Store::Activities(db::Session& sql, std::string_view station,
                                            const Page& page) const {
  std::vector<v1::Activity> activities;
  for (const db::Row& row :
       sql.Query("SELECT body FROM activities WHERE station = ? AND id > ? ORDER BY id LIMIT ?",
                 db::Bytes(Bin(station)), db::Bytes(After(page)), page.limit)) {
    activities.emplace_back().ParseFromString(row.Bytes(0));
  }
  return activities;
}

bool Store::InsertSubsidy(db::Session& sql, const v1::Station& station, std::string_view payment_id,
                          const rules::v1::SubsidyFacts& subsidy) const {
  const std::string payment = Bin(payment_id);
  if (!sql.Query("SELECT 1 FROM subsidies WHERE payment = ?", db::Bytes(payment)).empty())
    return false;
  sql.Execute(
      "INSERT INTO subsidies (payment, lineage, station, level, source, paid_on) VALUES (?, ?, ?, "
      "?, ?, ?)",
      db::Bytes(payment), db::Bytes(Lineage(station.form())),
      db::Bytes(Bin(IdIn("stations/*", station.name()))), subsidy.level(), subsidy.source(),
      *DayFromProto(subsidy.paid_on()) - Day(1970, 1, 1));
  return true;
}

int64_t Store::JournalSequence(db::Session& sql) const {
  return sql.Query("SELECT seq FROM journal_head")[0].Int(0);
}

}  // namespace yuezhan::registry
