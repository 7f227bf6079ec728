// Throwing away what a quarantine keeps.
#pragma once

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// One step under the pool's epoch. QUARANTINE_UNKNOWN when the instance is none of the pool's
// databases, or keeps none of that name; POOL_NOT_ADOPTED. None when the inquiry found something
// against it.
std::optional<Plan> MakeRemoveQuarantine(const Inquiry& ask);

}  // namespace baton
