// A pool's first epoch in this journal, and the way back for a holder that lost its fence.
#pragma once

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// Names every instance that is not in the role that the topology gives it; else: raise the
// epoch's generation above every one seen → checks → fence the backups, which follow; stop chat
// that should not serve → give the primary its right → point and activate the active chat servers →
// canary. A pool that was adopted before gets its right back the same way, but the holder is the
// one that the journal names, under the next epoch, and its backup follows through all lineages so
// far (adopt_pairs.h). One that lost its right to a move that was given up is fenced and takes it
// back out of its own log; its backup follows after chat is served. A chat server
// whose host is lost by someone's word is left out and fenced on return; another one serves.
// POOL_ALREADY_ADOPTED when nothing is missing. None when the inquiry found something against it.
std::optional<Plan> MakeAdopt(const Inquiry& ask);

// The first epoch of a pool whose backups are empty: log shipping is configured, the shares are
// prepared (the backups' before anything else) and chat is served before the backups are seeded,
// beside the users. None when the inquiry found something against it.
std::optional<Plan> MakeBareAdoption(const Inquiry& ask);

}  // namespace baton
