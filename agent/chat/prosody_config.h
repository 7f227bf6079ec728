// What a resource file says about a Prosody server, checked once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/protocol/ids.h"
#include "common/protocol/resource_config.h"

namespace baton::chat {

// Where one database instance listens.
struct DatabaseAddress {
  std::string host;  // one name or address; IPv6 without brackets
  uint16_t port = 0;
  std::string database;

  friend bool operator==(const DatabaseAddress&, const DatabaseAddress&) = default;
};

// "ADDRESS:PORT/DATABASE", an IPv6 address in brackets. INVALID_ARGUMENT for anything else. More
// than one server is refused, as is whatever libpq would take for a connection string: it would
// choose a primary by itself, without the epoch (protocol.md "Chat").
absl::StatusOr<DatabaseAddress> ParseDatabaseAddress(std::string_view text);

struct ProsodyConfig {
  PoolId pool;
  ResourceId resource;
  HostId host;
  std::vector<std::string> command;
  absl::Duration stop_timeout;

  std::string address;  // numeric
  uint16_t c2s_port = 0;
  std::string domain;
  std::string muc_domain;
  uint16_t control_port = 0;
  std::string token_file;
  std::string database_file;
  std::string database_user;
  std::string database_password_file;
  std::map<HostId, DatabaseAddress> instances;  // never empty
  std::string canary_jid;
  std::string canary_password_file;
  std::string canary_room;  // the reserved room's full address
};

// FAILED_PRECONDITION naming the key that is missing, INVALID_ARGUMENT naming the key whose value
// is not understood, what was found and what was wanted.
absl::StatusOr<ProsodyConfig> MakeProsodyConfig(const ResourceConfig& resource);

// The first line of a file that holds a password or token, without its line end. Errors name the
// file; FAILED_PRECONDITION when the line is empty.
absl::StatusOr<std::string> ReadSecret(const std::string& file);

}  // namespace baton::chat
