#ifndef YUEZHAN_SERVICES_REGISTRY_MEASURES_H_
#define YUEZHAN_SERVICES_REGISTRY_MEASURES_H_

#include <vector>

#include "common/host/samples.h"
#include "yuezhan/registry/v1/registry.pb.h"

namespace yuezhan::registry {

// What the service's schema tells Prometheus.
inline std::vector<DatabaseMeasure> Measures() {
  using namespace v1;  // NOLINT
  return {
      CountByState("yuezhan_stations", "stations", StationState_descriptor()),
  };
}

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_MEASURES_H_
