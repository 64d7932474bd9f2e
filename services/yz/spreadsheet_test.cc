#include "services/yz/spreadsheet.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace yuezhan::yz {
namespace {

using testing::ElementsAre;
using Rows = std::vector<std::vector<std::string>>;

absl::StatusOr<Rows> Read(const std::string& content) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("csv-" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path, std::ios::binary) << content;
  auto reader = CsvReader::Open(path.string());
  std::filesystem::remove(path);
  if (!reader.ok()) return reader.status();
  Rows rows;
  std::vector<std::string> cells;
  for (;;) {
    const auto more = (*reader)->Next(&cells);
    if (!more.ok()) return more.status();
    if (!*more) return rows;
    rows.push_back(cells);
  }
}

TEST(Spreadsheet, RowsOfEveryForm) {
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
    const auto rows = Read(c.content);
    ASSERT_TRUE(rows.ok()) << c.content << rows.status();
    EXPECT_EQ(*rows, c.rows) << c.content;
  }
}

TEST(Spreadsheet, WhatIsWrongIsToldWithItsLine) {
  EXPECT_THAT(std::string(Read("a\nb\n\"c").status().message()), testing::HasSubstr("line 3"));
  EXPECT_EQ(CsvReader::Open("/nowhere.csv").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace yuezhan::yz
