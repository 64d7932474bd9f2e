#include "common/rules/contact_details.h"

#include <algorithm>

#include "common/base/text.h"

namespace yuezhan::rules {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), IsDigit);
}

// Value of a character of GB 32100 (no I, O, S, V, Z); -1: not one.
int CreditValue(char c) {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  const size_t at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// GB 11714: weights of the first eight characters, 11 - Σ mod 11, ten is X and eleven is 0.
char OrganisationCheck(std::string_view nine) {
  static constexpr int kWeights[] = {3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int i = 0; i < 8; ++i) {
    sum += kWeights[i] * (IsDigit(nine[i]) ? nine[i] - '0' : nine[i] - 'A' + 10);
  }
  const int check = (11 - sum % 11) % 11;
  return check == 10 ? 'X' : static_cast<char>('0' + check);
}

}  // namespace

bool IsCreditCodeShape(std::string_view code) {
  return code.size() == 18 &&
         std::all_of(code.begin(), code.end(), [](char c) { return CreditValue(c) >= 0; }) &&
         AllDigits(code.substr(2, 6));  // The administrative division.
}

bool IsCreditCode(std::string_view code) {
  if (!IsCreditCodeShape(code)) return false;
  int sum = 0;
  int weight = 1;
  for (int i = 0; i < 17; ++i) {
    sum += weight * CreditValue(code[i]);
    weight = weight * 3 % 31;
  }
  return CreditValue(code[17]) == (31 - sum % 31) % 31 &&
         OrganisationCheck(code.substr(8, 9)) == code[16];
}

bool IsMobile(std::string_view number) {
  return number.size() == 11 && AllDigits(number) && number[0] == '1' && number[1] >= '3';
}

bool IsLandline(std::string_view number) {
  // Area codes: 010 and 02x have three digits, all others four.
  if (number.size() < 3 || number[0] != '0') return false;
  const size_t area = number[1] == '1' || number[1] == '2' ? 3 : 4;
  if (number.size() < area || !AllDigits(number.substr(0, area))) return false;
  number.remove_prefix(area);
  if (!number.empty() && number[0] == '-') number.remove_prefix(1);
  const size_t hyphen = number.find('-');
  if (hyphen != std::string_view::npos) {
    const std::string_view extension = number.substr(hyphen + 1);
    if (!AllDigits(extension) || extension.size() > 6) return false;
    number = number.substr(0, hyphen);
  }
  return AllDigits(number) && (number.size() == 7 || number.size() == 8);
}

bool IsPostcode(std::string_view code) {
  return code.size() == 6 && AllDigits(code) && code != "000000";
}

bool IsEmail(std::string_view address) {
  const size_t at = address.find('@');
  if (address.size() > 254 || at == 0 || at == std::string_view::npos || at > 64) return false;
  const std::string_view local = address.substr(0, at);
  const std::string_view domain = address.substr(at + 1);
  if (local.front() == '.' || local.back() == '.' || address.find("..") != std::string_view::npos) {
    return false;
  }
  for (char c : local) {
    if (!(IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
          std::string_view(".!#$%&'*+/=?^_`{|}~-").find(c) != std::string_view::npos)) {
      return false;
    }
  }
  const size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || domain.size() - dot < 3 ||
      AllDigits(domain.substr(dot + 1))) {
    return false;
  }
  for (size_t i = 0; i < domain.size(); ++i) {
    const char c = domain[i];
    const bool edge =
        i == 0 || i + 1 == domain.size() || domain[i - 1] == '.' || domain[i + 1] == '.';
    if (!(IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
          (c == '-' && !edge))) {
      return false;
    }
  }
  return domain.front() != '.';
}

bool IsAccountNumber(std::string_view number) {
  size_t digits = 0;
  for (char c : number) {
    if (IsDigit(c)) {
      ++digits;
    } else if (c != ' ' && c != '-') {
      return false;
    }
  }
  return digits >= 8 && digits <= 32 && IsDigit(number.front()) && IsDigit(number.back());
}

std::string Masked(std::string_view number) {
  if (IsMobile(number)) return Concat({number.substr(0, 3), "****", number.substr(7)});
  // Of what is not a number at all nothing is shown: four bytes could be half a character.
  const bool ascii = std::all_of(number.begin(), number.end(), [](char c) { return c > 0; });
  return Concat({"****", ascii && number.size() > 8 ? number.substr(number.size() - 4) : ""});
}

}  // namespace yuezhan::rules
