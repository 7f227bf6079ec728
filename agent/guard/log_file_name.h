// Names of log files, and which of them a sealed lineage may serve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "common/protocol/fence_state.h"
#include "common/protocol/position.h"

namespace baton {

enum class LogFileKind { kSegment, kPartialSegment, kHistory, kBackupLabel };

// What PostgreSQL calls its log files: TTTTTTTTXXXXXXXXYYYYYYYY (timeline, high half of the
// address, segment within it), TTTTTTTT.history, and a segment's name with .partial or
// .OFFSET.backup behind.
struct LogFileName {
  LogFileKind kind = LogFileKind::kSegment;
  uint32_t timeline = 0;
  uint32_t high = 0;
  uint32_t segment = 0;
};

// INVALID_ARGUMENT for every other name, paths above all.
absl::StatusOr<LogFileName> ParseLogFileName(std::string_view name);

// Address of a segment's first byte. DATA_LOSS when a segment of that name cannot have
// `segment_bytes` (a power of two from 1 MiB to 1 GiB).
absl::StatusOr<uint64_t> SegmentStart(const LogFileName& name, uint64_t segment_bytes);

// May a lineage that is sealed at `sealed` (none: still growing) serve this file? Nothing of a
// later timeline; segments whose first byte lies at or before the seal.
absl::StatusOr<bool> IsServed(const LogFileName& name, uint64_t file_bytes,
                              const std::optional<LogPosition>& sealed);

// How many of `fetch`, from its first on, serve one that holds the right: up to the last sealed
// one. Those before it do not grow any more, sealed or not: a primary that was adopted anew goes on
// in a lineage of its own, and what it had shipped before is sealed by no position.
size_t CountSettled(const std::vector<Lineage>& fetch);

}  // namespace baton
