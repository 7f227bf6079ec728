// Which boot of the host this is.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace baton {

// The first word of `path` (usually /proc/sys/kernel/random/boot_id). NOT_FOUND, or DATA_LOSS for
// an empty file: the boot is then not known, and nothing counts as confirmed in it.
absl::StatusOr<std::string> ReadBootId(const std::string& path);

}  // namespace baton
