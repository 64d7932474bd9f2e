#ifndef YUEZHAN_COMMON_DB_LISTS_H_
#define YUEZHAN_COMMON_DB_LISTS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/db/session.h"

namespace yuezhan::db {

// The keys of an IN list, at least one: "(?, ?, …)" and its arguments. The last key is repeated up to
// the next power of two, so that a statement is prepared in a few lengths only.
class KeyList {
 public:
  explicit KeyList(std::vector<std::string> keys) : keys_(std::move(keys)) {
    size_t length = 1;
    while (length < keys_.size()) length *= 2;
    for (size_t i = 0; i < length; ++i) {
      params_.emplace_back(Bytes(i < keys_.size() ? keys_[i] : keys_.back()));
      marks_ += i == 0 ? "(?" : ", ?";
    }
    marks_ += ")";
  }
  // Of UUIDs as resource names have them.
  static KeyList OfIds(const std::vector<std::string>& ids) {
    std::vector<std::string> keys;
    for (const std::string& id : ids) keys.push_back(UuidToBytes(id).value());
    return KeyList(std::move(keys));
  }
  KeyList(const KeyList&) = delete;
  KeyList& operator=(const KeyList&) = delete;

  const std::string& marks() const { return marks_; }
  const std::vector<Param>& params() const { return params_; }

 private:
  const std::vector<std::string> keys_;
  std::string marks_;
  std::vector<Param> params_;
};

// The rows of `select` ("SELECT … FROM cases ") whose id is among the keys; none for no keys.
inline Rows RowsByKey(Session& sql, std::string_view select, std::vector<std::string> keys) {
  if (keys.empty()) return {};
  const KeyList in(std::move(keys));
  return sql.QueryList(Concat({select, "WHERE id IN ", in.marks()}), in.params());
}

// The keys of resources: KeysOf("cases/*", {"cases/…"}). A name of another shape has none.
inline std::vector<std::string> KeysOf(std::string_view pattern,
                                       const std::vector<std::string>& names) {
  std::vector<std::string> keys;
  for (const std::string& name : names) {
    const auto id = IdOf(pattern, name);
    const auto key = id.ok() ? UuidToBytes(*id) : id;
    if (key.ok()) keys.push_back(*key);
  }
  return keys;
}

// "INSERT … VALUES (?, …), (?, …)" for `rows` rows: `head` ends before VALUES.
inline std::string InsertMany(std::string_view head, size_t columns, size_t rows,
                              std::string_view tail = "") {
  std::string one = "(?";
  for (size_t i = 1; i < columns; ++i) one += ", ?";
  one += ")";
  std::string sql(head);
  sql += " VALUES ";
  for (size_t i = 0; i < rows; ++i) {
    if (i > 0) sql += ", ";
    sql += one;
  }
  sql += tail;
  return sql;
}

}  // namespace yuezhan::db

#endif  // YUEZHAN_COMMON_DB_LISTS_H_
