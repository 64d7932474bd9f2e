#ifndef YUEZHAN_COMMON_JOURNAL_FEED_H_
#define YUEZHAN_COMMON_JOURNAL_FEED_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/pool.h"

namespace yuezhan::journal {

namespace v1 {
class Entry;
class Head;
class ReadEntriesResponse;
}  // namespace v1

// Hash before the first entry: 32 zero bytes.
const std::string& GenesisHash();
// Leaf of a row from its stored bytes' digests, and the chain's hash. The one place where they are
// put together.
std::string PartDigest(std::string_view stored_part);
std::string LeafOf(std::string_view public_digest, std::string_view private_digest);
std::string ChainHash(std::string_view previous_hash, std::string_view leaf);
// The associated data of a row's private part.
std::string PrivatePartPlace(std::string_view request_key);
// What entry.hash must be when the entry before has `previous_hash`.
std::string ExpectedHash(std::string_view previous_hash, const v1::Entry& entry);

// Where a follower reads a journal: over gRPC (common/rpc), or in a test straight from the
// database.
class FeedSource {
 public:
  virtual ~FeedSource() = default;
  // Entries after `after_seq`, at most `limit`, and the head as of before they were read.
  virtual absl::StatusOr<v1::ReadEntriesResponse> Read(int64_t after_seq, int limit) = 0;
};

// Reads the journal of the pool's own schema: what ReadEntries answers from.
class DatabaseFeed : public FeedSource {
 public:
  DatabaseFeed(db::Pool& pool, std::string service) : pool_(pool), service_(std::move(service)) {}
  // At most 500 entries, and at most about 2 MB of them (one always).
  absl::StatusOr<v1::ReadEntriesResponse> Read(int64_t after_seq, int limit) override;
  absl::StatusOr<v1::ReadEntriesResponse> Read(int64_t after_seq, int limit, absl::Time deadline);
  absl::StatusOr<v1::Head> ReadHead(absl::Time deadline);

 private:
  db::Pool& pool_;
  const std::string service_;
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_FEED_H_
