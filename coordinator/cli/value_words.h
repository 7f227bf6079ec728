// Values as they are typed. Errors (INVALID_ARGUMENT) say what was found, what was wanted and how
// to write it; whoever asked puts the flag's name before them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "coordinator/cli/options.h"

namespace baton {

// "500ms", "90s", "1h30m": not negative, finite, a unit with each number.
absl::StatusOr<absl::Duration> ParseTime(const std::string& typed);
// ParseTime, or "any": InfiniteDuration.
absl::StatusOr<absl::Duration> ParseTimeOrAny(const std::string& typed);
// "4096", "16MB", "1.5 GiB": whole bytes. kB, MB, GB, TB count in 1000s; KiB, MiB, GiB, TiB in
// 1024s.
absl::StatusOr<uint64_t> ParseByteCount(const std::string& typed);
absl::StatusOr<uint64_t> ParseCount(const std::string& typed, uint64_t most);
// From 1, as `baton plan show` numbers them.
absl::StatusOr<uint32_t> ParseStepNumber(const std::string& typed);
// "HOST=DIRECTORY", the directory an absolute path.
absl::StatusOr<SalvageSource> ParseSalvage(const std::string& typed);
// "HOST/RESOURCE"
absl::StatusOr<InstanceName> ParseInstanceName(const std::string& typed);

}  // namespace baton
