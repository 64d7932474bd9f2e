#ifndef YUEZHAN_SERVICES_REVIEW_MEASURES_H_
#define YUEZHAN_SERVICES_REVIEW_MEASURES_H_

#include <vector>

#include "common/host/samples.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::review {

// What the service's schema tells Prometheus.
inline std::vector<DatabaseMeasure> Measures() {
  using namespace v1;  // NOLINT
  return {
      CountByState("yuezhan_cases", "cases", CaseState_descriptor()),
      CountByState("yuezhan_notices", "notices", NoticeState_descriptor()),
      CountByState("yuezhan_objections", "objections", ObjectionState_descriptor()),
      // An id begins with the milliseconds of its making. Received, accepted, examined: open.
      {"yuezhan_objection_oldest_open_seconds", "Age of the oldest objection not resolved.",
       "SELECT CAST(COALESCE((? - CAST(CONV(HEX(LEFT(MIN(id), 6)), 16, 10) AS SIGNED)) DIV 1000, "
       "0) AS SIGNED) FROM objections WHERE state IN (1, 2, 4)"},
  };
}

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_MEASURES_H_
