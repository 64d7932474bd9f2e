#include "services/review/test_review.h"

#include "absl/strings/str_replace.h"
#include "common/base/money.h"
#include "common/base/time_proto.h"
#include "common/journal/sequencer.h"
#include "common/journal/signer.h"
#include "services/review/facts.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::review {

absl::Status FakeRegistry::Call(std::string_view method, const google::protobuf::Message& request,
                                google::protobuf::Message* answer, const rpc::CallOptions&) {
  if (method == "yuezhan.registry.v1.RegistryService/BatchGetStandings") {
    const auto& asked = dynamic_cast<const registry::v1::BatchGetStandingsRequest&>(request);
    auto* all = dynamic_cast<registry::v1::BatchGetStandingsResponse*>(answer);
    for (const std::string& station : asked.stations()) *all->add_standings() = Standing(station);
    return absl::OkStatus();
  }
  EXPECT_EQ(method, "yuezhan.registry.v1.RegistryService/GetStanding");
  const auto& asked = dynamic_cast<const registry::v1::GetStandingRequest&>(request);
  *dynamic_cast<rules::v1::StandingFacts*>(answer) = Standing(asked.station());
  return absl::OkStatus();
}

rules::v1::StandingFacts FakeRegistry::Standing(const std::string& station) const {
  if (const auto known = standings.find(station); known != standings.end()) return known->second;
  rules::v1::StandingFacts standing;
  standing.mutable_station()->set_station(station);
  standing.mutable_station()->set_level(common::v1::STATION_LEVEL_PROVINCIAL);
  *standing.mutable_station()->mutable_established_on() = DayToProto(Day(2018, 3, 1));
  return standing;
}

TestReview::TestReview(policy::Policies policies)
    : host_("review", Schema(), BeijingMidnight(Day(2021, 4, 6)) + absl::Hours(9)),
      rulebook_(std::move(policies), policy::Calendar::Builtin()),
      handlers_(std::make_unique<Handlers>(host_.journal(), host_.vault(), rulebook_, registry_)) {}

policy::Policies TestReview::Changed(std::string_view from, std::string_view to) {
  const std::string& text = policy::Policies::Builtin().text();
  EXPECT_NE(text.find(from), std::string::npos) << from;
  return policy::Policies::Parse(absl::StrReplaceAll(text, {{Abs(from), Abs(to)}}), "changed")
      .value();
}

TestReview::Replica TestReview::NewReplica(int port) {
  Replica replica{host_.NewReplica(port), nullptr};
  replica.handlers =
      std::make_unique<Handlers>(*replica.parts.journal, host_.vault(), rulebook_, registry_);
  return replica;
}

v1::Case TestReview::Get(std::string_view name) {
  v1::GetCaseRequest request;
  request.set_name(std::string(name));
  return Do(&Handlers::GetCase, reviewer(), request);
}

v1::Notice TestReview::GetNotice(std::string_view name) {
  v1::GetNoticeRequest request;
  request.set_name(std::string(name));
  return Do(&Handlers::GetNotice, secretary(), request);
}

v1::Objection TestReview::GetObjection(std::string_view name) {
  v1::GetObjectionRequest request;
  request.set_name(std::string(name));
  return Do(&Handlers::GetObjection, secretary(), request);
}

std::vector<journal::v1::PublicPart> TestReview::PublicParts() {
  std::vector<journal::v1::PublicPart> parts;
  auto session = host_.database().pool().Acquire(WallNow() + absl::Seconds(10)).value();
  for (const db::Row& row : session->Query("SELECT public_part FROM journal ORDER BY id"))
    EXPECT_TRUE(parts.emplace_back().ParseFromString(row.Bytes(0)));
  return parts;
}

std::string TestReview::ChainAll() {
  const auto signer = *journal::Signer::FromPem(journal::Signer::NewPem());
  journal::Sequencer sequencer(host_.database().pool(), signer, "review", "test");
  for (int64_t chained = -1; chained != host_.Count("journal_chain");) {
    chained = host_.Count("journal_chain");
    const auto wait = sequencer.Step();
    EXPECT_TRUE(wait.ok()) << wait.status();
  }
  return signer->public_key();
}

std::vector<v1::CaseAdvanced> TestReview::StepsOf(std::string_view case_name) {
  std::vector<v1::CaseAdvanced> steps;
  for (auto& emitted : AllEmitted<v1::CaseAdvanced>()) {
    if (emitted.event.case_name() == case_name) steps.push_back(std::move(emitted.event));
  }
  return steps;
}

std::string TestReview::Submit(const std::string& application, int submission) {
  application::v1::ApplicationAdvanced event;
  event.set_application(application);
  event.set_state(application::v1::APPLICATION_STATE_SUBMITTED);
  event.set_submission(submission);
  const std::string id = IdOf("applications/*", application).value();
  event.set_station(Name("stations", id));
  event.set_host_unit(Name("hostUnits", id));
  event.set_category(common::v1::STATION_LEVEL_PROVINCIAL);
  event.set_subsidy_year(2021);
  event.set_station_name("绿色化工服务站（演示）");
  event.set_host_name("云溪区绿色化工园区科协（演示）");
  event.set_society_name("湖南省化工学会");
  const absl::Status status = Apply(handlers().OnApplication(), event);
  EXPECT_TRUE(status.ok()) << status;
  v1::ListCasesRequest request;
  request.set_application(application);
  const auto cases = Do(&Handlers::ListCases, reviewer(), request);
  EXPECT_EQ(cases.cases_size(), 1);
  return cases.cases_size() == 1 ? cases.cases(0).name() : "";
}

void TestReview::RequestWithdrawal(const std::string& case_name) {
  application::v1::WithdrawalRequested event;
  event.set_application(Get(case_name).application());
  const absl::Status status = Apply(handlers().OnApplication(), event);
  EXPECT_TRUE(status.ok()) << status;
}

void TestReview::Reserve(const std::string& case_name) {
  const v1::Case award = Get(case_name);
  payment::v1::AwardAdvanced event;
  event.set_case_name(case_name);
  event.set_state(payment::v1::AWARD_STATE_RESERVED);
  event.set_amount_fen(FenOf(award.awarded_amount()).value());
  event.set_line_digest(award.line_digest());
  const absl::Status status = Apply(handlers().OnPayment(), event);
  EXPECT_TRUE(status.ok()) << status;
}

void TestReview::Settle(const std::string& case_name) {
  payment::v1::PaymentAdvanced event;
  event.set_case_name(case_name);
  event.set_state(payment::v1::PAYMENT_STATE_SETTLED);
  const absl::Status status = Apply(handlers().OnPayment(), event);
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace yuezhan::review
