#include "services/registry/import.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rpc/validation.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "services/registry/handlers.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {
namespace {

constexpr std::string_view kStationHeaders[] = {
    "学会服务站名称", "级别", "建站单位", "统一社会信用代码", "建站单位类型", "县市区", "账户名称",
    "开户银行", "账号", "负责人", "负责人职务", "负责人手机", "办公地址", "邮编", "联系人",
    "联系人职务", "联系人手机", "建站时间", "电子邮件", "服务产业链业务领域", "建站学会",
    "学会级别", "学会主管单位", "建站目的", "建站主要工作内容", "签约方", "批复单位", "批复标题",
    "批复文号", "批复日期", "协议各方", "协议起始日期", "协议终止日期", "工作条件证明",
    "经费保障证明", "管理制度证明", "专业对口理由", "产业紧密相连理由", "例外理由", "原备案号",
    "停运日期", "撤销日期"};
constexpr std::string_view kSubsidyColumns[] = {"学会服务站名称", "建站单位", "统一社会信用代码",
                                                "资助类别",       "拨付日期", "金额",
                                                "依据"};
constexpr std::string_view kEvaluationColumns[] = {"学会服务站名称", "建站单位", "统一社会信用代码",
                                                   "评估年度",       "告知日期", "评语"};
constexpr std::string_view kDebarmentColumns[] = {"建站单位", "统一社会信用代码", "起始日期",
                                                  "截止日期", "依据"};

// Cells are bytes to the contract: their longest text is longer than an item of a list may be.
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : 4;
    if (size == 4 && lead >> 3 != 30) return false;
    if (i + size > text.size()) return false;
    for (size_t k = i + 1; k < i + size; ++k) {
      if ((static_cast<unsigned char>(text[k]) & 0xC0) != 0x80) return false;
    }
    i += size;
  }
  return true;
}

}  // namespace

std::vector<std::string> HeaderOf(v1::Table table, const policy::v1::Policy& policy) {
  const auto list = [](absl::Span<const std::string_view> columns) {
    return std::vector<std::string>(columns.begin(), columns.end());
  };
  switch (table) {
    case v1::TABLE_STATIONS:
      return list(kStationHeaders);
    case v1::TABLE_SUBSIDIES:
      return list(kSubsidyColumns);
    case v1::TABLE_DEBARMENTS:
      return list(kDebarmentColumns);
    case v1::TABLE_EVALUATIONS: {
      auto header = list(kEvaluationColumns);
      for (const auto& dimension : policy.evaluation().dimensions())
        header.push_back(dimension.name_zh());
      return header;
    }
    default:
      return {};
  }
}

// ---- cells ----

std::string RowReader::Text(std::string_view column) const {
  const auto at = columns_.find(column);
  if (at == columns_.end() || at->second >= row_.cells_size()) return "";
  std::string_view text = Std(absl::StripAsciiWhitespace(row_.cells(at->second)));
  constexpr std::string_view kWide = "\u3000";
  while (text.substr(0, kWide.size()) == kWide) text.remove_prefix(kWide.size());
  while (text.size() >= kWide.size() && text.substr(text.size() - kWide.size()) == kWide)
    text.remove_suffix(kWide.size());
  return std::string(text);
}

std::string RowReader::Needed(std::string_view column) {
  std::string text = Text(column);
  if (text.empty()) Fault(column, "不得为空", "must be given");
  return text;
}

std::optional<Day> RowReader::Date(std::string_view column) {
  const std::string text = Text(column);
  if (text.empty()) return std::nullopt;
  const std::string plain = absl::StrReplaceAll(
      text, {{"年", "-"}, {"月", "-"}, {"日", ""}, {"/", "-"}, {".", "-"}});
  const std::vector<std::string> parts = absl::StrSplit(plain, '-');
  int year = 0, month = 0, day = 0;
  if (parts.size() == 3 && absl::SimpleAtoi(parts[0], &year) &&
      absl::SimpleAtoi(parts[1], &month) && absl::SimpleAtoi(parts[2], &day) && year > 1900 &&
      year < 3000) {
    const Day date(year, month, day);
    if (date.month() == month && date.day() == day) return date;
  }
  Fault(column, "应为日期，如2021-03-22", "must be a day, as 2021-03-22");
  return std::nullopt;
}

std::optional<int> RowReader::Number(std::string_view column) {
  int number = 0;
  if (absl::SimpleAtoi(Text(column), &number)) return number;
  Fault(column, "应为整数", "must be a whole number");
  return std::nullopt;
}

std::optional<int> RowReader::Hundredths(std::string_view column) {
  double points = 0;
  if (absl::SimpleAtod(Text(column), &points) && points >= 0 && points <= 100)
    return static_cast<int>(points * 100 + 0.5);
  Fault(column, "应为0至100的分数", "must be a score from 0 to 100");
  return std::nullopt;
}

std::optional<int64_t> RowReader::Fen(std::string_view column) {
  double yuan = 0;
  const std::string text = absl::StrReplaceAll(Text(column), {{",", ""}, {"元", ""}});
  if (absl::SimpleAtod(text, &yuan) && yuan >= 0 && yuan < 1e10)
    return static_cast<int64_t>(yuan * 100 + 0.5);
  Fault(column, "应为金额（元）", "must be an amount in yuan");
  return std::nullopt;
}

void RowReader::Fault(std::string_view column, std::string_view zh, std::string_view en) {
  v1::RowFault* fault = result_->add_faults();
  fault->set_column(std::string(column));
  fault->set_reason_zh(std::string(zh));
  fault->set_reason_en(std::string(en));
}

void CheckLimits(absl::Span<const std::pair<std::string_view, std::string_view>> columns,
                 google::protobuf::Message* message, RowReader* row) {
  const google::rpc::Status details = errors::Details(rpc::CheckRequest(message));
  for (const auto& any : details.details()) {
    google::rpc::BadRequest bad;
    if (!any.UnpackTo(&bad)) continue;
    for (const auto& violation : bad.field_violations()) {
      std::string_view column;
      for (const auto& [path, name] : columns) {
        if (violation.field() == path) column = name;
      }
      row->Fault(column, column.empty() ? Concat({violation.field(), violation.description()})
                                        : violation.description(),
                 Concat({violation.field(), " breaks a limit of the contract"}));
    }
  }
}

// ---- names ----

std::vector<Named> LevelNames(const policy::v1::Policy& policy) {
  std::vector<Named> names;
  for (const auto& level : policy.levels()) names.push_back({level.name_zh(), level.level()});
  return names;
}
std::vector<Named> HostKindNames(const policy::v1::Policy& policy) {
  std::vector<Named> names;
  for (const auto& kind : policy.host_kinds().kinds())
    names.push_back({kind.name_zh(), kind.kind()});
  return names;
}
absl::Span<const Named> SocietyRankNames() {
  static constexpr Named kNames[] = {{"国家级", common::v1::SOCIETY_RANK_NATIONAL},
                                     {"省级", common::v1::SOCIETY_RANK_PROVINCIAL},
                                     {"市级", common::v1::SOCIETY_RANK_MUNICIPAL}};
  return kNames;
}
absl::Span<const Named> ContractPartyNames() {
  static constexpr Named kNames[] = {
      {"市科协", common::v1::CONTRACT_PARTY_MUNICIPAL_ASSOCIATION},
      {"建站单位", common::v1::CONTRACT_PARTY_HOST_UNIT},
      {"其他", common::v1::CONTRACT_PARTY_OTHER}};
  return kNames;
}

int ValueOf(absl::Span<const Named> names, std::string_view column, RowReader* row) {
  const std::string text = row->Text(column);
  for (const Named& each : names) {
    if (each.zh == text) return each.value;
  }
  const std::string known = absl::StrJoin(names, "、", [](std::string* out, const Named& each) {
    *out += each.zh;
  });
  row->Fault(column, Concat({"应为：", known}), Concat({"must be one of ", known}));
  return 0;
}

std::string_view NameOf(absl::Span<const Named> names, int value) {
  for (const Named& each : names) {
    if (each.value == value) return each.zh;
  }
  return "";
}

// ---- the method ----

absl::Status Handlers::Import(journal::Unit& unit, const v1::ImportRowsRequest& request,
                              v1::ImportRowsResponse* answer) const {
  YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
  const auto known = HeaderOf(request.table(), rules.policy);
  std::map<std::string, int, std::less<>> columns;
  for (int i = 0; i < request.header_size(); ++i) {
    const std::string header(absl::StripAsciiWhitespace(request.header(i)));
    if (std::find(known.begin(), known.end(), header) == known.end()) {
      return errors::InvalidField(absl::StrCat("header[", i, "]"),
                                  Concat({"没有此列；可用：", absl::StrJoin(known, "、")}),
                                  Concat({"is no column; known: ", absl::StrJoin(known, ", ")}));
    }
    columns[header] = i;
  }
  for (int i = 0; i < request.rows_size(); ++i) {
    for (const std::string& cell : request.rows(i).cells()) {
      if (IsUtf8(cell)) continue;
      return errors::InvalidField(absl::StrCat("rows[", i, "].cells"), "应为UTF-8文本",
                                  "must be texts in UTF-8");
    }
  }
  // One import at a time: what one writes the next one finds, and does not write again.
  store_.LockImports(unit.sql());
  v1::RowsImported event;
  event.set_table(v1::Table_Name(request.table()));
  if (request.table() == v1::TABLE_STATIONS) {
    YZ_RETURN_IF_ERROR(ImportStations(unit, rules, columns, request, answer));
  } else {
    for (const v1::TableRow& row : request.rows()) {
      v1::RowResult* result = answer->add_results();
      RowReader reader(columns, row, result);
      YZ_RETURN_IF_ERROR(ImportRecord(unit, rules, request.table(), &reader, result));
      if (!reader.good()) result->set_outcome(v1::ROW_OUTCOME_REFUSED);
    }
  }
  for (const v1::RowResult& result : answer->results()) {
    if (result.outcome() == v1::ROW_OUTCOME_PASSED) event.add_resources(result.resource());
  }
  unit.Emit(event);
  return absl::OkStatus();
}

absl::Status Handlers::ImportRows(Context& context, const v1::ImportRowsRequest& request,
                                  v1::ImportRowsResponse* answer) {
  if (request.write()) {
    return journal_.Write(context, request, answer, [&](journal::Unit& unit) {
      return Import(unit, request, answer);
    });
  }
  // The same work, undone: so a check says what writing would.
  bool checked = false;
  const absl::Status status =
      db::Transact(journal_.pool(), context.deadline, [&](db::Session& sql) -> absl::Status {
        answer->Clear();
        checked = false;
        journal::Unit unit(sql, journal_.clocks().business->Now(), context,
                           std::string(kDigestBytes, '\0'));
        YZ_RETURN_IF_ERROR(Import(unit, request, answer));
        checked = true;
        return absl::CancelledError("rolled back on purpose");
      });
  return checked ? absl::OkStatus() : status;
}

}  // namespace yuezhan::registry
