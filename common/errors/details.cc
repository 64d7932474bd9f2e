#include "common/errors/details.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "common/base/text.h"
#include "common/errors/errors.h"
#include "google/rpc/status.pb.h"

namespace yuezhan::errors {
namespace {

// The message travels in a header of its own, percent-encoded, beside the details.
constexpr size_t kMaxMessageBytes = 512;
constexpr size_t kMaxLocalizedBytes = 1024;
constexpr size_t kMaxMetadataBytes = 200;

const ErrorKind& Find(std::string_view reason) {
  for (const ErrorKind& kind : Catalog()) {
    if (kind.reason == reason) return kind;
  }
  std::abort();  // a factory without a row in the catalog: the unit test calls every factory
}

template <typename Detail>
bool Unpack(const absl::Status& status, Detail* detail) {
  const google::rpc::Status details = Details(status);
  for (const auto& any : details.details()) {
    if (any.UnpackTo(detail)) return true;
  }
  return false;
}

}  // namespace

std::string CutText(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  constexpr std::string_view kEllipsis = "…";
  size_t end = bytes - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return Concat({text.substr(0, end), kEllipsis});
}

Builder::Builder(std::string_view reason, std::string_view zh, std::string_view en)
    : code_(Find(reason).code), message_(CutText(en, kMaxMessageBytes)) {
  info_.set_reason(std::string(reason));
  info_.set_domain("yuezhan");
  localized_.set_locale("zh-CN");
  localized_.set_message(CutText(zh, kMaxLocalizedBytes));
}

Builder& Builder::Meta(std::string_view key, std::string_view value) {
  if (!value.empty())
    (*info_.mutable_metadata())[std::string(key)] = CutText(value, kMaxMetadataBytes);
  return *this;
}

Builder& Builder::Field(std::string_view path, std::string_view description) {
  if (fields_.field_violations_size() == kMaxViolations) {
    ++violations_dropped_;
    return *this;
  }
  auto* violation = fields_.add_field_violations();
  violation->set_field(CutText(path, kMaxMetadataBytes));
  violation->set_description(CutText(description, kMaxLocalizedBytes));
  return *this;
}

Builder& Builder::Precondition(std::string_view type, std::string_view subject,
                               std::string_view description) {
  if (preconditions_.violations_size() == kMaxViolations) {
    ++violations_dropped_;
    return *this;
  }
  auto* violation = preconditions_.add_violations();
  violation->set_type(CutText(type, kMaxMetadataBytes));
  violation->set_subject(CutText(subject, kMaxMetadataBytes));
  violation->set_description(CutText(description, kMaxLocalizedBytes));
  return *this;
}

Builder& Builder::Resource(std::string_view name) {
  resource_.set_resource_name(CutText(name, kMaxMetadataBytes));
  return *this;
}

Builder& Builder::RetryAfter(absl::Duration delay) {
  const int64_t nanos = absl::ToInt64Nanoseconds(delay);
  retry_.mutable_retry_delay()->set_seconds(nanos / 1'000'000'000);
  retry_.mutable_retry_delay()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return *this;
}

std::string Builder::Serialize() const {
  google::rpc::Status status;
  status.set_code(static_cast<int>(code_));
  status.set_message(message_);
  status.add_details()->PackFrom(info_);
  status.add_details()->PackFrom(localized_);
  if (fields_.field_violations_size() > 0) status.add_details()->PackFrom(fields_);
  if (preconditions_.violations_size() > 0) status.add_details()->PackFrom(preconditions_);
  if (!resource_.resource_name().empty()) status.add_details()->PackFrom(resource_);
  if (retry_.has_retry_delay()) status.add_details()->PackFrom(retry_);
  return status.SerializeAsString();
}

bool Builder::DropOneText() {
  const auto drop = [](auto* violations) {
    for (int i = violations->size() - 1; i >= 0; --i) {
      if (!violations->Get(i).description().empty()) {
        violations->Mutable(i)->clear_description();
        return true;
      }
    }
    return false;
  };
  return drop(preconditions_.mutable_violations()) || drop(fields_.mutable_field_violations());
}

bool Builder::DropOneViolation() {
  const auto drop = [](auto* violations) {
    if (violations->size() <= 1) return false;
    violations->RemoveLast();
    return true;
  };
  return drop(preconditions_.mutable_violations()) || drop(fields_.mutable_field_violations());
}

absl::Status Builder::Build() {
  if (violations_dropped_ > 0) Meta("violations_dropped", std::to_string(violations_dropped_));
  std::string bytes = Serialize();
  for (int dropped = 1; bytes.size() > kMaxDetailsBytes && DropOneText(); ++dropped) {
    Meta("texts_dropped", std::to_string(dropped));
    bytes = Serialize();
  }
  while (bytes.size() > kMaxDetailsBytes && DropOneViolation()) {
    Meta("violations_dropped", std::to_string(++violations_dropped_));
    bytes = Serialize();
  }
  absl::Status status(code_, message_);
  status.SetPayload(Abs(kDetailsUrl), absl::Cord(std::move(bytes)));
  return status;
}

google::rpc::Status Details(const absl::Status& status) {
  google::rpc::Status details;
  const auto payload = status.GetPayload(Abs(kDetailsUrl));
  if (payload && !details.ParseFromString(std::string(*payload))) details.Clear();
  return details;
}

absl::Status FromDetails(const google::rpc::Status& details) {
  absl::Status status(static_cast<absl::StatusCode>(details.code()), details.message());
  status.SetPayload(Abs(kDetailsUrl), absl::Cord(details.SerializeAsString()));
  return status;
}

std::string Reason(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  return Unpack(status, &info) ? info.reason() : "";
}

std::string Metadata(const absl::Status& status, std::string_view key) {
  google::rpc::ErrorInfo info;
  if (!Unpack(status, &info)) return "";
  const auto found = info.metadata().find(std::string(key));
  return found == info.metadata().end() ? "" : found->second;
}

std::string MessageZh(const absl::Status& status) {
  google::rpc::LocalizedMessage message;
  return Unpack(status, &message) ? message.message() : "";
}

absl::Duration RetryAfter(const absl::Status& status) {
  google::rpc::RetryInfo retry;
  if (!Unpack(status, &retry)) return absl::ZeroDuration();
  return absl::Seconds(retry.retry_delay().seconds()) +
         absl::Nanoseconds(retry.retry_delay().nanos());
}

}  // namespace yuezhan::errors
