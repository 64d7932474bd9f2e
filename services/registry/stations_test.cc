// Host units and stations on record: changes, accounts, lineage, past states, search.
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/registry/test_registry.h"

namespace yuezhan::registry {
namespace {

using testing::HasSubstr;

class Stations : public testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& society) {
    v1::FileStationRequest request = registry_.FileRequest();
    request.mutable_form()->set_display_name(name);
    request.mutable_form()->mutable_society()->set_name(society);
    return registry_.File(request).name();
  }
  std::string Accepted(const std::string& name, const std::string& society) {
    const std::string station = File(name, society);
    EXPECT_TRUE(registry_.Accept(station).ok());
    return station;
  }
  absl::Status Close(const std::string& name) {
    auto request = With<v1::CloseStationRequest>(name);
    *request.mutable_effective_on() = DayToProto(registry_.today());
    request.set_reason("合并");
    v1::Station ignored;
    return registry_.Call(&Handlers::CloseStation, "CloseStation", request, &ignored);
  }
  absl::StatusOr<v1::Station> Correct(const std::string& name,
                                      std::function<void(v1::FilingForm*)> edit) {
    auto request = With<v1::CorrectStationRequest>(name);
    const v1::Station station = registry_.Get(name);
    *request.mutable_form() = station.form();
    edit(request.mutable_form());
    request.set_etag(station.etag());
    request.set_reason("更名");
    v1::Station answer;
    const auto status =
        registry_.Call(&Handlers::CorrectStation, "CorrectStation", request, &answer);
    if (!status.ok()) return status;
    return answer;
  }
  v1::StationStateOn StateOn(const std::string& name, Day day) {
    auto request = v1::GetStationStateRequest();
    request.set_name(name);
    *request.mutable_date() = DayToProto(day);
    v1::StationStateOn answer;
    const auto status =
        registry_.Call(&Handlers::GetStationState, "GetStationState", request, &answer);
    EXPECT_TRUE(status.ok()) << status;
    return answer;
  }
  // Total and status of a list.
  absl::StatusOr<int64_t> Total(const std::string& filter, const std::string& order_by = "") {
    v1::ListStationsRequest request;
    request.set_filter(filter);
    request.set_order_by(order_by);
    request.set_include_total(true);
    request.set_page_size(2);
    int64_t rows = 0;
    v1::ListStationsResponse answer;
    do {
      const auto status =
          registry_.Call(&Handlers::ListStations, "ListStations", request, &answer);
      if (!status.ok()) return status;
      rows += answer.stations_size();
      request.set_page_token(answer.next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(rows, answer.total_size()) << filter;
    return rows;
  }

  TestRegistry registry_;
};

TEST_F(Stations, OnceSubsidizedTheLineageStaysSo) {
  const std::string first = Accepted("绿色化工服务站（演示）", "岳阳市化工学会");
  registry_.Apply(registry_.Settled(first));
  const auto subsidized = [&](const std::string& name) {
    return registry_.Get(name).subsidies_size() == 1;
  };
  EXPECT_TRUE(subsidized(first));
  // Another name; closed and filed again; full-width forms and blanks.
  EXPECT_TRUE(Correct(first, [](auto* form) { form->set_display_name("新名服务站"); }).ok());
  EXPECT_TRUE(subsidized(first));
  ASSERT_TRUE(Close(first).ok());
  EXPECT_TRUE(subsidized(File("另一服务站", "岳阳市化工学会")));
  EXPECT_TRUE(subsidized(File("又一服务站", "  岳阳市　化工\u00A0学会 ")));
  EXPECT_FALSE(subsidized(File("别的服务站", "岳阳市食品学会")));
  EXPECT_EQ(*Total("subsidized = true"), 3);
  EXPECT_EQ(*Total("society = \"岳阳市 化工学会\""), 3);
}

TEST_F(Stations, ASocietyThatIsRenamedKeepsItsLineage) {
  const std::string first = Accepted("甲站", "岳阳市化工学会");
  registry_.Apply(registry_.Settled(first));
  ASSERT_TRUE(
      Correct(first, [](auto* f) { f->mutable_society()->set_name("岳阳市绿色化工学会"); }).ok());
  EXPECT_EQ(registry_.Get(first).subsidies_size(), 1);
  ASSERT_TRUE(Close(first).ok());
  EXPECT_EQ(registry_.Get(File("乙站", "岳阳市绿色化工学会")).subsidies_size(), 1);
  EXPECT_EQ(registry_.Get(File("丙站", "岳阳市化工学会")).subsidies_size(), 1);
  // The name of a society that has stations of its own is not to be had.
  const std::string other = Accepted("丁站", "岳阳市食品学会");
  const auto taken =
      Correct(other, [](auto* f) { f->mutable_society()->set_name("岳阳市化工学会"); });
  EXPECT_THAT(std::string(taken.status().message()), HasSubstr("form.society.name"));
}

// Filing and payment at once: whoever comes second sees the other.
TEST_F(Stations, ConcurrentFilingsOfALineageAreAllSubsidized) {
  for (int round = 0; round < 10; ++round) {
    const std::string society = absl::StrCat("第", round, "学会");
    const std::string first = Accepted(absl::StrCat("站", round), society);
    std::vector<std::string> names(4);
    std::vector<std::thread> threads;
    for (auto& name : names)
      threads.emplace_back([&] { name = File(absl::StrCat("站", round, "乙"), society); });
    threads.emplace_back([&] { registry_.Apply(registry_.Settled(first)); });
    for (auto& thread : threads) thread.join();
    for (const auto& name : names) EXPECT_EQ(registry_.Get(name).subsidies_size(), 1);
    EXPECT_EQ(*Total("subsidized = true"), 5 * (round + 1));
  }
}

TEST_F(Stations, TheStateOfAPastDayIsKnown) {
  const std::string name = File("站", "学会");
  registry_.Advance(2);
  ASSERT_TRUE(registry_.Accept(name).ok());
  auto suspend = With<v1::SuspendStationRequest>(name);
  *suspend.mutable_effective_on() = DayToProto(Day(2025, 3, 1));
  suspend.set_reason("改造");
  v1::Station station;
  ASSERT_TRUE(registry_.Call(&Handlers::SuspendStation, "SuspendStation", suspend, &station).ok());
  auto resume = With<v1::ResumeStationRequest>(name);
  *resume.mutable_effective_on() = DayToProto(Day(2025, 4, 1));
  resume.set_reason("完工");
  ASSERT_TRUE(registry_.Call(&Handlers::ResumeStation, "ResumeStation", resume, &station).ok());
  registry_.Advance(3);
  ASSERT_TRUE(Close(name).ok());
  const struct {
    Day day;
    v1::StationState state, recorded;
  } cases[] = {
      {Day(2024, 3, 21), v1::STATION_STATE_UNSPECIFIED, v1::STATION_STATE_UNSPECIFIED},
      {Day(2024, 3, 22), v1::STATION_STATE_OPERATING, v1::STATION_STATE_UNSPECIFIED},
      {Day(2025, 3, 1), v1::STATION_STATE_SUSPENDED, v1::STATION_STATE_UNSPECIFIED},
      {Day(2025, 3, 31), v1::STATION_STATE_SUSPENDED, v1::STATION_STATE_UNSPECIFIED},
      {Day(2025, 4, 1), v1::STATION_STATE_OPERATING, v1::STATION_STATE_UNSPECIFIED},
      {Day(2026, 9, 15), v1::STATION_STATE_OPERATING, v1::STATION_STATE_FILED},
      {Day(2026, 9, 17), v1::STATION_STATE_OPERATING, v1::STATION_STATE_OPERATING},
      {Day(2026, 9, 20), v1::STATION_STATE_CLOSED, v1::STATION_STATE_CLOSED},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(StateOn(name, c.day).state(), c.state) << c.day;
    EXPECT_EQ(StateOn(name, c.day).recorded_state(), c.recorded) << c.day;
  }
  v1::ListStationChangesRequest request;
  request.set_parent(name);
  v1::ListStationChangesResponse changes;
  ASSERT_TRUE(
      registry_.Call(&Handlers::ListStationChanges, "ListStationChanges", request, &changes).ok());
  ASSERT_EQ(changes.changes_size(), 5);
  EXPECT_EQ(changes.changes(2).method(), "SuspendStation");
  EXPECT_EQ(changes.changes(2).reason(), "改造");
}

TEST_F(Stations, ReturnedWithTheFieldsAtFault) {
  const std::string name = File("站", "学会");
  auto request = With<v1::ReturnFilingRequest>(name);
  request.add_points("联系人手机有误");
  request.add_fields_at_fault("contact.mobil");
  v1::Station station;
  EXPECT_FALSE(registry_.Call(&Handlers::ReturnFiling, "ReturnFiling", request, &station).ok());
  request.set_fields_at_fault(0, "contact.mobile");
  ASSERT_TRUE(registry_.Call(&Handlers::ReturnFiling, "ReturnFiling", request, &station).ok());
  EXPECT_EQ(registry_.Get(name).fields_at_fault(0), "contact.mobile");
}

// The office's own promise: ten working days, and then it is shown as overdue.
TEST_F(Stations, AFilingThatWaitsTooLongIsShown) {
  const std::string name = File("站", "学会");  // Tuesday 2026-09-15
  const Day due = registry_.host()
                      .rulebook()
                      .At(registry_.host().clock().Now())
                      ->calendar->AddWorkingDays(registry_.today(), 10)
                      .day;
  EXPECT_EQ(DayFromProto(registry_.Get(name).due_on()), due);
  registry_.Advance(static_cast<int>(due - registry_.today()));
  EXPECT_FALSE(registry_.Get(name).overdue());
  registry_.Advance(1);
  EXPECT_TRUE(registry_.Get(name).overdue());
  v1::ListStationsRequest list;
  list.set_state(v1::STATION_STATE_FILED);
  v1::ListStationsResponse filed;
  ASSERT_TRUE(registry_.Call(&Handlers::ListStations, "ListStations", list, &filed).ok());
  ASSERT_EQ(filed.stations_size(), 1);
  EXPECT_TRUE(filed.stations(0).overdue());
  ASSERT_TRUE(registry_.Accept(name).ok());
  EXPECT_FALSE(registry_.Get(name).overdue());
  EXPECT_FALSE(registry_.Get(name).has_due_on());
}

TEST_F(Stations, SearchByDeclaredCombinations) {
  for (int i = 0; i < 5; ++i) {
    const std::string name = File(absl::StrCat(i % 2 ? "绿色" : "蓝色", i), "学会");
    if (i < 3) {
      ASSERT_TRUE(registry_.Accept(name).ok());
    }
  }
  const struct {
    const char *filter, *order;
    int64_t total;
  } cases[] = {
      {"", "", 5},
      {"state = OPERATING", "", 3},
      {"level = PROVINCIAL AND state = FILED", "", 2},
      {"county = 云溪区", "", 5},
      {"county = \"云溪区\" AND level = NATIONAL", "", 0},
      {"county = 云溪区 AND state = OPERATING", "", 3},
      {"industry_chain = \"petrochemical-new-materials\"", "", 5},
      {"industry_chain = \"petrochemical-new-materials\" AND level = PROVINCIAL", "", 5},
      {"host_kind = PARK_ASSOCIATION", "", 5},
      {"society = 学会", "", 5},
      {"subsidized = false", "", 5},
      {"subsidized = false AND level = PROVINCIAL", "", 5},
      {"established_on >= 2024-01-01 AND established_on < 2024-12-31", "", 5},
      {"level = PROVINCIAL AND established_on > 2024-03-22", "established_on desc", 0},
      {"state = FILED", "established_on", 2},
      {"display_name = \"绿色*\"", "", 2},
      {"display_name = \"绿 色1\"", "", 1},
      {"", "display_name desc", 5},
  };
  for (const auto& c : cases) {
    const auto total = Total(c.filter, c.order);
    ASSERT_TRUE(total.ok()) << c.filter << total.status();
    EXPECT_EQ(*total, c.total) << c.filter;
  }
  EXPECT_THAT(std::string(Total("colour = red").status().message()), HasSubstr("known: level"));
  EXPECT_THAT(std::string(Total("level != NATIONAL").status().message()), HasSubstr("known: ="));
}

TEST_F(Stations, AHostUnitChangesByMaskAndVersion) {
  File("站", "学会");
  auto update = With<v1::UpdateHostUnitRequest>(registry_.unit().name());
  update.mutable_details()->set_county("君山区");
  update.mutable_details()->set_display_name("不在掩码中");
  update.mutable_update_mask()->add_paths("county");
  update.set_etag("7");
  v1::HostUnit unit;
  EXPECT_EQ(errors::Reason(
                registry_.Call(&Handlers::UpdateHostUnit, "UpdateHostUnit", update, &unit)),
            "ETAG_MISMATCH");
  update.set_etag(registry_.unit().etag());
  ASSERT_TRUE(registry_.Call(&Handlers::UpdateHostUnit, "UpdateHostUnit", update, &unit).ok());
  EXPECT_EQ(unit.county(), "君山区");
  EXPECT_EQ(unit.display_name(), registry_.unit().display_name());
  EXPECT_EQ(*Total("county = 君山区"), 1);
  update.set_request_id(NewUuid());
  update.set_etag("");
  update.mutable_update_mask()->set_paths(0, "account");
  const auto status = registry_.Call(&Handlers::UpdateHostUnit, "UpdateHostUnit", update, &unit);
  EXPECT_THAT(std::string(status.message()), HasSubstr("must be one of display_name, kind"));
}

TEST_F(Stations, AChangeOfAccountIsADecisionOnRecord) {
  auto change = With<v1::ChangeAccountRequest>(registry_.unit().name());
  change.mutable_account()->set_holder("云溪区财政局");
  change.mutable_account()->set_bank("演示银行");
  change.mutable_account()->set_number("6222000000000002");
  change.set_reason("本单位无账户");
  v1::HostUnit unit;
  const auto refused = registry_.Call(&Handlers::ChangeAccount, "ChangeAccount", change, &unit);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("account.other_holder"));
  change.mutable_account()->mutable_other_holder()->set_confirmed(true);
  change.mutable_account()->mutable_other_holder()->set_reason("为其法人单位");
  change.mutable_account()->add_other_holder_evidence("证明.pdf");
  ASSERT_TRUE(registry_.Call(&Handlers::ChangeAccount, "ChangeAccount", change, &unit).ok());
  EXPECT_EQ(unit.account().other_holder().officer(), registry_.officer().caller.subject);
  v1::ListAccountChangesRequest request;
  request.set_parent(unit.name());
  v1::ListAccountChangesResponse changes;
  ASSERT_TRUE(
      registry_.Call(&Handlers::ListAccountChanges, "ListAccountChanges", request, &changes).ok());
  ASSERT_EQ(changes.changes_size(), 1);
  EXPECT_EQ(changes.changes(0).old_account().number(), "6222000000000001");
  EXPECT_EQ(changes.changes(0).new_account().number(), "6222000000000002");
  EXPECT_EQ(changes.changes(0).officer(), registry_.officer().caller.subject);
  EXPECT_EQ(changes.changes(0).reason(), "本单位无账户");
}

}  // namespace
}  // namespace yuezhan::registry
