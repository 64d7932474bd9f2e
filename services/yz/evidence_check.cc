#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/journal/feed.h"
#include "common/journal/signer.h"
#include "common/journal/vault.h"
#include "common/policy/calendar.h"
#include "common/policy/policy.h"
#include "common/rules/notice.h"
#include "common/rules/payment.h"
#include "google/protobuf/util/message_differencer.h"
#include "services/review/history_steps.h"
#include "services/yz/evidence.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/payment/v1/events.pb.h"
#include "yuezhan/review/v1/events.pb.h"

namespace yuezhan::yz {
namespace {

namespace journal_v1 = journal::v1;

// A proven entry, read.
struct Proven {
  journal_v1::PublicPart public_part;
  std::optional<journal_v1::PrivatePart> private_part;
};

class Checker {
 public:
  Checker(const review::v1::CaseEvidence& evidence, const std::set<std::string>& trusted)
      : evidence_(evidence), trusted_(trusted) {}

  EvidenceReport Run() {
    if (evidence_.format() != "yuezhan-evidence-1") Fault("is no evidence of a known format");
    for (const auto& chain : evidence_.chains()) CheckChain(chain);
    if (!proven_.contains("review")) Fault("nothing of review's journal is in it");
    CheckHistory();
    CheckPolicyAndCalendar();
    CheckAward();
    return std::move(report_);
  }

 private:
  void Fault(std::string_view what) { report_.faults.emplace_back(what); }

  void CheckChain(const review::v1::ChainEvidence& chain) {
    journal::VerifyingKeys keys;
    for (const auto& key : chain.keys()) {
      const auto id = keys.Add(key.public_key());
      if (!id.ok() || *id != key.key_id())
        Fault(absl::StrCat(chain.service(), ": key ", key.key_id(), " is not what its id says"));
    }
    int64_t last = 0;
    for (const auto& proof : chain.proofs()) {
      const std::string where = absl::StrCat(chain.service(), " ", proof.entry().seq());
      if (proof.entry().seq() <= last) Fault(absl::StrCat(where, " stands in the wrong place"));
      last = proof.entry().seq();
      Proven proven;
      if (!proven.public_part.ParseFromString(proof.entry().public_part()) ||
          proven.public_part.service() != chain.service()) {
        Fault(absl::StrCat(where, " is no entry of that service"));
        continue;
      }
      CheckProof(where, chain.service(), proof, keys);
      if (proof.has_sealed()) OpenSealed(where, proof, &proven);
      proven_[chain.service()].emplace(proof.entry().seq(), std::move(proven));
      ++report_.entries;
    }
  }

  // From the entry's own bytes to the signature at the end of its batch.
  void CheckProof(const std::string& where, const std::string& service,
                  const review::v1::EntryProof& proof, const journal::VerifyingKeys& keys) {
    const auto& entry = proof.entry();
    std::string hash = journal::ChainHash(
        proof.previous_hash(),
        journal::LeafOf(journal::PartDigest(entry.public_part()), entry.private_digest()));
    if (hash != entry.hash()) Fault(absl::StrCat(where, ": its hash does not follow from it"));
    for (const std::string& leaf : proof.following_leaves()) hash = journal::ChainHash(hash, leaf);
    if (entry.seq() + proof.following_leaves_size() != proof.signed_seq() ||
        !keys.Verify(proof.key_id(), service, proof.signed_seq(), hash, proof.signature())) {
      return Fault(absl::StrCat(where, ": no signature proves it"));
    }
    if (!trusted_.empty() && !trusted_.contains(proof.key_id()))
      Fault(absl::StrCat(where, ": signed with key ", proof.key_id(), ", which is not trusted"));
    report_.keys.insert(proof.key_id());
  }

  void OpenSealed(const std::string& where, const review::v1::EntryProof& proof, Proven* proven) {
    const auto& sealed = proof.sealed();
    if (sealed.seq() != proof.entry().seq() ||
        journal::PartDigest(sealed.private_part()) != proof.entry().private_digest()) {
      return Fault(absl::StrCat(where, ": its private part is another one"));
    }
    if (sealed.data_key().empty()) return;  // it names an objector
    const auto plain = journal::Vault::OpenWith(
        sealed.data_key(), journal::PrivatePartPlace(sealed.request_key()), sealed.private_part());
    journal_v1::PrivatePart part;
    if (!plain.ok() || !part.ParseFromString(*plain))
      return Fault(absl::StrCat(where, ": its private part does not open"));
    proven->private_part = std::move(part);
    ++report_.opened;
  }

  // The history is what the entries say, and each state follows from the one before.
  void CheckHistory() {
    std::string state;
    const auto& entries = proven_["review"];
    for (review::v1::HistoryStep step : evidence_.history()) {
      const std::string where = absl::StrCat("step ", step.seq(), " (", step.method(), ")");
      const auto entry = entries.find(step.seq());
      if (entry == entries.end()) {
        Fault(absl::StrCat(where, " has no entry"));
        continue;
      }
      const auto& part = entry->second.private_part;
      const auto told = review::HistoryStepOf(step.seq(), entry->second.public_part,
                                              part ? &*part : nullptr, evidence_.case_name());
      if (!part) {
        // Kept closed for the objector's sake: what it says beside the public part is not proven.
        if (step.findings_size() > 0 || !step.reason().empty())
          report_.remarks.push_back(absl::StrCat(where, ": findings and reason are not opened"));
        step.clear_findings();
        step.clear_policy();
        if (told.reason().empty()) step.clear_reason();
        step.clear_actor_name();
        step.clear_on_behalf_of();
        step.clear_delegation();
      }
      if (!google::protobuf::util::MessageDifferencer::Equals(step, told))
        Fault(absl::StrCat(where, " is not what its entry says"));
      ++report_.steps;
      if (step.to_state().empty()) continue;
      if (step.from_state() != state)
        Fault(absl::StrCat(where, " comes from ", step.from_state(), ", the case was ", state));
      state = step.to_state();
    }
    if (report_.steps != static_cast<int>(entries.size()))
      Fault("the history leaves out entries of the case");
  }

  void CheckPolicyAndCalendar() {
    auto policies = policy::Policies::Parse(evidence_.policy_text(), "policy");
    if (!policies.ok()) return Fault("the policy cannot be read");
    for (const auto& step : evidence_.history()) {
      if (!step.has_policy()) continue;
      const auto version = policies->ByVersion(step.policy().version());
      if (!version.ok() || policies->ReferenceTo(**version).digest() != step.policy().digest())
        Fault(absl::StrCat("step ", step.seq(), " was decided under another policy than the one here"));
    }
    policies_ = *std::move(policies);
    auto calendar = policy::Calendar::Parse(evidence_.calendar_text(), "calendar");
    if (!calendar.ok()) return Fault("the calendar cannot be read");
    calendar_ = *std::move(calendar);
  }

  // What was resolved is what was published, cleared, reserved and paid; and the rules say so again.
  void CheckAward() {
    std::string line_digest;
    int64_t amount_fen = 0;
    std::map<std::string, review::v1::NoticeAdvanced> notices;  // as last told while running
    for (const auto& [seq, entry] : proven_["review"]) {
      for (const auto& any : entry.public_part.events()) {
        review::v1::CaseAdvanced moved;
        review::v1::NoticeAdvanced notice;
        if (any.UnpackTo(&notice)) {
          if (!notice.last_day().empty()) notices[notice.notice()] = notice;
          continue;
        }
        if (!any.UnpackTo(&moved) || moved.case_name() != evidence_.case_name()) continue;
        if (moved.state() == review::v1::CASE_STATE_AWARDED) {
          line_digest = moved.line_digest();
          amount_fen = moved.amount_fen();
        } else if (!moved.line_digest().empty() &&
                   (moved.line_digest() != line_digest || moved.amount_fen() != amount_fen)) {
          Fault(absl::StrCat("review ", seq, ": the award is not the one that was resolved"));
        }
        if (moved.state() == review::v1::CASE_STATE_CLEARED)
          CheckClearance(seq, entry, moved, notices[moved.notice()]);
      }
    }
    if (!proven_.contains("payment")) return;  // not among the services asked
    for (const auto& [seq, entry] : proven_["payment"]) {
      for (const auto& any : entry.public_part.events()) {
        payment::v1::AwardAdvanced award;
        if (!any.UnpackTo(&award) || award.case_name() != evidence_.case_name()) continue;
        lines_of_payment_[award.line_digest()] = award.amount_fen();
      }
    }
    if (!line_digest.empty()) {
      const auto paid = lines_of_payment_.find(line_digest);
      if (paid == lines_of_payment_.end() || paid->second != amount_fen)
        Fault("payment does not know the award that was resolved");
    }
  }

  void CheckClearance(int64_t seq, const Proven& entry, const review::v1::CaseAdvanced& moved,
                      const review::v1::NoticeAdvanced& notice) {
    const auto& facts = moved.clearance();
    const std::string where = absl::StrCat("review ", seq);
    if (facts.published_line_digest() != moved.line_digest() ||
        facts.published_amount_fen() != moved.amount_fen())
      Fault(absl::StrCat(where, ": what was published is not what was resolved"));
    if (facts.period().list_digest() != notice.list_digest())
      Fault(absl::StrCat(where, ": the list is not the notice's"));
    for (const auto& posting : facts.period().postings()) {
      if (posting.list_digest() != notice.list_digest())
        Fault(absl::StrCat(where, ": ", posting.site(), " showed another list"));
    }
    if (!policies_ || !calendar_) return;
    if (notice.calendar_digest() != calendar_->digest()) {
      report_.remarks.push_back(absl::StrCat(
          where, ": the period was counted by another calendar, ", notice.calendar_digest()));
      return;
    }
    const Day day = BeijingDay(FromProto(entry.public_part.time()));
    const auto policy = policies_->InForceOn(day);
    if (!policy.ok()) return Fault(absl::StrCat(where, ": no policy was in force that day"));
    const auto period = rules::NoticePeriodOf(**policy, *calendar_, facts.period());
    if (!period || FormatDay(period->last_day) != notice.last_day())
      Fault(absl::StrCat(where, ": the period does not end on ", notice.last_day()));
    if (!rules::Allows(rules::CheckPayment(**policy, *calendar_, facts, day)))
      Fault(absl::StrCat(where, ": by the rules the award was not to be cleared"));
  }

  const review::v1::CaseEvidence& evidence_;
  const std::set<std::string>& trusted_;
  EvidenceReport report_;
  std::map<std::string, std::map<int64_t, Proven>> proven_;  // by service and place
  std::map<std::string, int64_t> lines_of_payment_;          // line digest → fen
  std::optional<policy::Policies> policies_;
  std::optional<policy::Calendar> calendar_;
};

}  // namespace

EvidenceReport VerifyEvidence(const review::v1::CaseEvidence& evidence,
                              const std::set<std::string>& trusted) {
  return Checker(evidence, trusted).Run();
}

}  // namespace yuezhan::yz
