#include "common/journal/journal.h"

#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <deque>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/base/digest.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/base/text.h"
#include "common/db/lists.h"
#include "common/db/transaction.h"
#include "common/errors/errors.h"
#include "common/journal/feed.h"
#include "yuezhan/journal/v1/journal.pb.h"

namespace yuezhan::journal {
namespace {

using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;

constexpr char kInsert[] =
    "INSERT INTO journal (request_key, public_part, private_part, private_digest, leaf, "
    "wrapped_key)";

// Remembers the path of the first field that differs, and no value: values may be personal.
class FirstDifference : public MessageDifferencer::Reporter {
 public:
  using Path = std::vector<MessageDifferencer::SpecificField>;
  void ReportAdded(const Message&, const Message&, const Path& path) override { Note(path); }
  void ReportDeleted(const Message&, const Message&, const Path& path) override { Note(path); }
  void ReportModified(const Message&, const Message&, const Path& path) override { Note(path); }
  const std::string& path() const { return path_; }

 private:
  void Note(const Path& path) {
    if (!path_.empty()) return;
    for (const auto& step : path) {
      absl::StrAppend(
          &path_, path_.empty() ? "" : ".",
          step.field == nullptr ? absl::StrCat(step.unknown_field_number) : step.field->name());
      const int index = std::max(step.index, step.new_index);
      if (index >= 0) absl::StrAppend(&path_, "[", index, "]");
    }
  }
  std::string path_;
};

std::string FirstDifferingField(const Message& a, const Message& b) {
  FirstDifference first;
  MessageDifferencer differencer;
  differencer.ReportDifferencesTo(&first);
  return differencer.Compare(a, b) ? "" : first.path();
}

std::string RequestId(const Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName("request_id");
  if (field == nullptr || field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING)
    return "";
  return request.GetReflection()->GetString(request, field);
}

bool IsCitizen(const RoleSet& roles) { return (roles.bits & ~RoleSet{Role::kPublic}.bits) == 0; }

}  // namespace

// The row's own key binds the private part to its row; the row's id is not known yet when it is
// sealed.
std::string PrivatePartPlace(std::string_view request_key) {
  return Concat({"journal.private_part|", request_key});
}

Unit::Unit(db::Session& session, absl::Time now, const Context& context, std::string entry_key)
    : session_(session),
      now_(now),
      context_(context),
      entry_key_(std::move(entry_key)),
      public_part_(std::make_unique<v1::PublicPart>()),
      private_part_(std::make_unique<v1::PrivatePart>()) {}
Unit::~Unit() = default;

void Unit::Emit(const Message& event) { public_part_->add_events()->PackFrom(event); }
void Unit::EmitPrivate(const Message& event) { private_part_->add_events()->PackFrom(event); }
bool Unit::emitted() const {
  return public_part_->events_size() + private_part_->events_size() > 0;
}

// One call of Write, WriteInternal or WriteIfChanged.
struct Journal::Request {
  const Context& context;
  std::string key;
  const Message* request = nullptr;  // both absent for the service's own work
  Message* answer = nullptr;
};

// A row of the journal as it is written.
struct Journal::Row {
  std::string key, public_part, private_part, private_digest, leaf, wrapped_key;

  void AddTo(std::vector<db::Param>* params) const {
    for (const std::string* column :
         {&key, &public_part, &private_part, &private_digest, &leaf, &wrapped_key}) {
      params->emplace_back(db::Bytes(*column));
    }
  }
};
constexpr size_t kRowColumns = 6;

// What is written together so far.
struct Journal::Joined {
  const Journal* journal;
  absl::Time now;
  std::vector<Row> rows = {};
  std::vector<std::function<void()>> then = {};  // after the commit
};
thread_local Journal::Joined* Journal::joined_ = nullptr;

Journal::Journal(db::Pool& pool, const Vault& vault, Clocks clocks, std::string service,
                 std::function<void()> on_written)
    : pool_(pool),
      vault_(vault),
      clocks_(std::move(clocks)),
      service_(std::move(service)),
      on_written_(std::move(on_written)) {}

absl::Status Journal::RequestOf(const Writing& writing, std::vector<Request>* requests) const {
  const std::string id = RequestId(writing.request);
  if (id.empty()) return errors::InvalidField("request_id", "不得为空", "must be given");
  const Context& context = writing.context;
  requests->push_back({context, Digest({"request", context.caller.subject, context.method, id}),
                       &writing.request, writing.answer});
  return absl::OkStatus();
}

absl::Status Journal::Write(const Context& context, const Message& request, Message* answer,
                            Work work) {
  return WriteAll({Writing(context, request, answer)},
                  [&](const std::vector<Unit*>& units) { return work(*units.front()); });
}

absl::Status Journal::WriteAll(const std::vector<Writing>& writings,
                               absl::FunctionRef<absl::Status(const std::vector<Unit*>&)> work) {
  std::vector<Request> requests;
  absl::Time deadline = absl::InfinitePast();
  for (const Writing& writing : writings) {
    YZ_RETURN_IF_ERROR(RequestOf(writing, &requests));
    deadline = std::max(deadline, writing.context.deadline);
  }
  if (requests.size() > 1) return RunAll(requests, deadline, work);
  return Run(requests.front(), [&](Unit& unit, bool*) { return work({&unit}); });
}

absl::Status Journal::WriteInternal(std::string_view name, std::string_view key,
                                    absl::Time deadline, Work work) {
  return WriteIfChanged(name, key, deadline, [&](Unit& unit, bool* changed) {
    *changed = true;
    return work(unit);
  });
}

absl::Status Journal::WriteIfChanged(std::string_view name, std::string_view key,
                                     absl::Time deadline, ChangingWork work) {
  Context context;
  context.method = std::string(name);
  context.deadline = deadline;
  const Request call{context, Digest({"internal", name, key})};
  return Run(call, [&](Unit& unit, bool* changed) {
    *changed = false;
    return work(unit, changed);
  });
}

absl::Status Journal::WriteOnce(const Context& context, std::string_view key, Work work) {
  const Request call{context, Digest({"once", context.caller.subject, context.method, key})};
  return Run(call, [&](Unit& unit, bool*) { return work(unit); });
}

// In milliseconds, as columns and messages keep it: what is stored equals what was computed with.
absl::Time Journal::Now() const {
  return absl::FromUnixMillis(absl::ToUnixMillis(clocks_.business->Now()));
}

absl::Status Journal::RunUnit(db::Session& session, absl::Time now, const Request& request,
                              ChangingWork work, std::vector<Row>* rows) const {
  if (request.answer != nullptr) request.answer->Clear();
  Unit unit(session, now, request.context, request.key);
  bool changed = true;
  YZ_RETURN_IF_ERROR(work(unit, &changed));
  if (changed || unit.emitted()) rows->push_back(RowOf(unit, request));
  return absl::OkStatus();
}

void Journal::Insert(db::Session& session, const std::vector<Row>& rows) {
  if (rows.empty()) return;
  std::vector<db::Param> params;
  for (const Row& row : rows) row.AddTo(&params);
  session.ExecuteList(db::InsertMany(kInsert, kRowColumns, rows.size()), params);
}

absl::Status Journal::Run(const Request& request, ChangingWork work) {
  if (joined_ != nullptr && joined_->journal == this) {
    return db::Transact(pool_, request.context.deadline, [&](db::Session& session) {
      return RunUnit(session, joined_->now, request, work, &joined_->rows);
    });
  }
  const absl::Time now = Now();
  bool collided = false;
  db::TransactReport report;
  absl::Status status = db::Transact(
      pool_, request.context.deadline,
      [&](db::Session& session) -> absl::Status {
        collided = false;
        std::vector<Row> rows;
        YZ_RETURN_IF_ERROR(RunUnit(session, now, request, work, &rows));
        try {
          Insert(session, rows);
        } catch (const db::Error& e) {
          if (!e.IsDuplicate("request_key")) throw;
          collided = true;
          return errors::Conflict();
        }
        return absl::OkStatus();
      },
      db::OnUnknown::kReplay, &report);
  if (!status.ok()) return Resolve(request, std::move(status), collided, report.commit_unknown);
  if (on_written_) on_written_();
  return status;
}

absl::Status Journal::RunAll(const std::vector<Request>& requests, absl::Time deadline,
                             absl::FunctionRef<absl::Status(const std::vector<Unit*>&)> work) {
  return RunJoined(deadline, [&](db::Session& session, Joined& joined) -> absl::Status {
    std::deque<Unit> units;
    std::vector<Unit*> given;
    for (const Request& request : requests) {
      request.answer->Clear();
      given.push_back(&units.emplace_back(session, joined.now, request.context, request.key));
    }
    YZ_RETURN_IF_ERROR(work(given));
    for (size_t i = 0; i < requests.size(); ++i) {
      joined.rows.push_back(RowOf(units[i], requests[i]));
    }
    return absl::OkStatus();
  });
}

absl::Status Journal::WriteJoined(absl::Time deadline, absl::FunctionRef<absl::Status()> handlers) {
  return RunJoined(deadline, [&](db::Session&, Joined&) { return handlers(); });
}

absl::Status Journal::RunJoined(absl::Time deadline,
                                absl::FunctionRef<absl::Status(db::Session&, Joined&)> work) {
  if (joined_ != nullptr && joined_->journal == this) {
    return db::Transact(pool_, deadline,
                        [&](db::Session& session) { return work(session, *joined_); });
  }
  Joined joined{this, Now()};
  db::TransactReport report;
  const absl::Status status = db::TransactTogether(
      pool_, deadline,
      [&](db::Session& session) -> absl::Status {
        joined.rows.clear();
        joined.then.clear();
        joined_ = &joined;
        const absl::Cleanup end = [] { joined_ = nullptr; };
        YZ_RETURN_IF_ERROR(work(session, joined));
        Insert(session, joined.rows);
        return absl::OkStatus();
      },
      db::OnUnknown::kReplay, &report);
  // A COMMIT that was not answered may still happen: who asks again finds what became of it.
  if (!status.ok() && report.commit_unknown) return errors::Unavailable("database");
  if (!status.ok()) return status;
  if (on_written_) on_written_();
  for (const auto& then : joined.then) then();
  return status;
}

void Journal::AfterWrite(std::function<void()> then) {
  if (joined_ == nullptr || joined_->journal != this) return then();
  joined_->then.push_back(std::move(then));
}

Journal::Row Journal::RowOf(Unit& unit, const Request& request) const {
  const Caller& caller = request.context.caller;
  v1::PublicPart& seen = *unit.public_part_;
  seen.set_service(service_);
  seen.set_method(request.context.method);
  if (!unit.hide_actor_ && !IsCitizen(caller.roles)) seen.set_subject(caller.subject);
  *seen.mutable_time() =
      google::protobuf::util::TimeUtil::MillisecondsToTimestamp(absl::ToUnixMillis(unit.Now()));
  v1::PrivatePart& kept = *unit.private_part_;
  if (request.request != nullptr) kept.mutable_request()->PackFrom(*request.request);
  if (request.answer != nullptr) kept.mutable_answer()->PackFrom(*request.answer);
  kept.set_subject(caller.subject);
  kept.set_name(caller.name);
  kept.set_trace_id(request.context.trace_id);

  Row row;
  row.key = request.key;
  row.public_part = seen.SerializeAsString();
  Sealed sealed = vault_.Seal(PrivatePartPlace(request.key), kept.SerializeAsString());
  row.private_part = std::move(sealed.bytes);
  row.private_digest = PartDigest(row.private_part);
  row.leaf = LeafOf(PartDigest(row.public_part), row.private_digest);
  row.wrapped_key = std::move(sealed.wrapped_key);
  return row;
}

// The unit did not get through. Where its request is in the journal already, that answer counts and
// not the failure: a repeated request finds its own effect in its way.
absl::Status Journal::Resolve(const Request& request, absl::Status failure, bool collided,
                              bool commit_unknown) {
  bool found = false;
  absl::Status looked = LookUp(request, &found);
  if (found) return looked;
  if (!looked.ok()) {
    // Not known whether this is a repetition: then only an error that may be tried again is true.
    return absl::IsDeadlineExceeded(failure) ? failure : looked;
  }
  if (collided) return errors::Conflict();
  const bool given_up = absl::IsUnavailable(failure) || absl::IsDeadlineExceeded(failure) ||
                        absl::IsResourceExhausted(failure);
  if (!commit_unknown || given_up) return failure;
  // A COMMIT went out and was not answered, and its session may still be alive and about to run it.
  // Nothing found proves nothing yet.
  bool committed = false;
  YZ_RETURN_IF_ERROR(AwaitOldSession(request, &committed));
  if (!committed) return failure;
  looked = LookUp(request, &found);
  return found || !looked.ok() ? looked : errors::Conflict();
}

// Tries the key: the row of an open session makes the insert wait, a committed one makes it
// collide, and when it goes in the old session is gone. Leaves nothing.
absl::Status Journal::AwaitOldSession(const Request& request, bool* committed) {
  bool inserted = false;
  absl::Status status =
      db::Transact(pool_, request.context.deadline, [&](db::Session& session) -> absl::Status {
        *committed = inserted = false;
        try {
          const std::string none(kDigestBytes, '\0');
          const Row row{request.key, "", "", none, none, ""};
          std::vector<db::Param> params;
          row.AddTo(&params);
          session.ExecuteList(db::InsertMany(kInsert, kRowColumns, 1), params);
          inserted = true;
        } catch (const db::Error& e) {
          if (!e.IsDuplicate("request_key")) throw;
          *committed = true;
        }
        return absl::CancelledError("rolled back on purpose");
      });
  return *committed || inserted ? absl::OkStatus() : status;
}

absl::Status Journal::LookUp(const Request& request, bool* found) {
  std::string private_bytes, wrapped_key;
  YZ_RETURN_IF_ERROR(db::Read(pool_, request.context.deadline, [&](db::Session& session) {
    for (const db::Row& row :
         session.Query("SELECT private_part, wrapped_key FROM journal WHERE request_key = ?",
                       db::Bytes(request.key))) {
      private_bytes = row.Bytes(0);
      wrapped_key = row.Bytes(1);
      *found = true;
    }
    return absl::OkStatus();
  }));
  if (!*found || request.request == nullptr) return absl::OkStatus();
  const absl::StatusOr<std::string> plain =
      vault_.Open(PrivatePartPlace(request.key), {private_bytes, wrapped_key});
  v1::PrivatePart stored;
  if (!plain.ok() || !stored.ParseFromString(*plain)) {
    Log(LogLevel::kError, "journal row cannot be read",
        {{"method", request.context.method}, {"error", plain.status().ToString()}});
    return errors::DataLoss("journal");
  }
  return AnswerAgain(request, stored);
}

absl::Status Journal::AnswerAgain(const Request& request, const v1::PrivatePart& stored) {
  const std::unique_ptr<Message> before(request.request->New());
  if (!stored.request().UnpackTo(before.get())) return errors::DataLoss("journal");
  if (const std::string field = FirstDifferingField(*before, *request.request); !field.empty()) {
    return errors::RequestIdReused(field);
  }
  if (request.answer != nullptr && !stored.answer().UnpackTo(request.answer))
    return errors::DataLoss("journal");
  return absl::OkStatus();
}

}  // namespace yuezhan::journal
