#include "tests/callers.h"

#include <gtest/gtest.h>

#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/ids.h"
#include "services/yz/demo/demo.h"
#include "services/yz/files.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::tests {
namespace {

void CountOk(const absl::Status& status, std::atomic<int>* counter) {
  EXPECT_TRUE(status.ok()) << status;
  if (status.ok()) ++*counter;
}

}  // namespace

Caller Auditor() { return {"auditor", "审计", {Role::kAuditor}, ""}; }
Caller Payer() { return {"payer", "经办", {Role::kPaymentOfficer}, ""}; }

bool Await(const std::function<bool()>& what) {
  for (const absl::Time end = absl::Now() + kPatience; absl::Now() < end;
       absl::SleepFor(absl::Milliseconds(20))) {
    if (what()) return true;
  }
  return false;
}

std::string Content(const std::string& file) { return yz::ReadFile(file).value_or(""); }

absl::Status ListStations(yz::Client& client) {
  registry::v1::ListStationsRequest request;
  registry::v1::ListStationsResponse answer;
  return client.Call(Auditor(), "yuezhan.registry.v1.RegistryService/ListStations", request,
                     &answer);
}

payment::v1::CreateFundRequest FundRequest(int number) {
  payment::v1::CreateFundRequest request;
  request.set_request_id(NewUuid());
  request.mutable_fund()->set_year(2030);
  request.mutable_fund()->set_source(absl::StrCat("专项资金", number));
  return request;
}

absl::Status CreateFund(yz::Client& client, int number) {
  payment::v1::Fund fund;
  return client.Call(Payer(), kCreateFund, FundRequest(number), &fund);
}

absl::Status RunDemo(TestStack& stack, const std::function<bool(const std::string&)>& until) {
  std::ostringstream told;
  auto demo = yz::Demo::Create(stack.client(), told);
  if (!demo.ok()) return demo.status();
  for (const auto& step : (*demo)->steps()) {
    if (until(step.name)) return absl::OkStatus();
    if (const absl::Status status = (*demo)->Run(step); !status.ok()) return status;
  }
  return absl::OkStatus();
}

Load::Load(yz::Client& client) {
  for (int caller = 0; caller < 4; ++caller) {
    threads_.emplace_back([this, &client, caller] {
      for (int i = 0; !stop_; ++i) {
        CountOk(CreateFund(client, caller * 1'000'000 + i), &written_);
        CountOk(ListStations(client), &read_);
      }
    });
  }
}

void Load::Stop() {
  stop_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace yuezhan::tests
