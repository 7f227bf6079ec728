#include "agent/guard/share.h"

#include "absl/strings/str_cat.h"

#include "agent/guard/archive.h"
#include "common/os/file.h"

namespace baton {

absl::StatusOr<std::string> ShareRoot(const ResourceConfig& config, const ShareId& share) {
  const auto found = config.shares.find(share);
  if (found != config.shares.end()) return found->second;
  return absl::FailedPreconditionError(
      absl::StrCat("resource ", config.resource.value(), ": found no share.", share.value(),
                   " in its file; say there where that share is mounted"));
}

absl::Status CheckShareMarker(const std::string& root, const ShareId& share) {
  const std::string path = absl::StrCat(root, "/", kShareMarker);
  const absl::StatusOr<std::string> text = ReadFile(path, 1024);
  if (!text.ok()) {
    return absl::UnavailableError(absl::StrCat("share ", share.value(), ": ",
                                               text.status().message(),
                                               "; without its marker it counts as not mounted"));
  }
  const std::string found = text->substr(0, text->find('\n'));
  if (found == share.value()) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, ": found share \"", found, "\", wanted \"",
                                             share.value(), "\"; another share is mounted there"));
}

BoundedWork WorkOnShare(const ResourceConfig& config, const ShareId& share) {
  BoundedWork work;
  work.what = absl::StrCat("share ", share.value());
  work.timeout = config.share_timeout;
  work.stuck_file = absl::StrCat(config.run_directory, "/", config.resource.value(), ".",
                                 share.value(), ".stuck");
  return work;
}

std::string LineageFolder(const ResourceConfig& config, const std::string& root,
                          const Lineage& lineage) {
  return absl::StrCat(root, "/", LineageDirectory(config.pool, config.resource, lineage));
}

}  // namespace baton
