#include "common/documents/documents.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace yuezhan::documents {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Template kLetter{"letter", "函",
                           "<h1>{{title}}</h1>{{#rows}}<td title=\"{{name}}\">{{name}} {{title}}</td>{{/rows}}"
                           "{{^rows}}none{{/rows}}{{#sealed}}sealed{{/sealed}}"};

common::v1::PrintedDocument Printed(const Values& values, const Template& body = kLetter) {
  common::v1::PrintedDocument document;
  const absl::Status printed = Print(body, "函-1", values, &document);
  EXPECT_TRUE(printed.ok()) << printed;
  return document;
}

Values Letter() {
  return Values()
      .Text("title", "拨款函")
      .Flag("sealed", true)
      .List("rows", {Values().Text("name", "甲"), Values().Text("name", "乙")});
}

TEST(Print, PutsValuesIntoTheTemplateAndTheFrame) {
  const auto document = Printed(Letter());
  EXPECT_EQ(document.title_zh(), "函");
  EXPECT_EQ(document.number(), "函-1");
  EXPECT_EQ(document.media_type(), "text/html; charset=utf-8");
  for (const std::string& part :
       {std::string("<title>函</title>"), std::string("<h1>拨款函</h1>"),
        std::string("<td title=\"甲\">甲 拨款函</td><td title=\"乙\">乙 拨款函</td>sealed"),
        std::string("编号：函-1"), document.digest(), std::string("margin: 37mm 26mm 35mm 28mm")}) {
    EXPECT_THAT(document.content(), HasSubstr(part));
  }
  EXPECT_THAT(document.content(), Not(HasSubstr("{{")));
  EXPECT_THAT(Printed(Letter().Flag("sealed", false).List("rows", {})).content(),
              HasSubstr("</h1>none\n"));
}

TEST(Print, MakesAParagraphOfEachLine) {
  const Template body{"lines", "行", "{{#lines}}<p>{{text}}</p>{{/lines}}"};
  EXPECT_THAT(Printed(Values().Paragraphs("lines", "一\r\n\n  二 <三>\n"), body).content(),
              HasSubstr("\n<p>一</p><p>二 &lt;三&gt;</p>\n"));
}

// Values are text, whatever they hold: in the page, in attributes, and never read as a template.
TEST(Print, EscapesEveryValue) {
  const std::string hostile = "\"'><script>alert(1)</script>&amp;{{title}}{{>style}}{{{rows}}}";
  const std::string escaped =
      "&quot;&apos;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;{{title}}{{&gt;style}}{{{rows}}}";
  const auto document =
      Printed(Letter().Text("title", hostile).List("rows", {Values().Text("name", hostile)}));
  EXPECT_THAT(document.content(), HasSubstr("<h1>" + escaped + "</h1>"));
  EXPECT_THAT(document.content(), HasSubstr("<td title=\"" + escaped + "\">"));
  EXPECT_THAT(document.content(), Not(HasSubstr("<script")));
}

TEST(Print, RefusesATemplateThatIsWrong) {
  const struct {
    const char* html;
    const char* why;
  } kCases[] = {
      {"{{nothing}}", "no value for nothing"},
      {"{{#rows}}{{nothing}}{{/rows}}", "no value for nothing"},
      {"{{^nothing}}x{{/nothing}}", "no value for nothing"},
      {"{{#rows}}", "Unclosed section"},
      {"{{title", "Unclosed tag"},
      {"{{{title}}}", "{{{"},
      {"{{&title}}", "{{&"},
      {"{{=<% %>=}}", "{{="},
      {"{{>style}}", "{{>"},
      {"<script>{{title}}</script>", "<script"},
      {"<style>{{title}}</style>", "<style"},
  };
  for (const auto& wrong : kCases) {
    common::v1::PrintedDocument document;
    const absl::Status printed = Print({"wrong", "错", wrong.html}, "1", Letter(), &document);
    EXPECT_EQ(printed.code(), absl::StatusCode::kInternal) << wrong.html;
    EXPECT_THAT(std::string(printed.message()), HasSubstr(wrong.why));
  }
}

TEST(Stamp, IsThePrintedDocumentWithoutItsContent) {
  common::v1::PrintedDocument stamped;
  ASSERT_TRUE(Stamp(kLetter, "函-1", Letter(), &stamped).ok());
  auto printed = Printed(Letter());
  printed.clear_content();
  EXPECT_EQ(stamped.SerializeAsString(), printed.SerializeAsString());
}

TEST(Digest, IsOfTheDataAlone) {
  const std::string digest = DigestOf(kLetter, "函-1", Letter());
  EXPECT_EQ(Printed(Letter()).digest(), digest);
  Template other_layout = kLetter;
  other_layout.html = "{{title}}";
  EXPECT_EQ(Printed(Letter(), other_layout).digest(), digest) << "of the data, not of the layout";
  const Values reordered =
      Values().List("rows", {Values().Text("name", "甲"), Values().Text("name", "乙")})
          .Flag("sealed", true)
          .Text("title", "拨款函");
  EXPECT_EQ(DigestOf(kLetter, "函-1", reordered), digest);

  std::set<std::string> digests = {digest};
  const auto differs = [&](const Values& values) {
    EXPECT_TRUE(digests.insert(DigestOf(kLetter, "函-1", values)).second);
  };
  differs(Letter().Text("title", "拨款"));
  differs(Letter().Flag("sealed", false));
  differs(Letter().Text("sealed", "1"));
  differs(Letter().List("rows", {Values().Text("name", "乙"), Values().Text("name", "甲")}));
  differs(Letter().List("rows", {Values().Text("name", "甲乙")}));
  differs(Letter().List("rows", {}));
  differs(Letter().Text("rows", ""));
  differs(Letter().Text("more", ""));
  EXPECT_TRUE(digests.insert(DigestOf(kLetter, "函-2", Letter())).second);
  EXPECT_TRUE(digests.insert(DigestOf({"other", "函", ""}, "函-1", Letter())).second);
}

}  // namespace
}  // namespace yuezhan::documents
