#include <cstddef>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/guard/archive.h"
#include "agent/guard/archived_file.h"
#include "agent/guard/fence_file.h"
#include "agent/guard/log_file_name.h"
#include "agent/guard/share.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {
namespace {

constexpr size_t kNamesMax = 4 << 20;

// NOT_FOUND is kept for "no lineage serves it yet", which is no trouble; anything else that was not
// found is.
absl::Status AsTrouble(const absl::Status& status) {
  return absl::IsNotFound(status) ? absl::UnavailableError(status.message()) : status;
}

// Does `lineage` serve `name`, which lies in `folder`? False too when it is not there.
absl::StatusOr<bool> ServedFrom(const std::string& folder, const std::string& name,
                                const Lineage& lineage) {
  BATON_ASSIGN_OR_RETURN(const LogFileName parsed, ParseLogFileName(name));
  const absl::StatusOr<uint64_t> bytes = PublishedBytes(folder, name);
  if (absl::IsNotFound(bytes.status())) return false;
  if (!bytes.ok()) return bytes.status();
  return IsServed(parsed, *bytes, lineage.sealed);
}

// Copies `name` from its share to the copy destination if the lineage serves it. "copied", or
// NOT_FOUND.
absl::Status CopyOne(const ResourceConfig& config, const Lineage& lineage,
                     const std::string& name) {
  BATON_ASSIGN_OR_RETURN(const std::string root, ShareRoot(config, lineage.share));
  BoundedWork work = WorkOnShare(config, lineage.share);
  work.work = [&](const ProgressFunction&) -> absl::StatusOr<std::string> {
    BATON_RETURN_IF_ERROR(CheckShareMarker(root, lineage.share));
    const std::string from = LineageFolder(config, root, lineage);
    BATON_ASSIGN_OR_RETURN(const bool served, ServedFrom(from, name, lineage));
    if (!served) return absl::NotFoundError(absl::StrCat(name, ": not served"));
    BATON_ASSIGN_OR_RETURN(const FileSum sum, ReadFileSum(from, name));
    const absl::StatusOr<FileSum> copied =
        PublishFile(absl::StrCat(from, "/", name),
                    LineageFolder(config, config.copy_destination, lineage), name, sum, nullptr);
    if (!copied.ok()) return AsTrouble(copied.status());
    return std::string("copied");
  };
  return RunBounded(work).status();
}

// A fetch that was held up across a seal must not slip in what came after it.
absl::Status StillServed(const ResourceConfig& config, const Lineage& lineage,
                         const std::string& name, const std::string& folder) {
  const absl::StatusOr<FenceRecord> now = ReadFenceFile(config);
  if (!now.ok()) return AsTrouble(now.status());
  for (const Lineage& listed : now->fetch) {
    if (listed.system_id != lineage.system_id || listed.epoch != lineage.epoch ||
        listed.instance != lineage.instance) {
      continue;
    }
    BATON_ASSIGN_OR_RETURN(const bool served, ServedFrom(folder, name, listed));
    if (served) return absl::OkStatus();
  }
  return absl::NotFoundError(absl::StrCat(name, ": not served any more"));
}

struct PendingFile {
  const Lineage* lineage = nullptr;
  std::string from;  // folder
  std::string name;
  uint64_t bytes = 0;
};

bool IsCopied(const LogFileName& name) {
  return name.kind == LogFileKind::kSegment || name.kind == LogFileKind::kHistory;
}

absl::StatusOr<std::vector<PendingFile>> PendingOf(const ResourceConfig& config,
                                                   const Lineage& lineage) {
  std::vector<PendingFile> pending;
  BATON_ASSIGN_OR_RETURN(const std::string root, ShareRoot(config, lineage.share));
  BATON_RETURN_IF_ERROR(CheckShareMarker(root, lineage.share));
  const std::string from = LineageFolder(config, root, lineage);
  const std::string to = LineageFolder(config, config.copy_destination, lineage);
  const absl::StatusOr<std::vector<std::string>> names = ListDirectory(from, kNamesMax);
  if (absl::IsNotFound(names.status())) return pending;  // marker seen: nothing was shipped yet
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const absl::StatusOr<LogFileName> parsed = ParseLogFileName(name);
    if (!parsed.ok() || !IsCopied(*parsed) || PublishedBytes(to, name).ok()) continue;
    BATON_ASSIGN_OR_RETURN(const bool served, ServedFrom(from, name, lineage));
    if (!served) continue;
    BATON_ASSIGN_OR_RETURN(const uint64_t bytes, PublishedBytes(from, name));
    pending.push_back({&lineage, from, name, bytes});
  }
  return pending;
}

absl::StatusOr<std::string> CopyAll(const ResourceConfig& config, const std::vector<Lineage>& fetch,
                                    const ProgressFunction& progress) {
  std::vector<PendingFile> all;
  uint64_t total = 0;
  for (const Lineage& lineage : fetch) {
    BATON_ASSIGN_OR_RETURN(const std::vector<PendingFile> pending, PendingOf(config, lineage));
    for (const PendingFile& file : pending) total += file.bytes;
    all.insert(all.end(), pending.begin(), pending.end());
    progress(0, total);
  }
  uint64_t done = 0;
  for (const PendingFile& file : all) {
    BATON_ASSIGN_OR_RETURN(const FileSum sum, ReadFileSum(file.from, file.name));
    BATON_RETURN_IF_ERROR(PublishFile(absl::StrCat(file.from, "/", file.name),
                                      LineageFolder(config, config.copy_destination, *file.lineage),
                                      file.name, sum,
                                      [&](uint64_t bytes) { progress(done + bytes, total); })
                              .status());
    done += file.bytes;
  }
  return absl::StrCat(done);
}

}  // namespace

absl::Status FetchLogFile(const ResourceConfig& config, const std::string& name,
                          const std::string& target) {
  BATON_RETURN_IF_ERROR(ParseLogFileName(name).status());
  const absl::StatusOr<FenceRecord> read = ReadFenceFile(config);
  if (!read.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("what may be fetched is not known: ", read.status().message()));
  }
  const FenceRecord& fence = *read;
  // Given the right, it goes on from the end of what was sealed, all of which was copied before: it
  // waits for no share, and takes nothing from a log that still grows.
  const bool holder = fence.write.has_value();
  const size_t count = holder ? CountSettled(fence.fetch) : fence.fetch.size();
  const auto end = fence.fetch.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto lineage = std::make_reverse_iterator(end); lineage != fence.fetch.rend(); ++lineage) {
    const std::string folder = LineageFolder(config, config.copy_destination, *lineage);
    const absl::StatusOr<uint64_t> bytes = PublishedBytes(folder, name);
    if (!absl::IsNotFound(bytes.status())) {
      BATON_ASSIGN_OR_RETURN(const bool served, ServedFrom(folder, name, *lineage));
      if (!served) continue;
      return AsTrouble(RestoreFile(folder, name, target));
    }
    if (holder) continue;
    const absl::Status copy = CopyOne(config, *lineage, name);
    if (absl::IsNotFound(copy)) continue;
    // An older lineage may hold other bytes under this name: not knowing is no reason to take them.
    if (!copy.ok()) return copy;
    BATON_RETURN_IF_ERROR(StillServed(config, *lineage, name, folder));
    return AsTrouble(RestoreFile(folder, name, target));
  }
  return absl::NotFoundError(absl::StrCat(name, ": no lineage of ", fence.fetch.size(),
                                          " in the fence file serves it yet"));
}

absl::StatusOr<uint64_t> CopyPendingLogFiles(const ResourceConfig& config,
                                             const std::vector<Lineage>& fetch,
                                             const ProgressFunction& progress) {
  uint64_t copied = 0;
  std::map<ShareId, std::vector<Lineage>> by_share;
  for (const Lineage& lineage : fetch) by_share[lineage.share].push_back(lineage);
  for (const auto& [share, lineages] : by_share) {
    BoundedWork work = WorkOnShare(config, share);
    work.restart_on_progress = true;
    work.progress = [&](uint64_t done, uint64_t total) {
      if (progress != nullptr) progress(copied + done, copied + total);
    };
    work.work = [&](const ProgressFunction& say) { return CopyAll(config, lineages, say); };
    BATON_ASSIGN_OR_RETURN(const std::string bytes, RunBounded(work));
    copied += std::stoull(bytes);
  }
  return copied;
}

}  // namespace baton
