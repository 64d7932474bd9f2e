#include "common/base/csv.h"

#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace yuezhan {
namespace {

using testing::HasSubstr;
using Rows = std::vector<std::vector<std::string>>;

TEST(Csv, CellsAreQuotedAndNeverFormulas) {
  EXPECT_EQ(CsvLine({"a,b", "say \"x\"", "two\nlines", "=1+1", "@cmd", "-5", "平常", ""}),
            "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",'=1+1,'@cmd,'-5,平常,\r\n");
  EXPECT_EQ(CsvLine({"", "b"}), ",b\r\n");
}

TEST(Csv, RowsOfEveryForm) {
  const struct {
    std::string content;
    Rows rows;
  } cases[] = {
      {"", {}},
      {"a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}}},
      {"a,b\nc,d", {{"a", "b"}, {"c", "d"}}},
      {"\xEF\xBB\xBF站名,\n\n,,\nx,", {{"站名", ""}, {"x", ""}}},
      {"\"a,\"\"b\"\"\nc\",d\n", {{"a,\"b\"\nc", "d"}}},
      {"\"\",x\n", {{"", "x"}}},
      // 站名,级别 in GB18030.
      {"\xD5\xBE\xC3\xFB,\xBC\xB6\xB1\xF0\n", {{"站名", "级别"}}},
  };
  for (const auto& c : cases) {
    const auto rows = ParseCsv(c.content);
    ASSERT_TRUE(rows.ok()) << c.content << rows.status();
    EXPECT_EQ(*rows, c.rows) << c.content;
  }
}

// Long enough that the encoding is told by its beginning, which may end within a character.
TEST(Csv, LongTextsAreReadRowByRow) {
  for (const bool gb : {false, true}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += CsvLine({"学会服务站", std::to_string(i)});
    if (gb) text = Utf8ToGb18030(text).value();
    std::istringstream in(text);
    CsvReader reader(in);
    std::vector<std::string> cells;
    for (int i = 0; i < 20'000; ++i) {
      ASSERT_TRUE(reader.Next(&cells).value());
      ASSERT_EQ(cells, (std::vector<std::string>{"学会服务站", std::to_string(i)}));
      ASSERT_EQ(reader.line(), i + 1);
    }
    EXPECT_FALSE(reader.Next(&cells).value());
    EXPECT_EQ(reader.read_bytes(), static_cast<int64_t>(text.size()));
  }
}

TEST(Csv, WhatIsWrongIsToldWithItsLine) {
  const std::string megabyte(1 << 20, 'x');
  for (const auto& [content, line] : std::vector<std::pair<std::string, std::string>>{
           {"a\nb\n\"c", "line 3: a quotation mark"},
           {"a\n\"b\nc\"\n" + megabyte, "line 4: a cell is too long"},
           {"站\n\xff\xff\n", "GB18030"},             // of neither
           {"站\n站\n\xe7\xab", "GB18030"},           // cut within a character
           {std::string(100'000, '\n') + "\xff", "line 100001: is no text in UTF-8"}}) {
    const absl::Status status = ParseCsv(content).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(line));
  }
}

}  // namespace
}  // namespace yuezhan
