#ifndef YUEZHAN_COMMON_JOURNAL_JOURNAL_H_
#define YUEZHAN_COMMON_JOURNAL_JOURNAL_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clocks.h"
#include "common/base/context.h"
#include "common/db/pool.h"
#include "common/db/session.h"
#include "common/journal/vault.h"

namespace google::protobuf {
class Message;
}
namespace yuezhan::journal::v1 {
class PrivatePart;
class PublicPart;
}  // namespace yuezhan::journal::v1

namespace yuezhan::journal {

// What a unit of work has at hand: the transaction, the time, and the events it leaves. Made anew
// for each attempt.
class Unit {
 public:
  Unit(db::Session& session, absl::Time now, const Context& context, std::string entry_key);
  ~Unit();
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;

  // The open transaction. Let db::Error pass, but for a duplicate key that is an answer.
  db::Session& sql() { return session_; }
  // Business time, the same for the whole unit and for each attempt at it.
  absl::Time Now() const { return now_; }
  const Context& context() const { return context_; }
  // request_key (32 bytes) of the journal row that this unit gets: ties rows of its own to it.
  const std::string& entry_key() const { return entry_key_; }

  // An event for the services that follow (yuezhan.journal.v1.PublicPart). Put no personal value
  // into it.
  void Emit(const google::protobuf::Message& event);
  // An event for the trail alone, encrypted with the rest of the private part.
  void EmitPrivate(const google::protobuf::Message& event);
  // Keeps the actor out of the public part: other services must not learn who it was either (an
  // objector). Holds by itself for callers who have no role but Role::kPublic.
  void HideActor() { hide_actor_ = true; }

  // Whether there is an event of either kind.
  bool emitted() const;

 private:
  friend class Journal;
  db::Session& session_;
  const absl::Time now_;
  const Context& context_;
  const std::string entry_key_;
  bool hide_actor_ = false;
  std::unique_ptr<v1::PublicPart> public_part_;
  std::unique_ptr<v1::PrivatePart> private_part_;
};

using Work = absl::FunctionRef<absl::Status(Unit&)>;

// One of several requests that are written together: the arguments of Write.
struct Writing {
  const Context& context;
  const google::protobuf::Message& request;
  google::protobuf::Message* answer;

  // Of what has them by these names.
  template <typename Asked>
  explicit Writing(const Asked& asked)
      : context(asked.context), request(asked.request), answer(asked.answer) {}
  Writing(const Context& c, const google::protobuf::Message& r, google::protobuf::Message* a)
      : context(c), request(r), answer(a) {}
};

// Writes what changes something: the unit's own rows and one journal row, in one transaction. The
// one way for a service to change its data. Thread-safe.
class Journal {
 public:
  // `service`: "registry". `on_written` is called after each commit (the sequencer's Wake); may be
  // empty.
  Journal(db::Pool& pool, const Vault& vault, Clocks clocks, std::string service,
          std::function<void()> on_written = {});

  // Runs `work` for a caller's request and fills `answer`, once per (context.caller.subject,
  // context.method, the request's field request_id). The same request again gets the stored answer
  // and has no effect; 32 at once have one. `work` may run several times: it changes nothing but
  // the database and *answer, which is cleared before each run. Permission must have been checked.
  // What a request may see of state that changed since (an etag, a state) makes `work` fail, and
  // then the stored answer counts. Errors: the unit's own; INVALID_ARGUMENT with the field's path
  // (request_id missing; used before with other content); UNAVAILABLE, ABORTED, DEADLINE_EXCEEDED,
  // RESOURCE_EXHAUSTED: the same request_id may be sent again and learns the truth.
  absl::Status Write(const Context& context, const google::protobuf::Message& request,
                     google::protobuf::Message* answer, Work work);

  // Write for several requests, of other ids each, in one transaction: all have their effect and
  // their journal row, or none has. `work` is given their units, in their order, and fails if one of
  // them must not happen. Errors are of all together: UNAVAILABLE and the like as of Write; after
  // any other each request is to be written by itself, which tells whose it was, finds what was
  // done before, and lets the others have their effect.
  absl::Status WriteAll(const std::vector<Writing>& writings,
                        absl::FunctionRef<absl::Status(const std::vector<Unit*>&)> work);
  template <typename Asked>
  absl::Status WriteAll(const std::vector<Asked>& asked,
                        absl::FunctionRef<absl::Status(const std::vector<Unit*>&)> work) {
    return WriteAll(std::vector<Writing>(asked.begin(), asked.end()), work);
  }

  // One transaction for several requests whose handlers know nothing of each other: all that the
  // calling thread writes by this journal while `handlers` runs, and reads from its pool, with all
  // journal rows in one insert. Errors as of WriteAll, after which each is to be handled by itself.
  absl::Status WriteJoined(absl::Time deadline, absl::FunctionRef<absl::Status()> handlers);
  // WriteJoined as what joins the methods of a service (rpc::Service).
  std::function<absl::Status(absl::Time, absl::FunctionRef<absl::Status()>)> Joining() {
    return [this](absl::Time deadline, absl::FunctionRef<absl::Status()> handlers) {
      return WriteJoined(deadline, handlers);
    };
  }
  // What may only happen once what the calling thread wrote is committed: now, or at the end of its
  // WriteJoined; never when that fails.
  void AfterWrite(std::function<void()> then);

  // The same for the service's own work: `name` says what ("timer/notice-ends"), `key` what for
  // ("notices/…"): of all replicas that try, one takes effect, once and for good. OK too when it
  // was done before.
  absl::Status WriteInternal(std::string_view name, std::string_view key, absl::Time deadline,
                             Work work);

  // As WriteInternal, but the journal row is written only if `work` changed a row or emitted an
  // event: for followers, whose cursor stands for the key when nothing happened. `changed` is set
  // by work.
  absl::Status WriteIfChanged(std::string_view name, std::string_view key, absl::Time deadline,
                              absl::FunctionRef<absl::Status(Unit&, bool* changed)> work);

  // For what a caller's reading leaves behind: in its name, once per (context.caller.subject,
  // context.method, key).
  absl::Status WriteOnce(const Context& context, std::string_view key, Work work);

  const std::string& service() const { return service_; }
  db::Pool& pool() { return pool_; }
  const Clocks& clocks() const { return clocks_; }

 private:
  struct Request;
  struct Row;
  struct Joined;
  using ChangingWork = absl::FunctionRef<absl::Status(Unit&, bool* changed)>;
  absl::Status RequestOf(const Writing& writing, std::vector<Request>* requests) const;
  absl::Time Now() const;
  absl::Status Run(const Request& request, ChangingWork work);
  // One attempt of one request: its effects, and its row, if it has one.
  absl::Status RunUnit(db::Session& session, absl::Time now, const Request& request,
                       ChangingWork work, std::vector<Row>* rows) const;
  absl::Status RunAll(const std::vector<Request>& requests, absl::Time deadline,
                      absl::FunctionRef<absl::Status(const std::vector<Unit*>&)> work);
  absl::Status RunJoined(absl::Time deadline,
                         absl::FunctionRef<absl::Status(db::Session&, Joined&)> work);
  static void Insert(db::Session& session, const std::vector<Row>& rows);
  Row RowOf(Unit& unit, const Request& request) const;
  absl::Status Resolve(const Request& request, absl::Status failure, bool collided,
                       bool commit_unknown);
  absl::Status LookUp(const Request& request, bool* found);
  absl::Status AnswerAgain(const Request& request, const v1::PrivatePart& stored);
  absl::Status AwaitOldSession(const Request& request, bool* committed);

  db::Pool& pool_;
  const Vault& vault_;
  const Clocks clocks_;
  const std::string service_;
  const std::function<void()> on_written_;

  // Of the thread's WriteJoined.
  static thread_local Joined* joined_;
};

}  // namespace yuezhan::journal

#endif  // YUEZHAN_COMMON_JOURNAL_JOURNAL_H_
