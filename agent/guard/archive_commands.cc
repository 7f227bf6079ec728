#include "agent/guard/archive_commands.h"

#include <cinttypes>
#include <cstdio>
#include <signal.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "agent/guard/archive.h"
#include "agent/guard/exit_codes.h"
#include "agent/guard/fence_file.h"
#include "agent/guard/resource.h"

namespace baton {
namespace {

constexpr size_t kInputBytesMax = 512 * 1024;

void Complain(const std::string& verb, const absl::Status& status) {
  std::fprintf(stderr, "baton-guard %s: %s\n", verb.c_str(), std::string(status.message()).c_str());
}

int Report(const std::string& verb, const absl::Status& status) {
  if (status.ok()) return 0;
  Complain(verb, status);
  return kExitStatusBase + static_cast<int>(status.code());
}

void EndAsNotThere(int) { _exit(kExitFailed); }

// An end by signal would end the caller too.
void EndBySignalIsOne() {
  struct sigaction action = {};
  action.sa_handler = EndAsNotThere;
  for (int signal = 1; signal < SIGSYS + 1; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP && signal != SIGCHLD && signal != SIGCONT &&
        signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU && signal != SIGWINCH &&
        signal != SIGURG) {
      sigaction(signal, &action, nullptr);
    }
  }
}

void SayProgress(uint64_t done, uint64_t total) {
  std::printf("progress %" PRIu64 " %" PRIu64 "\n", done, total);
  std::fflush(stdout);
}

int ReportCopied(const std::string& verb, const absl::StatusOr<uint64_t>& copied) {
  if (copied.ok()) std::printf("copied %" PRIu64 "\n", *copied);
  return Report(verb, copied.status());
}

absl::StatusOr<FenceRecord> FenceFromInput() {
  std::string text;
  char buffer[4096];
  for (size_t n = fread(buffer, 1, sizeof(buffer), stdin); n > 0;
       n = fread(buffer, 1, sizeof(buffer), stdin)) {
    text.append(buffer, n);
    if (text.size() > kInputBytesMax) break;
  }
  return ParseFenceRecord(text);
}

}  // namespace

int ArchivePushCommand(const ResourceConfig& config, const std::string& path) {
  EndBySignalIsOne();
  return Report("archive-push", PushLogFile(config, path));
}

int ArchiveFetchCommand(const std::vector<std::string>& words) {
  EndBySignalIsOne();
  if (words.size() != 4) {
    Complain("archive-fetch", absl::InvalidArgumentError("wanted RESOURCE NAME PATH"));
    return kExitFailed;
  }
  const absl::StatusOr<Resource> resource = LoadResource(words[1]);
  const absl::Status fetched = resource.ok() ? FetchLogFile(resource->config, words[2], words[3])
                                             : absl::Status(resource.status());
  if (fetched.ok()) return 0;
  if (!resource.ok() || !absl::IsNotFound(fetched)) Complain("archive-fetch", fetched);
  return kExitFailed;
}

int ArchiveCopyCommand(const ResourceConfig& config, bool lineages_from_input) {
  const absl::StatusOr<FenceRecord> fence =
      lineages_from_input ? FenceFromInput() : ReadFenceFile(config);
  if (!fence.ok()) return Report("archive-copy", fence.status());
  return ReportCopied("archive-copy", CopyPendingLogFiles(config, fence->fetch, SayProgress));
}

int ArchiveCheckCommand(const ResourceConfig& config) {
  return Report("archive-check", CheckShares(config));
}

int ArchiveListCommand(const ResourceConfig& config, const std::string& from) {
  const absl::StatusOr<FenceRecord> fence = FenceFromInput();
  if (!fence.ok()) return Report("archive-list", fence.status());
  const absl::StatusOr<std::string> lines = ListLogFiles(config, fence->fetch, from, true);
  if (lines.ok()) std::printf("%s\n", lines->c_str());
  return Report("archive-list", lines.status());
}

int ArchiveSalvageCommand(const ResourceConfig& config, const std::string& data_directory,
                          const std::string& from) {
  const absl::StatusOr<FenceRecord> fence = FenceFromInput();
  if (!fence.ok()) return Report("archive-salvage", fence.status());
  return ReportCopied("archive-salvage",
                      SalvageLogFiles(config, fence->fetch, data_directory, from, SayProgress));
}

int ArchivePrepareCommand(const ResourceConfig& config) {
  return Report("archive-prepare", PrepareShare(config));
}

}  // namespace baton
