#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "agent/guard/archive.h"
#include "agent/guard/share.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace baton {
namespace {

absl::Status TryWrite(const std::string& folder, const std::string& name) {
  const std::string path = absl::StrCat(folder, "/.baton-check-", name, "-", getpid());
  const absl::Status written = WriteFileDurably(path, std::string(4096, 'b'), 0644);
  unlink(path.c_str());
  return written;
}

}  // namespace

absl::Status CheckShares(const ResourceConfig& config) {
  for (const auto& entry : config.shares) {
    const ShareId share = entry.first;
    const std::string root = entry.second;
    BoundedWork work = WorkOnShare(config, share);
    work.work = [&](const ProgressFunction&) -> absl::StatusOr<std::string> {
      BATON_RETURN_IF_ERROR(CheckShareMarker(root, share));
      if (share == config.share) BATON_RETURN_IF_ERROR(TryWrite(root, config.host.value()));
      return std::string();
    };
    const absl::StatusOr<std::string> checked = RunBounded(work);
    if (!checked.ok()) {
      return absl::UnavailableError(
          absl::StrCat("share ", share.value(), " at ", root, ": ", checked.status().message()));
    }
  }
  if (config.copy_destination.empty()) return absl::OkStatus();
  BATON_RETURN_IF_ERROR(MakeDirectories(config.copy_destination, 0755));
  return TryWrite(config.copy_destination, config.host.value());
}

}  // namespace baton
