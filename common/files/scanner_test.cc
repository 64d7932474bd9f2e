#include "common/files/scanner.h"

#include "common/base/clocks.h"
#include "common/errors/errors.h"
#include "common/files/test_clamd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace yuezhan::files {
namespace {

using testing::HasSubstr;

absl::Status Scan(const TestClamd& clamd, const std::string& file, absl::Duration wait) {
  const auto scanner = Scanner::At(clamd.address());
  EXPECT_TRUE(scanner.ok()) << scanner.status();
  const auto read = [&](int64_t offset) -> absl::StatusOr<std::string> {
    return file.substr(static_cast<size_t>(offset), 100'000);
  };
  return scanner->Scan(static_cast<int64_t>(file.size()), read, WallNow() + wait);
}

TEST(Scanner, StreamsTheWholeFileAndTellsWhatItFound) {
  TestClamd clamd;
  std::string file(1'000'000, 'x');
  EXPECT_TRUE(Scan(clamd, file, absl::Seconds(30)).ok());
  EXPECT_EQ(clamd.bytes_scanned, 1'000'000);
  // Across the border of two chunks.
  file.replace(99'998, 5, "EICAR");
  const absl::Status infected = Scan(clamd, file, absl::Seconds(30));
  EXPECT_EQ(infected.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(errors::MessageZh(infected) + std::string(infected.message()),
              HasSubstr("Eicar-Test-Signature"));
}

// Nothing slips through: whatever is not a clean finding is no finding.
TEST(Scanner, WithoutAFindingNothingIsTakenIn) {
  std::string closed;
  {
    TestClamd clamd;
    closed = clamd.address();
    for (const auto mode :
         {TestClamd::Mode::kSilent, TestClamd::Mode::kHangsUp, TestClamd::Mode::kError}) {
      clamd.mode = mode;
      const absl::Status status = Scan(clamd, "clean", absl::Milliseconds(200));
      EXPECT_EQ(errors::Reason(status), "UNAVAILABLE") << static_cast<int>(mode) << status;
      EXPECT_EQ(errors::Metadata(status, "what"), "virus scanner");
    }
  }
  const auto read = [](int64_t) -> absl::StatusOr<std::string> { return std::string("clean"); };
  EXPECT_EQ(errors::Reason(Scanner::At(closed)->Scan(5, read, WallNow() + absl::Seconds(5))),
            "UNAVAILABLE");
  EXPECT_EQ(errors::Reason(Scanner::At("unix:/nowhere/clamd.ctl")
                               ->Scan(5, read, WallNow() + absl::Seconds(5))),
            "UNAVAILABLE");
}

TEST(Scanner, KnowsAnAddress) {
  EXPECT_TRUE(Scanner::At("unix:/run/clamav/clamd.ctl").ok());
  EXPECT_TRUE(Scanner::At("127.0.0.1:3310").ok());
  for (const char* wrong : {"", "unix:", "unix:clamd.ctl", "127.0.0.1", "127.0.0.1:0", "clamd:x",
                            "127.0.0.1:70000"}) {
    EXPECT_FALSE(Scanner::At(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace yuezhan::files
