#include "services/yz/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace yuezhan::yz {
namespace {

absl::Status SystemError(const std::string& what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// The kernel ends a child when the thread that forked it ends, so one thread that never does forks
// all.
class Forker {
 public:
  static Forker& Get() {
    static auto* const forker = new Forker;
    return *forker;
  }
  pid_t Run(std::function<pid_t()> fork) {
    absl::MutexLock lock(&mutex_);
    Job job{std::move(fork), 0, false};
    jobs_.push_back(&job);
    mutex_.Await(absl::Condition(&job.done));
    return job.pid;
  }

 private:
  struct Job {
    std::function<pid_t()> fork;
    pid_t pid;
    bool done;
  };
  Forker() {
    std::thread([this] { Work(); }).detach();
  }
  void Work() {
    while (true) {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(
          +[](std::deque<Job*>* jobs) { return !jobs->empty(); }, &jobs_));
      Job* const job = jobs_.front();
      jobs_.pop_front();
      job->pid = job->fork();
      job->done = true;
    }
  }

  absl::Mutex mutex_;
  std::deque<Job*> jobs_ ABSL_GUARDED_BY(mutex_);
};

// Between fork and exec: only what POSIX allows there.
[[noreturn]] void BecomeChild(const char* binary, char* const argv[], int log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);  // it ended before the line above
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execv(binary, argv);
  _exit(127);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const std::string& binary,
                                                        const std::vector<std::string>& arguments,
                                                        const std::string& log) {
  if (access(binary.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no program ", binary));
  }
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return SystemError(log);
  std::vector<char*> argv = {const_cast<char*>(binary.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = Forker::Get().Run([&] {
    const pid_t child = fork();
    if (child == 0) BecomeChild(binary.c_str(), argv.data(), file, parent);
    return child;
  });
  close(file);
  if (pid < 0) return SystemError("fork");
  return std::unique_ptr<Process>(new Process(pid));
}

Process::~Process() {
  Signal(SIGKILL);
  Wait(absl::InfiniteDuration());
}

bool Process::Reap() {
  if (result_.has_value()) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  result_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return true;
}

bool Process::Running() {
  absl::MutexLock lock(&mutex_);
  return !Reap();
}

void Process::Signal(int signal) {
  absl::MutexLock lock(&mutex_);
  if (!Reap()) kill(pid_, signal);
}

std::optional<int> Process::Wait(absl::Duration timeout) {
  for (const absl::Time end = absl::Now() + timeout;; absl::SleepFor(absl::Milliseconds(5))) {
    absl::MutexLock lock(&mutex_);
    if (Reap() || absl::Now() >= end) return result_;
  }
}

absl::StatusOr<std::unique_ptr<ReservedPort>> ReservedPort::Take() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  // Both sides must allow reuse for the service to bind beside it; gRPC does.
  if (fd < 0 || bind(fd, raw, size) != 0 || getsockname(fd, raw, &size) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) {
    const absl::Status error = SystemError("no free port");
    if (fd >= 0) close(fd);
    return error;
  }
  return std::unique_ptr<ReservedPort>(new ReservedPort(fd, ntohs(address.sin_port)));
}

ReservedPort::~ReservedPort() { close(socket_); }

}  // namespace yuezhan::yz
