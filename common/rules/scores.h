// Weighted scores, shared by assessment (article 5) and evaluation (article 6).
#ifndef YUEZHAN_COMMON_RULES_SCORES_H_
#define YUEZHAN_COMMON_RULES_SCORES_H_

#include <optional>
#include <string>
#include <utility>

#include "google/protobuf/repeated_ptr_field.h"
#include "yuezhan/policy/v1/policy.pb.h"
#include "yuezhan/rules/v1/facts.pb.h"

namespace yuezhan::rules {

using Items = google::protobuf::RepeatedPtrField<policy::v1::ScoredItem>;
using Scores = google::protobuf::RepeatedPtrField<v1::ScoreFacts>;

// What is wrong with the scores, in Chinese and English; nothing when every item is scored once, in
// range.
std::optional<std::pair<std::string, std::string>> WrongScores(const Items& items,
                                                               const Scores& scores);

// Weighted mean in hundredths of a point, rounded down. The scores must not be wrong.
int WeightedScore(const Items& items, const Scores& scores);

// "85.50".
std::string FormatScore(int hundredths);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_SCORES_H_
