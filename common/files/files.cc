#include "common/files/files.h"

#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <memory>

#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/lists.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/files/content.h"

namespace yuezhan::files {
namespace {

enum State { kUploading = 1, kCurrent = 2, kReplaced = 3 };

// Expired uploads taken in one go; the next go follows at once.
constexpr int kExpiredAtOnce = 20;

// Ids come from our own resource names, checked by then: a bad one is a fault of ours.
std::string Bin(std::string_view id) { return UuidToBytes(id).value(); }
std::string Text(const std::string& bytes) { return UuidFromBytes(bytes).value(); }

std::string Place(std::string_view file, int64_t starts_at) {
  return Concat({"file_chunks|", file, "|", std::to_string(starts_at)});
}

absl::Status CheckFileName(std::string_view name) {
  const bool folder = name.find_first_of("/\\") != std::string_view::npos;
  if (!folder && !name.empty() && name != "." && name != "..") return absl::OkStatus();
  return errors::InvalidField("file_name", "应为不含文件夹的文件名",
                              "must be a file name without folders");
}

constexpr std::string_view kFileColumns =
    "SELECT id, owner, code, file_name, media_type, size_bytes, sha256, time FROM files ";

File ReadFile(const db::Row& row) {
  return {Text(row.Bytes(0)), Text(row.Bytes(1)), row.Text(2),         row.Text(3),
          row.Text(4),        row.Int(5),         ToHex(row.Bytes(6)), row.Time(7)};
}

std::string CurrentOfThese(const db::KeyList& owners) {
  return Concat({kFileColumns, "WHERE owner IN ", owners.marks(),
                 " AND state = ", std::to_string(kCurrent), " ORDER BY owner, code, id"});
}

class Sha256Stream {
 public:
  Sha256Stream() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void Add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string Hex() {
    std::string digest(kDigestBytes, '\0');
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
    return ToHex(digest);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

absl::Status Files::Start(db::Session& sql, const Upload& upload, const Limits& limits,
                          absl::Time now) const {
  YZ_RETURN_IF_ERROR(CheckFileName(upload.file_name));
  if (upload.size_bytes > limits.max_bytes) {
    return errors::TooLarge("size_bytes", limits.max_bytes, "bytes");
  }
  const std::string owner = Bin(upload.owner);
  const int64_t unfinished =
      sql.Query("SELECT COUNT(*) FROM files WHERE owner = ? AND state = ? AND expire_time > ?",
                db::Bytes(owner), kUploading, now)[0]
          .Int(0);
  if (unfinished >= limits.max_owner_files) {
    return errors::TooLarge("unfinished uploads", limits.max_owner_files, "items");
  }
  sql.Execute(
      "INSERT INTO files (id, owner, code, state, kept, file_name, media_type, size_bytes, "
      "written_bytes, time, expire_time) VALUES (?, ?, ?, ?, 0, ?, '', ?, 0, ?, ?)",
      db::Bytes(Bin(upload.id)), db::Bytes(owner), upload.code, kUploading, upload.file_name,
      upload.size_bytes, now, upload.expire_time);
  return absl::OkStatus();
}

std::optional<Upload> Files::FindUpload(db::Session& sql, std::string_view id, absl::Time now,
                                        bool lock) const {
  const std::string select = Concat(
      {"SELECT owner, code, file_name, size_bytes, written_bytes, expire_time FROM files WHERE id "
       "= ? AND state = ? AND expire_time > ?",
       lock ? " FOR UPDATE" : ""});
  const db::Rows rows = sql.Query(select, db::Bytes(Bin(id)), kUploading, now);
  if (rows.empty()) return std::nullopt;
  const db::Row& row = rows[0];
  return Upload{std::string(id), Text(row.Bytes(0)), row.Text(1), row.Text(2),
                row.Int(3),      row.Int(4),         row.Time(5)};
}

absl::Status Files::Append(db::Session& sql, Upload* upload, int64_t offset_bytes,
                           std::string_view data) const {
  const auto size = static_cast<int64_t>(data.size());
  const std::string next = std::to_string(upload->offset_bytes);
  if (size == 0) return errors::InvalidField("data", "不得为空", "must not be empty");
  if (size > kMaxChunkBytes) return errors::TooLarge("data", kMaxChunkBytes, "bytes");
  if (offset_bytes > upload->offset_bytes) {
    return errors::InvalidField("offset_bytes", Concat({"应从第 ", next, " 字节续传"}),
                                Concat({"chunks come in order: the next begins at ", next}));
  }
  const std::string file = Bin(upload->id);
  if (offset_bytes < upload->offset_bytes) {
    const db::Rows rows =
        sql.Query("SELECT sealed, wrapped_key FROM file_chunks WHERE file = ? AND starts_at = ?",
                  db::Bytes(file), offset_bytes);
    if (rows.empty()) {
      return errors::InvalidField("offset_bytes", Concat({"应从第 ", next, " 字节续传"}),
                                  Concat({"no chunk begins there; the next begins at ", next}));
    }
    YZ_ASSIGN_OR_RETURN(
        const std::string before,
        vault_.Open(Place(upload->id, offset_bytes), {rows[0].Bytes(0), rows[0].Bytes(1)}));
    if (before == data) return absl::OkStatus();
    return errors::InvalidField("data", "与此前写入的内容不同",
                                "must be the bytes that were written there before");
  }
  if (offset_bytes + size > upload->size_bytes) {
    return errors::TooLarge("upload", upload->size_bytes, "bytes");
  }
  if (size < kMinChunkBytes && offset_bytes + size < upload->size_bytes) {
    return errors::InvalidField("data", "除最后一块外，每块不得小于16384字节",
                                "must be at least 16384 bytes, but for the last chunk");
  }
  const journal::Sealed sealed = vault_.Seal(Place(upload->id, offset_bytes), data);
  sql.Execute("INSERT INTO file_chunks (file, starts_at, sealed, wrapped_key) VALUES (?, ?, ?, ?)",
              db::Bytes(file), offset_bytes, db::Bytes(sealed.bytes),
              db::Bytes(sealed.wrapped_key));
  if (sql.Execute("UPDATE files SET written_bytes = ? WHERE id = ? AND written_bytes = ?",
                  offset_bytes + size, db::Bytes(file), offset_bytes) != 1) {
    return errors::Conflict();
  }
  upload->offset_bytes += size;
  return absl::OkStatus();
}

absl::StatusOr<Content> Files::Inspect(db::Pool& pool, absl::Time deadline,
                                       const Upload& upload) const {
  if (upload.offset_bytes != upload.size_bytes) {
    const std::string next = std::to_string(upload.offset_bytes);
    return errors::InvalidField("name", Concat({"上传尚未完成，应从第 ", next, " 字节续传"}),
                                Concat({"the upload is not complete: go on at byte ", next}));
  }
  const auto read = [&](int64_t offset) -> absl::StatusOr<std::string> {
    std::string bytes;
    YZ_RETURN_IF_ERROR(db::Read(pool, deadline, [&](db::Session& sql) -> absl::Status {
      YZ_ASSIGN_OR_RETURN(bytes, Read(sql, upload.id, offset));
      return absl::OkStatus();
    }));
    return bytes;
  };
  return Inspect(upload.size_bytes, read, deadline);
}

absl::StatusOr<Content> Files::Inspect(std::string_view data, absl::Time deadline) const {
  const auto read = [&](int64_t offset) -> absl::StatusOr<std::string> {
    return std::string(data.substr(static_cast<size_t>(offset)));
  };
  return Inspect(static_cast<int64_t>(data.size()), read, deadline);
}

absl::StatusOr<Content> Files::Inspect(int64_t size_bytes, ReadAt read, absl::Time deadline) const {
  Sha256Stream digest;
  for (int64_t offset = 0; offset < size_bytes;) {
    YZ_ASSIGN_OR_RETURN(const std::string bytes, read(offset));
    if (bytes.empty()) return errors::DataLoss("file_chunks");
    digest.Add(bytes);
    offset += static_cast<int64_t>(bytes.size());
  }
  Content content;
  content.sha256 = digest.Hex();
  YZ_ASSIGN_OR_RETURN(content.media_type, MediaTypeByContent(size_bytes, read));
  if (scanner_ != nullptr) {
    YZ_RETURN_IF_ERROR(scanner_->Scan(size_bytes, read, deadline));
  }
  return content;
}

namespace {

absl::Status CheckContent(const Upload& upload, const Content& content, std::string_view sha256,
                          const Limits& limits) {
  if (content.sha256 != sha256) {
    return errors::InvalidField("sha256", "与收到的内容不符，请重新上传",
                                "is not the digest of the bytes received: upload them again");
  }
  const auto& types = limits.media_types;
  if (std::find(types.begin(), types.end(), content.media_type) == types.end()) {
    return errors::InvalidField("name", "文件内容不是允许的格式（PDF、OFD、JPEG、PNG）",
                                "the file's content is of no type that is allowed");
  }
  const std::string_view promised = MediaTypeByName(upload.file_name);
  if (!promised.empty() && promised != content.media_type) {
    return errors::InvalidField(
        "name", "文件内容与扩展名不符",
        Concat({"the file's name says ", promised, ", its content ", content.media_type}));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<File> Files::Finish(db::Session& sql, const Upload& upload, const Content& content,
                                   std::string_view sha256, const Limits& limits,
                                   absl::Time now) const {
  YZ_RETURN_IF_ERROR(CheckContent(upload, content, sha256, limits));
  YZ_RETURN_IF_ERROR(MakeRoom(sql, upload, limits));
  const std::string digest = FromHex(content.sha256).value();
  if (sql.Execute("UPDATE files SET state = ?, media_type = ?, sha256 = ?, time = ?, expire_time = "
                  "NULL WHERE id = ? AND state = ?",
                  kCurrent, content.media_type, db::Bytes(digest), now, db::Bytes(Bin(upload.id)),
                  kUploading) != 1) {
    return errors::Conflict();
  }
  return File{upload.id,          upload.owner,      upload.code,    upload.file_name,
              content.media_type, upload.size_bytes, content.sha256, now};
}

absl::StatusOr<File> Files::Add(db::Session& sql, const Upload& upload, std::string_view data,
                                const Content& content, std::string_view sha256,
                                const Limits& limits, absl::Time now) const {
  const auto size_bytes = static_cast<int64_t>(data.size());
  YZ_RETURN_IF_ERROR(CheckFileName(upload.file_name));
  if (size_bytes > limits.max_bytes) return errors::TooLarge("data", limits.max_bytes, "bytes");
  YZ_RETURN_IF_ERROR(CheckContent(upload, content, sha256, limits));
  YZ_RETURN_IF_ERROR(MakeRoom(sql, upload, limits));
  static const db::RowShape kFiles =
      db::NewRows("files",
                  "id, owner, code, state, kept, file_name, media_type, size_bytes, written_bytes, "
                  "sha256, time");
  static const db::RowShape kChunks =
      db::NewRows("file_chunks", "file, starts_at, sealed, wrapped_key");
  const std::string id = Bin(upload.id);
  sql.Hold(kFiles, db::Bytes(id), db::Bytes(Bin(upload.owner)), upload.code, kCurrent, 0,
           upload.file_name, content.media_type, size_bytes, size_bytes,
           db::Bytes(FromHex(content.sha256).value()), now);
  const journal::Sealed sealed = vault_.Seal(Place(upload.id, 0), data);
  sql.Hold(kChunks, db::Bytes(id), 0, db::Bytes(sealed.bytes), db::Bytes(sealed.wrapped_key));
  return File{upload.id,          upload.owner, upload.code,    upload.file_name,
              content.media_type, size_bytes,   content.sha256, now};
}

// Removes what the file takes the place of.
absl::Status Files::MakeRoom(db::Session& sql, const Upload& upload, const Limits& limits) const {
  std::string replaced;
  const std::vector<File> files = Current(sql, upload.owner);
  int of_code = 0;
  for (const File& file : files) {
    if (file.code != upload.code) continue;
    ++of_code;
    if (limits.max_files == 1 || file.file_name == upload.file_name) replaced = file.id;
  }
  if (replaced.empty() && of_code >= limits.max_files) {
    return errors::TooLarge(Concat({"materials ", upload.code}), limits.max_files, "items");
  }
  if (replaced.empty() && static_cast<int>(files.size()) >= limits.max_owner_files) {
    return errors::TooLarge("materials", limits.max_owner_files, "items");
  }
  if (!replaced.empty()) {
    if (sql.Execute("UPDATE files SET state = ? WHERE id = ? AND kept = 1", kReplaced,
                    db::Bytes(Bin(replaced))) == 0) {
      Remove(sql, replaced);
    }
  }
  return absl::OkStatus();
}

std::vector<File> Files::CurrentOf(db::Session& sql, const std::vector<std::string>& owners) const {
  const auto in = db::KeyList::OfIds(owners);
  std::vector<File> files;
  for (const db::Row& row : sql.QueryList(CurrentOfThese(in), in.params())) {
    files.push_back(ReadFile(row));
  }
  return files;
}

void Files::FetchAhead(db::Session& sql, const std::vector<std::string>& owners) const {
  std::map<std::string, db::Rows> by_owner;
  for (const std::string& owner : owners) by_owner[Bin(owner)];
  // As quick when it is asked for; and Session::Prefetch locks nothing for one owner either,
  // however often it is named: what is known before the lock would be of the past.
  if (by_owner.size() < 2) return;
  const auto in = db::KeyList::OfIds(owners);
  for (db::Row& row : sql.QueryList(CurrentOfThese(in), in.params())) {
    const std::string owner = row.Bytes(1);
    by_owner[owner].push_back(std::move(row));
  }
  for (auto& [owner, rows] : by_owner) {
    sql.Know(CurrentOfThese(db::KeyList({owner})), owner, std::move(rows));
  }
}

std::optional<File> Files::Find(db::Session& sql, std::string_view id) const {
  const db::Rows rows = sql.Query(Concat({kFileColumns, "WHERE id = ? AND state <> ?"}),
                                  db::Bytes(Bin(id)), kUploading);
  if (rows.empty()) return std::nullopt;
  return ReadFile(rows[0]);
}

absl::StatusOr<std::string> Files::Read(db::Session& sql, std::string_view id,
                                        int64_t offset_bytes) const {
  const db::Rows rows = sql.Query(
      "SELECT starts_at, sealed, wrapped_key FROM file_chunks WHERE file = ? AND starts_at <= ? "
      "ORDER BY starts_at DESC LIMIT 1",
      db::Bytes(Bin(id)), offset_bytes);
  if (rows.empty()) return std::string();
  const int64_t starts_at = rows[0].Int(0);
  YZ_ASSIGN_OR_RETURN(std::string bytes,
                      vault_.Open(Place(id, starts_at), {rows[0].Bytes(1), rows[0].Bytes(2)}));
  if (offset_bytes - starts_at >= static_cast<int64_t>(bytes.size())) return std::string();
  bytes.erase(0, static_cast<size_t>(offset_bytes - starts_at));
  return bytes;
}

void Files::Keep(db::Session& sql, const std::vector<std::string>& owners) const {
  const auto in = db::KeyList::OfIds(owners);
  // By the index, however few rows there are: a scan would wait for what others have locked.
  sql.ExecuteList(Concat({"UPDATE files FORCE INDEX (owner) SET kept = 1 WHERE owner IN ", in.marks(),
                          " AND state = ", std::to_string(kCurrent)}),
                  in.params());
}

void Files::Remove(db::Session& sql, std::string_view id) const {
  const std::string file = Bin(id);
  sql.Execute("DELETE FROM file_chunks WHERE file = ?", db::Bytes(file));
  sql.Execute("DELETE FROM files WHERE id = ?", db::Bytes(file));
}

absl::StatusOr<int> Files::RemoveExpired(db::Pool& pool, absl::Time deadline,
                                         absl::Time now) const {
  std::vector<std::string> expired;
  YZ_RETURN_IF_ERROR(db::Read(pool, deadline, [&](db::Session& sql) {
    expired.clear();
    for (const db::Row& row :
         sql.Query("SELECT id FROM files WHERE state = ? AND expire_time <= ? LIMIT ?", kUploading,
                   now, kExpiredAtOnce)) {
      expired.push_back(row.Bytes(0));
    }
    return absl::OkStatus();
  }));
  for (const std::string& id : expired) {
    // The row is locked first: a chunk on its way is written before, or finds no upload.
    YZ_RETURN_IF_ERROR(db::Transact(
        pool, deadline,
        [&](db::Session& sql) {
          if (!sql.Query("SELECT 1 FROM files WHERE id = ? AND state = ? FOR UPDATE", db::Bytes(id),
                         kUploading)
                   .empty()) {
            Remove(sql, Text(id));
          }
          return absl::OkStatus();
        },
        db::OnUnknown::kReplay));
  }
  return static_cast<int>(expired.size());
}

}  // namespace yuezhan::files
