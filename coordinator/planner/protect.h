// Log shipping to a pool's other site: from a bare pool, or again after a failover.
#pragma once

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// An adopted pool: every protected database whose other instance does not follow gets a follower
// (seeding.h), under the pool's epoch, while it serves. A pool without an epoch, whose backups are
// empty: its adoption (adopt.h MakeBareAdoption), and their seeding beside the users.
// ALREADY_PROTECTED when every database has its follower. None when the inquiry found something
// against it.
std::optional<Plan> MakeProtect(const Inquiry& ask);

}  // namespace baton
