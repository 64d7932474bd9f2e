#ifndef YUEZHAN_COMMON_RPC_CALL_POOL_H_
#define YUEZHAN_COMMON_RPC_CALL_POOL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/generic/async_generic_service.h>

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "common/rpc/chain.h"

namespace yuezhan::rpc {

// Moves calls between gRPC and the chain, and admits them. Polling threads take events from the
// completion queue: they post a new call for each that arrives, read the request and put the call
// into a bounded queue; handler threads run the chain and leave the answer to the polling threads,
// which send it: gRPC's locks of a connection have few takers then. What exceeds a limit is refused
// at once: a caller who knows may come back, one who waits in a long queue gives up after the work
// was done.
class CallPool {
 public:
  CallPool(const Methods& methods, const Chain& chain, const ServerOptions& options);
  ~CallPool();

  // Before the server is built: registered there, and its events come by `queue`.
  grpc::AsyncGenericService* service() { return &service_; }
  void Start(std::unique_ptr<grpc::ServerCompletionQueue> queue);

  // Called with the peer of a connection that floods or idles; set before Start.
  std::function<void(const std::string& peer)> hang_up;

  // Handlers, queue and calls; connections are not its own.
  ServerLoad load();

  // New calls are answered UNAVAILABLE from now on; waits for the running ones, at most until
  // `end`.
  void Drain(absl::Time end) {
    draining_ = true;
    absl::MutexLock lock(&live_mutex_);
    live_mutex_.AwaitWithDeadline(
        absl::Condition(
            +[](std::list<Call*>* live) { return live->empty(); }, &live_),
        end);
  }
  // After the server's Shutdown: running handlers finish, all threads end.
  void Stop();

 private:
  struct Call;
  struct Handler;
  // Of a method whose calls are answered together: while a handler is at some, others wait for it
  // and are its next.
  struct Together {
    int handlers = 0;      // at such calls, or to be given the one in queue_
    absl::Duration since;  // monotonic: when one of them last took any
    std::deque<Call*> waiting;
  };

  void Post();
  bool Admit(Call* call);
  void PollEvents();
  void OnEvent(Call* call, bool ok);
  void Forget(Call* call);
  void OnArrival(Call* call);
  void OnRequest(Call* call, bool ok);
  void Read(Call* call);
  // Once a second: cancels calls whose client neither sends nor takes what it should, and rouses
  // handlers for those that wait too long for others of their method.
  void Sweep();
  void Refuse(Call* call, const absl::Status& status);
  void End(Call* call, const grpc::Status& status);
  void CountHollow(Call* call);
  // Gives a call to a handler that rests, or lets it wait; false when there is no room.
  bool Enqueue(Call* call);
  // The next calls for the handler, all of one method; it rests until there are any. None: it ends.
  void Dequeue(Handler* handler);
  Together* TogetherOf(const BoundMethod* method) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Take(std::deque<Call*>* from, Handler* handler) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeWaiting(Together* together, Handler* handler) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A resting handler each for methods whose calls have waited for longer than together_patience.
  void RouseForWaiting();
  void HandleCalls(Handler* handler);
  void Handle(absl::Span<Call* const> calls);
  void Finish(Call* call, absl::Status status, const google::protobuf::Message* answer);
  void Answer(absl::Span<Call* const> calls);
  void SendAnswers();
  void Send(Call* call);
  void Report(Call* call);

  const Methods& methods_;
  const Chain& chain_;
  const ServerOptions& options_;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> events_;
  std::atomic<bool> draining_ = false;
  std::atomic<int> busy_ = 0;  // handler threads at work

  absl::Mutex live_mutex_;
  std::list<Call*> live_ ABSL_GUARDED_BY(live_mutex_);  // arrived and not ended, the oldest first
  absl::Time next_sweep_ ABSL_GUARDED_BY(live_mutex_) = absl::InfinitePast();

  // Calls without a request, by peer, since the last time they were forgotten.
  absl::Mutex hollow_mutex_;
  std::unordered_map<std::string, int> hollow_ ABSL_GUARDED_BY(hollow_mutex_);
  absl::Time forget_hollow_ ABSL_GUARDED_BY(hollow_mutex_) = absl::InfinitePast();

  absl::Mutex mutex_;
  std::deque<Call*> queue_ ABSL_GUARDED_BY(mutex_);
  // Of all that wait for a handler, in queue_ or together_.
  size_t queued_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t queued_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // The one that rested last is woken first: its memory, and its connection's, is still in the
  // processor's caches.
  std::vector<Handler*> idle_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<const BoundMethod*, Together> together_ ABSL_GUARDED_BY(mutex_);

  // Answers that wait to be sent; the alarm's event tells of the first.
  absl::Mutex answers_mutex_;
  std::vector<Call*> answers_ ABSL_GUARDED_BY(answers_mutex_);
  grpc::Alarm alarm_;

  std::vector<std::thread> pollers_;
  std::vector<std::unique_ptr<Handler>> handlers_;
};

}  // namespace yuezhan::rpc

#endif  // YUEZHAN_COMMON_RPC_CALL_POOL_H_
