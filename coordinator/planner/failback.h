// The way home, in the better order of domain.md ("reverse"): ship backwards while chat is served,
// then a short planned move.
#pragma once

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// The steps of a switchover to the home site; before them, and under the old epoch, whatever the
// home instances need to follow at all (seeding.h). ALREADY_HOME when the databases are written
// there. None when the inquiry found something against it.
std::optional<Plan> MakeFailback(const Inquiry& ask);

}  // namespace baton
