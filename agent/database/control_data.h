// What a PostgreSQL cluster's control file says, read with the server's own pg_controldata.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/os/process.h"
#include "common/protocol/position.h"

namespace baton::postgresql {

// The fields that Baton uses. True only for the moment of reading while the server runs: it writes
// the file at checkpoints and at changes of state, not with every record.
struct ControlData {
  std::string system_id;         // decimal, as PostgreSQL prints it
  std::string state;             // "shut down", "in production", "in archive recovery", …
  LogPosition checkpoint;        // latest checkpoint, or restart point of a standby
  std::string redo_file;         // log file with the start of replay
  LogPosition minimum_recovery;  // none: never recovered since it last wrote
  uint64_t segment_bytes = 0;    // size of a log file; a power of two

  // "shut down": nothing was written after the checkpoint at `checkpoint`.
  bool stopped_as_primary() const { return state == "shut down"; }
  bool stopped_as_standby() const { return state == "shut down in recovery"; }
  // It is a standby, or was one when it last ran.
  bool in_recovery() const { return stopped_as_standby() || state == "in archive recovery"; }
  // What ran last took writes, and was not started as a standby since. A copy of the data directory
  // of one that runs says so too.
  bool wrote_last() const {
    return stopped_as_primary() || state == "shutting down" || state == "in production" ||
           state == "in crash recovery";
  }
  // The highest timeline that the file knows of.
  uint32_t timeline() const;
};

// DATA_LOSS naming the field that is missing or not understood. Pure.
absl::StatusOr<ControlData> ParseControlData(std::string_view text);

// Runs `bin_directory`/pg_controldata on `data_directory`, within `timeout`. Blocks. UNAVAILABLE or
// DEADLINE_EXCEEDED when it cannot be run, DATA_LOSS when the control file is damaged.
// `before_start` as RunOptions::before_start.
absl::StatusOr<ControlData> ReadControlData(
    const std::string& bin_directory, const std::string& data_directory, absl::Duration timeout,
    std::function<absl::Status(const ProcessId&)> before_start = nullptr);

}  // namespace baton::postgresql
