// What an operator asks for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "common/protocol/ids.h"
#include "coordinator/model/plan.h"

namespace baton {

struct Goal {
  PlanKind kind = PlanKind::kSwitchover;
  PoolId pool;
  std::string reason;
  std::string requested_by;
  std::string request_id;
  HostId expected_primary;  // empty: not checked
  PlanId plan_id;           // what the plan is to be called

  // Someone's word that these are down and stay down until Baton has fenced them: a whole site, or
  // single hosts.
  SiteId lost_site;
  std::vector<HostId> lost_hosts;
  absl::Duration allow_loss = absl::ZeroDuration();  // failover: accepts this much over the limit
  std::optional<absl::Duration> max_loss;            // failover: a limit below the pool's
  std::set<std::string> override_rules;              // names of refusals that are accepted
  // Of a lost host whose disk can be read: its data directory as the host that takes over sees it.
  std::map<HostId, std::string> salvage;
  // Failback, protect: log beyond the fork that may be thrown away, in bytes. None: it is kept.
  std::optional<uint64_t> discard_orphans;
  // Remove quarantine: of which instance, and which.
  ResourceRef quarantine_of;
  std::string quarantine;
};

// Limits that are the installation's, not the pool's.
struct Policy {
  absl::Duration observation_age_max = absl::Seconds(10);
  absl::Duration step_timeout = absl::Seconds(30);   // of a step that moves or waits for data
  absl::Duration check_timeout = absl::Seconds(10);  // of a step that only looks
};

}  // namespace baton
