#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "common/list/statement.h"
#include "services/registry/mysql_rows.h"
#include "services/registry/store.h"

// What registry's lists can be filtered and ordered by, and pages of stations. Each plan has an
// index of its own (schema/0002_registry.sql); FORCE INDEX, because an optimizer that takes another
// for a moment makes a page cost what the whole table costs.
namespace yuezhan::registry {
namespace {

using list::Field;
using list::Kind;
using list::Plan;

const Field kHostUnitFields[] = {
    {"display_name", Kind::kText, "h.name", "=", nullptr, "", true, &Spelling},
    {"credit_code", Kind::kText, "h.credit_code", "="},
    {"kind", Kind::kEnum, "h.kind", "=", common::v1::HostUnitKind_descriptor()},
    {"county", Kind::kText, "h.county", "="},
    {"debarred", Kind::kBool, "h.debarred_until", "="},
    {"name", Kind::kName, "h.id", "=", nullptr, "hostUnits/*"},
};
const Plan kHostUnitPlans[] = {
    {"host_units h FORCE INDEX (PRIMARY)", {}, "", "h.id"},
    {"host_units h FORCE INDEX (name)", {}, "display_name", "h.id"},
    {"host_units h FORCE INDEX (name)", {{"display_name", ""}}, "", "h.id"},
    {"host_units h FORCE INDEX (credit_code)", {{"credit_code", ""}}, "", "h.id", true},
    {"host_units h FORCE INDEX (kind)", {{"kind", ""}}, "", "h.id"},
    {"host_units h FORCE INDEX (county)", {{"county", ""}}, "", "h.id"},
    // Few are debarred; whether one still is depends on the day (host_units.cc).
    {"host_units h FORCE INDEX (debarred)", {{"debarred", ""}}, "", "h.id", true},
    {"host_units h", {{"name", ""}}, "", "h.id", true},
};

const Field kStationFields[] = {
    {"level", Kind::kEnum, "s.level", "=", common::v1::StationLevel_descriptor()},
    {"state", Kind::kEnum, "s.state", "=", v1::StationState_descriptor()},
    {"county", Kind::kText, "s.county", "="},
    {"industry_chain", Kind::kText, "c.chain", "="},
    {"host_kind", Kind::kEnum, "s.host_kind", "=", common::v1::HostUnitKind_descriptor()},
    {"host_unit", Kind::kName, "s.host_unit", "=", nullptr, "hostUnits/*"},
    {"society", Kind::kText, "s.society", "=", nullptr, "", false, &Spelling},
    {"subsidized", Kind::kBool, "s.subsidized", "="},
    {"established_on", Kind::kDay, "s.established", "= < <= > >="},
    {"display_name", Kind::kText, "s.name", "=", nullptr, "", true, &Spelling},
};
const Plan kStationPlans[] = {
    {"stations s FORCE INDEX (PRIMARY)", {}, "", "s.id"},
    {"stations s FORCE INDEX (level)", {{"level", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (state)", {{"state", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (county)", {{"county", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (host_kind)", {{"host_kind", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (society)", {{"society", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (subsidized)", {{"subsidized", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (level_state)", {{"level", ""}, {"state", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (county_state)", {{"county", ""}, {"state", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (county_level)", {{"county", ""}, {"level", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (level_subsidized)", {{"level", ""}, {"subsidized", ""}}, "", "s.id"},
    {"station_chains c FORCE INDEX (chain) STRAIGHT_JOIN stations s ON s.id = c.station",
     {{"industry_chain", ""}},
     "",
     "c.station"},
    {"station_chains c FORCE INDEX (chain_level) STRAIGHT_JOIN stations s ON s.id = c.station",
     {{"industry_chain", ""}, {"level", "c.level"}},
     "",
     "c.station"},
    {"stations s FORCE INDEX (established)", {}, "established_on", "s.id"},
    {"stations s FORCE INDEX (level_established)", {{"level", ""}}, "established_on", "s.id"},
    {"stations s FORCE INDEX (state_established)", {{"state", ""}}, "established_on", "s.id"},
    {"stations s FORCE INDEX (name)", {}, "display_name", "s.id"},
    {"stations s FORCE INDEX (name)", {{"display_name", ""}}, "", "s.id"},
    {"stations s FORCE INDEX (host_unit)", {{"host_unit", ""}}, "", "s.id", true},
};

const Field kEvaluationFields[] = {
    {"station", Kind::kName, "e.station", "=", nullptr, "stations/*"},
    {"host_unit", Kind::kName, "e.host_unit", "=", nullptr, "hostUnits/*"},
    {"state", Kind::kEnum, "e.state", "=", v1::EvaluationState_descriptor()},
    {"year", Kind::kInteger, "e.year", "="},
    {"grade", Kind::kText, "e.grade", "="},
};
const Plan kEvaluationPlans[] = {
    {"evaluations e FORCE INDEX (PRIMARY)", {}, "", "e.id"},
    {"evaluations e FORCE INDEX (state)", {{"state", ""}}, "", "e.id"},
    {"evaluations e FORCE INDEX (year)", {{"year", ""}}, "", "e.id"},
    {"evaluations e FORCE INDEX (year_grade)", {{"year", ""}, {"grade", ""}}, "", "e.id"},
    {"evaluations e FORCE INDEX (station)", {{"station", ""}}, "", "e.id", true},
    {"evaluations e FORCE INDEX (host_unit)", {{"host_unit", ""}}, "", "e.id", true},
};

const Field kUseReportFields[] = {
    {"station", Kind::kName, "u.station", "=", nullptr, "stations/*"},
    {"host_unit", Kind::kName, "u.host_unit", "=", nullptr, "hostUnits/*"},
    {"state", Kind::kEnum, "u.state", "=", v1::UseReportState_descriptor()},
    {"awaited", Kind::kBool, "u.awaited", "="},
    {"due_on", Kind::kDay, "u.due", "= < <= > >="},
};
const Plan kUseReportPlans[] = {
    {"use_reports u FORCE INDEX (due)", {}, "due_on", "u.id"},
    {"use_reports u FORCE INDEX (state)", {{"state", ""}}, "due_on", "u.id"},
    {"use_reports u FORCE INDEX (awaited)", {{"awaited", ""}}, "due_on", "u.id"},
    {"use_reports u FORCE INDEX (station)", {{"station", ""}}, "due_on", "u.id", true},
    {"use_reports u FORCE INDEX (host_unit)", {{"host_unit", ""}}, "due_on", "u.id", true},
};

}  // namespace

const list::Table& HostUnitList() {
  static const list::Table table{kHostUnitFields, kHostUnitPlans};
  return table;
}
const list::Table& StationList() {
  static const list::Table table{kStationFields, kStationPlans};
  return table;
}
const list::Table& EvaluationList() {
  static const list::Table table{kEvaluationFields, kEvaluationPlans};
  return table;
}
const list::Table& UseReportList() {
  static const list::Table table{kUseReportFields, kUseReportPlans};
  return table;
}

absl::StatusOr<Found<v1::Station>> Store::Stations(db::Session& sql, const list::Query& query,
                                                   const Page& page) const {
  YZ_ASSIGN_OR_RETURN(const auto select,
                      list::Page(query, kStationColumns, page.after, page.limit));
  const db::Rows rows = sql.QueryList(select.sql, select.Params());
  Found<v1::Station> found;
  for (const db::Row& row : rows) {
    YZ_ASSIGN_OR_RETURN(*found.rows.Add(), ReadStation(row, Reading::kShown));
  }
  if (!rows.empty()) found.last_key = list::KeyOf(query, rows.back(), kStationColumnCount);
  ReadSubsidies(sql, rows, &found.rows);
  return found;
}

absl::StatusOr<Store::StationBytes> Store::StationsAsBytes(
    db::Session& sql, const list::Query& query, const Page& page,
    absl::FunctionRef<absl::Status(v1::Station*)> complete) const {
  constexpr int kState = kStationColumnCount;
  YZ_ASSIGN_OR_RETURN(const auto select, list::Page(query, Concat({kStationColumns, ", s.state"}),
                                                    page.after, page.limit));
  const db::Rows rows = sql.QueryList(select.sql, select.Params());
  StationBytes found;
  // What each has beside its own message, to be read after it: of a field that comes twice the
  // later value holds.
  google::protobuf::RepeatedPtrField<v1::Station> beside;
  for (const db::Row& row : rows) {
    const std::string place = StationPlace(Text(row.Bytes(0)));
    YZ_ASSIGN_OR_RETURN(found.stations.emplace_back(),
                        vault_.Open(place, {row.Bytes(2), row.Bytes(3)}));
    v1::Station& more = *beside.Add();
    if (row.Int(kState) == v1::STATION_STATE_FILED) {
      if (!more.ParseFromString(found.stations.back())) return errors::DataLoss(place);
      YZ_RETURN_IF_ERROR(complete(&more));
      found.stations.back().clear();
    }
    more.set_etag(absl::StrCat(row.Int(1)));
  }
  ReadSubsidies(sql, rows, &beside);
  for (size_t i = 0; i < rows.size(); ++i) {
    beside[static_cast<int>(i)].AppendToString(&found.stations[i]);
  }
  if (!rows.empty()) found.last_key = list::KeyOf(query, rows.back(), kStationColumnCount + 1);
  return found;
}

int64_t Store::Count(db::Session& sql, const list::Query& query) const {
  const auto count = list::Count(query);
  return sql.QueryList(count.sql, count.Params())[0].Int(0);
}

}  // namespace yuezhan::registry
