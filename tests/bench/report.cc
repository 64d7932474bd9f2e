#include "tests/bench/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace yuezhan::bench {
namespace {

std::string Count(double value) { return absl::StrFormat("%.0f", value); }
std::string Ratio(double value) { return absl::StrFormat("%.2f", value); }

// Characters as a terminal counts them; our tables hold ASCII and a few arrows.
size_t Width(const std::string& cell) {
  return static_cast<size_t>(std::count_if(cell.begin(), cell.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// A Markdown table, readable as it stands.
void PrintTable(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i = 0; i < rows[r].size(); ++i) {
      const std::string fill(widths[i] - Width(rows[r][i]), ' ');
      out << "| " << (i == 0 ? rows[r][i] + fill : fill + rows[r][i]) << " ";
    }
    out << "|\n";
    if (r > 0) continue;
    for (size_t i = 0; i < widths.size(); ++i) {
      out << "|" << std::string(widths[i] + 1, '-') << (i == 0 ? "-" : ":");
    }
    out << "|\n";
  }
  out << std::endl;
}

Json JsonOf(const Comparison& c) {
  return {{"method", c.method},
          {"tls", c.tls},
          {"writes", c.writes},
          {"in_flight", c.in_flight},
          {"rpcs", c.rpcs},
          {"echo_per_s", c.echo},
          {"sql_per_s", c.sql},
          {"sequenced_sql_per_s", c.sequenced_sql},
          {"call_per_s", c.call},
          {"ratio", Median(c.Ratio(false))},
          {"sequenced_ratio", Median(c.Ratio(true))},
          {"echo_cpu_us", Median(c.echo_cpu_us)},
          {"connector_cpu_us", Median(c.connector_cpu_us)},
          {"call_cpu_us", Median(c.call_cpu_us)}};
}

}  // namespace

void Report::Add(const MethodResults& results) {
  std::vector<std::vector<std::string>> costs = {
      {"a call sends", "RPCs", "round trips", "prepared", "commits", "request B", "answer B"}};
  Json costs_json = Json::array();
  for (const Cost& cost : results.costs) {
    costs.push_back({cost.method, absl::StrCat(cost.rpcs), absl::StrCat(cost.round_trips),
                     absl::StrCat(cost.prepared), absl::StrCat(cost.commits),
                     absl::StrCat(cost.request_bytes), absl::StrCat(cost.answer_bytes)});
    Json statements = Json::array();
    for (const Statement& statement : cost.statements) {
      statements.push_back(statement.schema + ": " + statement.sql.substr(0, 200));
    }
    costs_json.push_back({{"method", cost.method},
                          {"rpcs", cost.rpcs},
                          {"round_trips", cost.round_trips},
                          {"prepared", cost.prepared},
                          {"commits", cost.commits},
                          {"request_bytes", cost.request_bytes},
                          {"answer_bytes", cost.answer_bytes},
                          {"statements", statements}});
  }
  if (!results.costs.empty()) Add("What a call sends", "costs", costs, costs_json);

  std::vector<std::vector<std::string>> rates = {
      {"calls per second", "TLS", "in flight", "echo", "SQL", "SQL+seq", "call", "ratio",
       "ratio+seq", "CPU echo us", "CPU SQL us", "CPU call us"}};
  Json rates_json = Json::array();
  for (const Comparison& c : results.comparisons) {
    rates.push_back({c.method, c.tls ? "yes" : "no", absl::StrCat(c.in_flight),
                     Count(Median(c.echo)), Count(Median(c.sql)),
                     c.writes ? Count(Median(c.sequenced_sql)) : "", Count(Median(c.call)),
                     Ratio(Median(c.Ratio(false))), c.writes ? Ratio(Median(c.Ratio(true))) : "",
                     Count(Median(c.echo_cpu_us)), Count(Median(c.connector_cpu_us)),
                     Count(Median(c.call_cpu_us))});
    rates_json.push_back(JsonOf(c));
    if (c.in_flight != 16 || !c.tls) continue;
    const std::string at = absl::StrCat(c.method, " at 16 in flight, share of the limit of ");
    if (!c.writes) {
      Promise(at + "echo and SQL", Median(c.Ratio(false)), 0.70, true);
    } else {
      Promise(at + "echo and sequenced SQL", Median(c.Ratio(true)), 0.90, true);
      Promise(at + "echo and SQL without a sequencer", Median(c.Ratio(false)), 0.80, true);
    }
  }
  if (!results.comparisons.empty()) Add("Against echo and bare SQL", "rates", rates, rates_json);

  std::vector<std::vector<std::string>> latencies = {
      {"at 70% of the peak", "TLS", "calls/s", "p50 us", "p90 us", "p99 us", "p99/p50",
       "echo's p99/p50"}};
  Json latencies_json = Json::array();
  for (const Latency& l : results.latencies) {
    latencies.push_back({l.method, l.tls ? "yes" : "no", Count(l.rate), Count(Median(l.p50_us)),
                         Count(Median(l.p90_us)), Count(Median(l.p99_us)), Ratio(Median(l.spread)),
                         Ratio(Median(l.echo_spread))});
    latencies_json.push_back({{"method", l.method},
                              {"tls", l.tls},
                              {"rate", l.rate},
                              {"p50_us", l.p50_us},
                              {"p90_us", l.p90_us},
                              {"p99_us", l.p99_us},
                              {"spread", l.spread},
                              {"echo_spread", l.echo_spread}});
    if (l.tls) Promise(l.method + " at 70% load, p99 over the median", Median(l.spread), 5, false);
  }
  if (!results.latencies.empty()) Add("Latency, open loop", "latencies", latencies, latencies_json);
}

void Report::Add(const std::string& title, const std::string& key,
                 const std::vector<std::vector<std::string>>& rows, Json json) {
  out_ << "\n## " << title << "\n\n";
  PrintTable(out_, rows);
  if (json_.contains(key) && json.is_array()) {
    for (const auto& item : json) json_[key].push_back(item);
  } else {
    json_[key] = std::move(json);
  }
}

void Report::Promise(const std::string& what, double measured, double limit, bool at_least) {
  const bool kept = at_least ? measured >= limit : measured <= limit;
  kept_ &= kept;
  promises_.push_back({what, Ratio(measured), (at_least ? ">= " : "<= ") + Ratio(limit),
                       kept ? "kept" : "MISSED"});
  json_["promises"].push_back({{"what", what},
                               {"measured", measured},
                               {"limit", limit},
                               {"at_least", at_least},
                               {"kept", kept}});
}

bool Report::Finish() {
  if (promises_.size() > 1) {
    out_ << "\n## Promises\n\n";
    PrintTable(out_, promises_);
  }
  return kept_;
}

}  // namespace yuezhan::bench
