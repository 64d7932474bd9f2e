// Printed documents: one mechanism for all services. A document is data put into a template; every
// value is escaped, no template can say otherwise.
//
// To add one to a service:
//   1. Write its body beside the service, services/NAME/documents/KIND.html, in Mustache:
//      {{name}} prints a text, {{#name}}…{{/name}} prints its inside if a flag is set or once for
//      each row of a list, {{^name}}…{{/name}} if it is not set or there is no row. The frame, the
//      style sheet (A4, GB/T 9704-2012: its classes are in style.css) and the line with number and
//      digest come from here.
//   2. Embed it: yuezhan_embed(yuezhan_NAME_service kKindHtml documents/KIND.html), and make a
//      Template of it: {"kind", "标题", embedded::kKindHtml}.
//   3. Give the service `rpc PrintDocument(PrintDocumentRequest) returns
//      (yuezhan.common.v1.PrintedDocument)` with name and kind, a row in the permission table whose
//      clear roles are those who may read all that is printed (content and digest are hidden from
//      others), and a handler that fills Values and returns Print(…).
//   4. Print it to PDF in a browser once, and look at it.
#ifndef YUEZHAN_COMMON_DOCUMENTS_DOCUMENTS_H_
#define YUEZHAN_COMMON_DOCUMENTS_DOCUMENTS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "yuezhan/common/v1/document.pb.h"

namespace yuezhan::documents {

// What stands in a document, by the names that its template uses. A template's name that is not
// here is an error, so that nothing is left blank by mistake: set every one.
class Values {
 public:
  Values& Text(std::string_view name, std::string_view text);
  // A list with a row for each line of a text that is not empty, its "text": a paragraph each.
  Values& Paragraphs(std::string_view name, std::string_view text);
  Values& Flag(std::string_view name, bool set);
  // In a row the names of the whole document can be used too.
  Values& List(std::string_view name, std::vector<Values> rows);

  // SHA-256 over names and values, 32 bytes: the same for the same values in whatever order.
  std::string Digest() const;

 private:
  friend class Printer;
  enum class Kind { kText, kFlag, kList };
  struct Value {
    Kind kind;
    std::string text;
    bool set;
    std::vector<Values> rows;
  };
  std::map<std::string, Value, std::less<>> values_;
};

// The body of a kind of document.
struct Template {
  std::string_view kind;      // "application-form": in the digest
  std::string_view title_zh;  // title of the page; the body prints its own heading
  const char* html;           // embedded
};

// What is printed of the data as its digest: SHA-256 of kind, number and values, lower-case hex.
std::string DigestOf(const Template& body, std::string_view number, const Values& values);

// Prints. INTERNAL when the template is wrong or names a value that is not there.
absl::Status Print(const Template& body, std::string_view number, const Values& values,
                   common::v1::PrintedDocument* answer);
// Print without content: title, number and digest of what would be printed.
absl::Status Stamp(const Template& body, std::string_view number, const Values& values,
                   common::v1::PrintedDocument* answer);

// A box of a form, ticked or not.
inline std::string_view Box(bool ticked) { return ticked ? "☑" : "☐"; }

}  // namespace yuezhan::documents

#endif  // YUEZHAN_COMMON_DOCUMENTS_DOCUMENTS_H_
