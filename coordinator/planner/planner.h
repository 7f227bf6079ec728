// Makes plans. Pure: a frozen snapshot in, a plan or every reason against one out.
#pragma once

#include <optional>
#include <vector>

#include "coordinator/model/goal.h"
#include "coordinator/model/plan.h"
#include "coordinator/model/snapshot.h"

namespace baton {

// Exactly one of the two: a plan and no refusals, or no plan and all reasons that speak against it,
// in a fixed order, each once. Refusals are an answer, not an error: the operator sees them all.
struct Planned {
  std::optional<Plan> plan;
  std::vector<Refusal> refusals;
};

// Never reads a clock: ages derive from `seen.as_of`, which becomes the plan's create_time.
Planned MakePlan(const Snapshot& seen, const Goal& goal, const Policy& policy);

}  // namespace baton
