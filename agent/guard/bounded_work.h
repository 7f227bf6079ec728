// Work on a filesystem that may freeze, done by a child process which the caller never waits for
// longer than it said (protocol.md "Archives have lineage").
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace baton {

// Said by the child while it works. Calling it is also a sign of life.
using ProgressFunction = std::function<void(uint64_t done, uint64_t total)>;

struct BoundedWork {
  std::string what;        // for messages: "share home-share at /mnt/home"
  absl::Duration timeout;  // from the start, or since the last sign of life
  bool restart_on_progress = false;
  // A file that remembers a child which no signal ended: as long as that child exists no further
  // one is made, so that a frozen filesystem costs one process and not one per call. Empty: none.
  std::string stuck_file;
  // Runs in the child, which has no descriptor of the caller's above standard error: neither what
  // the caller opened nor a lock that it holds.
  std::function<absl::StatusOr<std::string>(const ProgressFunction&)> work;
  ProgressFunction progress;  // runs in the caller
};

// What the child's work returned. UNAVAILABLE: the time passed, or the child died. The caller must
// have no other thread: the child goes on with a copy of its memory.
absl::StatusOr<std::string> RunBounded(const BoundedWork& bounded);

}  // namespace baton
