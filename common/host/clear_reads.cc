#include "common/host/clear_reads.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan {
namespace {

constexpr absl::Duration kWindow = absl::Minutes(10);
// Keys of 32 bytes that a replica remembers; beyond it the journal's own key still holds.
constexpr size_t kMaxKnown = 50'000;

}  // namespace

absl::Status ClearReads::Record(const Context& context, const rpc::ClearRead& read) {
  const absl::Time now = journal_.clocks().business->Now();
  const int64_t window = (now - absl::UnixEpoch()) / kWindow;
  const std::string key = Digest({context.caller.subject, context.method, absl::StrCat(window),
                                  absl::StrJoin(read.resources, " ")});
  if (Known(key)) return absl::OkStatus();
  YZ_RETURN_IF_ERROR(journal_.WriteOnce(context, key, [&](journal::Unit& unit) {
    journal::v1::PersonalRead event;
    for (const std::string& resource : read.resources) event.add_resources(resource);
    unit.Emit(event);
    return absl::OkStatus();
  }));
  Remember(key, window);
  return absl::OkStatus();
}

bool ClearReads::Known(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  return known_.contains(key);
}

void ClearReads::Remember(const std::string& key, int64_t window) {
  absl::MutexLock lock(&mutex_);
  if (window != window_ || known_.size() >= kMaxKnown) known_.clear();
  window_ = window;
  known_.insert(key);
}

}  // namespace yuezhan
