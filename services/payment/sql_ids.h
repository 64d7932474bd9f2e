#ifndef YUEZHAN_SERVICES_PAYMENT_SQL_IDS_H_
#define YUEZHAN_SERVICES_PAYMENT_SQL_IDS_H_

#include <string>
#include <string_view>

#include "common/base/dates.h"
#include "common/base/ids.h"

namespace yuezhan::payment {

// Ids come from our own resource names, checked by then: a bad one is a fault of ours.
inline std::string Bin(std::string_view id) { return UuidToBytes(id).value(); }
inline std::string BinOf(std::string_view pattern, std::string_view name) {
  return Bin(IdOf(pattern, name).value());
}
inline std::string Text(const std::string& bytes) { return UuidFromBytes(bytes).value(); }
// The least id, before all others: where a list begins.
inline std::string BinAfter(std::string_view id) {
  return id.empty() ? std::string(16, '\0') : Bin(id);
}

// Days since 1970-01-01, as columns keep them.
inline int64_t DayNumber(Day day) { return day - Day(1970, 1, 1); }
inline Day DayOf(int64_t number) { return Day(1970, 1, 1) + number; }

}  // namespace yuezhan::payment

#endif  // YUEZHAN_SERVICES_PAYMENT_SQL_IDS_H_
