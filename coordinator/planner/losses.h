// What a failover may lose.
#pragma once

#include <vector>

#include "coordinator/model/plan.h"
#include "coordinator/model/pool_state.h"
#include "coordinator/model/snapshot.h"
#include "coordinator/model/topology.h"

namespace baton {

// Of `database`, when `from` is gone and `to` goes on with all that its shares still hold. A bound:
// what `to` has at least as far as the writer's log was last seen to reach is lost only from that
// sight on; else everything after the last commit that it has, by the writer's own clock. Nothing
// is known of a writer that was never seen, never told its clock, or whose clock has not come to
// that commit.
AnnouncedLoss LossBetween(const Snapshot& seen, const Database& database, const Instance& from,
                          const Instance& to, const WriteRight& right);

// Did `from` ship the log that it wrote under its right to the end, as it was last seen? Only where
// its own fence names the seal that the journal has: that one may also be where a failover that was
// given up found the shares to end, and a fence may be closed because its file was lost.
bool ShippedToItsEnd(const Snapshot& seen, const Instance& from, const WriteRight& right);

// The same for every protected database of the pool whose present holder and its follower are
// known: what would be lost if the serving site were gone now.
std::vector<AnnouncedLoss> LossesNow(const Snapshot& seen, const Pool& pool);

}  // namespace baton
