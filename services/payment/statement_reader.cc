#include "services/payment/statement_reader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/csv.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/errors/errors.h"

namespace yuezhan::payment {
namespace {

// What a column holds, by the headers that banks give it.
enum Column { kDay, kOut, kIn, kAmount, kSide, kReference, kHolder, kAccount, kPurpose, kTransfer };
const std::map<std::string_view, Column> kHeaders = {
    {"交易日期", kDay},       {"记账日期", kDay},      {"入账日期", kDay},
    {"借方金额", kOut},       {"借方发生额", kOut},    {"支出金额", kOut},
    {"贷方金额", kIn},        {"贷方发生额", kIn},     {"收入金额", kIn},
    {"交易金额", kAmount},    {"发生额", kAmount},     {"借贷标志", kSide},
    {"收支标志", kSide},      {"交易流水号", kReference}, {"流水号", kReference},
    {"凭证号", kReference},   {"对方户名", kHolder},   {"收款人名称", kHolder},
    {"对方账号", kAccount},   {"对方帐号", kAccount},  {"收款人账号", kAccount},
    {"摘要", kPurpose},       {"用途", kPurpose},      {"附言", kPurpose},
    {"客户流水号", kTransfer}, {"指令编号", kTransfer}, {"业务编号", kTransfer},
};
constexpr size_t kTransferIdCharacters = 64;

absl::Status Wrong(int number, std::string_view zh, std::string_view en) {
  return errors::InvalidField("content", Concat({"第", std::to_string(number), "行：", zh}),
                              Concat({"line ", std::to_string(number), ": ", en}));
}

// "2026-09-15", "2026/9/15", "20260915", "2026年9月15日".
std::optional<Day> DayIn(const std::string& text) {
  std::string plain = absl::StrReplaceAll(text, {{"年", "-"}, {"月", "-"}, {"日", ""}, {"/", "-"}});
  plain = plain.substr(0, plain.find(' '));
  std::array<int, 3> parts{};
  if (plain.size() == 8 && plain.find('-') == std::string::npos)
    plain = absl::StrCat(plain.substr(0, 4), "-", plain.substr(4, 2), "-", plain.substr(6));
  size_t at = 0;
  for (size_t i = 0; i < 3; ++i) {
    const size_t end = i == 2 ? plain.size() : plain.find('-', at);
    if (end == std::string::npos || !absl::SimpleAtoi(plain.substr(at, end - at), &parts[i]))
      return std::nullopt;
    at = end + 1;
  }
  const Day day(parts[0], parts[1], parts[2]);
  const bool same = day.year() == parts[0] && day.month() == parts[1] && day.day() == parts[2];
  return same && parts[0] >= 1 && parts[0] <= 9999 ? std::optional(day) : std::nullopt;
}

// "50,000.00" → 5000000; "" and "0.00" are nothing; anything else is wrong (-1).
int64_t FenInText(const std::string& text) {
  std::string plain = absl::StrReplaceAll(text, {{",", ""}, {"，", ""}, {"¥", ""}, {"￥", ""}});
  absl::StripAsciiWhitespace(&plain);
  if (plain.empty()) return 0;
  const size_t point = plain.find('.');
  const std::string yuan = plain.substr(0, point);
  std::string cents = point == std::string::npos ? "" : plain.substr(point + 1);
  if (cents.size() > 2 || yuan.empty() || yuan.size() > 13) return -1;
  cents.resize(2, '0');
  const std::string all = yuan + cents;
  if (!std::all_of(all.begin(), all.end(), [](char c) { return c >= '0' && c <= '9'; })) return -1;
  int64_t fen = 0;
  return absl::SimpleAtoi(all, &fen) && fen <= kMaxFen ? fen : -1;
}

// The first run of 64 hex digits, lower case; "" when there is none.
std::string TransferIdIn(const std::string& text) {
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i])) != 0) continue;
    if (i - begin == kTransferIdCharacters)
      return absl::AsciiStrToLower(text.substr(begin, kTransferIdCharacters));
    begin = i + 1;
  }
  return "";
}

class CsvStatement {
 public:
  absl::StatusOr<std::vector<StatementRow>> Read(std::string_view content) {
    std::istringstream in{std::string(content)};
    CsvReader reader(in);
    std::vector<StatementRow> rows;
    for (std::vector<std::string> cells;;) {
      const absl::StatusOr<bool> more = reader.Next(&cells);
      if (!more.ok()) {
        return Wrong(reader.line(), "须为 UTF-8 或 GB18030 编码，引号须成对",
                     "must be UTF-8 or GB18030, with an end to each quotation mark");
      }
      if (!*more) break;
      // Banks put a title and the account's own data before the headers.
      if (columns_.empty()) {
        FindHeaders(cells);
        continue;
      }
      YZ_RETURN_IF_ERROR(ReadRow(reader.line(), cells, &rows));
      if (rows.size() > kMaxStatementLines)
        return errors::TooLarge("content", kMaxStatementLines, "lines");
    }
    if (columns_.empty()) {
      return errors::InvalidField("content", "没有找到表头（交易日期及借方、贷方金额）",
                                  "has no headers (date and amounts)");
    }
    return rows;
  }

 private:
  void FindHeaders(const std::vector<std::string>& cells) {
    std::map<int, Column> found;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string name(absl::StripAsciiWhitespace(cells[i]));
      if (const auto known = kHeaders.find(name); known != kHeaders.end())
        found[static_cast<int>(i)] = known->second;
    }
    const auto has = [&](Column column) {
      return std::any_of(found.begin(), found.end(),
                         [&](const auto& each) { return each.second == column; });
    };
    if (has(kDay) && ((has(kOut) && has(kIn)) || (has(kAmount) && has(kSide)))) columns_ = found;
  }

  absl::Status ReadRow(int number, const std::vector<std::string>& cells,
                       std::vector<StatementRow>* rows) {
    std::map<Column, std::string> values;
    for (const auto& [place, column] : columns_) {
      if (place >= static_cast<int>(cells.size())) continue;
      const std::string cell(absl::StripAsciiWhitespace(cells[place]));
      std::string& value = values[column];
      if (!value.empty() && !cell.empty()) value += ' ';
      value += cell;
    }
    // Empty lines, and sums at the end.
    if (values[kDay].empty() || values[kDay].find("计") != std::string::npos)
      return absl::OkStatus();
    StatementRow row;
    row.number = number;
    const auto day = DayIn(values[kDay]);
    if (!day) return Wrong(number, "日期无法识别", "the date is none");
    row.day = *day;
    YZ_RETURN_IF_ERROR(ReadAmount(number, values, &row));
    row.bank_reference = values[kReference];
    row.counterparty = values[kHolder];
    row.account = absl::StrReplaceAll(values[kAccount], {{" ", ""}, {"-", ""}, {"'", ""}});
    row.purpose = values[kPurpose];
    for (const std::string& text : {values[kTransfer], values[kPurpose]}) {
      if (row.transfer_id.empty()) row.transfer_id = TransferIdIn(text);
    }
    for (const auto* text :
         {&row.bank_reference, &row.counterparty, &row.account, &row.purpose}) {
      if (text->size() > 600) return Wrong(number, "内容过长", "a cell is too long");
    }
    rows->push_back(std::move(row));
    return absl::OkStatus();
  }

  static absl::Status ReadAmount(int number, std::map<Column, std::string>& values,
                                 StatementRow* row) {
    int64_t out = FenInText(values[kOut]);
    int64_t in = FenInText(values[kIn]);
    if (!values[kAmount].empty()) {
      const std::string& side = values[kSide];
      const bool outgoing =
          side.find("借") != std::string::npos || side.find("支") != std::string::npos;
      (outgoing ? out : in) = FenInText(values[kAmount]);
    }
    if (out < 0 || in < 0) return Wrong(number, "金额无法识别", "the amount is none");
    if ((out > 0) == (in > 0)) return Wrong(number, "借方、贷方金额须恰有一项", "needs one amount");
    row->outgoing = out > 0;
    row->fen = out + in;
    return absl::OkStatus();
  }

  std::map<int, Column> columns_;
};

absl::StatusOr<std::vector<StatementRow>> ReadCsv(std::string_view content) {
  return CsvStatement().Read(content);
}

// The seam: a reader for each format.
struct Reader {
  v1::StatementFormat format;
  absl::StatusOr<std::vector<StatementRow>> (*read)(std::string_view);
};
constexpr Reader kReaders[] = {{v1::STATEMENT_FORMAT_CSV, &ReadCsv}};

}  // namespace

absl::StatusOr<std::vector<StatementRow>> ReadStatement(v1::StatementFormat format,
                                                        std::string_view content) {
  for (const Reader& reader : kReaders) {
    if (reader.format == format) return reader.read(content);
  }
  return errors::InvalidField("format", "不支持的格式", "is no format that is read");
}

}  // namespace yuezhan::payment
