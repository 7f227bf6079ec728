// The instance that a failover takes the right to write from.
#pragma once

#include <string>

#include "coordinator/model/pool_state.h"
#include "coordinator/planner/candidates.h"
#include "coordinator/planner/overrides.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// "baton VERB POOL --reason TEXT"
std::string Again(const Inquiry& ask, const std::string& verb);

// The old instance shipped its end once, and the next one has applied it.
bool AllApplied(const Inquiry& ask, const DatabaseMove& move);

// It can ship what it holds of the log that was its own by the journal.
bool HoldsRight(const DatabaseMove& move, const Observation& seen);

// True when the old instance can be fenced now. Refuses NO_WORD, HOME_DATABASE_UP,
// FENCE_EPOCH_AHEAD.
bool CheckFrom(const Inquiry& ask, const PoolState& state, const DatabaseMove& move,
               Overrides& overrides);

}  // namespace baton
