// A topology from its YAML text, and what differs between two topologies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "common/protocol/ids.h"
#include "coordinator/model/topology.h"

namespace baton {

struct TopologyOptions {
  // Accepts that a pool's home site holds the only coordinator: losing that site then loses the
  // means to leave it.
  bool allow_coordinator_at_home = false;
};

// Reads and checks a topology. `file_name` is for messages only. INVALID_ARGUMENT names every
// problem, one a line: "FILE:LINE: WHAT: found X, wanted Y; do Z". Bounded in time and memory
// whatever `text` holds; never throws.
absl::StatusOr<Topology> ParseTopology(std::string_view text, std::string_view file_name,
                                       const TopologyOptions& options);

// What an operator sees change, a line each: "host hq-sql3: added (site hq)", "pool
// chat.example.com: limits.loss was 30s, becomes 20s". Empty when nothing does.
std::vector<std::string> DescribeChanges(const Topology& from, const Topology& to);

// Pools whose definition, hosts, shares, sites or links differ, added and removed ones included, in
// order.
std::vector<PoolId> PoolsChanged(const Topology& from, const Topology& to);

}  // namespace baton
