#ifndef YUEZHAN_COMMON_RPC_FEED_CLIENT_H_
#define YUEZHAN_COMMON_RPC_FEED_CLIENT_H_

#include "common/journal/feed.h"
#include "common/rpc/client.h"

namespace yuezhan::rpc {

// Reads the journal of another service over its API, for a follower.
class FeedClient : public journal::FeedSource {
 public:
  // `channel` leads to the service and outlives the client.
  explicit FeedClient(Channel& channel) : channel_(channel) {}

  absl::StatusOr<journal::v1::ReadEntriesResponse> Read(int64_t after_seq, int limit) override;

 private:
  Channel& channel_;
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_FEED_CLIENT_H_
