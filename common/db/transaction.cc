#include "common/db/transaction.h"

#include <algorithm>
#include <optional>

#include "absl/cleanup/cleanup.h"
#include "absl/random/random.h"
#include "absl/strings/cord.h"
#include "absl/time/clock.h"
#include "common/base/clocks.h"
#include "common/base/log.h"
#include "common/errors/errors.h"

namespace yuezhan::db {
namespace {

constexpr char kUnknownUrl[] = "yuezhan/commit-outcome-unknown";

absl::Status WithUnknownMark(absl::Status status) {
  status.SetPayload(kUnknownUrl, absl::Cord("1"));
  return status;
}

// A random wait that grows: 32 writers that met once must not meet again in step.
absl::Duration Backoff(int attempt, absl::Duration first, absl::Duration last) {
  thread_local absl::BitGen random;
  const absl::Duration most = std::min(first * (1 << std::min(attempt, 16)), last);
  return absl::Milliseconds(
      absl::Uniform<int64_t>(absl::IntervalClosed, random, 0, absl::ToInt64Milliseconds(most)));
}

// The transaction of TransactTogether that the thread is in.
struct Joined {
  Pool* pool;
  Session* session;
  bool failed = false;
};
thread_local Joined* joined = nullptr;

Joined* JoinedOn(const Pool& pool) {
  return joined != nullptr && joined->pool == &pool ? joined : nullptr;
}

enum class Outcome { kDone, kConflict, kLost, kCommitUnknown };

void RollBack(Session& session) {
  if (session.broken()) return;
  try {
    session.ExecuteText("ROLLBACK");
  } catch (const Error&) {
    session.MarkBroken();  // dropping the connection undoes it as well
  }
}

// One attempt. kDone: `status` is the answer.
Outcome Attempt(Session& session, absl::FunctionRef<absl::Status(Session&)> unit,
                absl::Status* status) {
  bool committing = false;
  session.Begin();
  const absl::Cleanup end = [&] { session.End(); };
  try {
    session.ExecuteText("START TRANSACTION");
    *status = unit(session);
    if (session.conflicted()) {
      RollBack(session);
      return Outcome::kConflict;
    }
    if (!status->ok()) {
      RollBack(session);
      return Outcome::kDone;
    }
    session.WriteHeld();
    committing = true;
    session.ExecuteText("COMMIT");
    return Outcome::kDone;
  } catch (const Error& e) {
    // After 1205 the transaction is open still, and a COMMIT would save half of it.
    RollBack(session);
    *status = absl::OkStatus();
    if (e.IsConflict()) return Outcome::kConflict;
    if (e.IsConnectionLost()) return committing ? Outcome::kCommitUnknown : Outcome::kLost;
    *status = ToStatus(e);
    return Outcome::kDone;
  } catch (...) {
    RollBack(session);
    throw;
  }
}

}  // namespace

bool IsOutcomeUnknown(const absl::Status& status) {
  return status.GetPayload(kUnknownUrl).has_value();
}

absl::Status Transact(Pool& pool, absl::Time deadline,
                      absl::FunctionRef<absl::Status(Session&)> unit, OnUnknown on_unknown,
                      TransactReport* report) {
  TransactReport own;
  TransactReport& seen = report != nullptr ? *report : own;
  seen = TransactReport();
  if (Joined* const all = JoinedOn(pool)) {
    seen.attempts = 1;
    absl::Status status = unit(*all->session);
    all->failed |= !status.ok();
    return status;
  }
  const auto answer = [&seen](absl::Status status) {
    return seen.commit_unknown ? WithUnknownMark(std::move(status)) : status;
  };
  absl::Status last = errors::DeadlineExceeded();
  while (seen.attempts < kMaxAttempts) {
    if (WallNow() >= deadline) return answer(errors::DeadlineExceeded());
    if (seen.attempts > 0) pool.CountReplay();
    Outcome outcome = Outcome::kLost;
    absl::Status status;
    absl::StatusOr<Pool::Lease> lease = pool.Acquire(deadline);
    ++seen.attempts;
    if (lease.ok()) {
      outcome = Attempt(**lease, unit, &status);
      if (outcome == Outcome::kDone) return status.ok() ? status : answer(std::move(status));
    } else if (seen.attempts == 1 || !absl::IsUnavailable(lease.status())) {
      return answer(
          lease.status());  // no database at all: say so at once instead of holding a thread
    }
    if (outcome == Outcome::kCommitUnknown) {
      seen.commit_unknown = true;
      if (on_unknown == OnUnknown::kReport) return answer(errors::Unavailable("database"));
    }
    const bool conflict = outcome == Outcome::kConflict;
    last = conflict ? errors::Conflict() : errors::Unavailable("database");
    const absl::Duration wait =
        conflict ? Backoff(seen.attempts, absl::Milliseconds(4), absl::Milliseconds(500))
                 : Backoff(seen.attempts, absl::Milliseconds(20), absl::Seconds(3));
    {
      absl::StatusOr<Pool::Lease> back = std::move(lease);
    }  // the session goes back before the wait
    absl::SleepFor(std::min(wait, deadline - WallNow()));
  }
  Log(LogLevel::kWarning, "transaction given up",
      {{"attempts", seen.attempts}, {"error", last.ToString()}});
  return answer(last);
}

absl::Status TransactTogether(Pool& pool, absl::Time deadline,
                              absl::FunctionRef<absl::Status(Session&)> units, OnUnknown on_unknown,
                              TransactReport* report) {
  if (JoinedOn(pool) != nullptr) return Transact(pool, deadline, units, on_unknown, report);
  return Transact(
      pool, deadline,
      [&](Session& session) {
        Joined all{&pool, &session};
        joined = &all;
        const absl::Cleanup end = [] { joined = nullptr; };
        const absl::Status status = units(session);
        return status.ok() && all.failed ? errors::Conflict() : status;
      },
      on_unknown, report);
}

absl::Status Read(Pool& pool, absl::Time deadline, absl::FunctionRef<absl::Status(Session&)> unit) {
  if (const Joined* const all = JoinedOn(pool)) return unit(*all->session);
  constexpr int kMaxReads = 4;
  for (int attempt = 1;; ++attempt) {
    if (WallNow() >= deadline) return errors::DeadlineExceeded();
    absl::StatusOr<Pool::Lease> lease = pool.Acquire(deadline);
    if (!lease.ok()) return lease.status();
    try {
      return unit(**lease);
    } catch (const Error& e) {
      if (attempt == kMaxReads || !(e.IsConnectionLost() || e.IsConflict())) return ToStatus(e);
    }
  }
}

}  // namespace yuezhan::db
