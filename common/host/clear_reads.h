#ifndef YUEZHAN_COMMON_HOST_CLEAR_READS_H_
#define YUEZHAN_COMMON_HOST_CLEAR_READS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/base/context.h"
#include "common/journal/journal.h"
#include "common/rpc/server.h"

namespace yuezhan {

// Journals who was shown personal values in clear (yuezhan.journal.v1.PersonalRead), before they
// are shown: once for all readings of the same by the same caller within ten minutes, so that a
// retry, another replica or a screen that polls costs nothing more. Those that come while others
// are written share the next transaction. Any thread.
class ClearReads {
 public:
  explicit ClearReads(journal::Journal& journal) : journal_(journal) {}

  absl::Status Record(const Context& context, const rpc::ClearRead& read);

 private:
  // A call of Record that is not over.
  struct Waiting {
    const Context& context;
    const rpc::ClearRead& read;
    const std::string key;
    absl::Status status = absl::OkStatus();
    bool written = false;
  };
  void Write(const std::vector<Waiting*>& all);
  absl::Status WriteOne(const Waiting& one);
  void Remember(const std::string& key, int64_t window) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  journal::Journal& journal_;
  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Waiting*> waiting_ ABSL_GUARDED_BY(mutex_);
  int64_t window_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<std::string> known_ ABSL_GUARDED_BY(mutex_);  // keys of that window
};

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_CLEAR_READS_H_
