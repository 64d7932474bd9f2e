// The fund is opened and stations are filed: articles 1 to 4.
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "services/yz/demo/stage.h"

namespace yuezhan::yz {
namespace {

registry::v1::AcceptFilingRequest Acceptance(const Stage& stage, const DemoStation& station) {
  registry::v1::AcceptFilingRequest request;
  request.set_name(stage.names.at(station.key).station);
  request.mutable_demand_fit()->set_confirmed(true);
  request.mutable_demand_fit()->set_reason("服务方向与当地产业需求一致，经实地了解确认。");
  if (station.form.level() == common::v1::STATION_LEVEL_NATIONAL) {
    request.mutable_industry_tie()->set_confirmed(true);
    request.mutable_industry_tie()->set_reason("建站单位所在地为该产业集聚区。");
  }
  return request;
}

// Hands the form in; `round` tells a second form from the first.
absl::StatusOr<std::string> File(Stage& stage, const DemoStation& station,
                                 const std::string& round) {
  registry::v1::FileStationRequest request;
  *request.mutable_form() = station.form;
  request.mutable_form()->set_host_unit(stage.names[station.key].host);
  YZ_ASSIGN_OR_RETURN(const auto filed, stage.Call<registry::v1::Station>(
                                            stage.Host(station.key), "registry", "FileStation",
                                            request, station.key + round));
  stage.names[station.key].station = filed.name();
  return std::string("已提交，待受理");
}

absl::StatusOr<std::string> AcceptAll(Stage& stage) {
  registry::v1::BatchAcceptFilingsRequest batch;
  std::vector<std::string> keys;
  for (const DemoStation& station : stage.scenario.stations) {
    *batch.add_requests() = Acceptance(stage, station);
    keys.push_back(station.key);
  }
  YZ_ASSIGN_OR_RETURN(
      const auto accepted,
      stage.CallBatch<registry::v1::BatchAcceptFilingsResponse>(
          stage.Person("filing"), "registry", "BatchAcceptFilings", "AcceptFiling", batch, keys));
  std::string result = "准予备案，备案号";
  for (const registry::v1::Station& station : accepted.stations()) {
    absl::StrAppend(&result, &station == &accepted.stations(0) ? "" : "、",
                    station.filing_number());
  }
  return result;
}

// The host's kind does not fit the level: refused, handed in anew, accepted under an exception.
void AddException(Stage& stage, const DemoStation& station, std::vector<DemoStep>* steps) {
  const std::string& name = station.form.display_name();
  steps->push_back({"AcceptFiling-refused-" + station.key, "2", stage.Person("filing").name,
                    absl::StrCat("受理备案 ", name), [&stage, &station] {
                      return Stage::Refusal(stage
                                                .Call<registry::v1::Station>(
                                                    stage.Person("filing"), "registry",
                                                    "AcceptFiling", Acceptance(stage, station),
                                                    station.key + "-first")
                                                .status());
                    }});
  steps->push_back(
      {"RefuseFiling-" + station.key, "2", stage.Person("filing").name,
       absl::StrCat("不予备案 ", name), [&stage, &station]() -> absl::StatusOr<std::string> {
         registry::v1::RefuseFilingRequest request;
         request.set_name(stage.names[station.key].station);
         request.set_reason("建站单位类型与级别不符，未申请例外。");
         YZ_RETURN_IF_ERROR(stage
                                .Call<registry::v1::Station>(stage.Person("filing"), "registry",
                                                             "RefuseFiling", request, station.key)
                                .status());
         return std::string("不予备案；可重新提交并申请例外");
       }});
  steps->push_back({"FileStation-again-" + station.key, "2", station.host.display_name(),
                    absl::StrCat("重新提交备案登记表 ", name),
                    [&stage, &station] { return File(stage, station, "-again"); }});
  steps->push_back({"GrantException-" + station.key, "2", stage.Person("filing-head").name,
                    absl::StrCat("批准例外（原则上） ", name),
                    [&stage, &station]() -> absl::StatusOr<std::string> {
                      registry::v1::GrantExceptionRequest request;
                      request.set_name(stage.names[station.key].station);
                      request.set_rule_id("filing.host-kind");
                      request.set_reason("园区是该产业唯一集聚区，设在园区科协更便于服务企业。");
                      YZ_RETURN_IF_ERROR(
                          stage
                              .Call<registry::v1::Station>(stage.Person("filing-head"), "registry",
                                                           "GrantException", request, station.key)
                              .status());
                      return absl::StrCat("例外入册，理由：", request.reason());
                    }});
}

void AddStation(Stage& stage, const DemoStation& station, std::vector<DemoStep>* steps) {
  const std::string& name = station.form.display_name();
  const std::string& host = station.host.display_name();
  steps->push_back(
      {"CreateHostUnit-" + station.key, "2", stage.Person("filing").name,
       absl::StrCat("登记建站单位 ", host), [&stage, &station]() -> absl::StatusOr<std::string> {
         registry::v1::CreateHostUnitRequest request;
         *request.mutable_host_unit() = station.host;
         YZ_ASSIGN_OR_RETURN(const auto unit, stage.Call<registry::v1::HostUnit>(
                                                  stage.Person("filing"), "registry",
                                                  "CreateHostUnit", request, station.key));
         stage.names[station.key].host = unit.name();
         return std::string("已登记");
       }});
  steps->push_back({"FileStation-" + station.key, "1-3", host,
                    absl::StrCat("提交备案登记表 ", name),
                    [&stage, &station] { return File(stage, station, ""); }});
  if (station.story == Story::kException) AddException(stage, station, steps);
}

void AddActivities(Stage& stage, const DemoStation& station, std::vector<DemoStep>* steps) {
  if (station.activities.empty()) return;
  const std::string& name = station.form.display_name();
  const std::string& host = station.host.display_name();
  steps->push_back({"RecordActivity-" + station.key, "4", host, absl::StrCat("记录服务活动 ", name),
                    [&stage, &station]() -> absl::StatusOr<std::string> {
                      for (size_t i = 0; i < station.activities.size(); ++i) {
                        registry::v1::RecordActivityRequest request;
                        request.set_parent(stage.names[station.key].station);
                        *request.mutable_activity() = station.activities[i];
                        YZ_RETURN_IF_ERROR(
                            stage
                                .Call<registry::v1::Activity>(stage.Host(station.key), "registry",
                                                              "RecordActivity", request,
                                                              absl::StrCat(station.key, i))
                                .status());
                      }
                      return absl::StrCat("共", station.activities.size(), "项");
                    }});
}

}  // namespace

void AddFunding(Stage& stage, std::vector<DemoStep>* steps) {
  steps->push_back(
      {"CreateFund", "5.4", stage.Person("bookkeeper").name, "设立专项资金并下达预算",
       [&stage]() -> absl::StatusOr<std::string> {
         payment::v1::CreateFundRequest create;
         *create.mutable_fund() = stage.scenario.fund;
         YZ_ASSIGN_OR_RETURN(const auto fund,
                             stage.Call<payment::v1::Fund>(stage.Person("bookkeeper"), "payment",
                                                           "CreateFund", create));
         stage.fund = fund.name();
         payment::v1::AllocateFundRequest allocate;
         allocate.set_name(fund.name());
         *allocate.mutable_amount() = stage.scenario.fund_amount;
         allocate.set_reason(stage.scenario.fund_reason);
         YZ_ASSIGN_OR_RETURN(const auto allocated,
                             stage.Call<payment::v1::Fund>(stage.Person("bookkeeper"), "payment",
                                                           "AllocateFund", allocate));
         return absl::StrCat(fund.source(), " ", Yuan(allocated.allocated()));
       }});
}

void AddFiling(Stage& stage, std::vector<DemoStep>* steps) {
  for (const DemoStation& station : stage.scenario.stations) AddStation(stage, station, steps);
  steps->push_back({"AcceptFiling", "1-3", stage.Person("filing").name, "受理备案",
                    [&stage] { return AcceptAll(stage); }});
  for (const DemoStation& station : stage.scenario.stations) AddActivities(stage, station, steps);
}

}  // namespace yuezhan::yz
