#include "common/list/list.h"

#include <set>

#include "common/base/clocks.h"
#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/db/test_database.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/list/statement.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "yuezhan/common/v1/types.pb.h"

namespace yuezhan::list {
namespace {

using testing::HasSubstr;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

const Field kFields[] = {
    {"host_unit", Kind::kName, "t.host", "=", nullptr, "hostUnits/*"},
    {"level", Kind::kEnum, "t.level", "=", common::v1::StationLevel_descriptor()},
    {"county", Kind::kText, "t.county", "=", nullptr, "", false, &Lower},
    {"established_on", Kind::kDay, "t.day", "= < <= > >="},
    {"display_name", Kind::kText, "t.name", "=", nullptr, "", true},
    {"subsidized", Kind::kBool, "t.subsidized", "="},
    {"create_time", Kind::kTime, "t.time", ">= <"},
    {"amount_fen", Kind::kInteger, "t.fen", ">="},
};
const Plan kPlans[] = {
    {"things t FORCE INDEX (PRIMARY)", {}},
    {"things t FORCE INDEX (county)", {{"county", ""}}},
    {"things t FORCE INDEX (level_day)", {{"level", ""}}, "established_on"},
    {"things t FORCE INDEX (name)", {}, "display_name"},
    {"things t FORCE INDEX (host)", {{"host_unit", ""}}, "", "id", true},
};
const Table kTable{kFields, kPlans};

std::string Fault(std::string_view filter, std::string_view order_by = "") {
  const auto query = Parse(kTable, filter, order_by);
  if (query.ok()) return "no fault";
  EXPECT_EQ(errors::Reason(query.status()), "INVALID_FIELD");
  return std::string(query.status().message());
}

TEST(Filter, ComparisonsAreParsedByTheTable) {
  const std::string id = NewUuid();
  const auto query = Parse(
      kTable,
      Concat({"host_unit = \"hostUnits/", id, "\" AND level=NATIONAL AND county = \"YUN \\\"X\\\"\" "
              "AND subsidized = true AND established_on >= 2021-03-22 AND create_time < "
              "2021-03-22T00:00:00+08:00 AND amount_fen >= 500"}),
      "");
  ASSERT_TRUE(query.ok()) << query.status();
  const Value expected[] = {Binary{UuidToBytes(id).value()},
                            int64_t{1},
                            std::string("yun \"x\""),
                            int64_t{1},
                            int64_t{Day(2021, 3, 22) - Day(1970, 1, 1)},
                            int64_t{1616342400000},
                            int64_t{500}};
  ASSERT_EQ(query->conditions.size(), std::size(expected));
  for (size_t i = 0; i < std::size(expected); ++i)
    EXPECT_EQ(query->conditions[i].value, expected[i]) << query->conditions[i].field->name;
  EXPECT_EQ(query->plan, &kPlans[4]);
}

TEST(Filter, WhatIsWrongIsToldWithWhatIsKnown) {
  const struct {
    std::string_view filter, order_by, says;
  } cases[] = {
      {"colour = red", "", "known: host_unit =; level =; county =; established_on = < <= > >="},
      {"level > NATIONAL", "", "field level knows no operator >; known: ="},
      {"level != NATIONAL", "", "no operator !="},
      {"county : x", "", "no operator :"},
      {"level = FEDERAL", "", "NATIONAL, PROVINCIAL, MUNICIPAL"},
      {"established_on >= 2021-02-30", "", "2021-03-22"},
      {"host_unit = stations/1", "", "hostUnits/*"},
      {"subsidized = yes", "", "true, false"},
      {"county = x OR county = y", "", "joined by AND"},
      {"(county = x)", "", "is no comparison"},
      {"county = \"x", "", "is no comparison"},
      {"county =", "", "is no comparison"},
      {"county", "", "is no comparison"},
      {"county = x AND", "", "joined by AND"},
      {"county = x AND county = y", "", "one value only"},
      {"", "county", "established_on, display_name"},
      {"", "display_name up", "established_on, display_name"},
      {"", "display_name desc, county", "established_on, display_name"},
      {"county = x AND level = NATIONAL", "", "served: -; county; level by established_on"},
      {"county = x", "display_name", "is not served"},
      {"subsidized = true", "", "is not served"},
  };
  for (const auto& c : cases)
    EXPECT_THAT(Fault(c.filter, c.order_by), HasSubstr(std::string(c.says))) << c.filter;
  std::string many = "amount_fen >= 1";
  for (int i = 0; i < 30; ++i) many += " AND amount_fen >= 1";
  EXPECT_EQ(errors::Reason(Parse(kTable, many, "").status()), "TOO_LARGE");
}

TEST(Filter, AConditionOfTheServicesOwnStandsBesideTheCallers) {
  const std::string name = Name("hostUnits", NewUuid());
  const std::string filter = Concat({"host_unit = ", name});
  EXPECT_EQ(Parse(kTable, filter, "", {{"host_unit", name}})->conditions.size(), 1u);
  EXPECT_FALSE(Parse(kTable, filter, "", {{"host_unit", Name("hostUnits", NewUuid())}}).ok());
}

class Lists : public testing::Test {
 protected:
  Lists()
      : database_({{1, "things",
                    "CREATE TABLE things (id BINARY(16) NOT NULL PRIMARY KEY, host BINARY(16) NOT "
                    "NULL, level TINYINT NOT NULL, county VARCHAR(50) NOT NULL, day INT NOT NULL, "
                    "name VARCHAR(100) NOT NULL, subsidized TINYINT NOT NULL, time BIGINT NOT NULL, "
                    "fen BIGINT NOT NULL, KEY county (county, id), KEY level_day (level, day, id), "
                    "KEY name (name, id), KEY host (host, id)) ENGINE=InnoDB DEFAULT "
                    "CHARSET=utf8mb4 COLLATE=utf8mb4_bin;"}}) {
    hosts_ = {NewUuid(), NewUuid()};
    Run([&](db::Session& sql) {
      for (int i = 0; i < 60; ++i) {
        sql.Execute(
            "INSERT INTO things (id, host, level, county, day, name, subsidized, time, fen) VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
            db::Bytes(UuidToBytes(NewUuid()).value()),
            db::Bytes(UuidToBytes(hosts_[i % 2]).value()), i % 3 + 1, i % 2 ? "a" : "b", i % 7,
            Concat({i % 5 ? "绿色" : "other", std::to_string(i % 4)}), i % 2, i, i);
      }
    });
  }
  void Run(absl::FunctionRef<void(db::Session&)> work) {
    const auto status =
        db::Transact(database_.pool(), WallNow() + absl::Seconds(20), [&](db::Session& sql) {
          work(sql);
          return absl::OkStatus();
        });
    ASSERT_TRUE(status.ok()) << status;
  }
  // All rows page by page: how many, and that none comes twice and all are in order.
  int Walk(std::string_view filter, std::string_view order_by) {
    const auto query = Parse(kTable, filter, order_by);
    EXPECT_TRUE(query.ok()) << query.status();
    std::set<std::string> seen;
    std::string after;
    Value last;
    Run([&](db::Session& sql) {
      for (;;) {
        const auto page = Page(*query, "t.name", after, 7);
        const db::Rows rows = sql.QueryList(page->sql, page->Params());
        for (const db::Row& row : rows) {
          EXPECT_TRUE(seen.insert(row.Bytes(1)).second) << "twice";
          const bool text = query->order == nullptr || query->order->kind == Kind::kText;
          const Value value = text ? Value(row.Text(2)) : Value(row.Int(2));
          const bool in_order = query->descending ? !(last < value) : !(value < last);
          EXPECT_TRUE(seen.size() == 1 || in_order) << order_by;
          last = value;
          after = KeyOf(*query, row, 1);
        }
        if (rows.size() < 7) break;
      }
      const auto count = Count(*query);
      EXPECT_EQ(sql.QueryList(count.sql, count.Params())[0].Int(0),
                static_cast<int64_t>(seen.size()));
    });
    return static_cast<int>(seen.size());
  }

  db::TestDatabase database_;
  std::vector<std::string> hosts_;
};

TEST_F(Lists, EveryRowComesOnceInOrder) {
  EXPECT_EQ(Walk("", ""), 60);
  EXPECT_EQ(Walk("county = A", ""), 30);
  EXPECT_EQ(Walk("county = nowhere", ""), 0);
  EXPECT_EQ(Walk("level = NATIONAL", "established_on"), 20);
  EXPECT_EQ(Walk("level = NATIONAL", "established_on desc"), 20);
  EXPECT_EQ(Walk("level = NATIONAL AND established_on >= 1970-01-03 AND established_on < 1970-01-05",
                 "established_on desc"),
            6);
  EXPECT_EQ(Walk("", "display_name"), 60);
  EXPECT_EQ(Walk("display_name = \"绿色*\"", "display_name desc"), 48);
  EXPECT_EQ(Walk("display_name = \"绿*\"", ""), 48);
  EXPECT_EQ(Walk("display_name = \"绿色1*\"", ""), 12);
  EXPECT_EQ(Walk(Concat({"host_unit = hostUnits/", hosts_[1], " AND level = MUNICIPAL"}), ""), 10);
}

TEST_F(Lists, AForeignKeyIsRefused) {
  const auto query = Parse(kTable, "level = NATIONAL", "established_on");
  for (const char* key : {"x", "0190163d-8694-739b-aea5-966c26f8ad91",
                          "0190163d-8694-739b-aea5-966c26f8ad91x"}) {
    EXPECT_EQ(errors::Reason(Page(*query, "t.name", key, 7).status()), "PAGE_TOKEN_INVALID");
  }
}

}  // namespace
}  // namespace yuezhan::list
