#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <utility>

#include "absl/strings/str_cat.h"

#include "agent/guard/archive.h"
#include "agent/guard/share.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {
namespace {

constexpr size_t kNamesMax = 1 << 16;

// Made by the filesystem itself.
bool CountsAsEmpty(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == "lost+found"; });
}

absl::StatusOr<dev_t> FilesystemOf(const std::string& path) {
  struct stat found = {};
  if (stat(path.c_str(), &found) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot look at ", path));
  }
  return found.st_dev;
}

// A share whose root lies on this host's own disk is, as a rule, one that is not mounted, and what
// were written there would end with the host.
absl::Status CheckMounted(const ResourceConfig& config, const std::string& root) {
  BATON_ASSIGN_OR_RETURN(const dev_t found, FilesystemOf(root));
  const std::pair<const char*, std::string> own[] = {{"root", "/"},
                                                     {"data directory", config.data_directory}};
  for (const auto& [what, path] : own) {
    const absl::StatusOr<dev_t> filesystem = FilesystemOf(path);
    if (absl::IsNotFound(filesystem.status())) continue;  // nothing was set up yet
    BATON_RETURN_IF_ERROR(filesystem.status());
    if (*filesystem != found) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        root, ": found an empty folder on the filesystem of this host's ", what, " (", path,
        "), wanted one where ", config.share.value(), " is mounted; mount it and ask again. If ",
        "logs are to be kept on this disk, say so with a marker: echo ", config.share.value(),
        " > ", root, "/", kShareMarker));
  }
  return absl::OkStatus();
}

absl::Status MarkIfEmpty(const ResourceConfig& config, const std::string& root) {
  const ShareId& share = config.share;
  const std::string marker = absl::StrCat(root, "/", kShareMarker);
  BATON_ASSIGN_OR_RETURN(const bool marked, Exists(marker));
  if (marked) return CheckShareMarker(root, share);
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(root, kNamesMax));
  if (!CountsAsEmpty(names)) {
    return absl::FailedPreconditionError(
        absl::StrCat(root, ": found ", names.size(), " names and no ", kShareMarker,
                     ", wanted an empty folder or the marker of ", share.value(),
                     "; is this the right folder? Then write the marker by hand"));
  }
  BATON_RETURN_IF_ERROR(CheckMounted(config, root));
  return WriteFileDurably(marker, share.value() + "\n", 0644);
}

}  // namespace

absl::Status PrepareShare(const ResourceConfig& config) {
  BATON_ASSIGN_OR_RETURN(const std::string root, ShareRoot(config, config.share));
  BoundedWork work = WorkOnShare(config, config.share);
  work.work = [&](const ProgressFunction&) -> absl::StatusOr<std::string> {
    BATON_RETURN_IF_ERROR(MarkIfEmpty(config, root));
    const Lineage any = {"any", {}, config.host, config.share, std::nullopt};
    BATON_RETURN_IF_ERROR(
        MakeDirectories(DirectoryOf(DirectoryOf(LineageFolder(config, root, any))), 0755));
    return std::string();
  };
  return RunBounded(work).status();
}

}  // namespace baton
