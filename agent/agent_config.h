// What the agent's configuration says, and the resource files that it names.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "common/protocol/resource_config.h"

namespace baton::agent {

struct ResourceFile {
  std::string path;
  ResourceConfig config;
};

struct AgentConfig {
  HostId host;
  std::vector<std::string> coordinators;  // addresses, dialled in turn
  std::string ledger;
  std::string guard;
  std::string log_level = "info";
  std::vector<ResourceFile> resources;  // never empty
};

// Errors name file, line, what was found and what was wanted: NOT_FOUND, PERMISSION_DENIED,
// INVALID_ARGUMENT. Resources of another host, of one name, or that read their boot id from
// different files are refused.
absl::StatusOr<AgentConfig> ReadAgentConfig(const std::string& file);

}  // namespace baton::agent
