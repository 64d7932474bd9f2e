#ifndef YUEZHAN_COMMON_RPC_PAGE_TOKEN_H_
#define YUEZHAN_COMMON_RPC_PAGE_TOKEN_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace google::protobuf {
class Message;
}

// Page tokens of List methods: opaque to the client, bound to the method and to every field of the
// request but page_size and page_token, so that a token of another list is refused, not misread.
// They hold no secret and grant nothing: a list shows what its caller may see, wherever it starts.
namespace yuezhan::rpc {

inline constexpr int kDefaultPageSize = 50;
inline constexpr int kMaxPageSize = 1000;

// The token for the page after the row with `last_key`, for answer->next_page_token.
std::string MakePageToken(std::string_view method, const google::protobuf::Message& request,
                          std::string_view last_key);

// The last key of the page before, "" for the first page, or errors::PageTokenInvalid.
absl::StatusOr<std::string> ReadPageToken(std::string_view method,
                                          const google::protobuf::Message& request);

// page_size of the request, kDefaultPageSize when it gives none.
int PageSize(const google::protobuf::Message& request);

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_PAGE_TOKEN_H_
