// What stands on the printed documents of review.
#ifndef YUEZHAN_SERVICES_REVIEW_PRINTING_H_
#define YUEZHAN_SERVICES_REVIEW_PRINTING_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/documents/documents.h"
#include "common/files/files.h"
#include "common/host/rulebook.h"
#include "google/protobuf/repeated_field.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::review {

// What a document is made of; which of it is given depends on its kind.
struct Printed {
  const Rules* rules;                     // of its cases
  std::map<std::string, v1::Case> cases;  // by name
  std::map<std::string, std::string> names;  // of persons, by subject; the first found counts
  v1::Meeting meeting;
  v1::Notice notice;
  std::vector<v1::Objection> objections;
  std::vector<files::File> files;

  // A person as printed: the name where it is known, else the subject in brackets.
  std::string Person(const std::string& subject) const;
  std::string Persons(const google::protobuf::RepeatedPtrField<std::string>& subjects) const;
  // "甲（受乙委托）"; without a delegation the person alone.
  std::string Delegate(const std::string& subject, const std::string& on_behalf_of) const;
  // Who did that act of the case, and for whom.
  std::string Actor(const v1::Case& review_case, const std::string& subject, common::v1::Act act,
                    std::string_view what) const;
  std::string LevelZh(common::v1::StationLevel level) const;
};

// Offices and document of the policy, as every document names them.
documents::Values CommonValues(const Rules& rules);
std::string DayZh(const google::type::Date& date);  // "" when absent
// What an officer wrote, with a full stop where it has none.
std::string Sentence(const std::string& text);
std::string ChannelZh(std::string_view channel);
std::vector<documents::Values> FileRows(const std::vector<files::File>& files);

documents::Values ReviewFormValues(const Printed& printed, const v1::Case& review_case);
documents::Values InspectionValues(const Printed& printed, const v1::Case& review_case);
documents::Values RequestValues(const Printed& printed);
documents::Values MinutesValues(const Printed& printed);
documents::Values NoticeValues(const Printed& printed);
documents::Values ResultValues(const Printed& printed);
// `done_on`: the day of what the document tells.
documents::Values ObjectionValues(const Printed& printed, const v1::Objection& objection,
                                  const google::type::Date& done_on);

// Prints, or tells the state that a document of that kind needs.
absl::Status PrintOf(v1::DocumentKind kind, const std::string& name, const Printed& printed,
                     common::v1::PrintedDocument* answer);

}  // namespace yuezhan::review

#endif  // YUEZHAN_SERVICES_REVIEW_PRINTING_H_
