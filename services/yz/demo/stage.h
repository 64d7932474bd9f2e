#ifndef YUEZHAN_SERVICES_YZ_DEMO_STAGE_H_
#define YUEZHAN_SERVICES_YZ_DEMO_STAGE_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/clocks.h"
#include "common/errors/errors.h"
#include "google/rpc/status.pb.h"
#include "services/yz/client.h"
#include "services/yz/demo/scenario.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::yz {

// One act of the demonstration: who does what under which article. `act` answers with the result in
// a few words; an error ends the demonstration.
struct DemoStep {
  std::string name;     // "AcceptFiling-yunxi": names it in tests
  std::string article;  // "2", "5.2"; "" where it is plumbing
  std::string who;
  std::string what;
  std::function<absl::StatusOr<std::string>()> act;
};

// What the acts share: the services, the input, and the names that the services gave.
class Stage {
 public:
  Stage(Client& client, Scenario scenario, std::shared_ptr<SimulatedClock> clock);

  struct Names {
    std::string host, station, application, review_case, payment, objection;
    std::map<std::string, std::string> materials;  // by code
  };
  const Scenario scenario;
  std::map<std::string, Names> names;  // by the station's key
  std::string fund, meeting, second_meeting, notice;

  const Caller& Person(const std::string& key) const { return scenario.persons.at(key); }
  // The person who acts for a host unit, once it is registered.
  Caller Host(const std::string& key) const;
  absl::Time Day(const std::string& name) const { return scenario.days.at(name); }
  SimulatedClock& clock() { return *clock_; }
  // The day that the acts are at: the clock's, or in a second run, when the clock is past it, the
  // scenario's.
  absl::Time today;
  Client& client() { return client_; }

  // Calls "FileStation" of registry. A request_id is made of the method and `discriminator`, so
  // that a demonstration that was broken off goes on where it was, and one that is through has no
  // second effect.
  template <typename Answer, typename Request>
  absl::StatusOr<Answer> Call(const Caller& caller, std::string_view service,
                              std::string_view method, Request request,
                              std::string_view discriminator = "") {
    Answer answer;
    const absl::Status status =
        CallMethod(caller, service, method, discriminator, &request, &answer);
    if (!status.ok()) return status;
    return answer;
  }

  // Calls "BatchApproveOpinions" of review; an error when one of the list could not be.
  template <typename Answer, typename Batch>
  absl::StatusOr<Answer> CallBatch(const Caller& caller, std::string_view service,
                                   std::string_view method, Batch batch) {
    absl::StatusOr<Answer> answer = Call<Answer>(caller, service, method, std::move(batch));
    if (answer.ok() && !answer->failed_requests().empty()) {
      return errors::FromDetails(answer->failed_requests().begin()->second);
    }
    return answer;
  }
  // The same where it changes something: the request_ids are those of `one`, "ApproveOpinion", by
  // itself for each of `keys`.
  template <typename Answer, typename Batch>
  absl::StatusOr<Answer> CallBatch(const Caller& caller, std::string_view service,
                                   std::string_view method, std::string_view one, Batch batch,
                                   const std::vector<std::string>& keys) {
    for (int i = 0; i < batch.requests_size(); ++i) {
      batch.mutable_requests(i)->set_request_id(RequestId(one, keys[static_cast<size_t>(i)]));
    }
    return CallBatch<Answer>(caller, service, method, std::move(batch));
  }

  // Calls until `enough` says so, at most half a minute: for what another service follows.
  template <typename Answer, typename Request>
  absl::StatusOr<Answer> Await(const Caller& caller, std::string_view service,
                               std::string_view method, const Request& request,
                               const std::function<bool(const Answer&)>& enough) {
    Answer answer;
    const absl::Status status =
        AwaitMethod(caller, service, method, request, &answer, [&] { return enough(answer); });
    if (!status.ok()) return status;
    return answer;
  }

  // The Chinese sentences of a refusal by the rules, for a call that must be refused; an error when
  // it was not. In a second run the thing may be past that state already.
  static absl::StatusOr<std::string> Refusal(const absl::Status& status);

 private:
  std::string RequestId(std::string_view method, std::string_view discriminator) const;
  absl::Status CallMethod(const Caller& caller, std::string_view service, std::string_view method,
                          std::string_view discriminator, google::protobuf::Message* request,
                          google::protobuf::Message* answer);
  absl::Status AwaitMethod(const Caller& caller, std::string_view service, std::string_view method,
                           const google::protobuf::Message& request,
                           google::protobuf::Message* answer, const std::function<bool()>& enough);

  Client& client_;
  std::shared_ptr<SimulatedClock> clock_;
};

// Who attends a directors' meeting without a vote: its secretary, and the association that reports.
void AddAttending(Stage& stage, review::v1::CloseMeetingRequest* request);

// "100,000.00元"
std::string Yuan(const google::type::Money& money);

// Those of the scenario whose award is decided on, or is paid, in their order; and their keys. What
// officers do, they do to a list.
std::vector<const DemoStation*> Awarded(const Stage& stage);
std::vector<const DemoStation*> Paid(const Stage& stage);
std::vector<std::string> KeysOf(const std::vector<const DemoStation*>& stations);

// The groups of acts, in the order of the flow.
void AddFunding(Stage& stage, std::vector<DemoStep>* steps);
void AddFiling(Stage& stage, std::vector<DemoStep>* steps);
void AddApplications(Stage& stage, std::vector<DemoStep>* steps);
void AddEarlyApplication(Stage& stage, std::vector<DemoStep>* steps);
void AddReview(Stage& stage, std::vector<DemoStep>* steps);
void AddNotice(Stage& stage, std::vector<DemoStep>* steps);
void AddObjections(Stage& stage, std::vector<DemoStep>* steps);
void AddNoticeResult(Stage& stage, std::vector<DemoStep>* steps);
void AddPayment(Stage& stage, std::vector<DemoStep>* steps);

// The clock moves to a day of the scenario, unless it is past it.
void AddDay(Stage& stage, const std::string& day, const std::string& why,
            std::vector<DemoStep>* steps);

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_DEMO_STAGE_H_
