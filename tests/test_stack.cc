#include "tests/test_stack.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/db/session.h"

namespace yuezhan::tests {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value != nullptr && *value != '\0') return value;
  std::fprintf(stderr, "%s must be set: run ./test, which starts what the tests need.\n", name);
  std::exit(1);
}

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "the stack does not start: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

}  // namespace

TestStack::TestStack(Options options) {
  const std::string id = NewUuid();
  directory_ = std::filesystem::temp_directory_path() / ("yuezhan-test-" + id);
  options_.directory = directory_;
  options_.binaries = Environment("YUEZHAN_BIN");
  options_.mysql = options.mysql.empty() ? Environment("YUEZHAN_MYSQL") : options.mysql;
  // The random end of the id: its start is the time, which tests that begin together share.
  options_.schema_prefix = id.substr(id.size() - 8) + "_";
  options_.tls = options.tls;
  options_.clock_start = BeijingMidnight(Day(2026, 9, 14)) + absl::Hours(9);
  options_.settings = std::move(options.settings);
  // A test calls as fast as it can; limits are for tests that give them.
  for (std::string_view service : yz::kServices) {
    auto& arguments = options_.settings[std::string(service)];
    arguments.insert(arguments.begin(), {"--caller_rate=0", "--public_rate=0", "--caller_calls=64"});
  }
  Open();
  if (!options.start) return;
  if (const absl::Status started = stack_->StartAll(); !started.ok()) Fail(started);
}

void TestStack::Open() {
  auto opened = yz::Stack::Open(options_);
  if (!opened.ok()) Fail(opened.status());
  stack_ = *std::move(opened);
}

void TestStack::LoseDatabase() {
  for (const absl::Status& status : {stack_->StopAll(), stack_->DropSchemas()}) {
    if (!status.ok()) Fail(status);
  }
  stack_.reset();
  Open();
}

TestStack::~TestStack() {
  stack_->StopAll().IgnoreError();
  stack_->DropSchemas().IgnoreError();
  stack_.reset();
  std::filesystem::remove_all(directory_);
}

std::string TestStack::TargetOf(const std::string& service) {
  return client().profile().targets.at(service);
}

int64_t TestStack::Count(const std::string& service, const std::string& table,
                         const std::string& where) {
  db::Session session(stack_->Database(service));
  return session
      .QueryText("SELECT COUNT(*) FROM " + table + (where.empty() ? "" : " WHERE " + where))[0]
      .Int(0);
}

int64_t TestStack::CountAll(const std::string& table, const std::string& where) {
  int64_t count = 0;
  for (const auto& service : yz::kServices) count += Count(std::string(service), table, where);
  return count;
}

}  // namespace yuezhan::tests
