#include "agent/guard/bounded_work.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/monotonic.h"
#include "common/os/process.h"

namespace baton {
namespace {

constexpr absl::Duration kKillGrace = absl::Milliseconds(200);
constexpr size_t kReportBytesMax = 64 * 1024;
constexpr int kReport = 3;

// The child's report: "p DONE TOTAL" lines, then one "r CODE MESSAGE" line to its end.
void SayProgress(int fd, uint64_t done, uint64_t total) {
  static_cast<void>(WriteAll(fd, absl::StrCat("p ", done, " ", total, "\n"), "a pipe"));
}

// Nothing of the caller's stays open in it but the report's end, now descriptor 3: for as long as a
// frozen filesystem keeps it, it would hold the gate's lock that its caller inherited from the
// server, and a server that is gone could never be proven gone.
bool KeepReportAlone(int report) {
  if (report != kReport && dup2(report, kReport) < 0) return false;
  return close_range(kReport + 1, ~0U, 0) == 0;
}

[[noreturn]] void BeChild(const BoundedWork& bounded, int pipe, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || !KeepReportAlone(pipe)) _exit(1);
  const absl::StatusOr<std::string> result =
      bounded.work([](uint64_t done, uint64_t total) { SayProgress(kReport, done, total); });
  std::string message = result.ok() ? *result : std::string(result.status().message());
  message.resize(std::min<size_t>(message.size(), 4000));
  std::replace(message.begin(), message.end(), '\n', ' ');
  const absl::Status said = WriteAll(
      kReport, absl::StrCat("r ", static_cast<int>(result.status().code()), " ", message, "\n"),
      "a pipe");
  _exit(said.ok() ? 0 : 1);
}

class Parent {
 public:
  Parent(const BoundedWork& bounded, Fd report) : bounded_(bounded), report_(std::move(report)) {}

  absl::StatusOr<std::string> Await() {
    absl::Duration deadline = MonotonicNow() + bounded_.timeout;
    while (true) {
      const absl::Duration left = deadline - MonotonicNow();
      if (left <= absl::ZeroDuration()) return TimedOut();
      pollfd polled = {report_.get(), POLLIN, 0};
      const int64_t wait = std::min<int64_t>(absl::ToInt64Milliseconds(left) + 1, 1 << 30);
      if (poll(&polled, 1, static_cast<int>(wait)) <= 0) continue;
      char buffer[4096];
      const ssize_t n = read(report_.get(), buffer, sizeof(buffer));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      text_.append(buffer, static_cast<size_t>(n));
      if (TakeLines() && bounded_.restart_on_progress) deadline = MonotonicNow() + bounded_.timeout;
      if (has_result_ || text_.size() > kReportBytesMax) break;
    }
    if (has_result_) return result_;
    return absl::UnavailableError(
        absl::StrCat(bounded_.what, ": the process that works on it died without a word"));
  }

 private:
  absl::Status TimedOut() const {
    return absl::UnavailableError(absl::StrCat(bounded_.what, ": no answer within ",
                                               absl::FormatDuration(bounded_.timeout),
                                               "; look whether it is mounted and alive"));
  }

  // True when there was a whole line.
  bool TakeLines() {
    bool any = false;
    for (size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
      TakeLine(text_.substr(0, end));
      text_.erase(0, end + 1);
      any = true;
    }
    return any;
  }

  void TakeLine(const std::string& line) {
    const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 2));
    uint64_t done = 0;
    uint64_t total = 0;
    int code = 0;
    if (words.size() != 3) return;
    if (words[0] == "p" && absl::SimpleAtoi(words[1], &done) &&
        absl::SimpleAtoi(words[2], &total)) {
      if (bounded_.progress != nullptr) bounded_.progress(done, total);
    } else if (words[0] == "r" && absl::SimpleAtoi(words[1], &code)) {
      has_result_ = true;
      if (code == 0) {
        result_ = words[2];
      } else {
        result_ = absl::Status(static_cast<absl::StatusCode>(code), words[2]);
      }
    }
  }

  const BoundedWork& bounded_;
  const Fd report_;
  std::string text_;
  bool has_result_ = false;
  absl::StatusOr<std::string> result_ = std::string();
};

// Ends the child and reaps it, unless nothing ends it; then it is remembered.
void EndChild(const BoundedWork& bounded, const ProcessId& child, bool answered) {
  const absl::StatusOr<Fd> process = OpenProcess(child);
  if (!answered) kill(child.pid, SIGKILL);
  pollfd polled = {process.ok() ? process->get() : -1, POLLIN, 0};
  if (process.ok()) poll(&polled, 1, static_cast<int>(absl::ToInt64Milliseconds(kKillGrace)));
  if (waitpid(child.pid, nullptr, WNOHANG) != 0 || bounded.stuck_file.empty()) return;
  static_cast<void>(WriteFileDurably(bounded.stuck_file,
                                     absl::StrCat(child.pid, " ", child.start_ticks, "\n"), 0644));
}

absl::Status CheckNoneStuck(const BoundedWork& bounded) {
  if (bounded.stuck_file.empty()) return absl::OkStatus();
  const absl::StatusOr<std::string> text = ReadFile(bounded.stuck_file, 256);
  if (!text.ok()) return absl::OkStatus();
  const std::vector<std::string> words =
      absl::StrSplit(*text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  ProcessId stuck;
  if (words.size() == 2 && absl::SimpleAtoi(words[0], &stuck.pid) &&
      absl::SimpleAtoi(words[1], &stuck.start_ticks) && IsAlive(stuck)) {
    return absl::UnavailableError(
        absl::StrCat(bounded.what, ": process ", stuck.pid,
                     " has been stuck in it since an earlier try; mend the mount first"));
  }
  unlink(bounded.stuck_file.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> RunBounded(const BoundedWork& bounded) {
  BATON_RETURN_IF_ERROR(CheckNoneStuck(bounded));
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make", "a pipe");
  Fd read_end(fds[0]);
  Fd write_end(fds[1]);
  const pid_t self = getpid();
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "cannot fork for", bounded.what);
  if (pid == 0) {
    read_end.Reset();
    BeChild(bounded, write_end.get(), self);
  }
  write_end.Reset();
  const absl::StatusOr<ProcessId> child = IdentifyProcess(pid);
  absl::StatusOr<std::string> result = Parent(bounded, std::move(read_end)).Await();
  EndChild(bounded, child.value_or(ProcessId{pid, 0}), result.ok());
  return result;
}

}  // namespace baton
