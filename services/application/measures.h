#ifndef YUEZHAN_SERVICES_APPLICATION_MEASURES_H_
#define YUEZHAN_SERVICES_APPLICATION_MEASURES_H_

#include <vector>

#include "common/host/samples.h"
#include "yuezhan/application/v1/application.pb.h"

namespace yuezhan::application {

// What the service's schema tells Prometheus.
inline std::vector<DatabaseMeasure> Measures() {
  using namespace v1;  // NOLINT
  return {
      CountByState("yuezhan_applications", "applications", ApplicationState_descriptor()),
  };
}

}  // namespace yuezhan::application

#endif  // YUEZHAN_SERVICES_APPLICATION_MEASURES_H_
