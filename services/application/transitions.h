#ifndef YUEZHAN_SERVICES_APPLICATION_TRANSITIONS_H_
#define YUEZHAN_SERVICES_APPLICATION_TRANSITIONS_H_

#include "common/host/transitions.h"
#include "yuezhan/application/v1/application.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::application {

// What a case's state is to the applicant (articles 5.2 to 5.4). A state that is not here leaves
// the application's as it is; PAID is payment's to tell.
inline constexpr struct {
  review::v1::CaseState of_case;
  v1::ApplicationState state;
} kStateOfCase[] = {
    {review::v1::CASE_STATE_OPEN, v1::APPLICATION_STATE_UNDER_REVIEW},
    {review::v1::CASE_STATE_ASSESSED, v1::APPLICATION_STATE_ASSESSED},
    {review::v1::CASE_STATE_RETURNED, v1::APPLICATION_STATE_RETURNED},
    {review::v1::CASE_STATE_RECOMMENDED, v1::APPLICATION_STATE_ASSESSED},
    {review::v1::CASE_STATE_REFUSED, v1::APPLICATION_STATE_REFUSED},
    {review::v1::CASE_STATE_AWARDED, v1::APPLICATION_STATE_AWARDED},
    {review::v1::CASE_STATE_IN_NOTICE, v1::APPLICATION_STATE_IN_NOTICE},
    {review::v1::CASE_STATE_NOTICE_ENDED, v1::APPLICATION_STATE_IN_NOTICE},
    {review::v1::CASE_STATE_OBJECTED, v1::APPLICATION_STATE_OBJECTED},
    {review::v1::CASE_STATE_CLEARED, v1::APPLICATION_STATE_CLEARED},
    {review::v1::CASE_STATE_CANCELLED, v1::APPLICATION_STATE_CANCELLED},
    {review::v1::CASE_STATE_WITHDRAWN, v1::APPLICATION_STATE_WITHDRAWN},
};

// UNSPECIFIED: stays as it is.
inline v1::ApplicationState StateOfCase(review::v1::CaseState of_case) {
  for (const auto& row : kStateOfCase) {
    if (row.of_case == of_case) return row.state;
  }
  return v1::APPLICATION_STATE_UNSPECIFIED;
}

// Whether the association's preliminary opinion was approved by this step of the case.
inline bool OpinionApproved(const review::v1::CaseAdvanced& event) {
  return event.from() == review::v1::CASE_STATE_OPINION_PREPARED &&
         (event.state() == review::v1::CASE_STATE_RECOMMENDED ||
          event.state() == review::v1::CASE_STATE_REFUSED);
}

// Whether it ended without payment: another application of its lineage may be submitted.
inline bool EndedUnpaid(v1::ApplicationState state) {
  return state == v1::APPLICATION_STATE_WITHDRAWN || state == v1::APPLICATION_STATE_REFUSED ||
         state == v1::APPLICATION_STATE_CANCELLED;
}

// The states of an application and what leads from one to another. Review decides which way a
// submitted one goes, so its events lead from each of these states to each state of the table
// above, and payment's to PAID and back (the bank returned the money).
inline const Transitions& ApplicationTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(ApplicationState_descriptor(), [] {
    std::vector<Transition> table = {
        {0, APPLICATION_STATE_DRAFT, "CreateApplication"},
        {APPLICATION_STATE_DRAFT, APPLICATION_STATE_SUBMITTED, "SubmitApplication"},
        {APPLICATION_STATE_RETURNED, APPLICATION_STATE_SUBMITTED, "SubmitApplication"},
        {APPLICATION_STATE_DRAFT, APPLICATION_STATE_WITHDRAWN, "WithdrawApplication"},
        {APPLICATION_STATE_RETURNED, APPLICATION_STATE_WITHDRAWN, "WithdrawApplication"},
    };
    for (const auto state : {APPLICATION_STATE_DRAFT, APPLICATION_STATE_RETURNED}) {
      for (const auto* method :
           {"UpdateApplication", "StartUpload", "FinishUpload", "UploadMaterial"})
        table.push_back({state, state, method});
    }
    // Asks review, which decides.
    for (const auto state :
         {APPLICATION_STATE_SUBMITTED, APPLICATION_STATE_UNDER_REVIEW, APPLICATION_STATE_ASSESSED,
          APPLICATION_STATE_AWARDED, APPLICATION_STATE_IN_NOTICE, APPLICATION_STATE_OBJECTED}) {
      table.push_back({state, state, "WithdrawApplication"});
    }
    for (const auto state : {APPLICATION_STATE_SUBMITTED, APPLICATION_STATE_UNDER_REVIEW,
                             APPLICATION_STATE_ASSESSED}) {
      table.push_back({state, state, "ConfirmScan"});
    }
    for (const auto from :
         {APPLICATION_STATE_SUBMITTED, APPLICATION_STATE_UNDER_REVIEW, APPLICATION_STATE_ASSESSED,
          APPLICATION_STATE_AWARDED, APPLICATION_STATE_IN_NOTICE, APPLICATION_STATE_OBJECTED,
          APPLICATION_STATE_CLEARED}) {
      for (const auto& row : kStateOfCase) {
        // NOTICE_ENDED and IN_NOTICE are one to the applicant, RECOMMENDED and ASSESSED too.
        if (row.of_case != review::v1::CASE_STATE_NOTICE_ENDED &&
            row.of_case != review::v1::CASE_STATE_RECOMMENDED)
          table.push_back({from, row.state, "event:CaseAdvanced"});
      }
      table.push_back({from, APPLICATION_STATE_WITHDRAWN, "event:WithdrawalDecided"});
      table.push_back({from, APPLICATION_STATE_PAID, "event:PaymentAdvanced"});
    }
    // Decided while the host corrects it: the case was returned in the meantime.
    table.push_back(
        {APPLICATION_STATE_RETURNED, APPLICATION_STATE_WITHDRAWN, "event:WithdrawalDecided"});
    table.push_back(
        {APPLICATION_STATE_RETURNED, APPLICATION_STATE_WITHDRAWN, "event:CaseAdvanced"});
    table.push_back({APPLICATION_STATE_PAID, APPLICATION_STATE_CLEARED, "event:PaymentAdvanced"});
    return table;
  }());
  return transitions;
}

}  // namespace yuezhan::application

#endif  // YUEZHAN_SERVICES_APPLICATION_TRANSITIONS_H_
