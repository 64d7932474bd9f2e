// The evidence of a case: it proves what happened, and nothing in it can be changed unseen.
#include "services/yz/evidence.h"

#include "common/journal/service.h"
#include "common/journal/signer.h"
#include "common/rpc/handlers.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "services/review/test_review.h"

namespace yuezhan::yz {
namespace {

using review::TestReview;
using review::v1::CaseEvidence;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Review alone, asked as yz asks a running one.
class Asked {
 public:
  Asked() : name_(review_.CaseIn(review::v1::CASE_STATE_IN_NOTICE)) {
    const std::string notice = review_.Get(name_).notice();
    const std::string objection = review_.Object(name_);
    review_.Admit(objection, true);
    review_.Examine(objection);
    review_.ResolveObjection(objection, review::v1::OBJECTION_RESOLUTION_MAINTAIN);
    review_.OpenCase();  // another one's entry
    review_.PassPeriod(notice);
    review_.Tend();
    review_.SignBoth(notice);
    const std::string key = review_.ChainAll();
    EXPECT_TRUE(keys_.Add(key).ok());
    service_ = std::make_unique<journal::JournalService>(
        review_.host().journal(), review_.host().vault(), keys_, keys_.keys().begin()->first);
  }

  CaseEvidence Collect() {
    const auto evidence = CollectEvidence(
        [this](const std::string&, std::string_view method,
               const google::protobuf::Message& request, google::protobuf::Message* answer) {
          Context who = review_.host().Person(Role::kAuditor, "auditor-1");
          who.method = std::string(method);
          const std::string short_name(method.substr(method.rfind('/') + 1));
          rpc::Service journal("yuezhan.journal.v1.JournalService");
          journal.Add("ReadEntries", &journal::JournalService::ReadEntries, service_.get())
              .Add("GetHead", &journal::JournalService::GetHead, service_.get());
          for (const rpc::Service& service : {review_.handlers().Methods(), journal}) {
            for (const auto& each : service.methods()) {
              if (each.name == short_name && method.starts_with(service.name()))
                return each.run(who, request, answer);
            }
          }
          return absl::UnimplementedError(short_name);
        },
        {"review"}, name_);
    EXPECT_TRUE(evidence.ok()) << evidence.status();
    return evidence.value_or(CaseEvidence());
  }
  std::string key_id() const { return keys_.keys().begin()->first; }

 private:
  TestReview review_;
  const std::string name_;
  journal::VerifyingKeys keys_;
  std::unique_ptr<journal::JournalService> service_;
};

class Evidence : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    Asked asked;
    evidence_ = new CaseEvidence(asked.Collect());
    key_id_ = new std::string(asked.key_id());
  }
  static void TearDownTestSuite() {
    delete evidence_;
    delete key_id_;
  }
  static CaseEvidence* evidence_;
  static std::string* key_id_;
};
CaseEvidence* Evidence::evidence_ = nullptr;
std::string* Evidence::key_id_ = nullptr;

TEST_F(Evidence, ProvesTheCaseOfflineAfterAWayThroughAFile) {
  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(*evidence_, &json).ok());
  CaseEvidence read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(json, &read).ok());
  const auto report = VerifyEvidence(read, {*key_id_});
  EXPECT_THAT(report.faults, IsEmpty());
  EXPECT_THAT(report.keys, ElementsAre(*key_id_));
  EXPECT_EQ(report.steps, read.history_size());
  EXPECT_EQ(report.entries, report.steps);
  // The one that names the objector stays closed.
  EXPECT_EQ(report.opened, report.entries - 3);
  EXPECT_THAT(json, Not(HasSubstr("群众甲")));
  EXPECT_EQ(read.history(read.history_size() - 1).to_state(), "CLEARED");
}

TEST_F(Evidence, AKeyThatIsNotTrustedProvesNothing) {
  EXPECT_THAT(VerifyEvidence(*evidence_, {"0123456789abcdef"}).faults, Not(IsEmpty()));
}

// One place each, changed as little as can be.
TEST_F(Evidence, WhateverIsChangedIsSeen) {
  using Change = void (*)(CaseEvidence*);
  const std::pair<const char*, Change> kChanges[] = {
      {"who acted", [](CaseEvidence* e) { e->mutable_history(3)->set_actor("somebody"); }},
      {"a finding",
       [](CaseEvidence* e) {
         e->mutable_history(3)->mutable_findings(0)->set_outcome(common::v1::OUTCOME_EXCEPTED);
       }},
      {"a time",
       [](CaseEvidence* e) { e->mutable_history(3)->mutable_time()->set_seconds(1); }},
      {"a digest",
       [](CaseEvidence* e) {
         e->mutable_history(5)->mutable_digests(0)->mutable_digest()->back() ^= 1;
       }},
      {"a step left out", [](CaseEvidence* e) { e->mutable_history()->DeleteSubrange(4, 1); }},
      {"a step and its entry left out",
       [](CaseEvidence* e) {
         const int64_t seq = e->history(4).seq();
         e->mutable_history()->DeleteSubrange(4, 1);
         auto* proofs = e->mutable_chains(0)->mutable_proofs();
         for (int i = 0; i < proofs->size(); ++i) {
           if (proofs->Get(i).entry().seq() == seq) proofs->DeleteSubrange(i, 1);
         }
       }},
      {"two steps changed places",
       [](CaseEvidence* e) { e->mutable_history()->SwapElements(3, 4); }},
      {"a public part",
       [](CaseEvidence* e) {
         e->mutable_chains(0)->mutable_proofs(3)->mutable_entry()->mutable_public_part()->back() ^=
             1;
       }},
      {"a private part",
       [](CaseEvidence* e) {
         e->mutable_chains(0)->mutable_proofs(3)->mutable_sealed()->mutable_private_part()->back() ^=
             1;
       }},
      {"the key of a row",
       [](CaseEvidence* e) {
         e->mutable_chains(0)->mutable_proofs(3)->mutable_sealed()->mutable_data_key()->back() ^= 1;
       }},
      {"the hash before",
       [](CaseEvidence* e) {
         e->mutable_chains(0)->mutable_proofs(3)->mutable_previous_hash()->back() ^= 1;
       }},
      {"a leaf on the way",
       [](CaseEvidence* e) {
         e->mutable_chains(0)->mutable_proofs(3)->mutable_following_leaves(0)->back() ^= 1;
       }},
      {"a signature",
       [](CaseEvidence* e) {
         e->mutable_chains(0)->mutable_proofs(3)->mutable_signature()->back() ^= 1;
       }},
      {"the public key",
       [](CaseEvidence* e) {
         e->mutable_chains(0)->mutable_keys(0)->mutable_public_key()->back() ^= 1;
       }},
      {"the policy",
       [](CaseEvidence* e) {
         std::string* text = e->mutable_policy_text();
         const size_t at = text->find("subsidy_fen: 5000000");
         ASSERT_NE(at, std::string::npos);
         text->replace(at, 20, "subsidy_fen: 5000001");
       }},
      {"the case", [](CaseEvidence* e) { e->set_case_name("cases/other"); }},
      {"all of review", [](CaseEvidence* e) { e->clear_chains(); }},
  };
  ASSERT_THAT(VerifyEvidence(*evidence_, {}).faults, IsEmpty());
  for (const auto& [what, change] : kChanges) {
    CaseEvidence changed = *evidence_;
    change(&changed);
    EXPECT_THAT(VerifyEvidence(changed, {}).faults, Not(IsEmpty())) << what;
  }
  // Another calendar is not a lie, but then the period was not counted again.
  CaseEvidence other = *evidence_;
  other.mutable_calendar_text()->append("# another\n");
  EXPECT_THAT(VerifyEvidence(other, {}).remarks,
              testing::Contains(HasSubstr("another calendar")));
}

}  // namespace
}  // namespace yuezhan::yz
