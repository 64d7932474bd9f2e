#include "common/rpc/server.h"

#include <fstream>
#include <stdexcept>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/errors/errors.h"
#include "common/rpc/test_support.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace yuezhan::rpc {
namespace {

using absl::StatusCode;

const RoleSet kAuditor = {Role::kAuditor};

class RpcServer : public ::testing::Test, protected ServerTest {
 protected:
  std::vector<std::pair<std::string, std::string>> Authorized() {
    return {{"authorization", absl::StrCat("Bearer ", Token(kAuditor))}};
  }
  // The reason in a raw answer's details.
  static std::string ReasonOf(const RawAnswer& answer) {
    google::rpc::Status details;
    EXPECT_TRUE(details.ParseFromString(answer.details));
    EXPECT_EQ(details.code(), answer.code);
    return errors::Reason(errors::FromDetails(details));
  }
};

TEST_F(RpcServer, HandlerSeesTheCallerAndAFiniteDeadline) {
  Context seen;
  handler = [&](Context& context, const auto& request, auto* answer) {
    seen = context;
    const auto& read = static_cast<const journal::v1::ReadEntriesRequest&>(request);
    static_cast<journal::v1::ReadEntriesResponse*>(answer)->mutable_head()->set_seq(
        read.after_seq());
    return absl::OkStatus();
  };
  options.port_file = directory.File("port");
  Start();
  const auto channel = Client();
  journal::v1::ReadEntriesRequest request;
  request.set_after_seq(42);
  journal::v1::ReadEntriesResponse answer;
  const std::string trace(32, 'a');
  ASSERT_EQ(
      channel->Call(kReadEntries, request, &answer, {.token = Token(kAuditor), .trace_id = trace}),
      absl::OkStatus());
  EXPECT_EQ(answer.head().seq(), 42);
  EXPECT_EQ(seen.caller.subject, "tester");
  EXPECT_EQ(seen.caller.roles.bits, kAuditor.bits);
  EXPECT_EQ(seen.method, kReadEntries);
  EXPECT_EQ(seen.trace_id, trace);

  // A client without a deadline gets the server's own.
  EXPECT_EQ(
      CallRaw(Target(), absl::StrCat("/", kReadEntries), "", Authorized(), absl::InfiniteDuration())
          .code,
      0);
  EXPECT_LE(seen.deadline, absl::Now() + options.max_deadline);
  EXPECT_GT(seen.deadline, absl::Now() + options.max_deadline - absl::Seconds(5));

  std::ifstream file(options.port_file);
  int port = 0;
  file >> port;
  EXPECT_EQ(port, server->port());
}

TEST_F(RpcServer, EveryRefusalHasItsReason) {
  handler = [](Context&, const auto&, auto*) -> absl::Status {
    throw std::runtime_error("secret of the inside");
  };
  Start();
  const auto channel = Client();
  const auto reason = [&](const std::string& token, const char* method,
                          const google::protobuf::Message& request) {
    journal::v1::ReadEntriesResponse answer;
    return errors::Reason(channel->Call(method, request, &answer, {.token = token}));
  };
  const journal::v1::ReadEntriesRequest read;
  EXPECT_EQ(reason("", kReadEntries, read), "UNAUTHENTICATED");
  EXPECT_EQ(reason("x.y.z", kReadEntries, read), "UNAUTHENTICATED");
  EXPECT_EQ(reason(Token({Role::kHostUnit}), kReadEntries, read), "PERMISSION_DENIED");
  EXPECT_EQ(reason(Token({}), kReadEntries, read), "PERMISSION_DENIED");
  EXPECT_EQ(reason(Token(kAuditor), "yuezhan.journal.v1.JournalService/Nothing", read),
            "METHOD_UNKNOWN");
  // Permission before validation: who may not call learns nothing of the request.
  EXPECT_EQ(reason(Token(kAuditor), kSkipEntry, journal::v1::SkipEntryRequest()),
            "PERMISSION_DENIED");
  EXPECT_EQ(reason(Token({Role::kOperator}), kSkipEntry, journal::v1::SkipEntryRequest()),
            "INVALID_FIELD");

  const absl::Status fault = Read(*channel, Token(kAuditor));
  EXPECT_EQ(fault.code(), StatusCode::kInternal);
  EXPECT_EQ(fault.ToString().find("secret"), std::string::npos) << fault;
  const CallRecord last = Records().back();
  EXPECT_EQ(errors::Metadata(fault, "incident"), last.incident);
  EXPECT_EQ(last.code, "INTERNAL");
  EXPECT_NE(last.fault.find("secret of the inside"), std::string::npos);
  EXPECT_EQ(Records().size(), 8u);
}

TEST_F(RpcServer, DetailsOfFullSizeArrive) {
  handler = [](Context&, const auto&, auto*) {
    std::vector<errors::FieldViolation> many;
    for (int i = 0; i < 60; ++i) {
      many.push_back({"field" + std::string(40, 'x'), std::string(300, 'z'), "must be given"});
    }
    return errors::InvalidFields(many);
  };
  Start();
  const absl::Status status = Read(*Client(), Token(kAuditor));
  EXPECT_EQ(errors::Reason(status), "INVALID_FIELD") << status;
  EXPECT_GT(errors::Details(status).ByteSizeLong(), 3500u);
}

TEST_F(RpcServer, GarbageIsRefusedWithDetails) {
  int handled = 0;
  handler = [&](Context&, const auto&, auto*) {
    ++handled;
    return absl::OkStatus();
  };
  Start();
  const std::string read = absl::StrCat("/", kReadEntries);
  const auto token = Authorized();
  const struct {
    std::string bytes;
    const char* reason;
  } kCases[] = {
      {"\xff\xff\xff", "MALFORMED"},
      {std::string("\x08", 1), "MALFORMED"},              // a field without its value
      {std::string("\x9a\x06\x7f\x00", 4), "MALFORMED"},  // a length beyond the end
      {std::string(1 << 20, '\x0b'), "MALFORMED"},        // groups that never end
      {std::string("\x98\x06\x01", 3), "INVALID_FIELD"},  // unknown field 99
      {std::string("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11), "INVALID_FIELD"},  // -1
      {std::string((4 << 20) + 1, '\0'), "TOO_LARGE"},
      {std::string(5 << 20, '\0'), "TOO_LARGE"},
  };
  for (const auto& each : kCases) {
    const RawAnswer answer = CallRaw(Target(), read, each.bytes, token);
    EXPECT_EQ(answer.code, static_cast<int>(StatusCode::kInvalidArgument)) << answer.message;
    EXPECT_EQ(ReasonOf(answer), each.reason);
  }
  // Beyond what the transport takes gRPC answers itself, without details.
  EXPECT_EQ(CallRaw(Target(), read, std::string(8 << 20, '\0'), token).code,
            static_cast<int>(StatusCode::kResourceExhausted));
  // No message at all.
  const RawAnswer none = CallRaw(Target(), read, "", token, absl::Seconds(10), false);
  EXPECT_EQ(none.code, static_cast<int>(StatusCode::kInvalidArgument)) << none.message;
  // Strange paths.
  for (const char* path : {"/", "//", "/grpc.health.v1.Health/Watch", "/x",
                           "/yuezhan.journal.v1.JournalService/", "/a/b/c"}) {
    EXPECT_EQ(CallRaw(Target(), path, "", token).code, static_cast<int>(StatusCode::kUnimplemented))
        << path;
  }
  // Headers beyond the limit; the connection's other calls go on.
  auto headers = token;
  headers.emplace_back("x-large", std::string(100 << 10, 'x'));
  EXPECT_NE(CallRaw(Target(), read, "", headers).code, 0);
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(CallRaw(Target(), read, "", token).code, 0);
  EXPECT_EQ(handled, 1);
}

TEST_F(RpcServer, ReflectionListsTheServices) {
  Start();
  const RawAnswer answer =
      CallRaw(Target(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              std::string("\x3a\x00", 2));
  EXPECT_NE(answer.bytes.find(kJournal), std::string::npos) << answer.message;
  EXPECT_NE(answer.bytes.find("grpc.health.v1.Health"), std::string::npos);
  // Its types too: file_containing_symbol (field 4).
  const std::string symbol = kJournal;
  const RawAnswer file =
      CallRaw(Target(), "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
              absl::StrCat("\x22", std::string(1, static_cast<char>(symbol.size())), symbol));
  EXPECT_NE(file.bytes.find("ReadEntriesRequest"), std::string::npos) << file.message;
}

TEST_F(RpcServer, HealthFollowsTheProbe) {
  std::atomic<bool> healthy = false;
  options.probe = [&] { return healthy.load(); };
  options.probe_interval = absl::Milliseconds(5);
  Start();
  const auto health = [&](const std::string& service) {
    std::string request;
    if (!service.empty()) {
      request = absl::StrCat("\x0a", std::string(1, static_cast<char>(service.size())), service);
    }
    return CallRaw(Target(), "/grpc.health.v1.Health/Check", request).bytes;
  };
  const std::string kServing("\x08\x01", 2), kNotServing("\x08\x02", 2);
  EXPECT_EQ(health(""), kNotServing);  // right from the first answer on
  const auto becomes = [&](const std::string& service, const std::string& state) {
    const absl::Time limit = absl::Now() + absl::Seconds(10);
    while (absl::Now() < limit && health(service) != state) std::this_thread::yield();
    return health(service) == state;
  };
  healthy = true;
  EXPECT_TRUE(becomes("", kServing));
  EXPECT_TRUE(becomes(kJournal, kServing));
  healthy = false;
  EXPECT_TRUE(becomes(kJournal, kNotServing));
}

TEST_F(RpcServer, ExcessIsRefusedAtOnce) {
  absl::Notification release;
  std::atomic<int> running = 0;
  handler = [&](Context&, const auto&, auto*) {
    ++running;
    release.WaitForNotification();
    return absl::OkStatus();
  };
  options.handler_threads = 2;
  options.queue_length = 3;
  Start();
  ChannelOptions once;
  once.max_attempts = 1;
  const auto channel = Client(once);
  constexpr int kCalls = 20;
  std::atomic<int> good = 0, refused = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < kCalls; ++i) {
    while (i == 2 && running < 2) std::this_thread::yield();  // both handlers are at work
    callers.emplace_back([&] {
      const absl::Status status = Read(*channel, Token(kAuditor));
      if (status.ok()) ++good;
      if (errors::Reason(status) == "OVERLOADED") {
        EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
        EXPECT_GT(errors::RetryAfter(status), absl::ZeroDuration());
        ++refused;
      }
    });
  }
  // The refused answer while the admitted still run: nobody waits for what will not come.
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  while (refused < kCalls - 5 && absl::Now() < limit) std::this_thread::yield();
  EXPECT_EQ(refused, kCalls - 5);
  EXPECT_EQ(running, 2);
  release.Notify();
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(good, 5);
}

TEST_F(RpcServer, OneCallerDoesNotTakeTheOthersHandlers) {
  absl::Notification release;
  handler = [&](Context& context, const auto&, auto*) {
    if (context.caller.subject == "tester") release.WaitForNotification();
    return absl::OkStatus();
  };
  options.callers = {.rate = 0};  // half of the four handlers
  Start();
  ChannelOptions once;
  once.max_attempts = 1;
  const auto channel = Client(once);
  std::atomic<int> good = 0, refused = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 10; ++i) {
    callers.emplace_back([&] {
      const absl::Status status = Read(*channel, Token(kAuditor));
      if (status.ok()) ++good;
      if (errors::Reason(status) == "RATE_LIMITED" &&
          errors::RetryAfter(status) > absl::ZeroDuration()) {
        ++refused;
      }
    });
  }
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  while (refused < 8 && absl::Now() < limit) std::this_thread::yield();
  EXPECT_EQ(refused, 8);
  const std::string other =
      *auth::IssueToken(issuer, {"other", "他人", kAuditor, ""}, absl::Now(), absl::Hours(1));
  EXPECT_EQ(Read(*channel, other), absl::OkStatus());
  release.Notify();
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(good, 2);
}

TEST_F(RpcServer, DeadlineEndsTheWaitAndSparesTheWork) {
  absl::Notification release;
  std::atomic<int> handled = 0;
  handler = [&](Context&, const auto&, auto*) {
    if (++handled == 1) release.WaitForNotification();
    return absl::OkStatus();
  };
  options.handler_threads = 1;
  ChannelOptions brief;
  brief.timeout = absl::Milliseconds(200);
  // By the server's own clock: of the time that a call is given on the wire gRPC rounds up.
  options.max_deadline = brief.timeout;
  Start();
  const auto channel = Client(brief);
  std::vector<std::thread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back(
        [&] { EXPECT_EQ(errors::Reason(Read(*channel, Token(kAuditor))), "DEADLINE_EXCEEDED"); });
  }
  const auto load = [&] { return server->load(); };
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  while ((handled < 1 || load().queued < 2) && absl::Now() < limit) std::this_thread::yield();
  // Both that wait have arrived, so then their deadlines are over, however slow the machine.
  const absl::Time over = absl::Now() + options.max_deadline;
  for (auto& caller : callers) caller.join();
  absl::SleepFor(over - absl::Now());
  release.Notify();
  while ((load().queued > 0 || load().handlers_busy > 0) && absl::Now() < limit) {
    std::this_thread::yield();
  }
  server->Stop();
  EXPECT_EQ(handled, 1);  // the two that had waited in vain were not run
}

TEST_F(RpcServer, StopLetsRunningCallsFinish) {
  absl::Notification started, release;
  handler = [&](Context&, const auto&, auto*) {
    started.Notify();
    release.WaitForNotification();
    return absl::OkStatus();
  };
  Start();
  const auto channel = Client();
  absl::Status running = absl::UnknownError("not yet");
  std::thread caller([&] { running = Read(*channel, Token(kAuditor)); });
  started.WaitForNotification();
  std::thread stopper([&] { server->Stop(); });
  // New calls are turned away while the old one runs.
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  RawAnswer late;
  while (absl::Now() < limit) {
    late = CallRaw(Target(), absl::StrCat("/", kReadEntries), "\xff", Authorized());
    if (late.code == static_cast<int>(StatusCode::kUnavailable)) break;
  }
  EXPECT_EQ(late.code, static_cast<int>(StatusCode::kUnavailable));
  release.Notify();
  caller.join();
  stopper.join();
  EXPECT_EQ(running, absl::OkStatus());
  server->Stop();  // again: nothing
}

TEST_F(RpcServer, StopCutsOffWhatDoesNotEnd) {
  absl::Notification started, release;
  handler = [&](Context&, const auto&, auto*) {
    started.Notify();
    release.WaitForNotification();
    return absl::OkStatus();
  };
  options.drain = absl::Milliseconds(100);
  Start();
  const auto channel = Client();
  absl::Status cut;
  std::thread caller([&] {
    cut = Read(*channel, Token(kAuditor));
    release.Notify();
  });
  started.WaitForNotification();
  server->Stop();
  caller.join();
  EXPECT_FALSE(cut.ok());
}

TEST_F(RpcServer, PortInUseIsAMistakeNotAPair) {
  Start();
  ServerOptions same = options;
  same.listen = Target();
  Server second(same, verifier.get());
  EXPECT_EQ(second.Start().code(), StatusCode::kUnavailable);
}

TEST_F(RpcServer, ClientRepeatsWhatIsSafe) {
  std::atomic<int> calls = 0;
  handler = [&](Context&, const auto&, auto*) {
    return ++calls % 3 != 0 ? errors::Unavailable("database", absl::Seconds(7)) : absl::OkStatus();
  };
  Start();
  ChannelOptions patient;
  patient.timeout = absl::Seconds(60);
  std::vector<absl::Duration> waits;
  patient.sleep = [&](absl::Duration wait) { waits.push_back(wait); };
  const auto channel = Client(patient);
  EXPECT_EQ(Read(*channel, Token(kAuditor)), absl::OkStatus());
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(waits, std::vector<absl::Duration>(2, absl::Seconds(7)));  // as RetryInfo asks

  journal::v1::SkipEntryRequest skip;
  skip.set_request_id("r1");
  skip.set_source("review");
  skip.set_seq(1);
  skip.set_reason("测试");
  journal::v1::SkipEntryResponse answer;
  const CallOptions as_operator = {.token = Token({Role::kOperator})};
  EXPECT_EQ(channel->Call(kSkipEntry, skip, &answer, as_operator), absl::OkStatus());
  EXPECT_EQ(calls, 6);
  // Never beyond the caller's own deadline.
  CallOptions hurried = as_operator;
  hurried.deadline = absl::Now() + absl::Seconds(5);
  EXPECT_EQ(errors::Reason(channel->Call(kSkipEntry, skip, &answer, hurried)), "UNAVAILABLE");
  EXPECT_EQ(calls, 7);
}

TEST_F(RpcServer, ClientFindsARestartedServer) {
  Start();
  const int port = server->port();
  const auto channel = Client();
  EXPECT_EQ(Read(*channel, Token(kAuditor)), absl::OkStatus());
  server->Stop();
  EXPECT_EQ(Read(*channel, Token(kAuditor)).code(), StatusCode::kUnavailable);
  options.listen = absl::StrCat("127.0.0.1:", port);
  Start();
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  absl::Status status;
  do {
    status = Read(*channel, Token(kAuditor));
  } while (!status.ok() && absl::Now() < limit);
  EXPECT_EQ(status, absl::OkStatus());
}

TEST_F(RpcServer, TokenOfARemovedKeyStopsWorking) {
  options.probe_interval = absl::Milliseconds(5);
  Start();
  const auto channel = Client();
  const std::string token = Token(kAuditor);
  EXPECT_EQ(Read(*channel, token), absl::OkStatus());
  std::ofstream(directory.File("keys/next.pem")) << auth::MakeKeyPair()->public_pem;
  std::filesystem::remove(directory.File("keys/city.pem"));
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  absl::Status status;
  while ((status = Read(*channel, token)).ok() && absl::Now() < limit) std::this_thread::yield();
  EXPECT_EQ(errors::Metadata(status, "cause"), "UNKNOWN_KEY");
}

}  // namespace
}  // namespace yuezhan::rpc
