// Shipping and fetching log files (protocol.md "Archives have lineage"). All access to a share is
// bounded by the resource's share_timeout and asks for the share's marker first. Callers must be
// single-threaded processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "agent/guard/bounded_work.h"
#include "common/protocol/fence_state.h"
#include "common/protocol/resource_config.h"

namespace baton {

// The file in a share's root whose one line is the share's name.
inline constexpr char kShareMarker[] = ".baton-share";

// Ships the log file at `path` into the lineage that the fence file lets this instance write; on
// the share's disk when this returns OK. Idempotent. FAILED_PRECONDITION: the fence forbids it, or
// came to forbid it meanwhile. ALREADY_EXISTS: other bytes under that name. UNAVAILABLE: the share
// does not answer or is not mounted. RESOURCE_EXHAUSTED: it is full. INVALID_ARGUMENT: no log
// file's name.
absl::Status PushLogFile(const ResourceConfig& config, const std::string& path);

// Restores the log file `name` to `target`, from the fence file's fetch lineages, newest first:
// from the copy destination; what is not there yet is copied there from the share. NOT_FOUND: no
// lineage serves it (yet). Every other error says what kept it from being known.
absl::Status FetchLogFile(const ResourceConfig& config, const std::string& name,
                          const std::string& target);

// Copies every segment and history file that `fetch` serves and the copy destination lacks.
// Returns bytes copied.
absl::StatusOr<uint64_t> CopyPendingLogFiles(const ResourceConfig& config,
                                             const std::vector<Lineage>& fetch,
                                             const ProgressFunction& progress);

// A timed write on the share that this instance ships to, a look at the others' markers, a write in
// the copy destination.
absl::Status CheckShares(const ResourceConfig& config);

// What `fetch` serves from the log file named `from` on (empty: all), in the copy destination and,
// with `shares`, in the shares, as lines: "run LINEAGE TIMELINE FIRST LAST" (log files by number),
// "fork LINEAGE TIMELINE LSN" (where a timeline begins, from a history file); all in decimal.
// UNAVAILABLE: a share does not answer or is not mounted.
absl::StatusOr<std::string> ListLogFiles(const ResourceConfig& config,
                                         const std::vector<Lineage>& fetch, const std::string& from,
                                         bool shares);

// ArchiveStore::Salvage.
absl::StatusOr<uint64_t> SalvageLogFiles(const ResourceConfig& config,
                                         const std::vector<Lineage>& fetch,
                                         const std::string& data_directory, const std::string& from,
                                         const ProgressFunction& progress);

// ArchiveStore::PrepareShare.
absl::Status PrepareShare(const ResourceConfig& config);

}  // namespace baton
