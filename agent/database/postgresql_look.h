// What a probe sees of one PostgreSQL instance and its fence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/core/host_ports.h"
#include "agent/database/postgresql_instance.h"
#include "common/protocol/observation.h"

namespace baton::postgresql {

// Looks once, each call to the server within `timeout`; bounded unless the host's own files hang.
// What cannot be seen is kUnknown with the reason in `problem`. A login is part of the look: a
// server that answers old sessions but takes no new one serves nobody. `service` is what its
// service manager just said.
Observation LookAt(PostgresqlInstance* instance, absl::Duration timeout,
                   const absl::StatusOr<ServiceStatus>& service);

// The observation of a resource that could not be looked at.
Observation NotSeen(const ResourceConfig& config, std::string problem);

// Bytes of log that are there in the files named `copied`, of the timeline of `replayed` or later
// ones, and lie beyond it. Pure.
uint64_t BytesBeyond(const LogPosition& replayed, const std::vector<std::string>& copied,
                     uint64_t segment_bytes);

}  // namespace baton::postgresql
