// What a PostgreSQL probe and runner are given of their host.
#pragma once

#include <functional>

#include "absl/status/status.h"

#include "agent/core/host_ports.h"
#include "common/base/clock.h"
#include "common/os/process.h"
#include "common/protocol/resource_config.h"

namespace baton {

// Nothing is owned; all of it outlives probe and runner.
struct PostgresqlHost {
  ResourceConfig config;
  FenceStore* fences = nullptr;
  ServiceManager* service = nullptr;
  ArchiveStore* archive = nullptr;
  const Clock* clock = nullptr;
  // Enters a child that is about to act for the running command; may be empty.
  std::function<absl::Status(const ProcessId&)> enter_child = nullptr;
  // RunOptions::before_start of every program that probe and runner start: enters it in the ledger
  // while a command runs. Null: nobody remembers it.
  std::function<absl::Status(const ProcessId&)> before_start = nullptr;
};

}  // namespace baton
