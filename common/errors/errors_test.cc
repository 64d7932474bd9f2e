#include "common/errors/errors.h"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "common/base/text.h"
#include "common/errors/details.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "yuezhan/common/v1/types.pb.h"

namespace yuezhan::errors {
namespace {

using common::v1::Finding;

Finding Violated(std::string rule, std::string text_zh, int day_of_month = 0) {
  Finding finding;
  finding.set_rule_id(std::move(rule));
  finding.set_article("5");
  finding.set_outcome(common::v1::OUTCOME_VIOLATED);
  finding.set_text_zh(std::move(text_zh));
  finding.set_text_en("not yet");
  if (day_of_month > 0) {
    finding.mutable_changes_on()->set_year(2026);
    finding.mutable_changes_on()->set_month(3);
    finding.mutable_changes_on()->set_day(day_of_month);
  }
  return finding;
}

template <typename Detail>
Detail Get(const absl::Status& status) {
  Detail detail;
  const auto details = Details(status);
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  ADD_FAILURE() << "no " << Detail::descriptor()->full_name() << " in " << status;
  return detail;
}

std::vector<absl::Status> OneOfEach() {
  const std::string_view states[] = {"ACCEPTED"};
  const Finding finding = Violated("application.two-full-years", "未满两年");
  return {InvalidField("name", "不得为空", "must be given"),
          Malformed("Station"),
          PageTokenInvalid(),
          RequestIdReused("station.name"),
          TooLarge("request", 10, "bytes"),
          NotFound("stations/1"),
          AlreadyExists("code", "hostUnits/1"),
          MethodUnknown("a.B/C"),
          StateForbids("stations/1", "FILED", states, "AcceptFiling"),
          Refused({finding}, "stations/1"),
          SeparationOfDuties({finding}, "cases/1"),
          EtagMismatch("stations/1"),
          Conflict(),
          Unauthenticated(AuthFault::kExpired),
          PermissionDenied("a.B/C"),
          Overloaded(absl::Seconds(1)),
          RateLimited(absl::Seconds(1)),
          Unavailable("database"),
          DeadlineExceeded(),
          DataLoss("journal"),
          Internal("0190")};
}

TEST(Errors, EveryFactoryHasItsRowAndBothSentences) {
  std::set<std::string> reasons;
  for (const absl::Status& status : OneOfEach()) {
    SCOPED_TRACE(status.ToString());
    const auto info = Get<google::rpc::ErrorInfo>(status);
    EXPECT_EQ(info.domain(), "yuezhan");
    EXPECT_EQ(info.reason(), Reason(status));
    EXPECT_TRUE(reasons.insert(info.reason()).second);
    EXPECT_EQ(Get<google::rpc::LocalizedMessage>(status).locale(), "zh-CN");
    EXPECT_FALSE(MessageZh(status).empty());
    EXPECT_FALSE(status.message().empty());
    EXPECT_EQ(Details(status).code(), static_cast<int>(status.code()));
    EXPECT_EQ(FromDetails(Details(status)).code(), status.code());
  }
  for (const ErrorKind& kind : Catalog()) EXPECT_TRUE(reasons.contains(std::string(kind.reason)));
  EXPECT_EQ(reasons.size(), Catalog().size());
}

TEST(Errors, RefusalIsItsFindings) {
  Finding fine = Violated("filing.chain", "符合");
  fine.set_outcome(common::v1::OUTCOME_SATISFIED);
  const absl::Status status = Refused({Violated("application.two-full-years", "未满两年", 23), fine,
                                       Violated("application.round", "未到申报期", 12)},
                                      "stations/1");
  const auto failure = Get<google::rpc::PreconditionFailure>(status);
  ASSERT_EQ(failure.violations_size(), 2);
  EXPECT_EQ(failure.violations(0).type(), "application.two-full-years");
  EXPECT_EQ(failure.violations(0).subject(), "stations/1");
  EXPECT_EQ(failure.violations(0).description(), "未满两年");
  EXPECT_EQ(Metadata(status, "article"), "5");
  EXPECT_EQ(Metadata(status, "changes_on"), "2026-03-23");
  // A violation that no day cures: no day is promised.
  EXPECT_EQ(Metadata(Refused({Violated("a", "甲", 23), Violated("b", "乙")}, "x"), "changes_on"),
            "");
}

TEST(Errors, DetailsFitTheHeader) {
  std::string long_text;
  for (int i = 0; i < 300; ++i) long_text += "站";
  for (const int count : {1, 5, 40, 400}) {
    std::vector<Finding> findings;
    for (int i = 0; i < count; ++i) findings.push_back(Violated("rule.number", long_text));
    const absl::Status status = Refused(findings, "stations/1");
    EXPECT_LE(status.GetPayload(Abs(kDetailsUrl))->size(), kMaxDetailsBytes);
    EXPECT_LE(status.message().size(), 512u);
    const auto failure = Get<google::rpc::PreconditionFailure>(status);
    // The first text stays while later ones go, and what went is counted.
    if (count == 1) {
      EXPECT_EQ(failure.violations(0).description(), long_text);
    }
    if (count == 5) {
      EXPECT_FALSE(failure.violations(0).description().empty());
      EXPECT_TRUE(failure.violations(4).description().empty());
      EXPECT_NE(Metadata(status, "texts_dropped"), "");
    }
    if (count == 40) {
      EXPECT_EQ(failure.violations_size(), 40);
    }
    if (count == 400) {
      EXPECT_EQ(std::to_string(400 - failure.violations_size()),
                Metadata(status, "violations_dropped"));
    }
  }
}

TEST(Errors, CutsTextBetweenCharacters) {
  EXPECT_EQ(CutText("学会服务站", 15), "学会服务站");
  EXPECT_EQ(CutText("学会服务站", 14), "学会服…");
  EXPECT_EQ(CutText("学会服务站", 12), "学会服…");
  EXPECT_EQ(CutText("学会服务站", 11), "学会…");
}

TEST(Errors, RetryDelayTravels) {
  EXPECT_EQ(RetryAfter(Overloaded(absl::Milliseconds(1500))), absl::Milliseconds(1500));
  EXPECT_EQ(RetryAfter(absl::InternalError("x")), absl::ZeroDuration());
  EXPECT_EQ(Reason(absl::InternalError("x")), "");
}

// docs/errors.md is this text; YUEZHAN_WRITE_DOCS=1 writes it.
TEST(Errors, DocumentationListsTheCatalog) {
  std::ostringstream text;
  text << "# Errors\n\n"
          "Every error is a gRPC status with a `google.rpc.Status` in the trailer\n"
          "`grpc-status-details-bin`: `ErrorInfo` (domain `yuezhan`, the reason below), a\n"
          "`LocalizedMessage` in zh-CN, and what the table adds. The status message is English.\n"
          "Decide by code and reason, never by texts. Descriptions inside violations are Chinese,\n"
          "as officers read them. Details are at most "
       << kMaxDetailsBytes
       << " bytes: texts of the last violations go\nfirst (metadata `texts_dropped`), then whole "
          "violations (`violations_dropped`).\n\n"
          "| reason | code | meaning | details | way out |\n| --- | --- | --- | --- | --- |\n";
  for (const ErrorKind& kind : Catalog()) {
    text << "| `" << kind.reason << "` | " << absl::StatusCodeToString(kind.code) << " | "
         << kind.meaning << " | " << kind.details << " | " << kind.way_out << " |\n";
  }
  text << "\n`UNAUTHENTICATED` causes: ";
  for (int i = 0; i <= static_cast<int>(AuthFault::kCertificate); ++i) {
    text << (i > 0 ? ", " : "") << "`" << AuthFaultName(static_cast<AuthFault>(i)) << "`";
  }
  text << ".\n";

  const char* source = std::getenv("YUEZHAN_SOURCE");
  ASSERT_NE(source, nullptr);
  const std::string path = std::string(source) + "/docs/errors.md";
  if (std::getenv("YUEZHAN_WRITE_DOCS") != nullptr) std::ofstream(path) << text.str();
  std::ifstream file(path);
  std::stringstream written;
  written << file.rdbuf();
  EXPECT_EQ(written.str(), text.str()) << "docs/errors.md is out of date";
}

}  // namespace
}  // namespace yuezhan::errors
