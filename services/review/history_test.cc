// One trail: a case told in order, what proves it, and evidence as files.
#include "common/base/digest.h"
#include "common/errors/errors.h"
#include "common/journal/feed.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::review {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<v1::HistoryStep> HistoryOf(TestReview& review, const std::string& name,
                                       int page_size = 3) {
  v1::GetCaseHistoryRequest request;
  request.set_name(name);
  request.set_page_size(page_size);
  std::vector<v1::HistoryStep> steps;
  do {
    const auto page = review.Do(&Handlers::GetCaseHistory, review.reviewer(), request);
    steps.insert(steps.end(), page.steps().begin(), page.steps().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return steps;
}

TEST(History, TellsTheWholeCaseInOrder) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string other = review.CaseIn(v1::CASE_STATE_AWARDED);
  const std::string notice = review.Issue({other, name});
  review.PostAll(notice);
  const std::string objection = review.Object(name);
  review.Admit(objection, true);
  review.Examine(objection);
  review.ResolveObjection(objection, v1::OBJECTION_RESOLUTION_MAINTAIN);
  review.PassPeriod(notice);
  review.Tend();
  review.SignBoth(notice);
  review.Settle(name);
  const auto steps = HistoryOf(review, name);
  std::vector<std::string> methods;
  for (const auto& step : steps) methods.push_back(step.method());
  EXPECT_THAT(methods,
              ElementsAre("test/follow", "RecordAssessment", "PrepareOpinion", "ApproveOpinion",
                          "ConveneMeeting", "CloseMeeting", "IssueNotice", "RecordPosting",
                          "RecordPosting", "RecordPosting", "FileObjection",
                          "AdmitObjection", "ReportExamination", "ConveneMeeting", "CloseMeeting",
                          "timer/notice-ends", "SignNoticeResult", "SignNoticeResult",
                          "test/follow"));
  // Each state follows from the one before: nothing is left out.
  std::string state;
  for (const auto& step : steps) {
    if (step.to_state().empty()) continue;
    EXPECT_EQ(step.from_state(), state) << step.method();
    state = step.to_state();
  }
  EXPECT_EQ(state, "PAID");
  const auto& approved = steps[3];
  EXPECT_EQ(approved.article(), "5.2");
  EXPECT_EQ(approved.actor(), "reviewer-2");
  EXPECT_FALSE(approved.actor_name().empty());
  EXPECT_GT(approved.findings_size(), 5);
  EXPECT_EQ(approved.policy().version(), "yueyang-2021");
  const v1::Case award = review.Get(name);
  EXPECT_EQ(steps[5].digests(steps[5].digests_size() - 1).what(), "minutes");
  EXPECT_EQ(steps[6].digests(0).digest(), award.line_digest());
  EXPECT_EQ(steps[9].resources(0), notice);
  EXPECT_EQ(steps[10].actor(), "");  // the objector
  EXPECT_EQ(steps[15].article(), "5.3");
  // The other award's findings are no part of it, nor is its objection the other's.
  for (const auto& step : HistoryOf(review, other)) {
    EXPECT_THAT(step.method(), Not(testing::AnyOf("FileObjection", "AdmitObjection",
                                                  "ReportExamination")));
  }
  for (const auto& step : steps)
    EXPECT_THAT(step.Utf8DebugString(), Not(testing::AnyOf(HasSubstr("citizen-1"),
                                                       HasSubstr("群众甲"))));
}

// Chains what was written, as the sequencer would.
TEST(History, IsProvenRowByRowAndNeverTellsTheObjector) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  review.Object(name);
  review.Upload(review.reviewer(), review.CaseIn(v1::CASE_STATE_OPEN), "inspection", kPicture);
  review.ChainAll();
  v1::GetCaseEvidenceRequest request;
  request.set_name(name);
  request.set_page_size(4);
  std::vector<v1::SealedEntry> entries;
  v1::GetCaseEvidenceResponse page;
  do {
    page = review.Do(&Handlers::GetCaseEvidence, review.host().Person(Role::kAuditor, "auditor-1"),
                     request);
    entries.insert(entries.end(), page.entries().begin(), page.entries().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  const auto steps = HistoryOf(review, name);
  ASSERT_EQ(entries.size(), steps.size());
  EXPECT_EQ(page.policy_text(), policy::Policies::Builtin().text());
  EXPECT_EQ(ToHex(Sha256(page.calendar_text())), policy::Calendar::Builtin().digest());
  int closed = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].seq(), steps[i].seq());
    if (entries[i].data_key().empty()) {
      EXPECT_EQ(steps[i].method(), "FileObjection");
      ++closed;
      continue;
    }
    const auto opened =
        journal::Vault::OpenWith(entries[i].data_key(),
                                 journal::PrivatePartPlace(entries[i].request_key()),
                                 entries[i].private_part());
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_THAT(*opened, Not(HasSubstr("群众甲")));
  }
  EXPECT_EQ(closed, 1);
}

TEST(Evidence, OfACaseIsAddedByOfficersAndNeverRemoved) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_ASSESSED);
  const auto first = review.Upload(review.reviewer(), name, "inspection", kPicture);
  EXPECT_EQ(first.media_type(), "image/png");
  EXPECT_EQ(first.sha256(), ToHex(Sha256(kPicture)));
  // The same file name again: both stay readable.
  const std::string changed = std::string(kPicture) + "other";
  review.Upload(review.reviewer(), name, "inspection", changed);
  v1::ReadChunkRequest read;
  read.set_name(first.name());
  EXPECT_EQ(review.Do(&Handlers::ReadChunk, review.head(), read).data(), kPicture);
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::ReadChunk, review.citizen(), read).status()),
            "NOT_FOUND");
  v1::StartUploadRequest start;
  start.set_parent(name);
  start.set_code("inspection");
  start.set_file_name("照片.png");
  start.set_size_bytes(10);
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::StartUpload, review.citizen(), start).status()),
            "NOT_FOUND");
  start.set_code("objection");
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::StartUpload, review.reviewer(), start).status()),
            "INVALID_FIELD");
  start.set_code("inspection");
  start.set_parent(review.CaseIn(v1::CASE_STATE_REFUSED));
  EXPECT_EQ(errors::Reason(review.Try(&Handlers::StartUpload, review.reviewer(), start).status()),
            "STATE_FORBIDS");
  const auto steps = HistoryOf(review, name);
  EXPECT_EQ(steps.back().method(), "FinishUpload");
  EXPECT_EQ(steps.back().digests(0).digest(), ToHex(Sha256(changed)));
}

TEST(Evidence, OfAnObjectionIsItsFilersAndSeenByWhoDealsWithIt) {
  TestReview review;
  const std::string objection = review.Object(review.CaseIn(v1::CASE_STATE_IN_NOTICE));
  const auto file = review.Upload(review.citizen(), objection, "objection", kPicture);
  for (const auto& emitted : review.AllEmitted<v1::EvidenceAdded>()) {
    EXPECT_EQ(emitted.subject, "");
    EXPECT_EQ(emitted.event.file(), file.name());
  }
  v1::ListFilesRequest list;
  list.set_parent(objection);
  EXPECT_EQ(review.Do(&Handlers::ListFiles, review.secretary(), list).files_size(), 1);
  v1::StartUploadRequest start;
  start.set_parent(objection);
  start.set_code("objection");
  start.set_file_name("a.png");
  start.set_size_bytes(10);
  for (const Context& who : {review.host().Person(Role::kPublic, "citizen-2"),
                             review.host().Person(Role::kHostUnit, "host-clerk", "hostUnits/x")}) {
    EXPECT_EQ(errors::Reason(review.Try(&Handlers::StartUpload, who, start).status()), "NOT_FOUND");
  }
  for (const Context& who : {review.citizen(), review.host().Person(Role::kAuditor, "auditor-1"),
                             review.host().Person(Role::kDirector, "director-1")}) {
    EXPECT_EQ(errors::Reason(review.Try(&Handlers::ListFiles, who, list).status()), "NOT_FOUND");
  }
}

}  // namespace
}  // namespace yuezhan::review
