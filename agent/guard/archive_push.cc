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

// The lineage that this instance may ship to now. The phase as written counts: a reboot takes the
// right to start, not the right to ship what was written under it.
absl::StatusOr<Lineage> ShippingLineage(const ResourceConfig& config) {
  const absl::StatusOr<FenceRecord> fence = ReadFenceFile(config);
  if (!fence.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("shipping is refused: ", fence.status().message(), "; that counts as closed"));
  }
  if (fence->phase == FencePhase::kClosed) {
    return absl::FailedPreconditionError(
        absl::StrCat("shipping is refused: the fence is closed under epoch ",
                     fence->fence_epoch.ToString(), "; this log was shipped to its end"));
  }
  if (!fence->write.has_value()) {
    return absl::FailedPreconditionError(
        "shipping is refused: the fence file names no lineage that this instance may write");
  }
  return *fence->write;
}

}  // namespace

absl::Status PushLogFile(const ResourceConfig& config, const std::string& path) {
  const std::string name = BaseName(path);
  BATON_RETURN_IF_ERROR(ParseLogFileName(name).status());
  BATON_ASSIGN_OR_RETURN(const Lineage lineage, ShippingLineage(config));
  BATON_ASSIGN_OR_RETURN(const std::string root, ShareRoot(config, lineage.share));
  BoundedWork work = WorkOnShare(config, lineage.share);
  work.work = [&](const ProgressFunction&) -> absl::StatusOr<std::string> {
    BATON_RETURN_IF_ERROR(CheckShareMarker(root, lineage.share));
    BATON_ASSIGN_OR_RETURN(
        const FileSum sum,
        PublishFile(path, LineageFolder(config, root, lineage), name, std::nullopt, nullptr));
    // Unmounted meanwhile, the bytes lie under the mount point, where nobody will look.
    BATON_RETURN_IF_ERROR(CheckShareMarker(root, lineage.share));
    return sum.ToString();
  };
  BATON_RETURN_IF_ERROR(RunBounded(work).status());
  // A push that was held up across the seal must not be counted: the seal may lie before it.
  BATON_ASSIGN_OR_RETURN(const Lineage still, ShippingLineage(config));
  if (still == lineage) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(name, ": the lineage to write changed from epoch ", lineage.epoch.ToString(),
                   " to ", still.epoch.ToString(), " while it was shipped; ship it again"));
}

}  // namespace baton
