// The steps of an adoption: who was seen to write gets the right, who follows is fenced first.
#pragma once

#include <vector>

#include "coordinator/model/plan.h"
#include "coordinator/model/pool_state.h"
#include "coordinator/planner/adopt_pairs.h"
#include "coordinator/planner/preflight.h"

namespace baton {

// A chat server that cannot be reached and has no right to serve by the journal either, or is lost
// by someone's word.
bool LeftOut(const Inquiry& ask, const PoolState* state, const ChatServer& server);

// Of pairs and chat servers that were checked. `state` is null unless the journal knows the pool:
// then the right is given back. With `bare`, the backups are empty and are seeded.
Plan MakeAdoption(const Inquiry& ask, const PoolState* state, std::vector<RolePair> pairs,
                  std::vector<const ChatServer*> next, bool bare);

}  // namespace baton
