#include "common/host/samples.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/clocks.h"
#include "common/base/status_macros.h"
#include "common/db/pool.h"
#include "common/db/session.h"
#include "common/db/transaction.h"
#include "common/metrics/metrics.h"
#include "common/rpc/server.h"
#include "google/protobuf/descriptor.h"

namespace yuezhan {
namespace {

using metrics::Family;
using metrics::Sample;

constexpr absl::Duration kPatience = absl::Seconds(5);

// "CLEARED" of CASE_STATE_CLEARED.
std::string StateName(const google::protobuf::EnumValueDescriptor& state) {
  const std::string first = state.type()->value(0)->name();
  const absl::string_view prefix = absl::StripSuffix(first, "UNSPECIFIED");
  return std::string(absl::StripPrefix(state.name(), prefix));
}

}  // namespace

DatabaseMeasure CountByState(const std::string& name, const std::string& table,
                             const google::protobuf::EnumDescriptor* states) {
  return {name, absl::StrCat("Rows of ", table, " by state."),
          absl::StrCat("SELECT state, COUNT(*) FROM ", table, " GROUP BY state"), "state", states};
}

Samples::Samples(db::Pool& pool, metrics::Metrics& metrics, std::string certificate,
                 std::vector<DatabaseMeasure> measures)
    : pool_(pool),
      metrics_(metrics),
      certificate_(std::move(certificate)),
      measures_(std::move(measures)) {}

void Samples::SetServing(bool serving) {
  metrics_.Put({"yuezhan_serving", "1 when health says SERVING.", false, {{serving ? 1.0 : 0.0}}});
}

void Samples::TakeLoad(const rpc::ServerLoad& load) {
  metrics_.Put({"yuezhan_load",
                "What the server has at hand.",
                false,
                {{double(load.handlers_busy), "of", "handlers"},
                 {double(load.queued), "of", "queue"},
                 {double(load.calls), "of", "calls"},
                 {double(load.connections), "of", "connections"}}});
  metrics_.Put({"yuezhan_load_limit",
                "The most of it.",
                false,
                {{double(load.handlers), "of", "handlers"},
                 {double(load.queue_length), "of", "queue"},
                 {double(load.max_calls), "of", "calls"},
                 {double(load.max_connections), "of", "connections"}}});
}

absl::Status Samples::Take() {
  TakePool();
  TakeCertificate();
  return db::Read(pool_, WallNow() + kPatience, [this](db::Session& session) -> absl::Status {
    YZ_RETURN_IF_ERROR(TakeJournal(session));
    TakeFollowers(session);
    for (const DatabaseMeasure& measure : measures_) TakeMeasure(session, measure);
    return absl::OkStatus();
  });
}

void Samples::TakePool() {
  const db::PoolStats stats = pool_.stats();
  metrics_.Put({"yuezhan_connections",
                "Database connections by use.",
                false,
                {{double(stats.size), "use", "most"},
                 {double(stats.in_use), "use", "leased"},
                 {double(stats.idle), "use", "idle"},
                 {double(stats.waiting), "use", "waited_for"}}});
  metrics_.Put({"yuezhan_connection_events_total",
                "What became of database connections.",
                true,
                {{double(stats.opened), "event", "opened"},
                 {double(stats.dropped), "event", "dropped"},
                 {double(stats.saturated), "event", "waited_for"},
                 {double(stats.timed_out), "event", "waited_for_in_vain"}}});
  metrics_.Put({"yuezhan_transaction_replays_total",
                "Attempts at a transaction beyond the first: conflicts and lost connections.",
                true,
                {{double(stats.replayed)}}});
}

void Samples::TakeCertificate() {
  if (certificate_.empty()) return;
  const absl::StatusOr<absl::Time> end = metrics::CertificateExpiry(certificate_);
  if (!end.ok()) return;
  metrics_.Put({"yuezhan_certificate_expiry_seconds",
                "Unix time at which the server's certificate expires.",
                false,
                {{absl::ToDoubleSeconds(*end - absl::UnixEpoch())}}});
}

absl::Status Samples::TakeJournal(db::Session& session) {
  const int64_t head = session.Query("SELECT seq FROM journal_head WHERE id = 1").at(0).Int(0);
  // Rows written after the last one chained; those in gaps below it are few and short-lived.
  const int64_t unchained =
      session
          .Query(
              "SELECT COUNT(*) FROM journal WHERE id > (SELECT COALESCE(MAX(journal_id), 0) FROM "
              "journal_chain)")
          .at(0)
          .Int(0);
  const absl::Duration now = MonotonicNow();
  if (head != head_ || unchained == 0) head_moved_ = now;
  head_ = head;
  metrics_.Put({"yuezhan_journal_head_sequence",
                "Last entry of the journal's chain.",
                false,
                {{double(head)}}});
  metrics_.Put({"yuezhan_journal_unchained_rows",
                "Committed entries that are not chained yet.",
                false,
                {{double(unchained)}}});
  metrics_.Put({"yuezhan_journal_stalled_seconds",
                "How long the chain has not grown although entries wait.",
                false,
                {{absl::ToDoubleSeconds(now - head_moved_)}}});
  return absl::OkStatus();
}

void Samples::TakeFollowers(db::Session& session) {
  Family place{"yuezhan_follower_sequence", "Last entry applied of the journal followed.", false};
  Family stopped{"yuezhan_follower_stopped",
                 "1 when an entry could not be applied or the journal contradicts its past.",
                 false};
  for (const db::Row& row : session.Query("SELECT source, seq, state FROM journal_cursor")) {
    place.samples.push_back({double(row.Int(1)), "source", row.Text(0)});
    constexpr int kFollowing = 1;
    stopped.samples.push_back({row.Int(2) > kFollowing ? 1.0 : 0.0, "source", row.Text(0)});
  }
  metrics_.Put(std::move(place));
  metrics_.Put(std::move(stopped));
}

void Samples::TakeMeasure(db::Session& session, const DatabaseMeasure& measure) {
  Family family{measure.name, measure.help, false};
  const db::Rows rows = absl::StrContains(measure.sql, "?") ? session.Query(measure.sql, WallNow())
                                                            : session.Query(measure.sql);
  if (measure.states != nullptr) {
    std::map<int64_t, double> counted;
    for (const db::Row& row : rows) counted[row.Int(0)] = static_cast<double>(row.Int(1));
    for (int i = 1; i < measure.states->value_count(); ++i) {
      const auto& state = *measure.states->value(i);
      family.samples.push_back({counted[state.number()], measure.label, StateName(state)});
    }
  } else {
    for (const db::Row& row : rows) {
      if (measure.label.empty()) {
        family.samples.push_back({double(row.Int(0))});
      } else {
        family.samples.push_back({double(row.Int(1)), measure.label, row.Text(0)});
      }
    }
  }
  metrics_.Put(std::move(family));
}

}  // namespace yuezhan
