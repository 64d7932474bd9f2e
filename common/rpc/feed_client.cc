#include "common/rpc/feed_client.h"

#include "common/base/clocks.h"
#include "common/base/status_macros.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::rpc {
namespace {

// A follower asks again anyway, and one that waits longer holds up the end of its own service.
constexpr absl::Duration kPatience = absl::Seconds(3);

}  // namespace

absl::StatusOr<journal::v1::ReadEntriesResponse> FeedClient::Read(int64_t after_seq, int limit) {
  journal::v1::ReadEntriesRequest request;
  request.set_after_seq(after_seq);
  request.set_page_size(limit);
  journal::v1::ReadEntriesResponse answer;
  CallOptions options;
  options.deadline = WallNow() + kPatience;
  YZ_RETURN_IF_ERROR(
      channel_.Call("yuezhan.journal.v1.JournalService/ReadEntries", request, &answer, options));
  return answer;
}

}  // namespace yuezhan::rpc
