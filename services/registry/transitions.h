#ifndef YUEZHAN_SERVICES_REGISTRY_TRANSITIONS_H_
#define YUEZHAN_SERVICES_REGISTRY_TRANSITIONS_H_

#include "common/host/transitions.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::registry {

// The states of a station (articles 1 to 3 and 6) and what leads from one to another.
inline const Transitions& StationTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(
      StationState_descriptor(),
      {
          {0, STATION_STATE_FILED, "FileStation"},
          {STATION_STATE_FILED, STATION_STATE_FILED, "GrantException"},
          {STATION_STATE_FILED, STATION_STATE_RETURNED, "ReturnFiling"},
          {STATION_STATE_RETURNED, STATION_STATE_FILED, "ResubmitFiling"},
          {STATION_STATE_FILED, STATION_STATE_REFUSED, "RefuseFiling"},
          {STATION_STATE_FILED, STATION_STATE_OPERATING, "AcceptFiling"},
          {0, STATION_STATE_OPERATING, "ImportRows"},
          {STATION_STATE_OPERATING, STATION_STATE_OPERATING, "CorrectStation"},
          {STATION_STATE_SUSPENDED, STATION_STATE_SUSPENDED, "CorrectStation"},
          {STATION_STATE_OPERATING, STATION_STATE_OPERATING, "RecordActivity"},
          {STATION_STATE_OPERATING, STATION_STATE_OPERATING, "CorrectActivity"},
          {STATION_STATE_SUSPENDED, STATION_STATE_SUSPENDED, "CorrectActivity"},
          {STATION_STATE_OPERATING, STATION_STATE_SUSPENDED, "SuspendStation"},
          {STATION_STATE_SUSPENDED, STATION_STATE_OPERATING, "ResumeStation"},
          {STATION_STATE_OPERATING, STATION_STATE_CLOSED, "CloseStation"},
          {STATION_STATE_SUSPENDED, STATION_STATE_CLOSED, "CloseStation"},
          {STATION_STATE_OPERATING, STATION_STATE_OPERATING, "RecordEvaluation"},
          {STATION_STATE_SUSPENDED, STATION_STATE_SUSPENDED, "RecordEvaluation"},
          // What it did before it was closed is evaluated too.
          {STATION_STATE_CLOSED, STATION_STATE_CLOSED, "RecordEvaluation"},
      });
  return transitions;
}

// The states of an evaluation (article 6).
inline const Transitions& EvaluationTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(
      EvaluationState_descriptor(),
      {
          {0, EVALUATION_STATE_FINAL, "RecordEvaluation"},
          {0, EVALUATION_STATE_PROVISIONAL, "RecordEvaluation"},
          {EVALUATION_STATE_PROVISIONAL, EVALUATION_STATE_PROVISIONAL, "NotifyEvaluation"},
          {EVALUATION_STATE_PROVISIONAL, EVALUATION_STATE_UNDER_REVIEW, "RequestEvaluationReview"},
          {EVALUATION_STATE_UNDER_REVIEW, EVALUATION_STATE_FINAL, "DecideEvaluationReview"},
          {EVALUATION_STATE_PROVISIONAL, EVALUATION_STATE_FINAL, "timer:FinalizeEvaluations"},
          {EVALUATION_STATE_PROVISIONAL, EVALUATION_STATE_SUPERSEDED, "SupersedeEvaluation"},
          {EVALUATION_STATE_UNDER_REVIEW, EVALUATION_STATE_SUPERSEDED, "SupersedeEvaluation"},
          {EVALUATION_STATE_FINAL, EVALUATION_STATE_SUPERSEDED, "SupersedeEvaluation"},
      });
  return transitions;
}

// The states of a report on the use of the money (article 5).
inline const Transitions& UseReportTransitions() {
  using namespace v1;  // NOLINT
  static const Transitions transitions(
      UseReportState_descriptor(),
      {
          {0, USE_REPORT_STATE_DUE, "event:PaymentAdvanced"},
          {USE_REPORT_STATE_DUE, USE_REPORT_STATE_SUBMITTED, "SubmitUseReport"},
          {USE_REPORT_STATE_RETURNED, USE_REPORT_STATE_SUBMITTED, "SubmitUseReport"},
          {USE_REPORT_STATE_SUBMITTED, USE_REPORT_STATE_ACCEPTED, "ReviewUseReport"},
          {USE_REPORT_STATE_SUBMITTED, USE_REPORT_STATE_RETURNED, "ReviewUseReport"},
      });
  return transitions;
}

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_TRANSITIONS_H_
