#include "agent/guard/leftovers.h"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "agent/guard/fence_file.h"
#include "common/os/lock.h"

namespace baton {
namespace {

bool HasEnded(const Fd& handle) {
  pollfd polled = {handle.get(), POLLIN, 0};
  return poll(&polled, 1, 0) > 0;
}

bool BelongsToEnded(const ResourceConfig& config, pid_t ended, pid_t pid) {
  if (config.kind == ResourceKind::kDatabase) return IsSeenToServe(config, pid);
  return ended > 1 && pid != ended && getsid(pid) == ended;
}

}  // namespace

Leftovers Leftovers::Find(const ResourceConfig& config, pid_t ended) {
  Leftovers found;
  if (config.kind == ResourceKind::kDatabase) {
    const absl::StatusOr<pid_t> leader = ServerByPidFile(config);
    if (!leader.ok() || *leader != 0) return found;
  }
  const std::string lock = FenceLockFile(config);
  for (const LockHolder& holder : ProcessesWithFileOpen(lock)) {
    const absl::StatusOr<ProcessId> process = IdentifyProcess(holder.pid);
    if (!process.ok()) continue;
    absl::StatusOr<Fd> handle = OpenProcess(*process);
    // Looked at while the handle is held: what it was is then what it is, or it has ended.
    if (!handle.ok() || !HasFileOpen(holder.pid, lock) ||
        !BelongsToEnded(config, ended, holder.pid)) {
      continue;
    }
    found.processes_.push_back({holder.pid, *std::move(handle)});
  }
  return found;
}

bool Leftovers::AllEnded() const {
  return std::all_of(processes_.begin(), processes_.end(),
                     [](const Process& process) { return HasEnded(process.handle); });
}

std::string Leftovers::Pids() const {
  return absl::StrJoin(processes_, " ", [](std::string* out, const Process& process) {
    absl::StrAppend(out, process.pid);
  });
}

absl::Status Leftovers::Signal(int signal) const {
  absl::Status sent;
  for (const Process& process : processes_) {
    if (syscall(SYS_pidfd_send_signal, process.handle.get(), signal, nullptr, 0) != 0 &&
        errno != ESRCH) {
      sent = ErrnoStatus(errno, "cannot signal process", absl::StrCat(process.pid));
    }
  }
  return sent;
}

}  // namespace baton
