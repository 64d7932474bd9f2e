#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "absl/flags/flag.h"
#include "common/base/clocks.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/base/loop.h"
#include "common/base/money.h"
#include "common/base/settings.h"
#include "google/type/money.pb.h"

ABSL_FLAG(int, test_size, 3, "A number.");
ABSL_FLAG(bool, test_switch, false, "A switch.");
ABSL_FLAG(std::string, test_name, "", "A word.");

namespace yuezhan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string TempPath() {
  std::string dir = testing::TempDir() + "base.XXXXXX";
  return std::string(mkdtemp(dir.data())) + "/file";
}

TEST(SimulatedClock, IsSharedStandsStillAndNeverGoesBack) {
  const std::string path = TempPath();
  auto first = SimulatedClock::Open(path);
  auto second = SimulatedClock::Open(path);
  ASSERT_TRUE(first.ok() && second.ok());
  const absl::Time start = (*first)->Now();
  EXPECT_LT(absl::AbsDuration(WallNow() - start), absl::Seconds(30))
      << "a new file starts at the wall clock";
  ASSERT_TRUE((*first)->Advance(absl::Hours(48)).ok());
  EXPECT_EQ((*second)->Now(), start + absl::Hours(48));
  EXPECT_EQ((*second)->SetTo(start).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*second)->Advance(-absl::Seconds(1)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((*first)->Now(), start + absl::Hours(48));
  ASSERT_TRUE((*second)->SetTo(start + absl::Hours(72)).ok());
  EXPECT_EQ((*first)->Now(), start + absl::Hours(72));
}

TEST(SimulatedClock, RefusesAnotherFile) {
  const std::string path = TempPath();
  std::ofstream(path) << "no clock";
  EXPECT_TRUE(SimulatedClock::Open(path).ok()) << "any eight bytes are a time";
  std::ofstream(path) << "longer than eight";
  EXPECT_EQ(SimulatedClock::Open(path).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(OpenClocks("/nowhere/at/all").status().code(), absl::StatusCode::kUnavailable);
}

TEST(Ids, AreOrderedUniqueUuids) {
  std::vector<std::string> ids(20000);
  for (std::string& id : ids) id = NewUuid();
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size());
  EXPECT_TRUE(IsUuid(ids[0]));
  EXPECT_EQ(ids[0][14], '7');
  EXPECT_THAT(std::string("89ab"), HasSubstr(ids[0].substr(19, 1)));
  EXPECT_EQ(UuidFromBytes(*UuidToBytes(ids[0])).value(), ids[0]);
  const int64_t ms = std::strtoll((ids[0].substr(0, 8) + ids[0].substr(9, 4)).c_str(), nullptr, 16);
  EXPECT_LT(absl::AbsDuration(WallNow() - absl::FromUnixMillis(ms)), absl::Seconds(30));
}

TEST(Ids, NamesFitTheirPatterns) {
  const std::string a = "0190163d-8694-739b-aea5-966c26f8ad91",
                    b = "0190163d-8694-739b-aea5-966c26f8ad92";
  EXPECT_THAT(IdsOf("stations/*/activities/*", Name("stations", a, "activities", b)).value(),
              ElementsAre(a, b));
  EXPECT_EQ(IdOf("stations/*", Name("stations", a)).value(), a);
  for (const std::string& wrong : std::initializer_list<std::string>{
           "", "stations/" + a + "/", "stations/", "stations", "hosts/" + a, "/stations/" + a,
           "stations/0190163D-8694-739b-aea5-966c26f8ad91",
           "stations/0190163d-8694-739b-aea5-966c26f8ad9",
           "stations/0190163d-8694-739b-aea5-966c26f8ad9\n"}) {
    EXPECT_EQ(IdOf("stations/*", wrong).status().code(), absl::StatusCode::kInvalidArgument)
        << wrong;
  }
}

TEST(Money, HasWholeFenOfYuan) {
  struct Case {
    const char* currency;
    int64_t units;
    int32_t nanos;
    int64_t fen;  // -1: refused
  };
  for (const Case& c : std::initializer_list<Case>{{"CNY", 100000, 0, 10'000'000},
                                                   {"CNY", 0, 10'000'000, 1},
                                                   {"CNY", -1, -50'000'000, -105},
                                                   {"CNY", 1'000'000'000'000, 0, kMaxFen},
                                                   {"USD", 1, 0, -1},
                                                   {"", 1, 0, -1},
                                                   {"CNY", 1, -10'000'000, -1},
                                                   {"CNY", 0, 5'000'000, -1},
                                                   {"CNY", 0, 1'000'000'000, -1},
                                                   {"CNY", 1'000'000'000'000, 10'000'000, -1},
                                                   {"CNY", INT64_MAX, 0, -1},
                                                   {"CNY", INT64_MIN, 0, -1}}) {
    google::type::Money money;
    money.set_currency_code(c.currency);
    money.set_units(c.units);
    money.set_nanos(c.nanos);
    const auto fen = FenOf(money);
    EXPECT_EQ(fen.value_or(-1), c.fen) << c.units << " " << c.nanos;
    if (fen.ok()) {
      EXPECT_EQ(MoneyOf(*fen).SerializeAsString(), money.SerializeAsString());
    }
  }
  EXPECT_EQ(FormatYuan(10'000'000), "100,000.00");
  EXPECT_EQ(FormatYuan(-5), "-0.05");
  EXPECT_EQ(FormatYuan(99'999), "999.99");
  EXPECT_EQ(FormatYuan(100'000), "1,000.00");
}

TEST(DigestOfParts, TellsPartsApart) {
  EXPECT_NE(Digest({"ab", "c"}), Digest({"a", "bc"}));
  EXPECT_NE(Digest({""}), Digest({}));
  EXPECT_EQ(ToHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(FromHex(ToHex("\x01\xff")).value(), "\x01\xff");
  EXPECT_FALSE(FromHex("0g").ok());
  EXPECT_FALSE(FromHex("012").ok());
}

TEST(LogLine, StaysOneLineOfJson) {
  EXPECT_EQ(JsonString("a\"b\\c\n\t\x7f"), "\"a\\\"b\\\\c\\n\\u0009\\u007f\"");
  EXPECT_EQ(JsonString("岳站𠮷"), "\"岳站𠮷\"");
  EXPECT_EQ(JsonString("\xff\xed\xa0\x80 \xe5"), "\"\uFFFD\uFFFD\uFFFD\uFFFD \uFFFD\"");
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "served", {{"n", 12}, {"ok", true}, {"x", 0.5}, {"text", "甲"}});
  Log(LogLevel::kDebug, "left out");
  FlushLog();
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_THAT(
      line, HasSubstr(R"("level":"info","event":"served","n":12,"ok":true,"x":0.5,"text":"甲"})"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(LogLine, OfManyThreadsComesWhole) {
  constexpr int kThreads = 8, kLines = 2'000;
  const std::string text(500, 'x');
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kLines; ++i) Log(LogLevel::kInfo, "many", {{"text", text}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  FlushLog();
  const std::string out = testing::internal::GetCapturedStderr();
  std::istringstream lines(out);
  int whole = 0;
  const std::string end = "\"event\":\"many\",\"text\":\"" + text + "\"}";
  for (std::string line; std::getline(lines, line);) {
    whole += line.starts_with("{\"time\"") && line.ends_with(end);
  }
  EXPECT_EQ(whole, kThreads * kLines);
}

TEST(LogLine, AWarningDoesNotWait) {
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "before");
  Log(LogLevel::kWarning, "warned");
  const std::string out = testing::internal::GetCapturedStderr();
  EXPECT_THAT(out, testing::ContainsRegex("before.*\n.*warned"));
}

TEST(Settings, AllMistakesAreToldAtOnce) {
  setenv("YUEZHAN_TEST_SIZE", "many", 1);
  std::vector<std::string> mistakes;
  ReadSettings(
      {"--nosuch=1", "--test_switch=perhaps", "word", "--test_name"},
      {{"test_name", [] { return absl::GetFlag(FLAGS_test_name).empty() ? "must be given" : ""; }}},
      &mistakes);
  unsetenv("YUEZHAN_TEST_SIZE");
  EXPECT_THAT(mistakes, UnorderedElementsAre(
                            HasSubstr("YUEZHAN_TEST_SIZE"), HasSubstr("--nosuch: there is no such"),
                            HasSubstr("--test_switch"), "--test_name: needs a value",
                            "--test_name: must be given"));
}

TEST(Settings, TheCommandLineWinsOverTheEnvironment) {
  setenv("YUEZHAN_TEST_SIZE", "4", 1);
  setenv("YUEZHAN_TEST_NAME", "of the environment", 1);
  std::vector<std::string> mistakes;
  const auto words =
      ReadSettings({"--test_size", "5", "--test_switch", "word", "--", "--no"}, {}, &mistakes);
  unsetenv("YUEZHAN_TEST_SIZE");
  unsetenv("YUEZHAN_TEST_NAME");
  EXPECT_THAT(mistakes, ElementsAre());
  EXPECT_EQ(absl::GetFlag(FLAGS_test_size), 5);
  EXPECT_EQ(absl::GetFlag(FLAGS_test_name), "of the environment");
  EXPECT_TRUE(absl::GetFlag(FLAGS_test_switch));
  EXPECT_THAT(words, ElementsAre("word", "--no"));
  ReadSettings({"--notest_switch"}, {}, &mistakes);
  EXPECT_FALSE(absl::GetFlag(FLAGS_test_switch));
}

TEST(Settings, SecretsComeFromFiles) {
  const std::string path = TempPath();
  std::ofstream(path) << "s3cret\n";
  EXPECT_EQ(ReadSecret("@" + path).value(), "s3cret");
  EXPECT_EQ(ReadSecret("plain").value(), "plain");
  EXPECT_EQ(ReadSecret("@/nowhere").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadSecret("").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(BackgroundLoop, RunsAgainWhenWokenAndStopsWhileWaiting) {
  std::atomic<int> runs{0};
  BackgroundLoop loop("test", [&]() -> absl::StatusOr<absl::Duration> {
    return ++runs == 1 ? absl::ZeroDuration() : absl::InfiniteDuration();
  });
  while (runs < 2) std::this_thread::yield();
  loop.Wake();
  while (runs < 3) std::this_thread::yield();
  loop.Stop();
  EXPECT_EQ(runs, 3);
  loop.Stop();
}

TEST(BackgroundLoop, RestsWhoeverWakesItAndForgetsNoWake) {
  std::atomic<int> runs{0};
  const absl::Duration start = MonotonicNow();
  BackgroundLoop loop(
      "test",
      [&]() -> absl::StatusOr<absl::Duration> {
        ++runs;
        return absl::InfiniteDuration();
      },
      absl::Milliseconds(100));
  while (runs < 1) std::this_thread::yield();
  loop.Wake();
  while (runs < 2) std::this_thread::yield();
  EXPECT_GE(MonotonicNow() - start, absl::Milliseconds(100));
}

// A step that takes one page after the other may have passed by what it is woken for.
TEST(BackgroundLoop, WokenBetweenTwoPagesLooksAgainAfterTheLast) {
  std::atomic<int> runs{0};
  std::atomic<bool> woken{false};
  BackgroundLoop loop("test", [&]() -> absl::StatusOr<absl::Duration> {
    if (++runs == 1) {
      while (!woken) std::this_thread::yield();
      return absl::ZeroDuration();
    }
    return absl::InfiniteDuration();
  });
  while (runs < 1) std::this_thread::yield();
  loop.Wake();
  woken = true;
  while (runs < 3) std::this_thread::yield();
}

TEST(BackgroundLoop, WaitsAfterAnErrorAndGoesOn) {
  SetLogLevel(LogLevel::kError);
  std::atomic<int> runs{0};
  const absl::Duration start = MonotonicNow();
  BackgroundLoop loop("test", [&]() -> absl::StatusOr<absl::Duration> {
    if (++runs < 3) return absl::UnavailableError("not yet");
    return absl::InfiniteDuration();
  });
  while (runs < 3) {
    loop.Wake();
    std::this_thread::yield();
  }
  EXPECT_GE(MonotonicNow() - start, absl::Milliseconds(300))
      << "100 ms, then 200 ms, whoever wakes it";
  SetLogLevel(LogLevel::kInfo);
}

}  // namespace
}  // namespace yuezhan
