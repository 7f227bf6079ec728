// What a probe sees of one PostgreSQL instance and its fence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "agent/core/host_ports.h"
#include "agent/database/postgresql_instance.h"
#include "agent/database/share_watch.h"
#include "common/protocol/observation.h"

namespace baton::postgresql {

// What one look keeps for the next, so that it stays cheap. Used by one thread.
struct LookMemory {
  LookMemory(ArchiveStore* archive, const Clock* clock) : shares(archive, clock) {}

  ShareWatch shares;
  // Of a stopped instance, for the control file that said so.
  std::string end_of;
  LogPosition log_end;
  std::string woken;  // when the primary began whose checkpointer was woken
};

// Looks once, each call to the server within `timeout`; bounded unless the host's own files hang.
// What cannot be seen is kUnknown with the reason in `problem`. A login is part of the look: a
// server that answers old sessions but takes no new one serves nobody. `service` is what its
// service manager just said.
Observation LookAt(PostgresqlInstance* instance, absl::Duration timeout,
                   const absl::StatusOr<ServiceStatus>& service, LookMemory* memory);

// The observation of a resource that could not be looked at.
Observation NotSeen(const ResourceConfig& config, std::string problem);

}  // namespace baton::postgresql
