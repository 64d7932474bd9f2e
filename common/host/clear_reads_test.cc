#include "common/host/clear_reads.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "common/db/pool.h"
#include "common/host/test_host.h"
#include "gtest/gtest.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan {
namespace {

class ClearReadsTest : public testing::Test {
 protected:
  ClearReadsTest() {
    officer_ = host_.Person(Role::kFilingOfficer, "officer-1");
    officer_.method = "yuezhan.registry.v1.RegistryService/GetStation";
  }

  journal::v1::PublicPart LastEntry() {
    auto session = host_.database().pool().Acquire(absl::InfiniteFuture()).value();
    journal::v1::PublicPart entry;
    entry.ParseFromString(
        session->QueryText("SELECT public_part FROM journal ORDER BY id DESC LIMIT 1")[0].Bytes(0));
    return entry;
  }

  TestHost host_{"registry", {}};
  ClearReads reads_{host_.journal()};
  Context officer_;
};

TEST_F(ClearReadsTest, TellWhoReadWhose) {
  ASSERT_TRUE(reads_.Record(officer_, {{"stations/1", "stations/2"}}).ok());
  const journal::v1::PublicPart entry = LastEntry();
  EXPECT_EQ(entry.subject(), "officer-1");
  EXPECT_EQ(entry.method(), officer_.method);
  journal::v1::PersonalRead event;
  ASSERT_EQ(entry.events_size(), 1);
  ASSERT_TRUE(entry.events(0).UnpackTo(&event));
  ASSERT_EQ(event.resources_size(), 2);
  EXPECT_EQ(event.resources(1), "stations/2");
}

TEST_F(ClearReadsTest, OneEntryForTenMinutesWhoeverAnswers) {
  const auto replica = host_.NewReplica();
  ClearReads other(*replica.journal);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      ClearReads& which = i % 2 == 0 ? reads_ : other;
      for (int n = 0; n < 5; ++n) {
        const absl::Status status = which.Record(officer_, {{"stations/1"}});
        EXPECT_TRUE(status.ok()) << status;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(host_.Count("journal"), 1);

  Context colleague = officer_;
  colleague.caller.subject = "officer-2";
  ASSERT_TRUE(reads_.Record(colleague, {{"stations/1"}}).ok());
  ASSERT_TRUE(reads_.Record(officer_, {{"stations/2"}}).ok());
  EXPECT_EQ(host_.Count("journal"), 3);
  ASSERT_TRUE(host_.clock().Advance(absl::Minutes(10)).ok());
  ASSERT_TRUE(reads_.Record(officer_, {{"stations/1"}}).ok());
  EXPECT_EQ(host_.Count("journal"), 4);
}

// Those that come while others are written share a transaction, and each has its entry.
TEST_F(ClearReadsTest, OfManyAtOnceEachHasItsEntry) {
  constexpr int kThreads = 8, kEach = 20;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Context context = officer_;
      for (int n = 0; n < kEach; ++n) {
        // Every fourth is too late, and fails no other.
        context.deadline = n % 4 == 0 ? absl::InfinitePast() : absl::InfiniteFuture();
        const absl::Status status =
            reads_.Record(context, {{absl::StrCat("stations/", i, "-", n)}});
        if (n % 4 != 0) EXPECT_TRUE(status.ok()) << status;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GE(host_.Count("journal"), kThreads * kEach * 3 / 4);
  // What is told to be written was: it is known, and there is no second entry.
  const int64_t entries = host_.Count("journal");
  for (int i = 0; i < kThreads; ++i) {
    ASSERT_TRUE(reads_.Record(officer_, {{absl::StrCat("stations/", i, "-1")}}).ok());
  }
  EXPECT_EQ(host_.Count("journal"), entries);
}

TEST_F(ClearReadsTest, WhatCannotBeRecordedIsAnError) {
  officer_.deadline = absl::InfinitePast();
  EXPECT_FALSE(reads_.Record(officer_, {{"stations/1"}}).ok());
  EXPECT_EQ(host_.Count("journal"), 0);
}

}  // namespace
}  // namespace yuezhan
