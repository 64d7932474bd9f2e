#include "common/rules/regulation_doc.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/text.h"
#include "common/rules/rules.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace yuezhan::rules {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Files under `folder` whose names end so, in order.
std::vector<std::filesystem::path> Files(const std::filesystem::path& folder,
                                         std::string_view ending) {
  std::vector<std::filesystem::path> files;
  std::error_code missing;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, missing)) {
    const std::string name = entry.path().filename().string();
    if (name.size() > ending.size() && name.ends_with(ending)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Names of the tests ("Filing.TheForm") in which each quoted rule id stands. In a comment it
// belongs to the test below it.
std::map<std::string, std::set<std::string>> TestsByRule(const std::string& source) {
  std::map<std::string, std::set<std::string>> tests;
  for (const char* folder : {"/common/rules", "/common/policy"}) {
    for (const auto& file : Files(source + folder, "_test.cc")) {
      std::string current;
      std::vector<std::string> commented;
      const std::string text = Read(file);
      for (absl::string_view line : absl::StrSplit(text, '\n')) {
        if (absl::StartsWith(line, "TEST(")) {
          const std::vector<std::string> parts =
              absl::StrSplit(line.substr(5, line.find(')') - 5), ", ");
          current = Concat({parts[0], ".", parts[1]});
          for (const std::string& id : commented) tests[id].insert(current);
          commented.clear();
        }
        const std::vector<std::string> quoted = absl::StrSplit(line, '"');
        for (size_t i = 1; i < quoted.size(); i += 2) {
          if (absl::StartsWith(line, "//")) {
            commented.push_back(quoted[i]);
          } else {
            tests[quoted[i]].insert(current);
          }
        }
      }
    }
  }
  return tests;
}

// The services whose code asks each question.
std::map<std::string, std::set<std::string>> ServicesByQuestion(
    const std::string& source, const std::set<std::string>& questions) {
  std::map<std::string, std::set<std::string>> services;
  for (const auto& file : Files(source + "/services", ".cc")) {
    if (file.filename().string().ends_with("_test.cc")) continue;
    const std::string text = Read(file);
    for (const std::string& question : questions) {
      if (text.find("rules::" + question + "(") != std::string::npos) {
        services[question].insert(file.parent_path().filename().string());
      }
    }
  }
  return services;
}

std::string Scalar(const Message& message, const FieldDescriptor* field, int index) {
  const auto* reflection = message.GetReflection();
  const bool repeated = index >= 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return repeated ? reflection->GetRepeatedString(message, field, index)
                      : reflection->GetString(message, field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return repeated ? reflection->GetRepeatedEnum(message, field, index)->name()
                      : reflection->GetEnum(message, field)->name();
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(reflection->GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(reflection->GetInt32(message, field));
    default:
      break;
  }
  // An entry of a list: by its Chinese name, or by its values.
  const Message& entry = repeated ? reflection->GetRepeatedMessage(message, field, index)
                                  : reflection->GetMessage(message, field);
  if (const FieldDescriptor* name = entry.GetDescriptor()->FindFieldByName("name_zh")) {
    const std::string text = entry.GetReflection()->GetString(entry, name);
    const FieldDescriptor* counts = entry.GetDescriptor()->FindFieldByName("counts_for_article_1");
    const bool other = counts != nullptr && !entry.GetReflection()->GetBool(entry, counts);
    return other ? text + " (a field of service: does not count)" : text;
  }
  return entry.ShortDebugString();
}

std::string Value(const Message& message, const FieldDescriptor* field) {
  if (!field->is_repeated()) {
    const std::string value = Scalar(message, field, -1);
    return value.empty() ? "(none)" : value;
  }
  std::vector<std::string> values;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
    values.push_back(Scalar(message, field, i));
  }
  return values.empty() ? "(none)" : absl::StrJoin(values, " · ");
}

// One value of the policy with where it comes from.
struct PolicyValue {
  std::string path;   // "application.full_years", "levels.subsidy_fen"
  std::string value;  // with the level's name before it where there are several
  std::string article;
  std::string why;
};

void AppendSection(const Message& section, const std::string& path, std::vector<PolicyValue>* out) {
  const auto* descriptor = section.GetDescriptor();
  const FieldDescriptor* bases = descriptor->FindFieldByName("basis");
  const FieldDescriptor* name =
      descriptor->FindFieldByName("level") ? descriptor->FindFieldByName("name_zh") : nullptr;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field == bases) continue;
    PolicyValue value{path + "." + field->name(), Value(section, field), "", ""};
    if (name != nullptr)
      value.value = Concat({section.GetReflection()->GetString(section, name), ": ", value.value});
    for (int k = 0; k < section.GetReflection()->FieldSize(section, bases); ++k) {
      const auto& basis = static_cast<const policy::v1::Basis&>(
          section.GetReflection()->GetRepeatedMessage(section, bases, k));
      if (std::find(basis.of().begin(), basis.of().end(), field->name()) == basis.of().end())
        continue;
      value.article = basis.article();
      value.why = basis.why();
    }
    out->push_back(value);
  }
}

std::vector<PolicyValue> PolicyValues(const policy::v1::Policy& policy) {
  std::vector<PolicyValue> values;
  const auto* descriptor = policy.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      AppendSection(policy.GetReflection()->GetMessage(policy, field), field->name(), &values);
      continue;
    }
    for (int k = 0; k < policy.GetReflection()->FieldSize(policy, field); ++k) {
      AppendSection(policy.GetReflection()->GetRepeatedMessage(policy, field, k), field->name(),
                    &values);
    }
  }
  return values;
}

std::vector<std::string> Words(std::string_view text) {
  return absl::StrSplit(Abs(text), ' ', absl::SkipEmpty());
}

std::string Code(const std::vector<std::string>& words) {
  return absl::StrJoin(words, "<br>",
                       [](std::string* out, const std::string& word) { *out += "`" + word + "`"; });
}

using Names = std::map<std::string, std::set<std::string>>;

std::string Heading(std::string_view article) {
  if (article == "interpretation") return "Interpretation";
  if (article.starts_with("annex")) return Concat({"Annex ", article.substr(6)});
  return Concat({"Article ", article});
}

std::string ArticleTables(const Names& tests) {
  std::string out;
  for (const Article& article : Articles()) {
    out += Concat({"\n### ", Heading(article.number), "\n\n", article.says,
                   "\n\n| rule | policy values | asked by | tests |\n| --- | --- | --- | --- |\n"});
    for (const RuleInfo& rule : AllRules()) {
      if (rule.article != article.number) continue;
      out += Concat({"| `", rule.id, "` | ", Code(Words(rule.reads)), " | ",
                     rule.article == "8" ? std::string(rule.enforced) : Code(Words(rule.enforced)),
                     " | ", absl::StrJoin(tests.at(std::string(rule.id)), "<br>"), " |\n"});
    }
  }
  return out;
}

std::string ValueTable(const std::vector<PolicyValue>& values,
                       const std::map<std::string, std::vector<std::string>>& rules_by_value) {
  std::string out =
      "\n## Policy values\n\nAn empty last column: read by the services themselves, not by a "
      "rule.\n\n"
      "| value | Yueyang 2021 | article | why | rules |\n| --- | --- | --- | --- | --- |\n";
  for (const PolicyValue& value : values) {
    const auto readers = rules_by_value.find(value.path);
    out += Concat({"| `", value.path, "` | ", absl::StrReplaceAll(value.value, {{"|", "\\|"}}),
                   " | ", value.article, " | ", value.why, " | ",
                   readers == rules_by_value.end() ? "" : Code(readers->second), " |\n"});
  }
  return out;
}

std::string QuestionTable(const std::set<std::string>& questions, const Names& services) {
  std::string out =
      "\n## Questions and the services that ask them\n\n| question | services |\n| --- | --- |\n";
  for (const std::string& question : questions) {
    const auto asked = services.find(question);
    out += Concat({"| `", question, "` | ",
                   asked == services.end() ? "" : absl::StrJoin(asked->second, ", "), " |\n"});
  }
  return out;
}

}  // namespace

const std::vector<Article>& Articles() {
  static const std::vector<Article>* const articles = new std::vector<Article>{
      {"1", "A new station serves a priority industry chain and fits local demand."},
      {"2", "Which host units, and which contract party, go with which level (as a rule)."},
      {"3", "The host provides working conditions, a funding guarantee and management rules."},
      {"4", "The four kinds of work."},
      {"5",
       "New, in normal operation for two full years, assessed as qualified: an amount by level, "
       "once, to the host."},
      {"5.1", "Application: form, filing form, approval reply and more."},
      {"5.2",
       "The association's preliminary review; experts may inspect; the directors' meeting "
       "decides."},
      {"5.3", "List and amounts are published on three sites for five working days."},
      {"5.4",
       "Without objection after the period: paid once, to the host's account, out of the special "
       "fund."},
      {"6",
       "Tracking and performance evaluation; a host that fails may not apply for the same kind of "
       "subsidy."},
      {"7", "The association leads, other departments take part."},
      {"8", "Both offices interpret."},
      {"annex-1", "The application form."},
      {"annex-2", "The filing form."},
      {"interpretation",
       "Where the text is silent: our reading, named as such, and policy data wherever it is a "
       "choice."},
  };
  return *articles;
}

absl::StatusOr<std::string> RegulationToCode(const std::string& source) {
  const policy::v1::Policy& policy = *policy::Policies::Builtin().versions().front();
  const std::vector<PolicyValue> values = PolicyValues(policy);
  const auto tests = TestsByRule(source);
  std::string headers;
  for (const auto& file : Files(source + "/common/rules", ".h")) headers += Read(file);

  std::vector<std::string> errors;
  std::set<std::string> questions, ids;
  std::map<std::string, std::vector<std::string>> rules_by_value;
  std::map<std::string, int> rules_by_article;
  for (const RuleInfo& rule : AllRules()) {
    const std::string id(rule.id);
    if (!ids.insert(id).second) errors.push_back(id + ": a second rule of that id");
    ++rules_by_article[std::string(rule.article)];
    if (std::none_of(Articles().begin(), Articles().end(),
                     [&](const Article& a) { return a.number == rule.article; })) {
      errors.push_back(id + ": no such article: " + std::string(rule.article));
    }
    if (tests.count(id) == 0) errors.push_back(id + ": no test names it");
    for (const std::string& path : Words(rule.reads)) {
      rules_by_value[path].push_back(id);
      if (path != "basis" && std::none_of(values.begin(), values.end(),
                                          [&](const auto& v) { return v.path == path; })) {
        errors.push_back(id + ": no such policy value: " + path);
      }
    }
    if (rule.article == "8") continue;  // Judged at the start, by no question.
    for (const std::string& question : Words(rule.enforced)) {
      questions.insert(question);
      if (headers.find(" " + question + "(") == std::string::npos)
        errors.push_back(id + ": no such question: " + question);
    }
  }
  for (const Article& article : Articles()) {
    if (rules_by_article.count(std::string(article.number)) == 0) {
      errors.push_back(Concat({"article ", article.number, ": no rule"}));
    }
  }
  if (!errors.empty()) return absl::FailedPreconditionError(absl::StrJoin(errors, "\n"));

  return Concat(
      {"# The regulation and the code\n\nMade by `regulation_to_code` from the rules, the built-in "
       "policy "
       "and the source tree, and checked by a test; don't edit it by hand. The regulation is ",
       policy.document().number(),
       ". A rule is a row in `common/rules`, a question is a function that a service asks, and "
       "every value "
       "is in `common/policy/yueyang_2021.textproto`.\n\n## Articles and rules\n",
       ArticleTables(tests), ValueTable(values, rules_by_value),
       QuestionTable(questions, ServicesByQuestion(source, questions))});
}

}  // namespace yuezhan::rules
