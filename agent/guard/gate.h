// The start gate: what stands between a service manager and a server (protocol.md "The gate").
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/os/lock.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/resource_config.h"

namespace baton {

// The verdict, and the shared lock under which it was found. While the lock is held, whoever writes
// a stricter fence knows that something may be running.
struct GatePass {
  FileLock lock;
  std::optional<FenceRecord> fence;
  GateDecision decision;
};

// Takes the shared lock, then looks. An error means that something could not be looked at: nothing
// may start then either.
absl::StatusOr<GatePass> PassGate(const ResourceConfig& config, absl::Duration lock_timeout);

// Becomes the server, which inherits the lock with all its children. Returns only with an error.
// FAILED_PRECONDITION when the pass says refuse.
absl::Status ExecServer(const ResourceConfig& config, const GatePass& pass);

}  // namespace baton
