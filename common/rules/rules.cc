#include "common/rules/rules.h"

#include <algorithm>

#include "common/rules/internal.h"

namespace yuezhan::rules {

bool Allows(const Findings& findings) {
  for (const Finding& finding : findings) {
    if (finding.outcome() == Outcome::OUTCOME_VIOLATED) return false;
  }
  return true;
}

Findings Violations(const Findings& findings) {
  Findings violated;
  for (const Finding& finding : findings) {
    if (finding.outcome() == Outcome::OUTCOME_VIOLATED) violated.push_back(finding);
  }
  return violated;
}

const Finding* Find(const Findings& findings, std::string_view rule_id) {
  for (const Finding& finding : findings) {
    if (finding.rule_id() == rule_id) return &finding;
  }
  return nullptr;
}

std::optional<absl::CivilDay> AllowedFrom(const Findings& findings) {
  std::optional<Day> from;
  for (const Finding& finding : findings) {
    if (finding.outcome() != Outcome::OUTCOME_VIOLATED) continue;
    const std::optional<Day> day = DayFromProto(finding.changes_on());
    if (!day) return std::nullopt;
    if (!from || *day > *from) from = day;
  }
  return from;
}

const std::vector<RuleInfo>& AllRules() {
  static const std::vector<RuleInfo>* const rules = [] {
    auto* all = new std::vector<RuleInfo>;
    AppendFilingRules(all);
    AppendFilingFormRules(all);
    AppendActivityRules(all);
    AppendStandingRules(all);
    AppendEligibilityRules(all);
    AppendApplicationFormRules(all);
    AppendAssessmentRules(all);
    AppendReviewRules(all);
    AppendNoticeRules(all);
    AppendPaymentRules(all);
    AppendEvaluationRules(all);
    AppendSeparationRules(all);
    // Judged when the policy is loaded: a value that is neither the text's nor a named
    // interpretation stops the start.
    all->push_back({"policy.interpretations-named", "8", "basis", "start of every service"});
    return all;
  }();
  return *rules;
}

std::string_view LevelZh(const policy::v1::Policy& policy, common::v1::StationLevel level) {
  const policy::v1::Level* entry = policy::FindLevel(policy, level);
  return entry == nullptr ? std::string_view("-") : entry->name_zh();
}

std::string_view LevelEn(const policy::v1::Policy& policy, common::v1::StationLevel level) {
  const policy::v1::Level* entry = policy::FindLevel(policy, level);
  return entry == nullptr ? std::string_view("-") : entry->name_en();
}

std::string YuanZh(int64_t fen) { return FormatYuan(fen) + "元"; }
std::string YuanEn(int64_t fen) { return FormatYuan(fen) + " yuan"; }

namespace {

// The next character of a name with blanks skipped and full-width forms (U+FF01 to U+FF5E) made
// half-width; empty at the end.
std::string_view NextOfName(std::string_view* rest, char* half_width) {
  while (!rest->empty()) {
    std::string_view c = rest->substr(0, 1);
    const auto lead = static_cast<unsigned char>(c[0]);
    if (lead >= 0xE0 && rest->size() >= 3)
      c = rest->substr(0, lead >= 0xF0 ? 4 : 3);
    else if (lead >= 0xC0 && rest->size() >= 2)
      c = rest->substr(0, 2);
    rest->remove_prefix(c.size());
    if (c == " " || c == "\t" || c == "\u3000" || c == "\u00A0") continue;
    if (c.size() == 3 && c[0] == '\xEF' && (c[1] == '\xBC' || c[1] == '\xBD')) {
      const int code =
          (c[1] == '\xBC' ? 0xFF00 : 0xFF40) + (static_cast<unsigned char>(c[2]) & 0x3F);
      if (code >= 0xFF01 && code <= 0xFF5E) {
        *half_width = static_cast<char>(code - 0xFF01 + '!');
        return {half_width, 1};
      }
    }
    return c;
  }
  return {};
}

}  // namespace

bool SameName(std::string_view a, std::string_view b) {
  if (a == b) return true;
  char half_a = 0, half_b = 0;
  while (true) {
    const std::string_view of_a = NextOfName(&a, &half_a);
    const std::string_view of_b = NextOfName(&b, &half_b);
    if (of_a != of_b) return false;
    if (of_a.empty()) return true;
  }
}

Day AddMonths(Day day, int months) {
  const absl::CivilMonth month = absl::CivilMonth(day) + months;
  const Day last = Day(month + 1) - 1;
  return Day(month.year(), month.month(), std::min(day.day(), last.day()));
}

namespace {

std::string List(const std::vector<std::string_view>& items, std::string_view between,
                 std::string_view last) {
  std::string out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += i + 1 == items.size() ? last : between;
    out += items[i];
  }
  return out;
}

}  // namespace

std::string ListZh(const std::vector<std::string_view>& items, std::string_view last) {
  return List(items, "、", last);
}

std::string ListEn(const std::vector<std::string_view>& items, std::string_view last) {
  return List(items, ", ", last);
}

}  // namespace yuezhan::rules
