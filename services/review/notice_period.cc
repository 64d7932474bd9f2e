#include "common/base/ids.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/rules/notice.h"
#include "services/review/facts.h"
#include "services/review/handlers.h"
#include "services/review/transitions.h"

// What time alone brings: the end of a period (article 5.3), and another end when the calendar
// changed.
namespace yuezhan::review {
namespace {

constexpr std::string_view kEnds = "timer:NoticeEnds";
constexpr std::string_view kRecounts = "timer:CalendarChanged";
// The same in the journal.
constexpr std::string_view kEndsEntry = "timer/notice-ends";
constexpr std::string_view kRecountsEntry = "timer/calendar-changed";
constexpr absl::Duration kBetweenRounds = absl::Milliseconds(200);
constexpr absl::Duration kWriteTime = absl::Seconds(10);  // of one notice's transaction
// An objection counts by the moment at which it was admitted, and its transaction may take as long
// as the server lets a call live (30 s): none may be under way when the period is closed.
constexpr absl::Duration kLongestWrite = absl::Seconds(30);
// Between the clocks of two machines, or of a machine and the database.
constexpr absl::Duration kClockTolerance = absl::Seconds(1);

// One entry for each version of the notice: a period that was reopened ends again, a calendar that
// comes back counts again.
std::string KeyOf(const RunningNotice& notice) {
  return Concat({notice.name, "@", std::to_string(notice.version)});
}

bool IsOver(Day last_day, absl::Time now) {
  return now >= BeijingMidnight(last_day + 1) + kLongestWrite + kClockTolerance;
}

}  // namespace

// Times of different replicas are compared through the database's: where this machine's wall clock
// is not the database's, nobody knows what came before midnight.
absl::Status Handlers::CheckClocks() {
  const auto wall = journal_.clocks().wall;
  absl::Time before, after, there;
  YZ_RETURN_IF_ERROR(
      db::Read(journal_.pool(), WallNow() + kWriteTime, [&](db::Session& sql) -> absl::Status {
        before = wall();
        there = store_.DatabaseNow(sql);
        after = wall();
        return absl::OkStatus();
      }));
  if (there >= before - kClockTolerance && there <= after + kClockTolerance)
    return absl::OkStatus();
  return absl::FailedPreconditionError(
      "no period is closed: this machine's clock and the database's differ by more than a second");
}

absl::Status Handlers::EndNotice(const RunningNotice& seen) {
  const std::string& name = seen.name;
  return journal_.WriteInternal(
      kEndsEntry, KeyOf(seen), WallNow() + kWriteTime, [&](journal::Unit& unit) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(const Rules rules, rulebook_.At(unit.Now()));
        YZ_ASSIGN_OR_RETURN(v1::Notice notice, LockNotice(unit.sql(), name));
        YZ_RETURN_IF_ERROR(NoticeTransitions().Check(name, notice.state(), kEnds));
        if (notice.etag() != std::to_string(seen.version)) return errors::Conflict();
        YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(notice));
        const auto facts = PeriodFactsOf(notice);
        const auto findings = rules::NoticeHasRunOut(*policy, *rules.calendar, facts, rules.today);
        if (!rules::Allows(findings)) return errors::Refused(findings, name);
        // The rules count by days; the clocks' tolerance is ours.
        const auto period = rules::NoticePeriodOf(*policy, *rules.calendar, facts);
        if (!period || !IsOver(period->last_day, unit.Now())) return errors::Conflict();
        EmitJudged(unit, name, findings, notice.policy(), facts);
        SetPeriod(*period, &notice);
        YZ_RETURN_IF_ERROR(Advance(unit, &notice, v1::NOTICE_STATE_ENDED, kEnds));
        YZ_ASSIGN_OR_RETURN(const std::string id, IdOf("notices/*", name));
        YZ_ASSIGN_OR_RETURN(auto cases, store_.LockCasesOn(unit.sql(), id));
        for (v1::Case& review_case : cases) {
          if (review_case.state() != v1::CASE_STATE_IN_NOTICE) continue;
          YZ_RETURN_IF_ERROR(Advance(unit, &review_case, v1::CASE_STATE_NOTICE_ENDED, kEnds));
          if (policy->notice().statement_required()) continue;
          YZ_RETURN_IF_ERROR(Clear(unit, rules, notice, &review_case, kEnds));
        }
        return absl::OkStatus();
      });
}

absl::Status Handlers::Recount(const RunningNotice& seen, const std::string& calendar_digest) {
  const std::string key = Concat({KeyOf(seen), "/", calendar_digest});
  return journal_.WriteInternal(
      kRecountsEntry, key, WallNow() + kWriteTime, [&](journal::Unit& unit) -> absl::Status {
        YZ_ASSIGN_OR_RETURN(v1::Notice notice, LockNotice(unit.sql(), seen.name));
        YZ_RETURN_IF_ERROR(NoticeTransitions().Check(seen.name, notice.state(), kRecounts));
        if (notice.etag() != std::to_string(seen.version)) return errors::Conflict();
        YZ_ASSIGN_OR_RETURN(const policy::v1::Policy* policy, PolicyOf(notice));
        const auto calendar = rulebook_.calendar();
        const auto period = rules::NoticePeriodOf(*policy, *calendar, PeriodFactsOf(notice));
        if (!period) return errors::DataLoss(seen.name);
        SetPeriod(*period, &notice);
        return Advance(unit, &notice, v1::NOTICE_STATE_RUNNING, kRecounts);
      });
}

absl::StatusOr<absl::Duration> Handlers::TendNotices() {
  std::vector<RunningNotice> running;
  YZ_RETURN_IF_ERROR(db::Read(journal_.pool(), WallNow() + kWriteTime, [&](db::Session& sql) {
    running = store_.RunningNotices(sql);
    return absl::OkStatus();
  }));
  const std::string calendar = rulebook_.calendar()->digest();
  const absl::Time now = journal_.clocks().business->Now();
  absl::Status first;  // of what failed: one notice keeps no other from its end
  bool clocks_checked = false;
  for (const RunningNotice& notice : running) {
    absl::Status status;
    if (notice.calendar_digest != calendar) {
      status = Recount(notice, calendar);
    } else if (!notice.provisional && IsOver(notice.last_day, now)) {
      if (!clocks_checked) {
        YZ_RETURN_IF_ERROR(CheckClocks());
        clocks_checked = true;
      }
      status = EndNotice(notice);
    }
    // Withdrawn, ended or counted by another replica since it was listed.
    if (status.ok() || absl::IsAborted(status) || errors::Reason(status) == "STATE_FORBIDS")
      continue;
    Log(LogLevel::kError, "notice not tended",
        {{"notice", notice.name}, {"why", std::string(status.message())}});
    if (first.ok()) first = status;
  }
  if (!first.ok()) return first;
  return kBetweenRounds;
}

}  // namespace yuezhan::review
