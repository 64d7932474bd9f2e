#include "common/host/test_host.h"

#include <cstdlib>
#include <fstream>

#include "common/base/ids.h"
#include "common/base/text.h"
#include "common/db/pool.h"
#include "common/db/session.h"
#include "common/errors/errors.h"
#include "common/journal/feed.h"
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

void Change(std::string_view from, std::string_view to, std::string* text) {
  const size_t at = text->find(from);
  if (at == std::string::npos) std::abort();  // The policy says it in other words now.
  text->replace(at, from.size(), to);
}

}  // namespace

TestHost::TestHost(std::string service, const std::vector<db::Migration>& migrations,
                   absl::Time now, policy::Policies policies)
    : service_(std::move(service)),
      clock_file_(std::filesystem::temp_directory_path() / Concat({"yuezhan-clock-", NewUuid()})),
      clock_(ClockAt(clock_file_, now)),
      database_(std::make_unique<db::TestDatabase>(WithJournal(migrations))),
      vault_(std::make_unique<journal::Vault>(
          journal::Vault::Parse(journal::Vault::NewKeyLine("test")).value())),
      rulebook_(std::make_unique<Rulebook>(std::move(policies), policy::Calendar::Builtin())),
      journal_(std::make_unique<journal::Journal>(database_->pool(), *vault_,
                                                  Clocks{.business = clock_}, service_)) {}

TestHost::~TestHost() { std::filesystem::remove(clock_file_); }

policy::Policies TestHost::ChangedPolicy(std::string_view from, std::string_view to) {
  std::string text = policy::Policies::Builtin().text();
  Change(from, to, &text);
  return policy::Policies::Parse(text, "changed").value();
}

policy::Policies TestHost::FollowedPolicy(Day since, std::string_view from, std::string_view to) {
  constexpr std::string_view kBasis = "of: \"effective_from\"",
                             kFrom = "effective_from: \"2021-03-22\"";
  const auto quoted = [](Day day) { return Concat({"\"", FormatDay(day), "\""}); };
  std::string first = policy::Policies::Builtin().text(), second = first;
  Change(kBasis, Concat({kBasis, " of: \"effective_to\""}), &first);
  Change(kFrom, Concat({kFrom, " effective_to: ", quoted(since - 1)}), &first);
  Change("version: \"yueyang-2021\"", "version: \"second\"", &second);
  Change(kFrom, Concat({"effective_from: ", quoted(since)}), &second);
  Change(from, to, &second);
  return policy::Policies::Parse(Concat({first, second}), "followed").value();
}

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

std::vector<journal::v1::PublicPart> TestHost::PublicParts() {
  auto session = database_->pool().Acquire(WallNow() + absl::Seconds(10)).value();
  std::vector<journal::v1::PublicPart> parts;
  for (const db::Row& row : session->QueryText("SELECT public_part FROM journal ORDER BY id"))
    parts.emplace_back().ParseFromString(row.Bytes(0));
  return parts;
}

std::vector<journal::v1::PrivatePart> TestHost::PrivateParts() {
  auto session = database_->pool().Acquire(WallNow() + absl::Seconds(10)).value();
  std::vector<journal::v1::PrivatePart> parts;
  for (const db::Row& row : session->Query(
           "SELECT request_key, private_part, wrapped_key FROM journal ORDER BY id")) {
    const auto opened = vault_->Open(journal::PrivatePartPlace(row.Bytes(0)),
                                     {std::string(row.Bytes(1)), std::string(row.Bytes(2))});
    parts.emplace_back().ParseFromString(opened.value());
  }
  return parts;
}

int64_t TestHost::Count(std::string_view table) {
  auto session = database_->pool().Acquire(WallNow() + absl::Seconds(10)).value();
  return session->QueryText(Concat({"SELECT COUNT(*) FROM ", table}))[0].Int(0);
}

absl::Status CallByName(const rpc::Service& service, std::string_view method, Context context,
                        const google::protobuf::Message& request,
                        google::protobuf::Message* answer) {
  context.method = Concat({service.name(), "/", method});
  for (const rpc::Service::Method& each : service.methods()) {
    if (each.name == method) return each.run(context, request, answer);
  }
  return errors::MethodUnknown(context.method);
}

}  // namespace yuezhan
