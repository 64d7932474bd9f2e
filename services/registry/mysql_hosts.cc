#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/db/lists.h"
#include "common/host/sealed_message.h"
#include "common/list/statement.h"
#include "services/registry/mysql_rows.h"
#include "services/registry/store.h"

// Host units, their accounts and debarments.
namespace yuezhan::registry {
namespace {

// Of host_units.debarred_until: for good, and not at all.
constexpr int64_t kForGood = 2'147'483'647, kNotDebarred = 0;

std::string HostPlace(std::string_view id) { return Concat({"host_units|", id}); }
std::string HostChangePlace(std::string_view id, int64_t version) {
  return Concat({"account_changes|", id, "|", std::to_string(version)});
}

}  // namespace

bool Store::InsertHostUnit(db::Session& sql, v1::HostUnit* unit, std::string* existing) const {
  const std::string identity = HostUnitIdentity(unit->display_name(), unit->credit_code());
  const auto found = HostUnitsByIdentity(sql, {identity});
  if (!found.empty()) {
    *existing = Name("hostUnits", found.begin()->second);
    return false;
  }
  const std::string id = IdOf("hostUnits/*", unit->name()).value();
  unit->set_etag("1");
  const journal::Sealed sealed = SealMessage(vault_, HostPlace(id), *unit);
  sql.Execute(
      "INSERT INTO host_units (id, identity, name, credit_code, kind, county, debarred_until, "
      "version, sealed, wrapped_key) VALUES (?, ?, ?, ?, ?, ?, 0, 1, ?, ?)",
      db::Bytes(Bin(id)), db::Bytes(identity), Spelling(unit->display_name()), unit->credit_code(),
      unit->kind(), unit->county(), db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
  return true;
}

Store::Updated Store::UpdateHostUnit(db::Session& sql, v1::HostUnit* unit) const {
  const std::string id = IdOf("hostUnits/*", unit->name()).value();
  const int64_t version = VersionOf(unit->etag());
  const std::string identity = HostUnitIdentity(unit->display_name(), unit->credit_code());
  const auto found = HostUnitsByIdentity(sql, {identity});
  if (!found.empty() && found.begin()->second != id) return Updated::kTaken;
  unit->set_etag(absl::StrCat(version + 1));
  v1::HostUnit stored = *unit;
  stored.clear_debarments();  // rows of their own
  const journal::Sealed sealed = SealMessage(vault_, HostPlace(id), stored);
  if (sql.Execute("UPDATE host_units SET identity = ?, name = ?, credit_code = ?, kind = ?, county "
                  "= ?, version = ?, sealed = ?, wrapped_key = ? WHERE id = ? AND version = ?",
                  db::Bytes(identity), Spelling(unit->display_name()), unit->credit_code(),
                  unit->kind(), unit->county(), version + 1, db::Bytes(sealed.bytes),
                  db::Bytes(sealed.wrapped_key), db::Bytes(Bin(id)), version) != 1) {
    return Updated::kConflict;
  }
  sql.Execute("UPDATE stations SET county = ?, host_kind = ? WHERE host_unit = ?", unit->county(),
              unit->kind(), db::Bytes(Bin(id)));
  return Updated::kDone;
}

absl::StatusOr<v1::HostUnit> Store::ReadHostUnit(db::Session& sql, const db::Row& row,
                                                 int first) const {
  google::protobuf::RepeatedPtrField<v1::HostUnit> units;
  YZ_ASSIGN_OR_RETURN(*units.Add(),
                      OpenMessage<v1::HostUnit>(vault_, HostPlace(Text(row.Bytes(first))),
                                                row.Bytes(first + 2), row.Bytes(first + 3)));
  units[0].set_etag(absl::StrCat(row.Int(first + 1)));
  units[0].clear_debarments();
  if (row.Int(first + 4) != 0) ReadDebarments(sql, &units);
  return std::move(units[0]);
}

void Store::PrefetchHostUnits(db::Session& sql, const std::vector<std::string>& names) const {
  sql.Prefetch(kHostUnitById, db::KeysOf("hostUnits/*", names));
}

absl::StatusOr<std::optional<v1::HostUnit>> Store::HostUnit(db::Session& sql, std::string_view id,
                                                            bool lock) const {
  const db::Rows rows =
      sql.Query(Concat({kHostUnitById, lock ? " FOR UPDATE" : ""}), db::Bytes(Bin(id)));
  if (rows.empty()) return std::nullopt;
  return ReadHostUnit(sql, rows[0], 0);
}

std::map<std::string, std::string> Store::HostUnitsByIdentity(
    db::Session& sql, const std::vector<std::string>& identities) const {
  std::map<std::string, std::string> found;
  if (identities.empty()) return found;
  for (const db::Row& row : sql.QueryText(
           Concat({"SELECT identity, id FROM host_units WHERE identity IN (", HexList(identities),
                   ")"}))) {
    found[row.Bytes(0)] = Text(row.Bytes(1));
  }
  return found;
}

absl::StatusOr<std::map<std::string, v1::HostUnit>> Store::HostUnitsWith(
    db::Session& sql, const std::vector<std::string>& identities) const {
  std::map<std::string, v1::HostUnit> found;
  for (const db::Row& row : sql.QueryText(
           Concat({"SELECT identity, id, version, sealed, wrapped_key FROM host_units WHERE "
                   "identity IN (",
                   HexList(identities), ")"}))) {
    YZ_ASSIGN_OR_RETURN(auto unit, OpenMessage<v1::HostUnit>(vault_, HostPlace(Text(row.Bytes(1))),
                                                             row.Bytes(3), row.Bytes(4)));
    unit.set_etag(absl::StrCat(row.Int(2)));
    found.emplace(row.Bytes(0), std::move(unit));
  }
  return found;
}

absl::StatusOr<Found<v1::HostUnit>> Store::HostUnits(db::Session& sql, const list::Query& query,
                                                     const Page& page) const {
  YZ_ASSIGN_OR_RETURN(const auto select,
                      list::Page(query, "h.id, h.version, h.sealed, h.wrapped_key", page.after,
                                 page.limit));
  Found<v1::HostUnit> found;
  for (const db::Row& row : sql.QueryList(select.sql, select.Params())) {
    YZ_ASSIGN_OR_RETURN(auto unit, OpenMessage<v1::HostUnit>(vault_, HostPlace(Text(row.Bytes(0))),
                                                             row.Bytes(2), row.Bytes(3)));
    unit.set_etag(absl::StrCat(row.Int(1)));
    found.rows.Add(std::move(unit));
    found.last_key = list::KeyOf(query, row, 4);
  }
  ReadDebarments(sql, &found.rows);
  return found;
}

void Store::InsertAccountChange(db::Session& sql, const v1::HostUnit& unit,
                                const v1::AccountChange& change) const {
  const std::string id = IdOf("hostUnits/*", unit.name()).value();
  const int64_t version = VersionOf(unit.etag());
  const auto sealed = SealMessage(vault_, HostChangePlace(id, version), change);
  sql.Execute(
      "INSERT INTO account_changes (host_unit, version, sealed, wrapped_key) VALUES (?, ?, ?, ?)",
      db::Bytes(Bin(id)), version, db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
}

absl::StatusOr<std::vector<v1::AccountChange>> Store::AccountChanges(
    db::Session& sql, std::string_view host_unit) const {
  std::vector<v1::AccountChange> changes;
  for (const db::Row& row :
       sql.Query("SELECT version, sealed, wrapped_key FROM account_changes WHERE host_unit = ? "
                 "ORDER BY version DESC LIMIT 1000",
                 db::Bytes(Bin(host_unit)))) {
    YZ_ASSIGN_OR_RETURN(
        auto change, OpenMessage<v1::AccountChange>(vault_, HostChangePlace(host_unit, row.Int(0)),
                                                    row.Bytes(1), row.Bytes(2)));
    changes.push_back(std::move(change));
  }
  std::reverse(changes.begin(), changes.end());
  return changes;
}

// ---- debarments ----

void Store::ReadDebarments(db::Session& sql,
                           google::protobuf::RepeatedPtrField<v1::HostUnit>* units) const {
  std::map<std::string, v1::HostUnit*> by_id;
  std::vector<std::string> ids;
  for (v1::HostUnit& unit : *units) {
    unit.clear_debarments();
    ids.push_back(BinOf("hostUnits/*", unit.name()));
    by_id[ids.back()] = &unit;
  }
  if (ids.empty()) return;
  for (const db::Row& row :
       sql.QueryText(Concat({"SELECT host_unit, body FROM debarments WHERE host_unit IN (",
                             HexList(ids), ") ORDER BY host_unit, id"}))) {
    v1::Debarment debarment;
    debarment.ParseFromString(row.Bytes(1));
    rules::v1::DebarmentFacts* facts = by_id.at(row.Bytes(0))->add_debarments();
    facts->set_evaluation(debarment.evaluation().empty() ? debarment.name()
                                                         : debarment.evaluation());
    *facts->mutable_from() = debarment.from();
    if (debarment.has_until()) *facts->mutable_until() = debarment.until();
    if (debarment.has_lifted_on()) *facts->mutable_lifted_on() = debarment.lifted_on();
  }
}

// The last day of the debarments that are not lifted, for the list of those debarred.
void Store::RefreshDebarred(db::Session& sql, std::string_view host_unit) const {
  int64_t until = kNotDebarred;
  for (const db::Row& row :
       sql.Query("SELECT until_day FROM debarments WHERE host_unit = ? AND lifted_day IS NULL",
                 db::Bytes(Bin(host_unit)))) {
    until = std::max(until, row.OptionalInt(0).value_or(kForGood));
  }
  sql.Execute("UPDATE host_units SET debarred_until = ? WHERE id = ?", until,
              db::Bytes(Bin(host_unit)));
}

bool Store::InsertDebarment(db::Session& sql, const v1::Debarment& debarment) const {
  const auto ids = IdsOf("hostUnits/*/debarments/*", debarment.name()).value();
  // An evaluation debars once; an imported one is the same by host, first day and source.
  const std::string identity =
      debarment.evaluation().empty()
          ? Digest({"imported", ids[0], std::to_string(*Number(debarment.from())),
                    debarment.source()})
          : Digest({"evaluation", debarment.evaluation()});
  // The host unit first: who else changes its debarments waits.
  sql.Query("SELECT 1 FROM host_units WHERE id = ? FOR UPDATE", db::Bytes(Bin(ids[0])));
  if (!sql.Query("SELECT 1 FROM debarments WHERE identity = ?", db::Bytes(identity)).empty())
    return false;
  sql.Execute(
      "INSERT INTO debarments (id, host_unit, identity, from_day, until_day, lifted_day, body) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      db::Bytes(Bin(ids[1])), db::Bytes(Bin(ids[0])), db::Bytes(identity),
      Number(debarment.from()), Number(debarment.until()), Number(debarment.lifted_on()),
      db::Bytes(debarment.SerializeAsString()));
  RefreshDebarred(sql, ids[0]);
  return true;
}

void Store::UpdateDebarment(db::Session& sql, const v1::Debarment& debarment) const {
  const auto ids = IdsOf("hostUnits/*/debarments/*", debarment.name()).value();
  sql.Execute("UPDATE debarments SET lifted_day = ?, body = ? WHERE id = ?",
              Number(debarment.lifted_on()), db::Bytes(debarment.SerializeAsString()),
              db::Bytes(Bin(ids[1])));
  RefreshDebarred(sql, ids[0]);
}

std::optional<v1::Debarment> Store::Debarment(db::Session& sql, std::string_view host_unit,
                                              std::string_view id, bool lock) const {
  const db::Rows rows =
      sql.Query(Concat({"SELECT body FROM debarments WHERE id = ? AND host_unit = ?",
                        lock ? " FOR UPDATE" : ""}),
                db::Bytes(Bin(id)), db::Bytes(Bin(host_unit)));
  if (rows.empty()) return std::nullopt;
  v1::Debarment debarment;
  debarment.ParseFromString(rows[0].Bytes(0));
  return debarment;
}

Found<v1::Debarment> Store::Debarments(db::Session& sql, std::string_view host_unit,
                                       const Page& page) const {
  const std::string after = page.after.empty() ? std::string(16, '\0') : Bin(page.after);
  const db::Rows rows =
      host_unit.empty()
          ? sql.Query("SELECT id, body FROM debarments WHERE id > ? ORDER BY id LIMIT ?",
                      db::Bytes(after), page.limit)
          : sql.Query("SELECT id, body FROM debarments WHERE host_unit = ? AND id > ? ORDER BY id "
                      "LIMIT ?",
                      db::Bytes(Bin(host_unit)), db::Bytes(after), page.limit);
  Found<v1::Debarment> found;
  for (const db::Row& row : rows) {
    found.rows.Add()->ParseFromString(row.Bytes(1));
    found.last_key = Text(row.Bytes(0));
  }
  return found;
}

}  // namespace yuezhan::registry
