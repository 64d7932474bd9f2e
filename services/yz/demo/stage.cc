#include "services/yz/demo/stage.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/dates.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "google/rpc/error_details.pb.h"

namespace yuezhan::yz {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

// "registry", "FileStation" → "yuezhan.registry.v1.RegistryService/FileStation".
std::string FullMethod(std::string_view service, std::string_view method) {
  std::string name(service);
  name[0] = absl::ascii_toupper(static_cast<unsigned char>(name[0]));
  return absl::StrCat("yuezhan.", Abs(service), ".v1.", name, "Service/", Abs(method));
}

}  // namespace

Stage::Stage(Client& client, Scenario input, std::shared_ptr<SimulatedClock> clock)
    : scenario(std::move(input)), client_(client), clock_(std::move(clock)) {}

Caller Stage::Host(const std::string& key) const {
  Caller host;
  host.subject = absl::StrCat("host-", key);
  host.name = absl::StrCat(scenario.Station(key).host.display_name(), "联系人乙");
  host.roles = {Role::kHostUnit};
  host.host_unit = names.at(key).host;
  return host;
}

std::string Stage::RequestId(std::string_view method, std::string_view discriminator) const {
  return absl::StrCat("demo-", scenario.series, Abs(method), "-", Abs(discriminator));
}

absl::Status Stage::CallMethod(const Caller& caller, std::string_view service,
                               std::string_view method, std::string_view discriminator,
                               google::protobuf::Message* request,
                               google::protobuf::Message* answer) {
  if (const auto* field = request->GetDescriptor()->FindFieldByName("request_id")) {
    request->GetReflection()->SetString(request, field, RequestId(method, discriminator));
  }
  return client_.Call(caller, FullMethod(service, method), *request, answer);
}

absl::Status Stage::AwaitMethod(const Caller& caller, std::string_view service,
                                std::string_view method, const google::protobuf::Message& request,
                                google::protobuf::Message* answer,
                                const std::function<bool()>& enough) {
  // The first look does not wait: in a second run the thing is past the state already.
  const std::unique_ptr<google::protobuf::Message> look(request.New());
  look->CopyFrom(request);
  if (const auto* field = look->GetDescriptor()->FindFieldByName("wait_ms")) {
    look->GetReflection()->ClearField(look.get(), field);
  }
  absl::Status status;
  for (const absl::Time end = absl::Now() + kPatience; absl::Now() < end;
       absl::SleepFor(absl::Milliseconds(10))) {
    status = client_.Call(caller, FullMethod(service, method), *look, answer);
    if (status.ok() && enough()) return status;
    // What another service follows may not be there yet.
    if (!status.ok() && status.code() != absl::StatusCode::kNotFound) return status;
    look->CopyFrom(request);
  }
  if (!status.ok()) return status;
  return absl::DeadlineExceededError(
      absl::StrCat(FullMethod(service, method), " still answers ", answer->ShortDebugString()));
}

absl::StatusOr<std::string> Stage::Refusal(const absl::Status& status) {
  if (status.ok()) return absl::InternalError("this should have been refused");
  const std::string reason = errors::Reason(status);
  if (reason == "STATE_FORBIDS") return std::string("此前已办理");
  if (reason != "REFUSED") return status;
  std::string sentences;
  const google::rpc::Status details = errors::Details(status);
  for (const auto& detail : details.details()) {
    google::rpc::PreconditionFailure failure;
    if (!detail.UnpackTo(&failure)) continue;
    for (const auto& violation : failure.violations()) sentences += violation.description();
  }
  return absl::StrCat("不予办理：", sentences.empty() ? errors::MessageZh(status) : sentences);
}

void AddAttending(Stage& stage, review::v1::CloseMeetingRequest* request) {
  for (const char* person : {"secretary", "review-head"})
    request->add_attending(stage.Person(person).subject);
}

std::string Yuan(const google::type::Money& money) {
  return absl::StrCat(FormatYuan(FenOf(money).value_or(0)), "元");
}

std::vector<const DemoStation*> Awarded(const Stage& stage) {
  std::vector<const DemoStation*> stations;
  for (const DemoStation& station : stage.scenario.stations) {
    if (station.Awarded()) stations.push_back(&station);
  }
  return stations;
}

std::vector<const DemoStation*> Paid(const Stage& stage) {
  std::vector<const DemoStation*> stations;
  for (const DemoStation& station : stage.scenario.stations) {
    if (station.Paid()) stations.push_back(&station);
  }
  return stations;
}

std::vector<std::string> KeysOf(const std::vector<const DemoStation*>& stations) {
  std::vector<std::string> keys;
  for (const DemoStation* station : stations) keys.push_back(station->key);
  return keys;
}

void AddDay(Stage& stage, const std::string& day, const std::string& why,
            std::vector<DemoStep>* steps) {
  steps->push_back({absl::StrCat("Clock-", day), "", "业务时钟", why,
                    [&stage, day]() -> absl::StatusOr<std::string> {
                      stage.today = stage.Day(day);
                      if (stage.clock().Now() < stage.today) {
                        YZ_RETURN_IF_ERROR(stage.clock().SetTo(stage.today));
                      }
                      return FormatDayZh(BeijingDay(stage.today));
                    }});
}

}  // namespace yuezhan::yz
