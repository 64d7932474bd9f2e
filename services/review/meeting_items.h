// What agenda.cc and meetings.cc do with the items of a meeting.
#ifndef YUEZHAN_SERVICES_REVIEW_MEETING_ITEMS_H_
#define YUEZHAN_SERVICES_REVIEW_MEETING_ITEMS_H_

#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "common/journal/journal.h"
#include "yuezhan/review/v1/events.pb.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::review {

inline void EmitMeeting(journal::Unit& unit, const v1::Meeting& meeting) {
  v1::MeetingAdvanced event;
  event.set_meeting(meeting.name());
  event.set_state(meeting.state());
  event.set_minutes_digest(meeting.minutes_digest());
  unit.Emit(event);
}

// The cases of an agenda, each once; `only_cases`: of the items that are no objections.
template <typename Items>
std::set<std::string> CasesOf(const Items& items, bool only_cases) {
  std::set<std::string> names;
  for (const v1::MeetingItem& item : items) {
    if (!only_cases || item.objection().empty()) names.insert(item.case_name());
  }
  return names;
}

inline bool SameItem(const v1::MeetingItem& a, const v1::MeetingItem& b) {
  return a.case_name() == b.case_name() && a.objection() == b.objection();
}

inline absl::Status BadItem(const v1::MeetingItem& item, std::string_view zh, std::string_view en) {
  const std::string& name = item.objection().empty() ? item.case_name() : item.objection();
  return errors::InvalidField("items", Concat({name, "：", zh}), Concat({name, ": ", en}));
}

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_MEETING_ITEMS_H_
