#include "common/rules/scores.h"

#include <algorithm>

#include "common/rules/internal.h"

namespace yuezhan::rules {

std::optional<std::pair<std::string, std::string>> WrongScores(const Items& items,
                                                               const Scores& scores) {
  std::vector<std::string_view> missing_zh, missing_en;
  for (const policy::v1::ScoredItem& item : items) {
    const auto count =
        std::count_if(scores.begin(), scores.end(),
                      [&](const v1::ScoreFacts& score) { return score.code() == item.code(); });
    if (count > 1) {
      return {{Concat({"“", item.name_zh(), "”重复评分，请只保留一项。"}),
               Concat({"\"", item.name_en(), "\" is scored twice. Please keep one."})}};
    }
    if (count == 1) continue;
    missing_zh.push_back(item.name_zh());
    missing_en.push_back(item.name_en());
  }
  if (!missing_zh.empty()) {
    return {{Concat({"还有项目未评分：", ListZh(missing_zh), "。请补齐。"}),
             Concat({"Not scored yet: ", ListEn(missing_en), ". Please complete them."})}};
  }
  for (const v1::ScoreFacts& score : scores) {
    if (score.score_hundredths() < 0 || score.score_hundredths() > 10'000) {
      return {{Concat({"“", score.code(), "”的评分应在0至100分之间，请改正。"}),
               Concat({"The score of \"", score.code(), "\" must be 0 to 100."})}};
    }
  }
  if (scores.size() != items.size()) {
    return {{"评分中有办法未列的项目，请删去。",
             "There is a score of an item that the policy does not have."}};
  }
  return std::nullopt;
}

int WeightedScore(const Items& items, const Scores& scores) {
  int64_t sum = 0;
  int64_t weights = 0;
  for (const policy::v1::ScoredItem& item : items) {
    weights += item.weight();
    for (const v1::ScoreFacts& score : scores) {
      if (score.code() == item.code()) sum += int64_t{item.weight()} * score.score_hundredths();
    }
  }
  return weights == 0 ? 0 : static_cast<int>(sum / weights);
}

std::string FormatScore(int hundredths) {
  const std::string cents = std::to_string(hundredths % 100);
  return Concat({std::to_string(hundredths / 100), cents.size() < 2 ? ".0" : ".", cents});
}

}  // namespace yuezhan::rules
