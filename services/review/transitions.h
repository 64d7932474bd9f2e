#ifndef YUEZHAN_SERVICES_REVIEW_TRANSITIONS_H_
#define YUEZHAN_SERVICES_REVIEW_TRANSITIONS_H_

#include "common/host/transitions.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::review {

// The states of a case (articles 5 to 5.4) and what leads from one to another.
inline const Transitions& CaseTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(CaseState_descriptor(), [] {
    std::vector<Transition> table = {
        {0, CASE_STATE_OPEN, "event:SUBMITTED"},
        {CASE_STATE_RETURNED, CASE_STATE_OPEN, "event:SUBMITTED"},

        {CASE_STATE_OPEN, CASE_STATE_ASSESSED, "RecordAssessment"},
        {CASE_STATE_OPINION_PREPARED, CASE_STATE_ASSESSED, "RecordAssessment"},
        {CASE_STATE_OPEN, CASE_STATE_OPINION_PREPARED, "PrepareOpinion"},
        {CASE_STATE_ASSESSED, CASE_STATE_OPINION_PREPARED, "PrepareOpinion"},
        {CASE_STATE_OPINION_PREPARED, CASE_STATE_OPINION_PREPARED, "PrepareOpinion"},
        {CASE_STATE_OPINION_PREPARED, CASE_STATE_RECOMMENDED, "ApproveOpinion"},
        {CASE_STATE_OPINION_PREPARED, CASE_STATE_RETURNED, "ApproveOpinion"},
        {CASE_STATE_OPINION_PREPARED, CASE_STATE_REFUSED, "ApproveOpinion"},

        {CASE_STATE_RECOMMENDED, CASE_STATE_ON_AGENDA, "ConveneMeeting"},
        {CASE_STATE_ON_AGENDA, CASE_STATE_AWARDED, "CloseMeeting"},
        {CASE_STATE_ON_AGENDA, CASE_STATE_REFUSED, "CloseMeeting"},
        {CASE_STATE_ON_AGENDA, CASE_STATE_RECOMMENDED, "CloseMeeting"},
        // A resolution that corrects the one before, while the award is on no list.
        {CASE_STATE_AWARDED, CASE_STATE_AWARDED, "ConveneMeeting"},
        {CASE_STATE_AWARDED, CASE_STATE_AWARDED, "CloseMeeting"},
        {CASE_STATE_AWARDED, CASE_STATE_REFUSED, "CloseMeeting"},

        {CASE_STATE_AWARDED, CASE_STATE_IN_NOTICE, "IssueNotice"},
        {CASE_STATE_IN_NOTICE, CASE_STATE_AWARDED, "WithdrawNotice"},
        {CASE_STATE_NOTICE_ENDED, CASE_STATE_AWARDED, "WithdrawNotice"},
        {CASE_STATE_IN_NOTICE, CASE_STATE_NOTICE_ENDED, "timer:NoticeEnds"},
        // Found afterwards: a site was down within the period.
        {CASE_STATE_NOTICE_ENDED, CASE_STATE_IN_NOTICE, "RecordPostingDown"},
        {CASE_STATE_NOTICE_ENDED, CASE_STATE_CLEARED, "timer:NoticeEnds"},
        {CASE_STATE_NOTICE_ENDED, CASE_STATE_CLEARED, "SignNoticeResult"},

        // An objection, and what settles the last one that holds the award.
        {CASE_STATE_IN_NOTICE, CASE_STATE_OBJECTED, "FileObjection"},
        {CASE_STATE_NOTICE_ENDED, CASE_STATE_OBJECTED, "FileObjection"},
        {CASE_STATE_AWARDED, CASE_STATE_OBJECTED, "FileObjection"},
        {CASE_STATE_OBJECTED, CASE_STATE_OBJECTED, "FileObjection"},
        {CASE_STATE_OBJECTED, CASE_STATE_OBJECTED, "AdmitObjection"},
        {CASE_STATE_OBJECTED, CASE_STATE_IN_NOTICE, "AdmitObjection"},
        {CASE_STATE_OBJECTED, CASE_STATE_NOTICE_ENDED, "AdmitObjection"},
        {CASE_STATE_OBJECTED, CASE_STATE_AWARDED, "AdmitObjection"},
        {CASE_STATE_NOTICE_ENDED, CASE_STATE_CLEARED, "AdmitObjection"},
        {CASE_STATE_OBJECTED, CASE_STATE_OBJECTED, "CloseMeeting"},
        {CASE_STATE_OBJECTED, CASE_STATE_IN_NOTICE, "CloseMeeting"},
        {CASE_STATE_OBJECTED, CASE_STATE_NOTICE_ENDED, "CloseMeeting"},
        {CASE_STATE_OBJECTED, CASE_STATE_AWARDED, "CloseMeeting"},
        {CASE_STATE_OBJECTED, CASE_STATE_CANCELLED, "CloseMeeting"},
        {CASE_STATE_NOTICE_ENDED, CASE_STATE_CLEARED, "CloseMeeting"},

        {CASE_STATE_CLEARED, CASE_STATE_PAID, "event:SETTLED"},

        {CASE_STATE_OPEN, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_ASSESSED, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_OPINION_PREPARED, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_RETURNED, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_RECOMMENDED, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_ON_AGENDA, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_AWARDED, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_IN_NOTICE, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_OBJECTED, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
        {CASE_STATE_NOTICE_ENDED, CASE_STATE_WITHDRAWN, "event:WithdrawalRequested"},
    };
    // What a case file takes in while the case is looked at; none of it moves the case.
    for (const auto state : {CASE_STATE_OPEN, CASE_STATE_ASSESSED, CASE_STATE_OPINION_PREPARED,
                             CASE_STATE_RECOMMENDED}) {
      for (const auto* method : {"CallInspection", "RecordDeclaration", "RecordInspection",
                                 "AskDepartment", "RecordDepartmentOpinion", "AssignCase",
                                 "FinishUpload"})
        table.push_back({state, state, method});
    }
    return table;
  }());
  return transitions;
}

// The states of a directors' meeting (article 5.2).
inline const Transitions& MeetingTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(
      MeetingState_descriptor(), {
                                     {0, MEETING_STATE_CONVENED, "ConveneMeeting"},
                                     {MEETING_STATE_CONVENED, MEETING_STATE_CLOSED, "CloseMeeting"},
                                 });
  return transitions;
}

// The states of a public notice (article 5.3).
inline const Transitions& NoticeTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(
      NoticeState_descriptor(),
      {
          {0, NOTICE_STATE_ISSUED, "IssueNotice"},
          {NOTICE_STATE_ISSUED, NOTICE_STATE_ISSUED, "RecordPosting"},
          {NOTICE_STATE_ISSUED, NOTICE_STATE_RUNNING, "RecordPosting"},
          {NOTICE_STATE_RUNNING, NOTICE_STATE_RUNNING, "timer:CalendarChanged"},
          // A site that does not show the list: no period while it breaks one. What goes down after
          // the last day breaks none.
          {NOTICE_STATE_ISSUED, NOTICE_STATE_ISSUED, "RecordPostingDown"},
          {NOTICE_STATE_RUNNING, NOTICE_STATE_SUSPENDED, "RecordPostingDown"},
          {NOTICE_STATE_RUNNING, NOTICE_STATE_RUNNING, "RecordPostingDown"},
          {NOTICE_STATE_SUSPENDED, NOTICE_STATE_SUSPENDED, "RecordPostingDown"},
          {NOTICE_STATE_ENDED, NOTICE_STATE_ENDED, "RecordPostingDown"},
          {NOTICE_STATE_CONCLUDED, NOTICE_STATE_CONCLUDED, "RecordPostingDown"},
          // Found afterwards, it reopens the period, as long as no award is cleared.
          {NOTICE_STATE_ENDED, NOTICE_STATE_SUSPENDED, "RecordPostingDown"},
          {NOTICE_STATE_CONCLUDED, NOTICE_STATE_SUSPENDED, "RecordPostingDown"},
          {NOTICE_STATE_ISSUED, NOTICE_STATE_ISSUED, "RecordPostingBack"},
          {NOTICE_STATE_ISSUED, NOTICE_STATE_RUNNING, "RecordPostingBack"},
          {NOTICE_STATE_RUNNING, NOTICE_STATE_RUNNING, "RecordPostingBack"},
          {NOTICE_STATE_SUSPENDED, NOTICE_STATE_SUSPENDED, "RecordPostingBack"},
          {NOTICE_STATE_SUSPENDED, NOTICE_STATE_RUNNING, "RecordPostingBack"},
          {NOTICE_STATE_RUNNING, NOTICE_STATE_ENDED, "timer:NoticeEnds"},
          {NOTICE_STATE_ENDED, NOTICE_STATE_ENDED, "SignNoticeResult"},
          {NOTICE_STATE_ENDED, NOTICE_STATE_CONCLUDED, "SignNoticeResult"},
          // An objection that comes or is settled after the signatures: both offices sign anew.
          {NOTICE_STATE_CONCLUDED, NOTICE_STATE_ENDED, "FileObjection"},
          {NOTICE_STATE_CONCLUDED, NOTICE_STATE_ENDED, "AdmitObjection"},
          {NOTICE_STATE_CONCLUDED, NOTICE_STATE_ENDED, "CloseMeeting"},
          {NOTICE_STATE_ISSUED, NOTICE_STATE_WITHDRAWN, "WithdrawNotice"},
          {NOTICE_STATE_RUNNING, NOTICE_STATE_WITHDRAWN, "WithdrawNotice"},
          {NOTICE_STATE_SUSPENDED, NOTICE_STATE_WITHDRAWN, "WithdrawNotice"},
          {NOTICE_STATE_ENDED, NOTICE_STATE_WITHDRAWN, "WithdrawNotice"},
          // Objections are taken as long as the notice stands; in time or not is the rules' word.
          {NOTICE_STATE_ISSUED, NOTICE_STATE_ISSUED, "FileObjection"},
          {NOTICE_STATE_RUNNING, NOTICE_STATE_RUNNING, "FileObjection"},
          {NOTICE_STATE_SUSPENDED, NOTICE_STATE_SUSPENDED, "FileObjection"},
          {NOTICE_STATE_ENDED, NOTICE_STATE_ENDED, "FileObjection"},
          {NOTICE_STATE_CONCLUDED, NOTICE_STATE_CONCLUDED, "FileObjection"},
      });
  return transitions;
}

// The states of an objection (articles 5.3 and 5.4).
inline const Transitions& ObjectionTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(
      ObjectionState_descriptor(),
      {
          {0, OBJECTION_STATE_RECEIVED, "FileObjection"},
          {OBJECTION_STATE_RECEIVED, OBJECTION_STATE_ACCEPTED, "AdmitObjection"},
          {OBJECTION_STATE_RECEIVED, OBJECTION_STATE_NOT_ACCEPTED, "AdmitObjection"},
          {OBJECTION_STATE_ACCEPTED, OBJECTION_STATE_EXAMINED, "ReportExamination"},
          {OBJECTION_STATE_EXAMINED, OBJECTION_STATE_EXAMINED, "ConveneMeeting"},
          {OBJECTION_STATE_EXAMINED, OBJECTION_STATE_EXAMINED, "CloseMeeting"},
          {OBJECTION_STATE_EXAMINED, OBJECTION_STATE_RESOLVED, "CloseMeeting"},
          {OBJECTION_STATE_RESOLVED, OBJECTION_STATE_ANSWERED, "AnswerObjection"},
          {OBJECTION_STATE_NOT_ACCEPTED, OBJECTION_STATE_ANSWERED, "AnswerObjection"},
          // Evidence, as long as it is being looked at.
          {OBJECTION_STATE_RECEIVED, OBJECTION_STATE_RECEIVED, "FinishUpload"},
          {OBJECTION_STATE_ACCEPTED, OBJECTION_STATE_ACCEPTED, "FinishUpload"},
          // Where the award is gone, so that no meeting has anything to resolve.
          {OBJECTION_STATE_ACCEPTED, OBJECTION_STATE_ANSWERED, "AnswerObjection"},
          {OBJECTION_STATE_EXAMINED, OBJECTION_STATE_ANSWERED, "AnswerObjection"},
      });
  return transitions;
}

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_TRANSITIONS_H_
