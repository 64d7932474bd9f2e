#include "common/rpc/call_pool.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include "common/base/clocks.h"
#include "common/base/log.h"
#include "common/errors/errors.h"
#include "common/rpc/wire.h"
#include "google/protobuf/message.h"

namespace yuezhan::rpc {
namespace {

// While one thread is busy with a connection's bytes, another deals with the calls they made.
constexpr int kPollers = 2;
// Most calls of one method that a handler answers together.
constexpr size_t kMostTogether = 8;
// When a refused caller may try again: about the time that a full queue takes to empty.
constexpr absl::Duration kRetryAfter = absl::Milliseconds(500);

const grpc::Status& NoMessage() {
  static const auto* const kStatus = new grpc::Status(ToGrpc(errors::Malformed("message")));
  return *kStatus;
}

std::string HeaderOf(const grpc::ServerContext& context, const char* name) {
  const auto found = context.client_metadata().find(name);
  return found == context.client_metadata().end()
             ? ""
             : std::string(found->second.data(), found->second.size());
}

std::vector<std::string> CertificateNames(const grpc::ServerContext& context) {
  std::vector<std::string> names;
  const auto peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return names;
  for (const char* property : {"x509_common_name", "x509_subject_alternative_name"}) {
    for (const auto& name : peer->FindPropertyValues(property)) {
      names.emplace_back(name.data(), name.size());
    }
  }
  return names;
}

}  // namespace

struct CallPool::Call {
  // Which event comes next. A handler thread owns the call while it is kQueued.
  enum class State { kPosted, kReading, kQueued, kAnswering, kEnding };

  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream{&context};
  grpc::ByteBuffer request;
  std::atomic<State> state = State::kPosted;
  std::list<Call*>::iterator place;  // in live_
  const BoundMethod* bound = nullptr;
  bool answered = false;      // at least one message of a stream
  absl::Time arrived;         // the call, or the present message of a stream
  absl::Duration arrived_at;  // monotonic
  absl::Time began;
  grpc::ByteBuffer answer;
  grpc::Status status;
  CallRecord record;
};

// A handler thread. While it rests, Enqueue gives it its next call.
struct CallPool::Handler {
  std::thread thread;
  absl::CondVar woken;
  std::vector<Call*> calls;  // the next, or at work; several are of one method
  const BoundMethod* method = nullptr;  // of the last
};

CallPool::CallPool(const Methods& methods, const Chain& chain, const ServerOptions& options)
    : methods_(methods), chain_(chain), options_(options) {}

CallPool::~CallPool() { Stop(); }

void CallPool::Start(std::unique_ptr<grpc::ServerCompletionQueue> queue) {
  events_ = std::move(queue);
  for (int i = 0; i < options_.posted_calls; ++i) Post();
  for (int i = 0; i < kPollers; ++i) pollers_.emplace_back([this] { PollEvents(); });
  for (int i = 0; i < options_.handler_threads; ++i) {
    handlers_.push_back(std::make_unique<Handler>());
    Handler* handler = handlers_.back().get();
    handler->thread = std::thread([this, handler] { HandleCalls(handler); });
  }
}

void CallPool::Stop() {
  if (events_ == nullptr) return;
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    for (Handler* handler : idle_) handler->woken.Signal();
  }
  // The polling threads last: they send what handlers answer, and hear how calls end.
  for (auto& handler : handlers_) handler->thread.join();
  Drain(absl::InfiniteFuture());
  events_->Shutdown();
  for (std::thread& poller : pollers_) poller.join();
  pollers_.clear();
  handlers_.clear();
  events_.reset();
}

// ---- the polling threads ----

void CallPool::Post() {
  Call* call = new Call;
  service_.RequestCall(&call->context, &call->stream, events_.get(), events_.get(), call);
}

void CallPool::PollEvents() {
  while (true) {
    void* tag = nullptr;
    bool ok = false;
    const auto soon = std::chrono::system_clock::now() + std::chrono::seconds(1);
    switch (events_->AsyncNext(&tag, &ok, soon)) {
      case grpc::CompletionQueue::SHUTDOWN:
        return;
      case grpc::CompletionQueue::GOT_EVENT:
        tag == &alarm_ ? SendAnswers() : OnEvent(static_cast<Call*>(tag), ok);
        break;
      case grpc::CompletionQueue::TIMEOUT:
        break;
    }
    Sweep();
  }
}

void CallPool::OnEvent(Call* call, bool ok) {
  switch (call->state.load()) {
    case Call::State::kPosted:
      if (!ok) {  // the server shuts down
        delete call;
        return;
      }
      Post();
      return OnArrival(call);
    case Call::State::kReading:
      return OnRequest(call, ok);
    case Call::State::kAnswering:  // a stream: the next message, or its end
      call->arrived = WallNow();
      call->arrived_at = MonotonicNow();
      return Read(call);
    case Call::State::kQueued:
    case Call::State::kEnding:
      return Forget(call);
  }
}

void CallPool::Forget(Call* call) {
  {
    absl::MutexLock lock(&live_mutex_);
    live_.erase(call->place);
  }
  delete call;
}

void CallPool::OnArrival(Call* call) {
  call->began = call->arrived = WallNow();
  call->arrived_at = MonotonicNow();
  call->record.method = call->context.method().substr(1);
  call->bound = methods_.Find(call->record.method);
  const bool admitted = Admit(call);
  if (draining_) return Refuse(call, errors::Unavailable("server", kRetryAfter));
  if (!admitted) return Refuse(call, errors::Overloaded(kRetryAfter));
  Read(call);
}

// Counts the call among the live ones. When they are too many and the oldest has not even sent its
// request, its whole connection makes room: honest clients send it at once.
bool CallPool::Admit(Call* call) {
  std::string idler;
  {
    absl::MutexLock lock(&live_mutex_);
    call->place = live_.insert(live_.end(), call);
    if (live_.size() <= static_cast<size_t>(options_.max_calls)) return true;
    Call* oldest = live_.front();
    if (oldest->state != Call::State::kReading) return false;
    live_.splice(live_.end(), live_, oldest->place);  // not again for the next arrival
    idler = oldest->context.peer();
    oldest->context.TryCancel();
  }
  if (hang_up) hang_up(idler);
  return true;
}

void CallPool::Read(Call* call) {
  call->state = Call::State::kReading;
  call->stream.Read(&call->request, call);
}

void CallPool::OnRequest(Call* call, bool ok) {
  // A stream's end; or the client went away, sent no message, or one beyond what gRPC itself takes
  // (it has told so already). Not reported: nothing was asked.
  if (!ok && call->answered) return End(call, grpc::Status::OK);
  if (!ok) {
    CountHollow(call);
    return End(call, NoMessage());
  }
  call->record.request_bytes = call->request.Length();
  if (call->record.request_bytes > static_cast<size_t>(options_.max_message_bytes)) {
    return Refuse(call, errors::TooLarge("request", options_.max_message_bytes, "bytes"));
  }
  call->state = Call::State::kQueued;
  // Health is a moment's work, and is asked most when the queue is full.
  const bool open = call->bound != nullptr && call->bound->permission == nullptr;
  if (open && !call->bound->streams) return Handle({&call, 1});
  if (!Enqueue(call)) Refuse(call, errors::Overloaded(kRetryAfter));
}

void CallPool::Refuse(Call* call, const absl::Status& status) {
  call->record.code = absl::StatusCodeToString(status.code());
  call->record.reason = errors::Reason(status);
  Report(call);
  End(call, ToGrpc(status));
}

void CallPool::End(Call* call, const grpc::Status& status) {
  call->state = Call::State::kEnding;
  call->stream.Finish(status, call);
}

void CallPool::CountHollow(Call* call) {
  constexpr absl::Duration kWindow = absl::Seconds(10);
  std::string peer = call->context.peer();
  {
    absl::MutexLock lock(&hollow_mutex_);
    if (const absl::Time now = WallNow(); now > forget_hollow_) {
      hollow_.clear();
      forget_hollow_ = now + kWindow;
    }
    if (++hollow_[peer] != options_.max_hollow_calls) return;
  }
  if (hang_up) hang_up(peer);
}

void CallPool::Sweep() {
  const absl::Time now = WallNow();
  {
    absl::MutexLock lock(&live_mutex_);
    if (now < next_sweep_) return;
    next_sweep_ = now + absl::Seconds(1);
    for (Call* call : live_) {
      const bool with_client = call->state != Call::State::kQueued;
      if (with_client && now - call->began > options_.max_deadline + options_.slow_client) {
        call->context.TryCancel();
      }
    }
  }
  RouseForWaiting();
}

ServerLoad CallPool::load() {
  ServerLoad load{.handlers = options_.handler_threads,
                  .handlers_busy = busy_,
                  .queue_length = options_.queue_length,
                  .max_calls = options_.max_calls};
  {
    absl::MutexLock lock(&mutex_);
    load.queued = static_cast<int>(queued_);
  }
  absl::MutexLock lock(&live_mutex_);
  load.calls = static_cast<int>(live_.size());
  return load;
}

// ---- the handler threads ----

bool CallPool::Enqueue(Call* call) {
  Handler* rested = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) return false;
    Together* const together = TogetherOf(call->bound);
    const bool waits = together != nullptr && together->handlers >= call->bound->handler.together &&
                       call->arrived_at - together->since < options_.together_patience;
    if (!waits && !idle_.empty()) {
      rested = idle_.back();
      idle_.pop_back();
      rested->calls.push_back(call);
    } else {
      const size_t bytes = queued_bytes_ + call->record.request_bytes;
      if (queued_ >= static_cast<size_t>(options_.queue_length) ||
          bytes > static_cast<size_t>(options_.max_queued_bytes)) {
        return false;
      }
      queued_bytes_ = bytes;
      ++queued_;
      (waits ? together->waiting : queue_).push_back(call);
    }
    if (together != nullptr && !waits) {
      ++together->handlers;
      together->since = call->arrived_at;
      if (rested != nullptr) TakeWaiting(together, rested);
    }
  }
  if (rested != nullptr) rested->woken.Signal();
  return true;
}

CallPool::Together* CallPool::TogetherOf(const BoundMethod* method) {
  if (method == nullptr || method->handler.together == 0) return nullptr;
  return &together_[method];
}

void CallPool::Take(std::deque<Call*>* from, Handler* handler) {
  Call* const call = from->front();
  from->pop_front();
  --queued_;
  queued_bytes_ -= call->record.request_bytes;
  handler->calls.push_back(call);
}

void CallPool::TakeWaiting(Together* together, Handler* handler) {
  together->since = MonotonicNow();
  while (!together->waiting.empty() && handler->calls.size() < kMostTogether) {
    Take(&together->waiting, handler);
  }
}

// Gives the handler its next calls; none: the pool stops.
void CallPool::Dequeue(Handler* handler) {
  absl::MutexLock lock(&mutex_);
  handler->calls.clear();
  Together* together = TogetherOf(handler->method);
  if (together != nullptr && together->waiting.empty()) {
    --together->handlers;
    together = nullptr;
  }
  if (together == nullptr && !queue_.empty()) {
    Take(&queue_, handler);
    together = TogetherOf(handler->calls.front()->bound);
  }
  if (together != nullptr) TakeWaiting(together, handler);
  if (!handler->calls.empty() || stopping_) return;
  idle_.push_back(handler);
  while (handler->calls.empty() && !stopping_) handler->woken.Wait(&mutex_);
}

// Calls that wait for a handler which is held up go to another, though none of their method arrives
// that would take them along.
void CallPool::RouseForWaiting() {
  absl::MutexLock lock(&mutex_);
  for (auto& [method, together] : together_) {
    if (together.waiting.empty() || idle_.empty() ||
        MonotonicNow() - together.since < options_.together_patience) {
      continue;
    }
    ++together.handlers;
    TakeWaiting(&together, idle_.back());
    idle_.back()->woken.Signal();
    idle_.pop_back();
  }
}

void CallPool::HandleCalls(Handler* handler) {
  if (options_.on_thread_start) options_.on_thread_start();
  for (Dequeue(handler); !handler->calls.empty(); Dequeue(handler)) {
    ++busy_;
    handler->method = handler->calls.front()->bound;  // the calls may be gone once they are answered
    Handle(handler->calls);
    --busy_;
  }
  if (options_.on_thread_stop) options_.on_thread_stop();
}

void CallPool::Handle(absl::Span<Call* const> calls) {
  if (draining_) {
    for (Call* call : calls) Refuse(call, errors::Unavailable("server", kRetryAfter));
    return;
  }
  std::deque<grpc::ProtoBufferReader> bytes;
  std::vector<Passing> passing;
  passing.reserve(calls.size());
  for (Call* call : calls) {
    call->record.queued = MonotonicNow() - call->arrived_at;
    const grpc::GenericServerContext& context = call->context;
    Incoming incoming{
        .method = call->record.method,
        .bound = call->bound,
        .credentials = {HeaderOf(context, "authorization"), CertificateNames(context)},
        .trace_id = TraceIdOf(HeaderOf(context, "traceparent")),
        .arrived = call->arrived,
        .deadline = absl::FromChrono(context.deadline())};
    passing.push_back({std::move(incoming), &bytes.emplace_back(&call->request), &call->record});
  }
  chain_.Run(absl::MakeSpan(passing));
  for (size_t i = 0; i < calls.size(); ++i) {
    calls[i]->request.Clear();
    Finish(calls[i], std::move(passing[i].status), passing[i].answer.get());
  }
  Answer(calls);
}

void CallPool::Finish(Call* call, absl::Status status, const google::protobuf::Message* answer) {
  call->answer.Clear();
  if (status.ok()) {
    bool own = false;
    using Traits = grpc::SerializationTraits<google::protobuf::Message>;
    if (answer->ByteSizeLong() > static_cast<size_t>(options_.max_message_bytes)) {
      status = errors::TooLarge("answer", options_.max_message_bytes, "bytes");
      call->record.reason = errors::Reason(status);
      call->record.code = absl::StatusCodeToString(status.code());
    } else if (Traits::Serialize(*answer, &call->answer, &own).ok()) {
      call->record.answer_bytes = call->answer.Length();
    }
  }
  Report(call);
  if (!status.ok()) call->status = ToGrpc(status);
}

void CallPool::Answer(absl::Span<Call* const> calls) {
  absl::MutexLock lock(&answers_mutex_);
  const bool first = answers_.empty();
  answers_.insert(answers_.end(), calls.begin(), calls.end());
  if (first) alarm_.Set(events_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &alarm_);
}

void CallPool::SendAnswers() {
  std::vector<Call*> answers;
  {
    absl::MutexLock lock(&answers_mutex_);
    answers.swap(answers_);
  }
  for (Call* call : answers) Send(call);
}

void CallPool::Send(Call* call) {
  if (!call->status.ok()) return End(call, call->status);
  if (call->bound->streams) {
    call->answered = true;
    call->state = Call::State::kAnswering;
    return call->stream.Write(call->answer, call);
  }
  call->state = Call::State::kEnding;
  call->stream.WriteAndFinish(call->answer, grpc::WriteOptions(), grpc::Status::OK, call);
}

void CallPool::Report(Call* call) {
  call->record.elapsed = MonotonicNow() - call->arrived_at;
  options_.on_call ? options_.on_call(call->record) : LogCall(call->record);
}

}  // namespace yuezhan::rpc
