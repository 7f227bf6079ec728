// Locks between processes that outlive the code that took them: flock on a file, kept by every
// process that inherited the descriptor, let go when the last of them is gone.
#pragma once

#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/os/fd.h"

namespace baton {

enum class LockMode { kShared, kExclusive };

// A held lock. Let go when the last descriptor that shares it is closed. Thread-compatible.
class FileLock {
 public:
  // Waits at most `timeout` (zero: tries once). Makes the file if it is missing (mode 0644; reading
  // is all that a lock needs). The lock is on the file that `path` names when this returns.
  // DEADLINE_EXCEEDED: others hold it; the message names their pids and programs.
  static absl::StatusOr<FileLock> Take(const std::string& path, LockMode mode,
                                       absl::Duration timeout);

  int fd() const { return fd_.get(); }
  // From now on a program that this process execs holds the lock too.
  absl::Status KeepAcrossExec() const;
  // Lets it go at once, also for processes that were forked meanwhile and have not exec'd yet.
  void Release();

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// A lock that is let go at the end of its scope, by Release.
class ScopedFileLock {
 public:
  explicit ScopedFileLock(FileLock lock) : lock_(std::move(lock)) {}
  ~ScopedFileLock() { lock_.Release(); }
  ScopedFileLock(const ScopedFileLock&) = delete;
  ScopedFileLock& operator=(const ScopedFileLock&) = delete;

 private:
  FileLock lock_;
};

struct LockHolder {
  pid_t pid = 0;
  std::string program;  // /proc/PID/comm
};
// Processes of this host that have `path` open, as far as this user may see; the caller's own
// process is left out. For messages: never a proof of absence.
std::vector<LockHolder> ProcessesWithFileOpen(const std::string& path);
// Is process `pid` one of them?
bool HasFileOpen(pid_t pid, const std::string& path);

}  // namespace baton
