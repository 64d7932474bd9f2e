#include "common/base/money.h"

#include "absl/status/status.h"
#include "google/type/money.pb.h"

namespace yuezhan {

absl::StatusOr<int64_t> FenOf(const google::type::Money& money) {
  constexpr int32_t kNanosPerFen = 10'000'000;
  if (money.currency_code() != "CNY") return absl::InvalidArgumentError("currency must be CNY");
  if ((money.units() > 0 && money.nanos() < 0) || (money.units() < 0 && money.nanos() > 0)) {
    return absl::InvalidArgumentError("units and nanos must have one sign");
  }
  if (money.nanos() <= -1'000'000'000 || money.nanos() >= 1'000'000'000) {
    return absl::InvalidArgumentError("nanos must be less than one unit");
  }
  if (money.nanos() % kNanosPerFen != 0)
    return absl::InvalidArgumentError("amount must be in whole fen");
  if (money.units() > kMaxFen / 100 || money.units() < -kMaxFen / 100) {
    return absl::InvalidArgumentError("amount must be within 1000000000000 yuan");
  }
  const int64_t fen = money.units() * 100 + money.nanos() / kNanosPerFen;
  if (fen > kMaxFen || fen < -kMaxFen) {
    return absl::InvalidArgumentError("amount must be within 1000000000000 yuan");
  }
  return fen;
}

google::type::Money MoneyOf(int64_t fen) {
  google::type::Money money;
  money.set_currency_code("CNY");
  money.set_units(fen / 100);
  money.set_nanos(static_cast<int32_t>(fen % 100) * 10'000'000);
  return money;
}

std::string FormatYuan(int64_t fen) {
  const uint64_t size = fen < 0 ? 0 - static_cast<uint64_t>(fen) : static_cast<uint64_t>(fen);
  std::string text = std::to_string(size / 100);
  for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, 1, ',');
  text += '.';
  text += static_cast<char>('0' + size % 100 / 10);
  text += static_cast<char>('0' + size % 10);
  if (fen < 0) text.insert(0, 1, '-');
  return text;
}

}  // namespace yuezhan
