#ifndef YUEZHAN_COMMON_JOURNAL_FOLLOWER_H_
#define YUEZHAN_COMMON_JOURNAL_FOLLOWER_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/journal/feed.h"
#include "common/journal/journal.h"

namespace google::protobuf {
class Any;
}

namespace yuezhan::journal {

namespace v1 {
class Follower;
class PublicPart;
}  // namespace v1

// Of which entry an event is.
struct EventOrigin {
  int64_t seq = 0;
  std::string method;
  std::string subject;  // who acted there; empty when hidden
  absl::Time time;      // business time there
};

// What a service does about the events of one journal. Kinds that it does not name are passed over.
//   EventHandlers on_review;
//   on_review.On<review::v1::AwardReserved>([&](const auto& event, const EventOrigin& origin, Unit&
//   unit) {…});
// A handler writes through unit.sql() and may Emit. A business "no" (the fund is empty) is a state
// that it records, and returns OK. UNAVAILABLE, ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED:
// tried again. Any other error: the entry cannot be applied, and the follower stops there.
class EventHandlers {
 public:
  template <typename Event, typename Handler>
  void On(Handler handler) {
    handlers_[Event::descriptor()->full_name()] =
        [handler](const std::string& bytes, const EventOrigin& origin, Unit& unit) -> absl::Status {
      Event event;
      if (!event.ParseFromString(bytes)) return absl::DataLossError("event does not parse");
      return handler(event, origin, unit);
    };
  }

  // `fetch` is called with the names (`name_of`: "" for none) in all events of the kind in a batch,
  // in the transaction that applies it and before it does: it fetches and locks by one statement
  // what the handlers need one after the other.
  template <typename Event, typename NameOf, typename Fetch>
  void Ahead(NameOf name_of, Fetch fetch) {
    ahead_[Event::descriptor()->full_name()] =
        [name_of, fetch](const std::vector<std::string_view>& all, db::Session& sql) {
          std::vector<std::string> names;
          for (const std::string_view bytes : all) {
            Event event;
            if (!event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
            std::string name = name_of(event);
            if (!name.empty()) names.push_back(std::move(name));
          }
          fetch(names, sql);
        };
  }

  // Hands one event to its handler as a follower does; a kind without one is passed over. For
  // tests.
  template <typename Event>
  absl::Status Apply(const Event& event, Unit& unit, const EventOrigin& origin = {}) const {
    const auto handler = handlers_.find(Event::descriptor()->full_name());
    if (handler == handlers_.end()) return absl::OkStatus();
    return handler->second(event.SerializeAsString(), origin, unit);
  }

  // The same for a batch of them, with what is fetched ahead.
  template <typename Event>
  absl::Status ApplyBatch(const std::vector<Event>& events, Unit& unit) const {
    std::vector<std::string> bytes;
    for (const Event& event : events) bytes.push_back(event.SerializeAsString());
    const auto ahead = ahead_.find(Event::descriptor()->full_name());
    if (ahead != ahead_.end()) ahead->second({bytes.begin(), bytes.end()}, unit.sql());
    for (const Event& event : events) {
      if (const absl::Status status = Apply(event, unit); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  friend class Follower;
  using Raw = std::function<absl::Status(const std::string& bytes, const EventOrigin&, Unit&)>;
  std::map<std::string, Raw, std::less<>> handlers_;
  std::map<std::string,
           std::function<void(const std::vector<std::string_view>& events, db::Session& sql)>,
           std::less<>>
      ahead_;
};

// Follows one journal: reads entries in order from its cursor, checks their hashes against the one
// it kept, applies them in one transaction with the move of the cursor and, where anything changed,
// one journal row. One replica at a time (lease); the cursor's conditional move makes it right
// without. Run Step from a BackgroundLoop.
class Follower {
 public:
  // `source`: the journal's service ("review"), with "/" and a word for a cursor of its own (a new
  // consumer of old events). `holder` names this process. All outlive the follower.
  Follower(Journal& journal, FeedSource& feed, std::string source, const EventHandlers& handlers,
           std::string holder);

  // Applies at most one batch. Returns how long to wait: zero when there is more.
  absl::StatusOr<absl::Duration> Step();
  // Gives the lease back. Call after the loop stopped.
  void Release();

  // Called once when the source contradicts what was read before: the service should say that it is
  // not healthy.
  std::function<void(const std::string& explanation)> on_contradiction;
  // Called once when an entry cannot be applied.
  std::function<void(int64_t seq, const std::string& explanation)> on_stopped;

 private:
  struct Cursor {
    int64_t seq = 0;
    std::string hash;
    int state = 0;
    bool service_stopped = false;  // some cursor of the service is contradicted
    bool operator==(const Cursor&) const = default;
  };
  absl::StatusOr<Cursor> LoadCursor();
  absl::Status InsertCursor();
  absl::StatusOr<bool> HoldLease();
  std::string Contradiction(const Cursor& cursor, const v1::ReadEntriesResponse& batch) const;
  absl::Status Apply(const Cursor& cursor, const v1::ReadEntriesResponse& batch, int count,
                     int* at);
  void Prepare(const std::vector<v1::PublicPart>& entries, db::Session& sql) const;
  absl::Status ApplyEntry(const v1::Entry& entry, const v1::PublicPart& part, Unit& unit);
  absl::Status Stop(const Cursor& cursor, int state, int64_t seq, const std::string& hash,
                    const std::string& reason);

  Journal& journal_;
  FeedSource& feed_;
  const std::string source_;
  const EventHandlers& handlers_;
  const std::string holder_;
  std::optional<Cursor> cursor_;  // as read before, while nothing came
  bool leading_ = false;
  absl::Duration lease_renew_at_;
  absl::Duration last_entry_at_ = -absl::InfiniteDuration();
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_FOLLOWER_H_
