#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/csv.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "services/yz/client.h"
#include "services/yz/commands.h"
#include "services/yz/settings.h"
#include "yuezhan/registry/v1/tables.pb.h"

namespace yuezhan::yz {
namespace {

using namespace registry::v1;  // NOLINT

// Of one call: rows, and about so many bytes, for a message has a limit.
constexpr int kBatch = 500;
constexpr size_t kBatchBytes = 1 << 20;

absl::StatusOr<Table> TableOf(const std::string& word) {
  constexpr std::pair<const char*, Table> kTables[] = {{"stations", TABLE_STATIONS},
                                                       {"subsidies", TABLE_SUBSIDIES},
                                                       {"evaluations", TABLE_EVALUATIONS},
                                                       {"debarments", TABLE_DEBARMENTS}};
  for (const auto& [name, table] : kTables) {
    if (word == name) return table;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", word, "\" is no table: stations, subsidies, evaluations, debarments"));
}

// Of a whole file.
struct Totals {
  int64_t rows = 0, passed = 0, exist = 0, refused = 0;
};

// Sends a batch; counts, and writes what is wrong into the report.
absl::Status Send(Client& client, const Caller& caller, ImportRowsRequest* request,
                  std::ofstream& report, Totals* totals) {
  if (request->rows().empty()) return absl::OkStatus();
  // Made once: whatever is sent again after a lost answer has one effect.
  request->set_request_id(NewUuid());
  ImportRowsResponse answer;
  YZ_RETURN_IF_ERROR(client.Call(caller, "yuezhan.registry.v1.RegistryService/ImportRows", *request,
                                 &answer));
  for (const RowResult& result : answer.results()) {
    ++totals->rows;
    totals->passed += result.outcome() == ROW_OUTCOME_PASSED;
    totals->exist += result.outcome() == ROW_OUTCOME_EXISTS;
    totals->refused += result.outcome() == ROW_OUTCOME_REFUSED;
    for (const RowFault& fault : result.faults()) {
      report << CsvLine({absl::StrCat(result.row()), fault.column(), fault.reason_zh(),
                         fault.reason_en()});
    }
  }
  request->clear_rows();
  return absl::OkStatus();
}

}  // namespace

absl::Status Import(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const Table table, TableOf(words[0]));
  std::ifstream file(words[1], std::ios::binary);
  std::error_code no_size;
  const auto size = static_cast<int64_t>(std::filesystem::file_size(words[1], no_size));
  if (!file || no_size) return absl::NotFoundError(absl::StrCat(words[1], ": cannot be read"));
  CsvReader reader(file);
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  YZ_ASSIGN_OR_RETURN(const Caller caller, CallerFromFlags("filing_officer"));
  Client client(std::move(profile));
  const bool write = absl::GetFlag(FLAGS_write);
  const std::string report_file = absl::StrCat(words[1], ".report.csv");
  std::ofstream report(report_file, std::ios::binary | std::ios::trunc);
  report << "\xEF\xBB\xBF" << CsvLine({"行", "列", "原因", "reason"});
  if (!report) return absl::PermissionDeniedError(absl::StrCat(report_file, ": cannot be written"));

  ImportRowsRequest request;
  request.set_table(table);
  request.set_write(write);
  std::vector<std::string> cells;
  YZ_ASSIGN_OR_RETURN(const bool header, reader.Next(&cells));
  if (!header) return absl::InvalidArgumentError(absl::StrCat(words[1], ": has no header"));
  request.mutable_header()->Assign(cells.begin(), cells.end());
  Totals totals;
  const auto progress = [&](const char* end) {
    std::fprintf(stderr,
                 "\r%lld%%  %lld rows 行: %lld %s, %lld there already 已有, %lld refused 不通过%s",
                 static_cast<long long>(100 * reader.read_bytes() / std::max<int64_t>(size, 1)),
                 static_cast<long long>(totals.rows), static_cast<long long>(totals.passed),
                 write ? "written 写入" : "pass 通过", static_cast<long long>(totals.exist),
                 static_cast<long long>(totals.refused), end);
  };
  for (;;) {
    YZ_ASSIGN_OR_RETURN(const bool more, reader.Next(&cells));
    if (more) {
      TableRow* row = request.add_rows();
      row->set_row(reader.line());
      row->mutable_cells()->Assign(cells.begin(), cells.end());
    }
    if (!more || request.rows_size() == kBatch || request.ByteSizeLong() > kBatchBytes) {
      YZ_RETURN_IF_ERROR(Send(client, caller, &request, report, &totals));
      progress("");
    }
    if (!more) break;
  }
  progress("\n");
  report.close();
  std::printf("%lld rows, %lld %s, %lld there already, %lld refused; report: %s\n",
              static_cast<long long>(totals.rows), static_cast<long long>(totals.passed),
              write ? "written" : "pass", static_cast<long long>(totals.exist),
              static_cast<long long>(totals.refused), report_file.c_str());
  if (!write && totals.passed > 0) std::printf("Nothing is written yet: add --write. 未写入。\n");
  return absl::OkStatus();
}

absl::Status Export(const Words& words) {
  YZ_ASSIGN_OR_RETURN(const Table table, TableOf(words[0]));
  YZ_ASSIGN_OR_RETURN(Profile profile, ProfileFromFlags());
  YZ_ASSIGN_OR_RETURN(const Caller caller, CallerFromFlags("filing_officer"));
  Client client(std::move(profile));
  std::ofstream out(words[1], std::ios::binary | std::ios::trunc);
  out << "\xEF\xBB\xBF";
  const auto put = [&](const auto& cells) { out << CsvLine({cells.begin(), cells.end()}); };
  ExportRowsRequest request;
  request.set_table(table);
  request.set_page_size(kBatch);
  int64_t rows = 0;
  do {
    ExportRowsResponse page;
    YZ_RETURN_IF_ERROR(
        client.Call(caller, "yuezhan.registry.v1.RegistryService/ExportRows", request, &page));
    if (request.page_token().empty()) put(page.header());
    for (const TableRow& row : page.rows()) put(row.cells());
    rows += page.rows_size();
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  out.close();
  if (!out) return absl::PermissionDeniedError(absl::StrCat(words[1], ": cannot be written"));
  std::printf("%lld rows\n", static_cast<long long>(rows));
  return absl::OkStatus();
}

}  // namespace yuezhan::yz
