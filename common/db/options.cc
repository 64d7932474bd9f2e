#include "common/db/options.h"

#include <cctype>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/text.h"

namespace yuezhan::db {
namespace {

constexpr std::string_view kScheme = "mysql://";

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(
      Concat({"database URL: ", what, " (mysql://user:password@host:port/schema?tls_ca=FILE)"}));
}

bool Decode(std::string_view text, std::string* out) {
  const auto digit = [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c | 32) - 'a' + 10;
  };
  out->clear();
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      *out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !std::isxdigit(static_cast<unsigned char>(text[i + 1])) ||
        !std::isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      return false;
    }
    *out += static_cast<char>(digit(text[i + 1]) << 4 | digit(text[i + 2]));
    i += 2;
  }
  return true;
}

std::string Encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' ||
        c == '/') {
      out += c;
    } else {
      absl::StrAppend(&out, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return out;
}

// Cuts `text` at the first `separator`; the rest goes to `tail`, which is left alone when there is
// none.
void Split(std::string_view* text, char separator, std::string_view* tail) {
  const size_t at = text->find(separator);
  if (at == std::string_view::npos) return;
  *tail = text->substr(at + 1);
  *text = text->substr(0, at);
}

}  // namespace

std::string Options::Describe() const {
  return absl::StrCat("mysql://", user, "@", host, ":", port, "/", schema);
}

std::string Options::Url() const {
  std::string url =
      absl::StrCat(Abs(kScheme), Encode(user), ":", Encode(password), "@", host, ":", port);
  if (!schema.empty()) absl::StrAppend(&url, "/", Encode(schema));
  if (!tls_ca.empty()) absl::StrAppend(&url, "?tls_ca=", Encode(tls_ca));
  return url;
}

absl::StatusOr<Options> ParseUrl(std::string_view url) {
  if (url.substr(0, kScheme.size()) != kScheme) return Wrong("must begin with mysql://");
  std::string_view place = url.substr(kScheme.size()), query, schema, port, password;
  Split(&place, '?', &query);
  const size_t at = place.rfind('@');
  if (at == std::string_view::npos || at == 0) return Wrong("the user is missing");
  std::string_view user = place.substr(0, at);
  place = place.substr(at + 1);
  Split(&user, ':', &password);
  Split(&place, '/', &schema);
  Split(&place, ':', &port);
  Options options;
  if (place.empty()) return Wrong("the host is missing");
  options.host = std::string(place);
  if (!port.empty() &&
      (!absl::SimpleAtoi(Abs(port), &options.port) || options.port < 1 || options.port > 65535)) {
    return Wrong("the port is not a number from 1 to 65535");
  }
  if (!Decode(user, &options.user)) return Wrong("the user has a wrong % escape");
  if (!Decode(password, &options.password)) return Wrong("the password has a wrong % escape");
  if (!Decode(schema, &options.schema)) return Wrong("the schema has a wrong % escape");
  while (!query.empty()) {
    std::string_view pair = query, rest, value;
    Split(&pair, '&', &rest);
    Split(&pair, '=', &value);
    // A misspelt tls_ca passed over in silence would be a connection without TLS.
    if (pair != "tls_ca") return Wrong(Concat({"there is no option ", pair}));
    if (!Decode(value, &options.tls_ca) || options.tls_ca.empty())
      return Wrong("tls_ca names no file");
    query = rest;
  }
  return options;
}

}  // namespace yuezhan::db
