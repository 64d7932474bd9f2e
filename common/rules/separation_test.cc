#include "common/rules/separation.h"

#include "common/rules/test_facts.h"

namespace yuezhan::rules {
namespace {

using namespace testing;  // NOLINT: facts and outcomes by their short names.
using common::v1::Act;

v1::ActFacts Did(const char* person, Act act, const char* on_behalf_of = "") {
  v1::ActFacts facts;
  facts.set_person(person);
  facts.set_act(act);
  facts.set_what("opinion");
  facts.set_on_behalf_of(on_behalf_of);
  return facts;
}

bool May(const v1::ActFacts& done, const v1::ActFacts& next,
         const policy::v1::Policy& policy = Yueyang()) {
  v1::SeparationFacts facts;
  *facts.add_done() = done;
  *facts.mutable_next() = next;
  return Allows(CheckSeparation(policy, facts));
}

// "separation.incompatible-acts" and "separation.interest": the whole matrix, each way.
TEST(Separation, Matrix) {
  const Act acts[] = {Act::ACT_PREPARE, Act::ACT_APPROVE,    Act::ACT_DECIDE,
                      Act::ACT_PAY,     Act::ACT_KEEP_BOOKS, Act::ACT_EXAMINE_OBJECTION,
                      Act::ACT_INTEREST};
  // Rows: done; columns: next, in the order above. 1: may not. Declaring an interest is never
  // refused.
  const char* const refused[] = {
      "0101110",  // prepared
      "1001110",  // approved
      "0000010",  // decided: the chair may authorize payment
      "1100110",  // paid
      "1101010",  // kept the books
      "1111100",  // examined an objection
      "1111110",  // has an interest
  };
  for (int done = 0; done < 7; ++done) {
    for (int next = 0; next < 7; ++next) {
      EXPECT_EQ(May(Did("p", acts[done]), Did("p", acts[next])), refused[done][next] == '0')
          << done << next;
      EXPECT_TRUE(May(Did("p", acts[done]), Did("q", acts[next]))) << done << next;
    }
  }
}

TEST(Separation, WhichRuleRefuses) {
  v1::SeparationFacts facts;
  *facts.add_done() = Did("p", Act::ACT_PREPARE);
  *facts.mutable_next() = Did("p", Act::ACT_APPROVE);
  EXPECT_EQ(Find(CheckSeparation(Yueyang(), facts), "separation.incompatible-acts")->outcome(),
            kViolated);
  EXPECT_EQ(Find(CheckSeparation(Yueyang(), facts), "separation.interest")->outcome(), kSatisfied);
  facts.mutable_done(0)->set_act(Act::ACT_INTEREST);
  EXPECT_EQ(Find(CheckSeparation(Yueyang(), facts), "separation.incompatible-acts")->outcome(),
            kSatisfied);
  EXPECT_EQ(Find(CheckSeparation(Yueyang(), facts), "separation.interest")->outcome(), kViolated);
  // Declared after having acted: recorded, and shown.
  *facts.mutable_done(0) = Did("p", Act::ACT_PREPARE);
  *facts.mutable_next() = Did("p", Act::ACT_INTEREST);
  EXPECT_EQ(Find(CheckSeparation(Yueyang(), facts), "separation.incompatible-acts")->outcome(),
            kRemark);
}

// Who acts for another stands in both their shoes.
TEST(Separation, Delegation) {
  EXPECT_FALSE(May(Did("p", Act::ACT_PREPARE), Did("q", Act::ACT_APPROVE, "p")));
  EXPECT_FALSE(May(Did("q", Act::ACT_PREPARE, "p"), Did("p", Act::ACT_APPROVE)));
  EXPECT_FALSE(May(Did("q", Act::ACT_PREPARE, "p"), Did("q", Act::ACT_APPROVE)));
  EXPECT_FALSE(May(Did("q", Act::ACT_PREPARE, "p"), Did("r", Act::ACT_APPROVE, "p")));
  EXPECT_TRUE(May(Did("q", Act::ACT_PREPARE, "p"), Did("r", Act::ACT_APPROVE, "s")));
  EXPECT_TRUE(
      May(Did("q", Act::ACT_PREPARE), Did("r", Act::ACT_APPROVE)));  // no delegation on either side
}

TEST(Separation, TheMatrixIsPolicy) {
  policy::v1::Policy open = Yueyang();
  open.mutable_separation()->clear_incompatible();
  EXPECT_TRUE(May(Did("p", Act::ACT_PREPARE), Did("p", Act::ACT_APPROVE), open));
  policy::v1::Policy strict = Yueyang();
  policy::v1::ActPair* pair = strict.mutable_separation()->add_incompatible();
  pair->set_first(Act::ACT_DECIDE);
  pair->set_second(Act::ACT_PAY);
  EXPECT_FALSE(May(Did("p", Act::ACT_DECIDE), Did("p", Act::ACT_PAY), strict));
  EXPECT_TRUE(May(Did("p", Act::ACT_DECIDE), Did("p", Act::ACT_PAY)));
}

}  // namespace
}  // namespace yuezhan::rules
