#include "common/host/test_host.h"

#include <fstream>

#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/db/pool.h"
#include "common/db/session.h"
#include "common/journal/schema.h"

namespace yuezhan {
namespace {

std::vector<db::Migration> WithJournal(const std::vector<db::Migration>& migrations) {
  std::vector<db::Migration> all = {journal::JournalMigration()};
  all.insert(all.end(), migrations.begin(), migrations.end());
  return all;
}

// A simulated clock begins at the wall clock and never goes back, so one that is to begin in the
// past gets its file first: unix milliseconds, little endian.
std::shared_ptr<SimulatedClock> ClockAt(const std::filesystem::path& file, absl::Time now) {
  const int64_t unix_ms = absl::ToUnixMillis(now);
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(&unix_ms), sizeof(unix_ms));
  return SimulatedClock::Open(file.string()).value();
}

}  // namespace

TestHost::TestHost(std::string service, const std::vector<db::Migration>& migrations,
                   absl::Time now)
    : service_(std::move(service)),
      clock_file_(std::filesystem::temp_directory_path() / Concat({"yuezhan-clock-", NewUuid()})),
      clock_(ClockAt(clock_file_, now)),
      database_(std::make_unique<db::TestDatabase>(WithJournal(migrations))),
      vault_(std::make_unique<journal::Vault>(
          journal::Vault::Parse(journal::Vault::NewKeyLine("test")).value())),
      rulebook_(
          std::make_unique<Rulebook>(policy::Policies::Builtin(), policy::Calendar::Builtin())),
      journal_(std::make_unique<journal::Journal>(database_->pool(), *vault_,
                                                  Clocks{.business = clock_}, service_)) {}

TestHost::~TestHost() { std::filesystem::remove(clock_file_); }

TestHost::Replica TestHost::NewReplica(int port) {
  Replica replica;
  replica.pool = database_->NewPool(8, port);
  replica.journal = std::make_unique<journal::Journal>(*replica.pool, *vault_,
                                                       Clocks{.business = clock_}, service_);
  return replica;
}

Context TestHost::Person(Role role, std::string_view subject, std::string_view host_unit) const {
  Context context;
  context.caller.subject = std::string(subject);
  context.caller.name = std::string(subject);
  context.caller.roles.Add(role);
  context.caller.host_unit = std::string(host_unit);
  context.deadline = WallNow() + absl::Seconds(30);
  return context;
}

int64_t TestHost::Count(std::string_view table) {
  auto session = database_->pool().Acquire(WallNow() + absl::Seconds(10)).value();
  return session->QueryText(Concat({"SELECT COUNT(*) FROM ", table}))[0].Int(0);
}

}  // namespace yuezhan
