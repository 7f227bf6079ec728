// A share as one host sees it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/guard/bounded_work.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/resource_config.h"

namespace baton {

// Where the share is mounted on this host. FAILED_PRECONDITION: the resource file doesn't say.
absl::StatusOr<std::string> ShareRoot(const ResourceConfig& config, const ShareId& share);

// OK when the share's root holds the marker with its name. UNAVAILABLE else: an unmounted share
// looks empty, and empty looks drained. May hang: only in bounded work.
absl::Status CheckShareMarker(const std::string& root, const ShareId& share);

// Bounded work on `share`, one stuck process at most at a time.
BoundedWork WorkOnShare(const ResourceConfig& config, const ShareId& share);

// Where the files of `lineage` lie below a root.
std::string LineageFolder(const ResourceConfig& config, const std::string& root,
                          const Lineage& lineage);

}  // namespace baton
