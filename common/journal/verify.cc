#include "common/journal/verify.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/journal/feed.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

constexpr int kPage = 500;
constexpr int kDefaultRows = 20'000;
// A batch of the sequencer has at most 500 rows, so so many without a signature are no batch of
// its.
constexpr int kMaxUnsigned = 500;

constexpr char kSelect[] =
    "SELECT c.seq, c.journal_id, c.hash, c.signature, c.key_id, j.id, j.public_part, "
    "j.private_part, j.private_digest, "
    "j.leaf, j.wrapped_key, j.request_key FROM journal_chain c LEFT JOIN journal j ON j.id = "
    "c.journal_id "
    "WHERE c.seq > ? ORDER BY c.seq LIMIT ?";

// One walk along the chain.
class Verifier {
 public:
  Verifier(db::Pool& pool, const std::string& service, const VerifyingKeys& keys,
           const Vault* vault, const v1::VerifyJournalRequest& request, absl::Time deadline,
           v1::VerifyJournalResponse* out)
      : pool_(pool), service_(service), keys_(keys), vault_(vault), deadline_(deadline), out_(out) {
    seq_ = signed_ = request.after_seq();
    hash_ = seq_ == 0 ? GenesisHash() : request.after_hash();
    const int rows = request.max_rows() == 0 ? kDefaultRows : request.max_rows();
    enough_ = seq_ + std::max(rows, 1);
    for (const v1::Witness& witness : request.witnesses())
      witnesses_.emplace(witness.seq(), &witness);
  }

  absl::Status Run() {
    YZ_RETURN_IF_ERROR(ReadHead());
    while (out_->fault() == v1::FAULT_UNSPECIFIED && seq_ < out_->head().seq()) {
      // An answer ends with a signed row, so that each signature is judged together with all rows
      // before it.
      if (seq_ >= enough_ && signed_ == seq_) return Done(false);
      std::vector<db::Row> page;
      YZ_RETURN_IF_ERROR(db::Read(pool_, deadline_, [&](db::Session& session) {
        page = session.Query(kSelect, seq_, kPage + 1);
        return absl::OkStatus();
      }));
      if (page.empty()) {
        Wrong(v1::FAULT_TAIL_CUT, seq_ + 1,
              absl::StrCat("the chain ends at ", seq_, ", the head says ", out_->head().seq()));
      }
      for (size_t i = 0; i < page.size() && i < kPage && seq_ < out_->head().seq(); ++i) {
        if (!CheckRow(page[i], i + 1 < page.size() ? &page[i + 1] : nullptr)) break;
        if (seq_ >= enough_ && signed_ == seq_) break;
      }
    }
    if (out_->fault() == v1::FAULT_UNSPECIFIED) CheckEnd();
    return Done(true);
  }

 private:
  absl::Status ReadHead() {
    DatabaseFeed feed(pool_, service_);
    YZ_ASSIGN_OR_RETURN(*out_->mutable_head(), feed.ReadHead(deadline_));
    // One statement, one snapshot: the sequencer moves both at once.
    return db::Read(pool_, deadline_, [&](db::Session& session) {
      const db::Row row =
          session
              .Query(
                  "SELECT (SELECT COALESCE(MAX(seq), 0) FROM journal_chain), seq FROM journal_head "
                  "WHERE id = 1")
              .at(0);
      beyond_head_ = row.Int(0) > row.Int(1);
      return absl::OkStatus();
    });
  }

  absl::Status Done(bool complete) {
    out_->set_last_verified(seq_);
    out_->set_last_hash(hash_);
    out_->set_complete(complete);
    return absl::OkStatus();
  }

  bool Wrong(v1::Fault fault, int64_t first_wrong, std::string explanation) {
    out_->set_fault(fault);
    out_->set_first_wrong(first_wrong);
    out_->set_explanation(std::move(explanation));
    return false;
  }

  // Goes one row on, or says what is wrong with it.
  bool CheckRow(const db::Row& row, const db::Row* next) {
    const int64_t seq = seq_ + 1;
    if (row.Int(0) != seq) {
      return Wrong(v1::FAULT_CHAIN_GAP, seq,
                   absl::StrCat("entry ", seq, " is missing from the chain"));
    }
    if (row.IsNull(5)) {
      return Wrong(
          v1::FAULT_ROW_REMOVED, seq,
          absl::StrCat("the row of entry ", seq, " (journal id ", row.Int(1), ") was removed"));
    }
    const std::string private_digest = PartDigest(row.Bytes(7));
    const std::string leaf = LeafOf(PartDigest(row.Bytes(6)), private_digest);
    if (private_digest != row.Bytes(8) || leaf != row.Bytes(9)) {
      return Wrong(
          v1::FAULT_ROW_CHANGED, seq,
          absl::StrCat("the row of entry ", seq, " (journal id ", row.Int(1), ") was changed"));
    }
    if (ChainHash(hash_, leaf) != row.Bytes(2)) {
      // It follows from the one before that: so that one was put in, and its own hash was made to
      // fit.
      if (ChainHash(hash_before_, leaf) == row.Bytes(2)) {
        return Wrong(v1::FAULT_CHAIN_BROKEN, seq - 1,
                     absl::StrCat("entry ", seq - 1, " was put in"));
      }
      return Wrong(v1::FAULT_CHAIN_BROKEN, seq,
                   absl::StrCat("entry ", seq, ": ", Diagnose(row, leaf, next)));
    }
    if (!CheckSignature(row, seq) || !CheckWitnesses(row, seq)) return false;
    if (vault_ != nullptr &&
        !vault_->Open(PrivatePartPlace(row.Bytes(11)), {row.Bytes(7), row.Bytes(10)}).ok()) {
      return Wrong(v1::FAULT_UNREADABLE, seq,
                   absl::StrCat("the private part of entry ", seq,
                                " cannot be decrypted: its key was changed, or the "
                                "master key is not loaded"));
    }
    seq_ = seq;
    hash_before_ = hash_;
    hash_ = row.Bytes(2);
    return true;
  }

  // The hash at this place does not follow from the one before; what the next row says tells how
  // that came.
  std::string Diagnose(const db::Row& row, const std::string& leaf, const db::Row* next) const {
    if (next == nullptr || next->IsNull(5)) return "its hash does not follow from the entry before";
    const std::string next_leaf = LeafOf(PartDigest(next->Bytes(6)), PartDigest(next->Bytes(7)));
    if (ChainHash(hash_, next_leaf) == row.Bytes(2)) return "it changed places with the next";
    if (ChainHash(hash_, next_leaf) == next->Bytes(2))
      return "it was put in between its neighbours";
    if (ChainHash(row.Bytes(2), next_leaf) == next->Bytes(2)) {
      return "its row was changed together with its digests, or an entry before it was taken out";
    }
    if (ChainHash(ChainHash(hash_, leaf), next_leaf) == next->Bytes(2))
      return "its hash was changed";
    return "from here on the chain is another one";
  }

  bool CheckSignature(const db::Row& row, int64_t seq) {
    if (!row.IsNull(3)) {
      if (!keys_.Verify(row.OptionalText(4).value_or(""), service_, seq, row.Bytes(2),
                        row.Bytes(3))) {
        return Wrong(v1::FAULT_SIGNATURE, signed_ + 1,
                     absl::StrCat("the signature at entry ", seq, " does not verify: entries from ",
                                  signed_ + 1, " on were rewritten"));
      }
      signed_ = seq;
    } else if (seq - signed_ >= kMaxUnsigned) {
      return Wrong(v1::FAULT_SIGNATURE, signed_ + 1,
                   absl::StrCat("entries from ", signed_ + 1, " on have no signature"));
    }
    return true;
  }

  bool CheckWitnesses(const db::Row& row, int64_t seq) {
    for (auto [at, end] = witnesses_.equal_range(seq); at != end; ++at) {
      if (at->second->hash() == row.Bytes(2)) continue;
      // Those that saw less agreed.
      auto before = witnesses_.lower_bound(seq);
      const int64_t agreed = before == witnesses_.begin() ? 0 : std::prev(before)->first;
      return Wrong(v1::FAULT_CONTRADICTS_WITNESS, agreed + 1,
                   absl::StrCat(at->second->witness(), " saw another hash at entry ", seq,
                                ": the chain was rewritten at ", "or before it, after ", agreed));
    }
    return true;
  }

  void CheckEnd() {
    const v1::Head& head = out_->head();
    if (seq_ > head.seq() || beyond_head_) {
      Wrong(v1::FAULT_CHAIN_BROKEN, head.seq() + 1,
            absl::StrCat("the chain goes on beyond its head at ", head.seq()));
    } else if (head.hash() != hash_) {
      Wrong(v1::FAULT_CHAIN_BROKEN, head.seq(),
            absl::StrCat("the head has another hash than entry ", head.seq()));
    } else if (signed_ != seq_ || (seq_ > 0 && !keys_.Verify(head.key_id(), service_, seq_, hash_,
                                                             head.signature()))) {
      Wrong(v1::FAULT_SIGNATURE, std::min(signed_ + 1, seq_),
            absl::StrCat("the head at ", seq_, " is not signed"));
    } else if (!witnesses_.empty() && witnesses_.rbegin()->first > seq_) {
      const v1::Witness& witness = *witnesses_.rbegin()->second;
      Wrong(v1::FAULT_TAIL_CUT, seq_ + 1,
            absl::StrCat(witness.witness(), " saw entry ", witness.seq(), ", the chain ends at ",
                         seq_, ": its tail was cut off"));
    }
  }

  db::Pool& pool_;
  const std::string& service_;
  const VerifyingKeys& keys_;
  const Vault* const vault_;
  const absl::Time deadline_;
  v1::VerifyJournalResponse* const out_;
  std::multimap<int64_t, const v1::Witness*> witnesses_;
  int64_t seq_;              // the last row that is right
  std::string hash_;         // its hash
  std::string hash_before_;  // that of the row before it
  int64_t signed_;           // the last one with a good signature
  int64_t enough_;           // where a call may end
  bool beyond_head_ = false;
};

}  // namespace

absl::StatusOr<v1::VerifyJournalResponse> VerifyJournal(db::Pool& pool, const std::string& service,
                                                        const VerifyingKeys& keys,
                                                        const Vault* vault,
                                                        const v1::VerifyJournalRequest& request,
                                                        absl::Time deadline) {
  if (request.after_seq() < 0 ||
      (request.after_seq() > 0 && request.after_hash().size() != kDigestBytes)) {
    return errors::InvalidField("after_hash", "须为上次回答的 last_hash",
                                "must be the last_hash of the answer before");
  }
  v1::VerifyJournalResponse response;
  YZ_RETURN_IF_ERROR(Verifier(pool, service, keys, vault, request, deadline, &response).Run());
  if (response.fault() != v1::FAULT_UNSPECIFIED) {
    Log(LogLevel::kError, "journal does not verify",
        {{"service", service},
         {"first_wrong", response.first_wrong()},
         {"explanation", response.explanation()}});
  }
  return response;
}

}  // namespace yuezhan::journal
