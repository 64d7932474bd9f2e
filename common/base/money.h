#ifndef YUEZHAN_COMMON_BASE_MONEY_H_
#define YUEZHAN_COMMON_BASE_MONEY_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace google::type {
class Money;
}

namespace yuezhan {

// Inside, money is int64 fen; google.type.Money stands at the edge only. Largest amount either way:
// 10^12 yuan, so that no sum of amounts that a city pays comes near the end of int64.
inline constexpr int64_t kMaxFen = 100'000'000'000'000;

// INVALID_ARGUMENT when the currency is not CNY, units and nanos differ in sign, there is a
// fraction of a fen, or the amount is beyond kMaxFen.
absl::StatusOr<int64_t> FenOf(const google::type::Money& money);

// The same amount as CNY. `fen` must be within ±kMaxFen.
google::type::Money MoneyOf(int64_t fen);

// "100,000.00" and "-0.05": as printed and logged. Words (壹拾万元整) are common/rules' part.
std::string FormatYuan(int64_t fen);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_BASE_MONEY_H_
