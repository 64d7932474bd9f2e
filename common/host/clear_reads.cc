#include "common/host/clear_reads.h"

#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "common/errors/errors.h"
#include "common/rpc/run_calls.h"
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
  Waiting mine{context, read, key};
  std::vector<Waiting*> all;
  {
    const absl::MutexLock lock(&mutex_);
    if (known_.contains(key)) return absl::OkStatus();
    waiting_.push_back(&mine);
    const auto over = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return mine.written || !writing_;
    };
    if (!mutex_.AwaitWithDeadline(absl::Condition(&over), context.deadline)) {
      if (std::erase(waiting_, &mine) > 0) return errors::DeadlineExceeded();
      mutex_.Await(absl::Condition(&over));  // it is being written, and that ends by itself
    }
    if (mine.written) return mine.status;
    writing_ = true;
    all.swap(waiting_);
  }
  Write(all);
  const absl::MutexLock lock(&mutex_);
  writing_ = false;
  for (Waiting* one : all) {
    one->written = true;
    if (one->status.ok()) Remember(one->key, window);
  }
  return mine.status;
}

// Together, or where that fails, each by itself.
void ClearReads::Write(const std::vector<Waiting*>& all) {
  if (all.size() > 1) {
    absl::Time deadline = absl::InfinitePast();
    for (const Waiting* one : all) deadline = std::max(deadline, one->context.deadline);
    const absl::Status together = rpc::Guarded([&] {
      return journal_.WriteJoined(deadline, [&]() -> absl::Status {
        std::set<std::string_view> keys;
        for (const Waiting* one : all) {
          if (!keys.insert(one->key).second) continue;
          YZ_RETURN_IF_ERROR(WriteOne(*one));
        }
        return absl::OkStatus();
      });
    });
    if (together.ok()) return;
    // An outage is everyone's: none is tried by itself.
    if (rpc::IsOutage(together)) {
      for (Waiting* one : all) one->status = together;
      return;
    }
  }
  for (Waiting* one : all) one->status = rpc::Guarded([&] { return WriteOne(*one); });
}

absl::Status ClearReads::WriteOne(const Waiting& one) {
  return journal_.WriteOnce(one.context, one.key, [&](journal::Unit& unit) {
    journal::v1::PersonalRead event;
    for (const std::string& resource : one.read.resources) event.add_resources(resource);
    unit.Emit(event);
    return absl::OkStatus();
  });
}

void ClearReads::Remember(const std::string& key, int64_t window) {
  if (window != window_ || known_.size() >= kMaxKnown) known_.clear();
  window_ = window;
  known_.insert(key);
}

}  // namespace yuezhan
