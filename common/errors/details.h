#ifndef YUEZHAN_COMMON_ERRORS_DETAILS_H_
#define YUEZHAN_COMMON_ERRORS_DETAILS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/rpc/error_details.pb.h"

namespace yuezhan::errors {

// Puts one error together, for the factories in errors.cc.
class Builder {
 public:
  // `reason` is a row of the catalog.
  Builder(std::string_view reason, std::string_view zh, std::string_view en);

  Builder& Meta(std::string_view key, std::string_view value);
  Builder& Field(std::string_view path, std::string_view description);
  Builder& Precondition(std::string_view type, std::string_view subject,
                        std::string_view description);
  Builder& Resource(std::string_view name);
  Builder& RetryAfter(absl::Duration delay);

  // The status, its details cut to kMaxDetailsBytes: texts go first, the last ones before the
  // first, then whole violations; metadata "texts_dropped" and "violations_dropped" count them.
  absl::Status Build();

 private:
  // More would never fit: a request with ten thousand bad fields must not cost us their texts.
  static constexpr int kMaxViolations = 64;

  std::string Serialize() const;
  bool DropOneText();
  bool DropOneViolation();

  absl::StatusCode code_;
  std::string message_;
  int violations_dropped_ = 0;
  google::rpc::ErrorInfo info_;
  google::rpc::LocalizedMessage localized_;
  google::rpc::BadRequest fields_;
  google::rpc::PreconditionFailure preconditions_;
  google::rpc::ResourceInfo resource_;
  google::rpc::RetryInfo retry_;
};

// `text` cut to at most `bytes` bytes at the end of a UTF-8 character, with "…" where it was cut.
std::string CutText(std::string_view text, size_t bytes);

}  // namespace yuezhan::errors

#endif  // YUEZHAN_COMMON_ERRORS_DETAILS_H_
