// What a quarantine folder holds: QUARANTINE/NAME/data, a data directory that was moved aside, and
// QUARANTINE/NAME/manifest, which says what lies in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/protocol/observation.h"
#include "common/protocol/resource_config.h"

namespace baton::postgresql {

struct Manifest {
  QuarantineEntry entry;
  std::string system_id;
};

// The resource's quarantine_directory, else "quarantine" beside the data directory.
std::string QuarantineFolder(const ResourceConfig& config);
// INVALID_ARGUMENT for what is no plain name.
absl::Status CheckQuarantineName(const std::string& name);

std::string FormatManifest(const Manifest& manifest);
// DATA_LOSS when it is not understood.
absl::StatusOr<Manifest> ParseManifest(std::string_view text);

// NOT_FOUND: there is none of that name.
absl::StatusOr<Manifest> ReadManifest(const ResourceConfig& config, const std::string& name);
absl::Status WriteManifest(const ResourceConfig& config, const Manifest& manifest);

// Entries whose data is there, newest first, kQuarantineShownMax at most.
std::vector<QuarantineEntry> ListQuarantine(const ResourceConfig& config);

}  // namespace baton::postgresql
