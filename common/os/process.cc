#include "common/os/process.h"

#include <cerrno>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {
namespace {

constexpr size_t kStatBytesMax = 4096;

struct ProcessStat {
  char state = '?';
  uint64_t start_ticks = 0;
};

absl::StatusOr<ProcessStat> ReadProcessStat(pid_t pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/stat");
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kStatBytesMax));
  // The program's name stands in parentheses and may hold anything: fields count from the last one.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return absl::NotFoundError(path);
  const std::vector<std::string> fields =
      absl::StrSplit(text.substr(name_end + 1), ' ', absl::SkipEmpty());
  ProcessStat found;
  if (fields.size() < 20 || !absl::SimpleAtoi(fields[19], &found.start_ticks)) {
    return absl::NotFoundError(absl::StrCat(path, ": not understood"));
  }
  found.state = fields[0][0];
  return found;
}

bool IsSame(const ProcessId& process) {
  const absl::StatusOr<ProcessStat> found = ReadProcessStat(process.pid);
  return found.ok() && found->start_ticks == process.start_ticks;
}

absl::Status Send(const ProcessId& process, pid_t target, int signal) {
  if (process.pid <= 1 || !IsSame(process)) return absl::OkStatus();
  if (kill(target, signal) == 0 || errno == ESRCH) return absl::OkStatus();
  return ErrnoStatus(errno, "cannot signal process", absl::StrCat(process.pid));
}

}  // namespace

absl::StatusOr<ProcessId> IdentifyProcess(pid_t pid) {
  absl::StatusOr<ProcessStat> found = ReadProcessStat(pid);
  if (!found.ok()) return absl::NotFoundError(absl::StrCat("found no process ", pid));
  return ProcessId{pid, found->start_ticks};
}

bool IsAlive(const ProcessId& process) {
  const absl::StatusOr<ProcessStat> found = ReadProcessStat(process.pid);
  return found.ok() && found->start_ticks == process.start_ticks && found->state != 'Z' &&
         found->state != 'X';
}

absl::StatusOr<Fd> OpenProcess(const ProcessId& process) {
  Fd fd(static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0)));
  if (!fd.valid() && errno != ESRCH) {
    return ErrnoStatus(errno, "cannot open process", absl::StrCat(process.pid));
  }
  // Asked after the descriptor is held: a recycled pid cannot slip in between.
  if (!fd.valid() || !IsSame(process)) {
    return absl::NotFoundError(absl::StrCat("process ", process.pid, " is gone"));
  }
  return fd;
}

absl::Status SignalProcess(const ProcessId& process, int signal) {
  return Send(process, process.pid, signal);
}

absl::Status SignalProcessGroup(const ProcessId& process, int signal) {
  return Send(process, -process.pid, signal);
}

absl::StatusOr<std::string> SiblingProgram(const std::string& name) {
  char buffer[4096];
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof(buffer));
  if (length <= 0) return ErrnoStatus(errno, "cannot find", "the running program");
  const std::string path =
      absl::StrCat(DirectoryOf(std::string(buffer, static_cast<size_t>(length))), "/", name);
  if (access(path.c_str(), X_OK) != 0) return ErrnoStatus(errno, "cannot run", path);
  return path;
}

}  // namespace baton
