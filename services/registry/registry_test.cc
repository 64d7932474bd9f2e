#include <set>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/db/cutting_proxy.h"
#include "common/db/session.h"
#include "common/errors/errors.h"
#include "common/rpc/run_calls.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "services/registry/handlers.h"
#include "services/registry/test_registry.h"
#include "services/registry/transitions.h"
#include "yuezhan/payment/v1/events.pb.h"
#include "yuezhan/registry/v1/events.pb.h"

namespace yuezhan::registry {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Filing, IsAcceptedWithANumber) {
  TestRegistry registry;
  const v1::Station filed = registry.File();
  EXPECT_EQ(filed.state(), v1::STATION_STATE_FILED);
  const v1::Station accepted = registry.Accept(filed.name()).value();
  EXPECT_EQ(accepted.state(), v1::STATION_STATE_OPERATING);
  EXPECT_EQ(accepted.filing_number(), "YZ-2026-S-0001");
  EXPECT_EQ(accepted.demand_fit().officer(), registry.officer().caller.subject);
  EXPECT_FALSE(accepted.findings().empty());
  EXPECT_EQ(accepted.policy().version(), "yueyang-2021");
  EXPECT_EQ(accepted.policy().digest().size(), 64u);
}

// A list: numbers without a gap, and what cannot be accepted keeps no other from it.
TEST(Filing, AListIsAccepted) {
  TestRegistry registry;
  v1::BatchAcceptFilingsRequest batch;
  for (int i = 0; i < 4; ++i)
    *batch.add_requests() = registry.AcceptRequest(registry.File().name());
  ASSERT_TRUE(registry.Accept(batch.requests(1).name()).ok());  // YZ-2026-S-0001
  for (int time = 0; time < 2; ++time) {                        // the list may be sent again
    v1::BatchAcceptFilingsResponse answer;
    ASSERT_TRUE(CallByName(registry.handlers().Methods(), "BatchAcceptFilings", registry.officer(),
                           batch, &answer)
                    .ok());
    ASSERT_EQ(answer.failed_requests().size(), 1u);
    EXPECT_EQ(errors::Reason(errors::FromDetails(answer.failed_requests().at(1))), "STATE_FORBIDS");
    EXPECT_EQ(answer.stations(0).filing_number(), "YZ-2026-S-0002");
    EXPECT_EQ(answer.stations(2).filing_number(), "YZ-2026-S-0003");
    EXPECT_EQ(answer.stations(3).filing_number(), "YZ-2026-S-0004");
  }
}

// The same stations in two lists of opposite orders, at once: each is accepted once.
TEST(Filing, ListsThatOverlapAcceptEachOnce) {
  TestRegistry registry;
  constexpr int kStations = 12;
  std::vector<v1::BatchAcceptFilingsRequest> batches(2);
  for (int i = 0; i < kStations; ++i) {
    *batches[0].add_requests() = registry.AcceptRequest(registry.File().name());
  }
  for (int i = kStations; i-- > 0;) {
    v1::AcceptFilingRequest& request = *batches[1].add_requests();
    request = batches[0].requests(i);
    request.set_request_id(NewUuid());
  }
  std::vector<v1::BatchAcceptFilingsResponse> answers(2);
  std::vector<std::thread> officers;
  for (int i = 0; i < 2; ++i) {
    officers.emplace_back([&, i] {
      EXPECT_TRUE(CallByName(registry.handlers().Methods(), "BatchAcceptFilings",
                             registry.officer(), batches[i], &answers[i])
                      .ok());
    });
  }
  for (std::thread& officer : officers) officer.join();
  EXPECT_EQ(answers[0].failed_requests().size() + answers[1].failed_requests().size(),
            static_cast<size_t>(kStations));
  std::set<std::string> numbers;
  for (const v1::AcceptFilingRequest& request : batches[0].requests()) {
    numbers.insert(registry.Get(request.name()).filing_number());
  }
  EXPECT_EQ(numbers.size(), static_cast<size_t>(kStations));
  EXPECT_EQ(*numbers.rbegin(), absl::StrFormat("YZ-2026-S-%04d", kStations));
}

// Who only shows a station parses little of it and hands the rest on; of a page, nothing.
TEST(Filing, AllOfAStationIsShownToWhoReads) {
  TestRegistry registry;
  const v1::Station accepted = registry.Accept(registry.File().name()).value();
  EXPECT_TRUE(MessageDifferencer::Equals(registry.Get(accepted.name()), accepted));
  v1::GetStationRequest get;
  get.set_name(accepted.name());
  Context context = registry.officer();
  v1::Station unread;
  ASSERT_TRUE(rpc::AskOne(registry.handlers(), &Handlers::GetStation, context, get, &unread).ok());
  EXPECT_TRUE(unread.findings().empty());
  EXPECT_TRUE(unread.form().purpose().empty());
  v1::ListStationsResponse bytes;
  ASSERT_TRUE(registry.handlers().ListStations(context, {}, &bytes).ok());
  EXPECT_TRUE(bytes.stations().empty());
  EXPECT_GT(bytes.ByteSizeLong(), accepted.ByteSizeLong());
}

// With what stands beside a station's row: subsidies of its lineage, and until when a filing is
// due.
TEST(Filing, APageTellsOfAStationWhatGettingItTells) {
  TestRegistry registry;
  const std::string filed = registry.File().name();
  const auto accepted = [&](const char* society) {
    v1::FileStationRequest request = registry.FileRequest();
    request.mutable_form()->mutable_society()->set_name(society);
    return registry.Accept(registry.File(request).name()).value().name();
  };
  const std::string operating = accepted("岳阳市农学会");
  const std::string subsidized = accepted("岳阳市医学会");
  registry.Apply(registry.Settled(subsidized));
  registry.Advance(60);
  ASSERT_TRUE(registry.Get(filed).overdue());
  ASSERT_EQ(registry.Get(operating).subsidies_size(), 0);
  ASSERT_EQ(registry.Get(subsidized).subsidies_size(), 1);
  v1::ListStationsResponse page;
  ASSERT_TRUE(
      registry.Call(&Handlers::ListStations, "ListStations", v1::ListStationsRequest(), &page)
          .ok());
  ASSERT_EQ(page.stations_size(), 3);
  for (const v1::Station& station : page.stations()) {
    EXPECT_TRUE(MessageDifferencer::Equals(station, registry.Get(station.name())))
        << station.DebugString();
  }
}

// What a decision rested on is kept with it: the host unit as it was that day, too.
TEST(Filing, ADecisionKeepsItsFacts) {
  TestRegistry registry;
  const v1::Station filed = registry.File();
  ASSERT_TRUE(registry.Accept(filed.name()).ok());
  v1::RefuseFilingRequest refuse;
  refuse.set_request_id(NewUuid());
  refuse.set_name(registry.File().name());
  refuse.set_reason("材料不实");
  v1::Station refused;
  ASSERT_TRUE(registry.Call(&Handlers::RefuseFiling, "RefuseFiling", refuse, &refused).ok());
  const auto facts = registry.host().PrivateEvents<rules::v1::FilingFacts>();
  ASSERT_EQ(facts.size(), 2u);
  EXPECT_EQ(facts[0].host().host_unit(), filed.form().host_unit());
  EXPECT_EQ(facts[0].host().credit_code(), "51430600501234569L");
  EXPECT_TRUE(facts[0].demand_fit().confirmed());
  EXPECT_FALSE(facts[1].demand_fit().confirmed());
  EXPECT_FALSE(refused.findings().empty());
}

TEST(Filing, ACorrectionOfAnOldVersionIsRefusedByItsEtag) {
  TestRegistry registry;
  const v1::Station filed = registry.File();
  v1::ReturnFilingRequest back;
  back.set_request_id(NewUuid());
  back.set_name(filed.name());
  back.add_points("补充建站批复");
  v1::Station returned;
  ASSERT_TRUE(registry.Call(&Handlers::ReturnFiling, "ReturnFiling", back, &returned).ok());
  v1::ResubmitFilingRequest again;
  again.set_request_id(NewUuid());
  again.set_name(filed.name());
  *again.mutable_form() = filed.form();
  again.set_etag(filed.etag());
  v1::Station answer;
  const absl::Status stale =
      registry.Call(&Handlers::ResubmitFiling, "ResubmitFiling", again, &answer);
  EXPECT_EQ(stale.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(errors::Reason(stale), "ETAG_MISMATCH");
  EXPECT_EQ(registry.Get(filed.name()).etag(), returned.etag());
  again.set_etag(returned.etag());
  EXPECT_TRUE(registry.Call(&Handlers::ResubmitFiling, "ResubmitFiling", again, &answer).ok());
}

TEST(Filing, TheSameRequestHasOneEffectAndOneAnswer) {
  TestRegistry registry;
  v1::FileStationRequest request = registry.FileRequest();
  std::vector<std::thread> threads;
  std::vector<v1::Station> answers(32);
  for (auto& answer : answers) {
    threads.emplace_back([&] {
      Context context = registry.officer();
      context.method = "yuezhan.registry.v1.RegistryService/FileStation";
      const absl::Status status =
          rpc::AskOne(registry.handlers(), &Handlers::FileStation, context, request, &answer);
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& answer : answers)
    EXPECT_EQ(answer.SerializeAsString(), answers[0].SerializeAsString());
  EXPECT_EQ(registry.Count("stations"), 1);

  request.mutable_form()->set_purpose("另一目的");
  v1::Station answer;
  Context context = registry.officer();
  context.method = "yuezhan.registry.v1.RegistryService/FileStation";
  const absl::Status other =
      rpc::AskOne(registry.handlers(), &Handlers::FileStation, context, request, &answer);
  EXPECT_EQ(errors::Reason(other), "REQUEST_ID_REUSED");
  EXPECT_THAT(std::string(other.message()), testing::HasSubstr("form.purpose"));
  EXPECT_EQ(registry.Count("stations"), 1);
}

TEST(Filing, WrongHostKindIsRefusedByArticle2AndExceptedByAnOfficer) {
  TestRegistry registry;
  v1::FileStationRequest request = registry.FileRequest();
  request.mutable_form()->set_level(
      common::v1::STATION_LEVEL_MUNICIPAL);  // fits county and township associations
  const v1::Station filed = registry.File(request);

  const auto refused = registry.Accept(filed.name());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(errors::Reason(refused.status()), "REFUSED");
  EXPECT_THAT(errors::Metadata(refused.status(), "article"), testing::HasSubstr("2"));
  EXPECT_EQ(registry.Get(filed.name()).state(), v1::STATION_STATE_FILED);

  v1::GrantExceptionRequest exception;
  exception.set_request_id(NewUuid());
  exception.set_name(filed.name());
  exception.set_rule_id("filing.host-kind");
  exception.set_reason("园区尚无县级科协");
  v1::Station excepted;
  ASSERT_TRUE(
      registry.Call(&Handlers::GrantException, "GrantException", exception, &excepted).ok());
  const auto accepted = registry.Accept(filed.name());
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->exceptions(0).officer(), registry.officer().caller.subject);
}

TEST(Filing, NumbersOf64CallersHaveNoGapAndNoDouble) {
  TestRegistry registry;
  std::vector<std::string> names;
  for (int i = 0; i < 64; ++i) names.push_back(registry.File().name());
  std::vector<std::thread> threads;
  std::vector<std::string> numbers(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    threads.emplace_back(
        [&, i] { numbers[i] = registry.Accept(names[i]).value().filing_number(); });
  }
  for (auto& thread : threads) thread.join();
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i < numbers.size(); ++i)
    EXPECT_EQ(numbers[i], absl::StrFormat("YZ-2026-S-%04d", i + 1));
}

TEST(Filing, AHostUnitSeesItsOwnOnly) {
  TestRegistry registry;
  const v1::Station filed = registry.File();
  const Context own = registry.host_unit(filed.form().host_unit());
  const Context foreign = registry.host_unit(Name("hostUnits", NewUuid()));
  v1::GetStationRequest request;
  request.set_name(filed.name());
  const auto get = [&](const Context& context) {
    v1::Station answer;
    return registry.CallAs(context, &Handlers::GetStation, "GetStation", request, &answer);
  };
  EXPECT_TRUE(get(own).ok());
  const absl::Status hidden = get(foreign);
  request.set_name(Name("stations", NewUuid()));
  const absl::Status absent = get(own);
  EXPECT_EQ(hidden.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(errors::Reason(hidden), errors::Reason(absent));
}

// Each method on a station in each state: allowed just where the table says so.
TEST(Transitions, NoneBesideTheTable) {
  TestRegistry registry;
  struct Case {
    const char* method;
    std::function<absl::Status(const std::string& name)> call;
  };
  const auto with_name = [&](auto request, const std::string& name) {
    request.set_request_id(NewUuid());
    request.set_name(name);
    return request;
  };
  const auto effective = [&](auto request, const std::string& name) {
    request = with_name(request, name);
    *request.mutable_effective_on() = DayToProto(registry.today());
    request.set_reason("演示");
    return request;
  };
  v1::Station ignored;
  const std::vector<Case> cases = {
      {"ReturnFiling",
       [&](const std::string& name) {
         auto request = with_name(v1::ReturnFilingRequest(), name);
         request.add_points("请补充建站批复");
         return registry.Call(&Handlers::ReturnFiling, "ReturnFiling", request, &ignored);
       }},
      {"RefuseFiling",
       [&](const std::string& name) {
         auto request = with_name(v1::RefuseFilingRequest(), name);
         request.set_reason("不符合条件");
         return registry.Call(&Handlers::RefuseFiling, "RefuseFiling", request, &ignored);
       }},
      {"ResubmitFiling",
       [&](const std::string& name) {
         auto request = with_name(v1::ResubmitFilingRequest(), name);
         *request.mutable_form() = registry.Get(name).form();
         return registry.Call(&Handlers::ResubmitFiling, "ResubmitFiling", request, &ignored);
       }},
      {"AcceptFiling", [&](const std::string& name) { return registry.Accept(name).status(); }},
      {"SuspendStation",
       [&](const std::string& name) {
         return registry.Call(&Handlers::SuspendStation, "SuspendStation",
                              effective(v1::SuspendStationRequest(), name), &ignored);
       }},
      {"ResumeStation",
       [&](const std::string& name) {
         return registry.Call(&Handlers::ResumeStation, "ResumeStation",
                              effective(v1::ResumeStationRequest(), name), &ignored);
       }},
      {"CloseStation",
       [&](const std::string& name) {
         return registry.Call(&Handlers::CloseStation, "CloseStation",
                              effective(v1::CloseStationRequest(), name), &ignored);
       }},
  };
  const auto call = [&](std::string_view method, const std::string& name) {
    for (const Case& c : cases) {
      if (method == c.method) return c.call(name);
    }
    return absl::NotFoundError("no case for the method");
  };
  // A way into each state.
  const std::map<v1::StationState, std::vector<std::string_view>> ways = {
      {v1::STATION_STATE_FILED, {}},
      {v1::STATION_STATE_RETURNED, {"ReturnFiling"}},
      {v1::STATION_STATE_REFUSED, {"RefuseFiling"}},
      {v1::STATION_STATE_OPERATING, {"AcceptFiling"}},
      {v1::STATION_STATE_SUSPENDED, {"AcceptFiling", "SuspendStation"}},
      {v1::STATION_STATE_CLOSED, {"AcceptFiling", "CloseStation"}},
  };
  for (const auto& [state, way] : ways) {
    for (const Case& c : cases) {
      const std::string name = registry.File().name();
      for (const auto method : way) ASSERT_TRUE(call(method, name).ok()) << method;
      ASSERT_EQ(registry.Get(name).state(), state);
      const absl::Status status = c.call(name);
      bool allowed = false;
      for (const Transition& t : StationTransitions().table()) {
        if (t.from != state || t.method != c.method) continue;
        allowed = true;
        EXPECT_EQ(registry.Get(name).state(), t.to) << c.method;
      }
      EXPECT_EQ(status.ok(), allowed) << c.method << " from " << state << ": " << status;
      if (!allowed) {
        EXPECT_EQ(errors::Reason(status), "STATE_FORBIDS");
        EXPECT_EQ(registry.Get(name).state(), state);
      }
    }
  }
}

TEST(Followers, ASettledPaymentIsASubsidyOfTheLineage) {
  TestRegistry registry;
  const std::string first = registry.File().name();
  const v1::Station other_name = [&] {
    v1::FileStationRequest request = registry.FileRequest();
    request.mutable_form()->set_display_name("换了名字的服务站（演示）");
    request.mutable_form()->mutable_society()->set_name("岳阳市　化工学会");  // a wide space
    return registry.File(request);
  }();
  const payment::v1::PaymentAdvanced event = registry.Settled(first);
  registry.Apply(event);
  registry.Apply(event);  // a second look changes nothing
  EXPECT_EQ(registry.Get(first).subsidies_size(), 1);
  EXPECT_EQ(registry.Get(other_name.name()).subsidies_size(), 1);
  EXPECT_EQ(registry.Count("subsidies"), 1);
}

// As a follower does: what they need is asked for and locked by few statements, and then each has
// its effect, in their order.
TEST(Followers, PaymentsOfABatchAreSubsidiesAsEachByItself) {
  TestRegistry registry;
  std::vector<payment::v1::PaymentAdvanced> events;
  std::vector<std::string> stations;
  for (const char* society : {"岳阳市化工学会", "岳阳市物理学会", "岳阳市电力学会"}) {
    v1::FileStationRequest request = registry.FileRequest();
    request.mutable_form()->mutable_society()->set_name(society);
    request.mutable_form()->set_display_name(absl::StrCat(society, "服务站"));
    stations.push_back(registry.File(request).name());
    events.push_back(registry.Settled(stations.back()));
  }
  registry.Apply(events[2]);  // before; the batch tells it again
  // The second one's money comes back and goes out again meanwhile.
  payment::v1::PaymentAdvanced back = events[1];
  back.set_from(payment::v1::PAYMENT_STATE_SETTLED);
  back.set_state(payment::v1::PAYMENT_STATE_BANK_RETURNED);
  events.push_back(back);
  payment::v1::PaymentAdvanced again = events[1];
  again.set_bank_reference("B2");
  events.push_back(again);
  // The first one's comes back for good.
  back.set_station(stations[0]);
  back.set_payment(events[0].payment());
  events.push_back(back);
  int lineage_locks = 0;
  db::Session::Observe([&](const db::Statement& statement) {
    lineage_locks += statement.sql.find("FROM lineages") != std::string_view::npos;
  });
  registry.ApplyBatch(events);
  db::Session::Observe({});
  EXPECT_EQ(lineage_locks, 1 + 3) << "all ahead; asked again for those that come a second time";
  EXPECT_EQ(registry.Get(stations[0]).subsidies_size(), 0);
  EXPECT_EQ(registry.Get(stations[1]).subsidies_size(), 1);
  EXPECT_EQ(registry.Get(stations[2]).subsidies_size(), 1);
  EXPECT_EQ(registry.Count("subsidies"), 2);
  EXPECT_EQ(registry.Count("stations WHERE subsidized = 1"), 2);
  EXPECT_EQ(registry.Count("use_reports"), 2);
}

// As the server runs calls that wait.
TEST(Filing, SeveralAreFiledTogetherOrEachByItself) {
  TestRegistry registry;
  std::vector<v1::FileStationRequest> requests;
  for (const char* society : {"化工学会", "物理学会", "化工学会"}) {
    v1::FileStationRequest& request = requests.emplace_back(registry.FileRequest());
    request.mutable_form()->mutable_society()->set_name(society);
    request.mutable_form()->set_display_name(absl::StrCat(society, requests.size()));
  }
  const rpc::Service service = registry.handlers().Methods();
  const auto method =
      std::find_if(service.methods().begin(), service.methods().end(),
                   [](const rpc::Service::Method& m) { return m.name == "FileStation"; });
  const auto run = [&] {
    std::vector<Context> contexts(3, registry.officer());
    std::vector<v1::Station> answers(3);
    std::vector<rpc::Service::Called> calls;
    for (size_t i = 0; i < 3; ++i) {
      contexts[i].method = "yuezhan.registry.v1.RegistryService/FileStation";
      calls.push_back({contexts[i], requests[i], &answers[i]});
    }
    int commits = 0;
    db::Session::Observe(
        [&](const db::Statement& statement) { commits += statement.sql == "COMMIT"; });
    const auto statuses = rpc::RunCalls(*method, calls);
    db::Session::Observe({});
    for (size_t i = 0; i < 3; ++i) {
      if (statuses[i].ok()) {
        EXPECT_EQ(answers[i].form().display_name(), requests[i].form().display_name());
        EXPECT_EQ(registry.Get(answers[i].name()).state(), v1::STATION_STATE_FILED);
      }
    }
    return std::pair(statuses, commits);
  };
  const auto [together, commits] = run();
  for (const absl::Status& status : together) EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(commits, 1);
  EXPECT_EQ(registry.Count("stations"), 3);
  EXPECT_EQ(registry.Count("station_changes"), 3);
  EXPECT_EQ(registry.Count("lineages"), 2);
  // Two new ones, and one whose host unit is unknown: that one alone is refused.
  for (v1::FileStationRequest& request : requests) {
    request.set_request_id(NewUuid());
    request.mutable_form()->set_display_name(absl::StrCat("又一", request.request_id()));
  }
  requests[1].mutable_form()->set_host_unit(Name("hostUnits", NewUuid()));
  const auto [apart, more] = run();
  EXPECT_TRUE(apart[0].ok()) << apart[0];
  EXPECT_EQ(errors::Reason(apart[1]), "INVALID_FIELD");
  EXPECT_TRUE(apart[2].ok()) << apart[2];
  EXPECT_EQ(more, 2);
  EXPECT_EQ(registry.Count("stations"), 5);
}

// The bank sends the money back, and it goes out anew: the record tells of the second time.
TEST(Followers, MoneyThatCameBackIsNoSubsidyUntilItIsPaidAgain) {
  TestRegistry registry;
  const std::string station = registry.File().name();
  payment::v1::PaymentAdvanced event = registry.Settled(station);
  const auto advance = [&](payment::v1::PaymentState to) {
    event.set_from(event.state());
    event.set_state(to);
    registry.Apply(event);
  };
  registry.Apply(event);
  ASSERT_EQ(registry.Get(station).subsidies_size(), 1);
  EXPECT_EQ(registry.Count("stations WHERE subsidized = 1"), 1);
  advance(payment::v1::PAYMENT_STATE_BANK_RETURNED);
  EXPECT_EQ(registry.Get(station).subsidies_size(), 0);
  EXPECT_EQ(registry.Count("stations WHERE subsidized = 1"), 0);
  EXPECT_EQ(registry.Count("use_reports"), 0) << "nothing to report on";
  EXPECT_TRUE(registry.host().Events<v1::StationSubsidized>().back().taken_back());
  advance(payment::v1::PAYMENT_STATE_INSTRUCTED);
  EXPECT_EQ(registry.Get(station).subsidies_size(), 0);
  const Day later = registry.today() + 7;
  *event.mutable_settled_on() = DayToProto(later);
  event.set_bank_reference("B2");
  advance(payment::v1::PAYMENT_STATE_SETTLED);
  ASSERT_EQ(registry.Get(station).subsidies_size(), 1);
  EXPECT_EQ(DayFromProto(registry.Get(station).subsidies(0).paid_on()), later);
  v1::ListUseReportsResponse reports;
  ASSERT_TRUE(registry
                  .Call(&Handlers::ListUseReports, "ListUseReports", v1::ListUseReportsRequest(),
                        &reports)
                  .ok());
  ASSERT_EQ(reports.use_reports_size(), 1);
  EXPECT_EQ(DayFromProto(reports.use_reports(0).paid_on()), later);
  EXPECT_EQ(reports.use_reports(0).bank_reference(), "B2");
}

// The connection cut at every statement of AcceptFiling, before and after the server got it: the
// caller gets the truth, or an error that a retry of the same request turns into it; in the end
// there is one number.
TEST(Cuts, AcceptFilingHasOneEffect) {
  TestRegistry registry;
  int accepted = 0;
  for (const auto when : {db::CuttingProxy::When::kBefore, db::CuttingProxy::When::kAfter}) {
    for (int n = 1; n <= 40; ++n) {
      const v1::Station filed = registry.File();
      db::CuttingProxy proxy("127.0.0.1", registry.database().serve().port);
      TestRegistry::Replica replica(registry, proxy.port());
      proxy.CutAt(n, when);
      v1::AcceptFilingRequest request = registry.AcceptRequest(filed.name());
      v1::Station answer;
      absl::Status status = registry.Call(replica.handlers(), &Handlers::AcceptFiling,
                                          "AcceptFiling", request, &answer);
      if (!status.ok()) {
        EXPECT_TRUE(status.code() == absl::StatusCode::kUnavailable ||
                    status.code() == absl::StatusCode::kAborted)
            << n << ": " << status;
        status = registry.Call(&Handlers::AcceptFiling, "AcceptFiling", request, &answer);
      }
      ASSERT_TRUE(status.ok()) << n << ": " << status;
      ++accepted;
      EXPECT_EQ(answer.filing_number(), absl::StrFormat("YZ-2026-S-%04d", accepted)) << n;
      EXPECT_EQ(registry.Get(filed.name()).filing_number(), answer.filing_number());
      if (!proxy.cut()) break;  // the call has fewer statements than n
    }
  }
  EXPECT_GT(accepted, 10);
}

}  // namespace
}  // namespace yuezhan::registry
