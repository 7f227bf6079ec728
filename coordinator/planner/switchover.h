// The planned move of a pool to its other site, which loses nothing.
#pragma once

#include <vector>

#include "coordinator/planner/planner.h"
#include "coordinator/planner/preflight.h"
#include "coordinator/planner/switchover_steps.h"

namespace baton {

// The steps of switchover_steps.h. Chat servers use the pool's first protected database; those on
// hosts that are lost by someone's word are left out, and fenced when they come back: the fence of
// the database keeps them out till then. None when the inquiry found something against it.
std::optional<Plan> MakeSwitchover(const Inquiry& ask);

// Who serves before and after a planned move of `moves`, checked (switchover_checks.h
// CheckLostChat, CheckChatServers); `chat` tells why.
PlannedMove ChoosePlannedMove(const Inquiry& ask, const PoolState& state,
                              const std::vector<DatabaseMove>& moves, ChatChoice& chat);

}  // namespace baton
