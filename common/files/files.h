// Files in chunks, for the services that keep some: materials of an application, evidence. Tables
// in the service's own schema (schema.h); nothing here knows whose files they are.
#ifndef YUEZHAN_COMMON_FILES_FILES_H_
#define YUEZHAN_COMMON_FILES_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/db/pool.h"
#include "common/db/session.h"
#include "common/files/scanner.h"
#include "common/journal/vault.h"

namespace yuezhan::files {

// Most bytes of a chunk: a message stays small, memory flat.
inline constexpr int64_t kMaxChunkBytes = 1 << 20;
// Least bytes of every chunk but a file's last: bounds the rows of a file.
inline constexpr int64_t kMinChunkBytes = 16 << 10;

// What may be uploaded under one code.
struct Limits {
  std::vector<std::string> media_types;
  int64_t max_bytes = 0;    // of one file
  int max_files = 1;        // of this code
  int max_owner_files = 1;  // of the owner, all codes together; unfinished uploads as many again
};

// An unfinished upload: invisible but to who knows its id.
struct Upload {
  std::string id;
  std::string owner;  // id of the resource it belongs to
  std::string code;
  std::string file_name;
  int64_t size_bytes = 0;    // of the whole file
  int64_t offset_bytes = 0;  // written so far: where the next chunk begins
  absl::Time expire_time;
};

// A finished file.
struct File {
  std::string id;  // its upload's
  std::string owner;
  std::string code;
  std::string file_name;
  std::string media_type;  // by content
  int64_t size_bytes = 0;
  std::string sha256;  // lower-case hex
  absl::Time create_time;
};

// What the bytes of a complete upload are.
struct Content {
  std::string sha256;  // lower-case hex
  std::string media_type;
};

// All SQL on files. Ids are UUID text, times business time. Methods throw db::Error; DATA_LOSS when
// a chunk does not open. Where a file is added or replaced the caller holds the owner's row, so
// that counts hold.
class Files {
 public:
  // `scanner`: looks at every file before it is finished; none: null.
  explicit Files(const journal::Vault& vault, const Scanner* scanner = nullptr)
      : vault_(vault), scanner_(scanner) {}

  // Begins an upload. INVALID_ARGUMENT: size_bytes beyond the limits, a file name that is none, too
  // many unfinished ones.
  absl::Status Start(db::Session& sql, const Upload& upload, const Limits& limits,
                     absl::Time now) const;
  // Absent when there is none, it is finished, or it expired. `lock`: until the transaction ends.
  std::optional<Upload> FindUpload(db::Session& sql, std::string_view id, absl::Time now,
                                   bool lock) const;
  // Adds bytes to a locked upload at its end, or finds them there already: any chunk may be sent
  // again. INVALID_ARGUMENT: a gap, other bytes than those written before, beyond the whole size.
  absl::Status Append(db::Session& sql, Upload* upload, int64_t offset_bytes,
                      std::string_view data) const;
  // Reads a complete upload once through, one chunk at a time and none held long: what is complete
  // never changes, so it needs no transaction. INVALID_ARGUMENT: incomplete, infected, or as
  // MediaTypeByContent. UNAVAILABLE: the scanner does not answer.
  absl::StatusOr<Content> Inspect(db::Pool& pool, absl::Time deadline, const Upload& upload) const;
  // The same of a whole file.
  absl::StatusOr<Content> Inspect(std::string_view data, absl::Time deadline) const;
  // Makes a locked upload, inspected before, a file of its owner. It takes the place of the current
  // one of its code where only one is allowed, or of that with its name; that one is removed unless
  // it is kept. INVALID_ARGUMENT: wrong digest, a type that is not allowed or not what the name
  // says, too many files.
  absl::StatusOr<File> Finish(db::Session& sql, const Upload& upload, const Content& content,
                              std::string_view sha256, const Limits& limits, absl::Time now) const;

  // Start, Append and Finish at once, of a file of at most kMaxChunkBytes.
  absl::StatusOr<File> Add(db::Session& sql, const Upload& upload, std::string_view data,
                           const Content& content, std::string_view sha256, const Limits& limits,
                           absl::Time now) const;

  // The current files of an owner, in the order of their codes.
  std::vector<File> Current(db::Session& sql, std::string_view owner) const {
    return CurrentOf(sql, {std::string(owner)});
  }
  // Of at least one owner, each's files so.
  std::vector<File> CurrentOf(db::Session& sql, const std::vector<std::string>& owners) const;
  // Asks at once what Add, or Current, will ask of each of these owners in this transaction.
  void FetchAhead(db::Session& sql, const std::vector<std::string>& owners) const;
  // A finished file, replaced ones too.
  std::optional<File> Find(db::Session& sql, std::string_view id) const;
  // Bytes from `offset_bytes` on, at most kMaxChunkBytes; empty at the end.
  absl::StatusOr<std::string> Read(db::Session& sql, std::string_view id,
                                   int64_t offset_bytes) const;
  // From now on a current file stays when it is replaced: a decision relies on it.
  void Keep(db::Session& sql, std::string_view owner) const {
    Keep(sql, std::vector{std::string(owner)});
  }
  // Of at least one owner.
  void Keep(db::Session& sql, const std::vector<std::string>& owners) const;

  // Removes uploads that expired, with their chunks; returns how many. Any replica may run it.
  absl::StatusOr<int> RemoveExpired(db::Pool& pool, absl::Time deadline, absl::Time now) const;

 private:
  absl::StatusOr<Content> Inspect(int64_t size_bytes, ReadAt read, absl::Time deadline) const;
  absl::Status MakeRoom(db::Session& sql, const Upload& upload, const Limits& limits) const;
  void Remove(db::Session& sql, std::string_view id) const;

  const journal::Vault& vault_;
  const Scanner* const scanner_;
};

}  // namespace yuezhan::files

#endif  // YUEZHAN_COMMON_FILES_FILES_H_
