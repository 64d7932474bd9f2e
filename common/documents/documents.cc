#include "common/documents/documents.h"

#include <kainjow/mustache.hpp>
#include <map>
#include <set>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/digest.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"

namespace yuezhan::embedded {
extern const char kBaseHtml[];
extern const char kStyleCss[];
}  // namespace yuezhan::embedded

namespace yuezhan::documents {
namespace {

namespace mustache = kainjow::mustache;

// What a body must not hold: it would print a value unescaped, or where HTML's escapes mean nothing.
constexpr std::string_view kForbidden[] = {"{{{", "{{&", "{{=", "<script", "<style", "{{>"};

absl::Status Wrong(const Template& body, std::string_view why) {
  return absl::InternalError(Concat({"template ", body.kind, ": ", why}));
}

// Looks names up, and remembers those that are not there. Values are no partials.
class Names : public mustache::context<std::string> {
 public:
  explicit Names(const mustache::data* values) : context(values) {}

  const mustache::data* get(const std::string& name) const override {
    const mustache::data* value = context::get(name);
    if (value == nullptr) missing_.insert(name);
    return value;
  }
  const mustache::data* get_partial(const std::string&) const override { return nullptr; }
  const std::set<std::string>& missing() const { return missing_; }

 private:
  mutable std::set<std::string> missing_;
};

// A whole page, parsed: once for each body and thread, since rendering changes it.
absl::StatusOr<mustache::mustache*> PageOf(const Template& body) {
  thread_local std::map<std::string, mustache::mustache> pages;  // by their body
  const std::string text = body.html;
  const auto known = pages.find(text);
  if (known != pages.end()) return &known->second;
  for (const std::string_view forbidden : kForbidden) {
    if (text.find(forbidden) != std::string::npos) return Wrong(body, forbidden);
  }
  // By itself first: what it leaves open would be closed by the page around it.
  const mustache::mustache alone(text);
  if (!alone.is_valid()) return Wrong(body, alone.error_message());
  mustache::mustache page(absl::StrReplaceAll(
      embedded::kBaseHtml, {{"{{>style}}", embedded::kStyleCss}, {"{{>body}}", text}}));
  if (!page.is_valid()) return Wrong(body, page.error_message());
  return &pages.emplace(text, std::move(page)).first->second;
}

}  // namespace

// Gives the library our values.
class Printer {
 public:
  static mustache::data DataOf(const Values& values) {
    mustache::data data;
    for (const auto& [name, value] : values.values_) data.set(name, DataOf(value));
    return data;
  }

 private:
  static mustache::data DataOf(const Values::Value& value) {
    switch (value.kind) {
      case Values::Kind::kText:
        return mustache::data(value.text);
      case Values::Kind::kFlag:
        return mustache::data(value.set);
      case Values::Kind::kList:
        break;
    }
    mustache::data rows(mustache::data::type::list);
    for (const Values& row : value.rows) rows.push_back(DataOf(row));
    return rows;
  }
};

Values& Values::Text(std::string_view name, std::string_view text) {
  Value& value = values_[std::string(name)];
  value.kind = Kind::kText;
  value.text = std::string(text);
  return *this;
}

Values& Values::Paragraphs(std::string_view name, std::string_view text) {
  std::vector<Values> rows;
  for (const absl::string_view line : absl::StrSplit(Abs(text), absl::ByAnyChar("\r\n"))) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(line);
    if (!stripped.empty()) rows.push_back(Values().Text("text", Std(stripped)));
  }
  return List(name, std::move(rows));
}

Values& Values::Flag(std::string_view name, bool set) {
  Value& value = values_[std::string(name)];
  value.kind = Kind::kFlag;
  value.set = set;
  return *this;
}

Values& Values::List(std::string_view name, std::vector<Values> rows) {
  Value& value = values_[std::string(name)];
  value.kind = Kind::kList;
  value.rows = std::move(rows);
  return *this;
}

std::string Values::Digest() const {
  std::string all;
  for (const auto& [name, value] : values_) {
    std::string inside = value.text;
    if (value.kind == Kind::kFlag) inside = value.set ? "1" : "0";
    // Digests are all of one length: side by side they can be read one way only.
    for (const Values& row : value.rows) inside += row.Digest();
    all += yuezhan::Digest({name, std::to_string(static_cast<int>(value.kind)), inside});
  }
  return Sha256(all);
}

std::string DigestOf(const Template& body, std::string_view number, const Values& values) {
  return ToHex(Digest({body.kind, number, values.Digest()}));
}

absl::Status Stamp(const Template& body, std::string_view number, const Values& values,
                   common::v1::PrintedDocument* answer) {
  answer->set_title_zh(std::string(body.title_zh));
  answer->set_number(std::string(number));
  answer->set_digest(DigestOf(body, number, values));
  answer->set_media_type("text/html; charset=utf-8");
  return absl::OkStatus();
}

absl::Status Print(const Template& body, std::string_view number, const Values& values,
                   common::v1::PrintedDocument* answer) {
  YZ_ASSIGN_OR_RETURN(mustache::mustache* const page, PageOf(body));
  (void)Stamp(body, number, values, answer);
  mustache::data data = Printer::DataOf(values);
  data.set("document_title", answer->title_zh());
  data.set("document_number", answer->number());
  data.set("document_digest", answer->digest());
  Names names(&data);
  answer->set_content(page->render(names));
  if (!page->is_valid()) return Wrong(body, page->error_message());
  if (!names.missing().empty()) {
    return Wrong(body, Concat({"no value for ", *names.missing().begin()}));
  }
  return absl::OkStatus();
}

}  // namespace yuezhan::documents
