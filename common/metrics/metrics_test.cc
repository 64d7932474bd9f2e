#include "common/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/metrics/test_scrape.h"

namespace yuezhan::metrics {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Metrics, AreScraped) {
  const auto metrics = Metrics::Open("127.0.0.1:0", "review");
  ASSERT_TRUE(metrics.ok()) << metrics.status();
  (*metrics)->CountCall("ReviewService/GetCase", "OK", absl::Milliseconds(3), absl::ZeroDuration());
  (*metrics)->CountCall("ReviewService/GetCase", "OK", absl::Milliseconds(30),
                        absl::ZeroDuration());
  (*metrics)->CountCall("ReviewService/GetCase", "NOT_FOUND", absl::Milliseconds(1),
                        absl::ZeroDuration());
  (*metrics)->Put({"yuezhan_cases", "Cases by state.", false, {{7, "state", "CLEARED"}}});
  EXPECT_THAT(Scrape((*metrics)->port()),
              AllOf(HasSubstr("200 OK"), HasSubstr("# TYPE yuezhan_calls_total counter"),
                    HasSubstr(R"(code="OK",method="ReviewService/GetCase"} 2)"),
                    HasSubstr(R"(code="NOT_FOUND",method="ReviewService/GetCase"} 1)"),
                    HasSubstr(R"(le="0.005"} 2)"), HasSubstr("# TYPE yuezhan_cases gauge"),
                    HasSubstr(R"(yuezhan_cases{service="review",state="CLEARED"} 7)")));
}

TEST(Metrics, PutReplacesAFamilyWhole) {
  const auto metrics = Metrics::Open("", "review");
  (*metrics)->Put({"yuezhan_cases", "", false, {{1, "state", "OPEN"}, {2, "state", "CLEARED"}}});
  (*metrics)->Put({"yuezhan_cases", "", false, {{3, "state", "CLEARED"}}});
  EXPECT_THAT((*metrics)->Text(), AllOf(HasSubstr("CLEARED\"} 3"), Not(HasSubstr("OPEN"))));
}

TEST(Metrics, NamesThatClientsMakeUpAreOne) {
  const auto metrics = Metrics::Open("", "review");
  for (int i = 0; i < 100; ++i) {
    (*metrics)->CountCall(absl::StrCat("made.up/", i), "UNIMPLEMENTED", absl::ZeroDuration(),
                          absl::ZeroDuration());
  }
  EXPECT_THAT((*metrics)->Text(),
              AllOf(Not(HasSubstr("made.up")), HasSubstr(R"(method="unknown"} 100)")));
}

TEST(Metrics, ATakenPortIsSaid) {
  const auto first = Metrics::Open("127.0.0.1:0", "review");
  const auto second = Metrics::Open(absl::StrCat("127.0.0.1:", (*first)->port()), "review");
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

TEST(Metrics, ExpiryOfWhatIsNoCertificate) {
  EXPECT_EQ(CertificateExpiry("/nowhere").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(CertificateExpiry("/proc/self/status").status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace yuezhan::metrics
