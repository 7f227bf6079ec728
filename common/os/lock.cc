#include "common/os/lock.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/base/status_macros.h"
#include "common/os/file.h"
#include "common/os/monotonic.h"

namespace baton {
namespace {

constexpr size_t kNamesMax = 1 << 20;

bool SameFile(int fd, const std::string& path) {
  struct stat held = {};
  struct stat named = {};
  return fstat(fd, &held) == 0 && stat(path.c_str(), &named) == 0 && held.st_dev == named.st_dev &&
         held.st_ino == named.st_ino;
}

bool HasOpen(const std::string& process, const struct stat& wanted) {
  const absl::StatusOr<std::vector<std::string>> fds = ListDirectory(process + "/fd", kNamesMax);
  if (!fds.ok()) return false;
  return std::any_of(fds->begin(), fds->end(), [&](const std::string& fd) {
    struct stat found = {};
    return stat(absl::StrCat(process, "/fd/", fd).c_str(), &found) == 0 &&
           found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino;
  });
}

absl::Status HeldByOthers(const std::string& path, absl::Duration timeout) {
  const std::vector<LockHolder> holders = ProcessesWithFileOpen(path);
  const std::string names =
      absl::StrJoin(holders, ", ", [](std::string* out, const LockHolder& holder) {
        absl::StrAppend(out, holder.pid, " (", holder.program, ")");
      });
  return absl::DeadlineExceededError(absl::StrCat(
      path, ": still locked after ", absl::FormatDuration(timeout), " by ",
      holders.empty() ? "processes that this user may not see" : absl::StrCat("pid ", names)));
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Take(const std::string& path, LockMode mode,
                                        absl::Duration timeout) {
  const absl::Duration deadline = MonotonicNow() + timeout;
  const int operation = (mode == LockMode::kShared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  absl::Duration pause = absl::Microseconds(200);
  while (true) {
    Fd fd(open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.valid()) return ErrnoStatus(errno, "cannot open lock file", path);
    while (flock(fd.get(), operation) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "cannot lock", path);
      if (MonotonicNow() >= deadline) return HeldByOthers(path, timeout);
      Pause(pause);
      pause = std::min(pause * 2, absl::Milliseconds(5));
    }
    // Someone may have replaced the file meanwhile: a lock on a nameless file guards nothing.
    if (SameFile(fd.get(), path)) return FileLock(std::move(fd));
  }
}

absl::Status FileLock::KeepAcrossExec() const {
  if (fcntl(fd_.get(), F_SETFD, 0) != 0) return ErrnoStatus(errno, "cannot pass on", "a lock");
  return absl::OkStatus();
}

void FileLock::Release() {
  if (!fd_.valid()) return;
  flock(fd_.get(), LOCK_UN);
  fd_.Reset();
}

std::vector<LockHolder> ProcessesWithFileOpen(const std::string& path) {
  std::vector<LockHolder> holders;
  struct stat wanted = {};
  const absl::StatusOr<std::vector<std::string>> processes = ListDirectory("/proc", kNamesMax);
  if (!processes.ok() || stat(path.c_str(), &wanted) != 0) return holders;
  for (const std::string& name : *processes) {
    LockHolder holder;
    if (!absl::SimpleAtoi(name, &holder.pid) || holder.pid == getpid()) continue;
    const std::string process = absl::StrCat("/proc/", name);
    if (!HasOpen(process, wanted)) continue;
    holder.program = ReadFile(process + "/comm", 64).value_or("unknown");
    holder.program = holder.program.substr(0, holder.program.find('\n'));
    holders.push_back(holder);
  }
  return holders;
}

bool HasFileOpen(pid_t pid, const std::string& path) {
  struct stat wanted = {};
  return stat(path.c_str(), &wanted) == 0 && HasOpen(absl::StrCat("/proc/", pid), wanted);
}

}  // namespace baton
