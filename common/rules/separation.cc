#include "common/rules/separation.h"

#include "common/rules/internal.h"

namespace yuezhan::rules {
namespace {

using common::v1::Act;
using Separation = Question<v1::SeparationFacts>;

// Acts as sentences print them.
struct ActName {
  Act act;
  std::string_view zh;
  std::string_view en;
};
constexpr ActName kActNames[] = {
    {Act::ACT_PREPARE, "经办", "prepared"},
    {Act::ACT_APPROVE, "审核", "approved"},
    {Act::ACT_DECIDE, "审定", "decided"},
    {Act::ACT_PAY, "拨付审批", "authorized payment"},
    {Act::ACT_KEEP_BOOKS, "记账", "kept the books"},
    {Act::ACT_EXAMINE_OBJECTION, "异议核查", "examined an objection"},
    {Act::ACT_INTEREST, "声明利害关系", "declared an interest"},
};

ActName NameOf(Act act) {
  for (const ActName& name : kActNames) {
    if (name.act == act) return name;
  }
  return {act, "其他", "did another act"};
}

bool Incompatible(const policy::v1::Policy& policy, Act a, Act b) {
  for (const policy::v1::ActPair& pair : policy.separation().incompatible()) {
    if ((pair.first() == a && pair.second() == b) || (pair.first() == b && pair.second() == a))
      return true;
  }
  return false;
}

// One person, also through a delegation: who acts for another stands in both their shoes.
bool SamePerson(const v1::ActFacts& a, const v1::ActFacts& b) {
  const auto is = [](const std::string& x, const std::string& y) { return !x.empty() && x == y; };
  return is(a.person(), b.person()) || is(a.person(), b.on_behalf_of()) ||
         is(a.on_behalf_of(), b.person()) || is(a.on_behalf_of(), b.on_behalf_of());
}

// The first act done that the next one cannot go with; interest or not, as `interest` says.
const v1::ActFacts* Conflict(const Separation& q, bool interest) {
  for (const v1::ActFacts& done : q.facts.done()) {
    if ((done.act() == Act::ACT_INTEREST) != interest || !SamePerson(done, q.facts.next()))
      continue;
    if (Incompatible(q.policy, done.act(), q.facts.next().act())) return &done;
  }
  return nullptr;
}

void AddActs(const Separation& q, const v1::ActFacts* done, Verdict& v) {
  v.Fact("person", q.facts.next().person())
      .Fact("next", common::v1::Act_Name(q.facts.next().act()));
  if (done != nullptr) v.Fact("done", common::v1::Act_Name(done->act())).Fact("what", done->what());
}

// Prepare, approve, pay, keep the books and examine an objection exclude one another, by person.
void IncompatibleActs(const Separation& q, Verdict& v) {
  const v1::ActFacts* done = Conflict(q, false);
  AddActs(q, done, v);
  if (done == nullptr)
    return v.Satisfied("本人在本案中没有不相容的行为。",
                       "The person did no incompatible act in this case.");
  const ActName before = NameOf(done->act());
  const ActName next = NameOf(q.facts.next().act());
  if (q.facts.next().act() == Act::ACT_INTEREST) {
    return v.Remark(Concat({"本人已在本案中", before.zh, "后声明利害关系，请复查该项行为。"}),
                    Concat({"The person ", before.en,
                            " before declaring an interest; that act must be looked at again."}));
  }
  v.Violated(Concat({"本人已在本案中", before.zh, "（", done->what(), "），不能再", next.zh,
                     "。请由其他人员办理。"}),
             Concat({"The person ", before.en, " in this case (", done->what(),
                     ") and may not act here too. Another person must do it."}));
}

// An interest excludes everything.
void NoInterest(const Separation& q, Verdict& v) {
  const v1::ActFacts* done = Conflict(q, true);
  AddActs(q, done, v);
  if (done == nullptr)
    return v.Satisfied("本人未声明利害关系。", "The person declared no interest.");
  v.Violated("本人与本案有利害关系，应当回避。请由其他人员办理。",
             "The person has an interest in this case and is excluded. Another person must act.");
}

constexpr Rule<v1::SeparationFacts> kSeparation[] = {
    {{"separation.incompatible-acts", "interpretation", "separation.incompatible",
      "CheckSeparation"},
     IncompatibleActs},
    {{"separation.interest", "interpretation", "separation.incompatible", "CheckSeparation"},
     NoInterest},
};

}  // namespace

Findings CheckSeparation(const policy::v1::Policy& policy, const v1::SeparationFacts& facts) {
  Findings findings;
  // No rule of separation asks for a day.
  Judge(kSeparation, Separation{policy, policy::Calendar::Builtin(), facts, Day()}, &findings);
  return findings;
}

void AppendSeparationRules(std::vector<RuleInfo>* out) { AppendInfo(kSeparation, out); }

}  // namespace yuezhan::rules
