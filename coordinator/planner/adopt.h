// A pool's first epoch in this journal.
#pragma once

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// Names every instance that is not in the role that the topology gives it; else: raise the
// epoch's generation above every one seen → checks → fence the backups, which follow; stop chat
// that should not serve → give the primary its right → point and activate the active chat servers →
// canary. None when the inquiry found something against it.
std::optional<Plan> MakeAdopt(const Inquiry& ask);

}  // namespace baton
