#include "tests/bench/world.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/base/dates.h"
#include "common/base/ids.h"
#include "common/base/settings.h"
#include "common/base/status_macros.h"
#include "common/db/session.h"
#include "services/yz/files.h"

namespace yuezhan::bench {
namespace {

const std::string RandomEnd() {
  const std::string id = NewUuid();
  return id.substr(id.size() - 8);
}

}  // namespace

World::World(WorldOptions options)
    : options_(std::move(options)),
      directory_(std::filesystem::temp_directory_path() / ("yuezhan-bench-" + RandomEnd())),
      prefix_(RandomEnd() + "_") {}

absl::StatusOr<std::unique_ptr<World>> World::Make(WorldOptions options) {
  std::unique_ptr<World> world(new World(std::move(options)));
  YZ_RETURN_IF_ERROR(world->Open(true));
  return world;
}

World::~World() {
  if (stack_ != nullptr) {
    stack_->StopAll().IgnoreError();
    try {
      db::Session session(stack_->Database("registry"));
      for (const std::string& copy : copies_) session.ExecuteText("DROP DATABASE " + copy);
    } catch (const db::Error&) {  // left behind in a database that is gone
    }
    stack_->DropSchemas().IgnoreError();
    stack_.reset();
  }
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

absl::Status World::Open(bool tls) {
  stack_.reset();
  yz::StackOptions stack;
  stack.directory = directory_;
  stack.binaries = options_.binaries;
  stack.mysql = options_.mysql;
  stack.schema_prefix = prefix_;
  stack.tls = tls_ = tls;
  stack.clock_start = BeijingMidnight(Day(2026, 9, 14)) + absl::Hours(9);
  stack.settings = options_.settings;
  // Limits of one caller are not what is measured.
  for (std::string_view service : yz::kServices) {
    auto& arguments = stack.settings[std::string(service)];
    arguments.insert(arguments.begin(), {"--caller_rate=0", "--caller_calls=1000",
                                         absl::StrCat("--connections=", options_.connections)});
  }
  // One line a call is for operators; a terminal's worth of them is not what is measured.
  YZ_ASSIGN_OR_RETURN(stack_, yz::Stack::Open(std::move(stack)));
  return absl::OkStatus();
}

std::string World::TargetOf(const std::string& service) {
  return stack_->client().profile().targets.at(service);
}

ServiceData World::DataOf(const std::string& service, const std::string& suffix) const {
  ServiceData data;
  data.database = stack_->Database(service);
  data.database.schema += suffix;
  data.vault_keys = *yz::ReadFile(File("keys/" + service + ".vault"));
  return data;
}

std::unique_ptr<InProcess> World::NewInProcess(const std::string& suffix) {
  std::map<std::string, ServiceData> data;
  for (const char* service : kBenchServices) data[service] = DataOf(service, suffix);
  return std::make_unique<InProcess>(data, *SimulatedClock::Open(File("clock")),
                                     options_.connections);
}

absl::Status World::Copy(const std::string& suffix) {
  try {
    for (const char* service : kBenchServices) {
      const db::Options from = stack_->Database(service);
      const std::string to = from.schema + suffix;
      db::Session session(from);
      session.ExecuteText("CREATE DATABASE " + to);
      copies_.push_back(to);
      for (const db::Row& row : session.QueryText(absl::StrCat(
               "SELECT table_name FROM information_schema.tables WHERE table_schema = '",
               from.schema, "'"))) {
        const std::string table = "." + row.Text(0);
        session.ExecuteText(absl::StrCat("CREATE TABLE ", to, table, " LIKE ", from.schema, table));
        session.ExecuteText(absl::StrCat("INSERT INTO ", to, table, " SELECT * FROM ", from.schema,
                                         table));
      }
    }
  } catch (const db::Error& error) {
    return absl::InternalError(error.what());
  }
  return absl::OkStatus();
}

int64_t World::Count(const std::string& service, const std::string& table,
                     const std::string& suffix) {
  db::Session session(DataOf(service, suffix).database);
  return session.QueryText("SELECT COUNT(*) FROM " + table)[0].Int(0);
}

Hurry::Hurry(World& world) : server_(world.stack().Database("registry")) {
  try {
    db::Session session(server_);
    before_ = session.QueryText("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit")[0].Int(0);
    session.ExecuteText("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
  } catch (const db::Error&) {  // slower
    before_.reset();
  }
}
Hurry::~Hurry() {
  if (!before_) return;
  try {
    db::Session(server_).ExecuteText(
        absl::StrCat("SET GLOBAL innodb_flush_log_at_trx_commit = ", *before_));
  } catch (const db::Error&) {  // a server that is gone
  }
}

absl::Status InParallel(int count, int threads, const std::function<absl::Status(int)>& work) {
  std::atomic<int> next = 0;
  absl::Mutex mutex;
  absl::Status first;
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&] {
      for (int i = next++; i < count; i = next++) {
        const absl::Status status = work(i);
        if (status.ok()) continue;
        absl::MutexLock lock(&mutex);
        first.Update(status);
        next = count;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  return first;
}

}  // namespace yuezhan::bench
