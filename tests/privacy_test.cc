// Account and mobile numbers that can be told from all others run through the whole flow; then
// everything that the product leaves or shows is searched for them.

#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/db/session.h"
#include "common/errors/errors.h"
#include "common/metrics/test_scrape.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "services/yz/demo/demo.h"
#include "services/yz/files.h"
#include "services/yz/process.h"
#include "tests/harvest.h"
#include "tests/sample_request.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::tests {
namespace {

constexpr char kGetStation[] = "yuezhan.registry.v1.RegistryService/GetStation";

// Every value of every column of every table of a schema, one after the other.
std::string Dump(const db::Options& options) {
  db::Session session(options);
  std::string dump;
  std::map<std::string, std::string> columns;
  for (const db::Row& row : session.QueryText(
           "SELECT table_name AS t, column_name AS c FROM information_schema.columns "
           "WHERE table_schema = DATABASE()")) {
    absl::StrAppend(&columns[row.Text(0)], ", ", row.Text(1));
  }
  EXPECT_GT(columns.size(), 4u);
  for (const auto& [table, names] : columns) {
    for (const db::Row& row : session.QueryText(
             absl::StrCat("SELECT CAST(CONCAT_WS('|'", names, ") AS BINARY) FROM ", table))) {
      absl::StrAppend(&dump, row.Bytes(0), "\n");
    }
  }
  return dump;
}

class Privacy : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    TestStack::Options options{.tls = true};
    for (std::string_view service : yz::kServices) {
      const int port = yz::ReservedPort::Take().value()->number();
      ports_.push_back(port);
      options.settings[std::string(service)] = {absl::StrCat("--metrics_listen=127.0.0.1:", port),
                                                "--log_level=debug"};
    }
    stack_ = new TestStack(std::move(options));
    yz::Scenario scenario = yz::BuiltInScenario().value();
    int64_t next = 7'305'000'017;
    const auto plant = [&](const std::string& prefix) {
      planted_.push_back(absl::StrCat(prefix, next += 7919));
      return planted_.back();
    };
    for (yz::DemoStation& station : scenario.stations) {
      station.form.mutable_principal()->set_mobile(plant("1").substr(0, 11));
      station.form.mutable_contact()->set_mobile(plant("1").substr(0, 11));
      station.host.mutable_account()->set_number(plant("622202"));
    }
    for (yz::DemoObjection& objection : scenario.objections) {
      objection.objection.set_objector_contact(plant("1"));
    }
    auto demo = yz::Demo::Create(stack_->client(), told_, scenario).value();
    for (const auto& step : demo->steps()) {
      const absl::Status status = demo->Run(step);
      ASSERT_TRUE(status.ok()) << status << told_.str();
    }
    station_name_ = scenario.stations[0].form.display_name();
    everything_ = ListEverything(*stack_, Auditor());
  }
  static void TearDownTestSuite() { delete stack_; }

  static Caller Auditor() { return {"auditor", "审计", {Role::kAuditor}, ""}; }

  static void ExpectNone(const std::string& where, const std::string& text) {
    EXPECT_FALSE(text.empty()) << where;
    for (const std::string& number : planted_) {
      const size_t at = text.find(number);
      EXPECT_EQ(at, std::string::npos)
          << number << " in " << where << ": …"
          << (at == std::string::npos ? "" : text.substr(at < 80 ? 0 : at - 80, 120));
    }
  }

  static TestStack* stack_;
  static std::ostringstream told_;
  static std::vector<int> ports_;
  static std::vector<std::string> planted_;
  static std::string station_name_;
  static Harvest everything_;
};

TestStack* Privacy::stack_ = nullptr;
std::ostringstream Privacy::told_;
std::vector<int> Privacy::ports_;
std::vector<std::string> Privacy::planted_;
std::string Privacy::station_name_;
Harvest Privacy::everything_;

TEST_F(Privacy, NoneInTheDatabases) {
  for (std::string_view service : yz::kServices) {
    const std::string dump = Dump(stack_->stack().Database(std::string(service)));
    ExpectNone(absl::StrCat("schema ", std::string(service)), dump);
  }
  // The search finds what stands there in clear.
  EXPECT_TRUE(absl::StrContains(Dump(stack_->stack().Database("registry")), "RegistryService"));
}

TEST_F(Privacy, NoneInLogsAndMetrics) {
  for (std::string_view each : yz::kServices) {
    const std::string service(each);
    const std::string log = yz::ReadFile(stack_->stack().LogFile(service)).value();
    EXPECT_TRUE(absl::StrContains(log, "\"call\""));
    ExpectNone("log of " + service, log);
  }
  ExpectNone("log of the bank", yz::ReadFile(stack_->stack().LogFile("bank")).value());
  for (int port : ports_) {
    const std::string metrics = metrics::Scrape(port);
    EXPECT_TRUE(absl::StrContains(metrics, "yuezhan_calls_total"));
    ExpectNone("metrics", metrics);
  }
}

TEST_F(Privacy, NoneInTheJournalsFeed) {
  for (std::string_view each : yz::kServices) {
    journal::v1::ReadEntriesRequest request;
    request.set_page_size(500);
    journal::v1::ReadEntriesResponse answer;
    const absl::Status status =
        stack_->client().CallAt(std::string(each), Auditor(),
                                "yuezhan.journal.v1.JournalService/ReadEntries", request, &answer);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_GT(answer.entries_size(), 5);
    ExpectNone(absl::StrCat("journal of ", std::string(each)), answer.SerializeAsString());
  }
}

TEST_F(Privacy, NoneInAnswersToWhoHasNoNeed) {
  for (const Role role : {Role::kAuditor, Role::kDirector, Role::kOperator, Role::kPublic}) {
    Harvest seen = role == Role::kAuditor
                       ? everything_
                       : ListEverything(*stack_, {"somebody", "某人", {role}, ""});
    std::string text;
    for (const std::string& answer : seen.answers) text += answer;
    if (role == Role::kDirector) {
      // A director authorizes payments and sees the payee's account there, and no telephone.
      for (const std::string& number : planted_) {
        EXPECT_FALSE(number[0] == '1' && absl::StrContains(text, number)) << number;
      }
      continue;
    }
    ExpectNone(absl::StrCat("answers to role ", static_cast<int>(role)), text);
  }
}

TEST_F(Privacy, NoneInErrors) {
  std::string told;
  const Caller officer{"officer", "备案员", {Role::kFilingOfficer}, ""};
  for (const auto* method : AllMethods()) {
    for (const std::string& number : {planted_[0], planted_[2]}) {
      // In every text field of the request, where it has no business.
      const auto request = NewRequest(*method);
      FillSample(request.get());
      for (int i = 0; i < method->input_type()->field_count(); ++i) {
        const auto* field = method->input_type()->field(i);
        if (field->type() != google::protobuf::FieldDescriptor::TYPE_STRING || field->is_repeated())
          continue;
        request->GetReflection()->SetString(request.get(), field, number);
      }
      const auto answer = NewAnswer(*method);
      const absl::Status status = stack_->client().CallAt(ServerOf(*method), officer,
                                                          PathOf(*method), *request, answer.get());
      absl::StrAppend(&told, errors::Details(status).SerializeAsString(), status.message());
    }
  }
  ExpectNone("errors", told);
  for (std::string_view service : yz::kServices) {
    ExpectNone("log after errors",
               yz::ReadFile(stack_->stack().LogFile(std::string(service))).value());
  }
}

TEST_F(Privacy, ReadingInClearIsJournaled) {
  std::string station;
  for (const std::string& name : everything_.names) {
    if (FitsPattern(name, "stations/*")) station = name;
  }
  registry::v1::GetStationRequest request;
  request.set_name(station);
  const auto reads = [&] {
    return stack_->Count("registry", "journal",
                         "INSTR(public_part, 'officer-who-looks') > 0 AND INSTR(public_part, '" +
                             station + "') > 0");
  };
  const Caller officer{"officer-who-looks", "查阅人", {Role::kFilingOfficer}, ""};
  registry::v1::Station seen;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stack_->client().Call(officer, kGetStation, request, &seen).ok());
  }
  bool clear = false;
  for (const std::string& number : planted_) {
    clear |= absl::StrContains(seen.SerializeAsString(), number);
  }
  EXPECT_TRUE(clear) << "who files sees the telephones";
  EXPECT_EQ(reads(), 1);
  // Who sees it masked leaves nothing.
  const int64_t before = stack_->CountAll("journal");
  ASSERT_TRUE(stack_->client().Call(Auditor(), kGetStation, request, &seen).ok());
  EXPECT_EQ(stack_->CountAll("journal"), before);
}

}  // namespace
}  // namespace yuezhan::tests
