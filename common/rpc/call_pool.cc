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
  Call* next = nullptr;
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
  if (open && !call->bound->streams) return Handle(call);
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

ServerLoad CallPool::load() {
  ServerLoad load{.handlers = options_.handler_threads,
                  .handlers_busy = busy_,
                  .queue_length = options_.queue_length,
                  .max_calls = options_.max_calls};
  {
    absl::MutexLock lock(&mutex_);
    load.queued = static_cast<int>(queue_.size());
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
    if (!idle_.empty()) {
      rested = idle_.back();
      idle_.pop_back();
      rested->next = call;
    } else {
      const size_t bytes = queued_bytes_ + call->record.request_bytes;
      if (queue_.size() >= static_cast<size_t>(options_.queue_length) ||
          bytes > static_cast<size_t>(options_.max_queued_bytes)) {
        return false;
      }
      queued_bytes_ = bytes;
      queue_.push_back(call);
    }
  }
  if (rested != nullptr) rested->woken.Signal();
  return true;
}

CallPool::Call* CallPool::Dequeue(Handler* handler) {
  absl::MutexLock lock(&mutex_);
  if (!queue_.empty()) {
    Call* call = queue_.front();
    queue_.pop_front();
    queued_bytes_ -= call->record.request_bytes;
    return call;
  }
  if (stopping_) return nullptr;
  idle_.push_back(handler);
  while (handler->next == nullptr && !stopping_) handler->woken.Wait(&mutex_);
  return std::exchange(handler->next, nullptr);
}

void CallPool::HandleCalls(Handler* handler) {
  if (options_.on_thread_start) options_.on_thread_start();
  while (Call* call = Dequeue(handler)) {
    ++busy_;
    Handle(call);
    --busy_;
  }
  if (options_.on_thread_stop) options_.on_thread_stop();
}

void CallPool::Handle(Call* call) {
  if (draining_) return Refuse(call, errors::Unavailable("server", kRetryAfter));
  call->record.queued = MonotonicNow() - call->arrived_at;
  const grpc::GenericServerContext& context = call->context;
  const Incoming incoming{
      .method = call->record.method,
      .bound = call->bound,
      .credentials = {HeaderOf(context, "authorization"), CertificateNames(context)},
      .trace_id = TraceIdOf(HeaderOf(context, "traceparent")),
      .arrived = call->arrived,
      .deadline = absl::FromChrono(context.deadline())};
  grpc::ProtoBufferReader bytes(&call->request);
  std::unique_ptr<google::protobuf::Message> answer;
  absl::Status status = chain_.Run(incoming, &bytes, &answer, &call->record);
  call->request.Clear();
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
  Answer(call);
}

void CallPool::Answer(Call* call) {
  absl::MutexLock lock(&answers_mutex_);
  answers_.push_back(call);
  if (answers_.size() == 1) {
    alarm_.Set(events_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &alarm_);
  }
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
