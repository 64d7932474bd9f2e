// The tables of notices and objections against the handlers: everything else is refused and changes
// nothing.
#include "absl/strings/str_cat.h"
#include "common/errors/errors.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"
#include "services/review/transitions.h"

namespace yuezhan::review {
namespace {

// A notice in each of its states.
std::string NoticeIn(TestReview& review, v1::NoticeState state) {
  const std::string name =
      review.CaseIn(state == v1::NOTICE_STATE_ISSUED || state == v1::NOTICE_STATE_WITHDRAWN
                        ? v1::CASE_STATE_AWARDED
                        : v1::CASE_STATE_IN_NOTICE);
  if (state == v1::NOTICE_STATE_ISSUED) return review.Issue({name});
  if (state == v1::NOTICE_STATE_WITHDRAWN) {
    const std::string notice = review.Issue({name});
    v1::WithdrawNoticeRequest request;
    request.set_name(notice);
    request.set_reason("名单有误");
    review.Do(&Handlers::WithdrawNotice, review.secretary(), request);
    return notice;
  }
  const std::string notice = review.Get(name).notice();
  if (state == v1::NOTICE_STATE_RUNNING) return notice;
  if (state == v1::NOTICE_STATE_SUSPENDED) {
    review.Do(&Handlers::RecordPostingDown, review.secretary(), review.DownOf(notice, "hongxing"));
    return notice;
  }
  review.PassPeriod(notice);
  review.Tend();
  if (state == v1::NOTICE_STATE_CONCLUDED) review.SignBoth(notice);
  return notice;
}

TEST(Transitions, ANoticeIsChangedFromTheStatesOfItsTableOnly) {
  TestReview review;
  const auto* states = v1::NoticeState_descriptor();
  for (int i = 1; i < states->value_count(); ++i) {
    const auto state = static_cast<v1::NoticeState>(states->value(i)->number());
    const std::string name = NoticeIn(review, state);
    v1::Notice notice = review.GetNotice(name);
    ASSERT_EQ(notice.state(), state);
    for (const std::string_view method :
         {"RecordPosting", "RecordPostingDown", "RecordPostingBack", "SignNoticeResult",
          "FileObjection", "WithdrawNotice"}) {
      if (NoticeTransitions().Check(name, state, method).ok()) continue;
      SCOPED_TRACE(absl::StrCat(states->value(i)->name(), " ", std::string(method)));
      absl::Status status;
      if (method == "RecordPosting") {
        status = review
                     .Try(&Handlers::RecordPosting, review.secretary(),
                          review.PostingOn(notice, "hongxing"))
                     .status();
      } else if (method == "RecordPostingDown") {
        status = review
                     .Try(&Handlers::RecordPostingDown, review.secretary(),
                          review.DownOf(name, "hongxing"))
                     .status();
      } else if (method == "RecordPostingBack") {
        status = review
                     .Try(&Handlers::RecordPostingBack, review.secretary(),
                          review.BackOf(name, "hongxing"))
                     .status();
      } else if (method == "SignNoticeResult") {
        status = review.Sign(name, v1::OFFICE_ASSOCIATION).status();
      } else if (method == "FileObjection") {
        status = review
                     .Try(&Handlers::FileObjection, review.citizen(),
                          review.ObjectionTo(notice.lines(0).case_name()))
                     .status();
      } else {
        v1::WithdrawNoticeRequest request;
        request.set_name(name);
        request.set_reason("名单有误");
        status = review.Try(&Handlers::WithdrawNotice, review.secretary(), request).status();
      }
      EXPECT_EQ(errors::Reason(status), "STATE_FORBIDS") << status;
      EXPECT_EQ(review.GetNotice(name).etag(), notice.etag());
    }
  }
}

TEST(Transitions, AnObjectionIsChangedFromTheStatesOfItsTableOnly) {
  TestReview review;
  const std::string name = review.CaseIn(v1::CASE_STATE_IN_NOTICE);
  const std::string objection = review.Object(name);
  const auto refused = [&](std::string_view method) {
    SCOPED_TRACE(std::string(method));
    const auto before = review.GetObjection(objection);
    absl::Status status;
    if (method == "AdmitObjection") {
      v1::AdmitObjectionRequest request;
      request.set_name(objection);
      request.set_accepted(true);
      request.set_reason("经审查");
      status = review.Try(&Handlers::AdmitObjection, review.secretary(), request).status();
    } else if (method == "ReportExamination") {
      v1::ReportExaminationRequest request;
      request.set_name(objection);
      request.set_report("经核查");
      status = review.Try(&Handlers::ReportExamination, review.examiner(), request).status();
    } else {
      v1::AnswerObjectionRequest request;
      request.set_name(objection);
      request.set_answer("答复");
      status = review.Try(&Handlers::AnswerObjection, review.secretary(), request).status();
    }
    EXPECT_EQ(errors::Reason(status), "STATE_FORBIDS") << status;
    EXPECT_EQ(review.GetObjection(objection).etag(), before.etag());
  };
  for (const auto* method : {"ReportExamination", "AnswerObjection"}) refused(method);
  review.Admit(objection, true);
  for (const auto* method : {"AdmitObjection", "AnswerObjection"}) refused(method);
  review.Examine(objection);
  for (const auto* method : {"AdmitObjection", "ReportExamination", "AnswerObjection"})
    refused(method);
  review.ResolveObjection(objection, v1::OBJECTION_RESOLUTION_MAINTAIN);
  for (const auto* method : {"AdmitObjection", "ReportExamination"}) refused(method);
  v1::AnswerObjectionRequest answer;
  answer.set_name(objection);
  answer.set_answer("经核查，维持原审定。（演示）");
  EXPECT_EQ(review.Do(&Handlers::AnswerObjection, review.secretary(), answer).state(),
            v1::OBJECTION_STATE_ANSWERED);
  for (const auto* method : {"AdmitObjection", "ReportExamination", "AnswerObjection"})
    refused(method);
}

}  // namespace
}  // namespace yuezhan::review
