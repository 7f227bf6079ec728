// What a PostgreSQL probe and runner are given of their host.
#pragma once

#include "agent/core/host_ports.h"
#include "common/base/clock.h"
#include "common/protocol/resource_config.h"

namespace baton {

// Nothing is owned; all of it outlives probe and runner.
struct PostgresqlHost {
  ResourceConfig config;
  FenceStore* fences = nullptr;
  ServiceManager* service = nullptr;
  ArchiveStore* archive = nullptr;
  const Clock* clock = nullptr;
};

}  // namespace baton
