#include "services/yz/evidence.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clocks.h"
#include "common/base/status_macros.h"
#include "common/base/time_proto.h"
#include "common/journal/feed.h"
#include "services/review/history_steps.h"
#include "yuezhan/journal/v1/journal.pb.h"
#include "yuezhan/review/v1/review.pb.h"

namespace yuezhan::yz {
namespace {

namespace journal_v1 = journal::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kPage = 500;

// Whether a text of the message is one of these names, or the name of something inside one.
bool Mentions(const Message& message, const std::set<std::string>& names) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated() || field->type() != FieldDescriptor::TYPE_STRING) continue;
    const std::string text = reflection->GetString(message, field);
    for (const std::string& name : names) {
      if (text == name || absl::StartsWith(text, absl::StrCat(name, "/"))) return true;
    }
  }
  return false;
}

bool Concerns(const journal_v1::Entry& entry, const std::set<std::string>& names) {
  journal_v1::PublicPart part;
  if (!part.ParseFromString(entry.public_part())) return false;
  for (const auto& any : part.events()) {
    const auto event = review::UnpackAny(any);
    if (event != nullptr && Mentions(*event, names)) return true;
  }
  return false;
}

std::string LeafOf(const journal_v1::Entry& entry) {
  return journal::LeafOf(journal::PartDigest(entry.public_part()), entry.private_digest());
}

// One walk along a service's chain, from its first entry to the head.
absl::StatusOr<review::v1::ChainEvidence> Walk(
    const CallService& call, const std::string& service, const std::set<std::string>& names,
    const std::map<int64_t, review::v1::SealedEntry>& sealed) {
  constexpr std::string_view kRead = "yuezhan.journal.v1.JournalService/ReadEntries";
  review::v1::ChainEvidence chain;
  chain.set_service(service);
  journal_v1::GetHeadResponse head;
  YZ_RETURN_IF_ERROR(call(service, "yuezhan.journal.v1.JournalService/GetHead",
                          journal_v1::GetHeadRequest(), &head));
  *chain.mutable_head() = head.head();
  *chain.mutable_keys() = head.keys();
  std::string previous = journal::GenesisHash();
  int first_open = 0;  // the first proof that has no signature yet
  journal_v1::ReadEntriesRequest request;
  request.set_page_size(kPage);
  while (request.after_seq() < head.head().seq()) {
    journal_v1::ReadEntriesResponse page;
    YZ_RETURN_IF_ERROR(call(service, kRead, request, &page));
    if (page.entries().empty())
      return absl::DataLossError(absl::StrCat(service, ": the chain ends before its head"));
    for (const journal_v1::Entry& entry : page.entries()) {
      for (int i = first_open; i < chain.proofs_size(); ++i)
        chain.mutable_proofs(i)->add_following_leaves(LeafOf(entry));
      const auto known = sealed.find(entry.seq());
      if (service == "review" ? known != sealed.end() : Concerns(entry, names)) {
        review::v1::EntryProof* proof = chain.add_proofs();
        *proof->mutable_entry() = entry;
        proof->mutable_entry()->clear_signature();
        proof->mutable_entry()->clear_key_id();
        proof->set_previous_hash(previous);
        if (known != sealed.end() && service == "review") *proof->mutable_sealed() = known->second;
      }
      if (!entry.signature().empty()) {
        for (; first_open < chain.proofs_size(); ++first_open) {
          review::v1::EntryProof* proof = chain.mutable_proofs(first_open);
          proof->set_signed_seq(entry.seq());
          proof->set_signature(entry.signature());
          proof->set_key_id(entry.key_id());
        }
      }
      previous = entry.hash();
    }
    request.set_after_seq(page.entries(page.entries_size() - 1).seq());
  }
  return chain;
}

absl::Status ReadSealed(const CallService& call, const std::string& case_name,
                        std::map<int64_t, review::v1::SealedEntry>* sealed,
                        review::v1::CaseEvidence* evidence) {
  review::v1::GetCaseEvidenceRequest request;
  request.set_name(case_name);
  review::v1::GetCaseEvidenceResponse page;
  do {
    YZ_RETURN_IF_ERROR(
        call("review", "yuezhan.review.v1.ReviewService/GetCaseEvidence", request, &page));
    for (const auto& entry : page.entries()) sealed->emplace(entry.seq(), entry);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  evidence->set_policy_text(page.policy_text());
  evidence->set_calendar_text(page.calendar_text());
  *evidence->mutable_files() = page.files();
  return absl::OkStatus();
}

absl::Status ReadHistory(const CallService& call, const std::string& case_name,
                         const std::map<int64_t, review::v1::SealedEntry>& sealed,
                         review::v1::CaseEvidence* evidence) {
  review::v1::GetCaseHistoryRequest request;
  request.set_name(case_name);
  review::v1::GetCaseHistoryResponse page;
  do {
    YZ_RETURN_IF_ERROR(
        call("review", "yuezhan.review.v1.ReviewService/GetCaseHistory", request, &page));
    for (const auto& step : page.steps()) {
      // What came after the evidence was read, or is not chained yet, is for the next file.
      if (sealed.contains(step.seq())) *evidence->add_history() = step;
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<review::v1::CaseEvidence> CollectEvidence(const CallService& call,
                                                         const std::vector<std::string>& services,
                                                         const std::string& case_name) {
  review::v1::CaseEvidence evidence;
  evidence.set_format("yuezhan-evidence-1");
  evidence.set_case_name(case_name);
  *evidence.mutable_make_time() = ToProto(WallNow());
  review::v1::GetCaseRequest get;
  get.set_name(case_name);
  review::v1::Case review_case;
  YZ_RETURN_IF_ERROR(
      call("review", "yuezhan.review.v1.ReviewService/GetCase", get, &review_case));
  const std::set<std::string> names = {case_name, review_case.application(),
                                       review_case.station()};
  std::map<int64_t, review::v1::SealedEntry> sealed;
  YZ_RETURN_IF_ERROR(ReadSealed(call, case_name, &sealed, &evidence));
  YZ_RETURN_IF_ERROR(ReadHistory(call, case_name, sealed, &evidence));
  for (const std::string& service : services) {
    YZ_ASSIGN_OR_RETURN(*evidence.add_chains(), Walk(call, service, names, sealed));
  }
  return evidence;
}

}  // namespace yuezhan::yz
