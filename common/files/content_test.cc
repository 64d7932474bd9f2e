#include "common/files/content.h"

#include "common/errors/errors.h"
#include "common/files/test_zip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace yuezhan::files {
namespace {

using testing::HasSubstr;

// Reads at most `step` bytes at once, as a file in small chunks is read.
absl::StatusOr<std::string> TypeOf(const std::string& bytes, size_t step = 7) {
  return MediaTypeByContent(
      static_cast<int64_t>(bytes.size()), [&](int64_t offset) -> absl::StatusOr<std::string> {
        return bytes.substr(std::min(bytes.size(), static_cast<size_t>(offset)), step);
      });
}

TEST(Content, TellsTheTypeWhateverTheName) {
  const struct {
    std::string bytes;
    std::string media_type;
  } kCases[] = {
      {"%PDF-1.7\nabc", "application/pdf"},
      {std::string("\xFF\xD8\xFF\xE0", 4) + "JFIF", "image/jpeg"},
      {"\x89PNG\r\n\x1A\n....", "image/png"},
      {Zip({{"OFD.xml", 100}, {"Doc_0/Document.xml", 900}}), "application/ofd"},
      {Zip({{"OFD.xml", 100}}, "a comment at the end"), "application/ofd"},
      {Zip({{"word/document.xml", 100}}), ""},  // another document in a zip
      {Zip({{"Doc_0/OFD.xml", 100}}), ""},
      {"MZ this is a program", ""},
      {" %PDF-1.7", ""},
      {"%PD", ""},
      {"", ""},
  };
  for (const auto& c : kCases) {
    for (const size_t step : {7, 1 << 20}) {
      const auto type = TypeOf(c.bytes, step);
      ASSERT_TRUE(type.ok()) << type.status();
      EXPECT_EQ(*type, c.media_type) << c.bytes;
    }
  }
}

TEST(Content, RefusesAZipThatWouldHarm) {
  std::vector<ZipEntry> many(10'001, {"a", 1});
  std::string torn = Zip({{"OFD.xml", 1}, {"b", 1}});
  torn.replace(torn.find("PK\x01\x02"), 4, "XXXX");
  std::string too_far = Zip({{"OFD.xml", 1}});
  too_far.replace(too_far.size() - 6, 4, LittleEndian(1'000'000, 4));
  const struct {
    std::string bytes;
    std::string reason;
  } kCases[] = {
      {Zip({{"OFD.xml", 1}, {"../../etc/passwd", 1}}), "leads out"},
      {Zip({{"OFD.xml", 1}, {"/etc/passwd", 1}}), "leads out"},
      {Zip({{"OFD.xml", 1}, {"C:\\x", 1}}), "leads out"},
      {Zip({{"OFD.xml", 1}, {std::string("a\0b", 3), 1}}), "leads out"},
      {Zip({{"OFD.xml", 1}, {"Doc_0/42.ZIP", 1}}), "holds an archive"},
      {Zip({{"OFD.xml", 1}, {"x.tar", 1}}), "holds an archive"},
      {Zip({{"OFD.xml", 1}, {"a", 1'000'000'000}}), "unpacks to far more"},
      {Zip(many), "too large or damaged"},
      {"PK\x03\x04 and then nothing that a zip has", "damaged"},
      {torn, "damaged"},
      {too_far, "too large or damaged"},
  };
  for (const auto& c : kCases) {
    const auto type = TypeOf(c.bytes, 4096);
    EXPECT_EQ(type.status().code(), absl::StatusCode::kInvalidArgument) << c.reason;
    EXPECT_THAT(std::string(type.status().message()), HasSubstr(c.reason));
    EXPECT_FALSE(errors::MessageZh(type.status()).empty());
  }
}

TEST(Content, NamesPromiseTypes) {
  EXPECT_EQ(MediaTypeByName("批复.PDF"), "application/pdf");
  EXPECT_EQ(MediaTypeByName("a.jpeg"), "image/jpeg");
  EXPECT_EQ(MediaTypeByName("a.ofd"), "application/ofd");
  EXPECT_EQ(MediaTypeByName("a.exe"), "");
  EXPECT_EQ(MediaTypeByName("pdf"), "");
}

}  // namespace
}  // namespace yuezhan::files
