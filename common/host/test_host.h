#ifndef YUEZHAN_COMMON_HOST_TEST_HOST_H_
#define YUEZHAN_COMMON_HOST_TEST_HOST_H_

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clocks.h"
#include "common/base/context.h"
#include "common/base/dates.h"
#include "common/db/test_database.h"
#include "common/host/rulebook.h"
#include "common/journal/journal.h"
#include "common/journal/vault.h"
#include "common/rpc/handlers.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan {

// What Host is to a process, for a test that calls handlers directly: a migrated database of its
// own, a simulated business clock, vault, rules and journal.
class TestHost {
 public:
  // `migrations`: the service's, from 2 on. The business clock stands at `now`.
  TestHost(std::string service, const std::vector<db::Migration>& migrations,
           absl::Time now = BeijingMidnight(Day(2026, 9, 15)) + absl::Hours(9),
           policy::Policies policies = policy::Policies::Builtin());
  ~TestHost();

  // The built-in policy with one value changed: ("statement_required: true", "… false").
  static policy::Policies ChangedPolicy(std::string_view from, std::string_view to);
  // The built-in policy until the day before `since`, then the same with one value changed.
  static policy::Policies FollowedPolicy(Day since, std::string_view from, std::string_view to);

  db::TestDatabase& database() { return *database_; }
  journal::Journal& journal() { return *journal_; }
  const journal::Vault& vault() const { return *vault_; }
  const Rulebook& rulebook() const { return *rulebook_; }
  SimulatedClock& clock() { return *clock_; }
  Day today() const { return BeijingDay(clock_->Now()); }

  // Another replica's pool and journal over the same database, or through a proxy's port.
  struct Replica {
    std::unique_ptr<db::Pool> pool;
    std::unique_ptr<journal::Journal> journal;
  };
  Replica NewReplica(int port = 0);

  // A caller of that role; `subject` tells persons apart.
  Context Person(Role role, std::string_view subject, std::string_view host_unit = "") const;

  // What the journal tells followers by each row, in their order.
  std::vector<journal::v1::PublicPart> PublicParts();
  // What it keeps sealed of each row: request, answer, private events.
  std::vector<journal::v1::PrivatePart> PrivateParts();
  // Events of one kind, in the order of their rows.
  template <typename Event>
  std::vector<Event> Events() {
    return EventsOf<Event>(PublicParts());
  }
  template <typename Event>
  std::vector<Event> PrivateEvents() {
    return EventsOf<Event>(PrivateParts());
  }

  // Rows of a table, as the serving account sees them.
  int64_t Count(std::string_view table);

 private:
  template <typename Event, typename Part>
  static std::vector<Event> EventsOf(const std::vector<Part>& parts) {
    std::vector<Event> found;
    for (const auto& part : parts) {
      for (const auto& any : part.events()) {
        Event event;
        if (any.UnpackTo(&event)) found.push_back(std::move(event));
      }
    }
    return found;
  }

  const std::string service_;
  const std::filesystem::path clock_file_;
  std::shared_ptr<SimulatedClock> clock_;
  std::unique_ptr<db::TestDatabase> database_;
  std::unique_ptr<journal::Vault> vault_;
  std::unique_ptr<Rulebook> rulebook_;
  std::unique_ptr<journal::Journal> journal_;
};

// Calls a method of a service by its name, as the server does.
absl::Status CallByName(const rpc::Service& service, std::string_view method, Context context,
                        const google::protobuf::Message& request,
                        google::protobuf::Message* answer);

}  // namespace yuezhan

#endif  // YUEZHAN_COMMON_HOST_TEST_HOST_H_
