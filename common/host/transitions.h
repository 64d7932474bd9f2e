#ifndef YUEZHAN_COMMON_HOST_TRANSITIONS_H_
#define YUEZHAN_COMMON_HOST_TRANSITIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"

namespace yuezhan {

// One arrow of a service's state machine. Each service has one table of them (transitions.h of its
// folder), which the code asks and docs/states.md is made from.
struct Transition {
  int from;                 // state before; 0: the resource is new
  int to;                   // state after
  std::string_view method;  // "AcceptFiling", or "event:…" and "timer:…" for the service's own
};

class Transitions {
 public:
  // `states`: the enum of the contract.
  Transitions(const google::protobuf::EnumDescriptor* states, std::vector<Transition> table)
      : states_(states), table_(std::move(table)) {}

  // OK when `method` leads from `from` to `to`; else errors::StateForbids, which tells the state it
  // is in, those it could come from, and the method that leads there.
  absl::Status Check(std::string_view resource, int from, int to, std::string_view method) const;
  // The same where the method leads to one state only, or any of its states will do.
  absl::Status Check(std::string_view resource, int from, std::string_view method) const;
  // Whether it would be OK, for what passes over in silence (events).
  bool Allows(int from, int to, std::string_view method) const;

  const std::vector<Transition>& table() const { return table_; }
  // "FILED" of STATION_STATE_FILED.
  std::string_view StateName(int state) const;

 private:
  const google::protobuf::EnumDescriptor* states_;
  const std::vector<Transition> table_;
};

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_TRANSITIONS_H_
