#ifndef YUEZHAN_SERVICES_BANK_SIMULATOR_BOOKS_H_
#define YUEZHAN_SERVICES_BANK_SIMULATOR_BOOKS_H_

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "yuezhan/bank/v1/bank.pb.h"

namespace yuezhan::bank {

// One transfer as the simulator keeps it: what was asked, what became of it, how it misbehaves yet.
struct Entry {
  v1::ExecuteTransferRequest order;
  v1::Transfer transfer;  // state unspecified: not executed yet, and a look does not see it
  v1::Behavior behavior = v1::BEHAVIOR_UNSPECIFIED;
  int looks = 0;
  int64_t taken_ms = 0;  // when it was taken, unix: the same id taken later is another transfer
};

// The bank's books: a file that is only appended to, each line on the disk before the call that
// wrote it is answered (Flush). A line cut off by a kill is dropped at the next start: its call was
// never answered. Only Flush is thread-safe.
class Books {
 public:
  // A missing file is made. UNAVAILABLE when it cannot be opened, DATA_LOSS when a line before the
  // last is not one of ours.
  static absl::StatusOr<std::unique_ptr<Books>> Open(const std::string& path);
  ~Books();
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;

  // The one of that id that was taken last; null when there is none. Changes are made by Write
  // alone.
  const Entry* Find(const std::string& transfer_id) const;
  // Entries in the order of their arrival.
  const std::vector<std::unique_ptr<Entry>>& entries() const { return entries_; }

  // Keeps the entry, new or changed. On an error the books are as before.
  absl::Status Write(const Entry& entry);
  // Waits until all that was written before is on the disk. Who waits at once shares a flush. After
  // a failure all fail: what is on the disk is not known.
  absl::Status Flush();

 private:
  Books() = default;
  absl::Status Load(const std::string& content);
  void Keep(Entry entry);

  int file_ = -1;
  std::atomic<off_t> end_ = 0;  // of the last whole line
  absl::Mutex flushing_;
  off_t flushed_ ABSL_GUARDED_BY(flushing_) = 0;
  absl::Status failed_ ABSL_GUARDED_BY(flushing_);
  std::vector<std::unique_ptr<Entry>> entries_;
  std::unordered_map<std::string, Entry*> by_id_;
};

}  // namespace yuezhan::bank

#endif  // YUEZHAN_SERVICES_BANK_SIMULATOR_BOOKS_H_
