// The forms' own rules: credit code, telephone, postcode, e-mail, account number. Each says yes or
// no.
#ifndef YUEZHAN_COMMON_RULES_CONTACT_DETAILS_H_
#define YUEZHAN_COMMON_RULES_CONTACT_DETAILS_H_

#include <string>
#include <string_view>

namespace yuezhan::rules {

// Unified social credit code (GB 32100-2015): 18 characters, its own check character and that of
// the organisation code inside it (GB 11714).
bool IsCreditCode(std::string_view code);
// 18 characters of the right alphabet, whose check characters may fail: what an officer may accept
// by name.
bool IsCreditCodeShape(std::string_view code);

// Mobile number of the mainland: 11 digits, 1[3-9].
bool IsMobile(std::string_view number);
// Landline with area code, 0730-1234567, with an optional extension "-8001"; the first hyphen may
// be left out.
bool IsLandline(std::string_view number);
inline bool IsPhone(std::string_view number) { return IsMobile(number) || IsLandline(number); }
// Six digits, not 000000.
bool IsPostcode(std::string_view code);
// local@domain.tld, printable ASCII without blanks, at most 254 bytes.
bool IsEmail(std::string_view address);
// 8 to 32 digits; blanks and hyphens between groups do not count.
bool IsAccountNumber(std::string_view number);

// 138****1234 of a mobile, "****" and the last four characters of anything else.
std::string Masked(std::string_view number);

}  // namespace yuezhan::rules

#endif  // YUEZHAN_COMMON_RULES_CONTACT_DETAILS_H_
