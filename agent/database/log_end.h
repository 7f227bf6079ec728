// Where a stopped instance's own log ends, and what lies in it beyond a position.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/database/control_data.h"
#include "agent/database/data_directory.h"
#include "common/protocol/position.h"

namespace baton::postgresql {

// The end of a clean stop's log, else the end of the last page that holds log of its own address:
// at most a page beyond the last record. Reads the last file only. Blocking.
absl::StatusOr<LogPosition> FindLogEnd(const std::string& data_directory,
                                       const ControlData& control);

struct LogBeyond {
  uint64_t commits = 0;
  absl::Time first_commit = absl::InfinitePast();
  absl::Time last_commit = absl::InfinitePast();
};
// Counts commits from `fork` on in the timeline of `end`, with pg_waldump. DATA_LOSS: the log from
// there on cannot be read.
absl::StatusOr<LogBeyond> CountBeyond(const std::string& bin_directory,
                                      const std::string& data_directory, const LogPosition& fork,
                                      const LogPosition& end, absl::Duration timeout);

// A line of pg_waldump; a commit's time goes to `beyond`. Pure.
void TakeDumpLine(std::string_view line, LogBeyond* beyond);

}  // namespace baton::postgresql
