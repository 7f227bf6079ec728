#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/base/mutex.h"
#include "common/base/status_macros.h"
#include "common/os/monotonic.h"
#include "common/os/process.h"

namespace baton {
namespace {

constexpr absl::Duration kKillGrace = absl::Seconds(1);

struct Pipe {
  Fd read;
  Fd write;
};

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make", "a pipe");
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

absl::StatusOr<Fd> MakeInput(const std::string& bytes) {
  Fd fd(memfd_create("input", MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make", "a memory file");
  BATON_RETURN_IF_ERROR(WriteAll(fd.get(), bytes, "a memory file"));
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return ErrnoStatus(errno, "cannot rewind", "input");
  return fd;
}

// Children that no signal ended: reaped when they end after all.
class LeftBehind {
 public:
  void Add(pid_t pid) {
    MutexLock lock(&mutex_);
    pids_.push_back(pid);
  }
  void Reap() {
    MutexLock lock(&mutex_);
    pids_.erase(std::remove_if(pids_.begin(), pids_.end(),
                               [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; }),
                pids_.end());
  }

 private:
  Mutex mutex_;
  std::vector<pid_t> pids_ ABSL_GUARDED_BY(mutex_);
};

LeftBehind& TheLeftBehind() {
  static LeftBehind* const left_behind = new LeftBehind;
  return *left_behind;
}

// Everything that the child needs, made before the fork: after it only async-signal-safe calls are
// allowed, since other threads may have held any lock.
struct Plan {
  std::vector<char*> argv;
  std::vector<char*> environment;
  const char* directory = nullptr;
  Pipe go;       // one byte: act; end of file: don't
  Pipe failure;  // errno of what kept the program from starting
  Pipe output;
  Pipe error;
  Fd input;
};

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  return pointers;
}

absl::Status MakePlan(const RunOptions& options, Plan* plan) {
  if (options.argv.empty() || options.argv[0].empty() || options.argv[0][0] != '/') {
    return absl::InvalidArgumentError("run: wanted a program by its absolute path");
  }
  plan->argv = Pointers(options.argv);
  plan->argv.push_back(nullptr);
  // The child's own values stand in front: the first of two of one name is what getenv finds.
  plan->environment = Pointers(options.environment);
  for (char** entry = environ; *entry != nullptr; ++entry) plan->environment.push_back(*entry);
  plan->environment.push_back(nullptr);
  if (!options.working_directory.empty()) plan->directory = options.working_directory.c_str();
  BATON_ASSIGN_OR_RETURN(plan->go, MakePipe());
  BATON_ASSIGN_OR_RETURN(plan->failure, MakePipe());
  BATON_ASSIGN_OR_RETURN(plan->output, MakePipe());
  BATON_ASSIGN_OR_RETURN(plan->error, MakePipe());
  BATON_ASSIGN_OR_RETURN(plan->input, MakeInput(options.input));
  return absl::OkStatus();
}

[[noreturn]] void BeChild(const Plan& plan, pid_t parent) {
  // The pipe alone is no proof: a sibling forked meanwhile may hold its other end too.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(125);
  setpgid(0, 0);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  close(plan.go.write.get());
  char byte = 0;
  ssize_t got = 0;
  do {
    got = read(plan.go.read.get(), &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) _exit(125);
  prctl(PR_SET_PDEATHSIG, 0);
  int error = 0;
  if (plan.directory != nullptr && chdir(plan.directory) != 0) error = errno;
  if (error == 0 &&
      (dup2(plan.input.get(), 0) < 0 || dup2(plan.output.write.get(), 1) < 0 ||
       dup2(plan.error.write.get(), 2) < 0 || close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)) {
    error = errno;
  }
  if (error == 0) {
    execve(plan.argv[0], plan.argv.data(), plan.environment.data());
    error = errno;
  }
  const ssize_t told = write(plan.failure.write.get(), &error, sizeof(error));
  _exit(told == sizeof(error) ? 125 : 124);
}

// Lets the child act; the error that kept its program from starting, or OK.
absl::Status LetGo(Plan* plan, const RunOptions& options, const ProcessId& child) {
  if (options.before_start != nullptr) BATON_RETURN_IF_ERROR(options.before_start(child));
  BATON_RETURN_IF_ERROR(WriteAll(plan->go.write.get(), "g", "the start pipe"));
  plan->failure.write.Reset();
  int error = 0;
  ssize_t got = 0;
  do {
    got = read(plan->failure.read.get(), &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  if (got == sizeof(error)) return ErrnoStatus(error, "cannot start", options.argv[0]);
  return absl::OkStatus();
}

// Reads what is there; false at end of file.
bool Drain(int fd, size_t bytes_max, const std::function<void(std::string_view)>& seen,
           std::string* text, bool* cut) {
  char buffer[16384];
  while (true) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    const std::string_view piece(buffer, static_cast<size_t>(n));
    if (seen != nullptr) seen(piece);
    const size_t room = bytes_max - std::min(bytes_max, text->size());
    text->append(piece.substr(0, room));
    *cut = *cut || piece.size() > room;
  }
}

int Milliseconds(absl::Duration left) {
  return static_cast<int>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(left + absl::Microseconds(999)), 0, 1 << 30));
}

// Polls until the child has ended or the time is up; collects what it says.
void Follow(const RunOptions& options, int process, Plan* plan, RunResult* result) {
  const absl::Duration deadline = MonotonicNow() + options.timeout;
  for (const int fd : {plan->output.read.get(), plan->error.read.get()}) {
    fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  std::array<pollfd, 3> polled = {pollfd{process, POLLIN, 0},
                                  pollfd{plan->output.read.get(), POLLIN, 0},
                                  pollfd{plan->error.read.get(), POLLIN, 0}};
  while (true) {
    const absl::Duration left = deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) {
      result->timed_out = true;
      break;
    }
    if (poll(polled.data(), polled.size(), Milliseconds(left)) < 0) continue;
    const bool ended = polled[0].revents != 0;
    if (!Drain(plan->output.read.get(), options.output_bytes_max, options.on_output,
               &result->output, &result->cut)) {
      polled[1].fd = -1;
    }
    if (!Drain(plan->error.read.get(), options.output_bytes_max, nullptr, &result->error,
               &result->cut)) {
      polled[2].fd = -1;
    }
    if (ended) break;
  }
}

void Settle(const ProcessId& child, int process, RunResult* result) {
  if (result->timed_out) {
    kill(-child.pid, SIGKILL);
    pollfd polled = {process, POLLIN, 0};
    const absl::Duration deadline = MonotonicNow() + kKillGrace;
    while (poll(&polled, 1, Milliseconds(deadline - MonotonicNow())) < 0 && errno == EINTR) {
    }
    result->stuck = polled.revents == 0;
  }
  if (result->stuck) {
    TheLeftBehind().Add(child.pid);
    return;
  }
  int status = 0;
  while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) result->exit_status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result->signal = WTERMSIG(status);
}

}  // namespace

std::string RunResult::Describe(absl::Duration timeout) const {
  if (timed_out) return absl::StrCat("no end within ", absl::FormatDuration(timeout));
  if (signal != 0) return absl::StrCat("signal ", signal);
  return absl::StrCat("exit status ", exit_status);
}

absl::StatusOr<RunResult> Run(const RunOptions& options) {
  TheLeftBehind().Reap();
  Plan plan;
  BATON_RETURN_IF_ERROR(MakePlan(options, &plan));
  // Not fork(): its handlers (of any library in the process) have no business in a child that only
  // execs.
  const pid_t self = getpid();
  const pid_t pid = _Fork();
  if (pid < 0) return ErrnoStatus(errno, "cannot fork for", options.argv[0]);
  if (pid == 0) BeChild(plan, self);
  setpgid(pid, pid);  // both sides: neither waits for the other
  plan.go.read.Reset();
  plan.output.write.Reset();
  plan.error.write.Reset();
  absl::StatusOr<ProcessId> child = IdentifyProcess(pid);
  absl::StatusOr<Fd> process = child.ok() ? OpenProcess(*child) : child.status();
  const absl::Status started =
      process.ok() ? LetGo(&plan, options, *child) : absl::Status(process.status());
  if (!started.ok()) {
    plan.go.write.Reset();
    waitpid(pid, nullptr, 0);
    return started;
  }
  RunResult result;
  Follow(options, process->get(), &plan, &result);
  Settle(*child, process->get(), &result);
  return result;
}

}  // namespace baton
