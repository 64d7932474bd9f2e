// How a rule is written: a row {id, article, policy values it reads, where it is enforced, how it
// judges}.
#ifndef YUEZHAN_COMMON_RULES_INTERNAL_H_
#define YUEZHAN_COMMON_RULES_INTERNAL_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/dates.h"
#include "common/base/money.h"
#include "common/base/text.h"
#include "common/rules/rules.h"

namespace yuezhan::rules {

using common::v1::Outcome;

// What a rule looks at.
template <class Facts>
struct Question {
  const policy::v1::Policy& policy;
  const policy::Calendar& calendar;
  const Facts& facts;
  Day today;
};

// What a rule says: facts used, one outcome with its two sentences, the day on which time changes
// it.
class Verdict {
 public:
  explicit Verdict(Finding* finding) : finding_(finding) {}

  Verdict& Fact(const char* name, std::string value) {
    common::v1::Fact* fact = finding_->add_facts();
    fact->set_name(name);
    fact->set_value(std::move(value));
    return *this;
  }
  Verdict& Fact(const char* name, Day day) { return Fact(name, FormatDay(day)); }
  // An absent date is shown as "-".
  Verdict& Fact(const char* name, const std::optional<Day>& day) {
    return Fact(name, day ? FormatDay(*day) : std::string("-"));
  }
  Verdict& ChangesOn(Day day) {
    *finding_->mutable_changes_on() = DayToProto(day);
    return *this;
  }

  void Satisfied(std::string zh, std::string en) {
    Set(Outcome::OUTCOME_SATISFIED, std::move(zh), std::move(en));
  }
  void Violated(std::string zh, std::string en) {
    Set(Outcome::OUTCOME_VIOLATED, std::move(zh), std::move(en));
  }
  void Remark(std::string zh, std::string en) {
    Set(Outcome::OUTCOME_REMARK, std::move(zh), std::move(en));
  }
  void NotApplicable(std::string zh, std::string en) {
    Set(Outcome::OUTCOME_NOT_APPLICABLE, std::move(zh), std::move(en));
  }
  // Violated where the policy says that it refuses, else a remark.
  void Wrong(bool refuses, std::string zh, std::string en) {
    Set(refuses ? Outcome::OUTCOME_VIOLATED : Outcome::OUTCOME_REMARK, std::move(zh),
        std::move(en));
  }

 private:
  void Set(Outcome outcome, std::string zh, std::string en) {
    finding_->set_outcome(outcome);
    finding_->set_text_zh(std::move(zh));
    finding_->set_text_en(std::move(en));
  }
  Finding* finding_;
};

template <class Facts>
struct Rule {
  RuleInfo info;
  void (*judge)(const Question<Facts>&, Verdict&);
};

// Appends one finding for each rule.
template <class Facts, size_t kRules>
void Judge(const Rule<Facts> (&rules)[kRules], const Question<Facts>& question,
           Findings* findings) {
  for (const Rule<Facts>& rule : rules) {
    Finding& finding = findings->emplace_back();
    finding.set_rule_id(rule.info.id.data(), rule.info.id.size());
    finding.set_article(rule.info.article.data(), rule.info.article.size());
    Verdict verdict(&finding);
    rule.judge(question, verdict);
  }
}

template <class Facts, size_t kRules>
void AppendInfo(const Rule<Facts> (&rules)[kRules], std::vector<RuleInfo>* out) {
  for (const Rule<Facts>& rule : rules) out->push_back(rule.info);
}

// Rules that longer questions include, which stand in files of their own.
void JudgeStanding(const Question<v1::StandingFacts>& question, Findings* findings);
void JudgeFilingForm(const Question<v1::FilingFacts>& question, Findings* findings);
void JudgeApplicationForm(const Question<v1::ApplicationFacts>& question, Findings* findings);
void JudgeAssessment(const Question<v1::AssessmentFacts>& question, Findings* findings);

// Room for the findings of the longest question, so that none is moved while it is asked.
inline constexpr size_t kMostFindings = 40;

// Each file's rows, for AllRules().
void AppendFilingRules(std::vector<RuleInfo>* out);
void AppendFilingFormRules(std::vector<RuleInfo>* out);
void AppendActivityRules(std::vector<RuleInfo>* out);
void AppendStandingRules(std::vector<RuleInfo>* out);
void AppendEligibilityRules(std::vector<RuleInfo>* out);
void AppendApplicationFormRules(std::vector<RuleInfo>* out);
void AppendAssessmentRules(std::vector<RuleInfo>* out);
void AppendReviewRules(std::vector<RuleInfo>* out);
void AppendNoticeRules(std::vector<RuleInfo>* out);
void AppendPaymentRules(std::vector<RuleInfo>* out);
void AppendEvaluationRules(std::vector<RuleInfo>* out);
void AppendSeparationRules(std::vector<RuleInfo>* out);

// Names as sentences print them; "-" where the policy has none.
std::string_view LevelZh(const policy::v1::Policy& policy, common::v1::StationLevel level);
std::string_view LevelEn(const policy::v1::Policy& policy, common::v1::StationLevel level);
// The association and the talent office, short: "市科协".
inline std::string_view Association(const policy::v1::Policy& policy) {
  return policy.offices().association_short_zh();
}
inline std::string_view TalentOffice(const policy::v1::Policy& policy) {
  return policy.offices().talent_office_short_zh();
}

// The station and the host that an application is about.
inline const v1::StationFacts& Station(const Question<v1::ApplicationFacts>& q) {
  return q.facts.standing().station();
}
inline const v1::HostFacts& Host(const Question<v1::ApplicationFacts>& q) {
  return q.facts.standing().host();
}

// "100,000.00元" and "100,000.00 yuan".
std::string YuanZh(int64_t fen);
std::string YuanEn(int64_t fen);

// Whether two spellings name the same: blanks of either width do not count, full-width forms are
// their half-width ones.
bool SameName(std::string_view a, std::string_view b);

// The same number of months on; where that month has no such day, its last (Civil Code, art. 202).
Day AddMonths(Day day, int months);

// "a、b、c" and "a, b, c"; `last` stands before the last one: "a、b或c", "a, b or c".
std::string ListZh(const std::vector<std::string_view>& items, std::string_view last = "、");
std::string ListEn(const std::vector<std::string_view>& items, std::string_view last = ", ");

// A confirmation with a reason.
inline bool Confirmed(const common::v1::Confirmation& confirmation) {
  return confirmation.confirmed() && !confirmation.reason().empty();
}

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_INTERNAL_H_
