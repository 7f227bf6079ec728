#include "agent/guard/gated_start.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "agent/guard/gate.h"
#include "common/base/status_macros.h"

namespace baton {
namespace {

constexpr absl::Duration kLockTimeout = absl::Seconds(10);
constexpr size_t kReportBytesMax = 16 * 1024;
constexpr int kExitRefused = 78;

// The child's lines: "judged VERDICT EPOCH|- REASON" or "failed REASON". End of file after Go: the
// program has been started.
void Say(int fd, std::string line) {
  line.resize(std::min<size_t>(line.size(), 4000));
  std::replace(line.begin(), line.end(), '\n', ' ');
  static_cast<void>(WriteAll(fd, line + "\n", "a pipe"));
}

void ForgetParent() {
  setsid();
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

absl::Status BecomeServer(const ResourceConfig& config, int report, int go,
                          const std::string& log_file) {
  BATON_ASSIGN_OR_RETURN(const GatePass pass, PassGate(config, kLockTimeout));
  // Under `unconfirmed` the right in the file may be on its way to this very server: one that
  // starts as a standby may be promoted under it, and is then no standby to its next fence.
  const bool knows = pass.fence.has_value() && pass.fence->write.has_value() &&
                     pass.fence->phase != FencePhase::kUnconfirmed;
  Say(report,
      absl::StrCat("judged ", std::string(ToString(pass.decision.verdict)), " ",
                   knows ? pass.fence->write->epoch.ToString() : "-", " ", pass.decision.reason));
  if (pass.decision.verdict == GateVerdict::kRefuse) _exit(kExitRefused);
  char byte = 0;
  ssize_t got = 0;
  do {
    got = read(go, &byte, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) _exit(kExitRefused);
  prctl(PR_SET_PDEATHSIG, 0);
  const int input = open("/dev/null", O_RDONLY);
  const int log = open(log_file.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0640);
  if (log < 0) return ErrnoStatus(errno, "cannot open log", log_file);
  if (dup2(input, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 ||
      close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
    return ErrnoStatus(errno, "cannot set up the descriptors of", config.command[0]);
  }
  return ExecServer(config, pass);
}

}  // namespace

absl::StatusOr<GatedStart> GatedStart::Fork(const ResourceConfig& config,
                                            const std::string& log_file) {
  int report[2];
  int go[2];
  if (pipe2(report, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make", "a pipe");
  GatedStart start;
  start.report_.Reset(report[0]);
  Fd report_write(report[1]);
  if (pipe2(go, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make", "a pipe");
  Fd go_read(go[0]);
  start.go_.Reset(go[1]);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return ErrnoStatus(errno, "cannot fork for", config.command[0]);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(kExitRefused);
    start.go_.Reset();
    ForgetParent();
    const absl::Status failed = BecomeServer(config, report_write.get(), go_read.get(), log_file);
    Say(report_write.get(), absl::StrCat("failed ", failed.message()));
    _exit(kExitRefused);
  }
  BATON_ASSIGN_OR_RETURN(start.child_, IdentifyProcess(pid));
  fcntl(start.report_.get(), F_SETFL, O_NONBLOCK);
  return start;
}

absl::Status GatedStart::Go() {
  went_ = true;
  return WriteAll(go_.get(), "g", "the start pipe");
}

GatedStart::Step GatedStart::TakeLine(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 3));
  if (words.size() != 4 || words[0] != "judged") {
    judged_ = false;
    reason_ = line.substr(0, 7) == "failed " ? line.substr(7) : line;
    return Step::kRefused;
  }
  judged_ = true;
  reason_ = words[3];
  if (words[1] == ToString(GateVerdict::kReadWrite)) verdict_ = GateVerdict::kReadWrite;
  if (words[1] == ToString(GateVerdict::kStandby)) verdict_ = GateVerdict::kStandby;
  if (verdict_ == GateVerdict::kRefuse) return Step::kRefused;
  const absl::StatusOr<Epoch> epoch = ParseEpoch(words[2]);
  if (epoch.ok()) write_epoch_ = *epoch;
  return Step::kJudged;
}

GatedStart::Step GatedStart::Read() {
  char buffer[4096];
  const ssize_t n = read(report_.get(), buffer, sizeof(buffer));
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Step::kWaiting;
  if (n <= 0) {
    if (went_) return Step::kStarted;
    if (!judged_) reason_ = "the process that asks the gate died";
    return Step::kRefused;
  }
  text_.append(buffer, static_cast<size_t>(n));
  const size_t end = text_.find('\n');
  if (end == std::string::npos) {
    return text_.size() < kReportBytesMax ? Step::kWaiting : Step::kRefused;
  }
  const std::string line = text_.substr(0, end);
  text_.erase(0, end + 1);
  return TakeLine(line);
}

}  // namespace baton
