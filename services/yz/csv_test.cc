#include "services/yz/csv.h"

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "yuezhan/application/v1/application.pb.h"

namespace yuezhan::yz {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Csv, ValuesAreAsAPersonReadsThem) {
  application::v1::Application application;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(name: "applications/1" state: APPLICATION_STATE_DRAFT withdrawal_requested: true
         form { subsidy_year: 2026 requested_amount { currency_code: "CNY" units: 50000 nanos: 10000000 } }
         state_time { seconds: 1616342400 } next_step_due { year: 2026 month: 5 day: 6 })",
      &application));
  const auto columns = CsvColumns(
      application.GetDescriptor(),
      {"name", "state", "withdrawal_requested", "form.subsidy_year", "form.requested_amount",
       "state_time", "next_step_due", "submit_time", "account.holder", "form.category"});
  ASSERT_TRUE(columns.ok()) << columns.status();
  std::vector<std::string> cells;
  for (const CsvColumn& column : *columns) cells.push_back(CsvValue(application, column));
  EXPECT_THAT(cells, ElementsAre("applications/1", "APPLICATION_STATE_DRAFT", "true", "2026",
                                 "50000.01", "2021-03-22 00:00:00", "2026-05-06", "", "", ""));
  const auto unknown = CsvColumns(application.GetDescriptor(), {"colour"});
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("form.requested_amount"));
}

}  // namespace
}  // namespace yuezhan::yz
