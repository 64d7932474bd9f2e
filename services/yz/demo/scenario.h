#ifndef YUEZHAN_SERVICES_YZ_DEMO_SCENARIO_H_
#define YUEZHAN_SERVICES_YZ_DEMO_SCENARIO_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/caller.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/payment/v1/payment.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::yz {

// How a station's story goes.
enum class Story {
  kAward,                // filed, awarded, paid
  kException,            // refused at filing, filed anew under an exception, paid
  kMunicipal,            // filed; may not apply
  kTooEarly,             // applies three weeks before its two years are full
  kObjectionMaintained,  // objected to, the meeting maintains the award; paid
  kObjectionCancelled,   // objected to, the meeting cancels the award
};

struct DemoStation {
  std::string key;  // in request ids
  Story story;
  registry::v1::HostUnit host;
  registry::v1::FilingForm form;                 // its host unit is filled in once registered
  application::v1::ApplicationForm application;  // its station likewise
  std::vector<registry::v1::Activity> activities;

  bool Awarded() const { return story != Story::kMunicipal && story != Story::kTooEarly; }
  bool Paid() const { return Awarded() && story != Story::kObjectionCancelled; }
};

struct DemoObjection {
  std::string station;  // key
  review::v1::Objection objection;
  std::string admission;  // why it is accepted
  std::string report;
  review::v1::ObjectionResolution resolution;
  std::string answer;
};

// The demonstration's input, as a city would have it.
struct Scenario {
  // In request_ids: tells the acts of one scenario from another's in the same installation.
  std::string series;
  std::map<std::string, absl::Time> days;  // of the business clock
  std::map<std::string, Caller> persons;
  payment::v1::Fund fund;
  google::type::Money fund_amount;
  std::string fund_reason;
  rules::v1::AssessmentFacts assessment;
  rules::v1::MeetingFacts meeting;
  rules::v1::MeetingFacts second_meeting;
  std::string objection_address;
  std::string objection_phone;
  std::vector<review::v1::Posting> sites;  // code and address
  std::vector<DemoStation> stations;
  std::vector<DemoObjection> objections;

  const DemoStation& Station(const std::string& key) const;
};

// Reads city.json and stations.json. INVALID_ARGUMENT names the part that is wrong.
absl::StatusOr<Scenario> ParseScenario(std::string_view city, std::string_view stations);
// The one that is built in.
absl::StatusOr<Scenario> BuiltInScenario();

}  // namespace yuezhan::yz

#endif  // YUEZHAN_SERVICES_YZ_DEMO_SCENARIO_H_
