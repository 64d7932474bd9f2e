#include "common/journal/feed.h"

#include <algorithm>

#include "common/base/clocks.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "common/db/transaction.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

constexpr int kMaxEntries = 500;
constexpr size_t kMaxBytes = 2 << 20;  // half of gRPC's largest message
constexpr absl::Duration kReadTimeout = absl::Seconds(10);

void SelectHead(db::Session& session, const std::string& service, v1::Head* head) {
  const db::Row row =
      session.Query("SELECT seq, hash, signature, key_id FROM journal_head WHERE id = 1").at(0);
  head->set_service(service);
  head->set_seq(row.Int(0));
  head->set_hash(row.Bytes(1));
  head->set_signature(row.OptionalText(2).value_or(""));
  head->set_key_id(row.OptionalText(3).value_or(""));
}

}  // namespace

const std::string& GenesisHash() {
  static const std::string& hash = *new std::string(kDigestBytes, '\0');
  return hash;
}

std::string PartDigest(std::string_view stored_part) { return Digest({stored_part}); }

std::string LeafOf(std::string_view public_digest, std::string_view private_digest) {
  return Digest({"leaf", public_digest, private_digest});
}

std::string ChainHash(std::string_view previous_hash, std::string_view leaf) {
  return Digest({"chain", previous_hash, leaf});
}

std::string ExpectedHash(std::string_view previous_hash, const v1::Entry& entry) {
  return ChainHash(previous_hash, LeafOf(PartDigest(entry.public_part()), entry.private_digest()));
}

absl::StatusOr<v1::ReadEntriesResponse> DatabaseFeed::Read(int64_t after_seq, int limit) {
  return Read(after_seq, limit, WallNow() + kReadTimeout);
}

absl::StatusOr<v1::ReadEntriesResponse> DatabaseFeed::Read(int64_t after_seq, int limit,
                                                           absl::Time deadline) {
  v1::ReadEntriesResponse batch;
  YZ_RETURN_IF_ERROR(db::Read(pool_, deadline, [&](db::Session& session) {
    batch.Clear();
    SelectHead(session, service_, batch.mutable_head());
    if (batch.head().seq() <= after_seq) return absl::OkStatus();
    size_t bytes = 0;
    for (const db::Row& row : session.Query(
             "SELECT c.seq, j.public_part, j.private_digest, c.hash, c.signature, c.key_id FROM "
             "journal_chain c "
             "JOIN journal j ON j.id = c.journal_id WHERE c.seq > ? ORDER BY c.seq LIMIT ?",
             after_seq, std::clamp(limit, 1, kMaxEntries))) {
      bytes += row.Bytes(1).size() + 200;
      if (bytes > kMaxBytes && batch.entries_size() > 0) break;
      v1::Entry& entry = *batch.add_entries();
      entry.set_seq(row.Int(0));
      entry.set_public_part(row.Bytes(1));
      entry.set_private_digest(row.Bytes(2));
      entry.set_hash(row.Bytes(3));
      entry.set_signature(row.OptionalText(4).value_or(""));
      entry.set_key_id(row.OptionalText(5).value_or(""));
    }
    return absl::OkStatus();
  }));
  return batch;
}

absl::StatusOr<v1::Head> DatabaseFeed::ReadHead(absl::Time deadline) {
  v1::Head head;
  YZ_RETURN_IF_ERROR(db::Read(pool_, deadline, [&](db::Session& session) {
    SelectHead(session, service_, &head);
    return absl::OkStatus();
  }));
  return head;
}

}  // namespace yuezhan::journal
