#include "agent/guard/fence_file.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "common/base/status_macros.h"
#include "common/os/boot.h"
#include "common/os/file.h"
#include "common/os/process.h"

namespace baton {
namespace {

constexpr size_t kFenceBytesMax = 512 * 1024;
constexpr int kTriesMax = 16;

absl::Status CheckBelongs(const ResourceConfig& config, const FenceRecord& record) {
  if (record.pool == config.pool && record.resource == config.resource) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(config.fence_file, ": found the fence of ", record.pool.value(), "/",
                   record.resource.value(), ", wanted that of ", config.pool.value(), "/",
                   config.resource.value(), "; two resource files may name one fence file"));
}

// Does `pid` serve this data directory? Its working directory tells; none: it may not be seen.
std::optional<bool> ServesDataDirectory(const ResourceConfig& config, pid_t pid) {
  const std::string program = ReadFile(absl::StrCat("/proc/", pid, "/comm"), 64).value_or("");
  if (program.rfind("postgres", 0) != 0) return false;
  struct stat served = {};
  struct stat wanted = {};
  if (stat(absl::StrCat("/proc/", pid, "/cwd").c_str(), &served) != 0 ||
      stat(config.data_directory.c_str(), &wanted) != 0) {
    return std::nullopt;
  }
  return served.st_dev == wanted.st_dev && served.st_ino == wanted.st_ino;
}

bool SameFile(const absl::StatusOr<FenceRecord>& a, const absl::StatusOr<FenceRecord>& b) {
  return a.ok() && b.ok() ? *a == *b : a.status() == b.status();
}

// OK: `record` may follow `before`.
absl::Status CheckMayFollow(const ResourceConfig& config, const absl::StatusOr<FenceRecord>& before,
                            const FenceRecord& record) {
  if (const absl::Status belongs = CheckBelongs(config, record); !belongs.ok()) {
    return absl::FailedPreconditionError(belongs.message());
  }
  if (before.ok() && record.fence_epoch < before->fence_epoch) {
    return absl::FailedPreconditionError(absl::StrCat(
        config.fence_file, ": found fence epoch ", before->fence_epoch.ToString(),
        ", refuse to lower it to ", record.fence_epoch.ToString(), "; use a higher one"));
  }
  return absl::OkStatus();
}

// Writes `record` where the file still is as in `before`; false: it is not.
absl::StatusOr<bool> Replace(const ResourceConfig& config,
                             const absl::StatusOr<FenceRecord>& before, const FenceRecord& record,
                             absl::Duration wait) {
  absl::StatusOr<FileLock> lock =
      FileLock::Take(FenceEditLockFile(config), LockMode::kExclusive, wait);
  if (absl::IsDeadlineExceeded(lock.status())) {
    return absl::UnavailableError(
        absl::StrCat(config.fence_file, " was not written: ", lock.status().message()));
  }
  if (!lock.ok()) return lock.status();
  const ScopedFileLock editing(*std::move(lock));
  if (!SameFile(ReadFenceFile(config), before)) return false;
  if (before.ok() && *before == record) {
    // Whoever wrote it may have died between its rename and the folder's sync.
    BATON_RETURN_IF_ERROR(SyncDirectory(DirectoryOf(config.fence_file)));
    return true;
  }
  BATON_RETURN_IF_ERROR(WriteFileDurably(config.fence_file, FormatFenceRecord(record), 0644));
  return true;
}

}  // namespace

std::string FenceLockFile(const ResourceConfig& config) { return config.fence_file + ".lock"; }

std::string FenceEditLockFile(const ResourceConfig& config) { return config.fence_file + ".edit"; }

std::string IncompleteMarker(const ResourceConfig& config) {
  return config.data_directory + ".baton-incomplete";
}

absl::StatusOr<FenceRecord> ReadFenceFile(const ResourceConfig& config) {
  BATON_ASSIGN_OR_RETURN(const std::string text, ReadFile(config.fence_file, kFenceBytesMax));
  absl::StatusOr<FenceRecord> record = ParseFenceRecord(text);
  if (!record.ok()) {
    return absl::DataLossError(absl::StrCat(config.fence_file, ": ", record.status().message()));
  }
  BATON_RETURN_IF_ERROR(CheckBelongs(config, *record));
  return record;
}

absl::Status UpdateFenceFile(
    const ResourceConfig& config,
    const std::function<absl::StatusOr<FenceRecord>(const absl::StatusOr<FenceRecord>&)>& next,
    const std::function<absl::Status(const FenceRecord&)>& before_write, absl::Duration edit_wait) {
  BATON_RETURN_IF_ERROR(MakeDirectories(DirectoryOf(config.fence_file), 0755));
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const absl::StatusOr<FenceRecord> before = ReadFenceFile(config);
    BATON_ASSIGN_OR_RETURN(const FenceRecord record, next(before));
    BATON_RETURN_IF_ERROR(CheckMayFollow(config, before, record));
    if (before_write != nullptr) BATON_RETURN_IF_ERROR(before_write(record));
    BATON_ASSIGN_OR_RETURN(const bool written, Replace(config, before, record, edit_wait));
    if (written) return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat(config.fence_file,
                                             " was not written: others wrote it ", kTriesMax,
                                             " times meanwhile; try again"));
}

absl::Status PlaceStandbySignal(const ResourceConfig& config) {
  if (config.kind != ResourceKind::kDatabase) {
    return absl::FailedPreconditionError(absl::StrCat(
        config.resource.value(), ": a chat server knows no standby; only databases do"));
  }
  const std::string path = config.data_directory + "/standby.signal";
  BATON_RETURN_IF_ERROR(TouchFileDurably(path, 0600));
  struct stat folder = {};
  if (geteuid() == 0 && stat(config.data_directory.c_str(), &folder) == 0 &&
      lchown(path.c_str(), folder.st_uid, folder.st_gid) != 0) {
    return ErrnoStatus(errno, "cannot give to the data directory's owner", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<pid_t> ServerByPidFile(const ResourceConfig& config) {
  if (config.kind != ResourceKind::kDatabase) return 0;
  const absl::StatusOr<std::string> text =
      ReadFile(config.data_directory + "/postmaster.pid", 4096);
  if (absl::IsNotFound(text.status())) return 0;
  if (!text.ok()) return text.status();
  pid_t pid = 0;
  if (!absl::SimpleAtoi(text->substr(0, text->find('\n')), &pid) || pid <= 1) return 0;
  const absl::StatusOr<ProcessId> process = IdentifyProcess(pid);
  if (!process.ok() || !IsAlive(*process) || !ServesDataDirectory(config, pid).value_or(true)) {
    return 0;
  }
  return pid;
}

bool IsSeenToServe(const ResourceConfig& config, pid_t pid) {
  return ServesDataDirectory(config, pid).value_or(false);
}

absl::Status ProveNothingRuns(const ResourceConfig& config, absl::Duration timeout) {
  absl::StatusOr<FileLock> lock =
      FileLock::Take(FenceLockFile(config), LockMode::kExclusive, timeout);
  if (!lock.ok()) return lock.status();
  const ScopedFileLock alone(*std::move(lock));
  BATON_ASSIGN_OR_RETURN(const pid_t pid, ServerByPidFile(config));
  if (pid == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      config.data_directory, ": nobody holds the gate's lock, yet a server runs as pid ", pid,
      ": it was started past the gate; end it with `kill -INT ", pid, "`, then try again"));
}

std::optional<ProcessId> FindServer(const ResourceConfig& config) {
  const pid_t by_pid_file = ServerByPidFile(config).value_or(0);
  for (const LockHolder& holder : ProcessesWithFileOpen(FenceLockFile(config))) {
    // A database's processes all hold the lock; a chat server leads the session it was started in.
    const bool is_server = config.kind == ResourceKind::kDatabase
                               ? holder.pid == by_pid_file
                               : getsid(holder.pid) == holder.pid;
    if (!is_server) continue;
    const absl::StatusOr<ProcessId> server = IdentifyProcess(holder.pid);
    if (server.ok() && IsAlive(*server)) return *server;
  }
  return std::nullopt;
}

BootId CurrentBoot(const ResourceConfig& config) {
  return BootId(ReadBootId(config.boot_id_file).value_or(""));
}

}  // namespace baton
