// The fence of one resource on its host: the fence file, the lock beside it, standby.signal
// (protocol.md "The fence file", "The gate").
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/os/lock.h"
#include "common/os/process.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/resource_config.h"

namespace baton {

// "<fence_file>.lock": shared by everything that the gate let start, for as long as any of it
// lives.
std::string FenceLockFile(const ResourceConfig& config);

// "<fence_file>.edit": held by whoever replaces the fence file, for no longer than that takes.
std::string FenceEditLockFile(const ResourceConfig& config);
inline constexpr absl::Duration kFenceEditWait = absl::Seconds(5);

// A file of this name beside the data directory says that it is half rewound or restored.
std::string IncompleteMarker(const ResourceConfig& config);

// NOT_FOUND: no file. DATA_LOSS: not understood, or another resource's. Every error means closed.
absl::StatusOr<FenceRecord> ReadFenceFile(const ResourceConfig& config);

// Replaces the fence file durably (world-readable). `next` gets what is there (an error as
// ReadFenceFile gives it) and returns what shall be; it is asked again when someone else wrote
// meanwhile. Its error is returned and nothing is written. FAILED_PRECONDITION when the result
// would lower the fence epoch or is another resource's. `before_write` runs after all checks, each
// time before the file may change, and may take long: nobody is kept from the file by it, so that
// what it did may come to nothing. What the file says already is not written again. UNAVAILABLE:
// nothing was written, since others hold the file's lock for longer than `edit_wait`, or write all
// the time.
absl::Status UpdateFenceFile(
    const ResourceConfig& config,
    const std::function<absl::StatusOr<FenceRecord>(const absl::StatusOr<FenceRecord>&)>& next,
    const std::function<absl::Status(const FenceRecord&)>& before_write,
    absl::Duration edit_wait = kFenceEditWait);

// Makes standby.signal in the data directory, durably, owned as the directory is.
// FAILED_PRECONDITION for a chat server.
absl::Status PlaceStandbySignal(const ResourceConfig& config);

// The database's own word for a running server, whoever started it: the live process that its pid
// file names. 0: none.
absl::StatusOr<pid_t> ServerByPidFile(const ResourceConfig& config);

// Is `pid` a process of PostgreSQL that works in this data directory? False where that may not be
// seen.
bool IsSeenToServe(const ResourceConfig& config, pid_t pid);

// The server that the gate let start and that still runs, found by the lock that it holds; none:
// not found. For whoever has forgotten what it started.
std::optional<ProcessId> FindServer(const ResourceConfig& config);

// Takes the exclusive lock and lets it go: OK means that nothing which the gate let start under an
// older file is alive. DEADLINE_EXCEEDED: `timeout` passed; the message names who still holds it.
// FAILED_PRECONDITION: nobody holds it, yet the database's own pid file names a live server, which
// was then started past the gate.
absl::Status ProveNothingRuns(const ResourceConfig& config, absl::Duration timeout);

// Empty when it cannot be read: then nothing counts as confirmed.
BootId CurrentBoot(const ResourceConfig& config);

}  // namespace baton
