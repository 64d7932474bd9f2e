#ifndef YUEZHAN_COMMON_FILES_TEST_ZIP_H_
#define YUEZHAN_COMMON_FILES_TEST_ZIP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace yuezhan::files {

inline std::string LittleEndian(uint32_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// A zip of stored entries with that name and that many bytes, which its directory claims.
struct ZipEntry {
  std::string name;
  uint32_t claimed_bytes = 0;
};
inline std::string Zip(const std::vector<ZipEntry>& entries, std::string_view comment = "") {
  std::string bytes, directory;
  for (const ZipEntry& entry : entries) {
    const std::string sizes = LittleEndian(0, 4) + LittleEndian(0, 4) +
                              LittleEndian(entry.claimed_bytes, 4) +
                              LittleEndian(static_cast<uint32_t>(entry.name.size()), 2);
    directory += "PK\x01\x02" + std::string(12, '\0') + sizes + std::string(12, '\0') +
                 LittleEndian(static_cast<uint32_t>(bytes.size()), 4) + entry.name;
    bytes += "PK\x03\x04" + std::string(10, '\0') + sizes + LittleEndian(0, 2) + entry.name;
  }
  const auto count = LittleEndian(static_cast<uint32_t>(entries.size()), 2);
  return bytes + directory + "PK\x05\x06" + std::string(4, '\0') + count + count +
         LittleEndian(static_cast<uint32_t>(directory.size()), 4) +
         LittleEndian(static_cast<uint32_t>(bytes.size()), 4) +
         LittleEndian(static_cast<uint32_t>(comment.size()), 2) + std::string(comment);
}

}  // namespace yuezhan::files

#endif  // YUEZHAN_COMMON_FILES_TEST_ZIP_H_
