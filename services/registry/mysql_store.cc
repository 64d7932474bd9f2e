#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/db/lists.h"
#include "common/host/sealed_message.h"
#include "services/registry/mysql_rows.h"
#include "services/registry/store.h"

namespace yuezhan::registry {
namespace {

std::string ChangePlace(std::string_view id, int64_t version) {
  return Concat({"station_changes|", id, "|", std::to_string(version)});
}

// What the rules said at the last decision, and by which policy.
const Aside& AsideOf(Store::Reading reading) {
  static const auto& decision = *new std::vector<int>{v1::Station::kFindingsFieldNumber,
                                                      v1::Station::kPolicyFieldNumber};
  static const Aside kNone, kShown{decision};
  // What neither masks nor the facts that others decide by look at.
  using Form = v1::FilingForm;
  static const Aside kListed{
      {decision[0], decision[1], v1::Station::kDemandFitFieldNumber,
       v1::Station::kIndustryTieFieldNumber, v1::Station::kPointsFieldNumber,
       v1::Station::kFieldsAtFaultFieldNumber},
      {{v1::Station::kFormFieldNumber,
        {Form::kOfficeAddressFieldNumber, Form::kPostcodeFieldNumber, Form::kEmailFieldNumber,
         Form::kIndustryChainsFieldNumber, Form::kPurposeFieldNumber, Form::kMainWorkFieldNumber,
         Form::kAgreementFieldNumber, Form::kWorkingConditionsFieldNumber,
         Form::kFundingGuaranteeFieldNumber, Form::kManagementRulesFieldNumber}}}};
  switch (reading) {
    case Store::Reading::kListed:
      return kListed;
    case Store::Reading::kShown:
      return kShown;
    default:
      return kNone;
  }
}

}  // namespace

std::string Spelling(std::string_view text) {
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](size_t k) { return static_cast<unsigned char>(text[k]); };
    // Full-width ASCII (U+FF01 to U+FF5E) to ASCII.
    if (i + 2 < text.size() && byte(i) == 0xEF && (byte(i + 1) == 0xBC || byte(i + 1) == 0xBD)) {
      const int code = (byte(i + 1) & 0x3F) << 6 | (byte(i + 2) & 0x3F);  // low 12 bits of U+Fxxx
      if (code >= 0xF01 && code <= 0xF5E) {
        name += static_cast<char>(code - 0xF01 + '!');
        i += 2;
        continue;
      }
    }
    // Blanks of any width: ideographic space, zero width space, no-break space, and the usual ones.
    if (text.compare(i, 3, "\u3000") == 0 || text.compare(i, 3, "\u200B") == 0) {
      i += 2;
    } else if (text.compare(i, 2, "\u00A0") == 0) {
      i += 1;
    } else if (text[i] != ' ' && text[i] != '\t' && text[i] != '\n') {
      name += text[i];
    }
  }
  return name;
}

std::string HostUnitIdentity(std::string_view display_name, std::string_view credit_code) {
  return Digest({Spelling(display_name), credit_code});
}
std::string StationIdentity(const v1::FilingForm& form) {
  return Digest({"station", Spelling(form.display_name()), form.host_unit()});
}
std::string LineageKey(const v1::FilingForm& form) {
  return Digest({Spelling(form.society().name()), form.host_unit()});
}

std::vector<std::string> Store::LockLineages(db::Session& sql,
                                             const std::vector<std::string>& keys) const {
  // In one order, so that two who lock several wait for each other and do not deadlock.
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<db::Param> params;
  for (const std::string& key : sorted) {
    params.emplace_back(db::Bytes(key));
    params.emplace_back(db::Bytes(key));
  }
  // The update of a row that is there locks it.
  sql.ExecuteList(db::InsertMany("INSERT INTO lineages (key_digest, lineage)", 2, sorted.size(),
                             " ON DUPLICATE KEY UPDATE lineage = lineages.lineage"),
                  params);
  std::map<std::string, std::string> lineages;
  for (const db::Row& row :
       sql.QueryText(Concat({"SELECT key_digest, lineage FROM lineages WHERE key_digest IN (",
                             HexList(sorted), ")"}))) {
    lineages[row.Bytes(0)] = row.Bytes(1);
  }
  std::vector<std::string> found;
  for (const std::string& key : keys) found.push_back(lineages.at(key));
  return found;
}

void Store::InsertStations(db::Session& sql, std::vector<NewStation>* stations) const {
  std::vector<std::string> keys;
  for (const NewStation& each : *stations) keys.push_back(LineageKey(each.station.form()));
  const std::vector<std::string> lineages = LockLineages(sql, keys);
  std::map<std::string, bool> subsidized;
  for (const db::Row& row :
       sql.QueryText(Concat({"SELECT DISTINCT lineage FROM subsidies WHERE lineage IN (",
                             HexList(lineages), ")"}))) {
    subsidized[row.Bytes(0)] = true;
  }
  std::vector<std::string> owned;  // what the parameters point to
  owned.reserve(stations->size() * 12);
  const auto own = [&](std::string value) -> const std::string& {
    return owned.emplace_back(std::move(value));
  };
  std::vector<db::Param> rows, changes, chains;
  size_t chain_rows = 0;
  for (size_t i = 0; i < stations->size(); ++i) {
    v1::Station& station = (*stations)[i].station;
    const v1::FilingForm& form = station.form();
    const std::string id = IdOf("stations/*", station.name()).value();
    const std::string& bin = own(Bin(id));
    station.set_etag("1");
    const auto sealed = SealMessage(vault_, StationPlace(id), station);
    rows.insert(rows.end(),
                {db::Bytes(bin), db::Bytes(own(BinOf("hostUnits/*", form.host_unit()))),
                 db::Bytes(lineages[i]), db::Bytes(own(StationIdentity(form))), station.state(),
                 form.level(), (*stations)[i].host->county(), (*stations)[i].host->kind(),
                 own(Spelling(form.society().name())), own(Spelling(form.display_name())),
                 Number(form.established_on()).value_or(0), subsidized.count(lineages[i]) > 0,
                 station.filing_number().empty() ? db::Param(nullptr)
                                                 : db::Param(station.filing_number()),
                 1, db::Bytes(own(sealed.bytes)), db::Bytes(own(sealed.wrapped_key))});
    const auto change =
        SealMessage(vault_, ChangePlace(id, 1), (*stations)[i].change);
    changes.insert(changes.end(), {db::Bytes(bin), 1, db::Bytes(own(change.bytes)),
                                   db::Bytes(own(change.wrapped_key))});
    std::vector<std::string_view> seen;
    for (const std::string& chain : form.industry_chains()) {
      if (std::find(seen.begin(), seen.end(), chain) != seen.end()) continue;
      seen.push_back(chain);
      chains.insert(chains.end(), {db::Bytes(bin), chain, form.level()});
      ++chain_rows;
    }
  }
  sql.ExecuteList(
      db::InsertMany("INSERT INTO stations (id, host_unit, lineage, identity, state, level, county, "
                 "host_kind, society, name, established, subsidized, filing_number, version, "
                 "sealed, wrapped_key)",
                 16, stations->size()),
      rows);
  sql.ExecuteList(db::InsertMany("INSERT INTO station_changes (station, version, sealed, wrapped_key)",
                             4, stations->size()),
                  changes);
  if (chain_rows > 0) {
    sql.ExecuteList(
        db::InsertMany("INSERT INTO station_chains (station, chain, level)", 3, chain_rows), chains);
  }
}

bool Store::UpdateStation(db::Session& sql, v1::Station* station, Form change) const {
  const std::string id = IdOf("stations/*", station->name()).value();
  const std::string bin = Bin(id);
  const v1::FilingForm& form = station->form();
  const int64_t version = VersionOf(station->etag());
  station->set_etag(absl::StrCat(version + 1));
  v1::Station stored = *station;
  stored.clear_subsidies();  // rows of their own
  const journal::Sealed sealed = SealMessage(vault_, StationPlace(id), stored);
  const std::optional<std::string> number =
      station->filing_number().empty() ? std::nullopt : std::optional(station->filing_number());
  if (sql.Execute("UPDATE stations SET identity = ?, state = ?, level = ?, society = ?, name = ?, "
                  "established = ?, filing_number = ?, version = ?, sealed = ?, wrapped_key = ? "
                  "WHERE id = ? AND version = ?",
                  db::Bytes(StationIdentity(form)), station->state(), form.level(),
                  Spelling(form.society().name()), Spelling(form.display_name()),
                  Number(form.established_on()).value_or(0), number, version + 1,
                  db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key), db::Bytes(bin),
                  version) != 1) {
    return false;
  }
  if (change == Form::kSame) return true;
  if (change == Form::kResubmitted) {
    const std::string lineage = LockLineages(sql, {LineageKey(form)})[0];
    const bool subsidized =
        !sql.Query("SELECT 1 FROM subsidies WHERE lineage = ? LIMIT 1", db::Bytes(lineage)).empty();
    sql.Execute("UPDATE stations SET lineage = ?, subsidized = ? WHERE id = ?", db::Bytes(lineage),
                subsidized, db::Bytes(bin));
  }
  sql.Execute("DELETE FROM station_chains WHERE station = ?", db::Bytes(bin));
  std::vector<std::string_view> seen;
  for (const std::string& chain : form.industry_chains()) {
    if (std::find(seen.begin(), seen.end(), chain) != seen.end()) continue;
    seen.push_back(chain);
    sql.Execute("INSERT INTO station_chains (station, chain, level) VALUES (?, ?, ?)",
                db::Bytes(bin), chain, form.level());
  }
  return true;
}

bool Store::RenameLineage(db::Session& sql, const v1::FilingForm& before,
                          const v1::FilingForm& after) const {
  const std::string from = LineageKey(before), to = LineageKey(after);
  if (from == to) return true;
  const auto lineages = LockLineages(sql, {from, to});
  if (lineages[0] == lineages[1]) return true;
  // A key that no station ever had is new just now, and free.
  if (!sql.Query("SELECT 1 FROM stations WHERE lineage = ? LIMIT 1", db::Bytes(lineages[1]))
           .empty()) {
    return false;
  }
  sql.Execute("UPDATE lineages SET lineage = ? WHERE key_digest = ?", db::Bytes(lineages[0]),
              db::Bytes(to));
  return true;
}

absl::StatusOr<v1::Station> Store::ReadStation(const db::Row& row, Reading reading) const {
  YZ_ASSIGN_OR_RETURN(
      auto station, OpenMessage<v1::Station>(vault_, StationPlace(Text(row.Bytes(0))), row.Bytes(2),
                                             row.Bytes(3), AsideOf(reading)));
  station.set_etag(absl::StrCat(row.Int(1)));
  return station;
}

// Of the rows, whose stations these are. Most lineages have none, and their rows tell so.
void Store::ReadSubsidies(db::Session& sql, const db::Rows& rows,
                          google::protobuf::RepeatedPtrField<v1::Station>* stations) const {
  std::multimap<std::string, v1::Station*> by_lineage;
  std::vector<std::string> lineages;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].Int(4) == 0) continue;
    const std::string& lineage = rows[i].Bytes(5);
    if (by_lineage.count(lineage) == 0) lineages.push_back(lineage);
    by_lineage.emplace(lineage, stations->Mutable(static_cast<int>(i)));
  }
  if (lineages.empty()) return;
  for (const db::Row& row : sql.QueryText(
           Concat({"SELECT lineage, station, level, source, paid_on FROM subsidies WHERE lineage "
                   "IN (",
                   HexList(lineages), ")"}))) {
    const auto [begin, end] = by_lineage.equal_range(row.Bytes(0));
    for (auto station = begin; station != end; ++station) {
      rules::v1::SubsidyFacts* subsidy = station->second->add_subsidies();
      subsidy->set_station(Name("stations", Text(row.Bytes(1))));
      subsidy->set_level(static_cast<common::v1::StationLevel>(row.Int(2)));
      subsidy->set_source(row.Text(3));
      *subsidy->mutable_paid_on() = DayToProto(DayOf(row.Int(4)));
    }
  }
}

absl::StatusOr<std::optional<v1::Station>> Store::Station(db::Session& sql, std::string_view id,
                                                          Reading reading) const {
  const db::Rows rows =
      sql.Query(reading == Reading::kForChange
                    ? kLockedStation
                    : Concat({"SELECT ", kStationColumns, " FROM stations s WHERE s.id = ?"}),
                db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  google::protobuf::RepeatedPtrField<v1::Station> stations;
  YZ_ASSIGN_OR_RETURN(*stations.Add(), ReadStation(rows[0], reading));
  ReadSubsidies(sql, rows, &stations);
  return std::move(stations[0]);
}

absl::StatusOr<std::map<std::string, v1::Station>> Store::StationsById(
    db::Session& sql, const std::vector<std::string>& ids) const {
  const auto keys = db::KeyList::OfIds(ids);
  const db::Rows rows = sql.QueryList(
      Concat({"SELECT ", kStationColumns, " FROM stations s WHERE s.id IN ", keys.marks()}),
      keys.params());
  google::protobuf::RepeatedPtrField<v1::Station> stations;
  for (const db::Row& row : rows) {
    YZ_ASSIGN_OR_RETURN(*stations.Add(), ReadStation(row, Reading::kListed));
  }
  ReadSubsidies(sql, rows, &stations);
  std::map<std::string, v1::Station> found;
  for (size_t i = 0; i < rows.size(); ++i) {
    found.emplace(Text(rows[i].Bytes(0)), std::move(stations[static_cast<int>(i)]));
  }
  return found;
}

std::string Store::LineageOf(db::Session& sql, std::string_view station) const {
  const db::Rows rows = sql.Query(kLineageOf, db::Bytes(Bin(station)));
  return rows.empty() ? "" : rows[0].Bytes(0);
}

std::map<std::string, std::string> Store::StationsByIdentity(
    db::Session& sql, const std::vector<std::string>& identities) const {
  std::map<std::string, std::string> found;
  if (identities.empty()) return found;
  for (const db::Row& row : sql.QueryText(
           Concat({"SELECT identity, id FROM stations WHERE identity IN (", HexList(identities),
                   ") AND state <> ", std::to_string(v1::STATION_STATE_REFUSED)}))) {
    found[row.Bytes(0)] = Text(row.Bytes(1));
  }
  return found;
}

void Store::InsertStationChange(db::Session& sql, const v1::Station& station,
                                const v1::StationChange& change) const {
  const std::string id = IdOf("stations/*", station.name()).value();
  const int64_t version = VersionOf(station.etag());
  const auto sealed = SealMessage(vault_, ChangePlace(id, version), change);
  static const db::RowShape kRows =
      db::NewRows("station_changes", "station, version, sealed, wrapped_key");
  sql.Hold(kRows, db::Bytes(Bin(id)), version, db::Bytes(sealed.bytes),
           db::Bytes(sealed.wrapped_key));
}

absl::StatusOr<std::vector<v1::StationChange>> Store::StationChanges(
    db::Session& sql, std::string_view station) const {
  std::vector<v1::StationChange> changes;
  for (const db::Row& row :
       sql.Query("SELECT version, sealed, wrapped_key FROM station_changes WHERE station = ? ORDER "
                 "BY version DESC LIMIT 1000",
                 db::Bytes(Bin(station)))) {
    YZ_ASSIGN_OR_RETURN(auto change,
                        OpenMessage<v1::StationChange>(
                            vault_, ChangePlace(station, row.Int(0)),
                            row.Bytes(1), row.Bytes(2)));
    changes.push_back(std::move(change));
  }
  std::reverse(changes.begin(), changes.end());
  return changes;
}

int64_t Store::TakeFilingNumbers(db::Session& sql, int year, int level, int64_t count) const {
  // Counted by the row once; by then it is locked, and others of the transaction count on.
  auto& last = sql.OfTransaction<LastNumbers>().last;
  const auto known = last.find({year, level});
  if (known == last.end()) {
    sql.Execute(
        "INSERT INTO filing_numbers (year, level, last) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE "
        "last = last + ?",
        year, level, count, count);
    const db::Rows rows =
        sql.Query("SELECT last FROM filing_numbers WHERE year = ? AND level = ?", year, level);
    last[{year, level}] = rows[0].Int(0);
    return rows[0].Int(0) - count + 1;
  }
  static const db::RowShape kRows = db::PutRows("filing_numbers", "year, level", "last");
  const int64_t first = known->second + 1;
  known->second += count;
  sql.Hold(kRows, year, level, known->second);
  return first;
}

void Store::LockFilings(db::Session& sql, const std::vector<std::string>& names, int year) const {
  auto keys = db::KeysOf("stations/*", names);
  if (keys.size() < 2) return;
  sql.Prefetch(kLockedStation, keys);
  sql.Query("SELECT level FROM filing_numbers WHERE year = ? ORDER BY level FOR UPDATE", year);
  const db::KeyList in(std::move(keys));
  for (db::Row& row : sql.QueryList(Concat({"SELECT ", kHostUnitColumns,
                                            " FROM host_units u WHERE u.id IN (SELECT s.host_unit "
                                            "FROM stations s WHERE s.id IN ",
                                            in.marks(), ")"}),
                                    in.params())) {
    const std::string id = row.Bytes(0);
    sql.Know(kHostUnitById, id, {std::move(row)});
  }
}

// The counter of no year and no level counts imports.
void Store::LockImports(db::Session& sql) const { TakeFilingNumbers(sql, 0, 0, 1); }

void Store::LockSubsidized(db::Session& sql, const std::vector<std::string>& stations,
                           const std::vector<std::string>& payments) const {
  auto station_keys = db::KeysOf("stations/*", stations);
  const std::vector<std::string> keys = db::KeysOf("payments/*", payments);
  if (station_keys.size() < 2 || keys.empty()) return;
  const db::KeyList in(std::move(station_keys));
  const db::Rows rows = sql.QueryList(
      Concat({"SELECT ", kStationColumns, " FROM stations s FORCE INDEX (PRIMARY) WHERE s.id IN ",
              in.marks(), " ORDER BY s.id FOR UPDATE"}),
      in.params());
  std::set<std::string> lineages;
  for (const db::Row& row : rows) lineages.insert(row.Bytes(5));
  if (lineages.empty()) return;
  // Before they are marked: whoever files a station of one of them waits.
  const db::KeyList of({lineages.begin(), lineages.end()});
  sql.QueryList(Concat({"SELECT lineage FROM lineages WHERE lineage IN ", of.marks(),
                        " ORDER BY lineage FOR UPDATE"}),
                of.params());
  sql.ExecuteList(Concat({"UPDATE stations SET subsidized = 1 WHERE lineage IN ", of.marks()}),
                  of.params());
  sql.OfTransaction<Subsidized>().lineages = std::move(lineages);
  // As they were: the subsidies of before are not asked for again.
  for (const db::Row& row : rows) {
    sql.Know(kLockedStation, row.Bytes(0), {row});
    sql.Know(kLineageOf, row.Bytes(0), {db::Row(std::vector<db::Row::Cell>{row.At(5)})});
  }
  sql.Prefetch(kPaidSubsidy, keys);
  std::map<std::string, db::Rows> reported;
  for (const std::string& key : keys) reported[key];
  const db::KeyList by(keys);
  for (db::Row& row :
       sql.QueryList(Concat({"SELECT payment FROM use_reports WHERE payment IN ", by.marks()}),
                     by.params())) {
    reported[row.Bytes(0)].push_back(std::move(row));
  }
  for (auto& [key, answer] : reported) sql.Know(kReportOfPayment, key, std::move(answer));
}

absl::StatusOr<std::map<std::string, Store::Standing>> Store::StandingsOf(
    db::Session& sql, const std::vector<std::string>& stations) const {
  const auto in = db::KeyList::OfIds(stations);
  const db::Rows rows =
      sql.QueryList(Concat({"SELECT ", kStationColumns, ", ", kHostUnitColumns,
                            ", h.seq FROM journal_head h JOIN stations s ON s.id IN ", in.marks(),
                            " LEFT JOIN host_units u ON u.id = s.host_unit"}),
                    in.params());
  constexpr int kHostUnit = kStationColumnCount, kSequence = kHostUnit + 5;
  google::protobuf::RepeatedPtrField<v1::Station> opened;
  for (const db::Row& row : rows) {
    YZ_ASSIGN_OR_RETURN(*opened.Add(), ReadStation(row, Reading::kListed));
  }
  ReadSubsidies(sql, rows, &opened);
  std::map<std::string, Standing> standings;
  for (size_t i = 0; i < rows.size(); ++i) {
    const db::Row& row = rows[i];
    Standing& standing = standings[Text(row.Bytes(0))];
    standing.station = std::move(opened[static_cast<int>(i)]);
    standing.lineage = row.Bytes(5);
    standing.sequence = row.Int(kSequence);
    if (row.IsNull(kHostUnit)) continue;
    YZ_ASSIGN_OR_RETURN(standing.host, ReadHostUnit(sql, row, kHostUnit));
  }
  return standings;
}

}  // namespace yuezhan::registry
