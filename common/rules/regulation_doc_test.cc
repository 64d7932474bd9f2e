#include "common/rules/regulation_doc.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "common/base/text.h"
#include "gtest/gtest.h"

namespace yuezhan::rules {
namespace {

constexpr char kOutOfDate[] =
    "docs/regulation-to-code.md is out of date: regulation_to_code . > docs/regulation-to-code.md";
constexpr char kServices[] = "\n## Questions and the services";

// No article without a rule, no rule without article, test and question; and the document says so
// today.
TEST(RegulationToCode, IsWhatTheCodeSays) {
  const std::string source = std::getenv("YUEZHAN_SOURCE");
  const auto made = RegulationToCode(source);
  ASSERT_TRUE(made.ok()) << made.status().message();
  std::ifstream file(source + "/docs/regulation-to-code.md");
  std::ostringstream text;
  text << file.rdbuf();
  const std::string kept = text.str();
  ASSERT_NE(kept.find(kServices), std::string::npos) << kOutOfDate;
  EXPECT_TRUE(made->substr(0, made->find(kServices)) == kept.substr(0, kept.find(kServices)))
      << kOutOfDate;
  // A service may have begun to ask a question since; none may have stopped.
  std::istringstream rows(kept.substr(kept.find(kServices) + 1));
  for (std::string row; std::getline(rows, row);) {
    const size_t services = row.find("` | ");
    if (services == std::string::npos) continue;
    const size_t now = made->rfind(Concat({"\n", row.substr(0, services)}));
    ASSERT_NE(now, std::string::npos) << row << ". " << kOutOfDate;
    const std::string asked = made->substr(now, made->find('\n', now + 1) - now);
    std::istringstream names(row.substr(services + 4));
    for (std::string name; names >> name;) {
      while (!name.empty() && (name.back() == ',' || name.back() == '|')) name.pop_back();
      EXPECT_NE(asked.find(name), std::string::npos)
          << name << " stopped asking: " << row << ". " << kOutOfDate;
    }
  }
}

TEST(RegulationToCode, FailsWithoutTests) {
  const auto made = RegulationToCode("no/such/tree");
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.status().message().find("filing.host-kind: no test names it"), std::string::npos);
}

}  // namespace
}  // namespace yuezhan::rules
