#include <map>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/registry/test_registry.h"

namespace yuezhan::registry {
namespace {

using Row = std::map<std::string, std::string>;

class Import : public testing::Test {
 protected:
  // A station that the rules accept, at a host unit that is made with it.
  static Row Station(int i) {
    return {{"学会服务站名称", absl::StrCat("服务站", i, "（演示）")},
            {"级别", "省级"},
            {"建站单位", "临湘市园区科协（演示）"},
            {"统一社会信用代码", "51430600501234569L"},
            {"建站单位类型", "园区科协"},
            {"县市区", "临湘市"},
            {"账户名称", "临湘市园区科协（演示）"},
            {"开户银行", "演示银行"},
            {"账号", "6222000000000009"},
            {"负责人", "负责人甲"},
            {"负责人职务", "秘书长"},
            {"负责人手机", "13800001234"},
            {"联系人", "联系人乙"},
            {"联系人职务", "干事"},
            {"联系人手机", "13800001235"},
            {"办公地址", "演示路1号"},
            {"邮编", "414000"},
            {"建站时间", "2021年3月22日"},
            {"电子邮件", "a@example.org"},
            {"服务产业链业务领域", "石油化工及新材料、电力能源"},
            {"建站学会", absl::StrCat("第", i, "学会")},
            {"学会级别", "省级"},
            {"建站目的", "服务产业"},
            {"建站主要工作内容", "技术攻关"},
            {"签约方", "建站单位"},
            {"批复单位", "岳阳市科学技术协会"},
            {"批复标题", "批复"},
            {"批复文号", "岳科协〔2021〕8号"},
            {"批复日期", "2021/3/22"},
            {"协议各方", "学会；科协"},
            {"协议起始日期", "2021-03-22"},
            {"工作条件证明", "a.pdf"},
            {"经费保障证明", "b.pdf"},
            {"管理制度证明", "c.pdf"},
            {"专业对口理由", "与园区产业对口"}};
  }
  v1::ImportRowsResponse Send(v1::Table table, const std::vector<Row>& rows, bool write) {
    v1::ImportRowsRequest request;
    request.set_request_id(NewUuid());
    request.set_table(table);
    request.set_write(write);
    for (const auto& [column, cell] : rows[0]) request.add_header(column);
    for (size_t i = 0; i < rows.size(); ++i) {
      auto* row = request.add_rows();
      row->set_row(static_cast<int>(i) + 2);
      for (const auto& [column, cell] : rows[0]) {
        const auto found = rows[i].find(column);
        row->add_cells(found == rows[i].end() ? "" : found->second);
      }
    }
    v1::ImportRowsResponse answer;
    const auto status = registry_.Call(&Handlers::ImportRows, "ImportRows", request, &answer);
    EXPECT_TRUE(status.ok()) << status;
    return answer;
  }
  static std::vector<int> Outcomes(const v1::ImportRowsResponse& answer) {
    std::vector<int> outcomes;
    for (const auto& result : answer.results()) outcomes.push_back(result.outcome());
    return outcomes;
  }
  std::vector<Row> Export(v1::Table table) {
    v1::ExportRowsRequest request;
    request.set_table(table);
    request.set_page_size(2);
    std::vector<Row> rows;
    do {
      v1::ExportRowsResponse page;
      EXPECT_TRUE(registry_.Call(&Handlers::ExportRows, "ExportRows", request, &page).ok());
      for (const auto& row : page.rows()) {
        Row cells;
        for (int i = 0; i < page.header_size(); ++i) cells[page.header(i)] = row.cells(i);
        rows.push_back(std::move(cells));
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return rows;
  }
  static constexpr int kPassed = v1::ROW_OUTCOME_PASSED, kExists = v1::ROW_OUTCOME_EXISTS,
                       kRefused = v1::ROW_OUTCOME_REFUSED;

  TestRegistry registry_;
};

TEST_F(Import, WritesWhatPassesAndTellsRowColumnAndReasonOfTheRest) {
  std::vector<Row> rows = {Station(1), Station(2), Station(3), Station(4)};
  rows[1]["建站时间"] = "2021-02-30";
  rows[2]["级别"] = "市级";  // not at a park association, but as an exception
  rows[3]["服务产业链业务领域"] = "航天";

  const auto checked = Send(v1::TABLE_STATIONS, rows, false);
  EXPECT_EQ(registry_.Count("stations"), 0) << "only checked";
  EXPECT_EQ(registry_.Count("host_units"), 1);
  const auto written = Send(v1::TABLE_STATIONS, rows, true);
  EXPECT_THAT(Outcomes(checked), testing::ElementsAre(kPassed, kRefused, kRefused, kRefused));
  EXPECT_EQ(Outcomes(written), Outcomes(checked));
  EXPECT_EQ(written.results(1).row(), 3);
  EXPECT_EQ(written.results(1).faults(0).column(), "建站时间");
  EXPECT_EQ(written.results(2).faults(0).column(), "建站单位类型");
  EXPECT_EQ(written.results(3).faults(0).column(), "服务产业链业务领域");
  EXPECT_EQ(registry_.Count("stations"), 1);
  EXPECT_EQ(registry_.Count("host_units"), 2);

  // Corrected and sent again: what is missing comes in, the rest is left alone.
  rows[1]["建站时间"] = "2021-02-28";
  rows[2]["例外理由"] = "园区尚无县级科协";
  rows[0]["例外理由"] = "";
  EXPECT_THAT(Outcomes(Send(v1::TABLE_STATIONS, rows, true)),
              testing::ElementsAre(kExists, kPassed, kPassed, kRefused));
  EXPECT_EQ(registry_.Count("stations"), 3);
  const v1::Station station = registry_.Get(written.results(0).resource());
  EXPECT_EQ(station.state(), v1::STATION_STATE_OPERATING);
  EXPECT_EQ(station.filing_number(), "YZ-2026-S-0001");
  EXPECT_EQ(station.form().contact().mobile(), "13800001235");
}

TEST_F(Import, AFileIsExportedAsItWasImported) {
  std::vector<Row> rows;
  for (int i = 0; i < 5; ++i) rows.push_back(Station(i));
  Send(v1::TABLE_STATIONS, rows, true);
  const auto exported = Export(v1::TABLE_STATIONS);
  ASSERT_EQ(exported.size(), rows.size());
  EXPECT_EQ(exported[3].at("学会服务站名称"), rows[3]["学会服务站名称"]);
  EXPECT_EQ(exported[3].at("建站时间"), "2021-03-22");
  EXPECT_EQ(exported[3].at("账号"), "6222000000000009");
  for (const int outcome : Outcomes(Send(v1::TABLE_STATIONS, exported, true)))
    EXPECT_EQ(outcome, kExists);
}

TEST_F(Import, WhatHappenedBeforeCounts) {
  Send(v1::TABLE_STATIONS, {Station(1), Station(2)}, true);
  const Row of = {{"学会服务站名称", "服务站1（演示）"},
                  {"建站单位", "临湘市园区科协　（演示）"},  // another spelling
                  {"统一社会信用代码", "51430600501234569L"}};
  Row subsidy = of, evaluation = of, debarment = of;
  subsidy.insert({{"资助类别", "省级"}, {"拨付日期", "2023-10-01"}, {"金额", "50,000.00"},
                  {"依据", "岳财〔2023〕1号"}});
  EXPECT_THAT(Outcomes(Send(v1::TABLE_SUBSIDIES, {subsidy}, true)), testing::ElementsAre(kPassed));
  EXPECT_THAT(Outcomes(Send(v1::TABLE_SUBSIDIES, {subsidy}, true)), testing::ElementsAre(kExists));
  EXPECT_EQ(registry_.Count("subsidies"), 1);
  EXPECT_EQ(registry_.Count("use_reports"), 1);

  evaluation.insert({{"评估年度", "2024"}, {"告知日期", "2025-01-10"}});
  for (const char* dimension :
       {"保障体系", "引智引才", "技术合作", "技术服务", "学术交流", "取得成效"})
    evaluation[dimension] = "50.5";
  EXPECT_THAT(Outcomes(Send(v1::TABLE_EVALUATIONS, {evaluation}, true)),
              testing::ElementsAre(kPassed));
  EXPECT_THAT(Outcomes(Send(v1::TABLE_EVALUATIONS, {evaluation}, true)),
              testing::ElementsAre(kExists));
  EXPECT_EQ(registry_.Count("debarments"), 1) << "a failure long told is final";

  debarment.erase("学会服务站名称");
  debarment.insert({{"起始日期", "2022-01-01"}, {"截止日期", "2022-12-31"}, {"依据", "旧通报"}});
  EXPECT_THAT(Outcomes(Send(v1::TABLE_DEBARMENTS, {debarment}, true)),
              testing::ElementsAre(kPassed));
  EXPECT_THAT(Outcomes(Send(v1::TABLE_DEBARMENTS, {debarment}, true)),
              testing::ElementsAre(kExists));
  EXPECT_EQ(Export(v1::TABLE_SUBSIDIES).size(), 1u);
  EXPECT_EQ(Export(v1::TABLE_EVALUATIONS)[0].at("技术合作"), "50.50");
  EXPECT_EQ(Export(v1::TABLE_DEBARMENTS).size(), 2u);

  Row unknown = subsidy;
  unknown["学会服务站名称"] = "没有此站";
  const auto refused = Send(v1::TABLE_SUBSIDIES, {unknown}, true);
  EXPECT_EQ(refused.results(0).faults(0).column(), "学会服务站名称");
}

TEST_F(Import, WhatWasPaidThroughUsIsThere) {
  const std::string station = Send(v1::TABLE_STATIONS, {Station(1)}, true).results(0).resource();
  registry_.Apply(registry_.Settled(station));
  const std::vector<Row> exported = Export(v1::TABLE_SUBSIDIES);
  EXPECT_THAT(Outcomes(Send(v1::TABLE_SUBSIDIES, exported, true)), testing::ElementsAre(kExists));
  EXPECT_EQ(registry_.Count("subsidies"), 1);
  EXPECT_EQ(registry_.Count("use_reports"), 1);
}

}  // namespace
}  // namespace yuezhan::registry
