// Which service manager looks after a resource.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "agent/core/host_ports.h"
#include "common/protocol/resource_config.h"

namespace baton {

// The manager that `config` asks for. `config_file` is what it was read from; `guard_program` the
// path of baton-guard. FAILED_PRECONDITION for a manager that this version cannot be a client of.
absl::StatusOr<std::unique_ptr<ServiceManager>> MakeServiceManager(
    const ResourceConfig& config, const std::string& config_file, const std::string& guard_program);

}  // namespace baton
