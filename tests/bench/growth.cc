// What calls cost when tables have grown: a million stations and ten million journal entries.
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/db/session.h"
#include "tests/bench/sections.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::bench {
namespace {

constexpr int kChunk = 10'000;  // rows a statement
constexpr char kList[] = "yuezhan.registry.v1.RegistryService/ListStations";

// Rows as large as real ones. Their ids come before all real ones, so that real pages are deep;
// nobody can open them, so nothing may read them.
constexpr char kStations[] =
    "INSERT INTO stations (id, host_unit, lineage, identity, state, level, county, host_kind, "
    "society, name, established, subsidized, filing_number, version, sealed, wrapped_key) SELECT "
    "UNHEX(CONCAT('00', LPAD(HEX(n + %1$d), 12, '0'), SUBSTR(SHA2(n + %1$d, 256), 1, 18))), "
    "s.host_unit, UNHEX(SHA2(CONCAT('l', n + %1$d), 256)), "
    "UNHEX(SHA2(CONCAT('i', n + %1$d), 256)), s.state, s.level, s.county, s.host_kind, s.society, "
    "s.name, s.established, s.subsidized, NULL, 1, s.sealed, s.wrapped_key "
    "FROM bench_numbers, (SELECT * FROM stations ORDER BY id DESC LIMIT 1) s WHERE n < %2$d";
// Numbered by us: numbers that the server takes for many rows at once leave gaps, which the
// sequencer would look at again and again.
constexpr char kJournal[] =
    "INSERT INTO journal (id, request_key, public_part, private_part, private_digest, leaf, "
    "wrapped_key) SELECT %3$d + n + %1$d, UNHEX(SHA2(CONCAT('bench', n + %1$d), 256)), "
    "j.public_part, j.private_part, j.private_digest, j.leaf, j.wrapped_key FROM bench_numbers, "
    "(SELECT * FROM journal ORDER BY id DESC LIMIT 1) j WHERE n < %2$d";

// What the filling left in memory is written first: that is no cost of the calls after it.
void WriteOutDirtyPages(World& world) {
  constexpr int64_t kFew = 2'000;
  db::Session server(world.stack().Database("registry"));  // an administrator's account
  const std::string before =
      server.QueryText("SELECT CAST(@@GLOBAL.innodb_max_dirty_pages_pct AS CHAR)")[0].Text(0);
  server.ExecuteText("SET GLOBAL innodb_max_dirty_pages_pct = 0");
  const absl::Time end = absl::Now() + absl::Minutes(10);
  while (absl::Now() < end &&
         server.QueryText("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")[0].Int(1) >
             kFew) {
    absl::SleepFor(absl::Milliseconds(500));
  }
  server.ExecuteText("SET GLOBAL innodb_max_dirty_pages_pct = " + before);
}

absl::Status Fill(World& world, int64_t stations, int64_t entries) {
  const Hurry hurry(world);
  try {
    db::Session session(world.DataOf("registry").database);
    session.ExecuteText("CREATE TABLE bench_numbers (n INT NOT NULL PRIMARY KEY)");
    session.ExecuteText("INSERT INTO bench_numbers VALUES (0)");
    for (int size = 1; size < kChunk; size *= 2) {
      session.ExecuteText(absl::StrFormat(
          "INSERT INTO bench_numbers SELECT n + %d FROM bench_numbers WHERE n + %d < %d", size,
          size, kChunk));
    }
    for (int64_t from = 0; from < stations; from += kChunk) {
      session.ExecuteText(
          absl::StrFormat(kStations, from, std::min<int64_t>(kChunk, stations - from)));
    }
    const int64_t first = session.QueryText("SELECT MAX(id) + 1 FROM journal")[0].Int(0);
    for (int64_t from = 0; from < entries; from += kChunk) {
      session.ExecuteText(
          absl::StrFormat(kJournal, from, std::min<int64_t>(kChunk, entries - from), first));
    }
    // The sequencer chains them as any others.
    while (session.QueryText("SELECT (SELECT MAX(id) FROM journal) - (SELECT MAX(journal_id) FROM "
                             "journal_chain)")[0].Int(0) > 0) {
      absl::SleepFor(absl::Milliseconds(200));
    }
    session.QueryText("ANALYZE TABLE stations");
    WriteOutDirtyPages(world);
  } catch (const db::Error& error) {
    return absl::InternalError(error.what());
  }
  return absl::OkStatus();
}

// The token of the last whole page.
absl::StatusOr<std::string> DeepestPage(const Caller& caller, InProcess& in) {
  registry::v1::ListStationsRequest request;
  request.set_page_size(50);
  std::string deepest;
  do {
    registry::v1::ListStationsResponse page;
    YZ_RETURN_IF_ERROR(in.Call(caller, kList, request, &page));
    if (page.stations_size() == 50) deepest = request.page_token();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return deepest;
}

}  // namespace

absl::Status RunGrowth(const Run& run) {
  const bool smoke = run.effort.rounds == 1;
  const int64_t stations = smoke ? 2'000 : 1'000'000;
  const int64_t entries = smoke ? 5'000 : 10'000'000;
  YZ_ASSIGN_OR_RETURN(const std::unique_ptr<World> world, World::Make(run.world));
  for (const char* service : kBenchServices) YZ_RETURN_IF_ERROR(world->stack().Start(service));
  const std::unique_ptr<InProcess> in = world->NewInProcess();
  YZ_ASSIGN_OR_RETURN(const Seeds seeds,
                      Seed(*in, std::min(1000, 10 * run.effort.stations), 1, 1, 16));
  YZ_ASSIGN_OR_RETURN(const std::string token,
                      DeepestPage(seeds.scenario.persons.at("auditor"), *in));
  std::vector<Method> methods = MakeMethods(seeds, *in);
  const auto few_methods = [](const Method& m) {
    return m.ShortName() != "GetStation" && m.ShortName() != "ListStations" &&
           m.ShortName() != "RecordActivity";
  };
  std::erase_if(methods, few_methods);
  for (Method& method : methods) {
    if (method.ShortName() != "ListStations") continue;
    method.request = [token](int64_t) {
      auto request = std::make_unique<registry::v1::ListStationsRequest>();
      request->set_page_size(50);
      request->set_page_token(token);
      return request;
    };
  }
  // Calls per second of each method; the first round warms up.
  const auto measure = [&](std::map<std::string, double>* rates) -> absl::Status {
    std::map<std::string, std::vector<double>> rounds;
    for (int round = 0; round <= run.effort.rounds; ++round) {
      for (const Method& method : methods) {
        const int64_t count = run.effort.calls.rbegin()->second;
        YZ_ASSIGN_OR_RETURN(const std::string caller, world->stack().client().Token(method.caller));
        std::vector<Call> calls;
        for (int64_t i = 0; i < count; ++i) {
          calls.push_back({"/" + method.name, caller, method.request(i)->SerializeAsString()});
        }
        YZ_ASSIGN_OR_RETURN(
            const LoadResult result,
            RunLoad({.target = world->TargetOf("registry"), .tls = true}, count,
                    [&](int64_t i) -> const Call& { return calls[static_cast<size_t>(i)]; }));
        if (result.ok() != count) return absl::InternalError(method.ShortName() + " failed");
        if (round > 0) rounds[method.ShortName()].push_back(result.per_second());
      }
    }
    for (const auto& [method, values] : rounds) (*rates)[method] = Median(values);
    return absl::OkStatus();
  };
  std::map<std::string, double> small, large;
  YZ_RETURN_IF_ERROR(measure(&small));
  YZ_RETURN_IF_ERROR(Fill(*world, stations, entries));
  YZ_RETURN_IF_ERROR(measure(&large));
  std::vector<std::vector<std::string>> rows = {
      {"calls per second", "a thousand rows",
       absl::StrCat(stations, " stations, ", entries, " entries"), "cost"}};
  Json json = Json::array();
  const std::pair<const char*, double> limits[] = {
      {"GetStation", 1.1}, {"ListStations", 1.2}, {"RecordActivity", 1.3}};
  for (const auto& [method, limit] : limits) {
    const double cost = small[method] / large[method];
    rows.push_back({method, absl::StrFormat("%.0f", small[method]),
                    absl::StrFormat("%.0f", large[method]), absl::StrFormat("%.2f", cost)});
    json.push_back({{"method", method},
                    {"small_per_s", small[method]},
                    {"large_per_s", large[method]}});
    run.report.Promise(absl::StrCat(method, ", cost when tables have grown"), cost, limit, false);
  }
  run.report.Add("Growth", "growth", rows, json);
  return absl::OkStatus();
}

}  // namespace yuezhan::bench
