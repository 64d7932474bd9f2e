// The parts of the chain that need no socket.
#include <map>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "common/rpc/chain.h"
#include "common/rpc/identity.h"
#include "common/rpc/methods.h"
#include "common/rpc/page_token.h"
#include "common/rpc/retry.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::rpc {
namespace {

constexpr char kJournal[] = "yuezhan.journal.v1.JournalService";

TEST(PageToken, BelongsToItsList) {
  registry::v1::ListStationsRequest request;
  request.set_page_size(10);
  EXPECT_EQ(*ReadPageToken("a/List", request), "");
  const std::string key("key\0 with any byte", 18);
  const std::string token = MakePageToken("a/List", request, key);
  request.set_page_token(token);
  EXPECT_EQ(*ReadPageToken("a/List", request), key);
  request.set_page_size(500);  // may change from page to page
  EXPECT_EQ(*ReadPageToken("a/List", request), key);
  EXPECT_EQ(errors::Reason(ReadPageToken("b/List", request).status()), "PAGE_TOKEN_INVALID");

  registry::v1::ListHostUnitsRequest other;
  other.set_page_token(token);
  EXPECT_EQ(ReadPageToken("b/List", other).status().code(), absl::StatusCode::kInvalidArgument);

  for (size_t i = 0; i + 1 < token.size(); ++i) {
    std::string garbled = token;
    garbled[i] = garbled[i] == 'A' ? 'B' : 'A';
    request.set_page_token(garbled);
    EXPECT_FALSE(ReadPageToken("a/List", request).ok()) << i;
    request.set_page_token(token.substr(0, i));
    if (i > 0) {
      EXPECT_FALSE(ReadPageToken("a/List", request).ok()) << i;
    }
  }
}

TEST(PageToken, SizeHasADefault) {
  registry::v1::ListStationsRequest request;
  EXPECT_EQ(PageSize(request), kDefaultPageSize);
  request.set_page_size(7);
  EXPECT_EQ(PageSize(request), 7);
}

// What AddJoined runs, and in what: all between `joined`'s begin and end, the names first.
class Joiner {
 public:
  absl::Status Skip(Context&, const journal::v1::SkipEntryRequest& request,
                    journal::v1::SkipEntryResponse* answer) {
    told.push_back(request.source());
    if (request.source() == "wrong") return errors::NotFound("followers/none");
    EXPECT_EQ(answer->follower().seq(), 0) << "as empty as for a call alone";
    answer->mutable_follower()->set_seq(7);
    return absl::OkStatus();
  }
  absl::Status Ahead(const std::vector<std::string>& names) {
    told.push_back(Concat({"ahead ", std::to_string(names.size())}));
    return absl::OkStatus();
  }
  // Of requests with these sources, the last of whom waits until `last`.
  absl::Status Together(const std::vector<std::string>& sources, absl::Time last) {
    Service service(kJournal, [&](absl::Time deadline, absl::FunctionRef<absl::Status()> handlers) {
      EXPECT_EQ(deadline, last);
      told.push_back("begin");
      const absl::Status status = handlers();
      told.push_back(status.ok() ? "commit" : "rollback");
      return status;
    });
    service.AddJoined("SkipEntry", &Joiner::Skip, this, &Joiner::Ahead);
    std::vector<journal::v1::SkipEntryRequest> requests(sources.size());
    std::vector<journal::v1::SkipEntryResponse> answers(sources.size());
    std::vector<Context> contexts(sources.size());
    std::vector<Service::Called> calls;
    for (size_t i = 0; i < sources.size(); ++i) {
      requests[i].set_source(sources[i]);
      answers[i].mutable_follower()->set_seq(1);  // left by an attempt before
      contexts[i].deadline = last - absl::Seconds(static_cast<int64_t>(i));
      calls.push_back({contexts[i], requests[i], &answers[i]});
    }
    EXPECT_EQ(service.methods()[0].together, 2);
    return service.methods()[0].run_together(calls);
  }
  std::vector<std::string> told;
};

TEST(Joined, HandlersRunInOneTransactionUntilOneFails) {
  using Told = std::vector<std::string>;
  const absl::Time last = absl::FromUnixSeconds(1'000'000);
  Joiner joiner;
  ASSERT_TRUE(joiner.Together({"a", "b"}, last).ok());
  EXPECT_EQ(joiner.told, (Told{"begin", "ahead 2", "a", "b", "commit"}));
  joiner.told.clear();
  EXPECT_TRUE(absl::IsNotFound(joiner.Together({"a", "wrong", "c"}, last)));
  EXPECT_EQ(joiner.told, (Told{"begin", "ahead 3", "a", "wrong", "rollback"}));
}

TEST(Retry, OnlyWhatTheContractDeclaresSafe) {
  journal::v1::SkipEntryRequest skip;
  const std::string method = Concat({kJournal, "/SkipEntry"});
  EXPECT_FALSE(IsSafeToRepeat(method, skip));
  skip.set_request_id("r1");
  EXPECT_TRUE(IsSafeToRepeat(method, skip));
  EXPECT_TRUE(
      IsSafeToRepeat(Concat({kJournal, "/ReadEntries"}), journal::v1::ReadEntriesRequest()));
  EXPECT_FALSE(IsSafeToRepeat("no.such.Service/Method", journal::v1::ReadEntriesRequest()));
}

TEST(Retry, OnlyWhatMayPass) {
  EXPECT_TRUE(IsTransient(errors::Unavailable("database")));
  EXPECT_TRUE(IsTransient(errors::Conflict()));
  EXPECT_TRUE(IsTransient(errors::Overloaded(absl::Seconds(1))));
  EXPECT_FALSE(IsTransient(errors::EtagMismatch("stations/1")));
  EXPECT_FALSE(IsTransient(absl::ResourceExhaustedError("Received message larger than max")));
  EXPECT_FALSE(IsTransient(errors::DeadlineExceeded()));
  EXPECT_FALSE(IsTransient(errors::NotFound("stations/1")));
}

TEST(Retry, BacksOffWithJitterAndAsAsked) {
  const absl::Status plain = absl::UnavailableError("");
  const absl::Duration first = absl::Milliseconds(50);
  EXPECT_EQ(Backoff(1, first, 1, plain), absl::Milliseconds(50));
  EXPECT_EQ(Backoff(1, first, 0, plain), absl::Milliseconds(25));
  EXPECT_EQ(Backoff(3, first, 1, plain), absl::Milliseconds(200));
  EXPECT_EQ(Backoff(30, first, 1, plain), absl::Seconds(2));
  EXPECT_EQ(Backoff(1, first, 0, errors::Overloaded(absl::Seconds(3))), absl::Seconds(3));
}

TEST(Trace, IsTakenOrMade) {
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
  EXPECT_EQ(TraceIdOf("00-" + id + "-00f067aa0ba902b7-01"), id);
  EXPECT_EQ(TraceIdOf(TraceParent(id)), id);
  for (const char* bad : {"", "00-", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01"}) {
    EXPECT_EQ(TraceIdOf(bad).size(), 32u);
    EXPECT_NE(TraceIdOf(bad), TraceIdOf(bad));
  }
}

TEST(Status, SaysNothingOfTheInside) {
  CallRecord record;
  const absl::Status status =
      WithDetails(absl::UnknownError("password of the database is 123"), &record);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.ToString().find("password"), std::string::npos);
  EXPECT_EQ(errors::Metadata(status, "incident"), record.incident);
  EXPECT_NE(record.fault.find("password"), std::string::npos);

  const std::map<absl::StatusCode, std::string> kReasons = {
      {absl::StatusCode::kUnavailable, "UNAVAILABLE"},
      {absl::StatusCode::kAborted, "CONFLICT"},
      {absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED"},
      {absl::StatusCode::kInvalidArgument, "INVALID_FIELD"},
      {absl::StatusCode::kNotFound, "INTERNAL"},
  };
  for (const auto& [code, reason] : kReasons) {
    EXPECT_EQ(errors::Reason(WithDetails(absl::Status(code, "x"), &record)), reason);
  }
  EXPECT_EQ(errors::Reason(WithDetails(errors::NotFound("a/1"), &record)), "NOT_FOUND");
}

// What asks and asks while nothing happens must not flood the log; what goes wrong stands there.
TEST(LogCall, LeavesOutWhatIsRoutine) {
  const struct {
    const char *method, *subject, *code;
    bool told;
  } kCases[] = {
      {"yuezhan.journal.v1.JournalService/ReadEntries", "service:review", "OK", false},
      {"yuezhan.journal.v1.JournalService/ReadEntries", "service:review", "UNAVAILABLE", true},
      {"yuezhan.journal.v1.JournalService/ReadEntries", "auditor-1", "OK", true},
      {"yuezhan.journal.v1.JournalService/GetHead", "service:review", "OK", true},
      {"grpc.health.v1.Health/Check", "", "OK", false},
  };
  for (const auto& one : kCases) {
    CallRecord record;
    record.method = one.method;
    record.subject = one.subject;
    record.code = one.code;
    FlushLog();  // what was logged before
    testing::internal::CaptureStderr();
    LogCall(record);
    FlushLog();
    EXPECT_EQ(!testing::internal::GetCapturedStderr().empty(), one.told)
        << one.method << " " << one.subject << " " << one.code;
  }
}

// Every method of the journal's contract, with a handler of its own types.
Service WholeService(const std::string& but = "") {
  Service service(kJournal);
  const auto* contract =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(kJournal);
  auto* factory = google::protobuf::MessageFactory::generated_factory();
  for (int i = 0; i < contract->method_count(); ++i) {
    const auto& method = *contract->method(i);
    if (method.name() == but) continue;
    service.AddMethod({method.name(), factory->GetPrototype(method.input_type()),
                       factory->GetPrototype(method.output_type()),
                       [](Context&, const auto&, auto*) { return absl::OkStatus(); }});
  }
  return service;
}

TEST(Methods, StartStopsAtEveryMistake) {
  journal::v1::Entry::default_instance();
  EXPECT_EQ(Methods().Bind(WholeService()), absl::OkStatus());
  const auto message = [](const absl::Status& status) { return std::string(status.message()); };

  EXPECT_EQ(message(Methods().Bind(WholeService("GetHead"))),
            Concat({kJournal, ".GetHead has no handler"}));
  EXPECT_EQ(message(Methods().Bind(Service("no.such.Service"))),
            "no.such.Service is not in the contract linked in");

  Service wrong = WholeService("GetHead");
  wrong.AddMethod({"GetHead", &journal::v1::GetHeadRequest::default_instance(),
                   &journal::v1::Head::default_instance(), nullptr});
  EXPECT_NE(message(Methods().Bind(wrong)).find("GetHead has a handler of other types"),
            std::string::npos);
  EXPECT_NE(
      message(Methods().Bind(WholeService().AddMethod({"GetFoot", nullptr, nullptr, nullptr})))
          .find("no method GetFoot"),
      std::string::npos);

  const auto no_rows = [](std::string_view) -> const auth::Permission* { return nullptr; };
  EXPECT_EQ(message(Methods().Bind(WholeService(), no_rows)),
            Concat({kJournal, "/ReadEntries has no row in the permission table"}));
  Methods twice;
  EXPECT_TRUE(twice.Bind(WholeService()).ok());
  EXPECT_FALSE(twice.Bind(WholeService()).ok());
}

}  // namespace
}  // namespace yuezhan::rpc
