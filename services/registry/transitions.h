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
          {STATION_STATE_OPERATING, STATION_STATE_OPERATING, "RecordActivity"},
          {STATION_STATE_OPERATING, STATION_STATE_SUSPENDED, "SuspendStation"},
          {STATION_STATE_SUSPENDED, STATION_STATE_OPERATING, "ResumeStation"},
          {STATION_STATE_OPERATING, STATION_STATE_CLOSED, "CloseStation"},
          {STATION_STATE_SUSPENDED, STATION_STATE_CLOSED, "CloseStation"},
      });
  return transitions;
}

}  // namespace yuezhan::registry

#endif  // YUEZHAN_SERVICES_REGISTRY_TRANSITIONS_H_
