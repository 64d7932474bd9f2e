// Calls that wait together, answered together: over a real socket, what each caller gets.
#include <map>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "common/errors/errors.h"
#include "common/rpc/test_support.h"
#include "gtest/gtest.h"

namespace yuezhan::rpc {
namespace {

using absl::StatusCode;

constexpr int kCallers = 6;
constexpr int64_t kWrong = 3;  // the call that cannot be answered, where one cannot

class Together : public ::testing::Test, protected ServerTest {
 protected:
  static int64_t Number(const google::protobuf::Message& request) {
    return static_cast<const journal::v1::ReadEntriesRequest&>(request).after_seq();
  }
  static void Answer(const google::protobuf::Message& request, google::protobuf::Message* answer) {
    static_cast<journal::v1::ReadEntriesResponse*>(answer)->mutable_head()->set_seq(
        Number(request));
  }

  // A first call, number 0, holds its handler until the other callers wait. Returns what each got,
  // by number; OK: with its own answer.
  std::map<int64_t, absl::Status> CallAll() {
    handler = [this](Context&, const auto& request, auto* answer) -> absl::Status {
      if (Number(request) == 0) {
        held_.Notify();
        release_.WaitForNotification();
      } else {
        ++alone;
      }
      if (Number(request) == wrong) return errors::NotFound("stations/none");
      Answer(request, answer);
      return absl::OkStatus();
    };
    options.together_patience = absl::InfiniteDuration();
    options.callers.calls = 2 * kCallers;
    Start();
    ChannelOptions client;
    client.max_attempts = attempts;
    const auto channel = Client(std::move(client));
    std::vector<std::thread> callers;
    std::map<int64_t, absl::Status> statuses;
    absl::Mutex mutex;
    const auto call = [&](int64_t number) {
      journal::v1::ReadEntriesRequest request;
      request.set_after_seq(number);
      journal::v1::ReadEntriesResponse answer;
      absl::Status status = channel->Call(
          kReadEntries, request, &answer, {.token = Token({Role::kAuditor})});
      if (status.ok()) {
        EXPECT_EQ(answer.head().seq(), number);
      }
      absl::MutexLock lock(&mutex);
      statuses[number] = std::move(status);
    };
    callers.emplace_back(call, 0);
    held_.WaitForNotification();
    for (int64_t i = 1; i <= kCallers; ++i) callers.emplace_back(call, i);
    const absl::Time given_up = absl::Now() + absl::Seconds(30);
    while (server->load().queued < kCallers && absl::Now() < given_up) {
      absl::SleepFor(absl::Milliseconds(1));
    }
    EXPECT_EQ(server->load().queued, kCallers) << "did not come to wait";
    release_.Notify();
    for (std::thread& caller : callers) caller.join();
    return statuses;
  }

  int64_t wrong = -1;
  int attempts = 5;             // of a client
  std::atomic<int> alone = 0;   // calls that the handler of one answered, but the first
  std::vector<size_t> groups;   // sizes
  absl::Mutex groups_mutex;
  absl::Notification held_, release_;
};

TEST_F(Together, WhatWaitsIsAnsweredAtOnceAndEachGetsItsOwn) {
  together = [&](absl::Span<const Service::Called> calls) {
    absl::MutexLock lock(&groups_mutex);
    groups.push_back(calls.size());
    for (const auto& call : calls) Answer(call.request, call.answer);
    return absl::OkStatus();
  };
  for (const auto& [number, status] : CallAll()) EXPECT_TRUE(status.ok()) << number << status;
  EXPECT_EQ(groups, std::vector<size_t>{kCallers});
}

TEST_F(Together, OneThatFailsIsNoFaultOfTheOthers) {
  wrong = kWrong;
  together = [&](absl::Span<const Service::Called> calls) -> absl::Status {
    for (const auto& call : calls) {
      Answer(call.request, call.answer);  // what was answered before the failure counts for nothing
      if (Number(call.request) == kWrong) return errors::NotFound("stations/none");
    }
    return absl::OkStatus();
  };
  for (const auto& [number, status] : CallAll()) {
    EXPECT_EQ(status.code(), number == kWrong ? StatusCode::kNotFound : StatusCode::kOk)
        << number << status;
  }
}

TEST_F(Together, AFaultOfTheHandlerOfSeveralIsMendedByThatOfOne) {
  together = [&](absl::Span<const Service::Called>) -> absl::Status {
    throw std::runtime_error("not today");
  };
  for (const auto& [number, status] : CallAll()) EXPECT_TRUE(status.ok()) << number << status;
  EXPECT_EQ(alone, kCallers);
}

TEST_F(Together, AnOutageIsEveryones) {
  together = [&](absl::Span<const Service::Called>) { return errors::Unavailable("database"); };
  attempts = 1;
  for (const auto& [number, status] : CallAll()) {
    EXPECT_EQ(status.code(), number == 0 ? StatusCode::kOk : StatusCode::kUnavailable) << number;
  }
  EXPECT_EQ(alone, 0);
}

// While one handler is held up, the others of its method do not wait for it for long.
TEST_F(Together, AHandlerThatIsHeldUpHoldsNobody) {
  together = [&](absl::Span<const Service::Called> calls) {
    for (const auto& call : calls) Answer(call.request, call.answer);
    return absl::OkStatus();
  };
  options.callers.calls = 2 * kCallers;
  absl::BlockingCounter others(kCallers);
  handler = [&](Context&, const auto& request, auto* answer) {
    if (Number(request) == 0) {
      held_.Notify();
      release_.WaitForNotification();
    }
    Answer(request, answer);
    return absl::OkStatus();
  };
  Start();
  const auto channel = Client();
  const auto call = [&](int64_t number) {
    journal::v1::ReadEntriesRequest request;
    request.set_after_seq(number);
    journal::v1::ReadEntriesResponse answer;
    EXPECT_TRUE(
        channel->Call(kReadEntries, request, &answer, {.token = Token({Role::kAuditor})}).ok());
    EXPECT_EQ(answer.head().seq(), number);
  };
  std::vector<std::thread> callers;
  callers.emplace_back(call, 0);
  held_.WaitForNotification();
  for (int64_t i = 1; i <= kCallers; ++i) {
    callers.emplace_back([&, i] {
      call(i);
      others.DecrementCount();
    });
  }
  others.Wait();  // while the first is held still
  release_.Notify();
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace yuezhan::rpc
