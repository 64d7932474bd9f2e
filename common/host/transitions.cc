#include "common/host/transitions.h"

#include <algorithm>

#include "common/errors/errors.h"

namespace yuezhan {
namespace {

// "STATION_STATE_" of STATION_STATE_UNSPECIFIED: what all names of the enum begin with.
size_t PrefixLength(const google::protobuf::EnumDescriptor* states) {
  return states->value(0)->name().size() - std::string_view("UNSPECIFIED").size();
}

constexpr int kAnyTarget = -1;

}  // namespace

std::string_view Transitions::StateName(int state) const {
  const auto* value = states_->FindValueByNumber(state);
  return value == nullptr ? "?" : std::string_view(value->name()).substr(PrefixLength(states_));
}

bool Transitions::Allows(int from, int to, std::string_view method) const {
  return std::any_of(table_.begin(), table_.end(), [&](const Transition& t) {
    return t.method == method && t.from == from && (to == kAnyTarget || t.to == to);
  });
}

absl::Status Transitions::Check(std::string_view resource, int from,
                                std::string_view method) const {
  return Check(resource, from, kAnyTarget, method);
}

absl::Status Transitions::Check(std::string_view resource, int from, int to,
                                std::string_view method) const {
  if (Allows(from, to, method)) return absl::OkStatus();
  std::vector<std::string_view> sources;
  std::string_view leads_there;
  for (const Transition& t : table_) {
    if (t.method != method || (to != kAnyTarget && t.to != to)) continue;
    if (std::find(sources.begin(), sources.end(), StateName(t.from)) != sources.end()) continue;
    sources.push_back(StateName(t.from));
    // A way from the present state into one that the method starts from: what to do next.
    for (const Transition& before : table_) {
      // Events and timers are no way that a caller could go.
      if (leads_there.empty() && before.from == from && before.to == t.from &&
          before.method.find(':') == std::string_view::npos)
        leads_there = before.method;
    }
  }
  return errors::StateForbids(resource, StateName(from), sources, leads_there);
}

}  // namespace yuezhan
