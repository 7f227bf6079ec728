// The planned move of a pool to its other site, which loses nothing.
#pragma once

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// checks on every host → point the next chat servers → raise the epoch → drain, deactivate →
// end connections → fence → ship the tail → copy, apply → recover → activate → canary and the old
// primary's return as standby, beside the users. Every database is at its final position before the
// first one is recovered. Chat servers use the pool's first protected database. None when the
// inquiry found something against it.
std::optional<Plan> MakeSwitchover(const Inquiry& ask);

}  // namespace baton
