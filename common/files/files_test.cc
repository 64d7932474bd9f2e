#include "common/files/files.h"

#include <fstream>
#include <thread>

#include "common/base/clocks.h"
#include "common/base/digest.h"
#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/db/test_database.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/files/schema.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace yuezhan::files {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kChunk = 64 << 10;

std::string Pdf(int64_t size, char fill = 'x') {
  std::string bytes = "%PDF-1.7\n";
  bytes.resize(static_cast<size_t>(size), fill);
  return bytes;
}

std::string ChunkAt(const std::string& bytes, int64_t offset, int64_t size = kChunk) {
  return bytes.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
}

// Files over a database of their own, of one owner.
class FilesTest : public testing::Test {
 protected:
  absl::Time Deadline() const { return WallNow() + absl::Seconds(60); }

  absl::Status Transact(absl::FunctionRef<absl::Status(db::Session&)> unit) {
    return db::Transact(database_.pool(), Deadline(), unit);
  }
  template <typename Result>
  Result InTransaction(absl::FunctionRef<Result(db::Session&)> unit) {
    Result result{};
    EXPECT_TRUE(Transact([&](db::Session& sql) {
                  result = unit(sql);
                  return absl::OkStatus();
                }).ok());
    return result;
  }

  absl::StatusOr<std::string> Start(const std::string& code, const std::string& name,
                                    int64_t size) {
    Upload upload{NewUuid(), owner_, code, name, size, 0, now_ + absl::Hours(24)};
    const absl::Status status =
        Transact([&](db::Session& sql) { return files_.Start(sql, upload, limits_, now_); });
    if (!status.ok()) return status;
    return upload.id;
  }
  std::optional<Upload> Find(const std::string& id) {
    return InTransaction<std::optional<Upload>>(
        [&](db::Session& sql) { return files_.FindUpload(sql, id, now_, false); });
  }
  absl::Status Append(const std::string& id, int64_t offset, const std::string& data) {
    return Transact([&](db::Session& sql) -> absl::Status {
      auto upload = files_.FindUpload(sql, id, now_, true);
      if (!upload) return errors::NotFound("upload");
      return files_.Append(sql, &*upload, offset, data);
    });
  }
  absl::Status AppendAll(const std::string& id, const std::string& bytes, int64_t chunk = kChunk) {
    for (int64_t at = 0; at < static_cast<int64_t>(bytes.size()); at += chunk) {
      const absl::Status status = Append(id, at, ChunkAt(bytes, at, chunk));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  absl::StatusOr<File> Finish(const std::string& id, const std::string& sha256) {
    const auto upload = Find(id);
    if (!upload) return errors::NotFound("upload");
    const auto content = files_.Inspect(database_.pool(), Deadline(), *upload);
    if (!content.ok()) return content.status();
    absl::StatusOr<File> file = absl::UnknownError("");
    const absl::Status status = Transact([&](db::Session& sql) {
      file = files_.Finish(sql, *files_.FindUpload(sql, id, now_, true), *content, sha256, limits_,
                           now_);
      return file.status();
    });
    if (!status.ok()) return status;
    return file;
  }
  absl::StatusOr<File> Put(const std::string& code, const std::string& name,
                           const std::string& bytes) {
    const auto id = Start(code, name, static_cast<int64_t>(bytes.size()));
    if (!id.ok()) return id.status();
    const absl::Status status = AppendAll(*id, bytes);
    if (!status.ok()) return status;
    return Finish(*id, ToHex(Sha256(bytes)));
  }
  std::string ReadAll(const std::string& id) {
    return InTransaction<std::string>([&](db::Session& sql) {
      std::string bytes;
      for (;;) {
        const auto part = files_.Read(sql, id, static_cast<int64_t>(bytes.size()));
        EXPECT_TRUE(part.ok()) << part.status();
        if (!part.ok() || part->empty()) return bytes;
        bytes += *part;
      }
    });
  }
  std::vector<std::string> CurrentNames() {
    return InTransaction<std::vector<std::string>>([&](db::Session& sql) {
      std::vector<std::string> names;
      for (const File& file : files_.Current(sql, owner_)) names.push_back(file.file_name);
      return names;
    });
  }
  int64_t Count(const std::string& table) {
    return InTransaction<int64_t>([&](db::Session& sql) {
      return sql.QueryText(Concat({"SELECT COUNT(*) FROM ", table}))[0].Int(0);
    });
  }

  db::TestDatabase database_{{FilesMigration(1)}};
  const journal::Vault vault_ = journal::Vault::Parse(journal::Vault::NewKeyLine("test")).value();
  const Files files_{vault_};
  Limits limits_{{"application/pdf", "application/ofd", "image/png"}, 20 << 20, 1, 5};
  std::string owner_ = NewUuid();
  absl::Time now_ = absl::FromUnixSeconds(1'790'000'000);
};

TEST_F(FilesTest, APdfInChunksIsReadBack) {
  const std::string bytes = Pdf(5 * kChunk + 123);
  const auto file = Put("approval-reply", "批复.pdf", bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->media_type, "application/pdf");
  EXPECT_EQ(file->size_bytes, static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(file->sha256, ToHex(Sha256(bytes)));
  EXPECT_EQ(ReadAll(file->id), bytes);
  EXPECT_THAT(CurrentNames(), ElementsAre("批复.pdf"));
  // From the middle of a chunk, and from beyond the end.
  const auto read = [&](int64_t offset) {
    return InTransaction<std::string>(
        [&](db::Session& sql) { return files_.Read(sql, file->id, offset).value(); });
  };
  EXPECT_EQ(read(kChunk + 10), ChunkAt(bytes, kChunk + 10, kChunk - 10));
  EXPECT_EQ(read(file->size_bytes), "");
  EXPECT_EQ(read(file->size_bytes + 1000), "");
}

TEST_F(FilesTest, AtRestIsNothingReadable) {
  ASSERT_TRUE(Put("other", "a.pdf", Pdf(kChunk)).ok());
  EXPECT_EQ(InTransaction<int64_t>([&](db::Session& sql) {
              return sql
                  .QueryText("SELECT COUNT(*) FROM file_chunks WHERE LOCATE('%PDF', sealed) > 0")[0]
                  .Int(0);
            }),
            0);
}

TEST_F(FilesTest, AnUploadCutAtEveryBoundaryGoesOn) {
  const std::string bytes = Pdf(6 * kChunk + 5);
  for (int64_t cut = 0; cut <= 7; ++cut) {
    const std::string id = Start("other", "a.pdf", static_cast<int64_t>(bytes.size())).value();
    const int64_t until = std::min(cut * kChunk, static_cast<int64_t>(bytes.size()));
    ASSERT_TRUE(AppendAll(id, bytes.substr(0, static_cast<size_t>(until))).ok());
    EXPECT_THAT(CurrentNames().size(), cut == 0 ? 0 : 1) << "an unfinished upload is invisible";
    // Another process, that knows nothing but the upload's id, repeats the last chunk and goes on.
    const int64_t next = Find(id)->offset_bytes;
    EXPECT_EQ(next, until);
    for (int64_t at =
             std::max<int64_t>(0, until - kChunk - (until % kChunk ? until % kChunk - kChunk : 0));
         at < static_cast<int64_t>(bytes.size()); at += kChunk) {
      ASSERT_TRUE(Append(id, at, ChunkAt(bytes, at)).ok()) << cut << " " << at;
    }
    const auto file = Finish(id, ToHex(Sha256(bytes)));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(ReadAll(file->id), bytes);
  }
  EXPECT_EQ(Count("files"), 1) << "a replaced file that no decision relies on is removed";
  EXPECT_EQ(Count("file_chunks"), 7);
}

TEST_F(FilesTest, ChunksThatDoNotFitAreRefused) {
  const std::string bytes = Pdf(3 * kChunk);
  const std::string id = Start("other", "a.pdf", static_cast<int64_t>(bytes.size())).value();
  ASSERT_TRUE(Append(id, 0, ChunkAt(bytes, 0)).ok());
  const struct {
    const char* what;
    int64_t offset;
    std::string data;
    const char* reason;
  } kCases[] = {
      {"gap", 2 * kChunk, ChunkAt(bytes, 0), "chunks come in order"},
      {"other bytes", 0, std::string(kChunk, 'y'), "written there before"},
      {"shorter", 0, ChunkAt(bytes, 0, 100), "written there before"},
      {"inside a chunk", 100, ChunkAt(bytes, 100, 100), "no chunk begins there"},
      {"too small", kChunk, "x", "at least 16384 bytes"},
      {"beyond the end", kChunk, std::string(2 * kChunk + 1, 'x'), "upload is over"},
      {"too large", kChunk, std::string(kMaxChunkBytes + 1, 'x'), "data is over"},
      {"empty", kChunk, "", "must not be empty"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = Append(id, c.offset, c.data);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.what;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.reason)) << c.what;
  }
  EXPECT_EQ(Find(id)->offset_bytes, kChunk);
  EXPECT_EQ(Append(NewUuid(), 0, "x").code(), absl::StatusCode::kNotFound);
}

TEST_F(FilesTest, OneOfManyWritersOfAChunkWritesIt) {
  const std::string bytes = Pdf(2 * kChunk);
  const std::string id = Start("other", "a.pdf", static_cast<int64_t>(bytes.size())).value();
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      EXPECT_TRUE(Append(id, 0, ChunkAt(bytes, 0)).ok());
      EXPECT_TRUE(Append(id, kChunk, ChunkAt(bytes, kChunk)).ok());
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(Count("file_chunks"), 2);
  EXPECT_TRUE(Finish(id, ToHex(Sha256(bytes))).ok());
}

TEST_F(FilesTest, WhatIsNotWhatItSaysIsRefusedWithTheReason) {
  const struct {
    const char* name;
    std::string bytes;
    const char* reason;
  } kCases[] = {
      {"a.pdf", "\x89PNG\r\n\x1A\n....", "its content image/png"},
      {"a.png", Pdf(100), "its content application/pdf"},
      {"a.jpg", "\xFF\xD8\xFF\xE0JFIF", "no type that is allowed"},  // this policy takes none
      {"a.pdf", "MZ a program", "no type that is allowed"},
      {"a.ofd", "PK\x03\x04 no zip", "damaged"},
  };
  for (const auto& c : kCases) {
    const auto file = Put("other", c.name, c.bytes);
    EXPECT_EQ(file.status().code(), absl::StatusCode::kInvalidArgument) << c.name;
    EXPECT_THAT(std::string(file.status().message()), HasSubstr(c.reason)) << c.name;
  }
  EXPECT_THAT(CurrentNames(), IsEmpty());
}

TEST_F(FilesTest, WrongDigestAndIncompleteAreRefused) {
  const std::string bytes = Pdf(2 * kChunk);
  const std::string id = Start("other", "a.pdf", static_cast<int64_t>(bytes.size())).value();
  ASSERT_TRUE(Append(id, 0, ChunkAt(bytes, 0)).ok());
  EXPECT_THAT(std::string(Finish(id, ToHex(Sha256(bytes))).status().message()),
              HasSubstr("not complete"));
  ASSERT_TRUE(Append(id, kChunk, ChunkAt(bytes, kChunk)).ok());
  EXPECT_THAT(std::string(Finish(id, ToHex(Sha256("other"))).status().message()),
              HasSubstr("digest"));
  EXPECT_THAT(CurrentNames(), IsEmpty());
}

TEST_F(FilesTest, LimitsHold) {
  EXPECT_EQ(errors::Reason(Start("other", "a.pdf", limits_.max_bytes + 1).status()), "TOO_LARGE");
  for (const char* name : {"", "a/b.pdf", "..", "a\\b.pdf"}) {
    EXPECT_EQ(errors::Reason(Start("other", name, 10).status()), "INVALID_FIELD") << name;
  }
  limits_.max_files = 2;
  ASSERT_TRUE(Put("other", "1.pdf", Pdf(20)).ok());
  ASSERT_TRUE(Put("other", "2.pdf", Pdf(20)).ok());
  EXPECT_EQ(errors::Reason(Put("other", "3.pdf", Pdf(20)).status()), "TOO_LARGE");
  ASSERT_TRUE(Put("other", "2.pdf", Pdf(21)).ok()) << "the same name replaces";
  EXPECT_THAT(CurrentNames(), ElementsAre("1.pdf", "2.pdf"));
  limits_.max_owner_files = 2;
  EXPECT_EQ(errors::Reason(Put("more", "a.pdf", Pdf(20)).status()), "TOO_LARGE");
  // Unfinished: the two that were refused, so no third.
  EXPECT_THAT(std::string(Start("other", "a.pdf", 10).status().message()),
              HasSubstr("unfinished uploads"));
}

TEST_F(FilesTest, AKeptFileStaysWhenItIsReplaced) {
  const File first = Put("other", "1.pdf", Pdf(100, 'a')).value();
  EXPECT_TRUE(Transact([&](db::Session& sql) {
                files_.Keep(sql, owner_);
                return absl::OkStatus();
              }).ok());
  const File second = Put("other", "2.pdf", Pdf(100, 'b')).value();
  const File third = Put("other", "3.pdf", Pdf(100, 'c')).value();
  EXPECT_THAT(CurrentNames(), ElementsAre("3.pdf"));
  EXPECT_EQ(ReadAll(first.id), Pdf(100, 'a'));
  EXPECT_EQ(ReadAll(second.id), "");
  const auto found = [&](const std::string& id) {
    return InTransaction<bool>([&](db::Session& sql) { return files_.Find(sql, id).has_value(); });
  };
  EXPECT_TRUE(found(first.id));
  EXPECT_FALSE(found(second.id));
  EXPECT_TRUE(found(third.id));
}

// One owner, however often it is named, is locked by nobody ahead: its files are asked for when the
// lock is there.
TEST_F(FilesTest, FilesOfSeveralOwnersAreAskedForAtOnce) {
  const std::string other = NewUuid();
  ASSERT_TRUE(Transact([&](db::Session& sql) {
                int sent = 0;
                db::Session::Observe([&](const db::Statement&) { ++sent; });
                files_.FetchAhead(sql, {owner_, owner_});
                EXPECT_EQ(sent, 0);
                files_.FetchAhead(sql, {owner_, other, owner_});
                EXPECT_EQ(sent, 1);
                EXPECT_THAT(files_.Current(sql, owner_), IsEmpty());
                EXPECT_THAT(files_.Current(sql, other), IsEmpty());
                EXPECT_EQ(sent, 1);
                files_.Current(sql, owner_);  // what was known is told once
                EXPECT_EQ(sent, 2);
                db::Session::Observe({});
                return absl::OkStatus();
              }).ok());
}

TEST_F(FilesTest, ExpiredUploadsGoWithoutTrace) {
  const File kept = Put("other", "kept.pdf", Pdf(100)).value();
  const std::string bytes = Pdf(3 * kChunk);
  for (int i = 0; i < 3; ++i) {
    const std::string id = Start("other", "a.pdf", static_cast<int64_t>(bytes.size())).value();
    ASSERT_TRUE(Append(id, 0, ChunkAt(bytes, 0)).ok());
  }
  now_ += absl::Hours(23);
  const std::string young = Start("other", "b.pdf", 100).value();
  EXPECT_EQ(files_.RemoveExpired(database_.pool(), Deadline(), now_).value(), 0);
  now_ += absl::Hours(1);
  EXPECT_EQ(files_.RemoveExpired(database_.pool(), Deadline(), now_).value(), 3);
  EXPECT_EQ(files_.RemoveExpired(database_.pool(), Deadline(), now_).value(), 0);
  EXPECT_EQ(Count("files"), 2);
  EXPECT_EQ(Count("file_chunks"), 1) << "no chunk without its file";
  EXPECT_TRUE(Find(young).has_value());
  EXPECT_EQ(ReadAll(kept.id), Pdf(100));
}

TEST_F(FilesTest, AnExpiredUploadIsGoneBeforeTheTimerComes) {
  const std::string id = Start("other", "a.pdf", 2 * kChunk).value();
  now_ += absl::Hours(24);
  EXPECT_FALSE(Find(id).has_value());
  EXPECT_EQ(Append(id, 0, std::string(kChunk, 'x')).code(), absl::StatusCode::kNotFound);
}

// Kilobytes of the process's greatest resident size so far.
int64_t PeakResidentKib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stoll(line.substr(6));
  }
  return 0;
}

// 20 MiB each: far more than they may take together, if one of them were held whole.
TEST_F(FilesTest, LargeFilesPassInFlatMemory) {
  constexpr int kAtOnce = 8;
  [[maybe_unused]] const int64_t before = PeakResidentKib();
  const std::string bytes = Pdf(20 << 20);
  limits_.max_files = limits_.max_owner_files = kAtOnce;
  std::vector<std::thread> threads;
  for (int i = 0; i < kAtOnce; ++i) {
    threads.emplace_back([&, i] {
      const std::string name = Concat({std::to_string(i), ".pdf"});
      const std::string id = Start("other", name, static_cast<int64_t>(bytes.size())).value();
      EXPECT_TRUE(AppendAll(id, bytes, kMaxChunkBytes).ok());
      const auto file = Finish(id, ToHex(Sha256(bytes)));
      EXPECT_TRUE(file.ok()) << file.status();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(CurrentNames().size(), kAtOnce);
#ifndef YUEZHAN_SANITIZED  // which keeps what was freed for a while
  EXPECT_LT(PeakResidentKib() - before, (20 + kAtOnce * 10) << 10);
#endif
}

}  // namespace
}  // namespace yuezhan::files
