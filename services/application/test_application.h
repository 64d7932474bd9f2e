#ifndef YUEZHAN_SERVICES_APPLICATION_TEST_APPLICATION_H_
#define YUEZHAN_SERVICES_APPLICATION_TEST_APPLICATION_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/money.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "common/host/test_host.h"
#include "common/rpc/client.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "services/application/handlers.h"
#include "services/application/schema.h"
#include "yuezhan/application/v1/events.pb.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::application {

// An error's details as text, to look for words in them.
inline std::string Details(const absl::Status& status) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetExpandAny(true);
  std::string text;
  printer.PrintToString(errors::Details(status), &text);
  return text;
}

// Registry as far as application asks it.
class FakeRegistry : public rpc::Channel {
 public:
  absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* answer, const rpc::CallOptions&) override {
    if (!status.ok()) return status;
    if (method == "yuezhan.registry.v1.RegistryService/PrintDocument") {
      answer->CopyFrom(filing_form);
      return absl::OkStatus();
    }
    if (method == "yuezhan.registry.v1.RegistryService/BatchGetStandings") {
      auto* standings = static_cast<registry::v1::BatchGetStandingsResponse*>(answer);
      for (const std::string& station :
           static_cast<const registry::v1::BatchGetStandingsRequest&>(request).stations()) {
        YZ_RETURN_IF_ERROR(Standing(station, standings->add_standings()));
      }
      return absl::OkStatus();
    }
    EXPECT_EQ(method, "yuezhan.registry.v1.RegistryService/GetStanding");
    return Standing(static_cast<const registry::v1::GetStandingRequest&>(request).station(),
                    answer);
  }
  absl::Status Standing(const std::string& station, google::protobuf::Message* answer) const {
    const auto found = stations.find(station);
    if (found == stations.end()) return errors::NotFound(station);
    answer->CopyFrom(found->second);
    return absl::OkStatus();
  }

  std::map<std::string, rules::v1::StandingFacts> stations;
  common::v1::PrintedDocument filing_form;
  absl::Status status;  // what every call is answered, unless OK
};

// Review, likewise: one case, one meeting, one notice.
class FakeReview : public rpc::Channel {
 public:
  absl::Status Call(std::string_view method, const google::protobuf::Message&,
                    google::protobuf::Message* answer, const rpc::CallOptions&) override {
    if (!status.ok()) return status;
    if (method == "yuezhan.review.v1.ReviewService/GetCase") {
      answer->CopyFrom(of_case);
    } else if (method == "yuezhan.review.v1.ReviewService/GetMeeting") {
      answer->CopyFrom(meeting);
    } else {
      EXPECT_EQ(method, "yuezhan.review.v1.ReviewService/GetNotice");
      answer->CopyFrom(notice);
    }
    return absl::OkStatus();
  }

  review::v1::Case of_case;
  review::v1::Meeting meeting;
  review::v1::Notice notice;
  absl::Status status;  // what every call is answered, unless OK
};

// Application's handlers over a database of their own, with one host unit, a provincial station
// that the rules accept, and a second filing of the same lineage.
class TestApplication {
 public:
  explicit TestApplication(const files::Scanner* scanner = nullptr,
                           policy::Policies policies = policy::Policies::Builtin())
      : host_("application", Schema(), BeijingMidnight(Day(2026, 9, 15)) + absl::Hours(9),
              std::move(policies)),
        handlers_(host_.journal(), host_.vault(), host_.rulebook(), registry_, review_, scanner) {
    station_ = AddStation("绿色化工服务站（演示）");
    second_filing_ = AddStation("绿色化工服务站（演示二）");
  }

  // Another replica of the service over the same database, through a proxy's port.
  class Replica {
   public:
    Replica(TestApplication& application, int port)
        : replica_(application.host_.NewReplica(port)),
          handlers_(*replica_.journal, application.host_.vault(), application.host_.rulebook(),
                    application.registry_, application.review_) {}
    Handlers& handlers() { return handlers_; }

   private:
    TestHost::Replica replica_;
    Handlers handlers_;
  };

  Handlers& handlers() { return handlers_; }
  FakeRegistry& registry() { return registry_; }
  FakeReview& review() { return review_; }
  TestHost& host() { return host_; }
  const std::string& station() const { return station_; }
  const std::string& second_filing() const { return second_filing_; }
  const std::string& host_unit() const { return host_unit_; }
  int64_t Count(std::string_view table) { return host_.Count(table); }

  std::string AddStation(const std::string& name,
                         const std::string& society = "湖南省化学化工学会") {
    const std::string station = Name("stations", NewUuid());
    rules::v1::StandingFacts& facts = registry_.stations[station];
    facts.mutable_station()->set_station(station);
    facts.mutable_station()->set_display_name(name);
    facts.mutable_station()->set_level(common::v1::STATION_LEVEL_PROVINCIAL);
    facts.mutable_station()->set_filed(true);
    facts.mutable_station()->set_host_unit(host_unit_);
    facts.mutable_station()->set_society_name(society);
    facts.mutable_station()->set_lineage(ToHex(Digest({society, host_unit_})));
    facts.mutable_station()->set_registry_sequence(7);
    *facts.mutable_station()->mutable_established_on() = DayToProto(Day(2024, 3, 22));
    auto* reply = facts.mutable_station()->mutable_approval_reply();
    reply->set_issuer("岳阳市科学技术协会");
    reply->set_title("关于同意建立服务站的批复");
    reply->set_number("岳科协〔2024〕8号");
    *reply->mutable_date() = DayToProto(Day(2024, 3, 22));
    facts.mutable_host()->set_host_unit(host_unit_);
    facts.mutable_host()->set_display_name("云溪区绿色化工园区科协（演示）");
    facts.mutable_host()->set_kind(common::v1::HOST_UNIT_KIND_PARK_ASSOCIATION);
    facts.mutable_host()->set_credit_code("51430600501234569L");
    facts.mutable_host()->mutable_account()->set_holder(facts.host().display_name());
    facts.mutable_host()->mutable_account()->set_bank("演示银行岳阳分行");
    facts.mutable_host()->mutable_account()->set_number("6222000000000001");
    return station;
  }

  Context applicant() const { return host_.Person(Role::kHostUnit, "host-clerk", host_unit_); }
  Context other_applicant() const {
    return host_.Person(Role::kHostUnit, "other-clerk", Name("hostUnits", NewUuid()));
  }
  Context officer() const { return host_.Person(Role::kReviewer, "reviewer"); }

  template <typename Request, typename Answer>
  absl::Status Call(Handlers& handlers, Context context,
                    absl::Status (Handlers::*method)(Context&, const Request&, Answer*),
                    const Request& request, Answer* answer) {
    // "CreateApplication" of "CreateApplicationRequest".
    const std::string_view type = Request::descriptor()->name();
    context.method = Concat({"yuezhan.application.v1.ApplicationService/",
                             type.substr(0, type.size() - std::string_view("Request").size())});
    return (handlers.*method)(context, request, answer);
  }
  template <typename Request, typename Answer>
  absl::Status Call(Handlers& handlers, Context context,
                    absl::Status (Handlers::*method)(const rpc::AskedList<Request, Answer>&),
                    const Request& request, Answer* answer) {
    return rpc::AskOne(handlers, method, context, request, answer);
  }
  template <typename Request, typename Answer>
  absl::StatusOr<Answer> Try(absl::Status (Handlers::*method)(Context&, const Request&, Answer*),
                             const Request& request) {
    return TryAs(applicant(), method, request);
  }
  template <typename Request, typename Answer>
  absl::StatusOr<Answer> Try(
      absl::Status (Handlers::*method)(const rpc::AskedList<Request, Answer>&),
      const Request& request) {
    return TryAs(applicant(), method, request);
  }
  template <typename Request, typename Answer>
  absl::StatusOr<Answer> TryAs(Context context,
                               absl::Status (Handlers::*method)(Context&, const Request&, Answer*),
                               const Request& request) {
    Answer answer;
    const absl::Status status = Call(handlers_, std::move(context), method, request, &answer);
    if (!status.ok()) return status;
    return answer;
  }
  template <typename Request, typename Answer>
  absl::StatusOr<Answer> TryAs(
      Context context, absl::Status (Handlers::*method)(const rpc::AskedList<Request, Answer>&),
      const Request& request) {
    Answer answer;
    const absl::Status status = Call(handlers_, std::move(context), method, request, &answer);
    if (!status.ok()) return status;
    return answer;
  }

  v1::CreateApplicationRequest CreateRequest(const std::string& station) const {
    v1::CreateApplicationRequest request;
    request.set_request_id(NewUuid());
    v1::ApplicationForm& form = *request.mutable_form();
    form.set_station(station);
    form.set_category(common::v1::STATION_LEVEL_PROVINCIAL);
    form.set_subsidy_year(2026);
    *form.mutable_requested_amount() = MoneyOf(5'000'000);
    form.set_requested_amount_words("伍万");
    form.set_main_content("开展技术攻关与学术交流");
    return request;
  }
  v1::Application Create(const std::string& station) {
    const auto draft = Try(&Handlers::CreateApplication, CreateRequest(station));
    EXPECT_TRUE(draft.ok()) << draft.status();
    return draft.value_or(v1::Application());
  }
  v1::Application Create() { return Create(station_); }

  static std::string Pdf(std::string_view content) { return Concat({"%PDF-1.7\n", content}); }

  absl::StatusOr<v1::Upload> Start(const std::string& name, const std::string& code, size_t size) {
    v1::StartUploadRequest request;
    request.set_request_id(NewUuid());
    request.set_parent(name);
    request.set_code(code);
    request.set_file_name(Concat({code, ".pdf"}));
    request.set_size_bytes(static_cast<int64_t>(size));
    return Try(&Handlers::StartUpload, request);
  }
  static v1::WriteChunkRequest ChunkRequest(const std::string& upload, int64_t offset,
                                            const std::string& data) {
    v1::WriteChunkRequest request;
    request.set_upload(upload);
    request.set_offset_bytes(offset);
    request.set_data(data);
    return request;
  }
  static v1::FinishUploadRequest FinishRequest(const std::string& upload,
                                               const std::string& bytes) {
    v1::FinishUploadRequest request;
    request.set_request_id(NewUuid());
    request.set_name(upload);
    request.set_sha256(ToHex(Sha256(bytes)));
    return request;
  }
  // Uploads a file in one chunk.
  v1::Material Put(const std::string& name, const std::string& code, const std::string& bytes) {
    const auto upload = Start(name, code, bytes.size());
    EXPECT_TRUE(upload.ok()) << upload.status();
    if (!upload.ok()) return {};
    EXPECT_TRUE(Try(&Handlers::WriteChunk, ChunkRequest(upload->name(), 0, bytes)).ok());
    const auto material = Try(&Handlers::FinishUpload, FinishRequest(upload->name(), bytes));
    EXPECT_TRUE(material.ok()) << material.status();
    return material.value_or(v1::Material());
  }
  // A draft with all that article 5.1 asks for.
  v1::Application Complete(const std::string& station) {
    const v1::Application draft = Create(station);
    for (const char* code : {"application-form", "filing-form", "approval-reply"})
      Put(draft.name(), code, Pdf(code));
    return draft;
  }
  v1::Application Complete() { return Complete(station_); }

  static v1::SubmitApplicationRequest SubmitRequest(const std::string& name) {
    v1::SubmitApplicationRequest request;
    request.set_request_id(NewUuid());
    request.set_name(name);
    return request;
  }
  absl::StatusOr<v1::Application> Submit(const std::string& name) {
    return Try(&Handlers::SubmitApplication, SubmitRequest(name));
  }
  v1::Application Submitted() {
    const auto submitted = Submit(Complete().name());
    EXPECT_TRUE(submitted.ok()) << submitted.status();
    return submitted.value_or(v1::Application());
  }
  absl::StatusOr<v1::Application> Withdraw(const std::string& name) {
    v1::WithdrawApplicationRequest request;
    request.set_request_id(NewUuid());
    request.set_name(name);
    request.set_reason("另行安排");
    return Try(&Handlers::WithdrawApplication, request);
  }
  v1::Application Get(const std::string& name) {
    v1::GetApplicationRequest request;
    request.set_name(name);
    const auto application = Try(&Handlers::GetApplication, request);
    EXPECT_TRUE(application.ok()) << application.status();
    return application.value_or(v1::Application());
  }
  std::vector<v1::Material> Materials(const std::string& name) {
    v1::ListMaterialsRequest request;
    request.set_parent(name);
    const auto answer = Try(&Handlers::ListMaterials, request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return {answer->materials().begin(), answer->materials().end()};
  }
  std::string Read(const std::string& material) {
    v1::ReadChunkRequest request;
    request.set_name(material);
    const auto answer = Try(&Handlers::ReadChunk, request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->data() : "";
  }

  // Applies an event as a follower does.
  template <typename Event>
  absl::Status Apply(const journal::EventHandlers& handlers, const Event& event) {
    journal::EventOrigin origin;
    origin.time = host_.clock().Now();
    return host_.journal().WriteInternal(
        "test/follow", NewUuid(), WallNow() + absl::Seconds(10),
        [&](journal::Unit& unit) { return handlers.Apply(event, unit, origin); });
  }
  absl::Status Review(const v1::Application& application, review::v1::CaseState state,
                      const std::vector<std::string>& points = {}) {
    review::v1::CaseAdvanced event;
    event.set_case_name(case_);
    event.set_application(application.name());
    event.set_state(state);
    event.set_submission(application.submissions());
    for (const std::string& point : points) event.add_points(point);
    if (!points.empty()) event.set_reason("材料有误");
    return Apply(handlers_.OnReview(), event);
  }
  const std::string& case_name() const { return case_; }

  // Events of that kind in the journal, in the order of their rows.
  template <typename Event>
  std::vector<Event> Events() {
    return host_.Events<Event>();
  }

 private:
  const std::string host_unit_ = Name("hostUnits", NewUuid());
  const std::string case_ = Name("cases", NewUuid());
  FakeRegistry registry_;
  FakeReview review_;
  TestHost host_;
  Handlers handlers_;
  std::string station_;
  std::string second_filing_;
};

}  // namespace yuezhan::application

#endif  // YUEZHAN_SERVICES_APPLICATION_TEST_APPLICATION_H_
