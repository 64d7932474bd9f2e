#ifndef YUEZHAN_SERVICES_REVIEW_TEST_REVIEW_H_
#define YUEZHAN_SERVICES_REVIEW_TEST_REVIEW_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/host/test_host.h"
#include "common/rpc/client.h"
#include "gtest/gtest.h"
#include "services/review/handlers.h"
#include "services/review/schema.h"
#include "yuezhan/application/v1/events.pb.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/payment/v1/events.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::review {

// Taken for a picture by its first bytes.
inline constexpr char kPicture[] = "\x89PNG\r\n\x1A\n....";

// Registry as review asks it: every station operates, until a test says otherwise.
class FakeRegistry : public rpc::Channel {
 public:
  absl::Status Call(std::string_view method, const google::protobuf::Message& request,
                    google::protobuf::Message* answer, const rpc::CallOptions& options) override;
  // Stands in place of what it would answer of this station.
  std::map<std::string, rules::v1::StandingFacts, std::less<>> standings;

 private:
  rules::v1::StandingFacts Standing(const std::string& station) const;
};

// Review's handlers over a database of their own, and the way of a case up to any state. The
// business clock begins in spring 2021, so that many periods pass within known years.
class TestReview {
 public:
  explicit TestReview(policy::Policies policies = policy::Policies::Builtin());

  // The built-in policy with one value changed: Changed("statement_required: true", "… false").
  static policy::Policies Changed(std::string_view from, std::string_view to);

  TestHost& host() { return host_; }
  Handlers& handlers() { return *handlers_; }
  Rulebook& rulebook() { return rulebook_; }
  FakeRegistry& registry() { return registry_; }
  // Another replica of the service over the same database.
  struct Replica {
    TestHost::Replica parts;
    std::unique_ptr<Handlers> handlers;
  };
  // `port`: of a proxy in front of it, or 0.
  Replica NewReplica(int port = 0);

  // Persons of the offices; separation of duties is by subject.
  Context reviewer() const { return host_.Person(Role::kReviewer, "reviewer-1"); }
  Context head() const { return host_.Person(Role::kReviewer, "reviewer-2"); }
  Context examiner() const { return host_.Person(Role::kReviewer, "reviewer-3"); }
  Context secretary() const { return host_.Person(Role::kSecretary, "secretary-1"); }
  Context citizen() const { return host_.Person(Role::kPublic, "citizen-1"); }

  // Calls a method; a request without request_id gets a new one.
  template <typename Request, typename Answer>
  absl::StatusOr<Answer> Try(Handlers& handlers,
                             absl::Status (Handlers::*method)(Context&, const Request&, Answer*),
                             Context who, Request request) {
    Complete(&who, &request);
    Answer answer;
    const absl::Status status = (handlers.*method)(who, request, &answer);
    if (!status.ok()) return status;
    return answer;
  }
  template <typename Request, typename Answer>
  absl::StatusOr<Answer> Try(
      Handlers& handlers, absl::Status (Handlers::*method)(const rpc::AskedList<Request, Answer>&),
      Context who, Request request) {
    Complete(&who, &request);
    Answer answer;
    const absl::Status status = rpc::AskOne(handlers, method, who, request, &answer);
    if (!status.ok()) return status;
    return answer;
  }
  template <typename Method, typename Request>
  auto Try(Method method, const Context& who, const Request& request) {
    return Try(handlers(), method, who, request);
  }
  // The same where it must succeed.
  template <typename Method, typename Request>
  auto Do(Method method, const Context& who, const Request& request) {
    const auto answer = Try(method, who, request);
    EXPECT_TRUE(answer.ok()) << Request::descriptor()->name() << ": " << answer.status();
    return answer.value_or(std::decay_t<decltype(*answer)>());
  }

  v1::Case Get(std::string_view name);
  v1::Notice GetNotice(std::string_view name);
  v1::Objection GetObjection(std::string_view name);

  // ---- what the other services' journals bring ----

  template <typename Event>
  absl::Status Apply(const journal::EventHandlers& handlers, const Event& event) {
    journal::EventOrigin origin;
    origin.time = host_.clock().Now();
    return host_.journal().WriteIfChanged(
        "test/follow", NewUuid(), WallNow() + absl::Seconds(10),
        [&](journal::Unit& unit, bool*) { return handlers.Apply(event, unit, origin); });
  }
  // What each row of review's own journal shows, in their order.
  std::vector<journal::v1::PublicPart> PublicParts();
  // Every event of this kind in them, with the subject that its row shows.
  template <typename Event>
  struct Emitted {
    Event event;
    std::string subject;
  };
  template <typename Event>
  std::vector<Emitted<Event>> AllEmitted() {
    std::vector<Emitted<Event>> all;
    for (const auto& part : PublicParts()) {
      for (const auto& any : part.events()) {
        Event event;
        if (any.UnpackTo(&event)) all.push_back({std::move(event), part.subject()});
      }
    }
    return all;
  }
  // Puts all rows of the journal into the chain, as the sequencer would; the public key that signed.
  std::string ChainAll();
  // Those that a case went through.
  std::vector<v1::CaseAdvanced> StepsOf(std::string_view case_name);
  // A submission; its case's name. Each application is a station of its own.
  std::string Submit(const std::string& application, int submission);
  std::string OpenCase() { return Submit(Name("applications", NewUuid()), 1); }
  void RequestWithdrawal(const std::string& case_name);
  void Reserve(const std::string& case_name);
  void Settle(const std::string& case_name);

  // ---- one step each, as the flow has it ----

  v1::RecordAssessmentRequest AssessmentOf(const std::string& case_name, bool qualified = true);
  v1::PrepareOpinionRequest OpinionOn(const std::string& case_name,
                                      rules::v1::Recommendation recommendation);
  void Assess(const std::string& case_name);
  // Calls experts expert-1 and expert-2.
  void CallInspection(const std::string& case_name);
  v1::RecordDeclarationRequest DeclarationOf(const std::string& case_name, std::string_view expert,
                                             bool interest);
  // By expert-1.
  v1::RecordInspectionRequest InspectionOf(const std::string& case_name);
  v1::EvidenceFile Upload(const Context& who, const std::string& parent, std::string_view code,
                          const std::string& data);
  void Prepare(const std::string& case_name, rules::v1::Recommendation recommendation);
  void Approve(const std::string& case_name);
  // Convenes a meeting on cases ("cases/…") and objections; its name.
  std::string Convene(const std::vector<std::string>& items);
  // Its items as convened, for Close.
  v1::CloseMeetingRequest Closing(const std::string& meeting);
  void Resolve(const std::string& case_name, rules::v1::Resolution resolution);
  void ResolveObjection(const std::string& objection, v1::ObjectionResolution resolution,
                        int64_t new_fen = 0);
  v1::IssueNoticeRequest NoticeOn(const std::vector<std::string>& cases);
  std::string Issue(const std::vector<std::string>& cases);  // its name
  v1::RecordPostingRequest PostingOn(const v1::Notice& notice, std::string_view site);
  void PostAll(const std::string& notice);
  v1::RecordPostingDownRequest DownOf(const std::string& notice, std::string_view site);  // now
  v1::RecordPostingBackRequest BackOf(const std::string& notice, std::string_view site);
  v1::FileObjectionRequest ObjectionTo(const std::string& case_name);
  std::string Object(const std::string& case_name);  // its name
  void Admit(const std::string& objection, bool accepted);
  void Examine(const std::string& objection);
  // Moves the clock to the first moment at which the notice's period is closed.
  void PassPeriod(const std::string& notice);
  void Tend() { EXPECT_TRUE(handlers().TendNotices().ok()); }
  absl::StatusOr<v1::Notice> Sign(const std::string& notice, v1::Office office);
  void SignBoth(const std::string& notice);

  // A new case in this state, by the shortest way.
  std::string CaseIn(v1::CaseState state);

 private:
  // An id where there is none, and the method that takes such a request.
  template <typename Request>
  static void Complete(Context* who, Request* request) {
    const auto* id = Request::descriptor()->FindFieldByName("request_id");
    if (id != nullptr && request->GetReflection()->GetString(*request, id).empty())
      request->GetReflection()->SetString(request, id, NewUuid());
    std::string name = Request::descriptor()->name();
    name.resize(name.size() - std::string_view("Request").size());
    who->method = Concat({"yuezhan.review.v1.ReviewService/", name});
  }

  TestHost host_;
  Rulebook rulebook_;
  FakeRegistry registry_;
  std::unique_ptr<Handlers> handlers_;
};

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_TEST_REVIEW_H_
