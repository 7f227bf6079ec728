#include <algorithm>

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

absl::Status MarkIfEmpty(const std::string& root, const ShareId& share) {
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
  return WriteFileDurably(marker, share.value() + "\n", 0644);
}

}  // namespace

absl::Status PrepareShare(const ResourceConfig& config) {
  BATON_ASSIGN_OR_RETURN(const std::string root, ShareRoot(config, config.share));
  BoundedWork work = WorkOnShare(config, config.share);
  work.work = [&](const ProgressFunction&) -> absl::StatusOr<std::string> {
    BATON_RETURN_IF_ERROR(MarkIfEmpty(root, config.share));
    const Lineage any = {"any", {}, config.host, config.share, std::nullopt};
    BATON_RETURN_IF_ERROR(
        MakeDirectories(DirectoryOf(DirectoryOf(LineageFolder(config, root, any))), 0755));
    return std::string();
  };
  return RunBounded(work).status();
}

}  // namespace baton
