// Amounts of money in Chinese words, both ways.
#ifndef YUEZHAN_COMMON_RULES_AMOUNT_WORDS_H_
#define YUEZHAN_COMMON_RULES_AMOUNT_WORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace yuezhan::rules {

// Most that can be said: 999,999,999,999.99 yuan.
inline constexpr int64_t kMaxWordsFen = 99'999'999'999'999;

// 壹拾万元整. 0 <= fen <= kMaxWordsFen; "" outside.
std::string AmountWords(int64_t fen);
// The words that stand before a printed 元 (Annex 1 prints it): 壹拾万. "" when there are jiao or
// fen, which cannot stand there.
std::string AmountWordsBeforeYuan(int64_t fen);
// The amount of any correct spelling: with or without 人民币, 整 or 正, and either way where the
// rule leaves a zero open. A spelling that ends before 元 is read as Annex 1 prints it. Nothing
// when it is wrong.
std::optional<int64_t> FenOfWords(std::string_view words);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_AMOUNT_WORDS_H_
