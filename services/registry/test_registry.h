#ifndef YUEZHAN_SERVICES_REGISTRY_TEST_REGISTRY_H_
#define YUEZHAN_SERVICES_REGISTRY_TEST_REGISTRY_H_

#include <string>

#include "absl/strings/str_format.h"
#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/host/test_host.h"
#include "gtest/gtest.h"
#include "services/registry/handlers.h"
#include "services/registry/schema.h"
#include "yuezhan/payment/v1/events.pb.h"

namespace yuezhan::registry {

// A new request about the resource of that name.
template <typename Request>
Request With(const std::string& name) {
  Request request;
  request.set_request_id(NewUuid());
  request.set_name(name);
  return request;
}

// Registry's handlers over a database of their own, with one host unit, and forms that the rules
// accept.
class TestRegistry {
 public:
  TestRegistry()
      : host_("registry", Schema()), handlers_(host_.journal(), host_.vault(), host_.rulebook()) {
    v1::CreateHostUnitRequest request;
    request.set_request_id(NewUuid());
    v1::HostUnit& unit = *request.mutable_host_unit();
    unit.set_display_name("云溪区绿色化工园区科协（演示）");
    unit.set_kind(common::v1::HOST_UNIT_KIND_PARK_ASSOCIATION);
    unit.set_credit_code("51430600501234569L");
    unit.set_county("云溪区");
    unit.mutable_account()->set_holder(unit.display_name());
    unit.mutable_account()->set_bank("演示银行岳阳分行");
    unit.mutable_account()->set_number("6222000000000001");
    const absl::Status status = Call(&Handlers::CreateHostUnit, "CreateHostUnit", request, &unit_);
    EXPECT_TRUE(status.ok()) << status;
  }

  // Another replica of the service over the same database, through a proxy's port.
  class Replica {
   public:
    Replica(TestRegistry& registry, int port)
        : replica_(registry.host_.NewReplica(port)),
          handlers_(*replica_.journal, registry.host_.vault(), registry.host_.rulebook()) {}
    Handlers& handlers() { return handlers_; }

   private:
    TestHost::Replica replica_;
    Handlers handlers_;
  };

  Handlers& handlers() { return handlers_; }
  TestHost& host() { return host_; }
  db::TestDatabase& database() { return host_.database(); }
  const v1::HostUnit& unit() const { return unit_; }
  void Advance(int days) { EXPECT_TRUE(host_.clock().Advance(absl::Hours(24 * days)).ok()); }
  Context person(Role role, std::string_view subject) const { return host_.Person(role, subject); }
  Day today() const { return host_.today(); }
  int64_t Count(std::string_view table) { return host_.Count(table); }
  Context officer() const { return host_.Person(Role::kFilingOfficer, "filing-officer"); }
  Context host_unit(std::string_view name) const {
    return host_.Person(Role::kHostUnit, "host-clerk", name);
  }

  template <typename Request, typename Answer>
  absl::Status Call(Handlers& handlers,
                    absl::Status (Handlers::*method)(Context&, const Request&, Answer*),
                    std::string_view name, const Request& request, Answer* answer) {
    Context context = officer();
    context.method = Concat({"yuezhan.registry.v1.RegistryService/", name});
    return Sent((handlers.*method)(context, request, answer), answer);
  }
  template <typename Request, typename Answer>
  absl::Status Call(absl::Status (Handlers::*method)(const rpc::AskedList<Request, Answer>&),
                    std::string_view name, const Request& request, Answer* answer) {
    return CallAs(officer(), method, name, request, answer);
  }
  template <typename Request, typename Answer>
  absl::Status CallAs(Context context,
                      absl::Status (Handlers::*method)(const rpc::AskedList<Request, Answer>&),
                      std::string_view name, const Request& request, Answer* answer) {
    context.method = Concat({"yuezhan.registry.v1.RegistryService/", name});
    return Sent(rpc::AskOne(handlers_, method, context, request, answer), answer);
  }
  // As another person than officer().
  template <typename Request, typename Answer>
  absl::Status CallAs(Context context,
                      absl::Status (Handlers::*method)(Context&, const Request&, Answer*),
                      std::string_view name, const Request& request, Answer* answer) {
    context.method = Concat({"yuezhan.registry.v1.RegistryService/", name});
    return Sent((handlers_.*method)(context, request, answer), answer);
  }
  template <typename Request, typename Answer>
  absl::Status Call(absl::Status (Handlers::*method)(Context&, const Request&, Answer*),
                    std::string_view name, const Request& request, Answer* answer) {
    return Call(handlers_, method, name, request, answer);
  }

  v1::FileStationRequest FileRequest() const {
    v1::FileStationRequest request;
    request.set_request_id(NewUuid());
    v1::FilingForm& form = *request.mutable_form();
    form.set_display_name("绿色化工服务站（演示）");
    form.set_level(common::v1::STATION_LEVEL_PROVINCIAL);
    form.set_host_unit(unit_.name());
    for (auto* person : {form.mutable_principal(), form.mutable_contact()}) {
      person->set_name("负责人甲");
      person->set_position("秘书长");
      person->set_mobile("13800001234");
    }
    form.set_office_address("岳阳市云溪区演示路1号");
    form.set_postcode("414000");
    form.set_email("station@example.org");
    *form.mutable_established_on() = DayToProto(Day(2024, 3, 22));
    form.add_industry_chains("petrochemical-new-materials");
    form.mutable_society()->set_name("岳阳市化工学会");
    form.mutable_society()->set_rank(common::v1::SOCIETY_RANK_PROVINCIAL);
    form.mutable_society()->set_supervising_association("湖南省科学技术协会");
    form.set_purpose("服务园区产业");
    form.set_main_work("技术攻关与学术交流");
    form.set_contract_party(common::v1::CONTRACT_PARTY_HOST_UNIT);
    auto* reply = form.mutable_approval_reply();
    reply->set_issuer("岳阳市科学技术协会");
    reply->set_title("关于同意建立服务站的批复");
    reply->set_number("岳科协〔2024〕8号");
    *reply->mutable_date() = form.established_on();
    form.mutable_agreement()->add_parties("岳阳市化工学会");
    form.mutable_agreement()->add_parties(unit_.display_name());
    *form.mutable_agreement()->mutable_starts_on() = form.established_on();
    for (auto* declaration : {form.mutable_working_conditions(), form.mutable_funding_guarantee(),
                              form.mutable_management_rules()}) {
      declaration->set_declared(true);
      declaration->add_evidence("证明.pdf");
    }
    return request;
  }

  v1::Station File(const v1::FileStationRequest& request) {
    v1::Station station;
    const absl::Status status = Call(&Handlers::FileStation, "FileStation", request, &station);
    EXPECT_TRUE(status.ok()) << status;
    return station;
  }
  v1::Station File() { return File(FileRequest()); }

  v1::AcceptFilingRequest AcceptRequest(const std::string& name) const {
    v1::AcceptFilingRequest request;
    request.set_request_id(NewUuid());
    request.set_name(name);
    request.mutable_demand_fit()->set_confirmed(true);
    request.mutable_demand_fit()->set_reason("与园区产业对口");
    request.mutable_industry_tie()->set_confirmed(true);
    request.mutable_industry_tie()->set_reason("设在产业园区");
    return request;
  }
  absl::StatusOr<v1::Station> Accept(const std::string& name) {
    v1::Station station;
    const absl::Status status =
        Call(&Handlers::AcceptFiling, "AcceptFiling", AcceptRequest(name), &station);
    if (!status.ok()) return status;
    return station;
  }

  // As a client gets it: what the handler only hands on is there too.
  v1::Station Get(const std::string& name) {
    v1::GetStationRequest request;
    request.set_name(name);
    v1::Station station;
    const absl::Status status = Call(&Handlers::GetStation, "GetStation", request, &station);
    EXPECT_TRUE(status.ok()) << status;
    return station;
  }

  // A settled payment of 50,000 yuan for the station.
  payment::v1::PaymentAdvanced Settled(const std::string& station) const {
    payment::v1::PaymentAdvanced event;
    event.set_payment(Name("payments", NewUuid()));
    event.set_station(station);
    event.set_case_name(Name("cases", NewUuid()));
    event.set_level(common::v1::STATION_LEVEL_PROVINCIAL);
    event.set_amount_fen(5'000'000);
    event.set_state(payment::v1::PAYMENT_STATE_SETTLED);
    event.set_bank_reference("B1");
    *event.mutable_settled_on() = DayToProto(today());
    return event;
  }

  // Applies an event of payment as the follower does.
  template <typename Event>
  void Apply(const Event& event) {
    ApplyBatch(std::vector{event});
  }
  template <typename Event>
  void ApplyBatch(const std::vector<Event>& events) {
    const auto handlers = handlers_.OnPayment();
    const absl::Status status = host_.journal().WriteInternal(
        "test/follow", NewUuid(), WallNow() + absl::Seconds(10),
        [&](journal::Unit& unit) { return handlers.ApplyBatch(events, unit); });
    EXPECT_TRUE(status.ok()) << status;
  }

 private:
  // The answer as its caller gets it: with what the handler only handed on.
  static absl::Status Sent(absl::Status status, google::protobuf::Message* answer) {
    EXPECT_TRUE(answer->ParseFromString(answer->SerializeAsString()));
    return status;
  }

  TestHost host_;
  Handlers handlers_;
  v1::HostUnit unit_;
};

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_TEST_REGISTRY_H_
