// What must hold at the size of a province: an import's speed and memory, the cost of any page.
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/db/transaction.h"
#include "common/rpc/page_token.h"
#include "gtest/gtest.h"
#include "services/registry/test_registry.h"

namespace yuezhan::registry {
namespace {

int FromEnvironment(const char* name, int otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : std::atoi(given);
}

int64_t PeakKiB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// YUEZHAN_IMPORT rows (100,000) in batches as `yz import` sends them.
TEST(Scale, AHundredThousandStationsAreImportedInThreeMinutesInFlatMemory) {
  TestRegistry registry;
  const int rows = FromEnvironment("YUEZHAN_IMPORT", 100'000);
  const std::vector<std::pair<std::string, std::string>> cells = {
      {"学会服务站名称", ""},          {"级别", "省级"},
      {"建站单位", ""},                {"统一社会信用代码", "51430600501234569L"},
      {"建站单位类型", "园区科协"},    {"县市区", "临湘市"},
      {"账户名称", ""},                {"开户银行", "演示银行"},
      {"账号", "6222000000000009"},    {"负责人", "负责人甲"},
      {"负责人职务", "秘书长"},        {"负责人手机", "13800001234"},
      {"联系人", "联系人乙"},          {"联系人职务", "干事"},
      {"联系人手机", "13800001235"},   {"办公地址", "演示路1号"},
      {"邮编", "414000"},              {"建站时间", "2021-03-22"},
      {"电子邮件", "a@example.org"},   {"服务产业链业务领域", "电力能源"},
      {"建站学会", ""},                {"学会级别", "省级"},
      {"建站目的", "服务产业"},        {"建站主要工作内容", "技术攻关"},
      {"签约方", "建站单位"},          {"批复单位", "岳阳市科学技术协会"},
      {"批复标题", "批复"},            {"批复文号", "岳科协〔2021〕8号"},
      {"批复日期", "2021-03-22"},      {"工作条件证明", "a.pdf"},
      {"经费保障证明", "b.pdf"},       {"管理制度证明", "c.pdf"},
      {"专业对口理由", "与园区产业对口"}, {"协议各方", "学会;科协"},
      {"协议起始日期", "2021-03-22"}};
  const absl::Time start = WallNow();
  int64_t early_kib = 0;
  for (int done = 0; done < rows;) {
    v1::ImportRowsRequest request;
    request.set_request_id(NewUuid());
    request.set_table(v1::TABLE_STATIONS);
    request.set_write(true);
    for (const auto& [column, cell] : cells) request.add_header(column);
    for (int i = 0; i < 500 && done < rows; ++i, ++done) {
      auto* row = request.add_rows();
      row->set_row(done + 2);
      // A hundred stations at each host unit.
      const std::string host = absl::StrCat("科协", done / 100, "（演示）");
      for (const auto& [column, cell] : cells) {
        row->add_cells(column == "学会服务站名称"                     ? absl::StrCat("服务站", done)
                       : column == "建站学会"                         ? absl::StrCat("学会", done)
                       : column == "建站单位" || column == "账户名称" ? host
                                                                      : cell);
      }
    }
    v1::ImportRowsResponse answer;
    const auto status = registry.Call(&Handlers::ImportRows, "ImportRows", request, &answer);
    ASSERT_TRUE(status.ok()) << status;
    for (const auto& result : answer.results())
      ASSERT_EQ(result.outcome(), v1::ROW_OUTCOME_PASSED) << result.ShortDebugString();
    if (done >= rows / 10 && early_kib == 0) early_kib = PeakKiB();
  }
  const absl::Duration took = WallNow() - start;
  std::cout << rows << " stations in " << absl::FormatDuration(took) << ", peak "
            << PeakKiB() / 1024 << " MiB, after a tenth of them " << early_kib / 1024 << " MiB\n";
  EXPECT_EQ(registry.Count("stations"), rows);
  EXPECT_LT(took, absl::Minutes(3));
  EXPECT_LT(PeakKiB() - early_kib, 32 * 1024);
}

// YUEZHAN_STATIONS stations (1,000,000): the first page of several lists against pages far behind.
TEST(Scale, AnyPageCostsWhatTheFirstDoes) {
  TestRegistry registry;
  const int stations = FromEnvironment("YUEZHAN_STATIONS", 1'000'000);
  const Store store(registry.host().vault());
  const v1::HostUnit host = registry.unit();
  const v1::FilingForm form = registry.FileRequest().form();
  for (int done = 0; done < stations;) {
    std::vector<Store::NewStation> batch;
    for (int i = 0; i < 1000 && done < stations; ++i, ++done) {
      Store::NewStation& each = batch.emplace_back();
      each.station.set_name(Name("stations", NewUuid()));
      v1::FilingForm& of = *each.station.mutable_form();
      of.set_display_name(absl::StrCat("服务站", (done * 7919) % stations));
      of.set_level(form.level());
      of.set_host_unit(form.host_unit());
      *of.mutable_established_on() = DayToProto(Day(2015, 1, 1) + done % 3000);
      of.add_industry_chains(form.industry_chains(0));
      of.mutable_society()->set_name(absl::StrCat("学会", done % 1000));
      each.station.set_state(v1::STATION_STATE_OPERATING);
      each.host = &host;
    }
    const auto status = db::Transact(registry.host().journal().pool(),
                                     WallNow() + absl::Minutes(1), [&](db::Session& sql) {
                                       store.InsertStations(sql, &batch);
                                       return absl::OkStatus();
                                     });
    ASSERT_TRUE(status.ok()) << status;
  }
  const struct {
    const char *filter, *order, *deep;
  } cases[] = {
      {"", "", "SELECT id, '' FROM stations ORDER BY id LIMIT 1 OFFSET "},
      {"state = OPERATING", "", "SELECT id, '' FROM stations ORDER BY id LIMIT 1 OFFSET "},
      {"", "established_on",
       "SELECT id, established FROM stations ORDER BY established, id LIMIT 1 OFFSET "},
      {"", "display_name", "SELECT id, name FROM stations ORDER BY name, id LIMIT 1 OFFSET "},
      {"industry_chain = \"petrochemical-new-materials\"", "",
       "SELECT id, '' FROM stations ORDER BY id LIMIT 1 OFFSET "},
  };
  for (const auto& c : cases) {
    v1::ListStationsRequest request;
    request.set_filter(c.filter);
    request.set_order_by(c.order);
    std::string key;
    ASSERT_TRUE(db::Read(registry.host().journal().pool(), WallNow() + absl::Minutes(5),
                         [&](db::Session& sql) {
                           const auto row =
                               sql.QueryText(absl::StrCat(c.deep, stations - 200)).at(0);
                           key = UuidFromBytes(row.Bytes(0)).value();
                           const bool number = std::string_view(c.order) == "established_on";
                           key += number ? absl::StrCat(row.Int(1)) : row.Text(1);
                           return absl::OkStatus();
                         })
                    .ok());
    const std::string token = rpc::MakePageToken(
        "yuezhan.registry.v1.RegistryService/ListStations", request, key);
    // Turn about, so that whatever else the machine does meets both.
    std::vector<double> first, deep;
    for (int i = 0; i < 201; ++i) {
      for (auto* times : {&first, &deep}) {
        request.set_page_token(times == &first ? "" : token);
        v1::ListStationsResponse answer;
        const absl::Time start = WallNow();
        ASSERT_TRUE(registry.Call(&Handlers::ListStations, "ListStations", request, &answer).ok());
        times->push_back(absl::ToDoubleMicroseconds(WallNow() - start));
        ASSERT_EQ(answer.stations_size(), 50);
      }
    }
    const auto median = [](std::vector<double>& times) {
      std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
      return times[times.size() / 2];
    };
    const double a = median(first), b = median(deep);
    std::cout << "\"" << c.filter << "\" by \"" << c.order << "\": first " << a << " us, deep " << b
              << " us, " << b / a << "\n";
    EXPECT_LT(b / a, 1.2) << c.filter << " by " << c.order;
  }
}

}  // namespace
}  // namespace yuezhan::registry
