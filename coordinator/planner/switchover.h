// The planned move of a pool to its other site, which loses nothing.
#pragma once

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// The steps of switchover_steps.h. Chat servers use the pool's first protected database; those on
// hosts that are lost by someone's word are left out, and fenced when they come back: the fence of
// the database keeps them out till then. None when the inquiry found something against it.
std::optional<Plan> MakeSwitchover(const Inquiry& ask);

}  // namespace baton
