// Master keys of the vaults change while the services serve: no call fails, every row is wrapped
// anew, and the chains verify.
#include <atomic>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/db/session.h"
#include "common/journal/rotate.h"
#include "gtest/gtest.h"
#include "services/yz/demo/demo.h"
#include "services/yz/files.h"
#include "services/yz/journal_check.h"
#include "tests/test_stack.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::tests {
namespace {

TEST(Rotation, MasterKeysChangeWhileServicesServe) {
  TestStack stack({});
  ASSERT_TRUE(stack.stack().Start("registry-2").ok());
  std::ostringstream told;
  auto demo = yz::Demo::Create(stack.client(), told).value();
  for (const auto& step : demo->steps()) {
    const absl::Status status = demo->Run(step);
    ASSERT_TRUE(status.ok()) << status << told.str();
  }

  // Writers and readers of sealed rows, at two replicas of registry.
  const yz::Scenario scenario = yz::BuiltInScenario().value();
  const Caller officer{"officer", "备案员", {Role::kFilingOfficer}, ""};
  std::atomic<bool> end = false;
  std::atomic<int> calls = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&, i] {
      for (int n = 0; !end; ++n) {
        registry::v1::CreateHostUnitRequest create;
        *create.mutable_host_unit() = scenario.stations[0].host;
        auto* unit = create.mutable_host_unit();
        unit->set_display_name(absl::StrCat("换钥单位", i, "第", n, "号"));
        unit->mutable_account()->set_holder(unit->display_name());
        create.set_request_id(NewUuid());
        registry::v1::HostUnit made;
        const absl::Status created = stack.client().CallAt(
            i == 0 ? "registry" : "registry-2", officer,
            "yuezhan.registry.v1.RegistryService/CreateHostUnit", create, &made);
        EXPECT_TRUE(created.ok()) << created;
        if (!created.ok()) return;
        registry::v1::GetHostUnitRequest get;
        get.set_name(made.name());
        const absl::Status read = stack.client().CallAt(
            i == 0 ? "registry-2" : "registry", officer,
            "yuezhan.registry.v1.RegistryService/GetHostUnit", get, &made);
        EXPECT_TRUE(read.ok()) << read;
        EXPECT_EQ(made.account().number(), scenario.stations[0].host.account().number());
        ++calls;
      }
    });
  }
  const auto more = [&](int count) {
    const int so_far = calls;
    const absl::Time limit = absl::Now() + absl::Seconds(30);
    while (calls < so_far + count && absl::Now() < limit) std::this_thread::yield();
  };
  more(5);
  for (std::string_view each : yz::kServices) {
    const std::string service(each), base = stack.KeyFile(service);
    const std::string keys =
        journal::Vault::NewKeyLine("second") + yz::ReadFile(base + ".vault").value();
    ASSERT_TRUE(yz::WriteFile(base + ".vault", keys).ok());
    if (service == "registry") more(5);
    const db::Options migrate =
        db::ParseUrl(yz::ReadFile(base + ".migrate.url").value()).value();
    // Until the services' own look: what they seal before is sealed by the old key.
    const absl::Time limit = absl::Now() + absl::Seconds(40);
    const std::string old = "wrapped_key LIKE 'first:%'";
    do {
      const auto count = journal::RewrapSchema(migrate, journal::Vault::Parse(keys).value());
      ASSERT_TRUE(count.ok()) << count.status();
    } while (service == "registry" && stack.Count(service, "host_units", old) > 0 &&
             absl::Now() < limit);
  }
  more(5);
  end = true;
  for (auto& caller : callers) caller.join();
  for (std::string_view each : yz::kServices) {
    const std::string service(each);
    const auto keys = yz::ReadFile(stack.KeyFile(service) + ".vault").value();
    const db::Options migrate =
        db::ParseUrl(yz::ReadFile(stack.KeyFile(service) + ".migrate.url").value()).value();
    ASSERT_TRUE(journal::RewrapSchema(migrate, journal::Vault::Parse(keys).value()).ok());
    EXPECT_EQ(stack.Count(service, "journal", "wrapped_key NOT LIKE 'second:%'"), 0) << service;
    // The old key goes; everything still opens, and the chain is as it was.
    ASSERT_TRUE(yz::WriteFile(stack.KeyFile(service) + ".vault", keys.substr(0, keys.find('\n') + 1))
                    .ok());
    const auto verified = yz::VerifyWhole(
        stack.client(), {"auditor", "审计", {Role::kAuditor}, ""}, service);
    ASSERT_TRUE(verified.ok()) << verified.status();
    EXPECT_EQ(verified->fault(), journal::v1::FAULT_UNSPECIFIED) << verified->explanation();
  }
  EXPECT_TRUE(demo->ReadBack()->complete);
  RecordProperty("calls", calls);
}

}  // namespace
}  // namespace yuezhan::tests
