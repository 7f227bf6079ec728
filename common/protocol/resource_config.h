// The one small file that says what a resource is on its host: read by baton-guard and the agent
// alike.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/protocol/ids.h"

namespace baton {

enum class ResourceKind { kDatabase, kChat };
enum class ServiceManagerKind { kDirect, kSystemd };

// Parsed form of a resource file: `key = value` lines, '#' starts a comment, blank lines are
// ignored. Keys (see deploy/config/resource.conf for the commented sample):
//   resource, pool, kind (database|chat), engine (postgresql|prosody), host       who it is
//   manager (direct|systemd), command (argv, split at blanks, no quoting, no shell)
//   data_directory                                            database: PGDATA; chat: its state
//   directory run_directory                                             supervisor's socket, pid
//   and state files fence_file, boot_id_file (default /proc/sys/kernel/random/boot_id) share = NAME
//   the share that it ships to share.NAME = /path                                        where each
//   share is mounted on this host copy_destination = /path database: local folder for fetched log
//   quarantine_directory = /path                              database: for data kept aside
//   stop_timeout = 30s, share_timeout = 10s                   durations with a unit
//   postgresql.* and prosody.*                                engine's own: see `engine`
struct ResourceConfig {
  ResourceId resource;
  PoolId pool;
  HostId host;
  ResourceKind kind = ResourceKind::kDatabase;
  std::string engine_name;
  ServiceManagerKind manager = ServiceManagerKind::kDirect;
  std::vector<std::string> command;
  std::string data_directory;
  std::string run_directory;
  std::string fence_file;
  std::string boot_id_file;
  ShareId share;
  std::map<ShareId, std::string> shares;
  std::string copy_destination;
  std::string quarantine_directory;  // empty in the file: "quarantine" beside the data directory
  absl::Duration stop_timeout = absl::Seconds(30);
  absl::Duration share_timeout = absl::Seconds(10);
  std::map<std::string, std::string>
      engine;  // keys with their "postgresql." or "prosody." prefix cut off

  // FAILED_PRECONDITION naming the missing engine key.
  absl::StatusOr<std::string> Engine(std::string_view key) const;
};

// INVALID_ARGUMENT naming `file_name`, the line, what was found and what was wanted. Unknown and
// doubled keys are errors, as are relative paths.
absl::StatusOr<ResourceConfig> ParseResourceConfig(std::string_view text,
                                                   std::string_view file_name);

}  // namespace baton
