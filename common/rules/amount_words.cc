#include "common/rules/amount_words.h"

#include <iterator>
#include <vector>

namespace yuezhan::rules {
namespace {

constexpr std::string_view kDigits[] = {"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"};
constexpr std::string_view kUnits[] = {"", "拾", "佰", "仟"};
constexpr std::string_view kGroups[] = {"", "万", "亿"};
constexpr size_t kCharacter = 3;  // Bytes of each of these characters.
constexpr size_t kMostCharacters =
    40;  // No amount takes more, zeros that may be left out included.

// Traditional characters count as their modern ones (Measures for Payment and Settlement, annex 1).
constexpr struct {
  std::string_view traditional;
  std::string_view modern;
} kVariants[] = {{"貳", "贰"}, {"參", "叁"}, {"陸", "陆"}, {"萬", "万"},
                 {"億", "亿"}, {"圓", "元"}, {"圆", "元"}, {"正", "整"}};

// One character to write. A zero that the rule leaves open may be written or not.
struct Token {
  std::string_view text;
  bool optional = false;
};

// The yuan part without 元. Zeros inside read as one 零; it is left open where the last zero stands
// in the place of 万 or 亿 and the thousands follow.
void Yuan(int64_t yuan, std::vector<Token>* out) {
  bool zero = false;  // Zeros were passed since the last digit that was written.
  bool started = false;
  for (int group = 2; group >= 0; --group) {
    const int64_t scale = group == 2 ? 100'000'000 : group == 1 ? 10'000 : 1;
    const int value = static_cast<int>(yuan / scale % 10'000);
    int divisor = 1000;
    for (int place = 3; place >= 0; --place, divisor /= 10) {
      const int digit = value / divisor % 10;
      if (digit == 0) {
        zero = started;
        continue;
      }
      if (zero) out->push_back({kDigits[0], place == 3});
      zero = false;
      started = true;
      out->push_back({kDigits[digit]});
      if (place > 0) out->push_back({kUnits[place]});
    }
    if (value > 0 && group > 0) out->push_back({kGroups[group]});
  }
}

std::vector<Token> Tokens(int64_t fen) {
  std::vector<Token> out;
  out.reserve(kMostCharacters);
  const int64_t yuan = fen / 100;
  const int jiao = static_cast<int>(fen / 10 % 10);
  const int rest = static_cast<int>(fen % 10);
  Yuan(yuan, &out);
  if (fen == 0) out.push_back({kDigits[0]});
  if (yuan > 0 || fen == 0) out.push_back({"元"});
  if (jiao == 0 && rest == 0) {
    out.push_back({"整"});
    return out;
  }
  if (jiao > 0) {
    if (yuan > 0 && yuan % 10 == 0) out.push_back({kDigits[0], true});
    out.push_back({kDigits[jiao]});
    out.push_back({"角"});
  } else if (yuan > 0) {
    out.push_back({kDigits[0]});
  }
  if (rest > 0) {
    out.push_back({kDigits[rest]});
    out.push_back({"分"});
  } else {
    out.push_back({"整", true});
  }
  return out;
}

// The number that the words add up to, whether or not they are spelled as they should; -1: no
// number.
int64_t Sum(std::string_view words) {
  int64_t total = 0, section = 0, fen = 0;
  int digit = 0;
  for (; !words.empty(); words.remove_prefix(kCharacter)) {
    const std::string_view c = words.substr(0, kCharacter);
    int found = -1;
    for (int i = 0; i < 10; ++i) found = c == kDigits[i] ? i : found;
    if (found >= 0) {
      digit = found;
    } else if (c == "拾" || c == "佰" || c == "仟") {
      section += digit * (c == "拾" ? 10 : c == "佰" ? 100 : 1000);
      digit = 0;
    } else if (c == "万" || c == "亿") {
      total += (section + digit) * (c == "万" ? 10'000 : 100'000'000);
      section = digit = 0;
    } else if (c == "元") {
      fen += (total + section + digit) * 100;
      total = section = digit = 0;
    } else if (c == "角" || c == "分") {
      fen += digit * (c == "角" ? 10 : 1);
      digit = 0;
    } else if (c != "整") {
      return -1;
    }
    if (fen > kMaxWordsFen || total > kMaxWordsFen / 100) return -1;
  }
  return total + section + digit == 0 ? fen : -1;
}

bool Matches(std::string_view words, const std::vector<Token>& tokens) {
  for (const Token& token : tokens) {
    if (words.substr(0, token.text.size()) == token.text) {
      words.remove_prefix(token.text.size());
    } else if (!token.optional) {
      return false;
    }
  }
  return words.empty();
}

std::string Modern(std::string_view words) {
  std::string out;
  out.reserve(words.size() + 2 * kCharacter);
  for (; !words.empty(); words.remove_prefix(kCharacter)) {
    std::string_view c = words.substr(0, kCharacter);
    for (const auto& variant : kVariants) c = c == variant.traditional ? variant.modern : c;
    out += c;
  }
  return out;
}

}  // namespace

std::string AmountWords(int64_t fen) {
  if (fen < 0 || fen > kMaxWordsFen) return "";
  std::string out;
  for (const Token& token : Tokens(fen)) {
    // Left open, the zero inside the yuan is written and the one after 元, and 整 after 角, are
    // not.
    if (token.optional && (token.text == "整" || out.ends_with("元"))) continue;
    out += token.text;
  }
  return out;
}

std::string AmountWordsBeforeYuan(int64_t fen) {
  if (fen % 100 != 0) return "";
  const std::string words = AmountWords(fen);
  return words.empty() ? "" : words.substr(0, words.size() - 2 * kCharacter);
}

std::optional<int64_t> FenOfWords(std::string_view words) {
  constexpr std::string_view kPrefix = "人民币";
  if (words.starts_with(kPrefix)) words.remove_prefix(kPrefix.size());
  if (words.empty() || words.size() % kCharacter != 0 ||
      words.size() > kMostCharacters * kCharacter)
    return std::nullopt;
  std::string text = Modern(words);
  if (text.find("元") == std::string::npos && text.find("角") == std::string::npos &&
      text.find("分") == std::string::npos && text.find("整") == std::string::npos) {
    text += "元整";
  }
  const int64_t fen = Sum(text);
  if (fen < 0 || !Matches(text, Tokens(fen))) return std::nullopt;
  return fen;
}

}  // namespace yuezhan::rules
