// A version beside the one before it: while a new version is rolled out, the old one runs on the
// new schema. Each release leaves a record of what it says to the database and of the columns that
// it knows (tests/releases/RELEASE/SERVICE.txt); all of them are held against today's schema.
//
//   YUEZHAN_RECORD=tests/releases/1 ./test -R release_test      records this version as release 1
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/base/text.h"
#include "common/db/session.h"
#include "common/rpc/test_support.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"
#include "services/yz/demo/demo.h"
#include "services/yz/files.h"
#include "tests/sample_request.h"
#include "tests/test_stack.h"

namespace yuezhan::tests {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Lines "column TABLE.COLUMN TYPE NULLABLE", "unique TABLE COLUMNS" and "statement SQL".
using Record = std::set<std::string>;

constexpr char kColumns[] =
    "SELECT table_name, column_name, data_type, COALESCE(character_maximum_length, 0), is_nullable "
    "FROM information_schema.columns WHERE table_schema = DATABASE()";
constexpr char kUnique[] =
    "SELECT table_name, GROUP_CONCAT(column_name ORDER BY seq_in_index) FROM "
    "information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0 GROUP BY "
    "table_name, index_name";
// What an INSERT may leave out.
constexpr char kNeeded[] =
    "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND "
    "table_name = ? AND is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE "
    "'%auto_increment%' AND extra NOT LIKE '%GENERATED%'";

Record Schema(db::Session& schema) {
  Record record;
  for (const db::Row& row : schema.QueryText(kColumns)) {
    // TEXT and BLOB kinds count by their length.
    const std::string type = absl::EndsWith(row.Text(2), "blob")   ? "blob"
                             : absl::EndsWith(row.Text(2), "text") ? "text"
                                                                   : row.Text(2);
    record.insert(absl::StrCat("column ", row.Text(0), ".", row.Text(1), " ", type, " ",
                               row.Int(3), " ", row.Text(4)));
  }
  for (const db::Row& row : schema.QueryText(kUnique)) {
    record.insert(absl::StrCat("unique ", row.Text(0), " ", row.Text(1)));
  }
  return record;
}

// The distinct statements in a log of level debug. Of those made of numbers and hex each time, the
// first.
Record Statements(const std::string& log) {
  Record record;
  std::set<std::string> kinds;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    google::protobuf::Struct json;
    if (!absl::StrContains(line, "\"event\":\"statement\"") ||
        !google::protobuf::util::JsonStringToMessage(line, &json).ok()) {
      continue;
    }
    std::string sql = json.fields().at("sql").string_value();
    absl::StrReplaceAll({{"\n", " "}}, &sql);
    // The migrating account's, at a start of its own.
    if (absl::StrContains(sql, "schema_migrations SET") || absl::StrContains(sql, "schema_lock")) {
      continue;
    }
    if (!absl::StrContains(sql, "?") &&
        !kinds.insert(sql.substr(0, sql.find_first_of("0123456789"))).second) {
      continue;
    }
    record.insert("statement " + sql);
  }
  return record;
}

// "INSERT [IGNORE] INTO table (a, b, …": the columns that must be given and are not.
std::vector<std::string> LeftOut(db::Session& schema, const std::string& sql) {
  const size_t into = sql.find("INTO "), open = sql.find('('), close = sql.find(')');
  if (!absl::StartsWith(sql, "INSERT") || into == std::string::npos || close == std::string::npos) {
    return {};
  }
  std::string table = sql.substr(into + 5, open - into - 5);
  table.erase(table.find_last_not_of(' ') + 1);
  std::set<std::string> given;
  for (absl::string_view column :
       absl::StrSplit(absl::string_view(sql).substr(open + 1, close - open - 1), ',')) {
    given.emplace(absl::StripAsciiWhitespace(column));
  }
  std::vector<std::string> missing;
  for (const db::Row& row : schema.Query(kNeeded, table)) {
    if (!given.contains(row.Text(0))) missing.push_back(table + "." + row.Text(0));
  }
  return missing;
}

// Why a version with that record could not run on the schema; empty: it can. `serve` is the account
// that would run the statements.
std::vector<std::string> Objections(const Record& record, db::Session& schema,
                                    db::Session& serve) {
  std::vector<std::string> objections;
  const Record today = Schema(schema);
  std::set<std::string> tables;
  for (const std::string& line : record) {
    const std::string rest = line.substr(line.find(' ') + 1);
    if (absl::StartsWith(line, "column ")) {
      const std::vector<std::string> words = absl::StrSplit(rest, ' ');
      tables.insert(words[0].substr(0, words[0].find('.')));
      // The same, or longer.
      const bool fits = std::any_of(today.begin(), today.end(), [&](const std::string& now) {
        const std::vector<std::string> is = absl::StrSplit(now, ' ');
        return is[0] == "column" && is[1] == words[0] && is[2] == words[1] && is[4] == words[3] &&
               std::stoll(is[3]) >= std::stoll(words[2]);
      });
      if (!fits) objections.push_back("no longer so: " + line);
    } else if (absl::StartsWith(line, "statement ")) {
      for (const std::string& column : LeftOut(schema, rest)) {
        objections.push_back(absl::StrCat(column, " must be given and is not: ", rest));
      }
      try {
        // Preparing checks tables, columns and the account's rights, and does nothing.
        serve.ExecuteText(absl::StrCat(
            "PREPARE it FROM '", absl::StrReplaceAll(rest, {{"\\", "\\\\"}, {"'", "''"}}), "'"));
        serve.ExecuteText("DEALLOCATE PREPARE it");
      } catch (const db::Error& e) {
        objections.push_back(absl::StrCat(e.what(), ": ", rest));
      }
    }
  }
  for (const std::string& line : today) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words[0] == "unique" && tables.contains(words[1]) && !record.contains(line)) {
      objections.push_back("what was allowed is no longer: " + line);
    }
  }
  return objections;
}

// The whole demonstration, and every method once.
class Release : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    TestStack::Options options{.tls = false};
    for (std::string_view service : yz::kServices) {
      options.settings[std::string(service)] = {"--log_level=debug"};
    }
    stack_ = new TestStack(std::move(options));
    std::ostringstream told;
    auto demo = yz::Demo::Create(stack_->client(), told).value();
    for (const auto& step : demo->steps()) {
      const absl::Status status = demo->Run(step);
      ASSERT_TRUE(status.ok()) << status;
    }
    Caller everybody{"everybody", "各岗", {}, ""};
    for (int i = 0; i < kRoleCount; ++i) everybody.roles.Add(static_cast<Role>(i));
    const std::string token = "Bearer " + stack_->client().Token(everybody).value();
    for (const auto* method : AllMethods()) {
      const std::string service = yz::ServiceOf(PathOf(*method));
      const std::unique_ptr<google::protobuf::Message> request(
          google::protobuf::MessageFactory::generated_factory()
              ->GetPrototype(method->input_type())
              ->New());
      FillSample(request.get());
      for (std::string_view each : yz::kServices) {
        if (!service.empty() && service != each) continue;
        (void)rpc::CallRaw(stack_->TargetOf(std::string(each)), absl::StrCat("/", PathOf(*method)),
                           request->SerializeAsString(), {{"authorization", token}});
      }
    }
  }
  static void TearDownTestSuite() {
    delete stack_;
    stack_ = nullptr;
  }
  static Record Now(const std::string& service) {
    Record record = Statements(yz::ReadFile(stack_->stack().LogFile(service)).value_or(""));
    db::Session schema(stack_->stack().Database(service));
    record.merge(Schema(schema));
    return record;
  }
  static std::vector<std::string> ObjectionsTo(const std::string& service, const Record& record) {
    db::Session schema(stack_->stack().Database(service));
    db::Session serve(
        db::ParseUrl(
            yz::ReadFile(stack_->Path(absl::StrCat("keys/", service, ".serve.url"))).value())
            .value());
    return Objections(record, schema, serve);
  }
  static TestStack* stack_;
};

TestStack* Release::stack_ = nullptr;

TEST_F(Release, ThisOneIsRecordedAndRunsOnItsOwnSchema) {
  const char* folder = std::getenv("YUEZHAN_RECORD");
  for (std::string_view each : yz::kServices) {
    const std::string service(each);
    const Record record = Now(service);
    EXPECT_GT(record.size(), 60u) << service;
    EXPECT_THAT(ObjectionsTo(service, record), IsEmpty()) << service;
    if (folder == nullptr) continue;
    std::filesystem::create_directories(folder);
    std::ofstream(absl::StrCat(folder, "/", service, ".txt")) << absl::StrJoin(record, "\n") << "\n";
  }
}

TEST_F(Release, FormerOnesRunOnTodaysSchema) {
  const char* source = std::getenv("YUEZHAN_SOURCE");
  ASSERT_NE(source, nullptr);
  const std::filesystem::path releases = std::string(source) + "/tests/releases";
  ASSERT_FALSE(std::filesystem::is_empty(releases)) << releases;
  for (const auto& release : std::filesystem::directory_iterator(releases)) {
    for (std::string_view each : yz::kServices) {
      const std::string service(each);
      std::ifstream file(release.path() / (service + ".txt"));
      Record record;
      for (std::string line; std::getline(file, line);) record.insert(line);
      ASSERT_FALSE(record.empty()) << release.path();
      EXPECT_THAT(ObjectionsTo(service, record), IsEmpty())
          << release.path() << " could not run beside this version";
    }
  }
}

TEST_F(Release, AMigrationThatTheOlderVersionCannotBearIsNamed) {
  const Record record = Now("registry");
  db::Session schema(stack_->stack().Database("registry"));
  const auto after = [&](const std::string& migration, const std::string& back) {
    schema.ExecuteText(migration);
    const std::string objections = absl::StrJoin(ObjectionsTo("registry", record), "\n");
    schema.ExecuteText(back);
    return objections;
  };
  EXPECT_EQ(after("ALTER TABLE host_units ADD COLUMN fax VARCHAR(20) NULL",
                  "ALTER TABLE host_units DROP COLUMN fax"),
            "");
  EXPECT_EQ(after("CREATE TABLE fresh (id INT NOT NULL PRIMARY KEY)", "DROP TABLE fresh"), "");
  EXPECT_THAT(after("ALTER TABLE host_units ADD COLUMN fax VARCHAR(20) NOT NULL",
                    "ALTER TABLE host_units DROP COLUMN fax"),
              HasSubstr("host_units.fax must be given and is not"));
  EXPECT_THAT(after("ALTER TABLE subsidies RENAME TO grants", "ALTER TABLE grants RENAME TO subsidies"),
              HasSubstr("subsidies"));
  EXPECT_THAT(after("ALTER TABLE stations MODIFY filing_number VARCHAR(30) NULL",
                    "ALTER TABLE stations MODIFY filing_number VARCHAR(40) NULL"),
              HasSubstr("no longer so: column stations.filing_number"));
  EXPECT_THAT(after("CREATE UNIQUE INDEX one ON stations (id, version)",
                    "DROP INDEX one ON stations"),
              HasSubstr("what was allowed is no longer: unique stations id,version"));
}

}  // namespace
}  // namespace yuezhan::tests
