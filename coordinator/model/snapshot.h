// The frozen state that a plan is made from. Time is an argument: ages derive from `as_of`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "common/protocol/ids.h"
#include "common/protocol/observation.h"
#include "coordinator/model/host_clock.h"
#include "coordinator/model/pool_state.h"
#include "coordinator/model/topology.h"

namespace baton {

struct AgentView {
  bool connected = false;
  BootId boot;
  std::string version;
  absl::Time last_report = absl::InfinitePast();  // coordinator's clock
  HostClock clock;                                // as its agent told it
};

struct SeenResource {
  Observation observation;
  // When it was looked at: the coordinator's time since its boot, the observation's age taken off.
  absl::Duration looked = absl::ZeroDuration();
  // When its last commit was first heard of, in the same time: it is at least that old, whatever
  // the clock says that dated it. Infinite: never.
  absl::Duration commit_heard = absl::InfiniteDuration();
  absl::Time at = absl::InfinitePast();  // the same on its clock, in a snapshot (Date)
};

// What is held of `seen`, which came at `now` of the coordinator's time since its boot; `before` is
// what was held until then, or null.
SeenResource Heard(const Observation& seen, absl::Duration now, const SeenResource* before);
// Of what is held of the host, forgets all that is not in its full report.
void KeepOnly(const HostId& host, const std::vector<Observation>& reported,
              std::map<ResourceRef, SeenResource>* held);

struct Snapshot {
  absl::Time as_of = absl::InfinitePast();
  absl::Duration since_boot = absl::ZeroDuration();  // the coordinator's time since boot at `as_of`
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
  HostClock ClockOf(const HostId& host) const;

  // Says when each resource was seen, once all is gathered: how long ago that was does not depend
  // on a wall clock that jumped since.
  void Date();
};

}  // namespace baton
