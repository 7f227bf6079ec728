// The frozen state that a plan is made from. Time is an argument: ages derive from `as_of`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"

#include "common/protocol/ids.h"
#include "common/protocol/observation.h"
#include "coordinator/model/pool_state.h"
#include "coordinator/model/topology.h"

namespace baton {

struct AgentView {
  bool connected = false;
  BootId boot;
  std::string version;
  absl::Time last_report = absl::InfinitePast();  // coordinator's clock
};

struct SeenResource {
  Observation observation;
  absl::Time at = absl::InfinitePast();  // coordinator's clock, the observation's age taken off
};

struct Snapshot {
  absl::Time as_of = absl::InfinitePast();
  uint64_t revision = 0;  // grows with every change of what it is made from
  std::shared_ptr<const Topology> topology;
  std::map<PoolId, PoolState> pools;
  std::map<HostId, AgentView> agents;
  std::map<ResourceRef, SeenResource> resources;
  std::map<PoolId, PlanId> running;  // the one plan of a pool that has not ended

  const PoolState* FindPoolState(const PoolId& id) const;
  // Null when never seen.
  const Observation* Find(const ResourceRef& ref) const;
  bool Connected(const HostId& host) const;
};

}  // namespace baton
