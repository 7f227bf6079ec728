#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "agent/guard/archive.h"
#include "agent/guard/archived_file.h"
#include "agent/guard/log_file_name.h"
#include "agent/guard/share.h"
#include "common/base/status_macros.h"
#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/process.h"

namespace baton {
namespace {

constexpr size_t kNamesMax = 1 << 20;
constexpr size_t kTimelineDigits = 8;
constexpr off_t kPageAddressOffset = 8;  // of xlp_pageaddr in a log page's header

// Its pid file names a process of this host that works in it. Where that may not be seen, a
// PostgreSQL server of that pid is taken for it.
absl::Status RefuseAlive(const std::string& data_directory) {
  const absl::StatusOr<std::string> text = ReadFile(data_directory + "/postmaster.pid", 4096);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  pid_t pid = 0;
  if (!absl::SimpleAtoi(text->substr(0, text->find('\n')), &pid) || pid <= 1) {
    return absl::OkStatus();
  }
  const absl::StatusOr<ProcessId> process = IdentifyProcess(pid);
  if (!process.ok() || !IsAlive(*process)) return absl::OkStatus();
  const std::string program = ReadFile(absl::StrCat("/proc/", pid, "/comm"), 64).value_or("");
  if (program.rfind("postgres", 0) != 0) return absl::OkStatus();
  struct stat served = {};
  struct stat wanted = {};
  if (stat(absl::StrCat("/proc/", pid, "/cwd").c_str(), &served) == 0 &&
      stat(data_directory.c_str(), &wanted) == 0 &&
      (served.st_dev != wanted.st_dev || served.st_ino != wanted.st_ino)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(data_directory, ": its server is alive, as pid ", pid,
                   " of this host; fence it and ship its tail, or end it, before salvage"));
}

// Does the file hold log of its own number? A recycled one carries the address of its former life,
// a new one none. An error: it cannot be read, which says nothing of what it holds.
absl::StatusOr<bool> HoldsItsOwn(const std::string& path, const LogFileName& name) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info = {};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "cannot read", path);
  const absl::StatusOr<uint64_t> start = SegmentStart(name, static_cast<uint64_t>(info.st_size));
  if (!start.ok()) return false;
  uint64_t address = 0;
  const ssize_t got = pread(fd.get(), &address, sizeof(address), kPageAddressOffset);
  if (got < 0) return ErrnoStatus(errno, "cannot read", path);
  return got == static_cast<ssize_t>(sizeof(address)) && address == *start;
}

// Names of what is to be salvaged, history files first, each in order.
absl::StatusOr<std::vector<std::string>> Wanted(const std::string& folder,
                                                const std::string& from) {
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(folder, kNamesMax));
  std::vector<std::string> histories;
  std::vector<std::string> segments;
  for (const std::string& name : names) {
    const absl::StatusOr<LogFileName> parsed = ParseLogFileName(name);
    if (!parsed.ok()) continue;
    if (parsed->kind == LogFileKind::kHistory) histories.push_back(name);
    if (parsed->kind != LogFileKind::kSegment ||
        name.substr(0, kTimelineDigits) < from.substr(0, kTimelineDigits) ||
        name.substr(kTimelineDigits) < from.substr(kTimelineDigits)) {
      continue;
    }
    BATON_ASSIGN_OR_RETURN(const bool held, HoldsItsOwn(absl::StrCat(folder, "/", name), *parsed));
    if (held) segments.push_back(name);
  }
  histories.insert(histories.end(), segments.begin(), segments.end());
  return histories;
}

bool IsCopied(const ResourceConfig& config, const std::vector<Lineage>& fetch,
              const std::string& name) {
  return std::any_of(fetch.begin(), fetch.end(), [&](const Lineage& lineage) {
    const absl::StatusOr<LogFileName> parsed = ParseLogFileName(name);
    const absl::StatusOr<uint64_t> bytes =
        PublishedBytes(LineageFolder(config, config.copy_destination, lineage), name);
    return parsed.ok() && bytes.ok() && IsServed(*parsed, *bytes, lineage.sealed).value_or(false);
  });
}

absl::StatusOr<std::string> SalvageAll(const ResourceConfig& config,
                                       const std::vector<Lineage>& fetch,
                                       const std::string& data_directory, const std::string& from,
                                       const ProgressFunction& progress) {
  BATON_RETURN_IF_ERROR(RefuseAlive(data_directory));
  const std::string folder = data_directory + "/pg_wal";
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> names, Wanted(folder, from));
  uint64_t bytes = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    progress(i, names.size());
    if (IsCopied(config, fetch, names[i])) continue;
    BATON_ASSIGN_OR_RETURN(
        const FileSum sum,
        PublishFile(absl::StrCat(folder, "/", names[i]),
                    LineageFolder(config, config.copy_destination, fetch.back()), names[i],
                    std::nullopt, [&](uint64_t) { progress(i, names.size()); }));
    bytes += sum.bytes;
  }
  return absl::StrCat(bytes);
}

}  // namespace

absl::StatusOr<uint64_t> SalvageLogFiles(const ResourceConfig& config,
                                         const std::vector<Lineage>& fetch,
                                         const std::string& data_directory, const std::string& from,
                                         const ProgressFunction& progress) {
  if (fetch.empty() || !ParseLogFileName(from).ok()) {
    return absl::InvalidArgumentError("salvage: wanted a lineage and the first log file's name");
  }
  // The disk of a dead host may be mounted in any way, and hang.
  BoundedWork work;
  work.what = absl::StrCat("data directory ", data_directory);
  work.timeout = config.share_timeout;
  work.restart_on_progress = true;
  work.stuck_file =
      absl::StrCat(config.run_directory, "/", config.resource.value(), ".salvage.stuck");
  work.work = [&](const ProgressFunction& say) {
    return SalvageAll(config, fetch, data_directory, from, say);
  };
  work.progress = progress;
  BATON_ASSIGN_OR_RETURN(const std::string said, RunBounded(work));
  uint64_t bytes = 0;
  if (absl::SimpleAtoi(said, &bytes)) return bytes;
  return absl::InternalError(absl::StrCat("salvage: found \"", said, "\", wanted bytes"));
}

}  // namespace baton
