// One log line per fact, on standard error, for a service manager to keep.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "spdlog/spdlog.h"

namespace baton {

// Sets up the process's default logger. `level`: trace, debug, info, warn, error or off; otherwise
// INVALID_ARGUMENT and nothing changes. Secrets are never logged, at any level.
absl::Status StartLogging(std::string_view program, std::string_view level);

}  // namespace baton
