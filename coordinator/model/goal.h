// What an operator asks for.
#pragma once

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
};

// Limits that are the installation's, not the pool's.
struct Policy {
  absl::Duration observation_age_max = absl::Seconds(10);
  absl::Duration step_timeout = absl::Seconds(30);   // of a step that moves or waits for data
  absl::Duration check_timeout = absl::Seconds(10);  // of a step that only looks
};

}  // namespace baton
